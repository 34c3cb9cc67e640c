"""Production: two people, gates, one champion at a time, a history that nobody rewrites."""

import datetime as dt
import threading
import time

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.outbox.models import OutboxMessage
from apps.registry.errors import GateFailed, ModelNotAllowed, NoApprovedModel, PromotionClosed
from apps.registry.models import Championship, ModelVersion, Promotion
from apps.registry.queries import champion_for, in_production_at, version_before
from apps.registry.services.gates import checklist
from apps.registry.services.importing import import_scorecard
from apps.registry.services.promotions import (
    approve_promotion,
    decline_promotion,
    propose_promotion,
    roll_back,
    withdraw_promotion,
)
from apps.registry.tasks import start_due_promotions
from apps.scoring.services.scores import score_values
from apps.tenancy.actor import task_actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.four_eyes import SamePerson
from tests.predict import BODY
from tests.registry.grids import DOCUMENT, changed

pytestmark = pytest.mark.django_db

COMMITTEE = "comite@horizon.demo"


@pytest.fixture
def horizon(world):
    with world.scope():
        yield world


@pytest.fixture
def risks(horizon):
    return horizon.actor(horizon.risk_manager)


@pytest.fixture
def committee(horizon):
    return horizon.actor(COMMITTEE)


@pytest.fixture
def grid(risks):
    return import_scorecard(document=DOCUMENT, by=risks)


@pytest.fixture
def proposed(grid, risks):
    return propose_promotion(version=grid, by=risks, reason="Premier essai")


def verdicts(version, by):
    return {gate.code: str(gate.verdict) for gate in checklist(version=version, by=by)}


def promoted(document, risks, committee):
    version = import_scorecard(document=document, by=risks)
    promotion = propose_promotion(version=version, by=risks, reason="Essai")
    approve_promotion(promotion=promotion, by=committee)
    return version


def test_two_people_put_a_version_in_production(horizon, grid, proposed, risks, committee):
    former = champion_for()

    approve_promotion(promotion=proposed, by=committee)

    assert champion_for() == grid
    former.refresh_from_db()
    proposed.refresh_from_db()
    assert (former.status, proposed.status) == ("retired", "started")
    last = Championship.objects.get(model_version=grid)
    assert (last.follows.model_version, last.previous_started_at) == (former, last.follows.started_at)
    assert (last.proposed_by_id, last.started_by_id, last.gates) == (risks.id, committee.id, proposed.gates)
    actions = AuditEntry.objects.filter(object_uid=grid.uid).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["model.import", "model.propose", "model.approve", "model.promote"]
    prediction, _created = score_values(raw=BODY, by=risks)
    assert prediction.model_version == grid


def test_the_checklist_is_kept_as_it_was(proposed):
    gates = {gate["code"]: gate for gate in proposed.gates}

    assert set(gates) >= {
        "loads",
        "signs",
        "profiles",
        "spread",
        "declared_rate",
        "two_people",
        "own_history",
    }
    assert gates["declared_rate"] == {
        "code": "declared_rate", "verdict": "passed", "figure": 0.09, "low": 0.005, "high": 0.4,
        "unit": "rate", "about": [],
    }  # fmt: skip


def test_who_may_approve_is_told(proposed, horizon, risks):
    message = OutboxMessage.objects.filter(kind="alert").order_by("-pk").first()

    assert message.payload["code"] == "model.proposed"
    assert horizon.user(COMMITTEE).pk in message.payload["recipients"]
    assert risks.id not in message.payload["recipients"]


def test_the_proposer_does_not_approve(proposed, risks):
    with pytest.raises(SamePerson):
        approve_promotion(promotion=proposed, by=risks)
    with pytest.raises(SamePerson):
        decline_promotion(promotion=proposed, by=risks, reason="non")
    assert champion_for().name == "defaut-imf"


def test_the_database_wants_two_people_too(proposed, risks, grid):
    with pytest.raises(IntegrityError), transaction.atomic():
        Promotion.objects.filter(pk=proposed.pk).update(status="started", decided_by=risks.id)
    last = Championship.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Championship.objects.create(
            model_version=grid,
            started_at=timezone.now(),
            follows=last,
            previous_started_at=last.started_at,
            origin="promotion",
            proposed_by_id=risks.id,
            started_by_id=risks.id,
        )


