"""Monitoring in words: which model, where it stands, and the parts of its page."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.monitoring.enums import FigureKind
from apps.monitoring.queries import Watch
from apps.registry.renderers import mention_of
from apps.web.monitoring.groups import groups_part
from apps.web.monitoring.overview import overview_part
from apps.web.monitoring.population import population_part
from apps.web.monitoring.tables import day_text, month_words
from apps.web.registry.presenters import segment_label
from apps.web.templatetags.formats import whole

OVERVIEW, POPULATION, GROUPS, DECISIONS = "", "population", "groupes", "decisions"


@dataclass(frozen=True, slots=True)
class Choice:
    url: str
    label: str
    current: bool


@dataclass(frozen=True, slots=True)
class Head:
    """Where the model stands, in a line, and what was compared with what."""

    uid: UUID
    name: str
    mention: str
    tone: str
    standing: str
    day: dt.date | None
    facts: list[tuple[str, str]]


def choices(versions: Iterable[Any], shown: Any) -> list[Choice]:
    """Return the links to the versions that are watched; none when there is only one."""
    found = [
        Choice(
            reverse("web:model_monitoring", args=[version.uid]),
            f"{version.name} {version.version} · {segment_label(version.segment)} · "
            f"{version.get_status_display()}",
            shown is not None and version.pk == shown.pk,
        )
        for version in versions
    ]
    return found if len(found) > 1 else []


def part_asked(text: str, *, people: bool) -> str:
    """Return the part of the page that an address names; the first one otherwise.

    ``people`` says whether one sees how each person decides.
    """
    parts = (POPULATION, GROUPS, DECISIONS) if people else (POPULATION, GROUPS)
    return text if text in parts else OVERVIEW


def part_links(version: Any, shown: str, *, people: bool) -> list[Choice]:
    """Return the parts of the page; ``people`` as for ``part_asked``."""
    url = reverse("web:model_monitoring", args=[version.uid])
    labels = {
        OVERVIEW: _("Overview"),
        POPULATION: _("Applicants and variables"),
        GROUPS: _("Agencies and groups"),
    }
    if people:
        labels[DECISIONS] = _("Decisions against the advice")
    return [
        Choice(f"{url}?vue={part}" if part else url, label, part == shown) for part, label in labels.items()
    ]


def part_of(watch: Watch, part: str) -> dict[str, Any]:
    """Return what one part of the page shows."""
    if watch.day is None:
        return {}
    if part == POPULATION:
        return population_part(watch)
    if part == DECISIONS:
        return {}
    return groups_part(watch) if part == GROUPS else overview_part(watch)


def head_of(watch: Watch) -> Head:
    """Return where a version stands."""
    version, standing = watch.version, watch.standing
    count = len(watch.open)
    words = {
        "alert": ngettext("%(count)s limit passed", "%(count)s limits passed", count) % {"count": count},
        "watch": ngettext("%(count)s point to watch", "%(count)s points to watch", count) % {"count": count},
        "level": _("Within the limits"),
        "unknown": _("Not measured yet"),
    }
    tones = {"alert": "negative", "watch": "caution", "level": "positive", "unknown": "neutral"}
    name = _("%(name)s, version %(version)s") % {"name": version.name, "version": version.version}
    state = watch.figures.get(FigureKind.STATE)
    return Head(
        uid=version.uid,
        name=name,
        mention=mention_of(version),
        tone=tones[standing],
        standing=words[standing],
        day=watch.day,
        facts=_facts(state) if state else [],
    )


def _facts(state: Mapping[str, Any]) -> list[tuple[str, str]]:
    reference = _("training period") if state["trained"] else _("the year before the model came")
    facts = [
        (_("Compared with"), f"{reference}, {_days(state['reference'])}"),
        (_("Today's applications"), _days(state["current"])),
        (
            _("Outcomes"),
            _("known for applications up to %(month)s, %(horizon)s months after disbursement")
            % {"month": month_words(state["matured_until"]), "horizon": state["horizon_months"]},
        ),
    ]
    if state["every"] > 1:
        facts.append((_("Sample"), _("one application in %(count)s") % {"count": state["every"]}))
    return facts


def _days(period: Mapping[str, Any]) -> str:
    first, last = (dt.date.fromisoformat(period[name]) for name in ("from", "to"))
    count = ngettext("%(count)s application", "%(count)s applications", period["rows"])
    return f"{day_text(first)} – {day_text(last)} ({count % {'count': whole(period['rows'])}})"
