"""Units that look wrong: a question to the person, never a correction.

Each question comes from the distribution of a whole column (median, share of fractions), with the figures
that raised it. The figures suit the variable dictionary; a field of another name is judged by its unit only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from django.utils.translation import gettext as _

from apps.files.reading.mapping import Conversion, Match
from apps.files.reading.values import Typed

_FEWEST = 20
#: Twelve months of an income are larger than what most borrow for; a month's is smaller.
_ANNUAL_TO_CREDIT = 1.5
#: A median above this is no monthly income of a borrower of microfinance (FCFA).
_ANNUAL_ALONE = 2_500_000
_YEARS_AT_MOST = 45
_YEARS_MEDIAN = 15
_TERM_YEARS_AT_MOST = 10
_FRACTION_AT_MOST = 3.0
_RATE_FRACTION_AT_MOST = 1.2
_PERCENT_MEDIAN = 5.0

_RATES = {"taux_interet": _RATE_FRACTION_AT_MOST, "taux_endettement": _FRACTION_AT_MOST}


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Values of ``header`` that another unit would explain better; ``evidence`` has the figures seen.

    ``evidence``: ``median`` and ``maximum`` of the column as it was read, ``rows`` with a value, and
    ``share`` (0 to 1) of fractions or ``credit`` (median of the amounts asked for) where they count.
    """

    header: str
    field: str
    conversion: Conversion
    evidence: dict[str, float]


def suspicions(sample: Typed, matches: Sequence[Match]) -> list[Suspicion]:
    """Return the questions to ask about units: annual or monthly, years or months, fraction or percent.

    ``sample`` is the beginning of the file read with ``matches``, values out of range included where they
    could be read (``typed(..., in_range=False)``). A unit that the header tells or that somebody settled is
    not asked about.
    """
    found = []
    for match in matches:
        values = sample.columns.get(match.field or "")
        if values is None or match.conversion or match.why == "remembered":
            continue
        known = values.drop_nulls()
        if known.len() >= _FEWEST and (asked := _asked(match.field or "", known, sample)) is not None:
            conversion, evidence = asked
            found.append(Suspicion(match.header, match.field or "", conversion, evidence))
    return found
