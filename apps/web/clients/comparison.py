"""Two files that may be of one person, in words: the pairs of a list, and both side by side."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.credits.enums import Likeness
from apps.credits.models import Client
from apps.credits.queries.duplicates import Holdings, Pair
from apps.web.clients.presenters import Fact, identity_of, spaced_phone, work_of
from apps.web.templatetags.formats import fcfa


@dataclass(frozen=True, slots=True)
class PairLine:
    first: Client
    second: Client
    alike: list[str]
    of_one_agency: bool

    @property
    def both(self) -> tuple[Client, Client]:
        return self.first, self.second


def pair_lines(pairs: Iterable[Pair]) -> list[PairLine]:
    """Return the lines of the list of possible duplicates."""
    return [
        PairLine(
            pair.first, pair.second, alike_words(pair.alike), pair.first.agency_id == pair.second.agency_id
        )
        for pair in pairs
    ]


def alike_words(alike: Iterable[Likeness]) -> list[str]:
    """Return what two files share, in words."""
    return [str(likeness.label) for likeness in alike]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that both files say, or do not."""

    label: str
    first: Any
    second: Any
    differs: bool

    @property
    def values(self) -> tuple[Any, Any]:
        return self.first, self.second


def compared_rows(first: Client, second: Client, holdings: dict[int, Holdings]) -> list[Row]:
    """Return the lines of two files beside each other; what one of them does not know is a difference too."""
    both = zip(_said(first, holdings[first.pk]), _said(second, holdings[second.pk]), strict=True)
    return [Row(label, one, other, one != other) for (label, one), (_same, other) in both]


def _said(client: Client, held: Holdings) -> list[Fact]:
    identity = dict(identity_of(client))
    document = " · ".join(
        part for part in (client.get_document_type_display(), client.document_number) if part
    )
    return [
        (_("Reference"), client.reference),
        (_("Agency"), client.agency.name),
        (_("Last name"), client.last_name),
        (_("First names"), client.first_names),
        (_("Date of birth"), client.birth_date),
        (_("Sex"), client.get_sex_display()),
        (_("Family situation"), client.get_family_situation_display()),
        (_("Phone"), spaced_phone(client.phone)),
        (_("Residence"), identity[_("Residence")]),
        (_("Identity document"), document),
        (_("Document valid until"), client.document_expires_on),
        *work_of(client),
        (_("Monthly income"), fcfa(client.monthly_income_xaf)),
        (_("Consent given on"), client.consent_at),
        (_("Prohibited since"), client.prohibition_date),
        (_("Data confirmed"), client.data_updated_on),
        (_("File opened on"), timezone.localdate(client.created_at)),
        (_("Applications"), str(held.applications)),
        (_("Last application"), held.last_on),
        (_("Credits"), str(held.credits)),
    ]


@dataclass(frozen=True, slots=True)
class MergedLine:
    """A file that was merged into the one shown, as its card lists it."""

    uid: UUID
    name: str
    reference: str
    agency: str
    merged_on: dt.date
    may_part: bool


def merged_lines(files: Iterable[Client], *, kept: Client, may_part: Any) -> list[MergedLine]:
    """Return the merged files of a client; ``may_part`` says of two files whether they may be parted."""
    return [
        MergedLine(
            uid=each.uid,
            name=str(each),
            reference=each.reference,
            agency=each.agency.name,
            merged_on=timezone.localdate(each.merged_at),
            may_part=each.merged_into_id == kept.pk and may_part(each, kept),
        )
        for each in files
    ]
