"""Clients to contact: the list, and its file."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.web.portfolio.sheets import type_label
from apps.web.templatetags.formats import MISSING


@dataclass(frozen=True, slots=True)
class ProspectLine:
    name: str
    reference: str
    agency: str
    city: str
    asked: str
    points: int
    scored_on: dt.date


def prospect_lines(clients: Iterable[Any]) -> list[ProspectLine]:
    """Return the lines of the list: no telephone number, which only the file holds."""
    return [
        ProspectLine(
            name=str(each),
            reference=each.reference,
            agency=each.agency.name,
            city=each.city,
            asked=type_label(each.asked_type) if each.asked_type else MISSING,
            points=each.score_points,
            scored_on=timezone.localdate(each.scored_at),
        )
        for each in clients
    ]


def prospects_table(clients: Iterable[Any]) -> tuple[list[str], list[list[Any]]]:
    """Return the list as a file holds it, with telephone numbers."""
    header = [_("Reference"), _("Name"), _("Phone"), _("City"), _("Agency"), _("Last credit asked for")]
    header += [_("Points"), _("Scored on")]
    return header, [
        [
            *(each.reference, str(each), each.phone, each.city, each.agency.name),
            *(type_label(each.asked_type) if each.asked_type else "", each.score_points),
            timezone.localdate(each.scored_at),
        ]
        for each in clients
    ]
