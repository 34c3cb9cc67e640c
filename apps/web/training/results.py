"""What came out of a run in words: the comparison, and one candidate in detail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.registry.services.gates import FIGURES_OF_TRAINING, MEASURED_IN_TRAINING
from apps.tenancy.language import current_lang
from apps.web.registry.presenters import GateLine, gate_lines
from apps.web.templatetags.formats import percent, whole
from apps.web.training import words
from apps.web.training.curves import EFFECT, GROUPS, curves_of

#: Figures of the table that compares candidates.
COMPARED = ("auc", "ks", "ece", "profit_xaf")
MOST_VARIABLES = 10


@dataclass(frozen=True, slots=True)
class CandidateRow:
    kind: str
    label: str
    figures: list[tuple[str, str, str]]
    recommended: bool
    chosen: bool


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
    drawn, found = candidate.get("dependence") or {}, candidate.get("importance") or ()
    address = f"{reverse('web:training_curves', args=[run.uid])}?candidat={candidate['kind']}&courbe={EFFECT}"
    known, lang = known_variables(each["variable"] for each in found), current_lang()
    return [
        (
            known[each["variable"]].label(lang),
            percent(each["share"], 1),
            f"{address}{each['variable']}" if each["variable"] in drawn else "",
        )
        for each in found
    ]


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
