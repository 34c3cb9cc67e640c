"""The work of a training run: read, keep what was learnt from, train, write the folders of the candidates."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.engine.contracts import Value
from apps.engine.ledger import add_months
from apps.institutions.queries import get_institution
from apps.jobs.services import Claim, report_progress
from apps.registry.enums import TrainingData
from apps.registry.errors import TrainingInterrupted, TrainingRefused
from apps.registry.models import TrainingRun
from apps.registry.queries import standing_with
from apps.registry.services.profiles import profiles_in_force
from apps.registry.services.tracking import track_run
from apps.registry.services.training_data import (
    TrainingRows,
    facts_of,
    keep_snapshot,
    read_rows,
    recent_set,
    run_data,
)
from apps.registry.services.training_files import read_file
from apps.registry.services.training_keeping import keep_result, learnt_from, period_of, summary_of
from apps.registry.services.training_runs import AUTO, refuse_beyond

if TYPE_CHECKING:
    from apps.engine.training.runs import RunResult, RunSettings
    from apps.engine.training.settings import Economics

#: Dates that span so many months allow a test on the latest ones.
OUT_OF_TIME_MONTHS = 18
#: Shares of the whole at which reading ends and writing begins.
_READ, _WRITE = 0.12, 0.96
_BEAT = 1.0

Priced = Callable[[TrainingRows], "Economics | None"]


def train(claim: Claim, *, priced: Priced) -> Mapping[str, Any]:
    """Do the job of a run: read, keep a snapshot, train, write the folders of what may be kept.

    ``priced`` gives what decisions are worth under the policy. A second attempt means that the worker was
    stopped in the middle, by the lack of memory perhaps: it ends as failed, and people may try again.
    """
    with claim.chunk():
        run = TrainingRun.objects.select_related("job", "source").get(job__uid=claim.uid)
        if run.result is not None:
            return summary_of(run.result)
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
        profiles = profiles_in_force()
    found = _run(run, rows, economics, profiles, beat)
    with claim.chunk():
        folder, kind = _models_folder(claim.institution_id), learnt_from(run)
    written = _written(run, found, folder, kind, beat)
    with claim.chunk():
        run.snapshot = keep_snapshot(run, rows, by=claim.actor)
        summary = keep_result(run, found, written, by=claim.actor)
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
        refuse_beyond(standing, run.asked["candidates"])


def _run(
    run: TrainingRun,
    rows: TrainingRows,
    economics: "Economics | None",
    profiles: Mapping[str, Mapping[str, Value]],
    beat: _Beat,
) -> "RunResult":
    from apps.engine.training.runs import RunRefused
    from apps.engine.training.runs import run as run_candidates

    def tell(step: str, share: float) -> None:
        beat.tell(step, _READ + (_WRITE - _READ) * share)

    try:
        return run_candidates(
            run_data(rows),
            _settings_of(run, rows),
            economics=economics,
            profiles=profiles,
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
        "training_period": period_of(run.data or {}),
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
