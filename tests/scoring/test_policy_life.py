"""A policy is proposed by one person and approved by another; what was in force stays told."""

import datetime as dt
import threading
from dataclasses import replace

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.engine.policy import default_rules
from apps.outbox.models import OutboxMessage
from apps.scoring.errors import ProposalDecided, ProposalPending
from apps.scoring.models import PolicyProposal, ScoringPolicy
from apps.scoring.queries.policies import draft_of, policy_on, policy_timeline, proposals_found
from apps.scoring.services.policies import (
    approve_policy,
    propose_policy,
    reject_policy,
    set_policy,
    withdraw_policy,
)
from apps.scoring.validators import PolicyCosts, PolicyDraft, TypeCosts
from apps.tenancy.actor import task_actor
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.four_eyes import SamePerson
from tests.scoring.proposing import REASON, proposed, put_in_force

pytestmark = pytest.mark.django_db
CHECKER = "comite@horizon.demo"
COSTS = TypeCosts(
    amount_xaf=340_000,
    months=10,
    rate_percent=22.0,
    cost_of_funds_percent=6.0,
    fee_percent=1.0,
    file_cost_xaf=5_000,
)


def stricter():
    return replace(draft_of(policy_on()).figures, default_threshold=0.11)


def test_the_first_policy_is_in_the_history(world):
    with world.scope():
        (first,) = proposals_found()
        assert (first.opening, first.status, first.policy) == (True, "approved", policy_on())


def test_one_proposes_and_another_approves(world):
    with world.scope():
        maker, checker = world.user(world.risk_manager), world.user(CHECKER)
        old = policy_on()
        proposal = proposed(world, stricter())
        assert policy_on() == old

        decided = approve_policy(proposal=proposal, by=world.actor(CHECKER), reason="Vu en comité")

        new = policy_on()
        assert decided.policy == new
        assert (new.version, new.figures["default_threshold"]) == (old.version + 1, 0.11)
        assert (new.created_by, new.approved_by) == (maker.pk, checker.pk)
        assert (decided.status, decided.decision_reason) == ("approved", "Vu en comité")
        assert decided.based_on == old
        actions = AuditEntry.objects.filter(object_uid=proposal.uid).order_by("pk")
        assert list(actions.values_list("action", flat=True)) == ["policy.propose", "policy.approve"]


def test_the_same_person_is_refused_by_the_service(world):
    with world.scope():
        proposal = proposed(world, stricter())
        with pytest.raises(SamePerson):
            approve_policy(proposal=proposal, by=world.actor(world.risk_manager))
        with pytest.raises(SamePerson):
            reject_policy(proposal=proposal, by=world.actor(world.risk_manager), reason=REASON)
        proposal.refresh_from_db()
        assert proposal.status == "proposed"


def test_the_same_person_is_refused_by_the_database(world):
    with world.scope():
        maker = world.user(world.risk_manager)
        proposal = proposed(world, stricter())
        rows = PolicyProposal.objects.filter(pk=proposal.pk)
        for status, policy in (("approved", policy_on()), ("rejected", None)):
            with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
                rows.update(status=status, decided_by=maker, decided_at=timezone.now(), policy=policy)
        for approver in (maker.pk, None):
            with pytest.raises(IntegrityError, match="scoring_policy_two_people"), transaction.atomic():
                ScoringPolicy.objects.create(
                    version=2, figures={}, reason="x", created_by=maker.pk, approved_by=approver
                )


def test_what_was_proposed_cannot_be_rewritten(world):
    with world.scope():
        rows = PolicyProposal.objects.filter(pk=proposed(world, stricter()).pk)
        for change in (
            lambda: rows.update(reason="autre"),
            lambda: rows.update(figures={}),
            lambda: rows.update(opening=True),
            lambda: rows._raw_delete("default"),
        ):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                change()


