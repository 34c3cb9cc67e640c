"""Going against the advice: one person asks, with a reason and a text, another one answers."""

import threading

import pytest
from django.db import ProgrammingError, connection, transaction

from apps.audit.models import AuditEntry
from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication
from apps.decisions.errors import AboveLimit, OverrideAnswered, OverridePending, OwnFile
from apps.decisions.models import Decision, OverrideRequest
from apps.decisions.queries.waiting import overrides_to_answer
from apps.decisions.services.deciding import decide
from apps.decisions.services.overrides import confirm_override, refuse_override, withdraw_override
from apps.outbox.models import OutboxMessage
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.four_eyes import SamePerson
from tests.decisions.filing import WHY, advise, against, choice, limit, sent_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyst(world):
    return world.actor(world.analyst)


@pytest.fixture
def risk_manager(world):
    return world.actor(world.risk_manager)


@pytest.fixture
def asked(world, analyst):
    """Return the analyst's wish to grant against an unfavourable advice, in the open scope of horizon."""
    with world.scope():
        file = sent_file(world, advice="refuser")
        yield decide(application=file, choice=against("accorde"), by=analyst)


def status_of(request):
    return CreditApplication.objects.get(pk=request.application_id).status


def test_a_second_person_confirms_and_the_decision_is_hers(asked, analyst, risk_manager):
    decision = confirm_override(request=asked, by=risk_manager, remark="D'accord")

    assert status_of(asked) == "approved"
    assert (decision.is_override, decision.override_direction) == (True, "plus_favorable")
    assert (decision.requested_by_id, decision.decided_by_id) == (analyst.id, risk_manager.id)
    assert (decision.override_reason, decision.override_text) == ("garantie_forte", WHY)
    stored = OverrideRequest.objects.get(pk=asked.pk)
    assert (stored.status, stored.answer, stored.decision_id) == ("confirmee", "D'accord", decision.pk)
    actions = AuditEntry.objects.filter(object_uid=asked.application.uid).order_by("-id")
    assert [entry.action for entry in actions[:3]] == [
        "override.confirm",
        "application.decide",
        "override.request",
    ]


def test_the_other_direction_too(world, analyst, risk_manager):
    with world.scope():
        file = sent_file(world, advice="accorder")
        request = decide(application=file, choice=against("refuse"), by=analyst)

        decision = confirm_override(request=request, by=risk_manager)

        assert (decision.kind, decision.override_direction) == ("refuse", "plus_severe")
        assert status_of(request) == "declined"


def test_who_asked_does_not_confirm(asked, analyst):
    with pytest.raises(SamePerson):
        confirm_override(request=asked, by=analyst)
    with pytest.raises(SamePerson):
        refuse_override(request=asked, by=analyst, reason="Finalement non merci")
    assert status_of(asked) == "submitted"


def test_who_made_the_file_does_not_confirm(asked, risk_manager):
    CreditApplication.objects.filter(pk=asked.application_id).update(author_id=risk_manager.id)

    with pytest.raises(OwnFile):
        confirm_override(request=asked, by=risk_manager)


def test_above_the_limit_it_is_not_confirmed(asked, risk_manager):
    limit("responsable_risques", 400_000)

    with pytest.raises(AboveLimit):
        confirm_override(request=asked, by=risk_manager)


@pytest.mark.parametrize("local_part", ["comite", "admin", "auditeur"])
def test_who_does_not_decide_does_not_confirm(world, asked, local_part):
    with pytest.raises(NotAllowed):
        confirm_override(request=asked, by=world.actor(f"{local_part}@horizon.demo"))


def test_meanwhile_nothing_else_is_decided(asked, risk_manager):
    with pytest.raises(OverridePending):
        decide(application=asked.application, choice=choice("refuse"), by=risk_manager)
    with pytest.raises(OverridePending):
        decide(application=asked.application, choice=against("accorde"), by=risk_manager)


def test_refused_with_a_reason_the_file_waits_again(asked, analyst, risk_manager):
    with pytest.raises(InvalidValues):
        refuse_override(request=asked, by=risk_manager, reason="")

    refused = refuse_override(request=asked, by=risk_manager, reason="La garantie n'est pas évaluée.")

    assert (refused.status, refused.answered_by_id, status_of(asked)) == (
        "refusee",
        risk_manager.id,
        "submitted",
    )
    told = OutboxMessage.objects.get(kind="alert", payload__code="override.refused")
    assert told.payload["recipients"] == [analyst.id]
    assert decide(application=asked.application, choice=choice("refuse"), by=analyst).kind == "refuse"


def test_who_asked_may_withdraw_and_nobody_else(asked, analyst, risk_manager):
    with pytest.raises(NotAllowed):
        withdraw_override(request=asked, by=risk_manager)

    assert withdraw_override(request=asked, by=analyst).status == "retiree"
    with pytest.raises(OverrideAnswered):
        confirm_override(request=asked, by=risk_manager)


def test_a_file_scored_again_makes_the_wish_lapse(world, asked, analyst, risk_manager):
    advise(world, asked.application, "refuser")

    with pytest.raises(OverrideAnswered):
        confirm_override(request=asked, by=risk_manager)

    decide(application=asked.application, choice=choice("refuse"), by=risk_manager)
    assert OverrideRequest.objects.get(pk=asked.pk).status == "caduque"


def test_a_file_taken_back_is_not_decided_by_the_second_person(asked, risk_manager):
    CreditApplication.objects.filter(pk=asked.application_id).update(status=ApplicationStatus.DRAFT)

    with pytest.raises(Exception, match=r"Brouillon|Draft"):
        confirm_override(request=asked, by=risk_manager)
    assert not Decision.objects.filter(application=asked.application).exists()


def test_it_is_shown_to_others_only(world, asked, analyst, risk_manager):
    assert asked in overrides_to_answer(risk_manager)
    assert asked not in overrides_to_answer(analyst)
    told = OutboxMessage.objects.filter(kind="alert", payload__code="override.requested").latest("pk")
    assert analyst.id not in told.payload["recipients"]
    assert risk_manager.id in told.payload["recipients"]


def test_what_was_asked_cannot_be_rewritten(asked):
    with pytest.raises(ProgrammingError), transaction.atomic():
        OverrideRequest.objects.filter(pk=asked.pk).update(text="autre chose")
    with pytest.raises(ProgrammingError), transaction.atomic():
        OverrideRequest.objects.filter(pk=asked.pk).update(requested_by_id=1)


@pytest.mark.django_db(transaction=True)
def test_two_second_people_at_once_give_one_decision(world):
    with world.scope():
        file = sent_file(world, advice="refuser")
        request = decide(application=file, choice=against("accorde"), by=world.actor(world.analyst))
    together, told = threading.Barrier(2), []

    def answer(email):
        by = world.actor(email)
        together.wait()
        try:
            with world.scope():
                confirm_override(request=request, by=by)
            told.append("confirmed")
        except OverrideAnswered:
            told.append("late")
        finally:
            connection.close()

    people = ("risques@horizon.demo", "risques2@horizon.demo")
    threads = [threading.Thread(target=answer, args=[email]) for email in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == ["confirmed", "late"]
    with world.scope():
        assert Decision.objects.filter(application=file).count() == 1
