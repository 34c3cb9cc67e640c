"""One lock taken away at a time: the check that guards it must fail (attack 54)."""

import pytest
from django.db import connections, models
from django.urls import reverse

from apps.credits.models import Client
from apps.scoring.models import Prediction
from apps.tenancy import context
from apps.tenancy.catalogue import violations
from apps.tenancy.models import TenantManager
from apps.users.middleware import ActorMiddleware
from tests.isolation.superuser import rolled_back_superuser

pytestmark = pytest.mark.django_db(databases=["default", "owner"])
APPLICATION = "credits_creditapplication"


def catalogue_is_silent(alias):
    found = [violation.rule for violation in violations(alias)]
    assert found == []


@pytest.mark.parametrize(
    "mutation",
    [
        "DROP POLICY tenant ON credits_client",
        "ALTER TABLE credits_client DISABLE ROW LEVEL SECURITY",
        (
            f"ALTER TABLE {APPLICATION} DROP CONSTRAINT {APPLICATION}_client_tenant_fk;"
            "ALTER TABLE credits_client ADD CONSTRAINT stray UNIQUE (id);"
            f"ALTER TABLE {APPLICATION} ADD FOREIGN KEY (client_id) REFERENCES credits_client (id)"
        ),
    ],
    ids=["policy", "lock", "paired key"],
)
def test_without_a_lock_of_the_database_the_catalogue_check_fails(mutation):
    with rolled_back_superuser() as alias:
        with connections[alias].cursor() as cursor:
            cursor.execute(mutation)
        with pytest.raises(AssertionError):
            catalogue_is_silent(alias)


def rows_stay_inside(world, alias):
    """Read as the application's role, raw: one institution only."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SET LOCAL ROLE credisense_app")
        cursor.execute(
            "SELECT set_config('app.institution_id', %s, true)", [str(world.institution_id("ngwa"))]
        )
        cursor.execute("SELECT count(DISTINCT institution_id) FROM credits_client")
        assert cursor.fetchone() == (1,)


def test_without_the_policy_rows_of_both_are_read(world):
    with rolled_back_superuser() as alias:
        rows_stay_inside(world, alias)
    with rolled_back_superuser() as alias:
        with connections[alias].cursor() as cursor:
            cursor.execute("ALTER TABLE credits_client DISABLE ROW LEVEL SECURITY")
        with pytest.raises(AssertionError):
            rows_stay_inside(world, alias)


def manager_asks_for_a_scope():
    with pytest.raises(context.NoTenantScope):
        Client.objects.all()
    token = context._institution.set(7)
    try:
        assert '"institution_id" = 7' in str(Client.objects.all().query)
    finally:
        context._institution.reset(token)


def test_without_the_managers_filter_its_check_fails(monkeypatch):
    manager_asks_for_a_scope()
    monkeypatch.setattr(TenantManager, "get_queryset", models.Manager.get_queryset)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        manager_asks_for_a_scope()


def a_member_reads_the_own_score(world, page):
    with world.scope("ngwa"):
        uid = Prediction.objects.first().uid
    client = page(world.outsider)
    client.raise_request_exception = False
    assert client.get(reverse("web:score", args=[uid])).status_code == 200


def test_without_the_middlewares_scope_pages_fail(world, page, monkeypatch):
    a_member_reads_the_own_score(world, page)
    monkeypatch.setattr(
        ActorMiddleware, "_answer", lambda self, request, _membership: self.get_response(request)
    )
    with pytest.raises(AssertionError):
        a_member_reads_the_own_score(world, page)


def scores_are_closed_to_an_auditor(page):
    from apps.web.scoring.views import scores

    answer = page("commercial@ngwa.demo").get(reverse("web:scores"))
    assert (answer.status_code, scores.rule) == (403, "read_files")


def test_without_the_permission_decorator_its_check_fails(page, monkeypatch):
    from django.urls import resolve

    scores_are_closed_to_an_auditor(page)
    monkeypatch.setattr("apps.web.access._refusal", lambda _rule, _request: None)
    with pytest.raises(AssertionError):
        scores_are_closed_to_an_auditor(page)
    assert resolve(reverse("web:scores")).func.rule == "read_files"
