"""A person decides a file: with the advice in sight, within a limit, never the own file, once."""

import threading

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.enums import ApplicationStatus
from apps.credits.errors import ApplicationMoved
from apps.credits.models import CreditApplication
from apps.credits.services.ledger import Disbursement, disburse_application
from apps.credits.services.lifecycle import request_pieces, submit_application, withdraw_application
from apps.decisions.errors import AboveLimit, OwnFile, ScoreMissing, ScoreOutdated
from apps.decisions.models import Decision, DecisionLimit
from apps.decisions.queries.decisions import decisions_for
from apps.decisions.queries.limits import limit_of
from apps.decisions.services.deciding import decide
from apps.outbox.models import OutboxMessage, Webhook
from apps.tenancy.actor import task_actor
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound
from tests.decisions.filing import advise, against, choice, limit, sent_file

pytestmark = pytest.mark.django_db
RISKS_TWO = "risques2@horizon.demo"


@pytest.fixture
def analyst(world):
    return world.actor(world.analyst)


@pytest.fixture
def file(world):
    """Return a file that the agent sent, with a favourable advice, in the open scope of horizon."""
    with world.scope():
        yield sent_file(world)


def status_of(application):
    return CreditApplication.objects.get(pk=application.pk).status


@pytest.mark.parametrize(
    ("kind", "status", "wishes"),
    [
        ("accorde", "approved", {}),
        ("accorde_sous_reserve", "approved_conditionally", {"comment": "Aval à signer"}),
        ("ajourne", "deferred", {}),
        ("contre_proposition", "counter_offered", {"amount_xaf": 300_000}),
    ],
)
def test_each_decision_moves_the_file(file, analyst, kind, status, wishes):
    decision = decide(application=file, choice=choice(kind, **wishes), by=analyst)

    assert status_of(file) == status
    assert (decision.kind, decision.number, decision.recommendation) == (kind, 1, "accorder")
    assert (decision.decided_by_id, decision.role, decision.is_override) == (analyst.id, "analyste", False)
    assert decision.limit_xaf == limit_of("analyste")


def test_a_refusal_that_goes_with_the_advice_needs_nobody_else(world, analyst):
    with world.scope():
        file = sent_file(world, advice="refuser")
        decision = decide(application=file, choice=choice("refuse"), by=analyst)

        assert (status_of(file), decision.is_override) == ("declined", False)


@pytest.mark.parametrize("kind", ["accorde", "refuse"])
def test_a_file_to_be_studied_has_no_advice_to_go_against(world, analyst, kind):
    with world.scope():
        file = sent_file(world, advice="etudier")

        assert isinstance(decide(application=file, choice=choice(kind), by=analyst), Decision)


def test_the_trail_and_the_listening_server_are_told_and_who_made_the_file_too(world, file, analyst):
    Webhook.objects.create(url="https://partner.example/told", events=["application.decided"], secret="x")
    decision = decide(application=file, choice=choice(comment="Dossier complet"), by=analyst)

    entry = AuditEntry.objects.filter(object_uid=file.uid).order_by("-id").first()
    assert (entry.action, entry.before, entry.actor_id) == (
        "application.decide",
        {"status": "submitted"},
        analyst.id,
    )
    assert entry.after == {
        "status": "approved",
        "decision": str(decision.uid),
        "kind": "accorde",
        "override": False,
        "motive": decision.motive.code,
    }
    told = OutboxMessage.objects.get(kind="webhook", payload__event="application.decided")
    assert told.payload["object"] == str(file.uid)
    alert = OutboxMessage.objects.filter(kind="alert", payload__code="application.decided").latest("pk")
    assert alert.payload["recipients"] == [world.user(world.agent).pk]


