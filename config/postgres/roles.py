"""The four database roles, and what each may do in a database.

`credisense_owner` migrates and owns the tables; `credisense_app` serves requests and tasks;
`credisense_platform` reads across institutions for the operator; `credisense_backup` only reads, for pg_dump.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

OWNER = "credisense_owner"
APP = "credisense_app"
PLATFORM = "credisense_platform"
BACKUP = "credisense_backup"

#: Attribute -> (column of pg_roles, roles that have it). Whatever is not listed for a role is taken away.
ATTRIBUTES = {
    "LOGIN": ("rolcanlogin", {OWNER, APP, PLATFORM, BACKUP}),
    "CREATEDB": ("rolcreatedb", {OWNER}),
    "BYPASSRLS": ("rolbypassrls", {BACKUP}),
    "SUPERUSER": ("rolsuper", set[str]()),
    "CREATEROLE": ("rolcreaterole", set[str]()),
    "REPLICATION": ("rolreplication", set[str]()),
}

PRIVILEGES = f"""
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {APP}, {PLATFORM}, {BACKUP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT SELECT ON TABLES TO {PLATFORM}, {BACKUP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT SELECT ON SEQUENCES TO {BACKUP};
"""
#: Django's own list of migrations: whoever could write it could hide one or have one run again.
HISTORY_PRIVILEGES = f"""
DO $$ BEGIN
    IF to_regclass('public.django_migrations') IS NOT NULL THEN
        REVOKE ALL ON TABLE public.django_migrations FROM {APP};
        REVOKE ALL ON SEQUENCE public.django_migrations_id_seq FROM {APP};
        GRANT SELECT ON TABLE public.django_migrations TO {APP};
    END IF;
END $$;
"""
#: TEMPORARY, because COPY into a table under row-level security goes through a temporary one.
DATABASE_PRIVILEGES = f"""
REVOKE ALL ON DATABASE {{database}} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {{database}} TO {APP};
GRANT CONNECT ON DATABASE {{database}} TO {PLATFORM}, {BACKUP};
"""


def bootstrap_roles(superuser_dsn: str, passwords: Mapping[str, str]) -> None:
    """Create the four roles or bring them back to their attributes; safe to repeat.

    `passwords` maps each role name to its password. Only the SCRAM verifier is sent, never the password, so
    no server log can hold it.
    """
    with _connect(superuser_dsn) as connection:
        for role in (OWNER, APP, PLATFORM, BACKUP):
            _create_role(connection, role)
            _set_attributes(connection, role)
            _set_password(connection, role, passwords[role])
            _leave_groups(connection, role)


def ensure_database(owner_dsn: str, name: str) -> bool:
    """Create database `name` as the owner role and prepare it; say whether it was missing.

    `owner_dsn` is the owner's connection to any existing database of the server.
    """
    from psycopg import errors, sql
    from psycopg.conninfo import make_conninfo

    with _connect(owner_dsn, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            statement = sql.SQL("CREATE DATABASE {} OWNER {}")
            try:
                connection.execute(statement.format(sql.Identifier(name), sql.Identifier(OWNER)))
            except (errors.DuplicateDatabase, errors.UniqueViolation):  # another process was first
                known = (1,)
    prepare_database(make_conninfo(owner_dsn, dbname=name))
    return known is None


def prepare_database(owner_dsn: str) -> None:
    """Give each role its rights in the database of `owner_dsn`, before any table exists; safe to repeat.

    Rights on tables are default privileges: what a migration takes away from a table stays taken.
    """
    from psycopg import sql

    with _connect(owner_dsn) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL(DATABASE_PRIVILEGES).format(database=name))
        connection.execute(sql.SQL(PRIVILEGES))
        connection.execute(sql.SQL(HISTORY_PRIVILEGES))


def _connect(dsn: str, **options: Any) -> "Connection":
    import psycopg  # 0.1 s that importing the settings does not pay

    return psycopg.connect(dsn, **options)


def _create_role(connection: "Connection", role: str) -> None:
    from psycopg import sql

    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


def _set_attributes(connection: "Connection", role: str) -> None:
    """Alter only what differs: hosted servers refuse even NOSUPERUSER to their administrators."""
    from psycopg import sql

    columns = sql.SQL(", ").join(sql.Identifier(column) for column, _ in ATTRIBUTES.values())
    query = sql.SQL("SELECT {} FROM pg_roles WHERE rolname = {}").format(columns, sql.Literal(role))
    current = connection.execute(query).fetchone() or ()
    for (attribute, (_, holders)), found in zip(ATTRIBUTES.items(), current, strict=True):
        if found != (role in holders):
            clause = sql.SQL(attribute if role in holders else f"NO{attribute}")
            connection.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(role), clause))


def _set_password(connection: "Connection", role: str, password: str) -> None:
    from psycopg import sql

    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(verifier.decode())))


def _leave_groups(connection: "Connection", role: str) -> None:
    from psycopg import sql

    groups = connection.execute(
        "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", [role]
    ).fetchall()
    for (group,) in groups:
        statement = sql.SQL("REVOKE {} FROM {}").format(sql.SQL(group), sql.Identifier(role))
        connection.execute(statement)
