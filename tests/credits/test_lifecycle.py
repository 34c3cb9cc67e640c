"""An application's way to its decision: who may do what, and what is refused."""

import pytest

from apps.audit.models import AuditEntry
from apps.credits.enums import ApplicationStatus
from apps.credits.errors import ApplicationMoved
from apps.credits.models import CreditApplication, PieceRequest
from apps.credits.services.applications import Change, change_application, version_of
from apps.credits.services.lifecycle import (
    cancel_application,
    reopen_application,
    request_pieces,
    submit_application,
    withdraw_application,
)
from apps.tenancy.errors import ChangedMeanwhile, InvalidValues, NotAllowed, ObjectNotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyst(world):
    return world.actor(world.analyst)


@pytest.fixture
def risk_manager(world):
    return world.actor(world.risk_manager)


@pytest.fixture
def draft(world, analyst):
    """Return a draft of the analyst's, in the open scope of horizon."""
    with world.scope():
        application = CreditApplication.objects.filter(status=ApplicationStatus.SUBMITTED).first()
        application.status, application.author_id = ApplicationStatus.DRAFT, analyst.id
        application.save()
        yield application


def status_of(application):
    return CreditApplication.objects.get(pk=application.pk).status


def test_a_file_is_sent_returned_completed_and_sent_again(draft, analyst, risk_manager):
    submit_application(uid=draft.uid, by=analyst)
    request = request_pieces(
        uid=draft.uid, pieces=["identite", "autre"], note="Plan du marché", by=risk_manager
    )
    assert status_of(draft) == ApplicationStatus.INCOMPLETE
    assert (request.pieces, request.asked_by_id, request.answered_at) == (
        ["identite", "autre"],
        risk_manager.id,
        None,
    )

    submit_application(uid=draft.uid, by=analyst, answer="Récépissé du 3 mars")

    request.refresh_from_db()
    assert status_of(draft) == ApplicationStatus.SUBMITTED
    assert (request.answer, request.answered_by_id) == ("Récépissé du 3 mars", analyst.id)
    actions = list(
        AuditEntry.objects.filter(object_uid=draft.uid).order_by("id").values_list("action", flat=True)
    )
    assert actions[-3:] == ["application.submit", "application.return", "application.submit"]


def test_sent_twice_the_second_is_refused(draft, analyst):
    submit_application(uid=draft.uid, by=analyst)

    with pytest.raises(ApplicationMoved):
        submit_application(uid=draft.uid, by=analyst)


def test_a_file_may_be_taken_back_until_it_is_decided(draft, analyst):
    submit_application(uid=draft.uid, by=analyst)
    withdraw_application(uid=draft.uid, by=analyst)
    assert status_of(draft) == ApplicationStatus.DRAFT

    CreditApplication.objects.filter(pk=draft.pk).update(status=ApplicationStatus.DISBURSED)
    with pytest.raises(ApplicationMoved):
        withdraw_application(uid=draft.uid, by=analyst)


def test_the_author_does_not_return_the_own_file(draft, analyst):
    submit_application(uid=draft.uid, by=analyst)

    with pytest.raises(NotAllowed):
        request_pieces(uid=draft.uid, pieces=["identite"], note="", by=analyst)
    assert not PieceRequest.objects.filter(application=draft).exists()


@pytest.mark.parametrize(
    ("pieces", "note", "field"),
    [([], "", "pieces"), (["inconnue"], "", "pieces"), (["autre"], "  ", "note")],
)
def test_a_return_says_what_is_missing(draft, analyst, risk_manager, pieces, note, field):
    submit_application(uid=draft.uid, by=analyst)

    with pytest.raises(InvalidValues) as refusal:
        request_pieces(uid=draft.uid, pieces=pieces, note=note, by=risk_manager)
    assert list(refusal.value.fields) == [field]
    assert status_of(draft) == ApplicationStatus.SUBMITTED


def test_a_draft_is_not_returned(draft, risk_manager):
    with pytest.raises(ApplicationMoved):
        request_pieces(uid=draft.uid, pieces=["identite"], note="", by=risk_manager)


def test_a_cancelled_file_can_be_reopened_and_its_open_request_is_closed(draft, analyst, risk_manager):
    submit_application(uid=draft.uid, by=analyst)
    request_pieces(uid=draft.uid, pieces=["garantie"], note="", by=risk_manager)

    cancel_application(uid=draft.uid, reason="doublon", by=analyst)
    stored = CreditApplication.objects.get(pk=draft.pk)
    assert (stored.status, stored.cancel_reason) == (ApplicationStatus.CANCELLED, "doublon")
    assert not PieceRequest.objects.filter(application=draft, answered_at=None).exists()

    reopen_application(uid=draft.uid, by=analyst)
    stored.refresh_from_db()
    assert (stored.status, stored.cancel_reason) == (ApplicationStatus.DRAFT, "")


@pytest.mark.parametrize("who", ["auditeur@horizon.demo", "admin@horizon.demo"])
def test_a_reader_changes_nothing(world, draft, who):
    reader = world.actor(who)

    with pytest.raises(NotAllowed):
        submit_application(uid=draft.uid, by=reader)
    with pytest.raises(NotAllowed):
        cancel_application(uid=draft.uid, reason="autre", by=reader)


def test_a_file_of_another_agency_is_unknown_to_an_agent(world, draft):
    agent = world.actor(world.agent)
    elsewhere = CreditApplication.objects.exclude(agency_id__in=agent.agency_ids).first()

    with pytest.raises(ObjectNotFound):
        cancel_application(uid=elsewhere.uid, reason="autre", by=agent)


def test_values_are_changed_and_the_ratios_follow(draft, analyst):
    change = Change(
        values={"montant_credit": "900 000", "personnes_a_charge": ""},
        purpose="Stock",
        version=version_of(draft),
    )

    changed = change_application(uid=draft.uid, change=change, by=analyst)

    assert (changed.montant_credit, changed.personnes_a_charge, changed.purpose) == (900_000, None, "Stock")
    assert changed.revenu_mensuel == draft.revenu_mensuel
    assert changed.taux_endettement != draft.taux_endettement
    entry = AuditEntry.objects.filter(object_uid=draft.uid, action="application.update").get()
    assert "montant_credit" in entry.after["fields"]
    assert "900" not in str(entry.after)


def test_two_people_do_not_overwrite_one_another(draft, analyst, risk_manager):
    first = Change(values={"duree_mois": "10"}, purpose="", version=version_of(draft))
    change_application(uid=draft.uid, change=first, by=risk_manager)

    with pytest.raises(ChangedMeanwhile):
        change_application(uid=draft.uid, change=first, by=analyst)


def test_a_wrong_value_changes_nothing(draft, analyst):
    change = Change(values={"montant_credit": "beaucoup"}, purpose="", version=version_of(draft))

    with pytest.raises(InvalidValues) as refusal:
        change_application(uid=draft.uid, change=change, by=analyst)
    assert list(refusal.value.fields) == ["montant_credit"]
    assert CreditApplication.objects.get(pk=draft.pk).montant_credit == draft.montant_credit


def test_a_submitted_file_is_not_changed(draft, analyst):
    version = version_of(submit_application(uid=draft.uid, by=analyst))

    with pytest.raises(ApplicationMoved):
        change_application(uid=draft.uid, change=Change(values={}, purpose="", version=version), by=analyst)
