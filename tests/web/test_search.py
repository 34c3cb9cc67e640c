"""Finding a client again: by any beginning of the name, by numbers, among what one may see."""

import pytest
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.audit.services import record_read
from apps.credits.models import Client as Borrower
from apps.credits.models import CreditApplication
from apps.credits.services.clients import save_client
from apps.institutions.models import Agency
from apps.scoring.models import Prediction
from apps.scoring.queries.search import recent_files, search_files
from tests.web.test_new_application import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(world):
    """Return a client with every number that one may search by."""
    with world.scope():
        client = Borrower(
            agency=Agency.objects.order_by("pk").first(),
            last_name="Éboué-Zang",
            first_names="Noëlle Aïcha",
            birth_date="1990-05-01",
            phone="+237 6 99 88 77 66",
            document_type="cni",
            document_number="ZZ 123-456 789",
        )
        return save_client(client=client, by=world.actor(world.risk_manager))


def found(world, email, text):
    with world.scope("ngwa" if "ngwa" in email else "horizon"):
        return [file.subject.uid for file in search_files(world.actor(email), text)]


@pytest.mark.parametrize(
    "text",
    [
        "eboue",
        "ÉBOUÉ-ZANG N",
        "  éboué-zang   noëlle ",
        "noelle a",
        "Noëlle Aïcha Éboué",
        "699887766",
        "+237 699 88 77 66",
        "zz123456789",
        "ZZ-123-456-789",
    ],
)
def test_a_client_is_found_however_it_is_typed(world, known, text):
    assert found(world, world.risk_manager, text) == [known.uid]


def test_a_client_is_found_by_its_reference(world, known):
    assert found(world, world.risk_manager, known.reference.lower()) == [known.uid]


@pytest.mark.parametrize("text", ["boue", "zang", "69988776", "ZZ12345678", "%", "eboue_", "", " "])
def test_the_middle_of_a_name_or_a_part_of_a_number_finds_nobody(world, known, text):
    assert known.uid not in found(world, world.risk_manager, text)


def test_an_application_is_found_by_its_reference(world):
    with world.scope():
        application = CreditApplication.objects.first()

    assert found(world, world.risk_manager, f" {application.reference.lower()} ") == [application.uid]


def test_nothing_of_another_institution_is_found(world, known):
    for text in ("eboue", "699887766", "zz123456789", known.reference):
        assert found(world, world.outsider, text) == []


def test_an_agent_finds_the_files_of_the_own_agencies_only(world):
    agent = world.actor(world.agent)
    with world.scope():
        inside = Borrower.objects.filter(agency_id__in=agent.agency_ids).first()
        outside = Borrower.objects.exclude(agency_id__in=agent.agency_ids).first()

    assert found(world, world.agent, inside.reference) == [inside.uid]
    assert found(world, world.agent, outside.reference) == []
    assert outside.uid not in found(world, world.agent, outside.last_name)


def test_a_line_shows_the_latest_score_and_leads_to_the_file(page, world):
    with world.scope():
        score = Prediction.objects.select_related("client__agency").exclude(client=None).latest("created_at")
        client = score.client

    answer = page(world.risk_manager).get("/recherche", {"q": client.reference})

    (line,) = answer.context["files"]
    assert (line.title, line.reference, line.agency) == (str(client), client.reference, str(client.agency))
    assert (line.score.grade, line.score.points) == (score.grade, score.points)
    assert f'href="{line.url}"' in answer.content.decode()
    assert page(world.risk_manager).get(line.url).status_code == 200


def test_suggestions_are_a_fragment_that_says_how_many(page, world, known):
    answer = page(world.risk_manager).get("/recherche", {"q": "eboue"}, headers=HTMX)

    body = answer.content.decode()
    assert "<html" not in body
    assert "1 " in body
    assert 'role="status"' in body


def test_a_role_without_files_has_no_search(page):
    client = page("commercial@horizon.demo")

    assert client.get("/recherche", {"q": "a"}).status_code == 403
    assert 'role="search"' not in client.get("/").content.decode()


@pytest.mark.parametrize("text", ["e", "699887766", "", "C-1"])
def test_a_search_takes_six_queries_at_most(world, known, text, django_assert_max_num_queries):
    actor = world.actor(world.risk_manager)
    with world.scope(), django_assert_max_num_queries(6):
        search_files(actor, text)


def test_what_is_typed_is_written_nowhere(page, world, known, caplog):
    with world.scope():
        before = AuditEntry.objects.count()

    page(world.risk_manager).get("/recherche", {"q": "eboue 699887766"})

    with world.scope():
        assert AuditEntry.objects.count() == before
    assert "eboue" not in caplog.text


def test_files_opened_last_come_first_each_once(page, world, django_assert_max_num_queries):
    reader = world.actor(world.auditor)
    with world.scope():
        first, second = Prediction.objects.exclude(client=None)[:2]
        borrower = Borrower.objects.first()
    client = page(world.auditor)
    for each in (first, second, first):
        client.get(reverse("web:score", args=[each.uid]))
    with world.scope():
        record_read(by=reader, target=borrower)

        with django_assert_max_num_queries(6):
            recent = recent_files(reader)

        assert [file.subject.uid for file in recent] == [borrower.uid, first.uid, second.uid]
        assert recent_files(world.actor(world.risk_manager)) == []
    assert str(borrower) in client.get("/recherche").content.decode()


def test_a_file_that_left_ones_sight_is_no_longer_recent(world):
    agent = world.actor(world.agent)
    with world.scope():
        outside = Borrower.objects.exclude(agency_id__in=agent.agency_ids).first()
        record_read(by=agent, target=outside)

        assert recent_files(agent) == []


def test_eight_files_are_recent(world):
    reader = world.actor(world.auditor)
    with world.scope():
        for each in Borrower.objects.all()[:10]:
            record_read(by=reader, target=each)

        assert len(recent_files(reader)) == 8
