"""How a candidate does by type of credit and by group of people, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.registry.renderers import group_label, group_name
from apps.web.templatetags.formats import MISSING, percent
from apps.web.training import words
from apps.web.training.curves import GROUPS, Link, curve_links


@dataclass(frozen=True, slots=True)
class GroupTable:
    """Groups of one dimension: share advised favourably among good payers, ratio to the best treated."""

    title: str
    rows: list[tuple[str, str, str]]


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
