"""The parts of the page, and the views that people saved."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.tenancy.actor import Actor
from apps.web.monitoring.presenters import Choice

OVERVIEW, DISTRIBUTIONS = "", "distributions"
PARTS = (OVERVIEW, DISTRIBUTIONS)


def part_asked(text: str) -> str:
    """Return the part of the page that an address names; the first one otherwise."""
    return text if text in PARTS else OVERVIEW


def part_links(asked: Any, shown: str) -> list[Choice]:
    """Return the parts of the page, within the same limits."""
    labels = {OVERVIEW: _("Overview"), DISTRIBUTIONS: _("Distributions and statistics")}
    return [Choice(_same_limits(asked, part), label, part == shown) for part, label in labels.items()]


def _same_limits(asked: Any, part: str) -> str:
    query = asked.copy()
    query.pop("vue", None)
    if part:
        query["vue"] = part
    return f"{reverse('web:portfolio')}{f'?{query.urlencode()}' if query else ''}"


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A view that was saved: its address, and whether it is the reader's own."""

    uid: Any
    name: str
    url: str
    own: bool
    shared: bool


def view_links(views: Iterable[Any], actor: Actor) -> list[ViewLink]:
    """Return the saved views as links."""
    to = reverse("web:portfolio")
    return [
        ViewLink(each.uid, each.name, f"{to}?{each.query}", each.owner_id == actor.person_id, each.shared)
        for each in views
    ]
