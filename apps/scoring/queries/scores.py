"""Scores that were given: lists, one of them, figures over them."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Avg, Count, F, Func, Q, QuerySet, TextField
from django.utils.translation import gettext as _

from apps.credits.features import application_values
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.clients import keys_of_file
from apps.credits.queries.dictionary import known_variables
from apps.engine import scorecard
from apps.engine.contracts import CaseFacts, Value
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion
from apps.scoring.enums import Recommendation, Source
from apps.scoring.models import LINES, BatchChunk, Prediction, ScoredLine, ScoringBatch
from apps.scoring.queries.batches import visible_batches
from apps.scoring.queries.policies import figures_of_policy
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound


def visible_predictions(actor: Actor) -> QuerySet[Prediction]:
    """Return the scores of the agencies that ``actor`` sees, and the actor's own."""
    predictions = Prediction.objects.select_related(
        "application", "client", "agency", "model_version", "policy", "author"
    )
    if actor.agency_ids is None:
        return predictions
    shown = Q(agency_id__in=actor.agency_ids)
    if actor.person_id is not None:
        shown |= Q(agency=None, author_id=actor.person_id)
    return predictions.filter(shown)


def my_predictions(actor: Actor) -> QuerySet[Prediction]:
    """Return the scores that ``actor`` asked for, newest first."""
    return visible_predictions(actor).filter(author_id=actor.id).order_by("-created_at", "-uid")


def latest_score_of(application: CreditApplication) -> Prediction | None:
    """Return the last score of an application, or ``None``."""
    rows = Prediction.objects.select_related("application", "client", "model_version", "policy", "author")
    return rows.filter(application=application).order_by("-created_at", "-id").first()


def is_current(prediction: Prediction, application: CreditApplication) -> bool:
    """Say whether a score was computed from the values that the application has now."""
    values, _warnings = application_values(application)
    return bool(prediction.inputs == values)


def scores_of_client(actor: Actor, *files: Client) -> QuerySet[Prediction]:
    """Return the visible scores made on some files, the latest first."""
    return visible_predictions(actor).filter(client__in=files).order_by("-created_at", "-uid")


def scores_found(
    actor: Actor,
    *,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    author_id: int | None = None,
    agency_id: int | None = None,
    client_uid: UUID | None = None,
    band: str = "",
    source: str = "",
) -> QuerySet[Prediction]:
    """Return the visible scores of a period (``end`` excluded) that answer to every filter given.

    Those of a client are also those of the files merged into the client's.
    The columns that a list does not show, the long ones, are left in the database until asked for.
    """
    wanted = {
        "created_at__gte": start,
        "created_at__lt": end,
        "author_id": author_id,
        "agency_id": agency_id,
        "band": band,
        "source": source,
    }
    found = visible_predictions(actor).filter(**{name: value for name, value in wanted.items() if value})
    if client_uid is not None:
        found = found.filter(client__in=keys_of_file(client_uid))
    return found.defer("contributions", "rules", "facts", "policy__figures", "policy__costs")


