"""Scoring: from an application, or from values, to one stored and explained prediction."""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from django.db import transaction
from django.utils import timezone

from apps.audit.services import record, record_read
from apps.credits.features import application_values, case_facts
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.clients import client_values
from apps.credits.queries.dictionary import dictionary_for
from apps.credits.services.applications import checked_values
from apps.engine.contracts import Advice, CaseFacts, PolicyFigures, ScoringInput, ScoringResult, Value
from apps.engine.ratios import without_ratios
from apps.outbox.enums import WebhookEvent
from apps.outbox.services import announce
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion
from apps.registry.queries import champion_for
from apps.scoring.models import Prediction, ScoringPolicy
from apps.scoring.queries.policies import figures_of_policy, policy_on
from apps.scoring.validators import figures_from_json
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues
from apps.tenancy.prepared import insert

if TYPE_CHECKING:
    from apps.engine.scorer import Scorer

SourceCode = Literal["page", "api", "batch"]
#: The reason of a score for which no maximal amount was sought: that of a line of a file.
NOT_SOUGHT = "non_calcule"


@dataclass(frozen=True, slots=True)
class Case:
    """What is scored: the values, the facts for the rules, and whose file they come from."""

    values: Mapping[str, Value]
    facts: CaseFacts
    warnings: tuple[str, ...] = ()
    application: CreditApplication | None = None
    client: Client | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """Stored and recomputed figures of one prediction."""

    stored: Mapping[str, Any]
    recomputed: Mapping[str, Any]

    @property
    def identical(self) -> bool:
        return dict(self.stored) == dict(self.recomputed)


def score_application(
    *, application: CreditApplication, by: Actor, source: SourceCode = "page"
) -> tuple[Prediction, bool]:
    """Score an application with the champion and the policy of today.

    Returns ``(prediction, created)``: asked again with the same inputs, model and policy, the same row
    comes back. Raises ``NoApprovedModel`` or ``NoPolicy``.
    """
    return _score(application_case(application), by=by, source=source)


def score_values(
    *, raw: Mapping[str, object], by: Actor, client: Client | None = None, source: SourceCode = "api"
) -> tuple[Prediction, bool]:
    """Score values as received, with a client's file behind them when one is given.

    Raises ``InvalidValues`` naming every field at fault; then nothing is stored. Each call without an
    application is stored.
    """
    today = timezone.localdate()
    known = client_values(client, on=today) if client is not None else {}
    values, warnings = checked_values({**known, **raw}, dictionary_for(raw))
    facts = case_facts(client, on=today)
    return _score(Case(values, facts, warnings, client=client), by=by, source=source)


def application_case(application: CreditApplication, *, on: dt.date | None = None) -> Case:
    """Return the case of an application: its values as known on its day, the facts of ``on`` (today)."""
    values, warnings = application_values(application)
    facts = case_facts(application.client, on=on or timezone.localdate(), application=application)
    return Case(values, facts, warnings, application, application.client)


def _score(case: Case, *, by: Actor, source: SourceCode) -> tuple[Prediction, bool]:
    started = time.perf_counter()
    version = champion_for(credit_type_of(case))
    policy = policy_on()
    input_hash = hash_of(case)
    if (known := _same_score(case, version, policy, input_hash)) is not None:
        return known, False
    scored = prediction_of(case, version, policy, input_hash, by=by, source=source, started=started)
    with transaction.atomic(savepoint=False):  # whoever asks is in a scope, hence in a transaction
        prediction, created = _insert_once(scored)
        if created:
            record(by=by, action="prediction.create", target=prediction, after={"source": source})
            announce(event=WebhookEvent.PREDICTION_CREATED, target=prediction.uid)
    return prediction, created


def prediction_of(
    case: Case,
    version: ModelVersion,
    policy: ScoringPolicy,
    input_hash: str,
    *,
    by: Actor,
    source: SourceCode,
    started: float,
) -> Prediction:
    """Return the score of a case by one model and one policy, not stored; ``started`` is when it was begun.

    Raises ``NoApprovedModel`` when the model's folder no longer is what its hash says.
    """
    result, advice = compute(case, load_scorer(version), figures_of_policy(policy))
    return Prediction(
        application=case.application,
        client=case.client,
        agency_id=_agency_id(case),
        model_version=version,
        policy=policy,
        source=source,
        author_id=by.person_id,
        inputs=dict(case.values),
        facts=plain(case.facts),
        input_hash=input_hash,
        **figures_of(result, advice),
        duration_ms=(time.perf_counter() - started) * 1000,
    )


def credit_type_of(case: Case) -> str:
    """Return the credit type that chooses the champion."""
    return str(case.values.get("type_credit") or "")


def figures_of(result: ScoringResult, advice: Advice) -> dict[str, Any]:
    """Return every figure of a score as its row stores it."""
    return {
        "pd": result.pd,
        "base": result.base,
        "contributions": [contribution._asdict() for contribution in result.contributions],
        "threshold": advice.threshold,
        "predicted_default": bool(advice.prediction),
        "points": advice.points,
        "grade": advice.grade,
        "band": advice.band,
        "recommendation": advice.recommendation,
        "expected_loss_xaf": advice.expected_loss_xaf,
        "max_amount_xaf": advice.max_amount_xaf,
        "max_amount_reason": advice.max_amount_reason or "",
        "rules": [rule._asdict() for rule in advice.rules],
        "warnings": list(advice.warnings),
    }


