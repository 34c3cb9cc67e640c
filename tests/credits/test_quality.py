"""The score of quality of a client's file, and of all files of an agency together."""

import datetime as dt

import pytest
from django.utils.timezone import localdate

from apps.credits.models import Client
from apps.credits.queries.quality import BEST, FAULTS, PARTS, agency_qualities, quality_of
from apps.credits.services.clients import prepare_client
from apps.credits.services.duplicates import merge_clients
from apps.institutions.models import Agency
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
GOOD = {
    "last_name": "Zangue",
    "birth_date": dt.date(localdate().year - 40, 1, 15),
    "sex": "F",
    "family_situation": "marie",
    "phone": "677001122",
    "document_type": "cni",
    "document_number": "ZZ 44",
    "document_expires_on": localdate() + dt.timedelta(days=90),
    "contract_type": "CDI",
    "contract_start": dt.date(localdate().year - 5, 3, 1),
    "monthly_income_xaf": 250_000,
    "consent_at": localdate(),
    "data_updated_on": localdate(),
}
#: Fault -> what gives it to a good file, with the other faults that come with it.
GIVEN = {
    "no_income": ({"monthly_income_xaf": None}, set()),
    "no_contract": ({"contract_type": ""}, set()),
    "no_job_start": ({"contract_start": None}, set()),
    "no_document": ({"document_number": ""}, set()),
    "no_phone": ({"phone": ""}, set()),
    "no_consent": ({"consent_at": None}, set()),
    "no_situation": ({"family_situation": ""}, set()),
    "no_sex": ({"sex": ""}, set()),
    "stale": ({"data_updated_on": localdate() - dt.timedelta(days=200)}, set()),
    "very_stale": ({"data_updated_on": localdate() - dt.timedelta(days=400)}, {"stale"}),
    "odd_age": ({"birth_date": dt.date(localdate().year - 83, 1, 15)}, set()),
    "odd_income": ({"monthly_income_xaf": 9_000}, set()),
    "odd_job_start": ({"contract_start": dt.date(localdate().year - 38, 1, 1)}, set()),
    "expired": ({"document_expires_on": localdate() - dt.timedelta(days=1)}, set()),
}


@pytest.fixture
def scope(world):
    with world.scope():
        yield


def stored(**changes):
    client = Client(
        agency=Agency.objects.first(), reference=f"Q-{Client.objects.count()}", **{**GOOD, **changes}
    )
    prepare_client(client, institution_id=client.institution_id).save()
    return client


def test_every_fault_has_its_test_and_all_together_take_all_points():
    assert set(GIVEN) == {fault.code for fault in FAULTS}
    assert sum(fault.points for fault in FAULTS) == BEST


def test_a_complete_recent_coherent_file_has_all_points(scope):
    assert quality_of(stored()).score == 100
    assert quality_of(stored()).faults == ()


@pytest.mark.parametrize("code", GIVEN)
def test_each_fault_takes_its_points_off_and_says_so(scope, code):
    changes, beside = GIVEN[code]

    found = quality_of(stored(**changes))

    assert {fault.code for fault in found.faults} == {code, *beside}
    assert found.score == 100 - sum(fault.points for fault in FAULTS if fault.code in {code, *beside})


@pytest.mark.parametrize(("years", "odd"), [(17, True), (18, False), (80, False), (81, True)])
def test_ages_are_those_that_scoring_takes(scope, years, odd):
    born = localdate().replace(year=localdate().year - years, day=min(localdate().day, 28))
    client = stored(birth_date=born, contract_start=None)

    assert client.age_on(localdate()) == years
    assert ("odd_age" in {fault.code for fault in quality_of(client).faults}) is odd


def test_the_heaviest_cause_comes_first(scope):
    found = quality_of(stored(phone="", monthly_income_xaf=None, sex=""))

    assert [fault.code for fault in found.faults] == ["no_income", "no_phone", "no_sex"]


def test_the_figures_of_agencies_agree_with_the_scores_of_their_files(world, scope):
    Client.objects.filter(pk__in=Client.objects.order_by("pk").values("pk")[:7]).update(
        monthly_income_xaf=None
    )
    stored(phone="", data_updated_on=localdate() - dt.timedelta(days=900))

    with own_statements() as statements:
        whole, agencies = agency_qualities(world.actor(world.analyst))

    clients = list(Client.objects.select_related("agency"))[:]
    scores = {client.pk: quality_of(client).score for client in clients}
    assert whole.clients == len(clients)
    assert whole.mean == pytest.approx(sum(scores.values()) / len(scores))
    assert whole.parts == tuple(
        sum(start <= score < end for score in scores.values())
        for start, end in zip(PARTS, [*PARTS[1:], BEST + 1], strict=True)
    )
    own = [scores[client.pk] for client in clients if client.agency.name == agencies[0].name]
    assert agencies[0].mean == pytest.approx(sum(own) / len(own))
    assert [each.mean for each in agencies] == sorted(each.mean for each in agencies)
    missing = {fault.code: count for fault, count in whole.causes}["no_income"]
    assert missing == Client.objects.filter(monthly_income_xaf=None).count() >= 7
    assert len([each for each in statements if "credits_client" in each]) == 1


def test_merged_and_inactive_files_do_not_count(world, scope):
    analyst = world.actor(world.analyst)
    kept, gone, _inactive = stored(), stored(), stored(is_active=False)
    before, _agencies = agency_qualities(analyst)

    merge_clients(gone=gone, kept=kept, by=analyst)

    after, _agencies = agency_qualities(analyst)
    assert before.clients == Client.objects.filter(is_active=True).count()
    assert after.clients == before.clients - 1


def test_an_agent_is_told_of_own_agencies(world, scope):
    agent = world.actor(world.agent)

    whole, agencies = agency_qualities(agent)

    own = Agency.objects.filter(pk__in=agent.agency_ids)
    assert {each.name for each in agencies} == {each.name for each in own}
    assert whole.clients == Client.objects.filter(agency__in=own, is_active=True).count()