def get_visible_prediction(actor: Actor, uid: UUID) -> Prediction:
    """Return one score; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    prediction = visible_predictions(actor).filter(uid=uid).first() or _line_found(actor, uid)
    if prediction is None:
        raise ObjectNotFound(_("No such score."))
    return prediction


def _line_found(actor: Actor, uid: UUID) -> Prediction | None:
    line = ScoredLine.objects.filter(uid=uid).first()
    if line is None:
        return None
    batch = visible_batches(actor).filter(lines_from=line.lines_from).first()
    return None if batch is None else prediction_of_line(line, batch)


def prediction_of_line(line: ScoredLine, batch: ScoringBatch) -> Prediction:
    """Return the score of a line as any other score reads, in memory: the same figures, nothing computed.

    What a rule looked at and its limit follow from the inputs and the policy; what it said is as stored.
    """
    from apps.engine.lines import BANDS, RECOMMENDATIONS, VERDICTS, WARNINGS, decoded
    from apps.engine.policy import evaluate_rules

    version = ModelVersion.objects.get(pk=batch.champions[line.model]["id"])
    scorer, facts = load_scorer(version), CaseFacts()
    values = decoded(batch.columns, line.inputs, known_variables(batch.columns))
    said = {verdict[0]: verdict for verdict in VERDICTS}
    rules = [
        rule._replace(verdict=said[letter])
        for rule, letter in zip(
            evaluate_rules(values, facts, figures_of_policy(batch.policy)), line.verdicts, strict=True
        )
    ]
    scored_at = batch.chunks.values_list("created_at", flat=True).get(
        first_line__lte=line.line, last_line__gte=line.line
    )
    known = asdict(facts)
    contributions = zip(scorer.variables, line.log_odds, strict=True)
    return Prediction(
        uid=line.uid,
        model_version=version,
        policy=batch.policy,
        source=Source.BATCH,
        author_id=batch.author_id if batch.author_kind == "user" else None,
        inputs=values,
        facts=known,
        input_hash=hash_of_inputs(values, known),
        pd=line.pd,
        base=scorer.base,
        contributions=[
            {"variable": name, "value": values.get(name), "log_odds": part} for name, part in contributions
        ],
        threshold=line.threshold,
        predicted_default=line.pd >= line.threshold,
        points=line.points,
        grade=scorecard.GRADES[line.grade],
        band=BANDS[line.band],
        recommendation=RECOMMENDATIONS[line.recommendation],
        expected_loss_xaf=line.expected_loss_xaf,
        max_amount_xaf=None,
        max_amount_reason="non_calcule",
        rules=[rule._asdict() for rule in rules],
        warnings=[name for bit, name in enumerate(WARNINGS) if line.warnings >> bit & 1],
        duration_ms=0.0,
        created_at=scored_at,
    )


def client_reference_of(uid: UUID) -> str:
    """Return what a scored file says of whose line ``uid`` is, empty where it does not say.

    For the identifier of a line that the actor was shown; of any other score nothing.
    """
    chunks = BatchChunk.objects.filter(
        batch__lines_from=UUID(int=uid.int & ~LINES),
        first_line__lte=uid.int & LINES,
        last_line__gte=uid.int & LINES,
    )
    place = models.Value(uid.int & LINES) - F("first_line")
    told = Func(F("client_references"), place, template="%(expressions)s", arg_joiner=" ->> ")
    told.output_field = TextField()
    return chunks.annotate(reference=told).values_list("reference", flat=True).first() or ""


def hash_of_inputs(values: Mapping[str, Value], facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hexadecimal) of the canonical JSON of values and facts."""
    canonical = json.dumps({"values": dict(values), "facts": facts}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """Scores of a period: how many, the share with favourable advice, the mean probability (or ``None``)."""

    count: int
    favourable_share: float | None
    mean_pd: float | None


def score_figures_in(actor: Actor, *periods: tuple[dt.datetime, dt.datetime]) -> list[ScoreFigures]:
    """Return the figures of the visible scores of each period (start included, end not), by one statement."""
    columns: dict[str, Any] = {}
    for number, (start, end) in enumerate(periods):
        within = Q(created_at__gte=start, created_at__lt=end)
        columns[f"count{number}"] = Count("id", filter=within)
        columns[f"good{number}"] = Count("id", filter=within & Q(recommendation=Recommendation.GRANT))
        columns[f"pd{number}"] = Avg("pd", filter=within)
    first, last = min(start for start, _end in periods), max(end for _start, end in periods)
    rows = visible_predictions(actor).filter(created_at__gte=first, created_at__lt=last).order_by()
    sums = rows.aggregate(**columns)
    return [
        ScoreFigures(
            count=sums[f"count{number}"],
            favourable_share=sums[f"good{number}"] / sums[f"count{number}"]
            if sums[f"count{number}"]
            else None,
            mean_pd=sums[f"pd{number}"],
        )
        for number in range(len(periods))
    ]


def latest_scores(actor: Actor, field: str, keys: list[int]) -> dict[int, Prediction]:
    """Return the latest visible score of each client or application (``field``), by its key."""
    if not keys:
        return {}
    scores = visible_predictions(actor).filter(**{f"{field}_id__in": keys})
    newest = scores.order_by(f"{field}_id", "-created_at").distinct(f"{field}_id")
    return {getattr(score, f"{field}_id"): score for score in newest}
