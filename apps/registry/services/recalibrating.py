"""Moving a model's level to the institution's own outcomes (« recaler l'étalonnage »): a new version.

The order of the files does not change, explanations go on adding up. The version is a candidate like any
other: two people decide.
"""

import datetime as dt
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.queries.ledger import horizon_months
from apps.engine.ledger import add_months
from apps.institutions.queries import get_institution
from apps.jobs.enums import JobStatus
from apps.jobs.models import Job
from apps.jobs.services import Claim, create_job, report_progress
from apps.outbox.services import enqueue_alert
from apps.registry.enums import ModelOrigin, ModelStatus, TrainingData
from apps.registry.errors import ModelNotAllowed, TrainingRefused
from apps.registry.loader import load_scorer, model_folder
from apps.registry.models import LONGEST_VERSION, ModelVersion
from apps.registry.services.gates import MEASURED_IN_TRAINING, measure
from apps.registry.services.training_data import TrainingRows, read_rows
from apps.tenancy.actor import Actor
from apps.tenancy.four_eyes import require_member
from apps.tenancy.roles import Verb

KIND = "model.recalibration"
#: Share of the whole at which reading ends.
_READ = 0.7
#: Months of matured cohorts that tell the level, and how many defaults they must hold.
LATEST_MONTHS, FEWEST_DEFAULTS = 12, 50


@dataclass(frozen=True, slots=True)
class Today:
    """The cohorts that are matured today."""

    observed_on: dt.date
    horizon_months: int


@transaction.atomic
def ask_recalibration(*, version: ModelVersion, by: Actor) -> Job:
    """Ask for the level of a version to be set on the matured credits; the door enqueues its task.

    Raises ``NotAllowed``; ``ModelNotAllowed`` for an expert scorecard, which has no level to move, and while
    another one of this version is under way.
    """
    require_member(by=by, verb=Verb.PROPOSE_MODEL)
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if version.is_expert:
        raise ModelNotAllowed(_("An expert scorecard is not calibrated: train a model instead."))
    last = last_recalibration(version)
    if last is not None and last.status in {JobStatus.QUEUED, JobStatus.RUNNING}:
        raise ModelNotAllowed(_("The level of this version is being set already."))
    return create_job(kind=KIND, by=by, about=version.uid)


def last_recalibration(version: ModelVersion) -> Job | None:
    """Return the latest work that was to set the level of a version, ended or not."""
    return Job.objects.filter(kind=KIND, about=version.uid).order_by("-created_at", "-pk").first()


def recalibrate(claim: Claim) -> Mapping[str, Any]:
    """Do the work: keep a version of the same model whose level is that of the matured credits.

    The first one stays as it is. Raises ``TrainingRefused`` under 50 matured defaults; ``NoApprovedModel``
    when the version does not load.
    """
    with claim.chunk():
        job = Job.objects.get(uid=claim.uid)
        assert job.about is not None  # who asked said it
        version = ModelVersion.objects.get(uid=job.about)
        done = ModelVersion.objects.filter(metrics__recalibration__job=str(claim.uid)).first()
        if done is not None:  # the worker was stopped between the version and the end of its job
            return {"version": str(done.uid)}
        today = timezone.localdate()
        cohorts = Today(today, horizon_months(on=today))
    rows = _latest_rows(cohorts, claim)
    with claim.chunk():
        report_progress(claim=claim, percent=round(100 * _READ))
        name = _version_of(version)
        sha256, shift, grades = _written(version, rows, name, by=claim.actor)
        shift["job"] = str(claim.uid)
        row = _row(version, name, sha256, shift, grades, author_id=job.requested_by)
        row.metrics = {**row.metrics, "own": measure(row)}
        row.save(update_fields=["metrics"])
        after = {"name": row.name, "version": row.version, "sha256": sha256, "from": version.sha256}
        record(
            by=claim.actor, action="model.recalibrate", target=row, after={**after, "delta": shift["delta"]}
        )
        if job.requested_by is not None:
            told = {"model": str(row.uid)}
            enqueue_alert(code="model.recalibrated", recipients=[job.requested_by], payload=told)
    return {"version": str(row.uid)}


def _latest_rows(today: Today, claim: Claim) -> TrainingRows:
    """Return the cohorts of the last twelve months that are matured; all of them where these are too few."""

    def tell(share: float) -> None:
        with claim.chunk():
            report_progress(claim=claim, percent=round(100 * _READ * share))

    since = add_months(today.observed_on, -(today.horizon_months + LATEST_MONTHS))
    for first_day in (since, dt.date.min):
        rows = read_rows(today, chunk=claim.chunk, tell=tell, since=first_day)
        if rows.defaults >= FEWEST_DEFAULTS:
            break
    return rows


def _version_of(version: ModelVersion) -> str:
    """Return the first free name of a recalibrated version: « 3-r1 », then « 3-r2 »."""
    base = version.version.partition("-r")[0][: LONGEST_VERSION - 5]
    taken = set(ModelVersion.objects.filter(name=version.name).values_list("version", flat=True))
    return next(name for number in range(1, 1000) if (name := f"{base}-r{number}") not in taken)


def _written(
    version: ModelVersion, rows: TrainingRows, name: str, *, by: Actor
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    import numpy as np

    from apps.engine.training.gates import grades_gate
    from apps.engine.training.recalibration import RecalibrationRefused, shift_of, write_recalibrated

    scorer, y = load_scorer(version), np.array(rows.outcomes, dtype=np.int8)
    columns = {each: rows.columns.get(each, [None] * rows.rows) for each in scorer.variables}
    try:
        pd = scorer.score_columns(columns, rows.rows).pd
        shift = shift_of(pd, y)
    except RecalibrationRefused:
        raise TrainingRefused(
            _("%(defaults)s matured defaults do not tell the level: 50 at least are needed.")
            % {"defaults": rows.defaults}
        ) from None
    safe = np.clip(pd, 1e-12, 1 - 1e-12)
    grades = grades_gate(1 / (1 + (1 - safe) / safe * np.exp(-shift.delta)), y)
    uid = get_institution(by.institution).uid
    folder = Path(settings.INSTITUTION_FILES_DIR) / str(uid) / "models"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".run-") as place:
        draft = Path(place) / "model"
        sha256 = write_recalibrated(model_folder(version), draft, shift, {"version": name})
        if (folder / sha256).exists():
            shutil.rmtree(draft)
        else:
            draft.rename(folder / sha256)
    return sha256, shift.as_dict(), grades.as_dict()


def _row(
    version: ModelVersion,
    name: str,
    sha256: str,
    shift: Mapping[str, Any],
    grades: Mapping[str, Any],
    *,
    author_id: int | None,
) -> ModelVersion:
    kept = {key: each for key, each in version.metrics.items() if key not in {"own", "gates", "run"}}
    before: Mapping[str, Any] = version.metrics.get("gates") or {}
    # The order is the same: what rests on it holds. Level and grades are measured anew.
    gates = {code: before[code] for code in MEASURED_IN_TRAINING if code in before}
    return ModelVersion.objects.create(
        name=version.name,
        version=name,
        sha256=sha256,
        training_data=TrainingData(version.training_data),
        trained_at=timezone.now(),
        metrics={**kept, "gates": {**gates, "grades": dict(grades)}, "recalibration": dict(shift)},
        period=version.period,
        segment=version.segment,
        status=ModelStatus.CANDIDATE,
        origin=ModelOrigin.TRAINED,
        created_by_id=author_id,
    )