def test_less_may_be_granted_than_asked_and_then_no_more_is_lent(file, analyst):
    decide(application=file, choice=choice(amount_xaf=350_000), by=analyst)

    with pytest.raises(InvalidValues) as refusal:
        disburse_application(uid=file.uid, terms=Disbursement(amount_xaf=400_000), by=analyst)
    assert list(refusal.value.fields) == ["amount_xaf"]
    assert disburse_application(uid=file.uid, terms=Disbursement(), by=analyst).amount_xaf == 350_000


@pytest.mark.parametrize("who", ["author", "sender", "answerer"])
def test_who_made_the_file_does_not_decide_it(world, file, analyst, who):
    if who == "author":
        CreditApplication.objects.filter(pk=file.pk).update(author_id=analyst.id)
    elif who == "sender":
        withdraw_application(uid=file.uid, by=analyst)
        submit_application(uid=file.uid, by=analyst)
    else:
        request_pieces(uid=file.uid, pieces=["identite"], note="", by=world.actor(world.risk_manager))
        submit_application(uid=file.uid, by=analyst, answer="Jointe")

    with pytest.raises(OwnFile):
        decide(application=file, choice=choice(), by=analyst)
    assert status_of(file) == "submitted"
    assert not Decision.objects.filter(application=file).exists()


def test_above_the_limit_the_file_waits_for_somebody_whose_limit_suffices(world, analyst):
    with world.scope():
        file = sent_file(world, amount_xaf=limit_of("analyste") + 1)

        with pytest.raises(AboveLimit):
            decide(application=file, choice=choice(), by=analyst)
        with pytest.raises(AboveLimit):  # a smaller offer on a file above the limit is above it too
            decide(application=file, choice=choice("contre_proposition", amount_xaf=1_000), by=analyst)
        with pytest.raises(AboveLimit):
            decide(application=file, choice=choice("ajourne"), by=analyst)
        assert status_of(file) == "submitted"
        decide(application=file, choice=choice(), by=world.actor(world.risk_manager))
        assert status_of(file) == "approved"


def test_the_limit_of_the_day_counts(file, analyst):
    limit("analyste", 400_000, days=1)
    limit("analyste", 600_000, days=-3)
    assert limit_of("analyste") == 600_000
    limit("analyste", 499_999)

    with pytest.raises(AboveLimit):
        decide(application=file, choice=choice(), by=analyst)


def test_a_role_without_a_limit_decides_nothing(file, analyst):
    limit("analyste", 0)

    with pytest.raises(AboveLimit):
        decide(application=file, choice=choice(), by=analyst)


@pytest.mark.parametrize("local_part", ["agent", "auditeur", "admin", "comite"])
def test_other_roles_do_not_decide(world, file, local_part):
    with pytest.raises((NotAllowed, ObjectNotFound)):
        decide(application=file, choice=choice(), by=world.actor(f"{local_part}@horizon.demo"))


def test_a_task_does_not_decide(world, file):
    with pytest.raises(NotAllowed):
        decide(application=file, choice=choice(), by=task_actor(world.institution_id("horizon")))


def test_without_a_score_nothing_is_decided(world, analyst):
    with world.scope():
        file = CreditApplication.objects.filter(predictions=None).first()
        file.status, file.author_id, file.montant_credit = ApplicationStatus.SUBMITTED, None, 100_000
        file.save()

        with pytest.raises(ScoreMissing):
            decide(application=file, choice=choice(), by=analyst)


def test_a_changed_file_is_scored_again_first(world, file, analyst):
    CreditApplication.objects.filter(pk=file.pk).update(revenu_mensuel=90_000)

    with pytest.raises(ScoreOutdated):
        decide(application=file, choice=choice(), by=analyst)

    advise(world, CreditApplication.objects.get(pk=file.pk), "accorder")
    assert decide(application=file, choice=choice(), by=analyst).kind == "accorde"


def test_a_draft_is_not_decided(file, analyst):
    CreditApplication.objects.filter(pk=file.pk).update(status=ApplicationStatus.DRAFT)

    with pytest.raises(ApplicationMoved):
        decide(application=file, choice=choice(), by=analyst)


