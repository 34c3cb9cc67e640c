"""Where an embedded server lives and with which passwords: computed and kept without starting anything."""

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from config.postgres.account import Account, can_reach, server_account, system_folder, temporary_folder
from config.postgres.errors import PostgresError
from config.postgres.roles import APP, BACKUP, OWNER, PLATFORM

SUPERUSER = "postgres"
DATABASE = "credisense"
#: Only part of the socket's file name: the server listens on no network address.
PORT = 5432
#: A unix socket's path holds 103 bytes on macOS and 107 on Linux; its name takes 14 (/.s.PGSQL.5432).
LONGEST_SOCKET_FOLDER = 103 - 14
LOCK_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Server:
    """An embedded server: its folders, port and the password of each role."""

    data_dir: Path
    pgdata: Path
    socket_dir: Path
    port: int
    passwords: Mapping[str, str] = field(repr=False)
    started_by_us: bool = False

    @property
    def account(self) -> Account | None:
        return server_account(self.pgdata)

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """Return the connection string of a role (it contains the password)."""
        from psycopg.conninfo import make_conninfo  # 0.1 s that importing the settings does not pay

        return make_conninfo(
            host=str(self.socket_dir),
            port=self.port,
            user=role,
            password=self.passwords[role],
            dbname=database,
            connect_timeout=5,
        )


def plan(data_dir: Path) -> Server:
    """Return the server of this data folder, not started; its passwords are made on first need."""
    data_dir = data_dir.absolute()
    state_file = data_dir / "postgres.json"
    kept = _read(state_file)
    if kept is None:
        data_dir.mkdir(parents=True, exist_ok=True)
        roles = (SUPERUSER, OWNER, APP, PLATFORM, BACKUP)
        fresh = _place(data_dir, {role: secrets.token_urlsafe(32) for role in roles})
        if _create(state_file, fresh):
            return fresh
        kept = _read(state_file)  # another process was first
    if kept is None:
        raise PostgresError(f"{state_file} vanished while it was read.")
    if kept.data_dir != data_dir:  # the folder was moved or copied
        kept = _place(data_dir, kept.passwords)
        _write(state_file, kept)
    return kept


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Hold the data folder's lock, so that two processes neither start nor stop the server at once."""
    with (server.data_dir / "postgres.lock").open("w") as handle:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PostgresError(f"{handle.name} is held by another process.") from None
                time.sleep(0.05)
        yield


def _place(data_dir: Path, passwords: Mapping[str, str]) -> Server:
    account = server_account(data_dir / "postgres")
    reachable = can_reach(data_dir, account)
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    pgdata, socket_dir = data_dir / "postgres", data_dir / "run"
    if not reachable:
        pgdata = system_folder() / f"data-{digest}"
    if not reachable or len(os.fsencode(socket_dir)) > LONGEST_SOCKET_FOLDER:
        socket_dir = _short_folder(account) / f"credisense-{os.geteuid()}-{digest}"
    if len(os.fsencode(socket_dir)) > LONGEST_SOCKET_FOLDER:
        raise PostgresError(f"{socket_dir} is too long for a unix socket: set TMPDIR to a short folder.")
    return Server(data_dir, pgdata, socket_dir, PORT, passwords)


def _short_folder(account: Account | None) -> Path:
    return temporary_folder() if account is None else system_folder()


def _read(state_file: Path) -> Server | None:
    try:
        kept = json.loads(state_file.read_text(encoding="utf-8"))
        return Server(
            data_dir=Path(kept["data_dir"]),
            pgdata=Path(kept["pgdata"]),
            socket_dir=Path(kept["socket_dir"]),
            port=kept["port"],
            passwords=kept["passwords"],
        )
    except FileNotFoundError:
        return None
    except (PermissionError, ValueError, KeyError, TypeError) as error:
        raise PostgresError(
            f"{state_file} cannot be used ({error!r}). It holds the passwords of the database beside it: "
            "restore it, use the account that made it, or set CREDISENSE_DATA_DIR to another folder."
        ) from error


def _write(state_file: Path, server: Server) -> None:
    _draft(state_file, server).replace(state_file)


def _create(state_file: Path, server: Server) -> bool:
    draft = _draft(state_file, server)
    try:
        os.link(draft, state_file)  # unlike a rename, never replaces the file of a faster process
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _draft(state_file: Path, server: Server) -> Path:
    kept = asdict(server)
    del kept["started_by_us"]
    draft = state_file.with_name(f"{state_file.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump(kept, handle, default=str, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    return draft
