"""Moving a model's level to the institution's own outcomes (« recaler l'étalonnage »): a new version.

The order of the files does not change, explanations go on adding up. The version is a candidate like any
other: two people decide.
"""

import datetime as dt
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
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
from apps.registry.enums import ModelOrigin, ModelStatus, TrainingData
from apps.registry.errors import ModelNotAllowed, TrainingRefused
from apps.registry.loader import load_scorer, model_folder
from apps.registry.models import LONGEST_VERSION, ModelVersion
from apps.registry.services.gates import MEASURED_IN_TRAINING, measure
from apps.registry.services.training_data import TrainingRows, read_rows
from apps.tenancy.actor import Actor
from apps.tenancy.errors import NotAllowed
from apps.tenancy.roles import Verb

#: Months of matured cohorts that tell the level, and how many defaults they must hold.
LATEST_MONTHS, FEWEST_DEFAULTS = 12, 50


@dataclass(frozen=True, slots=True)
class Today:
    """The cohorts that are matured today."""

    observed_on: dt.date
    horizon_months: int


@transaction.atomic
def recalibrate(*, version: ModelVersion, by: Actor) -> ModelVersion:
    """Keep a version of the same model whose level is that of the matured credits; the first stays as it is.

    Raises ``NotAllowed``; ``ModelNotAllowed`` for an expert scorecard, which has no level to move;
    ``TrainingRefused`` under 50 matured defaults; ``NoApprovedModel`` when the version does not load.
    """
    if by.kind != "user" or not by.may(Verb.PROPOSE_MODEL):
        raise NotAllowed(_("Your role does not allow this."))
    if version.is_expert:
        raise ModelNotAllowed(_("An expert scorecard is not calibrated: train a model instead."))
    today = timezone.localdate()
    rows = _latest_rows(Today(today, horizon_months(on=today)))
    name = _version_of(version)
    sha256, shift, grades = _written(version, rows, name, by=by)
    row = _row(version, name, sha256, shift, grades, by=by)
    row.metrics = {**row.metrics, "own": measure(row)}
    row.save(update_fields=["metrics"])
    after = {"name": row.name, "version": row.version, "sha256": sha256, "from": version.sha256}
    record(by=by, action="model.recalibrate", target=row, after={**after, "delta": shift["delta"]})
    return row


def _latest_rows(today: Today) -> TrainingRows:
    """Return the cohorts of the last twelve months that are matured; all of them where these are too few."""
    since = add_months(today.observed_on, -(today.horizon_months + LATEST_MONTHS))
    for first_day in (since, dt.date.min):
        rows = read_rows(today, chunk=nullcontext, tell=lambda _share: None, since=first_day)
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
    by: Actor,
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
        created_by_id=by.person_id,
    )
