"""Training in words: where the history stands, how far a run is, what its candidates are worth."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.engine.dictionary import STANDARD
from apps.engine.wording import format_value
from apps.jobs.enums import JobStatus
from apps.registry.enums import TrainingOrigin
from apps.registry.queries import LADDER, Standing
from apps.registry.renderers import group_label, group_name
from apps.registry.services.gates import FIGURES_OF_TRAINING, MEASURED_IN_TRAINING
from apps.tenancy.language import current_lang
from apps.web.registry.presenters import GateLine, gate_lines
from apps.web.templatetags.formats import MISSING, percent, whole
from apps.web.training import words
from apps.web.training.curves import EFFECT, GROUPS, Link, curve_links, curves_of

#: Seconds between two looks at the work: often at first, then less.
_DELAYS = ((20, 2), (180, 5))
_SLOW = 15
#: Figures of the table that compares candidates.
COMPARED = ("auc", "ks", "ece", "profit_xaf")
MOST_VARIABLES = 10


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


@dataclass(frozen=True, slots=True)
class CandidateRow:
    kind: str
    label: str
    figures: list[tuple[str, str, str]]
    recommended: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class GroupTable:
    """Groups of one dimension: share advised favourably among good payers, ratio to the best treated."""

    title: str
    rows: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Confusion:
    title: str
    rows: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class CandidateView:
    """One candidate in detail."""

    kind: str
    label: str
    may_keep: bool
    version_url: str
    curves: list[tuple[str, str]]
    gates: list[GateLine]
    confusion: Confusion
    figures: list[tuple[str, str]]
    importance: list[tuple[str, str, str]]
    sampling: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ResultView:
    recommended: str
    reason: str
    judged: str
    header: list[str]
    rows: list[CandidateRow]
    chosen: CandidateView


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


def chosen_candidate(run: Any, kind: str) -> Mapping[str, Any]:
    """Return the candidate of that kind, else the one that is recommended for production."""
    candidates: Sequence[Mapping[str, Any]] = run.result["candidates"]
    by_kind = {each["kind"]: each for each in candidates}
    recommended = run.result["recommended"]
    advised = by_kind[recommended["deployable_kind"] or recommended["kind"]]
    return by_kind.get(kind, advised)


def result_view(run: Any, kind: str, kept: Mapping[str, Any]) -> ResultView:
    """Return what came out of a run; ``kept`` are the versions kept of it, by kind."""
    result: Mapping[str, Any] = run.result
    chosen = chosen_candidate(run, kind)
    recommended = result["recommended"]
    return ResultView(
        recommended=_recommended(recommended),
        reason=words.reason_text(recommended),
        judged=_judged(result),
        header=[words.figure_label(name) for name in COMPARED],
        rows=[_row(each, recommended.get("kind"), chosen) for each in _in_order(result["candidates"])],
        chosen=_candidate(run, chosen, kept.get(chosen["kind"])),
    )


def _recommended(recommended: Mapping[str, Any]) -> str:
    text = _("Recommended: %(kind)s.") % {"kind": words.kind_label(recommended.get("kind", ""))}
    instead = recommended.get("deployable_kind")
    if instead and instead != recommended.get("kind"):
        told = {"kind": words.kind_label(instead)}
        text = (
            f"{text} {_('For production: %(kind)s, the best of those that can be explained exactly.') % told}"
        )
    return text


def _judged(result: Mapping[str, Any]) -> str:
    if result["settings"]["split"] == "out_of_time":
        return _("Learnt on the first credits, judged on the latest.")
    return _("Each credit is judged by a candidate that did not see it.")


def _in_order(candidates: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    def auc(candidate: Mapping[str, Any]) -> float:
        told = candidate["figures"].get("auc") or {}
        return -(told.get("value") or 0.0)

    return sorted(candidates, key=auc)


def _row(candidate: Mapping[str, Any], recommended: str | None, chosen: Mapping[str, Any]) -> CandidateRow:
    kind = candidate["kind"]
    return CandidateRow(
        kind=kind,
        label=words.kind_label(kind),
        figures=[(words.figure_label(name), *words.figure_parts(candidate, name)) for name in COMPARED],
        recommended=kind == recommended,
        chosen=kind == chosen["kind"],
    )


def _candidate(run: Any, candidate: Mapping[str, Any], version: Any) -> CandidateView:

    kind = candidate["kind"]
    return CandidateView(
        kind=kind,
        label=words.kind_label(kind),
        may_keep=kind in run.written,
        version_url=reverse("web:model", args=[version.uid]) if version is not None else "",
        curves=[(code, words.curve_label(code)) for code in (*curves_of(candidate), GROUPS)],
        gates=gate_lines(_gates(candidate)),
        confusion=_confusion(candidate),
        figures=[
            (label, words.figure_text(candidate, name))
            for name, label in words.figure_labels().items()
            if name in candidate["figures"]
        ],
        importance=importance_lines(run, candidate)[:MOST_VARIABLES],
        sampling=_sampling(candidate),
    )


def _gates(candidate: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the gates of a candidate in their order, which the database does not keep."""
    measured: Mapping[str, Any] = candidate["gates"]
    codes = (*FIGURES_OF_TRAINING, *MEASURED_IN_TRAINING)
    return [_gate(code, measured[code]) for code in codes if code in measured]


