"""A policy in words: its figures, how thresholds come about, what differs, what past files would get."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.engine.reasons import rule_label
from apps.engine.scorecard import GRADES
from apps.scoring.backtest import ADVICE, Backtest, CurvePoint, Side
from apps.scoring.enums import ProposalStatus
from apps.scoring.queries.policies import InForce, draft_of
from apps.scoring.validators import (
    CREDIT_TYPES,
    RULE_UNITS,
    PolicyDraft,
    TypeCosts,
    differences,
    worked_threshold,
)
from apps.tenancy.language import current_lang
from apps.web import charts
from apps.web.policy.forms import type_label
from apps.web.templatetags.formats import MINUS, MISSING, NO_BREAK, fcfa, percent, whole

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class ThresholdLine:
    """The threshold of a credit type; ``worked`` says step by step how its costs give one."""

    label: str
    threshold: str
    bands: str
    origin: str
    worked: list[str]
    unprofitable: bool


@dataclass(frozen=True, slots=True)
class RuleRow:
    label: str
    limit: str
    exceptions: list[str]
    severity: str
    severity_label: str


@dataclass(frozen=True, slots=True)
class PolicySheet:
    """Every figure of a policy."""

    thresholds: list[ThresholdLine]
    cap: str
    grades: list[tuple[str, str]]
    losses: list[tuple[str, str]]
    rules: list[RuleRow]


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """A policy in the history, proposed or decided."""

    url: str
    title: str
    status: str
    status_label: str
    period: str
    proposed_by: str
    decided_by: str
    reason: str
    created_at: dt.datetime
    opening: bool


@dataclass(frozen=True, slots=True)
class ImpactRow:
    label: str
    before: str
    after: str
    change: str


@dataclass(frozen=True, slots=True)
class Move:
    old: str
    old_label: str
    new: str
    new_label: str
    files: str


@dataclass(frozen=True, slots=True)
class Impact:
    """What another policy makes of the files of a year."""

    total: int
    since: dt.date
    rows: list[ImpactRow]
    moves: list[Move]
    changed: int
    changed_text: str
    unpriced: str


@dataclass(frozen=True, slots=True)
class ChangedFile:
    url: str
    label: str
    created_at: dt.datetime
    amount_xaf: Any
    pd: float
    old: str
    old_label: str
    new: str
    new_label: str


def policy_sheet(draft: PolicyDraft) -> PolicySheet:
    """Return every figure of a policy in words."""
    figures = draft.figures
    first, *others = zip(GRADES, [*figures.grade_limits, 1.0], strict=True)
    below = [(first[0], _("below %(limit)s") % {"limit": short(first[1])})]
    for (letter, limit), low in zip(others, figures.grade_limits, strict=True):
        text = _("from %(low)s") if limit == 1.0 else _("from %(low)s to less than %(limit)s")
        below.append((letter, text % {"low": short(low), "limit": short(limit)}))
    return PolicySheet(
        thresholds=[_default_line(draft), *(_threshold_line(code, draft) for code in CREDIT_TYPES)],
        cap=short(draft.costs.prudence_cap),
        grades=below,
        losses=[(figure_label(name), short(getattr(figures, name))) for name in _LOSSES],
        rules=[_rule_row(rule) for rule in figures.rules],
    )


_LOSSES = ("lgd", "lgd_secured", "ead_amortised", "ead_in_fine")


def short(fraction: float) -> str:
    """Show a rate without decimals that say nothing: « 15 % », « 8,43 % »."""
    shown = percent(fraction)
    return percent(fraction, 0) if shown.replace(",", ".").split(".")[-1].startswith("00") else shown


def _default_line(draft: PolicyDraft) -> ThresholdLine:
    threshold = draft.figures.default_threshold
    origin = _("for a credit type without a threshold of its own")
    return ThresholdLine(_("Default threshold"), short(threshold), _bands(threshold), origin, [], False)


def _threshold_line(code: str, draft: PolicyDraft) -> ThresholdLine:
    figures, costs = draft.figures, draft.costs.by_type.get(code)
    threshold = figures.threshold_for(code)
    if costs is not None and costs.computed:
        origin = _("computed from the costs")
    else:
        origin = _("set by hand") if code in figures.thresholds else _("default")
    worked = costs and worked_threshold(costs, figures, draft.costs.prudence_cap)
    return ThresholdLine(
        label=str(type_label(code)),
        threshold=short(threshold),
        bands=_bands(threshold),
        origin=origin,
        worked=_worked(costs, draft, worked) if costs and worked else [],
        unprofitable=bool(worked and not worked.profitable),
    )


def _bands(threshold: float) -> str:
    return _("low below %(low)s, moderate below %(limit)s, high from there on") % {
        "low": short(threshold / 2),
        "limit": short(threshold),
    }


def _worked(costs: Any, draft: PolicyDraft, found: Any) -> list[str]:
    """Return M, L and t with their figures in place."""
    figures, cap = draft.figures, draft.costs.prudence_cap
    rate, funds, fee = (
        short(each / 100) for each in (costs.rate_percent, costs.cost_of_funds_percent, costs.fee_percent)
    )
    amount = whole(costs.amount_xaf)
    margin = f"M = {amount} × [({rate} {MINUS} {funds}) × {costs.months + 1} / 24 + {fee}]"
    loss = f"L = {short(figures.lgd)} × {short(figures.ead_amortised)} × {amount}"
    lines = [
        f"{margin} {MINUS} {whole(costs.file_cost_xaf)} = {fcfa(found.margin_xaf)}",
        f"{loss} = {fcfa(found.loss_xaf)}",
    ]
    if not found.profitable:
        capped = _("Product not profitable even without default: the threshold is the prudence cap, %(cap)s.")
        return [*lines, capped % {"cap": short(cap)}]
    ratio = found.margin_xaf / (found.margin_xaf + found.loss_xaf)
    line = f"t = M / (M + L) = {percent(ratio)}"
    if ratio > cap:
        line += _(", limited to the prudence cap: %(cap)s") % {"cap": short(cap)}
    return [*lines, line]


def _rule_row(rule: Any) -> RuleRow:
    unit = RULE_UNITS[rule.code]
    exceptions = [
        _("%(type)s: %(limit)s") % {"type": type_label(name), "limit": limit_text(limit, unit)}
        for name, limit in sorted(rule.limit_by_type.items(), key=lambda item: CREDIT_TYPES.index(item[0]))
    ]
    return RuleRow(
        label=rule_label(rule.code, current_lang()),
        limit=MISSING if rule.limit is None else limit_text(rule.limit, unit),
        exceptions=exceptions,
        severity=rule.severity,
        severity_label=severity_labels()[rule.severity],
    )


def severity_labels() -> dict[str, str]:
    """Return the words of what a violated rule means."""
    return {"bloquante": _("Blocking"), "a_revoir": _("To be reviewed")}


def limit_text(limit: float, unit: str | None) -> str:
    """Show the limit of a rule with its unit."""
    if unit == "xaf":
        return fcfa(limit)
    if unit == "percent":
        return short(limit / 100)
    shown = whole(int(limit)) if limit == int(limit) else str(limit)
    count = int(limit)
    words = {
        "years": ngettext("%(count)s year", "%(count)s years", count),
        "months": ngettext("%(count)s month", "%(count)s months", count),
        "days": ngettext("%(count)s day", "%(count)s days", count),
    }
    return (words[unit or ""] % {"count": shown}).replace(" ", NO_BREAK)


def difference_lines(before: PolicyDraft | None, after: PolicyDraft) -> list[Difference]:
    """Return one line per figure that differs from the policy that stood before; none without one."""
    if before is None:
        return []
    return [
        Difference(figure_label(name), _figure(name, old), _figure(name, new))
        for name, old, new in differences(before, after)
    ]


def figure_label(name: str) -> str:
    """Return the words of a figure by its path, as ``rules.duree_max.limit.habitat``."""
    head, *rest = name.split(".")
    if head == "rules":
        parts = [rule_label(rest[0], current_lang()), *_rule_words(rest[1:])]
    elif head == "thresholds":
        parts = [_("Threshold"), str(type_label(rest[0]))]
    elif head == "costs":
        parts = [str(type_label(rest[0])), _cost_labels()[rest[1]]]
    elif head == "grade_limits":
        parts = [_("Grade %(letter)s below") % {"letter": GRADES[int(rest[0])]}]
    else:
        parts = [_figure_labels()[head]]
    return ", ".join(parts)


def _rule_words(rest: Sequence[str]) -> list[str]:
    if rest[0] == "severity":
        return []
    return [_("limit"), *(str(type_label(name)) for name in rest[1:])]


def _figure_labels() -> dict[str, str]:
    return {
        "default_threshold": _("Default threshold"),
        "prudence_cap": _("Prudence cap"),
        "points_at_base_odds": _("Points at the base odds"),
        "base_odds": _("Base odds"),
        "pdo": _("Points that double the odds"),
        "points_min": _("Fewest points"),
        "points_max": _("Most points"),
        "lgd": _("Loss given default"),
        "lgd_secured": _("Loss given default, with a real security"),
        "ead_amortised": _("Exposure at default, amortised credit"),
        "ead_in_fine": _("Exposure at default, credit repaid at the end"),
    }


def _cost_labels() -> dict[str, str]:
    return {
        "amount_xaf": _("Median loan"),
        "months": _("Median term"),
        "rate_percent": _("Rate"),
        "cost_of_funds_percent": _("Cost of funds"),
        "fee_percent": _("Fee"),
        "file_cost_xaf": _("Cost of a file"),
        "computed": _("Threshold from the costs"),
    }


def _figure(name: str, value: Any) -> str:
    """Show a figure with its unit, which its path tells."""
    head, *rest = name.split(".")
    last = rest[-1] if rest else head
    if value is None:
        shown = _("default") if head == "thresholds" else MISSING
    elif isinstance(value, bool):
        shown = _("Yes") if value else _("No")
    elif isinstance(value, str):
        shown = severity_labels()[value]
    elif head == "rules":
        shown = limit_text(value, RULE_UNITS[rest[0]])
    elif last.endswith("_xaf"):
        shown = fcfa(value)
    elif last == "months":
        shown = limit_text(value, "months")
    elif last.endswith("_percent"):
        shown = short(value / 100)
    elif head.startswith("points") or head in {"pdo", "base_odds"}:
        shown = f"{value:g}"
    else:
        shown = short(value)
    return shown


def proposal_lines(proposals: Iterable[Any], times: Mapping[int, InForce]) -> list[ProposalLine]:
    """Return the lines of the history."""
    return [proposal_line(each, times) for each in proposals]


def proposal_line(proposal: Any, times: Mapping[int, InForce]) -> ProposalLine:
    """Return where one policy stands: proposed, in force from when to when, never."""
    policy = proposal.policy
    status, label = proposal.status, proposal.get_status_display()
    time = times.get(policy.pk) if policy is not None else None
    if time is not None:
        status, label = _standing(time)
    title = _("Version %(number)s") % {"number": policy.version} if policy else _("Proposal")
    return ProposalLine(
        url=reverse("web:policy_version", args=[proposal.uid]),
        title=title,
        status=status,
        status_label=label,
        period=_period(time) if time else _("asked from %(day)s") % {"day": day(proposal.effective_from)},
        proposed_by=_person(proposal.proposed_by, proposal),
        decided_by=proposal.decided_by.full_name if proposal.decided_by else "",
        reason=proposal.reason,
        created_at=proposal.created_at,
        opening=proposal.proposed_by is None,
    )


def _person(person: Any, proposal: Any) -> str:
    if person is not None:
        return str(person.full_name)
    return _("Opening of the institution") if proposal.opening else MISSING


def _standing(time: InForce) -> tuple[str, str]:
    now = timezone.now()
    if time.never:
        return "never", _("Never in force")
    if time.holds(now):
        return "active", _("In force")
    return ("scheduled", _("Scheduled")) if time.start > now else ("past", _("Past"))


def _period(time: InForce) -> str:
    if time.never:
        return _("replaced before its day")
    start = moment(time.start)
    if time.end is None:
        begun = time.start <= timezone.now()
        return (_("since %(start)s") if begun else _("from %(start)s on")) % {"start": start}
    return _("from %(start)s to %(end)s") % {"start": start, "end": moment(time.end)}


def day(date: dt.date) -> str:
    return date_format(date, "d/m/Y")


def moment(instant: dt.datetime) -> str:
    return date_format(timezone.localtime(instant), "d/m/Y H:i")


def impact_view(found: Backtest) -> Impact:
    """Return a comparison in words."""
    before, after = found.before, found.after
    moves = [
        Move(ADVICE[old], str(ADVICE[old].label), ADVICE[new], str(ADVICE[new].label), whole(count))
        for old, row in enumerate(found.moves)
        for new, count in enumerate(row)
        if old != new and count
    ]
    text = ngettext("%(count)s file changes advice", "%(count)s files change advice", found.changed)
    return Impact(
        total=after.total,
        since=found.start,
        rows=_impact_rows(before, after),
        moves=moves,
        changed=found.changed,
        changed_text=text % {"count": whole(found.changed)} if found.changed else _("No file changes advice"),
        unpriced=_unpriced(after),
    )


def _impact_rows(before: Side, after: Side) -> list[ImpactRow]:
    rows = [
        ImpactRow(
            _("Share accepted"),
            percent(before.accepted_share, 1),
            percent(after.accepted_share, 1),
            _gap(before.accepted_share, after.accepted_share),
        )
    ]
    for place, advice in enumerate(ADVICE):
        old, new = before.advice[place], after.advice[place]
        rows.append(ImpactRow(str(advice.label), whole(old), whole(new), _more(new - old, whole)))
    rows.append(
        ImpactRow(
            _("Expected default among the accepted"),
            percent(before.mean_pd),
            percent(after.mean_pd),
            _gap(before.mean_pd, after.mean_pd, decimals=2),
        )
    )
    profits = [fcfa(side.profit_xaf) if side.priced else MISSING for side in (before, after)]
    gained = after.profit_xaf - before.profit_xaf
    change = _more(gained, fcfa) if before.priced and after.priced else MISSING
    rows.append(ImpactRow(_("Expected profit"), profits[0], profits[1], change))
    return rows


def _gap(before: float | None, after: float | None, *, decimals: int = 1) -> str:
    if before is None or after is None:
        return MISSING
    gap = round((after - before) * 100, decimals)
    shown = percent(abs(gap) / 100, decimals).rstrip("%").rstrip()
    return _("%(gap)s points") % {"gap": f"{_sign(gap)}{shown}"}


def _more(count: int, words: Any) -> str:
    return f"{_sign(count)}{words(abs(count))}"


def _sign(number: float) -> str:
    return "+" if number > 0 else MINUS if number < 0 else ""


def _unpriced(side: Side) -> str:
    left = side.accepted - side.priced
    if not left:
        return ""
    text = ngettext(
        "The profit leaves out %(count)s accepted file of a credit type whose costs are not given.",
        "The profit leaves out %(count)s accepted files of credit types whose costs are not given.",
        left,
    )
    return text % {"count": whole(left)}


def changed_lines(scores: Iterable[Any]) -> list[ChangedFile]:
    """Return the files whose advice differs."""
    return [
        ChangedFile(
            url=reverse("web:score", args=[score.uid]),
            label=_file_label(score),
            created_at=score.created_at,
            amount_xaf=score.inputs.get("montant_credit"),
            pd=score.pd,
            old=ADVICE[score.old],
            old_label=str(ADVICE[score.old].label),
            new=ADVICE[score.new],
            new_label=str(ADVICE[score.new].label),
        )
        for score in scores
    ]


def _file_label(score: Any) -> str:
    if score.client is not None:
        return str(score.client)
    return _("Score by values")


def curve_view(points: Sequence[CurvePoint]) -> tuple[charts.Chart | None, str]:
    """Return the profit expected by threshold, and what one sees; nothing without costs."""
    if not any(point.profit_xaf for point in points):
        return None, ""
    best = max(points, key=lambda point: point.profit_xaf)
    chart = charts.lines(
        [(_("Expected profit"), [(point.threshold, float(point.profit_xaf)) for point in points])],
        x=_("Threshold"),
        x_words=lambda value: percent(value, 0),
        y_words=_millions,
    )
    finding = _("The expected profit is highest at a threshold of %(threshold)s: %(profit)s over 12 months.")
    return chart, finding % {"threshold": percent(best.threshold, 0), "profit": fcfa(best.profit_xaf)}


def _millions(amount: float) -> str:
    return _("%(count)s M") % {"count": f"{amount / _MILLION:.1f}".replace(".", _decimal_mark())}


def _decimal_mark() -> str:
    return "," if current_lang() == "fr" else "."


def draft_and_base(proposal: Any) -> tuple[PolicyDraft, PolicyDraft | None]:
    """Return what a proposal says and what the policy that it was based on said."""
    return draft_of(proposal), draft_of(proposal.based_on) if proposal.based_on else None


def by_hand(costs: TypeCosts) -> TypeCosts:
    """Return the costs of a type whose threshold is no longer computed from them."""
    return replace(costs, computed=False)


def is_open(proposal: Any) -> bool:
    """Say whether a proposal waits for its second person."""
    return bool(proposal.status == ProposalStatus.PROPOSED)
