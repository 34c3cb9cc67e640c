"""Training runs: asked for, stopped, tried again, or asked for by the calendar; their work is elsewhere."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.queries.ledger import horizon_months
from apps.engine.ledger import add_months
from apps.engine.training.candidates import KINDS
from apps.institutions.queries import get_institution, setting_on
from apps.jobs.enums import JobStatus
from apps.jobs.services import create_job, request_cancel, retry_job
from apps.registry.enums import TrainingOrigin
from apps.registry.errors import TrainingRefused
from apps.registry.models import TrainingRun
from apps.registry.queries import Standing, history_standing
from apps.registry.services.training_files import receive_training_file
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues
from apps.tenancy.four_eyes import require_member
from apps.tenancy.locks import wait_for_lock
from apps.tenancy.roles import Verb

if TYPE_CHECKING:
    from django.core.files.base import File

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
#: Months between two scheduled runs, by the dated setting ``retrain_every_months``; 0, the usual, is never.
NEVER = 0


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
    require_member(by=by, verb=Verb.PROPOSE_MODEL, or_task=True)
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
        refuse_beyond(history_standing(), asked["candidates"])
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


def refuse_beyond(standing: Standing, candidates: Sequence[str]) -> None:
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
    wait_for_lock("registry.training")
    under_way = TrainingRun.objects.filter(job__status__in=(JobStatus.QUEUED, JobStatus.RUNNING))
    if under_way.exists():
        raise TrainingRefused(_("A run is under way already: wait for its end, or stop it."))
    last: int | None = TrainingRun.objects.aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


@transaction.atomic
def cancel_training(*, run: TrainingRun, by: Actor) -> None:
    """Stop a run; nothing of it is kept. Raises ``NotAllowed``, ``JobNotChangeable`` when it has ended."""
    require_member(by=by, verb=Verb.PROPOSE_MODEL, or_task=True)
    request_cancel(job=run.job, by=by)


@transaction.atomic
def retry_training(*, run: TrainingRun, by: Actor) -> None:
    """Ask again for a run that failed or was stopped, with the same settings; the door enqueues its task.

    Raises ``NotAllowed``, ``JobNotChangeable`` for any other run, ``TrainingRefused`` when another is under
    way.
    """
    require_member(by=by, verb=Verb.PROPOSE_MODEL, or_task=True)
    _next_number()
    retry_job(job=run.job, by=by)


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