def _gate(code: str, told: Mapping[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"figure": None, "low": None, "high": None, "unit": "", "about": []}
    return {**empty, **told, "code": code}


def _confusion(candidate: Mapping[str, Any]) -> Confusion:
    told, threshold = candidate["confusion"], candidate["threshold"]
    title = _("Advice at the threshold of each credit type")
    if threshold["one"]:
        title = _("Advice at the threshold of %(threshold)s") % {"threshold": percent(threshold["median"], 1)}
    return Confusion(
        title,
        [
            (_("Unfavourable"), whole(told["tp"]), whole(told["fp"])),
            (_("Favourable"), whole(told["fn"]), whole(told["tn"])),
        ],
    )


def importance_lines(run: Any, candidate: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return each variable, its share of what the candidate says and its chart, the largest first."""
    drawn = candidate.get("dependence") or {}
    address = f"{reverse('web:training_curves', args=[run.uid])}?candidat={candidate['kind']}&courbe={EFFECT}"
    return [
        (variable_label(each["variable"]), percent(each["share"], 1), f"{address}{each['variable']}")
        if each["variable"] in drawn
        else (variable_label(each["variable"]), percent(each["share"], 1), "")
        for each in candidate.get("importance") or ()
    ]


def variable_label(name: str) -> str:
    """Return a variable by its label."""
    return STANDARD[name].label(current_lang()) if name in STANDARD else name


def _sampling(candidate: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what repeating or leaving out rows did, against rows as they are."""
    effect = candidate.get("sampling_effect")
    if not effect:
        return []
    lines = []
    for name in ("auc", "ece"):
        sides = [effect[side][name] for side in ("without", "with")]
        if None not in sides:
            before, after = map(words.decimal, sides)
            text = _("%(before)s as they are, %(after)s with it") % {"before": before, "after": after}
            lines.append((words.figure_label(name), text))
    return lines


@dataclass(frozen=True, slots=True)
class GroupsView:
    """How a candidate does by type of credit and by group of people."""

    title: str
    candidate: str
    back: str
    others: list[Link]
    fairness: list[GroupTable]
    types: list[tuple[str, str, str, str]]


def groups_view(run: Any, candidate: Mapping[str, Any]) -> GroupsView:
    """Return the tables of a candidate by group."""
    kind = candidate["kind"]
    return GroupsView(
        title=words.curve_label(GROUPS),
        candidate=words.kind_label(kind),
        back=f"{reverse('web:training', args=[run.uid])}?candidat={kind}#chosen",
        others=curve_links(run, candidate, GROUPS),
        fairness=fairness_lines(candidate),
        types=type_lines(candidate),
    )


def fairness_lines(candidate: Mapping[str, Any]) -> list[GroupTable]:
    """Return, by dimension, how often good payers of each group get a favourable advice."""
    tables = []
    for name, entries in (candidate.get("fairness") or {}).items():
        rows = [_group(name, entry) for entry in entries]
        if rows:
            tables.append(GroupTable(capfirst(group_label(name)), rows))
    return tables


def _group(name: str, entry: Mapping[str, Any]) -> tuple[str, str, str]:
    label = group_name(name, entry["group"])
    if entry["hidden"]:
        return label, _("fewer than 30"), MISSING
    ratio = MISSING if entry["ratio"] is None else words.decimal(entry["ratio"], 2)
    return label, percent(entry["favourable_good"], 0), ratio


def type_lines(candidate: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return observed and predicted default by type of credit, where enough defaulted to say it."""
    lines = []
    for entry in candidate.get("by_type") or ():
        label = group_name("type_credit", entry["group"])
        if not entry["said"]:
            lines.append((label, _("fewer than 30 defaults"), MISSING, MISSING))
            continue
        ratio = entry["ratio"]
        shown = [words.decimal(ratio[part], 2) for part in ("value", "low", "high")]
        interval = f"{shown[0]} [{shown[1]} ; {shown[2]}]"
        lines.append((label, percent(entry["observed"], 1), percent(entry["predicted"], 1), interval))
    return lines
