"""The quality of data on pages: of a client's file, of agencies."""

import pytest
from django.urls import reverse

from apps.credits.models import Client as Borrower
from apps.credits.queries.quality import PARTS, quality_of
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
PAGE = "/qualite-des-donnees"


def test_a_clients_file_says_its_score_and_what_lowers_it(world, page):
    with world.scope():
        client = Borrower.objects.order_by("pk").first()
        Borrower.objects.filter(pk=client.pk).update(monthly_income_xaf=None, phone_index="")
        found = quality_of(client)

    answer = page(world.analyst).get(reverse("web:client", args=[client.uid]))

    shown = answer.context["quality"]
    assert (shown.score, len(shown.causes)) == (found.score, len(found.faults))
    assert f"{found.score} / 100" in answer.content.decode()


def test_agencies_are_shown_with_means_distribution_and_causes(world, page):
    with own_statements() as statements:
        answer = page(world.risk_manager).get(PAGE)

    assert answer.status_code == 200
    assert len([each for each in statements if "credits_client" in each]) == 1
    with world.scope():
        agencies = set(Borrower.objects.values_list("agency__name", flat=True))
    assert {line.name for line in answer.context["agencies"]} == agencies
    assert len(answer.context["whole"].chart.rows) == len(PARTS)


def test_the_commercial_director_reads_figures_and_no_names(world, page):
    answer = page("commercial@horizon.demo").get(PAGE)

    assert answer.status_code == 200
    with world.scope():
        names = set(Borrower.objects.values_list("last_name", "first_names"))
    body = answer.content.decode()
    assert not [name for name in names if f"{name[0]} {name[1]}" in body]


def test_another_institution_has_its_own_figures(world, page):
    own = page(world.outsider).get(PAGE).context["agencies"]
    with world.scope():
        agencies = set(Borrower.objects.values_list("agency__name", flat=True))

    assert own
    assert not {line.name for line in own} & agencies
