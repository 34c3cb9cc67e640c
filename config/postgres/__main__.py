"""`python -m config.postgres start|stop|status|psql-url|bootstrap|remove`."""

import argparse
import sys
from urllib.parse import quote, urlencode

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config import env, postgres
from config.postgres import process, roles, state
from config.postgres.errors import PostgresError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 1 with a message on the error stream otherwise."""
    parser = argparse.ArgumentParser(prog="python -m config.postgres", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("role", nargs="?", default=roles.APP, help="for psql-url: the role that connects")
    options = parser.parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except (ImproperlyConfigured, psycopg.Error) as error:
        print(error, file=sys.stderr)  # noqa: T201  a command speaks on the terminal
        return 1


def _start(_: argparse.Namespace) -> int:
    server = postgres.ensure_running(env.data_dir())
    _say(
        f"PostgreSQL answers in {server.socket_dir} ({'started' if server.started_by_us else 'was running'})."
    )
    return 0


def _stop(_: argparse.Namespace) -> int:
    _say("PostgreSQL stopped." if postgres.stop(env.data_dir()) else "PostgreSQL was not running.")
    return 0


def _status(_: argparse.Namespace) -> int:
    if not postgres.is_embedded():
        _say("DATABASE_URL is set: the embedded server is not used.")
        return 0
    if not (env.data_dir() / "postgres.json").exists():
        _say(f"No server has been made in {env.data_dir()}.")
        return 1
    server = state.plan(env.data_dir())
    answering = process.answers(server)
    verb = "answers" if answering else "does not run"
    _say(f"PostgreSQL {verb}: data {server.pgdata}, socket {server.socket_dir}.")
    return 0 if answering else 1


def _psql_url(options: argparse.Namespace) -> int:
    server = state.plan(env.data_dir())
    if options.role not in server.passwords:
        raise PostgresError(f"Unknown role {options.role}: one of {', '.join(server.passwords)}.")
    query = urlencode({"host": str(server.socket_dir), "port": server.port})
    _say(f"postgresql://{options.role}:{quote(server.passwords[options.role])}@/{state.DATABASE}?{query}")
    return 0


def _bootstrap(_: argparse.Namespace) -> int:
    """Create the roles and the database on a server of one's own; passwords come from the environment."""
    superuser_dsn = env.secret("DATABASE_SUPERUSER_URL")
    passwords = {
        roles.OWNER: env.secret("CREDISENSE_OWNER_PASSWORD"),
        roles.APP: env.secret("CREDISENSE_APP_PASSWORD"),
        roles.PLATFORM: env.secret("CREDISENSE_PLATFORM_PASSWORD"),
        roles.BACKUP: env.secret("CREDISENSE_BACKUP_PASSWORD"),
    }
    roles.bootstrap_roles(superuser_dsn, passwords)
    maintenance = conninfo_to_dict(superuser_dsn).get("dbname") or "postgres"
    owner_dsn = make_conninfo(
        superuser_dsn, user=roles.OWNER, password=passwords[roles.OWNER], dbname=maintenance
    )
    name = env.text("CREDISENSE_DATABASE", state.DATABASE)
    made = roles.ensure_database(owner_dsn, name)
    _say(f"The four roles are ready; database {name} {'was made' if made else 'was there'}.")
    return 0


def _remove(_: argparse.Namespace) -> int:
    """Delete the embedded server's data for good (`make reset`)."""
    _say("The data is removed." if postgres.remove(env.data_dir()) else "There was nothing to remove.")
    return 0


def _say(line: str) -> None:
    print(line)  # noqa: T201  a command speaks on the terminal


COMMANDS = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "psql-url": _psql_url,
    "bootstrap": _bootstrap,
    "remove": _remove,
}

if __name__ == "__main__":
    sys.exit(main())
