"""DATABASE_URL: the addresses of a server of one's own, beside which nothing is ever started."""

from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from config import postgres
from config.env import EnvironmentVariableError
from config.postgres import connections, roles
from config.postgres.errors import PostgresError
from config.postgres.state import SUPERUSER, Server

APP_URL = "postgresql://app:p%40ss%2Fword@db.example:6432/credits"


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", APP_URL)
    monkeypatch.setenv("DATABASE_PLATFORM_URL", "postgresql://platform:q@db.example/credits")


def test_an_address_is_read_in_all_its_parts() -> None:
    found = connections.from_url(f"{APP_URL}?sslmode=verify-full&connect_timeout=2", conn_max_age=None)
    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": None,
        "NAME": "credits",
        "USER": "app",
        "PASSWORD": "p@ss/word",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {
            "connect_timeout": "2",
            "application_name": "credisense-default",
            "sslmode": "verify-full",
        },
    }


def test_an_address_may_name_a_unix_socket() -> None:
    found = connections.from_url("postgres://app:p@/credits?host=/run/postgresql&port=5433")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("/run/postgresql", "5433", "credits")
    assert "host" not in found["OPTIONS"]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://app:s3cret@db/credits",
        "postgresql://app:s3cret@db/",
        "postgresql://app:s3cret@/credits",
        "postgresql://:s3cret@db/credits",
        "postgresql://app:s3cret@db:port/credits",
        "s3cret",
    ],
)
def test_a_broken_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(PostgresError, match="address of database 'default'") as refusal:
        connections.from_url(url)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.usefixtures("addresses")
def test_the_embedded_server_is_never_started(data_dir: Path, command) -> None:
    assert postgres.databases(data_dir)["default"]["HOST"] == "db.example"
    with pytest.raises(PostgresError, match="DATABASE_URL is set"):
        postgres.ensure_running(data_dir)
    assert command("start", data_dir=data_dir).returncode == 1
    assert (
        command("status", data_dir=data_dir).stdout
        == "DATABASE_URL is set: the embedded server is not used.\n"
    )
    assert list(data_dir.iterdir()) == []


@pytest.mark.usefixtures("addresses")
def test_the_owner_may_be_unknown_to_a_web_server(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(postgres.databases()) == {"default", "platform"}
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner:o@db.example/credits")
    assert postgres.databases()["owner"]["USER"] == "owner"


@pytest.mark.usefixtures("addresses")
def test_the_platform_address_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_PLATFORM_URL")
    with pytest.raises(EnvironmentVariableError, match="DATABASE_PLATFORM_URL: expected"):
        postgres.databases()


@pytest.mark.usefixtures("addresses")
def test_tests_may_name_a_database_of_their_own() -> None:
    assert {each["NAME"] for each in postgres.databases(name="credits_test").values()} == {"credits_test"}


@pytest.mark.usefixtures("folder")
def test_production_requires_an_address() -> None:
    with pytest.raises(EnvironmentVariableError, match="DATABASE_URL: expected"):
        postgres.databases(require_url=True)


def test_bootstrap_prepares_a_server_of_ones_own(server: Server, data_dir: Path, command) -> None:
    address = f"@/postgres?host={quote(str(server.socket_dir), safe='')}"
    passwords = {role: f"pass word/{role}" for role in (roles.OWNER, roles.APP, roles.PLATFORM, roles.BACKUP)}
    try:
        done = command(
            "bootstrap",
            data_dir=data_dir,
            DATABASE_SUPERUSER_URL=f"postgresql://{SUPERUSER}:{server.passwords[SUPERUSER]}{address}",
            CREDISENSE_DATABASE="credisense_external",
            CREDISENSE_OWNER_PASSWORD=passwords[roles.OWNER],
            CREDISENSE_APP_PASSWORD=passwords[roles.APP],
            CREDISENSE_PLATFORM_PASSWORD=passwords[roles.PLATFORM],
            CREDISENSE_BACKUP_PASSWORD=passwords[roles.BACKUP],
        )
        assert (done.returncode, done.stderr) == (0, "")
        for role, password in passwords.items():
            psycopg.connect(
                host=str(server.socket_dir), user=role, password=password, dbname="credisense_external"
            ).close()
        assert list(data_dir.iterdir()) == []
    finally:
        roles.bootstrap_roles(server.dsn(SUPERUSER), server.passwords)
        with psycopg.connect(server.dsn(roles.OWNER, "postgres"), autocommit=True) as owner:
            owner.execute("DROP DATABASE IF EXISTS credisense_external")


def test_bootstrap_names_the_password_that_is_missing(data_dir: Path, command) -> None:
    done = command(
        "bootstrap", data_dir=data_dir, DATABASE_SUPERUSER_URL="postgresql://postgres:p@db/postgres"
    )
    assert done.returncode == 1
    assert done.stderr.startswith("CREDISENSE_OWNER_PASSWORD: expected a value here")