def plain(flat: Any) -> dict[str, Any]:
    """Return the fields of a dataclass whose values are plain; ``asdict`` would copy each one deeply."""
    names, values = _fields(flat.__class__)
    return dict(zip(names, values(flat), strict=True))


@cache
def _fields(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(kind.__dataclass_fields__)
    return names, attrgetter(*names)


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def hash_of(case: Case) -> str:
    """Return the SHA-256 (hexadecimal) of the canonical JSON of values and facts."""
    canonical = _canonical({"values": dict(case.values), "facts": plain(case.facts)})
    return hashlib.sha256(canonical.encode()).hexdigest()


def compute(
    case: Case, scorer: "Scorer", figures: PolicyFigures, *, amount: bool = True
) -> tuple[ScoringResult, Advice]:
    """Return the score of a case by one model, and the advice of one policy; with its maximal ``amount``."""
    from apps.engine.policy import advise

    result = scorer.score(ScoringInput(case.values))
    seeker, cap = (scorer, scorer.amount_p99) if amount else (None, None)
    advice = advise(result, case.values, case.facts, figures, case.warnings, scorer=seeker, amount_cap=cap)
    return result, advice


def _same_score(
    case: Case, version: ModelVersion, policy: ScoringPolicy, input_hash: str
) -> Prediction | None:
    if case.application is None:
        return None
    return Prediction.objects.filter(
        application=case.application, model_version=version, policy=policy, input_hash=input_hash
    ).first()


def _insert_once(prediction: Prediction) -> tuple[Prediction, bool]:
    """Insert, or return the row that a simultaneous request inserted first."""
    if prediction.application_id is None:
        insert(prediction)
        return prediction, True
    inserted = Prediction.objects.bulk_create([prediction], ignore_conflicts=True)
    stored = Prediction.objects.get(
        application_id=prediction.application_id,
        model_version_id=prediction.model_version_id,
        policy_id=prediction.policy_id,
        input_hash=prediction.input_hash,
    )
    return stored, stored.uid == inserted[0].uid


def _agency_id(case: Case) -> int | None:
    owner = case.application or case.client
    return owner.agency_id if owner is not None else None


def replay_prediction(*, prediction: Prediction, by: Actor) -> Replay:
    """Score a stored snapshot again with the stored model and policy; nothing is changed.

    Raises ``NoApprovedModel`` when the model's folder no longer is what its hash says.
    """
    case = Case(prediction.inputs, CaseFacts(**prediction.facts), tuple(prediction.warnings))
    figures = figures_of_policy(prediction.policy)
    sought = prediction.max_amount_reason != NOT_SOUGHT
    result, advice = compute(case, load_scorer(prediction.model_version), figures, amount=sought)
    recomputed = figures_of(result, advice)
    stored = {name: getattr(prediction, name) for name in recomputed}
    record(by=by, action="prediction.replay", target=prediction)
    return Replay(stored, recomputed)


#: What the two ratios of the dictionary are computed from.
RATIO_SOURCES = frozenset(
    {"revenu_mensuel", "montant_credit", "duree_mois", "taux_interet"}
    | {"mensualites_en_cours", "encours_autres_dettes"}
)


def simulate(
    *, base: Mapping[str, object] | Prediction, changes: Sequence[Mapping[str, object]], by: Actor
) -> list[Prediction]:
    """Score variants with the champion and the policy of today; nothing is stored.

    ``base`` is values as received or a stored score; each change replaces some of its values, ``None``
    makes one unknown. Where a change touches what the ratios come from and does not give them, they are
    computed again. Raises ``InvalidValues`` naming ``base.field`` or ``changes.number.field``.
    """
    if isinstance(base, Prediction):
        record_read(by=by, target=base)
        known = dictionary_for(base.inputs).known(base.inputs)  # without what was retired since
        start, facts = known, CaseFacts(**base.facts)
    else:
        start, facts = _checked_at("base", base)[0], CaseFacts()
    policy, found = policy_on(), []
    for number, change in enumerate(changes):
        kept = without_ratios(start) if RATIO_SOURCES & change.keys() else start
        values, warnings = _checked_at(f"changes.{number}", {**kept, **change})
        found.append(_simulated(Case(values, facts, warnings), policy))
    return found


def _checked_at(place: str, raw: Mapping[str, object]) -> tuple[dict[str, Value], tuple[str, ...]]:
    try:
        return checked_values(raw, dictionary_for(raw))
    except InvalidValues as refusal:
        fields = {f"{place}.{name}": messages for name, messages in refusal.fields.items()}
        raise InvalidValues(refusal.message, fields=fields) from None


def _simulated(case: Case, policy: ScoringPolicy) -> Prediction:
    started = time.perf_counter()
    version = champion_for(credit_type_of(case))
    result, advice = compute(case, load_scorer(version), figures_from_json(policy.figures))
    duration = (time.perf_counter() - started) * 1000
    return Prediction(
        model_version=version, policy=policy, duration_ms=duration, **figures_of(result, advice)
    )