def test_a_role_without_the_verb_neither_proposes_nor_approves(horizon, grid, proposed):
    analyst, auditor = horizon.actor(horizon.analyst), horizon.actor(horizon.auditor)
    for act in (
        lambda: propose_promotion(version=grid, by=analyst, reason="x"),
        lambda: approve_promotion(promotion=proposed, by=analyst),
        lambda: approve_promotion(promotion=proposed, by=auditor),
        lambda: approve_promotion(promotion=proposed, by=task_actor(grid.institution_id)),
        lambda: withdraw_promotion(promotion=proposed, by=auditor),
        lambda: roll_back(version=champion_for(), by=analyst, reason="x"),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_one_promotion_is_open_at_a_time(proposed, grid, risks):
    other = import_scorecard(document=changed(version="2", declared_default_rate=0.1), by=risks)

    with pytest.raises(PromotionClosed):
        propose_promotion(version=other, by=risks, reason="x")
    withdraw_promotion(promotion=proposed, by=risks)
    assert propose_promotion(version=other, by=risks, reason="x").status == "proposed"


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_reason_is_needed(grid, risks, reason):
    with pytest.raises(InvalidValues):
        propose_promotion(version=grid, by=risks, reason=reason)


def test_a_decision_is_taken_once(proposed, committee, horizon):
    decline_promotion(promotion=proposed, by=committee, reason="Trop tôt")

    second = horizon.actor("admin@horizon.demo")
    with pytest.raises(PromotionClosed):
        approve_promotion(promotion=proposed, by=second)
    proposed.refresh_from_db()
    assert (proposed.status, proposed.decision_reason) == ("declined", "Trop tôt")
    assert champion_for().name == "defaut-imf"


@pytest.mark.parametrize(
    ("entry", "gate"),
    [
        ({"name": "nb_retards_30j", "cuts": [1, 3], "points": [-60, 0, 40]}, "signs"),
        ({"name": "age", "cuts": [30], "points": [0, 40]}, "profiles"),
        ({"name": "nb_retards_30j", "cuts": [1], "points": [0, -400]}, "lowest_score"),
        ({"name": "nb_retards_30j", "cuts": [1], "points": [400, 0]}, "highest_score"),
        ({"name": "nb_retards_30j", "cuts": [1], "points": [10, -10]}, "spread"),
    ],
)
def test_a_scorecard_that_fails_a_gate_is_not_proposed(risks, entry, gate):
    version = import_scorecard(document=changed(variables=[entry]), by=risks)

    assert verdicts(version, risks)[gate] == "failed"
    with pytest.raises(GateFailed):
        propose_promotion(version=version, by=risks, reason="x", explanation="y")


def test_a_declared_rate_beyond_belief_fails(risks):
    version = import_scorecard(document=changed(declared_default_rate=0.7), by=risks)

    assert verdicts(version, risks)["declared_rate"] == "failed"


def test_a_level_far_from_what_was_seen_must_be_explained(risks):
    version = import_scorecard(document=changed(declared_default_rate=0.38), by=risks)

    assert verdicts(version, risks)["own_level"] == "explain"
    with pytest.raises(GateFailed) as refusal:
        propose_promotion(version=version, by=risks, reason="x")
    assert set(refusal.value.fields) == {"explanation"}
    assert propose_promotion(version=version, by=risks, reason="x", explanation="Crise attendue")


def test_without_another_person_nothing_is_proposed(grid, risks):
    from apps.users.models import Membership

    others = Membership.objects.filter(institution_id=risks.institution_id).exclude(user_id=risks.id)
    others.update(is_active=False)

    assert verdicts(grid, risks)["two_people"] == "failed"
    with pytest.raises(GateFailed):
        propose_promotion(version=grid, by=risks, reason="x")


def test_a_trained_model_from_elsewhere_is_not_proposed(grid, risks):
    ModelVersion.objects.filter(pk=grid.pk).update(training_data="institution")
    grid.refresh_from_db()

    found = verdicts(grid, risks)
    assert {found["fairness"], found["permutation"]} == {"unmeasured"}
    with pytest.raises(GateFailed):
        propose_promotion(version=grid, by=risks, reason="x")


def test_outside_demonstration_a_synthetic_model_is_not_proposed(horizon, risks, settings):
    version = champion_for()
    settings.DEMO_MODE = False
    ModelVersion.objects.update(status="candidate")

    with pytest.raises(GateFailed):
        propose_promotion(version=version, by=risks, reason="x")


def test_a_model_altered_after_the_proposal_is_not_approved(proposed, grid, committee):
    ModelVersion.objects.filter(pk=grid.pk).update(sha256="f" * 64)

    with pytest.raises(GateFailed):
        approve_promotion(promotion=proposed, by=committee)
    assert champion_for().name == "defaut-imf"


# --- hours ----------------------------------------------------------------------------------------------


def test_a_promotion_starts_at_its_hour(grid, risks, committee, world):
    promotion = propose_promotion(
        version=grid, by=risks, reason="x", starts_at=timezone.now() + dt.timedelta(hours=2)
    )
    approve_promotion(promotion=promotion, by=committee)
    assert (champion_for().name, Promotion.objects.get(pk=promotion.pk).status) == ("defaut-imf", "approved")

    Promotion.objects.filter(pk=promotion.pk).update(starts_at=timezone.now())
    from apps.registry.services.promotions import start_due_promotion

    task = task_actor(grid.institution_id)
    assert start_due_promotion(by=task) is True
    assert start_due_promotion(by=task) is False
    assert champion_for() == grid
    last = Championship.objects.get(model_version=grid)
    assert (last.proposed_by_id, last.started_by_id) == (risks.id, committee.id)


def test_a_model_that_does_not_load_at_its_hour_leaves_the_champion(grid, risks, committee):
    from apps.registry.services.promotions import start_due_promotion

    promotion = propose_promotion(
        version=grid, by=risks, reason="x", starts_at=timezone.now() + dt.timedelta(hours=2)
    )
    approve_promotion(promotion=promotion, by=committee)
    Promotion.objects.filter(pk=promotion.pk).update(starts_at=timezone.now())
    ModelVersion.objects.filter(pk=grid.pk).update(sha256="f" * 64)

    assert start_due_promotion(by=task_actor(grid.institution_id)) is True

    promotion.refresh_from_db()
    assert (promotion.status, champion_for().name) == ("failed", "defaut-imf")


def test_a_scheduled_start_can_be_taken_back(grid, risks, committee):
    promotion = propose_promotion(
        version=grid, by=risks, reason="x", starts_at=timezone.now() + dt.timedelta(hours=2)
    )
    approve_promotion(promotion=promotion, by=committee)

    withdraw_promotion(promotion=promotion, by=risks)

    assert not Promotion.objects.open().exists()


@pytest.mark.parametrize("days", [-1, 91])
def test_an_hour_gone_or_too_far_is_refused(grid, risks, days):
    with pytest.raises(InvalidValues):
        propose_promotion(
            version=grid, by=risks, reason="x", starts_at=timezone.now() + dt.timedelta(days=days)
        )


@pytest.mark.django_db(transaction=True, databases=["default", "platform"])
def test_the_task_starts_what_is_due_in_every_institution(world):
    with world.scope():
        risks, committee = world.actor(world.risk_manager), world.actor(COMMITTEE)
        grid = import_scorecard(document=DOCUMENT, by=risks)
        promotion = propose_promotion(
            version=grid, by=risks, reason="x", starts_at=timezone.now() + dt.timedelta(hours=2)
        )
        approve_promotion(promotion=promotion, by=committee)
        Promotion.objects.filter(pk=promotion.pk).update(starts_at=timezone.now())

    start_due_promotions()

    with world.scope():
        assert champion_for() == grid
    with world.scope("ngwa"):
        assert champion_for().name == "defaut-imf"


# --- rollback -------------------------------------------------------------------------------------------


def test_a_rollback_brings_back_the_one_before_and_says_why(grid, proposed, risks, committee):
    former = champion_for()
    approve_promotion(promotion=proposed, by=committee)

    assert roll_back(version=grid, by=committee, reason="Scores trop sévères") == former

    assert champion_for() == former
    last = Championship.objects.order_by("-started_at").first()
    assert (last.origin, last.reason, last.started_by_id) == ("rollback", "Scores trop sévères", committee.id)
    assert AuditEntry.objects.filter(action="model.rollback", object_uid=former.uid).exists()


def test_going_back_twice_goes_further_never_forth(risks, committee):
    first = champion_for()
    second = promoted(DOCUMENT, risks, committee)
    third = promoted(changed(version="2", declared_default_rate=0.1), risks, committee)

    roll_back(version=third, by=committee, reason="a")
    assert champion_for() == second
    roll_back(version=champion_for(), by=committee, reason="b")
    assert champion_for() == first
    assert version_before(first) is None
    with pytest.raises(ModelNotAllowed):
        roll_back(version=first, by=committee, reason="c")


def test_only_the_champion_is_rolled_back_with_a_reason(grid, committee):
    with pytest.raises(PromotionClosed):
        roll_back(version=grid, by=committee, reason="x")
    with pytest.raises(InvalidValues):
        roll_back(version=champion_for(), by=committee, reason=" ")


def test_nothing_goes_back_to_a_model_that_does_not_load(grid, proposed, committee):
    former = champion_for()
    approve_promotion(promotion=proposed, by=committee)
    ModelVersion.objects.filter(pk=former.pk).update(sha256="f" * 64)

    with pytest.raises(NoApprovedModel):
        roll_back(version=grid, by=committee, reason="x")
    assert champion_for() == grid


# --- history --------------------------------------------------------------------------------------------


def test_who_was_in_production_when_is_known_to_the_second(grid, proposed, risks, committee):
    former = champion_for()
    before = timezone.now()
    approve_promotion(promotion=proposed, by=committee)
    switched = Championship.objects.get(model_version=grid).started_at

    (then,) = in_production_at(switched - dt.timedelta(microseconds=1))
    (now,) = in_production_at(switched)

    assert (then.model_version, now.model_version) == (former, grid)
    assert switched >= before
    assert in_production_at(dt.datetime(2020, 1, 1, tzinfo=dt.UTC)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE registry_championship SET started_at = now()",
        "UPDATE registry_championship SET started_by_id = NULL",
        "DELETE FROM registry_championship",
        "DELETE FROM registry_modelversion",
        "DELETE FROM registry_promotion",
    ],
)
def test_the_site_cannot_rewrite_the_history(horizon, statement):
    with transaction.atomic(), connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="permission denied"):
            cursor.execute(statement)
        transaction.set_rollback(True)


