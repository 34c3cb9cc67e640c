"""Training a model on matured applications, by the same reading of rows as scoring."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from apps.credits.enums import Outcome
from apps.credits.features import application_values
from apps.credits.models import CreditApplication
from apps.engine.contracts import Value
from apps.engine.dictionary import PREDICT_VARIABLES, STANDARD
from apps.registry.models import PlatformModel
from apps.registry.services.versions import platform_folder, publish_platform_model
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope

if TYPE_CHECKING:
    from apps.engine.training.pipeline import DefaultModel

CHUNK = 2_000


@dataclass
class History:
    """Matured applications as columns: values by variable, outcomes (1 = default), first and last day."""

    columns: dict[str, list[Value]]
    outcomes: list[int] = field(default_factory=list)
    first_day: dt.date | None = None
    last_day: dt.date | None = None


def model_variables() -> tuple[str, ...]:
    """Return what a platform model learns from: the contract's variables but those kept for fairness."""
    return tuple(name for name in PREDICT_VARIABLES if not STANDARD[name].sensitivity)


def pooled_history(institution_ids: Sequence[int]) -> History:
    """Read the matured applications of several institutions, each in its own scope, without identities."""
    history = History({name: [] for name in model_variables()})
    for institution_id in institution_ids:
        with tenant_scope(institution_id):
            for application in _matured():
                _add(history, application)
    return history


def _matured() -> Iterator[CreditApplication]:
    rows: Iterator[CreditApplication] = (
        CreditApplication.objects.matured().order_by("applied_on", "id").iterator(chunk_size=CHUNK)
    )
    return rows


def _add(history: History, application: CreditApplication) -> None:
    values, _warnings = application_values(application)
    for name, column in history.columns.items():
        column.append(values.get(name))
    history.outcomes.append(int(application.outcome == Outcome.DEFAULT))
    day = application.applied_on
    history.first_day = min(history.first_day or day, day)
    history.last_day = max(history.last_day or day, day)


def train_platform_model(
    *,
    institution_ids: Sequence[int],
    name: str,
    version: str,
    training_data: str,
    by: Actor,
    say: Callable[[str], None] = lambda _line: None,
) -> PlatformModel:
    """Train the default pipeline on pooled matured applications, write its folder and publish its row.

    The figures of the card come from nested cross-validation of the whole pipeline. The folder replaces an
    incomplete one in a single rename. Raises ``ValueError`` when an outcome has fewer rows than folds.
    """
    from apps.engine.training.dataset import training_set
    from apps.engine.training.evaluate import figures, nested_scores
    from apps.engine.training.pipeline import fit

    history = pooled_history(institution_ids)
    data = training_set([STANDARD[name] for name in history.columns], history.columns, history.outcomes)
    say(f"Entraînement : {data.rows} crédits échus, {sum(history.outcomes)} défauts")
    model = fit(data)
    metrics = asdict(figures(nested_scores(data)))
    trained_at = timezone.now()
    manifest = {
        "name": name,
        "version": version,
        "training_data": training_data,
        "trained_at": trained_at.isoformat(),
        "training_period": _period(history),
        "metrics": metrics,
    }
    sha256 = _write(platform_folder(name, version), model, manifest)
    return publish_platform_model(
        name=name,
        version=version,
        sha256=sha256,
        training_data=training_data,
        trained_at=trained_at,
        metrics=metrics,
        period=_period(history),
        by=by,
    )


def _period(history: History) -> dict[str, str]:
    first, last = history.first_day, history.last_day
    return {"from": f"{first:%d/%m/%Y}", "to": f"{last:%d/%m/%Y}"} if first and last else {}


def _write(folder: Path, model: "DefaultModel", manifest: dict[str, Any]) -> str:
    from apps.engine.training.writing import write_model

    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent)) / folder.name
    try:
        sha256 = write_model(draft, model, manifest)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft.parent)
    return sha256
