"""One real PostgreSQL a run, made and migrated by the owner; tests run as the application role.

The world (two fictional institutions with people, history, a trained model) is built once and committed.
A transactional test gets it back from a template database afterwards: the application role may not TRUNCATE.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.test import Client, TransactionTestCase
from psycopg import sql

from config import postgres
from config.postgres import roles, state
from tests.isolation.doors import TRIED
from tests.users.openid import SITE, Provider, running_provider
from tests.world import WORLD, build_world

TEMPLATE = "credisense_world"


#: Folders whose tests start browsers and whole sites: they never run beside one another.
HEAVY = ("tests/e2e/", "tests/operations/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the suite out by files; the tests of `HEAVY` go to one process together."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "heavy" if nodeid.startswith(HEAVY) else nodeid.partition("::")[0]

    return ByFile(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up the doors that each process tried."""
    TRIED.update(node.workeroutput.get("doors", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that gathers the results how many doors this one tried."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["doors"] = dict(TRIED)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if TRIED:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(TRIED.items()))
        terminalreporter.write_line(f"Isolation: {TRIED.total()} doors tried ({kinds}).")


@pytest.fixture
def private_files(settings: Any, tmp_path: Path) -> None:
    """Keep what institutions send and receive in the test's own folder."""
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker) -> Iterator[None]:
    """Start, migrate as owner, build the world, keep a template; stop and remove at the end."""
    _sweep(settings.DATA_DIR.parent)
    server = postgres.ensure_running(settings.DATA_DIR, durable=False) if postgres.is_embedded() else None
    with django_db_blocker.unblock():
        _fresh_database()
        build_world()
        _close_all()
    _copy(settings.DATABASES["default"]["NAME"], TEMPLATE)
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: _restore_world())
    yield
    patch.undo()
    with django_db_blocker.unblock():
        _close_all()
    if server is not None:
        postgres.remove(settings.DATA_DIR)


def _sweep(folder: Path) -> None:
    """Stop and remove what a killed run left behind."""
    for left in folder.glob("[0-9]*"):
        if not Path(f"/proc/{left.name.partition('gw')[0]}").exists():
            postgres.remove(left)


def _owner_dsn(database: str) -> str:
    owner = settings.DATABASES["owner"]
    return psycopg.conninfo.make_conninfo(
        host=owner["HOST"],
        port=owner["PORT"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=database,
    )


def _drop(name: str) -> None:
    """Drop a database and whoever is still connected: only a superuser may end other roles' sessions."""
    embedded = postgres.is_embedded()
    dsn = (
        state.plan(settings.DATA_DIR).dsn(state.SUPERUSER, "postgres") if embedded else _owner_dsn("postgres")
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _fresh_database() -> None:
    from django.core.management import call_command

    name = settings.DATABASES["default"]["NAME"]
    _drop(name)
    roles.ensure_database(_owner_dsn("postgres"), name)
    call_command("migrate", database="owner", verbosity=0)


def _copy(source: str, target: str) -> None:
    _drop(target)
    with psycopg.connect(_owner_dsn("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(target), sql.Identifier(source))
        )
    roles.prepare_database(_owner_dsn(target))


def _restore_world() -> None:
    _close_all()
    _copy(TEMPLATE, settings.DATABASES["default"]["NAME"])


def _close_all() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close()


@pytest.fixture
def world(db) -> Any:
    """Return the committed cast: institutions, people, some rows of each."""
    return WORLD


@dataclass(frozen=True)
class LoggedIn:
    """A browser without JavaScript and the address it writes from."""

    client: Client

    def get(self, path: str, **extra: Any) -> Any:
        return self.client.get(path, **extra)

    def post(self, path: str, data: Any = None, **extra: Any) -> Any:
        return self.client.post(path, data, **extra)


@pytest.fixture
def page(world) -> Callable[[str], Client]:
    """Return a function: e-mail -> a logged-in test client for pages."""

    def log_in(email: str) -> Client:
        client = Client()
        client.force_login(world.user(email))
        return client

    return log_in


@pytest.fixture
def api(world) -> Callable[[str | None], Client]:
    """Return a function: e-mail -> a test client that sends that person's token and JSON."""

    def connect(email: str | None) -> Client:
        if email is None:
            return Client()
        return Client(headers={"Authorization": f"Bearer {world.access_token(email)}"})

    return connect


@pytest.fixture(scope="session", autouse=True)
def _no_leftover_environment() -> None:
    """Browser tests run a server in a thread; Django's asynchronous guard does not apply to them."""
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="session")
def icon_font():
    """Make the icons that the site serves, as every command that serves does."""
    from config import icons

    return icons.make_changed(settings.MADE_ASSETS_DIR)


@pytest.fixture(scope="module")
def provider_process(tmp_path_factory) -> Iterator[Provider]:
    """Run an OpenID Connect provider for the tests of one file."""
    with running_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def provider(provider_process, world, settings) -> Provider:
    """Return the provider, which the settings allow on this machine; no institution uses it yet."""
    settings.OPENID_PORTS = (provider_process.port,)
    settings.OPENID_PLAIN_HTTP = True
    settings.OPENID_NETWORKS = ["127.0.0.1/32"]
    provider_process.world = world
    provider_process.tell(return_addresses=[SITE + provider_process.link("openid_return")])
    return provider_process
