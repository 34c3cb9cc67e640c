"""Reads of scores and policies."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Avg, Count, F, Func, Q, QuerySet, TextField
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.queries import recent_reads
from apps.credits.enums import Outcome
from apps.credits.features import application_values
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.applications import search_applications, visible_applications
from apps.credits.queries.clients import keys_of_file, search_clients, standing_clients
from apps.engine import reasons, scorecard
from apps.engine.contracts import (
    CaseFacts,
    Contribution,
    Lang,
    PolicyFigures,
    RuleOutcome,
    ScoringResult,
    Value,
)
from apps.engine.contracts import Recommendation as Advised
from apps.engine.dictionary import STANDARD
from apps.engine.ratios import Means, means_of
from apps.engine.wording import format_value
from apps.jobs.enums import JobStatus
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion
from apps.registry.queries import champion_for
from apps.scoring.enums import ProposalStatus, Recommendation, Source
from apps.scoring.errors import NoPolicy
from apps.scoring.models import (
    LINES,
    BatchChunk,
    PolicyProposal,
    Prediction,
    ScoredLine,
    ScoringBatch,
    ScoringPolicy,
    ShadowScore,
)
from apps.scoring.validators import PolicyDraft, costs_from_json, figures_from_json
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.prepared import Prepared

#: The latest scores of the institution that one score is compared to: a bounded read, whatever the years.
COMPARED = 5_000
#: How far back a challenger is compared with what was in production.
SHADOWED = dt.timedelta(days=90)
#: The latest scores that a comparison looks at.
MOST_SHADOWED = 20_000
#: Fewer others than this say nothing of a position.
FEWEST_COMPARED = 20
_BARS = 22


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


def visible_batches(actor: Actor) -> QuerySet[ScoringBatch]:
    """Return the files that ``actor`` sent to be scored; all of them for who sees every agency."""
    rows = ScoringBatch.objects.visible_to(actor)
    return rows.select_related("job", "source", "result", "model_version", "policy")


def get_visible_batch(actor: Actor, uid: UUID) -> ScoringBatch:
    """Return one scored file; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    batch = visible_batches(actor).filter(uid=uid).first()
    if batch is None:
        raise ObjectNotFound(_("No such file."))
    return batch


