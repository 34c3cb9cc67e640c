"""The shortest way to a score by values: on terms read ahead, stored with its entry in one statement."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from apps.credits.services.applications import checked_values
from apps.engine.contracts import Advice, CaseFacts, ScoringResult
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion
from apps.scoring.models import Prediction, ScoringPolicy
from apps.scoring.queries.policies import figures_of_policy
from apps.scoring.services.scores import Case, compute, credit_type_of, figures_of, hash_of, plain
from apps.scoring.terms import Terms
from apps.tenancy.actor import Actor
from apps.tenancy.models import new_uid
from apps.tenancy.prepared import Call

COLUMNS = 34
SOURCE = "api"


@dataclass(frozen=True, slots=True)
class DirectScore:
    """A score by values before it is stored; the times are those of the row."""

    uid: UUID
    version: ModelVersion
    policy: ScoringPolicy
    case: Case
    result: ScoringResult
    advice: Advice
    figures: Mapping[str, Any]
    created_at: dt.datetime
    duration_ms: float


def score_direct(*, raw: Mapping[str, object], terms: Terms) -> DirectScore:
    """Score values as received, without a file behind them, on terms that were read ahead.

    Gives what ``score_values`` gives. Raises ``InvalidValues``, ``NoApprovedModel`` or ``NoPolicy``.
    """
    started = time.perf_counter()
    values, warnings = checked_values(raw)
    case = Case(values, CaseFacts(), warnings)
    version, policy = terms.champion_for(credit_type_of(case)), terms.policy
    result, advice = compute(case, load_scorer(version), figures_of_policy(policy))
    return DirectScore(
        uid=new_uid(),
        version=version,
        policy=policy,
        case=case,
        result=result,
        advice=advice,
        figures=figures_of(result, advice),
        created_at=timezone.now(),
        duration_ms=(time.perf_counter() - started) * 1000,
    )


def keep_direct(scores: Sequence[tuple[DirectScore, str]], *, by: Actor) -> None:
    """Write scores with their audit entries, all or none, in one statement.

    Each comes with the name of the request that asked for it; ``by`` asked for all of them. The database has
    answered when this returns.
    """
    _storing(len(scores)).row([text for score, request in scores for text in row_of(score, request, by=by)])


def storing(first: int) -> str:
    """Return the SQL expression that stores ``row_of`` one score, its parameters from ``first`` on."""
    return f"scoring_store({', '.join(f'${place}' for place in range(first, first + COLUMNS))})"


@cache
def _storing(count: int) -> Call:
    """Return the statement that stores so many scores."""
    return Call("SELECT " + ", ".join(storing(first) for first in range(1, count * COLUMNS, COLUMNS)))


def row_of(score: DirectScore, request: str, *, by: Actor) -> tuple[str | None, ...]:
    """Return what ``scoring_store`` takes: a score, and its entry under the name of a request."""
    figures = score.figures
    return (
        str(by.institution),
        str(score.uid),
        str(score.version.pk),
        str(score.policy.pk),
        SOURCE,
        _text(by.person_id),
        _json(dict(score.case.values)),
        _json(plain(score.case.facts)),
        hash_of(score.case),
        repr(figures["pd"]),
        repr(figures["base"]),
        _json(figures["contributions"]),
        repr(figures["threshold"]),
        "t" if figures["predicted_default"] else "f",
        str(figures["points"]),
        figures["grade"],
        figures["band"],
        figures["recommendation"],
        str(figures["expected_loss_xaf"]),
        _text(figures["max_amount_xaf"]),
        figures["max_amount_reason"],
        _json(figures["rules"]),
        _json(figures["warnings"]),
        repr(score.duration_ms),
        score.created_at.isoformat(),
        str(new_uid()),
        by.kind,
        _text(by.id),
        by.display_name,
        "prediction.create",
        Prediction._meta.label_lower,
        _json({"source": SOURCE}),
        request,
        by.address,
    )


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