def test_decided_twice_the_second_hears_what_was_decided(world, file, analyst):
    decide(application=file, choice=choice(), by=analyst)

    with pytest.raises(ApplicationMoved) as refusal:
        decide(application=file, choice=choice("ajourne"), by=world.actor(world.risk_manager))
    assert "Accordée" in refusal.value.message or "Approved" in refusal.value.message
    assert len(decisions_for(file)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_give_one_decision(world):
    with world.scope():
        file = sent_file(world)
        ready = choice()
    together, told = threading.Barrier(2), []

    def press(email):
        by = world.actor(email)
        together.wait()
        try:
            with world.scope():
                decide(application=file, choice=ready, by=by)
            told.append("decided")
        except ApplicationMoved:
            told.append("late")
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[email]) for email in (world.analyst, RISKS_TWO)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == ["decided", "late"]
    with world.scope():
        assert Decision.objects.filter(application=file).count() == 1


@pytest.mark.parametrize(
    ("kind", "wishes", "field"),
    [
        ("inconnu", {}, "kind"),
        ("accorde", {"motive": "inconnu"}, "motive"),
        ("accorde", {"motive": "hors_politique"}, "motive"),
        ("accorde", {"amount_xaf": 500_001}, "amount_xaf"),
        ("accorde", {"amount_xaf": 0}, "amount_xaf"),
        ("accorde", {"duration_months": 18}, "duration_months"),
        ("accorde", {"comment": "x" * 1001}, "comment"),
        ("accorde", {"override_reason": "garantie_forte"}, "override_reason"),
        ("accorde_sous_reserve", {}, "comment"),
        ("contre_proposition", {}, "amount_xaf"),
        ("contre_proposition", {"duration_months": 121}, "duration_months"),
        ("refuse", {}, "override_reason"),
        ("refuse", {"override_reason": "garantie_forte", "override_text": "non"}, "override_text"),
    ],
)
def test_what_is_decided_is_checked(file, analyst, kind, wishes, field):
    with pytest.raises(InvalidValues) as refusal:
        decide(application=file, choice=choice(kind, **wishes), by=analyst)
    assert field in refusal.value.fields
    assert status_of(file) == "submitted"


def test_a_decision_is_never_changed_nor_removed(file, analyst):
    decision = decide(application=file, choice=choice(), by=analyst)

    with pytest.raises(ProgrammingError), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(comment="autre")
    with pytest.raises(ProgrammingError), transaction.atomic():
        decision.delete()
    with pytest.raises(ProgrammingError), transaction.atomic():
        DecisionLimit.objects.update(amount_xaf=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"decided_by_id": "author"},
        {"decided_by_id": None},
        {"limit_xaf": 499_999},
        {"limit_xaf": None},
        {"amount_xaf": 500_001},
        {"recommendation": "refuser"},
        {"is_override": True},
        {"prediction": None},
        {"number": 1},
    ],
)
def test_the_database_holds_the_rules_by_itself(world, file, analyst, wrong):
    decision = decide(application=file, choice=choice(), by=analyst)
    forged = Decision.objects.get(pk=decision.pk)
    forged.pk, forged.uid, forged.number = None, world.user(world.agent).uid, 2
    forged._state.adding = True
    for name, value in wrong.items():
        setattr(forged, name, forged.author_id if value == "author" else value)

    with pytest.raises(IntegrityError), transaction.atomic():
        forged.save(force_insert=True)


def test_a_decision_is_dated_now(file, analyst):
    before = timezone.now()

    assert before <= decide(application=file, choice=choice(), by=analyst).decided_at <= timezone.now()


def test_an_override_is_asked_not_taken(file, analyst):
    asked = decide(application=file, choice=against("refuse"), by=analyst)

    assert (asked.status, asked.direction, asked.requested_by_id) == ("en_attente", "plus_severe", analyst.id)
    assert status_of(file) == "submitted"
