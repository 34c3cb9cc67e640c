"""How good the data of clients' files are: 100 points, less what each fault takes off.

One definition serves the file of a client and the figures of an agency: each fault is a condition of the
database. Those of a row make one number, a bit a fault; score, causes and distribution come from it, so that
the figures of a million files are one statement that gives back one row for each mix of faults seen.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.credits.models import Client
from apps.credits.queries.clients import stale_before
from apps.institutions.queries import known_agencies
from apps.tenancy.actor import Actor

BEST = 100
#: The ages that the dictionary takes, and from which people work.
YOUNGEST, OLDEST, FIRST_JOB = 18, 80, 14
#: Incomes outside are rather of another unit: a day's, a year's, thousands of francs.
LEAST_INCOME_XAF, MOST_INCOME_XAF = 10_000, 20_000_000
#: The first score of each part of the distribution: insufficient, weak, fair, good.
PARTS = (0, 40, 60, 80)


@dataclass(frozen=True, slots=True)
class Fault:
    """What takes points off: ``kind`` is completeness, age or coherence."""

    code: str
    kind: str
    points: int
    label: Any


COMPLETENESS, AGE, COHERENCE = "completeness", "age", "coherence"

#: In the order of the bits. The points add up to 100: a file with every fault has none left.
FAULTS = (
    Fault("no_income", COMPLETENESS, 16, _("Monthly income not known")),
    Fault("no_contract", COMPLETENESS, 10, _("Type of contract not known")),
    Fault("no_job_start", COMPLETENESS, 8, _("Start of the job not known")),
    Fault("no_document", COMPLETENESS, 8, _("No identity document")),
    Fault("no_phone", COMPLETENESS, 6, _("No phone")),
    Fault("no_consent", COMPLETENESS, 6, _("No consent to the use of the data")),
    Fault("no_situation", COMPLETENESS, 5, _("Family situation not known")),
    Fault("no_sex", COMPLETENESS, 3, _("Sex not known")),
    Fault("stale", AGE, 12, _("Data to confirm")),
    Fault("very_stale", AGE, 8, _("Data not confirmed for twice that time")),
    Fault("odd_age", COHERENCE, 6, _("Age outside 18 to 80 years")),
    Fault("odd_income", COHERENCE, 5, _("Monthly income unlikely: another unit?")),
    Fault("odd_job_start", COHERENCE, 4, _("Start of the job does not fit the age")),
    Fault("expired", COHERENCE, 3, _("Identity document expired")),
)


def _conditions(today: dt.date, stale: dt.date) -> dict[str, Q]:
    """Return the condition of each fault on a day, ``stale`` being the day before which data are old."""
    adult = F("birth_date") + dt.timedelta(days=int(FIRST_JOB * 365.25))
    return {
        "no_income": Q(monthly_income_xaf=None),
        "no_contract": Q(contract_type=""),
        "no_job_start": Q(contract_start=None),
        "no_document": Q(document_index=""),
        "no_phone": Q(phone_index=""),
        "no_consent": Q(consent_at=None),
        "no_situation": Q(family_situation=""),
        "no_sex": Q(sex=""),
        "stale": Q(data_updated_on__lt=stale),
        "very_stale": Q(data_updated_on__lt=stale - (today - stale)),
        "odd_age": Q(birth_date__gt=_years_before(today, YOUNGEST))
        | Q(birth_date__lte=_years_before(today, OLDEST + 1)),
        "odd_income": Q(monthly_income_xaf__lt=LEAST_INCOME_XAF) | Q(monthly_income_xaf__gt=MOST_INCOME_XAF),
        "odd_job_start": Q(contract_start__lt=adult) | Q(contract_start__gt=today),
        "expired": Q(document_expires_on__lt=today),
    }


def _years_before(day: dt.date, years: int) -> dt.date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - years, day=28 if leap else day.day)


def _with_faults(clients: QuerySet[Client]) -> QuerySet[Any]:
    conditions = _conditions(timezone.localdate(), stale_before())
    bits = [
        Case(When(conditions[fault.code], then=Value(1 << place)), default=Value(0))
        for place, fault in enumerate(FAULTS)
    ]
    return clients.annotate(faults=reduce(add, bits, Value(0, output_field=IntegerField())))


def _faults_of(bits: int) -> tuple[Fault, ...]:
    return tuple(fault for place, fault in enumerate(FAULTS) if bits >> place & 1)


@dataclass(frozen=True, slots=True)
class FileQuality:
    """The quality of one client's file, with what lowers it, the heaviest first."""

    faults: tuple[Fault, ...]

    @property
    def score(self) -> int:
        return BEST - sum(fault.points for fault in self.faults)


def quality_of(client: Client) -> FileQuality:
    """Return the quality of a client's file today; two statements."""
    found = _with_faults(Client.objects.filter(pk=client.pk)).values_list("faults", flat=True).get()
    return FileQuality(tuple(sorted(_faults_of(found), key=lambda fault: -fault.points)))


@dataclass(frozen=True)
class AgencyQuality:
    """The files of an agency (or several) together: how many there are with each mix of faults."""

    name: str
    mixes: Mapping[int, int]

    @cached_property
    def clients(self) -> int:
        """How many files there are."""
        return sum(self.mixes.values())

    @cached_property
    def _scores(self) -> Counter[int]:
        scores: Counter[int] = Counter()
        for bits, count in self.mixes.items():
            scores[FileQuality(_faults_of(bits)).score] += count
        return scores

    @property
    def mean(self) -> float | None:
        """The mean score, None without a file."""
        total = sum(score * count for score, count in self._scores.items())
        return total / self.clients if self.clients else None

    @property
    def parts(self) -> tuple[int, ...]:
        """How many files there are in each part of the distribution (``PARTS``)."""
        counts = [0] * len(PARTS)
        for score, count in self._scores.items():
            counts[max(place for place, start in enumerate(PARTS) if score >= start)] += count
        return tuple(counts)

    @property
    def causes(self) -> list[tuple[Fault, int]]:
        """The faults seen with how many files have each, the one that costs the most points first."""
        counts = [
            (fault, sum(count for bits, count in self.mixes.items() if bits >> place & 1))
            for place, fault in enumerate(FAULTS)
        ]
        seen = [(fault, count) for fault, count in counts if count]
        return sorted(seen, key=lambda each: -each[0].points * each[1])


def agency_qualities(actor: Actor) -> tuple[AgencyQuality, list[AgencyQuality]]:
    """Return the quality of all visible files together, then of each agency, the lowest mean first.

    Counted are the files in use: neither merged nor inactive. Three statements.
    """
    names = dict(known_agencies(actor).values_list("pk", "name"))
    clients = Client.objects.active().standing().filter(agency_id__in=names)
    rows = _with_faults(clients).order_by().values_list("agency_id", "faults").annotate(files=Count("*"))
    mixes: dict[int, dict[int, int]] = {}
    whole: Counter[int] = Counter()
    for agency, bits, files in rows:
        mixes.setdefault(agency, {})[bits] = files
        whole[bits] += files
    agencies = [AgencyQuality(names[key], found) for key, found in mixes.items()]
    return AgencyQuality("", whole), sorted(agencies, key=lambda each: (each.mean or 0, each.name))
