"""Which column holds which field: by name, in French, in English, as Home Credit writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from apps.engine.dictionary import Variable

Kind = Literal["integer", "decimal", "amount", "date", "code", "text", "boolean"]


class Conversion(StrEnum):
    """What is done to the values of a column before they are checked."""

    NONE = ""
    ANNUAL_TO_MONTHLY = "annual_to_monthly"
    YEARS_TO_MONTHS = "years_to_months"
    DAYS_TO_YEARS = "days_to_years"  # Home Credit counts days backwards: -9461 is an age of 25
    DAYS_TO_MONTHS = "days_to_months"  # and 365243 is nobody's seniority
    FRACTION_TO_PERCENT = "fraction_to_percent"
    PERCENT_TO_FRACTION = "percent_to_fraction"
    ARREARS_CODES = "arrears_codes"  # 96 and 98 say that it is not known


@dataclass(frozen=True, slots=True)
class Field:
    """What a column may hold. ``codes`` gives the canonical code of each accepted spelling, folded.

    ``variable`` is the entry of the dictionary that the field is, where it is one: it words the errors.
    ``past`` is a date that today cannot precede.
    """

    name: str
    label: str
    kind: Kind
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    codes: Mapping[str, str] = field(default_factory=dict, hash=False)
    required: bool = False
    synonyms: tuple[str, ...] = ()
    past: bool = False
    longest: int = 2_000
    variable: Variable | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """One column of a file and the field it is taken for, None when it is left alone.

    ``conversion`` is what will be done: only what the header itself says or what somebody confirmed.
    """

    header: str
    field: str | None
    conversion: Conversion = Conversion.NONE
    certain: bool = True
    why: str = ""


def propose(
    headers: Sequence[str], fields: Sequence[Field], *, remembered: Mapping[str, str] | None = None
) -> list[Match]:
    """Return one match per header, in order; a field is given to one header only.

    ``remembered`` gives the field of headers that the institution settled before (empty: left alone).
    """
    raise NotImplementedError
