"""The whole platform: every row, by pg_dump as the backup role, and every file."""

import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config import env, postgres
from config.backup import BackupRefused, add_folder, applied_migrations, new_archive, place_files
from config.postgres import binaries, roles, state

DUMP = "database.dump"
KIND = "platform"

#: A dump names what each role may do beyond nothing at all. Rights given beforehand by default would stay,
#: and the trail of the restored site could be rewritten.
NO_DEFAULT_PRIVILEGES = f"""
ALTER DEFAULT PRIVILEGES FOR ROLE {roles.OWNER} IN SCHEMA public
    REVOKE ALL ON TABLES FROM {roles.APP}, {roles.PLATFORM}, {roles.BACKUP};
ALTER DEFAULT PRIVILEGES FOR ROLE {roles.OWNER} IN SCHEMA public
    REVOKE ALL ON SEQUENCES FROM {roles.APP}, {roles.PLATFORM}, {roles.BACKUP};
"""


def backup_platform(target: Path, *, version: str) -> None:
    """Write the backup of the whole platform; raise ``BackupRefused``."""
    manifest = {"kind": KIND, "version": version, "migrations": applied_migrations()}
    with new_archive(target, manifest) as (tar, folder):
        dump = folder / DUMP
        _run("pg_dump", backup_address(), "--format=custom", "--no-owner", f"--file={dump}")
        tar.add(dump, DUMP)
        add_folder(tar, Path(settings.PLATFORM_MODELS_DIR), "models")
        add_folder(tar, Path(settings.INSTITUTION_FILES_DIR), "institutions")


def restore_platform(folder: Path) -> None:
    """Restore an unpacked backup into the empty database of the settings; raise ``BackupRefused``.

    One transaction: what fails leaves the database as empty as it was.
    """
    refuse_unless_empty()
    place_files(folder / "models", Path(settings.PLATFORM_MODELS_DIR))
    place_files(folder / "institutions", Path(settings.INSTITUTION_FILES_DIR))
    owner = owner_address()
    with psycopg.connect(owner) as connection:
        connection.execute(NO_DEFAULT_PRIVILEGES)
    try:
        options = ("--no-owner", "--single-transaction", "--exit-on-error")
        _run("pg_restore", owner, *options, str(folder / DUMP))
    finally:
        roles.prepare_database(owner)


def refuse_unless_empty() -> None:
    """Raise ``BackupRefused`` when the database of the settings holds a table."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = %s::regnamespace",
            ["public"],
        )
        if cursor.fetchone()[0]:
            raise BackupRefused("The database is not empty: restore into a new one.")


def backup_address() -> str:
    """Return the connection string of the backup role (it contains the password)."""
    if not postgres.is_embedded():
        return env.secret("DATABASE_BACKUP_URL")
    server = state.plan(Path(settings.DATA_DIR))
    return server.dsn(roles.BACKUP, str(settings.DATABASES["default"]["NAME"]))


def owner_address() -> str:
    """Return the connection string of the owner role; raise ``BackupRefused`` where it is not known."""
    owner = settings.DATABASES.get("owner")
    if owner is None:
        raise BackupRefused("DATABASE_OWNER_URL is needed to restore.")
    return make_conninfo(
        host=owner["HOST"],
        port=owner["PORT"] or None,
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=owner["NAME"],
        **owner["OPTIONS"],
    )


def _run(name: str, address: str, *options: str) -> None:
    program = binaries.find().program(name)
    if not Path(program).is_file():
        raise BackupRefused(f"{name} was not found beside PostgreSQL's programs (CREDISENSE_PG_BINDIR).")
    parts: dict[str, Any] = conninfo_to_dict(address)
    password = parts.pop("password", None)  # in the environment: a command line is public on its machine
    command = [program, f"--dbname={make_conninfo(**parts)}", *options]
    environment = {**os.environ, "PGPASSWORD": str(password or "")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  our own programs
    if done.returncode != 0:
        raise BackupRefused(f"{name} failed: {done.stderr.strip()[-500:]}")
