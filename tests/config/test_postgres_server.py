"""The embedded server: started once, recovered after a crash, stopped by whoever started it."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from config import postgres
from config.postgres import process, state
from config.postgres.errors import PostgresError
from config.postgres.roles import OWNER
from config.postgres.state import SUPERUSER, Server

REPOSITORY = Path(__file__).resolve().parents[2]


def setting(server: Server, name: str) -> str:
    with psycopg.connect(server.dsn(SUPERUSER, "postgres")) as connection:
        return connection.execute(f"SHOW {name}").fetchone()[0]


def alive(pid: int) -> bool:
    """Say whether a process runs; one that waits for a parent that never asks does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (ProcessLookupError, PermissionError):
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def crash(server: Server) -> int:
    """Kill the server and its children at once, as the kernel does when memory runs out."""
    pid = process.postmaster_pid(server)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while process.postmaster_pid(server) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    return pid


def test_two_starts_at_once_give_one_server(data_dir: Path, command) -> None:
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda _: command("start", data_dir=data_dir), range(2)))
    assert [run.returncode for run in runs] == [0, 0], runs
    assert sorted(run.stdout.split("(")[1].strip() for run in runs) == ["started).", "was running)."]
    assert process.answers(state.plan(data_dir))
    assert command("stop", data_dir=data_dir).stdout == "PostgreSQL stopped.\n"
    assert command("status", data_dir=data_dir).returncode == 1


def test_only_the_one_who_started_it_stops_it(data_dir: Path) -> None:
    first = postgres.ensure_running(data_dir, durable=False)
    second = postgres.ensure_running(data_dir, durable=False)
    assert (first.started_by_us, second.started_by_us) == (True, False)
    assert postgres.stop(second) is False
    assert process.answers(first)
    pid = process.postmaster_pid(first)
    assert postgres.stop(first) is True
    assert not process.answers(first)
    assert not alive(pid)
    assert postgres.stop(data_dir) is False


def test_committed_rows_survive_kill_9(data_dir: Path) -> None:
    server = postgres.ensure_running(data_dir)
    with psycopg.connect(server.dsn(OWNER)) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    crash(server)
    assert (server.pgdata / process.PID_FILE).exists()
    again = postgres.ensure_running(data_dir)
    assert again.started_by_us
    with psycopg.connect(again.dsn(OWNER)) as owner:
        assert owner.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_pid_file_whose_number_now_is_another_program_does_not_block(data_dir: Path) -> None:
    server = postgres.ensure_running(data_dir, durable=False)
    crash(server)
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    pid_file = server.pgdata / process.PID_FILE
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    try:
        assert postgres.ensure_running(data_dir, durable=False).started_by_us
        assert stranger.poll() is None
    finally:
        stranger.communicate(b"\n")


def test_an_initialisation_cut_short_is_done_again(data_dir: Path) -> None:
    half_made = data_dir / "postgres.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    server = postgres.ensure_running(data_dir, durable=False)
    assert process.answers(server)
    assert not half_made.exists()


def test_the_settings_start_nothing(data_dir: Path) -> None:
    databases = postgres.databases(data_dir, conn_max_age=60)
    assert set(databases) == {"default", "owner", "platform"}
    assert sorted(path.name for path in data_dir.iterdir()) == ["postgres.json"]
    assert (data_dir / "postgres.json").stat().st_mode & 0o777 == 0o600


def test_the_settings_fit_the_server_that_is_started_later(server: Server) -> None:
    default = postgres.databases(server.data_dir, conn_max_age=60)["default"]
    assert default | {"PASSWORD": "", "HOST": ""} == {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        "NAME": "credisense",
        "USER": "credisense_app",
        "PASSWORD": "",
        "HOST": "",
        "PORT": "5432",
        "OPTIONS": {"connect_timeout": 5, "application_name": "credisense-default"},
    }
    with psycopg.connect(
        host=default["HOST"], user=default["USER"], password=default["PASSWORD"], dbname=default["NAME"]
    ) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("credisense_app",)


