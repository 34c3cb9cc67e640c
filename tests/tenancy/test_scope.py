"""A scope is the only way to tenant rows, and it never leaks into another."""

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import Count
from django.db.utils import DataError, InternalError

from apps.credits.models import Client
from apps.institutions.models import Agency
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import NoTenantScope, ScopeConflict

pytestmark = pytest.mark.django_db

RAW = "SELECT count(*) FROM credits_client"


def raw_count():
    with connection.cursor() as cursor:
        cursor.execute(RAW)
        return cursor.fetchone()[0]


def test_a_scope_shows_one_institution_only(world):
    with world.scope("horizon"):
        horizon = Client.objects.count()
        assert raw_count() == horizon
    with world.scope("ngwa"):
        assert raw_count() == Client.objects.count() != horizon


def test_without_a_scope_the_manager_refuses(world):
    with pytest.raises(NoTenantScope):
        Client.objects.count()


def test_without_a_scope_the_database_refuses_too(world):
    with pytest.raises((ProgrammingError, DataError)), transaction.atomic():
        raw_count()


def test_between_two_scopes_of_one_transaction_the_database_refuses(world):
    with world.scope("horizon"):
        assert raw_count() > 0
    with pytest.raises((ProgrammingError, DataError)), transaction.atomic():
        raw_count()
    with world.scope("ngwa"):
        assert raw_count() > 0


def test_a_scope_does_not_nest_into_another_institution(world):
    with world.scope("horizon"), pytest.raises(ScopeConflict), world.scope("ngwa"):
        pass


def test_a_nested_scope_of_the_same_institution_gives_back_the_outer_one(world):
    with world.scope("horizon"):
        before = raw_count()
        with world.scope("horizon"):
            assert raw_count() == before
        assert raw_count() == before


def test_a_failed_nested_scope_gives_back_the_outer_one(world):
    with world.scope("horizon"):
        before = raw_count()
        with pytest.raises(ZeroDivisionError), world.scope("horizon"):
            raise ZeroDivisionError
        assert raw_count() == before


def test_a_row_cannot_be_written_for_another_institution(world):
    with world.scope("horizon"), pytest.raises((ProgrammingError, InternalError)), transaction.atomic():
        Agency.objects.bulk_create(
            [Agency(institution_id=world.institution_id("ngwa"), code="x", name="x", city="x")]
        )


def test_a_row_cannot_be_moved_to_another_institution(world):
    with world.scope("horizon"), pytest.raises((ProgrammingError, InternalError)), transaction.atomic():
        Agency.objects.update(institution_id=world.institution_id("ngwa"))


@pytest.mark.django_db(transaction=True)
def test_a_reference_cannot_point_at_another_institution(world):
    from django.db import IntegrityError

    with world.scope("ngwa"):
        foreign = Agency.objects.first()
    with pytest.raises(IntegrityError), world.scope("horizon"):
        Client.objects.filter(pk=Client.objects.first().pk).update(agency_id=foreign.pk)


@pytest.mark.django_db(transaction=True)
def test_the_setting_dies_with_the_transaction(world):
    with tenant_scope(world.institution_id("horizon")):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.institution_id', true)")
        assert not cursor.fetchone()[0]


def test_counting_related_rows_groups_by_every_column(world):
    with world.scope():
        counted = Client.objects.annotate(number=Count("applications")).order_by("-number").first()

        assert counted.number == counted.applications.count() > 0
