"""Initialise, start and stop one PostgreSQL cluster with `initdb` and `pg_ctl`, under the right account."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from config.postgres import binaries
from config.postgres.account import private_folder
from config.postgres.binaries import Binaries
from config.postgres.errors import PostgresError
from config.postgres.state import SUPERUSER, Server

START_SECONDS = 60
PID_FILE = "postmaster.pid"
#: Above every process number a system gives out.
NO_PROCESS = 2**31 - 2

CONFIGURATION = """\
# Written at every start by config/postgres/process.py.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = '128MB'
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# A failing statement or the value of a duplicate key is personal data: neither goes to the log.
log_min_error_statement = panic
log_error_verbosity = terse
"""
THROW_AWAY = """\
# Tests only: a power cut may lose everything.
fsync = off
synchronous_commit = off
full_page_writes = off
"""
HOST_ACCESS = "local all all scram-sha-256\n"


def answers(server: Server) -> bool:
    """Say whether a real connection succeeds; raises `PostgresError` when the kept password is refused."""
    import psycopg  # 0.1 s that importing the settings does not pay

    if not (server.socket_dir / f".s.PGSQL.{server.port}").exists():
        return False
    try:
        psycopg.connect(server.dsn(SUPERUSER, "postgres")).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise PostgresError(
                f"The server of {server.pgdata} refuses the passwords of {server.data_dir}/postgres.json."
            ) from error
        return False
    return True


def start(server: Server, *, durable: bool) -> None:
    """Make the cluster if it is missing and return once it answers; the caller holds the lock."""
    programs = binaries.usable_by(server.account, binaries.find())
    private_folder(server.socket_dir, server.account)
    if not (server.pgdata / "PG_VERSION").exists():
        _initialise(server, programs, durable=durable)
    _check_version(server, programs)
    _configure(server, durable=durable)
    if not _wait_for_recovery(server):
        _forget_old_pid(server)
        _launch(server, programs)
    if not answers(server):
        raise PostgresError(f"PostgreSQL started and yet does not answer. {log_tail(server)}")


def stop(server: Server) -> bool:
    """Stop the cluster in fast mode; say whether one ran. The caller holds the lock."""
    if postmaster_pid(server) is None:
        return False
    programs = binaries.usable_by(server.account, binaries.find())
    arguments = ["stop", "-D", str(server.pgdata), "-m", "fast", "-w", "-t", str(START_SECONDS), "-s"]
    stopped = _run(server, programs.program("pg_ctl"), *arguments)
    if stopped.returncode != 0 and postmaster_pid(server) is not None:
        raise PostgresError(f"PostgreSQL did not stop: {stopped.stderr.strip()}")
    if server.data_dir not in server.socket_dir.parents:
        shutil.rmtree(server.socket_dir, ignore_errors=True)
    return True


def postmaster_pid(server: Server) -> int | None:
    """Return the process number of this cluster's running server, or None."""
    try:
        pid = int((server.pgdata / PID_FILE).read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if _is_postgres(pid, server.pgdata) else None


def _is_postgres(pid: int, pgdata: Path) -> bool:
    """After a crash another program may run under the number that the pid file still names."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # a stranger's process: ours runs under our account, or we are root
    process = Path(f"/proc/{pid}")
    if not process.exists():  # no /proc on macOS
        command = ["/bin/ps", "-o", "comm=", "-p", str(pid)]
        listed = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  a number we read
        return b"postgres" in listed.stdout
    try:
        return (process / "cwd").readlink() == pgdata.resolve()
    except PermissionError:  # root in a container without the right to trace
        return (process / "comm").read_text(encoding="utf-8").strip() == "postgres"
    except FileNotFoundError:
        return False


def _initialise(server: Server, programs: Binaries, *, durable: bool) -> None:
    """Run initdb beside the final folder and rename: a cluster is never half made."""
    unfinished = server.pgdata.with_name(f"{server.pgdata.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    private_folder(unfinished, server.account)
    password_file = _password_file(server)
    arguments = [
        f"--pgdata={unfinished}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--no-instructions",
        *([] if durable else ["--no-sync"]),
    ]
    try:
        made = _run(server, programs.program("initdb"), *arguments)
    finally:
        password_file.unlink()
    if made.returncode != 0:
        raise PostgresError(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
    unfinished.rename(server.pgdata)


def _password_file(server: Server) -> Path:
    path = server.socket_dir / "superuser.password"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(server.passwords[SUPERUSER])
        if server.account is not None:
            os.fchown(handle.fileno(), server.account.uid, server.account.gid)
    return path


def _check_version(server: Server, programs: Binaries) -> None:
    kept = (server.pgdata / "PG_VERSION").read_text(encoding="utf-8").strip()
    if kept != str(programs.major):
        raise PostgresError(
            f"{server.pgdata} was made by PostgreSQL {kept}, {programs.source} is {programs.version}: "
            "restore a dump into a new data folder, or name the older programs in CREDISENSE_PG_BINDIR."
        )


def _configure(server: Server, *, durable: bool) -> None:
    socket_dir = str(server.socket_dir).replace("'", "''")
    text = CONFIGURATION.format(port=server.port, socket_dir=socket_dir) + ("" if durable else THROW_AWAY)
    for name, content in (("postgresql.conf", text), ("pg_hba.conf", HOST_ACCESS)):
        _overwrite(server.pgdata / name, content)


def _overwrite(path: Path, content: str) -> None:
    """Write in the folder of the server's account, which must not lead root elsewhere through a link."""
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(content)


def _wait_for_recovery(server: Server) -> bool:
    """Wait for a server that runs but does not answer yet; False when there is none to wait for."""
    deadline = time.monotonic() + START_SECONDS
    while postmaster_pid(server) is not None:
        if answers(server):
            return True
        if time.monotonic() > deadline:
            raise PostgresError(f"PostgreSQL runs but does not answer. {log_tail(server)}")
        time.sleep(0.1)
    return False


def _forget_old_pid(server: Server) -> None:
    """Make a server that was killed look dead even if its number is a zombie's or another program's.

    The rest of the pid file is kept: by it PostgreSQL checks that no orphan of the killed server still uses
    its memory. The socket's lock is ours alone, since no other server has this folder.
    """
    for name in (f".s.PGSQL.{server.port}.lock", f".s.PGSQL.{server.port}"):
        (server.socket_dir / name).unlink(missing_ok=True)
    pid_file = server.pgdata / PID_FILE
    if pid_file.exists():
        _, _, rest = pid_file.read_text(encoding="utf-8").partition("\n")
        _overwrite(pid_file, f"{NO_PROCESS}\n{rest}")


def _launch(server: Server, programs: Binaries) -> None:
    """Start with pg_ctl; after kill -9, orphans of the old server may hold its memory for a moment."""
    deadline = time.monotonic() + START_SECONDS
    log = server.pgdata / "server.log"
    arguments = ["start", "-D", str(server.pgdata), "-l", str(log), "-w", "-t", str(START_SECONDS), "-s"]
    while True:
        written = log.stat().st_size if log.exists() else 0
        if _run(server, programs.program("pg_ctl"), *arguments).returncode == 0:
            return
        reason = log_tail(server, since=written)
        if "shared memory block" not in reason or time.monotonic() > deadline:
            raise PostgresError(f"PostgreSQL did not start. {reason}")
        time.sleep(0.2)


def _run(server: Server, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    account = server.account
    return subprocess.run(  # noqa: S603  programs found by config.postgres.binaries
        [program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=server.socket_dir,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        # Ctrl-C in a terminal reaches the whole group: the server is stopped by its owner, in order.
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def log_tail(server: Server, since: int = 0) -> str:
    """Return the last lines of the server's log, at most 12, from the byte `since` on."""
    log = server.pgdata / "server.log"
    if not log.exists():
        return f"It left no log in {server.pgdata}."
    written = log.read_bytes()[since:].decode("utf-8", "replace")
    return f"Last lines of {log}:\n" + "\n".join(written.splitlines()[-12:])
