"""Training runs: asked, followed, stopped, tried again; what came out of one kept as a candidate.

A run learns and is judged here, and never puts anything in production: that takes two people.
"""

import datetime as dt
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.queries.ledger import horizon_months
from apps.engine.ledger import add_months
from apps.engine.training.candidates import KINDS
from apps.institutions.queries import get_institution, setting_on
from apps.jobs.enums import JobStatus
from apps.jobs.services import Claim, create_job, report_progress, request_cancel, retry_job
from apps.outbox.services import enqueue_alert
from apps.registry.enums import GENERAL_SEGMENT, ModelOrigin, ModelStatus, TrainingData, TrainingOrigin
from apps.registry.errors import ModelRefused, TrainingInterrupted, TrainingRefused
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion, TrainingRun
from apps.registry.queries import Standing, history_standing, standing_with, versions_of_run
from apps.registry.services.tracking import track_run
from apps.registry.services.training_data import (
    TrainingRows,
    facts_of,
    keep_snapshot,
    read_rows,
    recent_set,
    run_data,
)
from apps.registry.services.training_files import read_file, receive_training_file
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.roles import Verb

if TYPE_CHECKING:
    from django.core.files.base import File

    from apps.engine.training.runs import RunResult, RunSettings
    from apps.engine.training.settings import Economics

KIND = "training.run"
AUTO = "auto"
SPLITS = (AUTO, "nested", "out_of_time")
SEARCHES = ("none", "grid", "random", "optuna")
SAMPLINGS = ("none", "smote", "over", "under", "weights")
#: What is compared when nobody says otherwise: the usual one and what it must beat.
USUAL = ("default", "scorecard", "logistic")
FOLDS = (2, 10)
MOST_SEARCH_SECONDS = 900
MOST_SEED = 2**31 - 1
#: Dates that span so many months allow a test on the latest ones.
OUT_OF_TIME_MONTHS = 18
#: Months between two scheduled runs, by the dated setting ``retrain_every_months``; 0, the usual, is never.
NEVER = 0
#: Shares of the whole at which reading ends and writing begins.
_READ, _WRITE = 0.12, 0.96
_BEAT = 1.0

Priced = Callable[[TrainingRows], "Economics | None"]


@transaction.atomic
def ask_training(  # noqa: PLR0913  one keyword a choice of the form
    *,
    by: Actor,
    candidates: Sequence[str] = USUAL,
    split: str = AUTO,
    folds: int = 5,
    seed: int = 42,
    search: str = "none",
    search_seconds: int = 120,
    sampling: str = "none",
    observed_on: dt.date | None = None,
    upload: "File[Any] | None" = None,
    origin: str = TrainingOrigin.ASKED,
) -> TrainingRun:
    """Write the request of a run; the door enqueues its task.

    With ``upload`` it learns from that file instead of the portfolio. Raises ``NotAllowed``;
    ``InvalidValues`` naming what cannot be asked; ``FileRefused``; ``TrainingRefused`` when the history
    is too short for it or another run is under way.
    """
    _require(by)
    asked: dict[str, Any] = {
        "candidates": list(candidates),
        "split": split,
        "folds": folds,
        "seed": seed,
        "search": search,
        "search_seconds": search_seconds,
        "sampling": sampling,
    }
    day = observed_on or timezone.localdate()
    _check(asked, day)
    if upload is None:  # a file is counted when it is read
        _refuse_beyond(history_standing(), asked["candidates"])
    number = _next_number()
    source = None if upload is None else receive_training_file(upload=upload, by=by)
    run = TrainingRun.objects.create(
        number=number,
        origin=origin,
        asked=asked,
        observed_on=day,
        horizon_months=horizon_months(on=day),
        job=create_job(kind=KIND, by=by),
        source=source,
        asked_by_id=by.person_id,
    )
    record(by=by, action="training.ask", target=run, after={"number": number, **asked})
    return run


def _require(by: Actor) -> None:
    if by.kind not in {"user", "task"} or not by.may(Verb.PROPOSE_MODEL):
        raise NotAllowed(_("Your role does not allow this."))


