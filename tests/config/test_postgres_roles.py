"""The four roles: what each is, what each may do, and that a repeat repairs them."""

import psycopg
import pytest
from psycopg import errors

from config import postgres
from config.postgres import roles
from config.postgres.roles import APP, BACKUP, OWNER, PLATFORM
from config.postgres.state import SUPERUSER, Server

ATTRIBUTES = """
SELECT rolname, rolcanlogin, rolcreatedb, rolbypassrls, rolsuper, rolcreaterole, rolreplication
FROM pg_roles WHERE rolname LIKE 'credisense%'
"""


def attributes(server: Server) -> dict[str, tuple[bool, ...]]:
    with psycopg.connect(server.dsn(SUPERUSER)) as connection:
        return {row[0]: row[1:] for row in connection.execute(ATTRIBUTES)}


def run(server: Server, role: str, statement: str) -> list[tuple]:
    with psycopg.connect(server.dsn(role), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_each_role_has_its_attributes_and_no_other(server: Server) -> None:
    assert attributes(server) == {
        OWNER: (True, True, False, False, False, False),
        APP: (True, False, False, False, False, False),
        PLATFORM: (True, False, False, False, False, False),
        BACKUP: (True, False, True, False, False, False),
    }


def test_a_repeat_takes_back_what_a_role_was_given(server: Server) -> None:
    before = attributes(server)
    with psycopg.connect(server.dsn(SUPERUSER)) as connection:
        connection.execute(f"ALTER ROLE {APP} SUPERUSER BYPASSRLS PASSWORD 'other'")
        connection.execute(f"GRANT {OWNER}, pg_read_all_data TO {APP}")
    roles.bootstrap_roles(server.dsn(SUPERUSER), server.passwords)
    assert attributes(server) == before
    memberships = (
        "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE rolname = %s"
    )
    with psycopg.connect(server.dsn(APP)) as connection:  # its own password again
        assert connection.execute(memberships, [APP]).fetchone() == (0,)


@pytest.mark.usefixtures("people")
def test_the_application_reads_and_writes_rows(server: Server) -> None:
    run(server, APP, "INSERT INTO people (name) VALUES ('Ngwa')")
    run(server, APP, "UPDATE people SET name = 'Awa B.' WHERE name = 'Awa'")
    run(server, APP, "DELETE FROM people WHERE name = 'Ngwa'")
    assert run(server, APP, "SELECT id, name FROM people") == [(1, "Awa B.")]


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE people",
        "DROP TABLE people",
        "ALTER TABLE people ADD note text",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE TABLE other (person_id bigint)",
        "ALTER TABLE people DISABLE ROW LEVEL SECURITY",
        "CREATE TRIGGER t BEFORE INSERT ON people EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        f"SET ROLE {OWNER}",
        f"ALTER ROLE {APP} BYPASSRLS",
        "CREATE DATABASE mine",
        "SELECT pg_read_file('PG_VERSION')",
    ],
)
@pytest.mark.usefixtures("people")
def test_the_application_changes_no_structure(server: Server, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        run(server, APP, statement)


@pytest.mark.usefixtures("people")
def test_the_application_may_stage_a_copy_in_a_temporary_table(server: Server) -> None:
    with psycopg.connect(server.dsn(APP)) as connection:
        connection.execute("CREATE TEMPORARY TABLE staged (name text)")
        with connection.cursor().copy("COPY staged FROM STDIN") as copy:
            copy.write_row(["Bih"])
        connection.execute("INSERT INTO people (name) SELECT name FROM staged")
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (2,)
        connection.rollback()


@pytest.mark.parametrize("role", [PLATFORM, BACKUP])
@pytest.mark.usefixtures("people")
def test_the_operator_and_the_backup_only_read(server: Server, role: str) -> None:
    assert run(server, role, "SELECT name FROM people") == [("Awa",)]
    for statement in (
        "INSERT INTO people (name) VALUES ('x')",
        "DELETE FROM people",
        "CREATE TEMP TABLE t (i int)",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            run(server, role, statement)


@pytest.mark.usefixtures("people")
def test_only_the_backup_passes_row_level_security(server: Server) -> None:
    run(server, OWNER, "ALTER TABLE people ENABLE ROW LEVEL SECURITY")
    assert {role: len(run(server, role, "SELECT 1 FROM people")) for role in (APP, PLATFORM, BACKUP)} == {
        APP: 0,
        PLATFORM: 0,
        BACKUP: 1,
    }


@pytest.mark.usefixtures("people")
def test_what_a_migration_took_away_stays_taken(server: Server) -> None:
    run(server, OWNER, f"REVOKE UPDATE, DELETE ON people FROM {APP}")
    postgres.ensure_running(server.data_dir, durable=False)
    with pytest.raises(errors.InsufficientPrivilege):
        run(server, APP, "DELETE FROM people")


def test_a_role_of_another_application_cannot_connect(server: Server) -> None:
    with psycopg.connect(server.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'p'")
        try:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(
                    host=str(server.socket_dir), user="stranger", password="p", dbname="credisense"
                )
        finally:
            connection.execute("DROP ROLE stranger")


def test_a_second_database_is_made_once_and_prepared(server: Server) -> None:
    maintenance = server.dsn(OWNER, "postgres")
    assert roles.ensure_database(maintenance, "autre-base") is True
    assert roles.ensure_database(maintenance, "autre-base") is False
    with psycopg.connect(server.dsn(OWNER, "autre-base")) as owner:
        owner.execute("CREATE TABLE t (i int)")
    with psycopg.connect(server.dsn(APP, "autre-base")) as app:
        assert app.execute("SELECT count(*) FROM t").fetchone() == (0,)
    with psycopg.connect(maintenance, autocommit=True) as owner:
        owner.execute('DROP DATABASE "autre-base"')


def test_the_application_reads_the_list_of_migrations_and_writes_nothing_there(server: Server) -> None:
    run(server, OWNER, "CREATE TABLE django_migrations (id int GENERATED BY DEFAULT AS IDENTITY, app text)")
    try:
        run(server, APP, "INSERT INTO django_migrations (app) VALUES ('before')")
        roles.prepare_database(server.dsn(OWNER))
        assert run(server, APP, "SELECT app FROM django_migrations") == [("before",)]
        for statement in (
            "INSERT INTO django_migrations (app) VALUES ('hidden')",
            "UPDATE django_migrations SET app = ''",
            "DELETE FROM django_migrations",
            "SELECT nextval('django_migrations_id_seq')",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                run(server, APP, statement)
    finally:
        run(server, OWNER, "DROP TABLE django_migrations")