def _save_checked(row):
    with transaction.atomic(), connection.cursor() as cursor:
        row.save(force_insert=True)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_time_cannot_be_written_in_between_or_before(grid, proposed, committee):
    approve_promotion(promotion=proposed, by=committee)
    first, second = Championship.objects.order_by("started_at")
    middle = first.started_at + (second.started_at - first.started_at) / 2

    def insert(**values):
        row = Championship(**{"model_version": grid, "origin": "installation", **values})
        with pytest.raises(IntegrityError):
            _save_checked(row)

    insert(started_at=middle, follows=first, previous_started_at=first.started_at)  # it has its successor
    insert(started_at=first.started_at - dt.timedelta(days=1))  # a second beginning
    insert(started_at=middle, follows=second, previous_started_at=second.started_at)  # before what it follows
    insert(  # a predecessor that began otherwise
        started_at=timezone.now(), follows=second, previous_started_at=first.started_at
    )
    insert(started_at=timezone.now(), follows=second, previous_started_at=None)
    insert(  # of another segment
        segment="agricole", started_at=timezone.now(), follows=second, previous_started_at=second.started_at
    )


# --- at the same time -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once_are_one(world):
    with world.scope():
        risks = world.actor(world.risk_manager)
        grid = import_scorecard(document=DOCUMENT, by=risks)
        promotion = propose_promotion(version=grid, by=risks, reason="x")
    approvers = [world.actor(email) for email in (COMMITTEE, "admin@horizon.demo", "risques2@horizon.demo")]
    gate, ends = threading.Barrier(len(approvers)), []

    def approve(by):
        try:
            with tenant_scope(by.institution_id):
                gate.wait()
                approve_promotion(promotion=promotion, by=by)
            ends.append("done")
        except PromotionClosed:
            ends.append("closed")
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=[by]) for by in approvers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(ends) == ["closed", "closed", "done"]
    with world.scope():
        assert Championship.objects.filter(model_version=grid).count() == 1


