"""What came out of a training run: its result, and the candidates that people keep in the registry.

Nothing here puts anything in production: that takes two people.
"""

import datetime as dt
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.institutions.queries import get_institution
from apps.outbox.services import enqueue_alert
from apps.registry.enums import GENERAL_SEGMENT, ModelOrigin, ModelStatus, TrainingData, TrainingOrigin
from apps.registry.errors import ModelRefused
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion, TrainingRun
from apps.registry.queries import standing_with, versions_of_run
from apps.registry.services.training_runs import refuse_beyond
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues
from apps.tenancy.four_eyes import require_member
from apps.tenancy.roles import Verb

if TYPE_CHECKING:
    from apps.engine.training.runs import RunResult

#: Figures of rows that the candidate had not seen, in place of a comparison with what it learnt.
OWN = ("auc", "auc_low", "auc_high", "observed_rate", "predicted_rate")
#: A folder that no row names is one that a stopped worker left, unless it is so young that one writes it.
LEFT_AFTER = dt.timedelta(days=1)


def learnt_from(run: TrainingRun) -> TrainingData:
    """Tell what the history is: that of a demonstration is fictional, whoever trains on it."""
    assert run.institution_id is not None  # the table does not allow it
    fictional = get_institution(run.institution_id).is_demo
    return TrainingData.SYNTHETIC if fictional else TrainingData.INSTITUTION


def period_of(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the first and the last day of what was learnt from, as a version keeps them."""
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
def keep_result(
    run: TrainingRun, found: "RunResult", written: dict[str, Any], *, by: Actor
) -> Mapping[str, Any]:
    """Keep what was found; a scheduled run enters its recommendation among the candidates, and no further."""
    run.result, run.written = found.as_dict(), written
    run.save(update_fields=["result", "written", "snapshot"])
    record(by=by, action="training.finish", target=run, after=summary_of(run.result))
    kind = run.result["recommended"].get("deployable_kind")
    if run.origin == TrainingOrigin.SCHEDULED and kind in written:
        _add_version(run, kind, by=by)
    if run.asked_by_id is not None:
        enqueue_alert(code="training.done", recipients=[run.asked_by_id], payload={"training": str(run.uid)})
    return summary_of(run.result)


def summary_of(result: Mapping[str, Any]) -> dict[str, Any]:
    recommended = result["recommended"]
    return {"recommended": recommended.get("kind"), "candidates": len(result["candidates"])}


@transaction.atomic
def register_candidate(*, run: TrainingRun, kind: str, by: Actor) -> ModelVersion:
    """Keep a candidate of a run in the registry, with the gates that the run measured; never in production.

    Raises ``NotAllowed``; ``InvalidValues`` for a kind that the run did not write; ``ModelRefused`` when it
    is there already, or its folder is not what the run wrote.
    """
    require_member(by=by, verb=Verb.PROPOSE_MODEL, or_task=True)
    if kind not in run.written:
        message = _("This candidate serves the comparison only: it cannot be kept.")
        raise InvalidValues(message, fields={"kind": [message]})
    TrainingRun.objects.select_for_update().get(pk=run.pk)
    if kind in versions_of_run(run):
        raise ModelRefused(_("This very model is in the registry already."))
    facts: Mapping[str, Any] = run.data or {}
    refuse_beyond(standing_with(rows=facts["rows"], defaults=facts["defaults"]), [kind])
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
        training_data=learnt_from(run),
        trained_at=timezone.now(),
        metrics={
            **figures,
            **counts,
            "own": {**own, **counts},
            "gates": candidate["gates"],
            "run": str(run.uid),
        },
        period=period_of(facts),
        segment=GENERAL_SEGMENT,
        status=ModelStatus.CANDIDATE,
        origin=ModelOrigin.TRAINED,
        created_by_id=by.person_id,
    )
    load_scorer(version)
    after = {"name": version.name, "version": version.version, "sha256": version.sha256, "run": run.number}
    record(by=by, action="model.train", target=version, after=after)
    return version


@transaction.atomic
def purge_candidates(*, by: Actor) -> int:
    """Delete the folders that nobody kept in the registry once the data of their run are gone.

    What a stopped worker left behind goes after a day. Returns how many folders were deleted.
    """
    kept = set(ModelVersion.objects.values_list("sha256", flat=True))
    runs = TrainingRun.objects.exclude(written={})
    over = Q(snapshot__expires_on__lt=timezone.localdate()) | Q(snapshot__deleted_at__isnull=False)
    for run in runs.filter(over).select_for_update(of=("self",)):
        run.written = {kind: told for kind, told in run.written.items() if told["sha256"] in kept}
        run.save(update_fields=["written"])
    for written in runs.values_list("written", flat=True):
        kept |= {told["sha256"] for told in written.values()}
    gone = [folder for folder in _folders(by) if folder.name not in kept and _is_old(folder)]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    if gone:
        record(by=by, action="file.purge", after={"folders": len(gone)})
    return len(gone)


def _folders(by: Actor) -> list[Path]:
    place = Path(settings.INSTITUTION_FILES_DIR) / str(get_institution(by.institution).uid) / "models"
    return sorted(each for each in place.iterdir() if each.is_dir()) if place.is_dir() else []


def _is_old(folder: Path) -> bool:
    return folder.stat().st_mtime < time.time() - LEFT_AFTER.total_seconds()
