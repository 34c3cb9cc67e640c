"""Which account runs the embedded server, and in which folders it may safely work."""

import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.postgres.errors import PostgresError

#: PostgreSQL refuses to run as root: the first of these that exists runs it instead.
CANDIDATES = ("postgres", "nobody", "daemon")
#: Where root keeps what the server's account could not reach under a private home directory.
SYSTEM_FOLDERS = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108  checked by `_verified` before any use


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged system account."""

    uid: int
    gid: int


def server_account(pgdata: Path) -> Account | None:
    """Return the account to drop to (an existing cluster keeps its owner), or None when we are not root."""
    if os.geteuid() != 0:
        return None
    if pgdata.exists() and (owner := pgdata.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise PostgresError(f"PostgreSQL does not run as root and none of {', '.join(CANDIDATES)} exists here.")


def can_reach(path: Path, account: Account | None) -> bool:
    """Say whether `account` may read `path` and traverse every folder above it."""
    if account is None:
        return True
    resolved = path.resolve()
    if resolved.exists() and not _allowed(resolved, account, stat.S_IROTH | stat.S_IXOTH):
        return False
    return all(_allowed(parent, account, stat.S_IXOTH) for parent in resolved.parents if parent.exists())


def _allowed(path: Path, account: Account, bits: int) -> bool:
    info = path.stat()
    shift = 6 if info.st_uid == account.uid else 3 if info.st_gid == account.gid else 0
    return info.st_mode & (bits << shift) == bits << shift


def private_folder(path: Path, account: Account | None) -> Path:
    """Make `path` a folder of mode 0700 that belongs to `account`; refuse a link or a stranger's folder."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    owners = {os.geteuid(), account.uid if account else os.geteuid()}
    descriptor = _verified(path, owners)
    try:
        os.fchmod(descriptor, 0o700)
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)
    finally:
        os.close(descriptor)
    return path


def system_folder() -> Path:
    """Return root's own folder that every account can traverse and only root can write."""
    for base in SYSTEM_FOLDERS:
        path = base / "credisense"
        try:
            path.mkdir(mode=0o755, exist_ok=True)
        except OSError:
            continue
        descriptor = _verified(path, {0})
        try:
            os.fchmod(descriptor, 0o755)
        finally:
            os.close(descriptor)
        return path
    raise PostgresError(f"No folder for the database server: none of {SYSTEM_FOLDERS} is writable.")


def temporary_folder() -> Path:
    """Return the parent of a short private socket folder for an ordinary account."""
    return Path(tempfile.gettempdir())


def _verified(path: Path, owners: set[int]) -> int:
    """Open a folder without following a link and check its owner, so that nobody could have planted it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise PostgresError(f"{path} must be a folder of this account: {error.strerror}.") from error
    if os.fstat(descriptor).st_uid not in owners:
        os.close(descriptor)
        raise PostgresError(f"{path} belongs to another account: remove it, or set CREDISENSE_DATA_DIR.")
    return descriptor
