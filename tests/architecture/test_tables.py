"""Tables, migrations, catalogues and settings agree with the code."""

import io
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections, transaction

from apps.tenancy.catalogue import violations

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(databases=["default", "owner"])


def test_isolation_catalogue_is_silent():
    assert list(violations()) == []


def test_the_command_is_silent_too():
    out, err = io.StringIO(), io.StringIO()

    call_command("check_isolation", stdout=out, stderr=err)

    assert (out.getvalue(), err.getvalue()) == ("", "")


def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_environment_variable_is_documented():
    read = set()
    for file in (ROOT / "config").rglob("*.py"):
        read |= set(re.findall(r"""env\.\w+\(\s*["']([A-Z][A-Z0-9_]+)["']""", file.read_text()))

    documented = set(
        re.findall(r"^#?\s*([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )

    assert read - documented == set()


def test_the_application_may_not_write_the_list_of_migrations():
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('django_migrations', 'SELECT'),"
            " has_table_privilege('django_migrations', 'INSERT, UPDATE, DELETE, TRUNCATE')"
        )
        assert cursor.fetchone() == (True, False)


def test_a_paired_key_dropped_outright_is_seen():
    with transaction.atomic(using="owner"):
        with connections["owner"].cursor() as cursor:
            cursor.execute("ALTER TABLE credits_client DROP CONSTRAINT credits_client_agency_tenant_fk")
        found = list(violations())
        transaction.set_rollback(True, using="owner")

    assert [(each.rule, each.subject) for each in found] == [("declared_references", "credits_client")]
