"""Training in words: where the history stands, how far a run is, what it learnt from."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.engine.dictionary import STANDARD
from apps.engine.wording import format_value
from apps.jobs.enums import JobStatus
from apps.registry.enums import TrainingOrigin
from apps.registry.queries import LADDER, Standing
from apps.tenancy.language import current_lang
from apps.web.templatetags.formats import MISSING, percent, whole
from apps.web.training import words

#: Seconds between two looks at the work: often at first, then less.
_DELAYS = ((20, 2), (180, 5))
_SLOW = 15


@dataclass(frozen=True, slots=True)
class LevelLine:
    range: str
    text: str
    here: bool


@dataclass(frozen=True, slots=True)
class StandingView:
    """Where the history stands, what each level allows, what the next one needs."""

    rows: int
    defaults: int
    next: str
    levels: list[LevelLine]
    may_train: bool
    fictional: bool


@dataclass(frozen=True, slots=True)
class RunLine:
    url: str
    label: str
    status: str
    status_label: str
    candidates: str
    recommended: str
    author: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class RunView:
    """How far a run is; ``delay`` is when to look again."""

    uid: UUID
    label: str
    status: str
    status_label: str
    author: str
    created_at: dt.datetime
    percent: int
    text: str
    delay: str
    error: str
    finished: bool
    done: bool
    may_cancel: bool
    may_retry: bool
    asked: list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class DataView:
    warnings: list[str]
    facts: list[tuple[str, Any]]
    excluded: list[tuple[str, str]]
    refused: list[tuple[str, str, str]]


def standing_view(standing: Standing) -> StandingView:
    """Return where a history stands, in words."""
    limits = [least for least, _level in LADDER]
    levels = [
        LevelLine(_range(least, after), words.level_text(level), level == standing.level)
        for (least, level), after in zip(LADDER, [*limits[1:], None], strict=True)
    ]
    return StandingView(
        rows=standing.rows,
        defaults=standing.defaults,
        next=_next(standing),
        levels=levels,
        may_train=standing.allows("scorecard"),
        fictional=standing.fictional,
    )


def _range(least: int, after: int | None) -> str:
    if after is None:
        return _("%(least)s matured defaults and more") % {"least": whole(least)}
    if not least:
        return _("Fewer than %(after)s matured defaults") % {"after": whole(after)}
    told = {"least": whole(least), "most": whole(after - 1)}
    return _("%(least)s to %(most)s matured defaults") % told


def _next(standing: Standing) -> str:
    if standing.next_at is None:
        return ""
    missing = standing.next_at - standing.defaults
    text = ngettext(
        "%(count)s default is missing for the next level.",
        "%(count)s defaults are missing for the next level.",
        missing,
    )
    return text % {"count": whole(missing)}


def run_lines(runs: Iterable[Any]) -> list[RunLine]:
    """Return the lines of the journal."""
    return [
        RunLine(
            url=reverse("web:training", args=[run.uid]),
            label=_label(run),
            status=run.job.status,
            status_label=run.job.get_status_display(),
            candidates=", ".join(words.kind_label(kind) for kind in run.asked["candidates"]),
            recommended=_recommended_of(run.job),
            author=_author(run),
            created_at=run.created_at,
        )
        for run in runs
    ]


def _label(run: Any) -> str:
    return _("Run no. %(number)s") % {"number": run.number}


def _author(run: Any) -> str:
    if run.origin == TrainingOrigin.SCHEDULED:
        return str(run.get_origin_display())
    return str(run.asked_by or MISSING)


def _recommended_of(job: Any) -> str:
    kind = (job.result or {}).get("recommended")
    return words.kind_label(kind) if kind else MISSING


def run_view(run: Any) -> RunView:
    """Return how far a run is, and what was asked."""
    job = run.job
    waits = job.status == JobStatus.QUEUED
    stopping = job.status == JobStatus.RUNNING and job.cancel_requested_at is not None
    under_way = job.status in {JobStatus.QUEUED, JobStatus.RUNNING}
    return RunView(
        uid=run.uid,
        label=_label(run),
        status=job.status,
        status_label=job.get_status_display(),
        author=_author(run),
        created_at=run.created_at,
        percent=job.progress,
        text=_("The run is being stopped.") if stopping else words.step_label("" if waits else run.step),
        delay=f"{_delay(job)}s",
        error=job.error if job.status == JobStatus.FAILED else "",
        finished=not under_way,
        done=job.status == JobStatus.DONE,
        may_cancel=under_way and not stopping,
        may_retry=job.status in {JobStatus.FAILED, JobStatus.CANCELLED},
        asked=_asked(run),
    )


def _delay(job: Any) -> int:
    age = (timezone.now() - job.queued_at).total_seconds()
    return next((delay for most, delay in _DELAYS if age < most), _SLOW)


def _asked(run: Any) -> list[tuple[str, Any]]:
    asked: Mapping[str, Any] = run.asked
    found: list[tuple[str, Any]] = [
        (_("Candidates"), ", ".join(words.kind_label(kind) for kind in asked["candidates"])),
        (_("How they are judged"), words.split_label(asked["split"])),
        (_("Observation date"), run.observed_on),
        (_("Horizon"), _months(run.horizon_months)),
        (_("Search for better parameters"), words.search_label(asked["search"])),
        (_("Balance of defaults and others"), words.sampling_label(asked["sampling"])),
        (_("Folds"), str(asked["folds"])),
        (_("Seed"), str(asked["seed"])),
    ]
    if run.source is not None:
        found.append((_("File"), run.source.original_name))
    if run.snapshot is not None:
        found.append((_("Hash of the data"), run.snapshot.sha256))
        found.append((_("Data kept until"), run.snapshot.expires_on))
    if run.result is not None:
        found.append((_("Duration"), _seconds(run.result["seconds"])))
        versions = ", ".join(f"{name} {number}" for name, number in run.result["versions"].items())
        found.append((_("Libraries"), versions))
    return found


def _months(count: int) -> str:
    return ngettext("%(count)s month", "%(count)s months", count) % {"count": count}


def _seconds(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": left}
    return _("%(seconds)s s") % {"seconds": left}


def data_view(run: Any) -> DataView | None:
    """Return what a run learnt from, and what it did not."""
    data: Mapping[str, Any] | None = run.data
    if not data:
        return None
    facts: list[tuple[str, Any]] = [
        (_("Matured credits"), whole(data["rows"])),
        (_("Defaults among them"), _part(data["defaults"], data["rows"])),
    ]
    if "from" in data:
        days = (dt.date.fromisoformat(data[name]) for name in ("from", "to"))
        facts.append((_("Applications from, to"), " – ".join(date_format(day, "d/m/Y") for day in days)))
    if data["merged"]:
        facts.append((_("Of files that were merged"), whole(data["merged"])))
    facts.append((_("Share refused"), percent(data["refused"]["share"], 1)))
    facts.append((_("Applications of the last three months"), whole(data["recent"])))
    excluded = sorted(data["excluded"].items(), key=lambda item: -item[1])
    return DataView(
        warnings=[words.warning_text(code) for code in data["warnings"]],
        facts=facts,
        excluded=[(words.excluded_label(code), whole(count)) for code, count in excluded],
        refused=[_mean(line) for line in data["refused"]["means"]],
    )


def _part(part: int, whole_count: int) -> str:
    return f"{whole(part)} ({percent(part / whole_count, 1)})" if whole_count else whole(part)


def _mean(line: Mapping[str, Any]) -> tuple[str, str, str]:
    variable = STANDARD[line["name"]]
    lent, refused = (_value(line["name"], line[side]) for side in ("lent", "refused"))
    return variable.label(current_lang()), lent, refused


def _value(name: str, value: float) -> str:
    variable = STANDARD[name]
    rounded: float = round(value) if abs(value) >= 10 else round(value, 2)  # noqa: PLR2004  one digit or two
    return format_value(variable, rounded, current_lang())
