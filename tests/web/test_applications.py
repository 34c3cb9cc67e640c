"""Applications on pages: list, file, what is done with it, and who may not."""

import pytest
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication
from apps.scoring.models import Prediction
from tests.statements import own_statements

pytestmark = pytest.mark.django_db


def path(name, application):
    return reverse(f"web:{name}", args=[application.uid])


@pytest.fixture
def submitted(world):
    """Return a submitted application that the analyst did not enter."""
    analyst = world.actor(world.analyst)
    with world.scope():
        rows = CreditApplication.objects.select_related("client").filter(status=ApplicationStatus.SUBMITTED)
        return rows.exclude(author_id=analyst.id).order_by("id").first()


@pytest.fixture
def own_draft(world, submitted):
    with world.scope():
        submitted.status, submitted.author_id = ApplicationStatus.DRAFT, world.actor(world.analyst).id
        submitted.save()
    return submitted


def stored(world, application):
    with world.scope():
        return CreditApplication.objects.get(pk=application.pk)


def test_the_list_shows_the_latest_first_and_pages_without_repeating(world, page):
    client, seen, url = page(world.analyst), [], reverse("web:applications")
    for _turn in range(3):
        body = client.get(url)
        assert body.status_code == 200
        seen += [line.uid for line in body.context["applications"]]
        url = reverse("web:applications") + body.context["next_url"]
    with world.scope():
        expected = CreditApplication.objects.order_by("-applied_on", "-uid").values_list("uid", flat=True)[
            :75
        ]
        assert seen == list(expected)
    back = client.get(reverse("web:applications") + body.context["previous_url"])
    assert [line.uid for line in back.context["applications"]] == seen[25:50]


def test_the_list_is_filtered_by_status_and_day(world, page):
    client = page(world.analyst)
    answer = client.get(reverse("web:applications"), {"status": "declined", "date_to": "2025-06-30"})
    lines = answer.context["applications"]
    assert lines
    assert {line.status for line in lines} == {"declined"}
    assert max(str(line.applied_on) for line in lines) <= "2025-06-30"


@pytest.mark.parametrize(
    "query", [{"status": "inconnu"}, {"date_from": "2026-05-01", "date_to": "2026-04-01"}, {"agency": "x"}]
)
def test_a_filter_that_cannot_be_read_says_so(page, world, query):
    answer = page(world.analyst).get(reverse("web:applications"), query)

    assert answer.status_code == 422
    assert answer.context["form"].errors


def test_a_cursor_that_cannot_be_read_is_not_found(page, world):
    assert page(world.analyst).get(reverse("web:applications"), {"apres": "hier"}).status_code == 404


@pytest.mark.parametrize("name", ["applications", "inbox"])
def test_a_list_takes_few_queries(world, page, name):
    client = page(world.analyst)
    client.get(reverse(f"web:{name}"))
    with own_statements() as asked:
        client.get(reverse(f"web:{name}"))
    assert 0 < len(asked) <= 6, asked


def test_opening_a_file_is_recorded(world, page, submitted):
    answer = page(world.auditor).get(path("application", submitted))

    assert answer.status_code == 200
    with world.scope():
        entry = AuditEntry.objects.filter(action="creditapplication.read").latest("id")
        assert entry.object_uid == submitted.uid


def test_sending_scores_first_and_then_sends(world, page, own_draft):
    client = page(world.analyst)

    answer = client.post(path("application_submit", own_draft), follow=True)

    assert "transmis pour décision" in answer.content.decode()
    assert stored(world, own_draft).status == ApplicationStatus.SUBMITTED
    with world.scope():
        assert Prediction.objects.filter(application=own_draft).count() >= 1
    again = client.post(path("application_submit", own_draft), follow=True)
    assert "a avancé entre-temps" in again.content.decode()


def test_a_returned_file_waits_in_the_inbox_and_says_what_is_missing(world, page, own_draft):
    page(world.analyst).post(path("application_submit", own_draft))
    risk = page(world.risk_manager)

    answer = risk.post(
        path("application_return", own_draft), {"pieces": ["identite"], "note": "CNI expirée"}, follow=True
    )
    assert "Dossier rendu" in answer.content.decode()

    analyst = page(world.analyst)
    inbox = analyst.get(reverse("web:inbox"))
    assert own_draft.uid in [line.uid for line in inbox.context["returned"]]
    sheet = analyst.get(path("application", own_draft)).content.decode()
    assert "CNI expirée" in sheet
    assert "identité en cours de validité" in sheet
    analyst.post(path("application_submit", own_draft), {"answer": "Nouveau récépissé"})
    assert stored(world, own_draft).status == ApplicationStatus.SUBMITTED


def test_a_return_without_a_piece_is_refused_beside_the_field(world, page, submitted):
    answer = page(world.risk_manager).post(path("application_return", submitted), {})

    assert answer.status_code == 422
    assert "Indiquez la pièce qui manque." in answer.content.decode()


def test_the_author_is_told_that_another_must_return_the_file(world, page, own_draft):
    client = page(world.analyst)
    client.post(path("application_submit", own_draft))

    answer = client.get(path("application_return", own_draft), follow=True)

    assert "est le vôtre" in answer.content.decode()


def test_values_are_changed_and_the_old_score_is_marked(world, page, own_draft):
    client = page(world.analyst)
    client.post(path("application_score", own_draft))
    form = client.get(path("application_edit", own_draft)).context["form"]
    data = {name: form[name].value() or "" for name in form.fields} | {"montant_credit": "1 234 000"}

    answer = client.post(path("application_edit", own_draft), data, follow=True)

    assert stored(world, own_draft).montant_credit == 1_234_000
    assert "a été modifié après ce score" in answer.content.decode()


def test_a_wrong_value_keeps_what_was_typed(world, page, own_draft):
    client = page(world.analyst)
    form = client.get(path("application_edit", own_draft)).context["form"]
    data = {name: form[name].value() or "" for name in form.fields} | {"montant_credit": "beaucoup"}

    answer = client.post(path("application_edit", own_draft), data)

    assert answer.status_code == 422
    assert "beaucoup" in answer.content.decode()
    assert stored(world, own_draft).montant_credit == own_draft.montant_credit


def test_a_cancelled_application_is_reopened(world, page, own_draft):
    client = page(world.analyst)
    client.post(path("application_cancel", own_draft), {"reason": "desistement"})
    assert stored(world, own_draft).status == ApplicationStatus.CANCELLED

    client.post(path("application_reopen", own_draft))
    assert stored(world, own_draft).status == ApplicationStatus.DRAFT


@pytest.mark.parametrize("name", ["application_edit", "application_cancel", "application_submit"])
def test_an_auditor_changes_nothing(world, page, own_draft, name):
    assert page(world.auditor).post(path(name, own_draft), {"reason": "autre"}).status_code == 403
    assert stored(world, own_draft).status == ApplicationStatus.DRAFT


def test_a_file_of_another_agency_is_not_found(world, page):
    agent = world.actor(world.agent)
    with world.scope():
        elsewhere = CreditApplication.objects.exclude(agency_id__in=agent.agency_ids).first()

    assert page(world.agent).get(path("application", elsewhere)).status_code == 404


def test_the_score_of_a_file_is_swapped_in(world, page, own_draft):
    answer = page(world.analyst).post(path("application_score", own_draft), headers={"HX-Request": "true"})

    body = answer.content.decode()
    assert 'id="score"' in body
    assert "<html" not in body
