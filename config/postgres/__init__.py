"""PostgreSQL with nothing to install: find it, initialise it, start it, stop it.

`databases()` gives the settings their connections and starts nothing. `ensure_running()` starts the embedded
server, or refuses when DATABASE_URL names another one. Importing this package does nothing.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from config import env
from config.postgres import connections, process, roles, state
from config.postgres.errors import PostgresError
from config.postgres.state import DATABASE, SUPERUSER, Server


def is_embedded() -> bool:
    """Say whether the embedded server is used, that is whether DATABASE_URL is unset."""
    return not env.secret("DATABASE_URL", "")


def databases(
    data_dir: Path | None = None,
    *,
    name: str | None = None,
    conn_max_age: int | None = 0,
    require_url: bool = False,
) -> dict[str, dict[str, Any]]:
    """Return Django's DATABASES (aliases default, owner, platform) without starting a server.

    `data_dir` defaults to CREDISENSE_DATA_DIR and is not touched when DATABASE_URL is set. `name`
    replaces the database's name (tests). `require_url` refuses the embedded server (production).
    """
    if require_url or not is_embedded():
        found = connections.from_environment(conn_max_age=conn_max_age)
        return {alias: {**each, "NAME": name or each["NAME"]} for alias, each in found.items()}
    server = state.plan(data_dir or env.data_dir())
    return connections.for_server(server, name=name or DATABASE, conn_max_age=conn_max_age)


def ensure_running(data_dir: Path, *, durable: bool = True) -> Server:
    """Start the embedded server unless it runs, bring roles and database up to date, and return it.

    `durable=False` gives up safety against power cuts for the speed of tests. Raises `PostgresError`, also
    when DATABASE_URL is set.
    """
    if not is_embedded():
        raise PostgresError("DATABASE_URL is set: the embedded server is never started beside it.")
    server = state.plan(data_dir)
    with state.locked(server):
        started = not process.answers(server)
        if started:
            process.start(server, durable=durable)
        roles.bootstrap_roles(server.dsn(SUPERUSER, "postgres"), server.passwords)
        roles.ensure_database(server.dsn(roles.OWNER, "postgres"), DATABASE)
    return replace(server, started_by_us=started)


def stop(target: Server | Path) -> bool:
    """Stop a server that `ensure_running` started here, or the one of a data folder; say whether it did.

    A `Server` that was already running when it was asked for is left alone.
    """
    if isinstance(target, Server) and not target.started_by_us:
        return False
    data_dir = target.data_dir if isinstance(target, Server) else target.absolute()
    if not (data_dir / "postgres.json").exists():
        return False
    server = state.plan(data_dir)
    with state.locked(server):
        return process.stop(server)


def remove(data_dir: Path) -> bool:
    """Stop the server of a data folder and delete its rows and passwords for good; say whether there was one.

    Under root the rows may stand outside the data folder, where deleting that folder does not reach.
    """
    stop(data_dir)
    state_file = data_dir.absolute() / "postgres.json"
    if not state_file.exists():
        return False
    server = state.plan(data_dir)
    for folder in (server.pgdata, server.socket_dir):
        shutil.rmtree(folder, ignore_errors=True)
    state_file.unlink()
    return True