@pytest.mark.django_db(transaction=True)
def test_both_ways_of_scoring_switch_without_an_error_or_a_mixture(world, api):
    with world.scope():
        risks, committee = world.actor(world.risk_manager), world.actor(COMMITTEE)
        grid = import_scorecard(document=DOCUMENT, by=risks)
        promotion = propose_promotion(version=grid, by=risks, reason="x")
    token = world.access_token(world.analyst)
    answers, stop = [], threading.Event()

    def ask(headers):
        from django.test import Client

        client = Client(headers={"Authorization": f"Bearer {token}"})
        while not stop.is_set():
            answers.append(client.post("/api/v1/predict", BODY, content_type="application/json", **headers))
        connection.close()

    ways = ({}, {"query_params": {}, "HTTP_ORIGIN": "https://credisense.example"})  # direct, complete
    threads = [threading.Thread(target=ask, args=[headers]) for headers in ways]
    for thread in threads:
        thread.start()
    try:
        while len(answers) < 10:
            stop.wait(0.05)
        with world.scope():
            approve_promotion(promotion=promotion, by=committee)
        switched, patience = timezone.now(), time.monotonic() + 60
        after = len(answers)
        while len(answers) < after + 20 and time.monotonic() < patience:
            stop.wait(0.05)
        stop.wait(1)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)

    scored = [answer for answer in answers if answer.status_code != 429]
    assert {answer.status_code for answer in scored} == {201}
    bodies = [answer.json() for answer in scored]
    figures = {(body["modele"]["nom"], body["probabilite_defaut"]) for body in bodies}
    assert {name for name, _pd in figures} == {"defaut-imf", "grille-agence"}
    assert len(figures) == 2  # one probability a model: none is a mixture
    late = [
        body
        for body in bodies
        if dt.datetime.fromisoformat(body["date"]) > switched + dt.timedelta(seconds=1)
    ]
    assert {body["modele"]["nom"] for body in late} <= {"grille-agence"}
