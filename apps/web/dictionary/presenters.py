"""Variables in words: what each holds, what is done with it, what was decided of it and when."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.credits.enums import ValueSource, ValueType, ValueUnit, VariableChange
from apps.credits.queries.dictionary import Entry
from apps.engine.dictionary import PREDICT_VARIABLES, Variable
from apps.engine.wording import number
from apps.tenancy.language import current_lang


@dataclass(frozen=True, slots=True)
class Mark:
    """A word about a variable and the tone of its badge."""

    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One variable in the list."""

    name: str
    label: str
    holds: str
    purpose: str
    marks: list[Mark]


def groups(entries: Iterable[Entry], used: Collection[str]) -> list[tuple[str, list[EntryLine]]]:
    """Return the variables by whose they are: the institution's, the contract's, the optional ones."""
    listed = list(entries)
    own = [entry for entry in listed if entry.own and not entry.retired]
    contract = [entry for entry in listed if entry.name in PREDICT_VARIABLES]
    optional = [entry for entry in listed if not entry.own and entry.name not in PREDICT_VARIABLES]
    retired = [entry for entry in listed if entry.retired]
    found = [
        (_("Variables of the institution"), own),
        (_("Variables of every score"), contract),
        (_("Optional variables"), optional),
        (_("Retired variables"), retired),
    ]
    return [(title, [entry_line(each, used) for each in some]) for title, some in found if some]


def entry_line(entry: Entry, used: Collection[str]) -> EntryLine:
    """Return one variable in words; ``used`` names those that models in production read."""
    return EntryLine(
        name=entry.name,
        label=entry.variable.label(current_lang()),
        holds=holds(entry.variable),
        purpose=entry.purpose,
        marks=list(_marks(entry, used)),
    )


def is_unused(entry: Entry, used: Collection[str]) -> bool:
    """Say whether it is asked for and nothing in production reads it, though it could be left out."""
    return entry.asked and entry.may_be_left_out and not entry.for_fairness and entry.name not in used


def _marks(entry: Entry, used: Collection[str]) -> Iterable[Mark]:
    if entry.name in used:
        yield Mark(_("Read in production"), "positive")
    if entry.retired:
        yield Mark(_("Retired (variable)"), "neutral")
    elif not entry.asked:
        yield Mark(_("Not asked for"), "neutral")
    if is_unused(entry, used):
        yield Mark(_("Read by no model in production"), "caution")
    if entry.for_fairness:
        yield (
            Mark(_("To check fairness only"), "info")
            if not entry.in_models
            else Mark(_("Sensitive, given to models with a reason"), "caution")
        )
    elif entry.in_models and entry.name not in used:
        yield Mark(_("Models may learn from it"), "info")
    if entry.set_by_officer:
        yield Mark(_("Set by the officer"), "caution")


def holds(variable: Variable) -> str:
    """Say what values a variable takes."""
    lang = current_lang()
    if variable.type == "category":
        return ", ".join(each.label(lang) for each in variable.categories)
    kind = str(ValueType(variable.type).label)
    counted = variable.unit in {"", "count"}
    parts = [kind] if counted else [kind, str(ValueUnit(variable.unit).label)]
    low, high = variable.minimum, variable.maximum
    if low is not None and high is not None:
        told = {"low": number(low, lang, 6), "high": number(high, lang, 6)}
        parts.append(_("from %(low)s to %(high)s") % told)
    return " · ".join(parts)


def facts(entry: Entry, used: Collection[str]) -> list[tuple[str, Any]]:
    """Return what is known of a variable, label and value."""
    variable, row = entry.variable, entry.row
    answers = {True: _("Yes"), False: _("No")}
    directions = {"up": _("More of it raises the risk"), "down": _("More of it lowers the risk")}
    lines: list[tuple[str, Any]] = [
        (_("Name in files and programs"), entry.name),
        (_("Values"), holds(variable)),
        (_("Why it is asked"), entry.purpose),
        (_("Where it comes from"), str(ValueSource(variable.source).label)),
        (_("Direction"), directions.get(variable.direction or "", _("No direction: the data say"))),
        (_("When it is missing"), _missing(variable)),
        (_("Asked for"), answers[entry.asked]),
        (_("Models may learn from it"), answers[entry.in_models]),
        (_("Read in production"), answers[entry.name in used]),
    ]
    if entry.model_use_reason:
        lines.append((_("Reason why models may learn from it"), entry.model_use_reason))
    if entry.own and row is not None:
        lines += [
            (_("Declared by"), str(row.declared_by or "")),
            (_("Declared on"), row.declared_at.date()),
        ]
    return lines


def _missing(variable: Variable) -> str:
    if variable.missing == "refused":
        return _("It is required.")
    if variable.missing == "computed":
        return _("It is computed from the other values.")
    return _("It stays missing, and is shown as such: nothing is filled in.")


@dataclass(frozen=True, slots=True)
class RevisionLine:
    """One change of a variable."""

    at: dt.datetime
    who: str
    what: str
    reason: str
    told: str


def revision_lines(revisions: Iterable[Any]) -> list[RevisionLine]:
    """Return the changes of a variable, as they come, each with what it said from then on."""
    return [
        RevisionLine(
            at=each.changed_at,
            who=str(each.changed_by or ""),
            what=str(VariableChange(each.change).label),
            reason=each.reason,
            told=_told(each.state),
        )
        for each in revisions
    ]


def _told(state: dict[str, Any]) -> str:
    lang = current_lang()
    parts = [state[f"label_{lang}"]] if state.get(f"label_{lang}") else []
    if state.get("minimum") is not None and state.get("maximum") is not None:
        told = {"low": number(state["minimum"], lang, 6), "high": number(state["maximum"], lang, 6)}
        parts.append(_("from %(low)s to %(high)s") % told)
    parts += [", ".join(each["code"] for each in state["codes"])] if state.get("codes") else []
    parts.append(_("Asked for") if state["asked"] else _("Not asked for"))
    parts.append(_("models may learn from it") if state["in_models"] else _("models do not learn from it"))
    return " · ".join(parts)