def test_an_institution_has_one_first_policy(world):
    with world.scope(), pytest.raises(IntegrityError), transaction.atomic():
        set_policy(figures=stricter(), by=task_actor(world.institution_id("horizon")), reason="encore")


@pytest.mark.parametrize("email", ["analyste@horizon.demo", "admin@horizon.demo", "comite@horizon.demo"])
def test_who_may_not_propose(world, email):
    with world.scope(), pytest.raises(NotAllowed):
        propose_policy(
            draft=PolicyDraft(stricter()),
            effective_from=timezone.localdate(),
            reason=REASON,
            by=world.actor(email),
        )


@pytest.mark.parametrize("email", ["analyste@horizon.demo", "auditeur@horizon.demo", "dpo@horizon.demo"])
def test_who_may_not_decide(world, email):
    with world.scope():
        proposal = proposed(world, stricter())
        for decide in (approve_policy, reject_policy):
            with pytest.raises(NotAllowed):
                decide(proposal=proposal, by=world.actor(email), reason=REASON)


def test_a_task_neither_proposes_nor_approves(world):
    by = task_actor(world.institution_id("horizon"))
    with world.scope():
        today = timezone.localdate()
        with pytest.raises(NotAllowed):
            propose_policy(draft=PolicyDraft(stricter()), effective_from=today, reason=REASON, by=by)
        with pytest.raises(NotAllowed):
            approve_policy(proposal=proposed(world, stricter()), by=by)


def test_a_day_in_the_past_a_far_day_and_no_reason_are_refused(world):
    today = timezone.localdate()
    with world.scope():
        for wish, field in (
            ({"day": today - dt.timedelta(days=1)}, "effective_from"),
            ({"day": today + dt.timedelta(days=800)}, "effective_from"),
            ({"reason": "  ok "}, "reason"),
            ({"reason": "x" * 301}, "reason"),
        ):
            with pytest.raises(InvalidValues) as refusal:
                proposed(world, stricter(), **wish)
            assert list(refusal.value.fields) == [field]


def test_figures_that_cannot_be_are_named(world):
    with world.scope():
        figures = stricter()
        wrong = replace(
            figures,
            thresholds={"lunaire": 0.1},
            lgd=0.0,
            rules=tuple(replace(rule, limit=None) for rule in default_rules()),
        )
        costs = PolicyCosts(prudence_cap=0.0, by_type={"scolaire": replace(COSTS, months=0)})
        with pytest.raises(InvalidValues) as refusal:
            proposed(world, wrong, costs=costs)

    named = set(refusal.value.fields)
    assert {"lgd", "prudence_cap", "thresholds.lunaire", "costs.scolaire.months"} <= named
    assert "rules.age_fin.limit" in named
    assert "rules.consentement.limit" not in named


def test_a_policy_without_a_difference_is_refused(world):
    with world.scope(), pytest.raises(InvalidValues):
        proposed(world, draft_of(policy_on()).figures)


def test_one_proposal_waits_at_a_time(world):
    with world.scope():
        first = proposed(world, stricter())
        with pytest.raises(ProposalPending):
            proposed(world, stricter())
        with pytest.raises(IntegrityError, match="one_pending"), transaction.atomic():
            PolicyProposal.objects.create(
                figures={}, effective_from=first.effective_from, proposed_by=world.user(CHECKER)
            )
        withdraw_policy(proposal=first, by=world.actor(world.risk_manager), reason="Chiffre à revoir")
        assert proposed(world, stricter()).status == "proposed"


def test_only_the_maker_withdraws_and_says_why(world):
    with world.scope():
        proposal = proposed(world, stricter())
        with pytest.raises(NotAllowed):
            withdraw_policy(proposal=proposal, by=world.actor(CHECKER), reason=REASON)
        with pytest.raises(InvalidValues):
            withdraw_policy(proposal=proposal, by=world.actor(world.risk_manager), reason="")
        decided = withdraw_policy(proposal=proposal, by=world.actor(world.risk_manager), reason=REASON)
        assert (decided.status, decided.decision_reason) == ("withdrawn", REASON)


