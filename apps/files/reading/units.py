"""Units that look wrong: a question to the person, never a correction.

Each question comes from the distribution of a whole column, with the figures that raised it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from django.utils.translation import gettext as _

from apps.engine.wording import number
from apps.files.reading.mapping import Conversion, Match
from apps.files.reading.numbers import numbers
from apps.files.reading.values import Typed
from apps.tenancy.language import current_lang

_FEWEST = 10
#: A repayment is 10 to 60 % of a month's income: under this median, the income is rather a year's.
_SMALLEST_EFFORT = 0.05
#: Without amount and term beside it: no month's income of most borrowers of microfinance (FCFA).
_ANNUAL_INCOME = 2_500_000
_YEARS_IN_A_JOB = 45
_YEARS_IN_A_JOB_USUAL = 15
_YEARS_OF_A_CREDIT = 10
_YEARS_OF_A_CREDIT_USUAL = 5
_RATE_AS_FRACTION = 1.2
_BURDEN_AS_FRACTION = 3.0
_RATIO_AS_PERCENT = 5.0
_DAYS_OF_A_LIFE = -5_000


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Values of ``header`` that another unit would explain better; ``evidence`` has the figures seen.

    ``evidence``: ``rows`` with a number, their ``median`` and ``maximum``; ``effort`` is the median share of
    the income that a repayment takes (0 to 1), where amounts and terms are known.
    """

    header: str
    field: str
    conversion: Conversion
    evidence: dict[str, float]

    def question(self) -> str:
        """Ask the person, figures included."""
        lang = current_lang()
        told = {name: number(value, lang, 2) for name, value in self.evidence.items()}
        return _QUESTIONS[self.conversion]() % {"header": self.header, **told}


def suspicions(sample: Typed, matches: Sequence[Match]) -> list[Suspicion]:
    """Return the questions to ask about units: annual or monthly, years or months, fraction or percent.

    ``sample`` is the beginning of the file read with ``matches``; what was out of range counts too. A unit
    that the header tells or that somebody settled (``Match.conversion``) is not asked about.
    """
    found: list[Suspicion] = []
    for match in matches:
        suspect = _SUSPECTS.get(match.field or "")
        if suspect is not None and match.conversion is Conversion.NONE:
            values = _read(sample, match)
            if values.len() >= _FEWEST:
                found += suspect(match, values, sample)
    return found


def _read(sample: Typed, match: Match) -> pl.Series:
    """Return every number of a column, those refused for their range or their fraction included."""
    values = sample.columns[match.field or ""].drop_nulls().cast(pl.Float64)
    errors = sample.errors.filter(
        (pl.col("column") == match.header) & pl.col("code").is_in(["out_of_range", "not_integer"])
    )
    refused = numbers(errors["value"].str.strip_chars(), decimal=",").cast(pl.Float64)
    return pl.concat([values.rename("value"), refused.rename("value")]).drop_nulls()


def _figures(values: pl.Series, **more: float) -> dict[str, float]:
    return {"rows": float(values.len()), "median": _median(values), "maximum": _largest(values), **more}


def _median(values: pl.Series) -> float:
    return float(values.median() or 0)  # type: ignore[arg-type]


def _largest(values: pl.Series) -> float:
    return float(values.max() or 0)  # type: ignore[arg-type]


def _income(match: Match, values: pl.Series, sample: Typed) -> Iterator[Suspicion]:
    efforts = _efforts(sample, match.field or "")
    if efforts.len() >= _FEWEST:
        effort = _median(efforts)
        if 0 < effort < _SMALLEST_EFFORT:
            evidence = _figures(values, effort=effort)
            yield Suspicion(match.header, match.field or "", Conversion.ANNUAL_TO_MONTHLY, evidence)
    elif _median(values) > _ANNUAL_INCOME:
        yield Suspicion(match.header, match.field or "", Conversion.ANNUAL_TO_MONTHLY, _figures(values))