def _check(asked: Mapping[str, Any], day: dt.date) -> None:
    wrong: dict[str, str] = {}
    candidates = asked["candidates"]
    if not candidates:
        wrong["candidates"] = _("Choose at least one candidate.")
    elif len(set(candidates)) < len(candidates) or not set(candidates) <= set(KINDS):
        wrong["candidates"] = _("This candidate is not known, or stands there twice.")
    for name, known in (("split", SPLITS), ("search", SEARCHES), ("sampling", SAMPLINGS)):
        if asked[name] not in known:
            wrong[name] = _("This choice is not known.")
    for name, low, high in (
        ("folds", *FOLDS),
        ("seed", 0, MOST_SEED),
        ("search_seconds", 1, MOST_SEARCH_SECONDS),
    ):
        if not low <= asked[name] <= high:
            told = {"low": low, "high": high}
            wrong[name] = _("Enter a number between %(low)s and %(high)s.") % told
    if day > timezone.localdate():
        wrong["observed_on"] = _("The observation date cannot be in the future.")
    if wrong:
        fields = {name: [message] for name, message in wrong.items()}
        raise InvalidValues(_("Some values cannot be used."), fields=fields)


def _refuse_beyond(standing: Standing, candidates: Sequence[str]) -> None:
    """Refuse what so short a history does not allow."""
    refused = [kind for kind in candidates if not standing.allows(kind)]
    if refused and refused == list(candidates):
        raise TrainingRefused(
            _("%(defaults)s matured defaults: too few to train this. Use an expert scorecard meanwhile.")
            % {"defaults": standing.defaults},
            fields={"candidates": [_("Your history does not allow these candidates yet.")]},
        )
    if refused:
        message = _("Your history does not allow these candidates yet.")
        raise TrainingRefused(message, fields={"candidates": [message]})


def _next_number() -> int:
    """Return the number of a new run; one is under way in an institution at most."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('registry.training ' || "
            "current_setting('app.institution_id'), 0))"
        )
    under_way = TrainingRun.objects.filter(job__status__in=(JobStatus.QUEUED, JobStatus.RUNNING))
    if under_way.exists():
        raise TrainingRefused(_("A run is under way already: wait for its end, or stop it."))
    last: int | None = TrainingRun.objects.aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


@transaction.atomic
def cancel_training(*, run: TrainingRun, by: Actor) -> None:
    """Stop a run; nothing of it is kept. Raises ``NotAllowed``, ``JobNotChangeable`` when it has ended."""
    _require(by)
    request_cancel(job=run.job, by=by)


@transaction.atomic
def retry_training(*, run: TrainingRun, by: Actor) -> None:
    """Ask again for a run that failed or was stopped, with the same settings; the door enqueues its task.

    Raises ``NotAllowed``, ``JobNotChangeable`` for any other run, ``TrainingRefused`` when another is under
    way.
    """
    _require(by)
    _next_number()
    retry_job(job=run.job, by=by)


def train(claim: Claim, *, priced: Priced) -> Mapping[str, Any]:
    """Do the job of a run: read, keep a snapshot, train, write the folders of what may be kept.

    ``priced`` gives what decisions are worth under the policy. A second attempt means that the worker was
    stopped in the middle, by the lack of memory perhaps: it ends as failed, and people may try again.
    """
    with claim.chunk():
        run = TrainingRun.objects.select_related("job", "source").get(job__uid=claim.uid)
        if run.result is not None:
            return _summary(run.result)
        if run.job.attempts > 1:
            raise TrainingInterrupted(
                _("The work was interrupted: start it again, with fewer candidates perhaps.")
            )
    beat = _Beat(claim, run)
    rows = _read(claim, run, beat)
    with claim.chunk():
        _keep_data(run, rows)
        economics = priced(rows)
    with claim.chunk():
        _require_learnable(run, rows)
    found = _run(run, rows, economics, beat)
    with claim.chunk():
        folder, kind = _models_folder(claim.institution_id), _training_data(run)
    written = _written(run, found, folder, kind, beat)
    with claim.chunk():
        run.snapshot = keep_snapshot(run, rows, by=claim.actor)
        summary = _keep_result(run, found, written, by=claim.actor)
    track_run(run)
    return summary


def _read(claim: Claim, run: TrainingRun, beat: "_Beat") -> TrainingRows:
    def tell(share: float) -> None:
        beat.tell("reading", _READ * share)

    if run.source is None:
        return read_rows(run, chunk=claim.chunk, tell=tell)
    return read_file(run.source, run, chunk=claim.chunk, tell=tell)


class _Beat:
    """Signs of life of a run, once a second at most; raises ``JobStopped`` when it is to stop."""

    def __init__(self, claim: Claim, run: TrainingRun) -> None:
        self.claim, self.run = claim, run
        self.last, self.step = 0.0, ""

    def tell(self, step: str, share: float) -> None:
        now = time.monotonic()
        if now - self.last < _BEAT and step == self.step:
            return
        with self.claim.chunk():
            report_progress(claim=self.claim, percent=round(100 * share))
            if step != self.step:
                TrainingRun.objects.filter(pk=self.run.pk).update(step=step[:60])
        self.last, self.step = now, step


def _keep_data(run: TrainingRun, rows: TrainingRows) -> None:
    """Keep what is told of the data, which is read even when the run then fails."""
    run.data = facts_of(rows)
    TrainingRun.objects.filter(pk=run.pk).update(data=run.data)


def _require_learnable(run: TrainingRun, rows: TrainingRows) -> None:
    if not 0 < rows.defaults < rows.rows:
        raise TrainingRefused(_("No matured credit defaulted, or all did: there is nothing to learn."))
    if run.source is not None:
        standing = standing_with(rows=rows.rows, defaults=rows.defaults)
        _refuse_beyond(standing, run.asked["candidates"])


def _run(run: TrainingRun, rows: TrainingRows, economics: "Economics | None", beat: _Beat) -> "RunResult":
    from apps.engine.profiles import PROFILES, profile_values
    from apps.engine.training.runs import RunRefused
    from apps.engine.training.runs import run as run_candidates

    def tell(step: str, share: float) -> None:
        beat.tell(step, _READ + (_WRITE - _READ) * share)

    try:
        return run_candidates(
            run_data(rows),
            _settings_of(run, rows),
            economics=economics,
            profiles={code: profile_values(code) for code in PROFILES},
            recent=recent_set(rows),
            tell=tell,
        )
    except RunRefused as refusal:
        raise TrainingRefused(_refusal_text(refusal.code)) from refusal


def _refusal_text(code: str) -> str:
    return {
        "too_few_rows": _("Fewer matured defaults than folds: ask for fewer folds, or wait."),
        "no_days": _("No test on the latest credits is possible: the dates are not known."),
        "one_period": _("No test on the latest credits is possible: they all are of one period."),
    }.get(code, _("These settings cannot be used."))


def _settings_of(run: TrainingRun, rows: TrainingRows) -> "RunSettings":
    """Return the settings with the split that the dates allow."""
    from apps.engine.training.settings import RunSettings

    asked = dict(run.asked)
    if asked["split"] == AUTO:
        spans = bool(rows.days) and max(rows.days) >= add_months(min(rows.days), OUT_OF_TIME_MONTHS)
        asked["split"] = "out_of_time" if spans else "nested"
    chosen = RunSettings(**{**asked, "candidates": tuple(asked["candidates"])})
    return replace(chosen, threads=settings.TRAINING_THREADS)


def _models_folder(institution_id: int) -> Path:
    return Path(settings.INSTITUTION_FILES_DIR) / str(get_institution(institution_id).uid) / "models"


def _written(
    run: TrainingRun, found: "RunResult", folder: Path, data: TrainingData, beat: _Beat
) -> dict[str, Any]:
    """Write the folder of each candidate that may be kept, under the hash of its manifest."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written: dict[str, Any] = {}
    for place, (kind, model) in enumerate(found.fitted.items()):
        beat.tell(f"writing:{kind}", _WRITE + (0.99 - _WRITE) * place / len(found.fitted))

        manifest = _manifest(run, kind, data, found.metrics_of(kind))
        written[kind] = {
            "sha256": _write(model, manifest, folder),
            **{n: manifest[n] for n in ("name", "version")},
        }
    return written