def test_a_rejected_proposal_changes_nothing(world):
    with world.scope():
        old = policy_on()
        decided = reject_policy(
            proposal=proposed(world, stricter()), by=world.actor(CHECKER), reason="Trop strict"
        )
        assert (decided.status, decided.policy, policy_on()) == ("rejected", None, old)
        with pytest.raises(ProposalDecided):
            approve_policy(proposal=decided, by=world.actor("admin@horizon.demo"))


def test_a_proposal_approved_after_its_day_takes_effect_on_the_day_of_approval(world, monkeypatch):
    today = timezone.localdate()
    with world.scope():
        proposal = proposed(world, stricter(), day=today + dt.timedelta(days=1))
        monkeypatch.setattr(timezone, "localdate", lambda: today + dt.timedelta(days=9))
        policy = approve_policy(proposal=proposal, by=world.actor(CHECKER)).policy

    assert policy.effective_from == today + dt.timedelta(days=9)


def test_approvers_and_then_the_maker_are_told(world):
    with world.scope():
        before = OutboxMessage.objects.count()
        proposal = proposed(world, stricter())
        (first,) = OutboxMessage.objects.order_by("pk")[before:]
        approve_policy(proposal=proposal, by=world.actor(CHECKER))
        (second,) = OutboxMessage.objects.order_by("pk")[before:]  # nobody is asked any more

    people = {
        email: world.user(f"{email}@horizon.demo").pk for email in ("admin", "comite", "risques", "risques2")
    }
    assert first.payload["code"] == "policy.proposed"
    assert first.payload["recipients"] == sorted(people[each] for each in ("admin", "comite", "risques2"))
    assert (second.payload["code"], second.payload["recipients"]) == ("policy.decided", [people["risques"]])


def test_a_threshold_comes_from_the_costs(world):
    with world.scope():
        policy = put_in_force(world, stricter(), costs=PolicyCosts(by_type={"scolaire": COSTS}))

    # M = 340 000 x ((22 - 6) % x 11/24 + 1 %) - 5 000; L = 0.5 x 0.65 x 340 000; M / (M + L), at most 20 %
    margin, loss = 340_000 * (0.16 * 11 / 24 + 0.01) - 5_000, 0.5 * 0.65 * 340_000
    assert policy.figures["thresholds"]["scolaire"] == pytest.approx(margin / (margin + loss))
    assert policy.costs["by_type"]["scolaire"]["months"] == 10


def test_at_any_moment_one_policy_is_in_force(world):
    today = timezone.localdate()
    with world.scope():
        figures = draft_of(policy_on()).figures
        days = (5, 2, 2, 9)
        policies = [
            put_in_force(
                world,
                replace(figures, default_threshold=0.05 + place / 100),
                day=today + dt.timedelta(days=days[place]),
            )
            for place in range(4)
        ]
        times = policy_timeline()
        for ahead in range(12):
            day = today + dt.timedelta(days=ahead)
            noon = dt.datetime.combine(day, dt.time(23, 59, 59), timezone.get_default_timezone())
            assert [key for key, each in times.items() if each.holds(noon)] == [policy_on(day).pk]

    assert [times[each.pk].never for each in policies] == [False, True, False, False]


@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once_give_one_policy(world):
    with world.scope():
        proposal = proposed(world, stricter())
        before = ScoringPolicy.objects.count()
    together, told = threading.Barrier(2), []

    def approve(email):
        together.wait()
        try:
            by = world.actor(email)
            with world.scope():
                approve_policy(proposal=proposal, by=by)
            told.append("approved")
        except ProposalDecided:
            told.append("late")
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=[f"{who}@horizon.demo"]) for who in ("comite", "admin")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == ["approved", "late"]
    with world.scope():
        assert ScoringPolicy.objects.count() == before + 1