def _efforts(sample: Typed, income: str) -> pl.Series:
    """Return what a repayment takes of the income, interest left out, for the rows that tell all three."""
    names = (income, "montant_credit", "duree_mois")
    if any(name not in sample.columns for name in names):
        return pl.Series(dtype=pl.Float64)
    frame = pl.DataFrame([sample.columns[name].alias(name) for name in names]).drop_nulls()
    asked = pl.col("montant_credit") / pl.col("duree_mois") / pl.col(income)
    return frame.filter(pl.col(income) > 0).select(asked).to_series()


def _seniority(match: Match, values: pl.Series, _sample: Typed) -> Iterator[Suspicion]:
    if 0 < _largest(values) <= _YEARS_IN_A_JOB and _median(values) <= _YEARS_IN_A_JOB_USUAL:
        yield Suspicion(match.header, match.field or "", Conversion.YEARS_TO_MONTHS, _figures(values))
    elif _median(values) < 0:
        yield Suspicion(match.header, match.field or "", Conversion.DAYS_TO_MONTHS, _figures(values))


def _term(match: Match, values: pl.Series, _sample: Typed) -> Iterator[Suspicion]:
    if 0 < _largest(values) <= _YEARS_OF_A_CREDIT and _median(values) <= _YEARS_OF_A_CREDIT_USUAL:
        yield Suspicion(match.header, match.field or "", Conversion.YEARS_TO_MONTHS, _figures(values))


def _age(match: Match, values: pl.Series, _sample: Typed) -> Iterator[Suspicion]:
    if _median(values) < _DAYS_OF_A_LIFE:
        yield Suspicion(match.header, match.field or "", Conversion.DAYS_TO_YEARS, _figures(values))


def _rate(match: Match, values: pl.Series, _sample: Typed) -> Iterator[Suspicion]:
    if 0 < _largest(values) <= _RATE_AS_FRACTION:
        yield Suspicion(match.header, match.field or "", Conversion.FRACTION_TO_PERCENT, _figures(values))


def _burden(match: Match, values: pl.Series, _sample: Typed) -> Iterator[Suspicion]:
    if 0 < _largest(values) <= _BURDEN_AS_FRACTION:
        yield Suspicion(match.header, match.field or "", Conversion.FRACTION_TO_PERCENT, _figures(values))


def _ratio(match: Match, values: pl.Series, _sample: Typed) -> Iterator[Suspicion]:
    if _median(values) > _RATIO_AS_PERCENT:
        yield Suspicion(match.header, match.field or "", Conversion.PERCENT_TO_FRACTION, _figures(values))


_SUSPECTS: Mapping[str, Callable[[Match, pl.Series, Typed], Iterator[Suspicion]]] = {
    "age": _age,
    "revenu_mensuel": _income,
    "monthly_income_xaf": _income,
    "anciennete_travail_mois": _seniority,
    "anciennete_membre_mois": _seniority,
    "duree_mois": _term,
    "taux_interet": _rate,
    "taux_endettement": _burden,
    "ratio_dette_revenu": _ratio,
}
_QUESTIONS: Mapping[Conversion, Callable[[], str]] = {
    Conversion.ANNUAL_TO_MONTHLY: lambda: _(
        "Is the income of the column “%(header)s” that of a year? Its median is %(median)s."
    ),
    Conversion.YEARS_TO_MONTHS: lambda: _(
        "Does the column “%(header)s” count years? No value is above %(maximum)s, few for a number of months."
    ),
    Conversion.DAYS_TO_YEARS: lambda: _(
        "Does the column “%(header)s” count days backwards? Its median is %(median)s."
    ),
    Conversion.DAYS_TO_MONTHS: lambda: _(
        "Does the column “%(header)s” count days backwards? Its median is %(median)s."
    ),
    Conversion.FRACTION_TO_PERCENT: lambda: _(
        "Does the column “%(header)s” hold fractions (0.24 for 24 %%)? No value is above %(maximum)s."
    ),
    Conversion.PERCENT_TO_FRACTION: lambda: _(
        "Does the column “%(header)s” hold percentages (45 for 0.45)? Its median is %(median)s."
    ),
}