def _manifest(run: TrainingRun, kind: str, data: TrainingData, metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"entrainement-{kind.replace('_', '-')}",
        "version": str(run.number),
        "training_data": str(data),
        "trained_at": timezone.now().isoformat(),
        "training_period": _period(run.data or {}),
        "metrics": dict(metrics),
        "training_run": str(run.uid),
    }


def _write(model: Any, manifest: Mapping[str, Any], folder: Path) -> str:
    from apps.engine.training.writing import write_model

    with tempfile.TemporaryDirectory(dir=folder, prefix=".run-") as place:
        draft = Path(place) / "model"
        sha256 = write_model(draft, model, manifest)
        draft.rename(folder / sha256)
    return sha256


def _training_data(run: TrainingRun) -> TrainingData:
    """Tell what the history is: that of a demonstration is fictional, whoever trains on it."""
    assert run.institution_id is not None  # the table does not allow it
    fictional = get_institution(run.institution_id).is_demo
    return TrainingData.SYNTHETIC if fictional else TrainingData.INSTITUTION


def _period(facts: Mapping[str, Any]) -> dict[str, str]:
    if "from" not in facts:
        return {}
    days = {name: dt.date.fromisoformat(facts[name]) for name in ("from", "to")}
    return {name: f"{day:%d/%m/%Y}" for name, day in days.items()}