def expected_end(batch: ScoringBatch) -> dt.datetime | None:
    """Return when a running file should be done at the pace so far; ``None`` while nothing is known."""
    job = batch.job
    if job.status != JobStatus.RUNNING or job.started_at is None or not batch.lines_read:
        return None
    now = timezone.now()
    left = max(batch.lines_total - batch.lines_read, 0)
    spent: dt.timedelta = now - job.started_at
    return now + spent * (left / batch.lines_read)


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
    values = decoded(batch.columns, line.inputs)
    said = {verdict[0]: verdict for verdict in VERDICTS}
    rules = [
        replace(rule, verdict=said[letter])
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
        rules=[asdict(rule) for rule in rules],
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


def champion_variables() -> tuple[ModelVersion, frozenset[str]]:
    """Return the champion in production and the names of the variables it uses; raise ``NoApprovedModel``."""
    version = champion_for()
    return version, frozenset(load_scorer(version).variables)


def _policy_on(*, date: dt.date) -> QuerySet[ScoringPolicy]:
    rows = ScoringPolicy.objects.filter(effective_from__lte=date)
    return rows.order_by("-effective_from", "-version")[:1]


_POLICY = Prepared(_policy_on, tenant=True, date=dt.date)


def policy_on(date: dt.date | None = None) -> ScoringPolicy:
    """Return the policy in force on ``date`` (default: today); raise ``NoPolicy`` when none is."""
    policy = _POLICY.first(date=date or timezone.localdate())
    if policy is None:
        raise NoPolicy(_("This institution has no scoring policy yet."))
    return policy


def policy_in_force(date: dt.date) -> ScoringPolicy | None:
    """Return the policy that is, or as things stand will be, in force on a day; ``None`` without one."""
    return _POLICY.first(date=date)


@dataclass(frozen=True, slots=True)
class InForce:
    """From when to when a policy was, is or will be in force; ``end`` is ``None`` while none follows.

    A policy that another one of the same or an earlier day replaced before it began never was.
    """

    start: dt.datetime
    end: dt.datetime | None

    @property
    def never(self) -> bool:
        return self.end is not None and self.end <= self.start

    def holds(self, moment: dt.datetime) -> bool:
        """Say whether the policy was in force at a moment."""
        return self.start <= moment and (self.end is None or moment < self.end)


def policy_timeline() -> dict[int, InForce]:
    """Return when each policy of the institution is in force, by its key: at any moment, one at most.

    The latest day decides, then the latest version: a policy ends when one that comes after it in this order
    begins.
    """
    rows = list(
        ScoringPolicy.objects.only("effective_from", "created_at", "institution_id").order_by(
            "effective_from", "version"
        )
    )
    found: dict[int, InForce] = {}
    following: dt.datetime | None = None
    for row in reversed(rows):
        found[row.pk] = InForce(row.started_at, following)
        following = min(following or row.started_at, row.started_at)
    return found


def proposals_found(*, status: str = "") -> QuerySet[PolicyProposal]:
    """Return the policies that were proposed, decided or not; the first one of the institution too."""
    rows = PolicyProposal.objects.select_related("policy", "based_on", "proposed_by", "decided_by")
    return rows.filter(status=status) if status else rows


def get_proposal(uid: UUID) -> PolicyProposal:
    """Return one proposed policy; raise ``ObjectNotFound`` when unknown or elsewhere, alike."""
    proposal = proposals_found().filter(uid=uid).first()
    if proposal is None:
        raise ObjectNotFound(_("No such policy."))
    return proposal


def pending_proposal() -> PolicyProposal | None:
    """Return the proposal that waits for its second person; one at most waits."""
    return proposals_found(status=ProposalStatus.PROPOSED).first()


def draft_of(stored: ScoringPolicy | PolicyProposal) -> PolicyDraft:
    """Return everything that a stored policy, proposed or approved, says."""
    return PolicyDraft(figures_from_json(stored.figures), costs_from_json(stored.costs))


def figures_of_policy(policy: ScoringPolicy) -> PolicyFigures:
    """Return a stored policy's figures, checked once an object: advice and its reasons both ask."""
    read: PolicyFigures | None = policy.__dict__.get("figures_read")
    if read is None:
        read = policy.__dict__["figures_read"] = figures_from_json(policy.figures)
    return read


@dataclass(frozen=True, slots=True)
class Factor:
    """One variable's part in a score, in words; ``points`` is negative when it raises the risk."""

    variable: str
    label: str
    value: Value
    value_text: str
    log_odds: float
    points: int
    sentence: str

    @property
    def adverse(self) -> bool:
        return self.log_odds > 0


@dataclass(frozen=True, slots=True)
class RuleLine:
    """What one rule of the policy said, in words."""

    outcome: RuleOutcome
    label: str
    lang: Lang

    @property
    def sentence(self) -> str:
        return reasons.rule_text(self.outcome, self.lang)


def factors_of(prediction: Prediction, *, lang: Lang, every: bool = False) -> tuple[Factor, ...]:
    """Return the strongest factors (at most 6; adverse first unless the advice is to grant), or all."""
    recommendation: Any = prediction.recommendation
    result, figures = _stored_result(prediction), figures_of_policy(prediction.policy)
    return factors_among(result, recommendation, figures, lang=lang, every=every)


def factors_among(
    result: ScoringResult,
    recommendation: Advised,
    figures: PolicyFigures,
    *,
    lang: Lang,
    every: bool = False,
) -> tuple[Factor, ...]:
    """Return the strongest factors of a score that need not be stored, or all."""
    chosen = result.contributions if every else reasons.strongest(result, recommendation)
    return tuple(
        Factor(
            variable=each.variable,
            label=STANDARD[each.variable].label(lang),
            value=each.value,
            value_text=format_value(STANDARD[each.variable], each.value, lang),
            log_odds=each.log_odds,
            points=scorecard.points_of_contribution(each.log_odds, figures),
            sentence=reasons.sentence(STANDARD[each.variable], each.value, each.log_odds, lang),
        )
        for each in chosen
    )


def breakdown_of(prediction: Prediction) -> scorecard.Breakdown:
    """Return the score taken apart in points; its parts follow ``prediction.contributions``."""
    result = _stored_result(prediction)
    return scorecard.breakdown(
        result.base,
        [each.log_odds for each in result.contributions],
        prediction.points,
        figures_of_policy(prediction.policy),
    )


def household_means(prediction: Prediction) -> Means:
    """Return what the household has, owes and keeps a month, by the values scored."""
    return means_of(prediction.inputs)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a score stands among the ``others`` scored lately: ``riskier`` of them have a higher probability.

    ``counts`` are the others by steps of the points' scale from ``lowest`` to ``highest``, all of them
    turned into points by the policy of this score; ``place`` is the step of this score.
    """

    others: int
    riskier: int
    counts: tuple[int, ...]
    place: int
    lowest: int
    highest: int

    @property
    def share(self) -> float | None:
        """The fraction of the others that is riskier, ``None`` when they are too few to say."""
        return self.riskier / self.others if self.others >= FEWEST_COMPARED else None


def position_of(prediction: Prediction) -> Position:
    """Compare a score with the latest 5,000 of the institution, all agencies, one per application.

    It is a figure about the institution and no file: whoever sees the score sees it. Scores without an
    application count one by one; other scores of the same application are left out.
    """
    latest = Prediction.objects.order_by("-created_at", "-uid").values_list("application_id", "uid", "pd")
    by_file: dict[int | UUID, float] = {}
    for application_id, uid, pd in latest[:COMPARED]:
        by_file.setdefault(application_id or uid, pd)
    by_file.pop(prediction.application_id or prediction.uid, None)
    figures = figures_of_policy(prediction.policy)
    counts = [0] * _BARS
    for pd in by_file.values():
        counts[_step(scorecard.points(pd, figures), figures)] += 1
    return Position(
        others=len(by_file),
        riskier=sum(pd > prediction.pd for pd in by_file.values()),
        counts=tuple(counts),
        place=_step(prediction.points, figures),
        lowest=figures.points_min,
        highest=figures.points_max,
    )


def _step(points: int, figures: PolicyFigures) -> int:
    width = figures.points_max - figures.points_min
    return min(max((points - figures.points_min) * _BARS // width, 0), _BARS - 1)


def rules_of(prediction: Prediction, *, lang: Lang) -> tuple[RuleLine, ...]:
    """Return every rule of the policy with what it said of this application."""
    return rules_among([RuleOutcome(**stored) for stored in prediction.rules], lang=lang)


def rules_among(outcomes: Iterable[RuleOutcome], *, lang: Lang) -> tuple[RuleLine, ...]:
    """Return the rules of a score that need not be stored, each with its label."""
    return tuple(RuleLine(outcome, reasons.rule_label(outcome.code, lang), lang) for outcome in outcomes)


def _stored_result(prediction: Prediction) -> ScoringResult:
    return ScoringResult(
        pd=prediction.pd,
        base=prediction.base,
        contributions=tuple(Contribution(**stored) for stored in prediction.contributions),
    )


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


@dataclass(frozen=True, slots=True)
class File:
    """What somebody may open: a client, an application or a score; ``latest`` is its latest score, if any."""

    subject: Any
    latest: Prediction | None

    @property
    def kind(self) -> str:
        """``client``, ``creditapplication`` or ``prediction``."""
        return str(self.subject._meta.model_name)


def search_files(actor: Actor, text: str, *, limit: int = 10) -> list[File]:
    """Return the clients, then the applications, that ``text`` may mean; five statements at most."""
    found = [
        *search_clients(actor, text, limit=limit),
        *search_applications(actor, text, limit=limit),
    ]
    return _with_latest(actor, found[:limit])


def recent_files(actor: Actor, *, limit: int = 8) -> list[File]:
    """Return the files that ``actor`` opened and still sees, the latest first; six statements at most."""
    opened = recent_reads(actor)
    rows = {
        (row._meta.label_lower, row.uid): row
        for visible in (standing_clients(actor), visible_applications(actor), visible_predictions(actor))
        for row in _among(visible, opened)
    }
    return _with_latest(actor, [rows[each] for each in opened if each in rows][:limit])


def _among(visible: QuerySet[Any], opened: list[tuple[str, UUID]]) -> list[Any]:
    uids = [uid for kind, uid in opened if kind == visible.model._meta.label_lower]
    return list(visible.filter(uid__in=uids)) if uids else []


def _with_latest(actor: Actor, subjects: list[Any]) -> list[File]:
    latest = {
        field: latest_scores(actor, field, [each.pk for each in subjects if isinstance(each, model)])
        for field, model in (("client", Client), ("application", CreditApplication))
    }
    of = {Client: latest["client"], CreditApplication: latest["application"]}
    return [
        File(each, each if isinstance(each, Prediction) else of[type(each)].get(each.pk)) for each in subjects
    ]


def latest_scores(actor: Actor, field: str, keys: list[int]) -> dict[int, Prediction]:
    """Return the latest visible score of each client or application (``field``), by its key."""
    if not keys:
        return {}
    scores = visible_predictions(actor).filter(**{f"{field}_id__in": keys})
    newest = scores.order_by(f"{field}_id", "-created_at").distinct(f"{field}_id")
    return {getattr(score, f"{field}_id"): score for score in newest}


def mean_in_training(version: ModelVersion) -> float | None:
    """Return the mean probability over what a model was trained on, as its card tells it, or ``None``."""
    metrics = load_scorer(version).artefact.manifest.get("metrics") or {}
    rate = metrics.get("predicted_rate")
    return None if rate is None else float(rate)


@dataclass(frozen=True, slots=True)
class Shadow:
    """A challenger beside what was in production, on the same scores of the last 90 days.

    ``moves[old][new]`` counts scores by band, that of production first, at the threshold each was given with.
    The AUCs, with their 95 % half-widths, are on the matured applications among them; ``None`` below ten
    defaults or ten others.
    """

    scores: int
    latest: dt.datetime | None
    mean_pd: float
    mean_pd_production: float
    moves: tuple[tuple[int, ...], ...]
    matured: int
    defaults: int
    auc: tuple[float, float] | None
    auc_production: tuple[float, float] | None

    @property
    def changed(self) -> int:
        return sum(count for old, row in enumerate(self.moves) for new, count in enumerate(row) if old != new)


#: Defaults, and others, below which no order of the risk is told.
_FEWEST_OF_EACH = 10


def shadow_of(version: ModelVersion) -> Shadow | None:
    """Return what a challenger makes of the latest scores, two statements; ``None`` before its first one."""
    rows = ShadowScore.objects.filter(model_version=version, scored_at__gte=timezone.now() - SHADOWED)
    latest = rows.order_by("-scored_at").values("pk")[:MOST_SHADOWED]
    known = ShadowScore.objects.filter(pk__in=latest)
    band = models.Case(
        models.When(pd__gte=F("prediction__threshold"), then=models.Value("eleve")),
        models.When(pd__gte=F("prediction__threshold") / 2, then=models.Value("modere")),
        default=models.Value("faible"),
    )
    groups = list(
        known.annotate(new=band)
        .values_list("prediction__band", "new")
        .annotate(Count("pk"), models.Sum("pd"), models.Sum("prediction__pd"), models.Max("scored_at"))
        .order_by()
    )
    if not groups:
        return None
    bands = ("faible", "modere", "eleve")
    counts = {(old, new): count for old, new, count, *_sums in groups}
    total = sum(counts.values())
    outcomes = list(
        known.filter(prediction__application__in=CreditApplication.objects.matured()).values_list(
            "pd", "prediction__pd", "prediction__application__outcome"
        )
    )
    own, production, defaults = _orders(outcomes)
    return Shadow(
        scores=total,
        latest=max(each[5] for each in groups),
        mean_pd=sum(each[3] for each in groups) / total,
        mean_pd_production=sum(each[4] for each in groups) / total,
        moves=tuple(tuple(counts.get((old, new), 0) for new in bands) for old in bands),
        matured=len(outcomes),
        defaults=defaults,
        auc=own,
        auc_production=production,
    )


def _orders(
    outcomes: list[tuple[float, float, str]],
) -> tuple[tuple[float, float] | None, tuple[float, float] | None, int]:
    import numpy as np

    from apps.engine.discrimination import auc, auc_standard_error

    y = np.array([outcome == Outcome.DEFAULT for _own, _production, outcome in outcomes], dtype=np.int8)
    defaults = int(y.sum())
    if min(defaults, len(y) - defaults) < _FEWEST_OF_EACH:
        return None, None, defaults
    found = []
    for place in (0, 1):
        pd = np.array([each[place] for each in outcomes], dtype=np.float64)
        found.append((auc(pd, y), 1.959964 * auc_standard_error(pd, y)))
    return found[0], found[1], defaults