def test_importing_the_package_is_free_of_effects(data_dir: Path) -> None:
    script = "import sys, config.postgres; print('psycopg' in sys.modules, 'subprocess' in sys.modules)"
    environment = os.environ | {"CREDISENSE_DATA_DIR": str(data_dir)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == "False"
    assert list(data_dir.iterdir()) == []


def test_a_long_data_folder_gets_a_short_socket(data_dir: Path) -> None:
    long = data_dir / ("d" * 60) / ("e" * 60)
    server = postgres.ensure_running(long, durable=False)
    try:
        assert len(os.fsencode(server.socket_dir)) <= state.LONGEST_SOCKET_FOLDER
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        assert process.answers(server)
    finally:
        postgres.stop(long)
    assert not server.socket_dir.exists()


def test_a_moved_data_folder_keeps_its_rows(data_dir: Path) -> None:
    server = postgres.ensure_running(data_dir / "before", durable=False)
    with psycopg.connect(server.dsn(OWNER)) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 7 AS answer")
    postgres.stop(server)
    moved = (data_dir / "before").rename(data_dir / "after")
    again = postgres.ensure_running(moved, durable=False)
    with psycopg.connect(again.dsn(OWNER)) as owner:
        assert owner.execute("SELECT answer FROM kept").fetchone() == (7,)
    postgres.stop(again)


def test_lost_passwords_are_told_and_nothing_is_overwritten(data_dir: Path) -> None:
    server = postgres.ensure_running(data_dir, durable=False)
    kept = json.loads((data_dir / "postgres.json").read_text())
    (data_dir / "postgres.json").write_text(
        json.dumps(kept | {"passwords": dict.fromkeys(kept["passwords"], "x")})
    )
    with pytest.raises(PostgresError, match="refuses the passwords"):
        postgres.ensure_running(data_dir, durable=False)
    (data_dir / "postgres.json").write_text(json.dumps(kept))
    assert process.answers(server)


def test_a_broken_state_file_is_told(data_dir: Path) -> None:
    (data_dir / "postgres.json").write_text("{")
    with pytest.raises(PostgresError, match=r"postgres\.json cannot be used"):
        postgres.databases(data_dir)
    (data_dir / "postgres.json").unlink()


def test_the_server_is_durable_unless_a_test_asks_otherwise(data_dir: Path, server: Server) -> None:
    assert (setting(server, "fsync"), setting(server, "synchronous_commit")) == ("off", "off")
    durable = postgres.ensure_running(data_dir)
    for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert setting(durable, name) == "on", name


def test_the_server_listens_on_a_private_socket_only(server: Server) -> None:
    assert setting(server, "listen_addresses") == ""
    assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    with pytest.raises(psycopg.OperationalError, match=r"fe_sendauth: no password supplied"):
        psycopg.connect(host=str(server.socket_dir), user=SUPERUSER, dbname="postgres")


def test_the_locale_is_the_builtin_one(server: Server) -> None:
    with psycopg.connect(server.dsn(SUPERUSER)) as connection:
        row = connection.execute(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding), current_setting('timezone')"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row == (b"b" if isinstance(row[0], bytes) else "b", "C.UTF-8", "UTF8", "UTC")


def test_passwords_show_in_no_representation_and_no_log(server: Server) -> None:
    shown = repr(server) + (server.pgdata / "server.log").read_text()
    assert not [role for role, password in server.passwords.items() if password in shown]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
def test_as_root_a_private_data_folder_is_served_from_roots_own(
    data_dir: Path, folder: Path, command
) -> None:
    private = data_dir / "home" / "var"
    private.mkdir(parents=True)
    private.parent.chmod(0o700)
    server = postgres.ensure_running(private, durable=False)
    try:
        assert folder / "credisense" in server.pgdata.parents
        assert server.pgdata.stat().st_uid != 0
        assert process.answers(server)
    finally:
        assert command("remove", data_dir=private).returncode == 0
    assert not server.pgdata.exists()


def test_the_command_tells_the_status_and_the_address(server: Server, data_dir: Path, command) -> None:
    assert command("status", data_dir=data_dir).returncode == 1
    assert command("status", data_dir=server.data_dir).stdout.startswith("PostgreSQL answers")
    url = command("psql-url", OWNER, data_dir=server.data_dir).stdout.strip()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (OWNER,)
