"""A hundred threads, two institutions, connections that persist, are pooled and are killed (attack 42)."""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.conf import settings
from django.db import Error, connection, connections

from apps.credits.models import Client
from apps.tenancy.context import in_scope, tenant_scope
from config.postgres.state import plan
from tests.isolation.superuser import superuser_dsn

pytestmark = pytest.mark.django_db(transaction=True)

THREADS, AT_ONCE, SECONDS, KILL_EVERY = 100, 30, 10, 0.4
#: What a killed connection says, directly or through the pooler.
LOST = (
    "terminat", "closed", "lost", "server_login", "crashed", "received 2 results",
    "invalid server parameter",  # the pooler's word for a server that dies while it is given its settings
)  # fmt: skip
RAW = "SELECT institution_id, count(*) FROM credits_client GROUP BY 1"


def look(institution_id, expected):
    """Count one institution's clients by the ORM and raw; then without a scope, which must fail."""
    with tenant_scope(institution_id):
        assert Client.objects.count() == expected
        with connection.cursor() as cursor:
            cursor.execute(RAW)
            assert cursor.fetchall() == [(institution_id, expected)]
    assert not in_scope()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.institution_id', true), '')")
        assert cursor.fetchone() == ("",)


def alternate(places, expected, deadline, seed):
    """Look at one institution, then another, on this thread's own connection, until the time is up."""
    done, order = Counter(), random.Random(seed)  # noqa: S311  an order, not a secret
    try:
        for _ in range(1 if time.monotonic() > deadline else 40):
            code = order.choice(sorted(places))
            try:
                look(places[code], expected[code])
                done[code] += 1
            except Error as error:
                if not any(word in str(error) for word in LOST):
                    raise
                done["killed"] += 1
                connection.close_if_unusable_or_obsolete()
                connection.close()
            if time.monotonic() > deadline:
                break
    finally:
        connection.close()
    return done


def kill_backends(stop):
    """Terminate one backend of the application now and then, as an operator or a failover does."""
    with psycopg.connect(superuser_dsn(), autocommit=True) as superuser:
        while not stop.wait(KILL_EVERY):
            superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'credisense_app'"
                " AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
            )


def run(world, *, killing):
    places = {code: world.institution_id(code) for code in ("horizon", "ngwa")}
    expected = {}
    for code in places:
        with world.scope(code):
            expected[code] = Client.objects.count()
    connections.close_all()
    stop, done = threading.Event(), Counter()
    killer = threading.Thread(target=kill_backends, args=[stop])
    if killing:
        killer.start()
    try:
        deadline = time.monotonic() + SECONDS
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for each in pool.map(lambda n: alternate(places, expected, deadline, n), range(THREADS)):
                done += each
    finally:
        stop.set()
        if killing:
            killer.join()
    return done


def test_a_hundred_threads_on_persistent_connections(world, monkeypatch):
    superuser_dsn()
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", None)

    done = run(world, killing=True)

    assert min(done["horizon"], done["ngwa"]) >= THREADS
    assert done["killed"] > 0, "no backend was killed while it worked"


@pytest.fixture
def pgbouncer(world, tmp_path_factory):
    """Start a pooler in transaction mode before the application's role; yield its folder."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed (Debian package pgbouncer)")
    superuser_dsn()
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="pgb-"))  # short: a unix socket's path holds 107 bytes
    database = connections["default"].settings_dict
    (folder / "users.txt").write_text(f'"{database["USER"]}" "{database["PASSWORD"]}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{database['NAME']} = host={database['HOST']} port={database['PORT']}\n"
        f"[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n"
        f"unix_socket_dir = {folder}\nauth_type = scram-sha-256\n"
        f"auth_file = {folder}/users.txt\npool_mode = transaction\n"
        f"default_pool_size = 8\nmax_client_conn = 200\n"
        f"logfile = {folder}/log\nignore_startup_parameters = extra_float_digits\n"
    )
    command, options = [program, str(folder / "pgbouncer.ini")], {}
    if os.geteuid() == 0:
        account = plan(settings.DATA_DIR).account  # the server's own: its socket is private
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.uid, account.gid)
        options = {"user": account.uid, "group": account.gid, "extra_groups": []}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        _wait_for(folder, process)
        yield folder
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        shutil.rmtree(folder)


def _wait_for(folder, process):
    for _ in range(100):
        if (folder / ".s.PGSQL.6432").exists():
            return
        assert process.poll() is None, (folder / "log").read_text()
        time.sleep(0.05)
    pytest.fail((folder / "log").read_text())


@pytest.mark.parametrize("killing", [False, True], ids=["calm", "killed"])
def test_a_hundred_threads_through_a_transaction_pooler(world, pgbouncer, monkeypatch, killing):
    options = {**connections.settings["default"]["OPTIONS"], "prepare_threshold": None}
    connections.close_all()
    for name, value in {
        "HOST": str(pgbouncer),
        "PORT": "6432",
        "CONN_MAX_AGE": None,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": options,
    }.items():
        monkeypatch.setitem(connections.settings["default"], name, value)
    kept = connections["default"]
    connections["default"] = connections.create_connection("default")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == ("credisense_app",)
        assert str(pgbouncer) == connection.settings_dict["HOST"]
        done = run(world, killing=killing)
    finally:
        connections["default"].close()
        connections["default"] = kept

    assert min(done["horizon"], done["ngwa"]) >= THREADS
    assert killing or done["killed"] == 0