def flat_figures(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a candidate as a version keeps them: plain numbers, the interval of the AUC."""
    figures: Mapping[str, Any] = candidate["figures"]
    found = {name: told["value"] for name, told in figures.items() if told["value"] is not None}
    found |= {"auc_low": figures["auc"]["low"], "auc_high": figures["auc"]["high"]}
    return {**found, **{name: candidate[name] for name in ("observed_rate", "predicted_rate")}}


@transaction.atomic
def _keep_result(
    run: TrainingRun, found: "RunResult", written: dict[str, Any], *, by: Actor
) -> Mapping[str, Any]:
    """Keep what was found; a scheduled run enters its recommendation among the candidates, and no further."""
    run.result, run.written = found.as_dict(), written
    run.save(update_fields=["result", "written", "snapshot"])
    record(by=by, action="training.finish", target=run, after=_summary(run.result))
    kind = run.result["recommended"].get("deployable_kind")
    if run.origin == TrainingOrigin.SCHEDULED and kind in written:
        _add_version(run, kind, by=by)
    if run.asked_by_id is not None:
        enqueue_alert(code="training.done", recipients=[run.asked_by_id], payload={"training": str(run.uid)})
    return _summary(run.result)


def _summary(result: Mapping[str, Any]) -> dict[str, Any]:
    recommended = result["recommended"]
    return {"recommended": recommended.get("kind"), "candidates": len(result["candidates"])}


@transaction.atomic
def register_candidate(*, run: TrainingRun, kind: str, by: Actor) -> ModelVersion:
    """Keep a candidate of a run in the registry, with the gates that the run measured; never in production.

    Raises ``NotAllowed``; ``InvalidValues`` for a kind that the run did not write; ``ModelRefused`` when it
    is there already, or its folder is not what the run wrote.
    """
    _require(by)
    if kind not in run.written:
        message = _("This candidate serves the comparison only: it cannot be kept.")
        raise InvalidValues(message, fields={"kind": [message]})
    TrainingRun.objects.select_for_update().get(pk=run.pk)
    if kind in versions_of_run(run):
        raise ModelRefused(_("This very model is in the registry already."))
    facts: Mapping[str, Any] = run.data or {}
    _refuse_beyond(standing_with(rows=facts["rows"], defaults=facts["defaults"]), [kind])
    return _add_version(run, kind, by=by)


def _add_version(run: TrainingRun, kind: str, *, by: Actor) -> ModelVersion:
    assert run.result is not None  # what is written has a result
    facts: Mapping[str, Any] = run.data or {}
    told = run.written[kind]
    candidate = next(each for each in run.result["candidates"] if each["kind"] == kind)
    figures = flat_figures(candidate)
    own = {name: figures[name] for name in OWN}
    counts = {name: facts[name] for name in ("rows", "defaults")}

    version = ModelVersion.objects.create(
        name=told["name"],
        version=told["version"],
        sha256=told["sha256"],
        training_data=_training_data(run),
        trained_at=timezone.now(),
        metrics={
            **figures,
            **counts,
            "own": {**own, **counts},
            "gates": candidate["gates"],
            "run": str(run.uid),
        },
        period=_period(facts),
        segment=GENERAL_SEGMENT,
        status=ModelStatus.CANDIDATE,
        origin=ModelOrigin.TRAINED,
        created_by_id=by.person_id,
    )
    load_scorer(version)
    after = {"name": version.name, "version": version.version, "sha256": version.sha256, "run": run.number}
    record(by=by, action="model.train", target=version, after=after)
    return version


#: Figures of rows that the candidate had not seen, in place of a comparison with what it learnt.
OWN = ("auc", "auc_low", "auc_high", "observed_rate", "predicted_rate")


@transaction.atomic
def retrain_if_due(*, by: Actor) -> TrainingRun | None:
    """Ask for a run when the institution wants one so often and the last is too old; the door enqueues it.

    It compares what was compared last. A history that does not allow it asks for nothing.
    """
    months = int(setting_on("retrain_every_months", default=NEVER))
    if months <= 0 or not get_institution(by.institution).is_active:
        return None
    recent = add_months(timezone.localdate(), -months)
    if TrainingRun.objects.filter(created_at__date__gt=recent).exists():
        return None
    done = TrainingRun.objects.filter(job__status=JobStatus.DONE).order_by("-created_at").first()
    asked = dict(done.asked) if done is not None else {}
    wanted = asked.pop("candidates", USUAL)
    standing = history_standing()
    candidates = [kind for kind in wanted if standing.allows(kind)]
    if not candidates:
        return None
    try:
        return ask_training(by=by, candidates=candidates, origin=TrainingOrigin.SCHEDULED, **asked)
    except TrainingRefused:  # one is under way
        return None
