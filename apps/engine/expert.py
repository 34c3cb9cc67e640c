"""A scorecard written by people: points a bin, and the default rate of a file without points.

It is for a lender without history. The same declaration is typed on a page or written as JSON::

    {"format": "scorecard-1", "name": "grille-agence", "version": "1", "declared_default_rate": 0.09,
     "variables": [
       {"name": "nb_retards_30j", "cuts": [1, 3], "points": [15, -20, -60], "missing": 0},
       {"name": "type_contrat_travail", "points": {"CDI": 25, "CDD": 0, "Informel": -15, "Indépendant": 0}}]}

Bin i of a number holds ``cuts[i-1] <= x < cuts[i]``. Points are those of the score: 50 more double the odds
of repayment. A file whose bins all give 0 points has the declared rate.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NoReturn, TypeGuard

from apps.engine.contracts import PolicyFigures
from apps.engine.dictionary import STANDARD, Dictionary
from apps.engine.scorecard import logit
from apps.engine.variables import Variable

SCORECARD_FORMAT = "scorecard-1"
#: A point of the score in log-odds of default.
LOG_ODDS = math.log(2) / PolicyFigures().pdo
MOST_VARIABLES = 40
MOST_CUTS = 12
MOST_POINTS = 400
NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,59}\Z")
VERSION = re.compile(r"[0-9a-z][0-9a-z.-]{0,15}\Z")
_LARGEST = 1e15
_KEYS = frozenset({"format", "name", "version", "declared_default_rate", "variables"})
_ENTRY_KEYS = frozenset({"name", "cuts", "points", "missing"})


class ScorecardRefused(ValueError):
    """A declaration that cannot be used: a ``code``, and what it is about (a variable, mostly)."""

    def __init__(self, code: str, about: str = "") -> None:
        super().__init__(f"{code}: {about}" if about else code)
        self.code = code
        self.about = about


@dataclass(frozen=True, slots=True)
class ExpertBins:
    """The points of one variable: one a bin for a number (``cuts`` + 1), one a code for a category."""

    name: str
    cuts: tuple[float, ...]
    points: tuple[int, ...]
    missing: int = 0

    @property
    def lowest(self) -> int:
        return min(*self.points, self.missing)

    @property
    def highest(self) -> int:
        return max(*self.points, self.missing)


@dataclass(frozen=True, slots=True)
class ExpertCard:
    """A whole declaration, checked."""

    name: str
    version: str
    declared_rate: float
    variables: tuple[ExpertBins, ...]

    def as_dict(self, dictionary: Dictionary = STANDARD) -> dict[str, Any]:
        """Give the JSON form, the one that ``card_from`` reads."""
        return {
            "format": SCORECARD_FORMAT,
            "name": self.name,
            "version": self.version,
            "declared_default_rate": self.declared_rate,
            "variables": [_entry(bins, dictionary[bins.name]) for bins in self.variables],
        }


def _entry(bins: ExpertBins, variable: Variable) -> dict[str, Any]:
    if variable.type == "category":
        points: Any = dict(zip(variable.codes, bins.points, strict=True))
        return {"name": bins.name, "points": points, "missing": bins.missing}
    cuts = [int(cut) if float(cut).is_integer() else cut for cut in bins.cuts]
    return {"name": bins.name, "cuts": cuts, "points": list(bins.points), "missing": bins.missing}


def card_from(document: Any, dictionary: Dictionary = STANDARD) -> ExpertCard:
    """Check a declaration and give it back; raises ScorecardRefused naming what is wrong."""
    if not isinstance(document, Mapping) or document.get("format") != SCORECARD_FORMAT:
        raise ScorecardRefused("format")
    if unknown := sorted(map(str, document.keys() - _KEYS)):
        raise ScorecardRefused("unknown_key", unknown[0])
    name, version = document.get("name"), document.get("version")
    if not isinstance(name, str) or not NAME.match(name):
        raise ScorecardRefused("name")
    if not isinstance(version, str) or not VERSION.match(version):
        raise ScorecardRefused("version")
    rate = document.get("declared_default_rate")
    if not _is_number(rate) or not 0 < rate < 1:
        raise ScorecardRefused("declared_rate")
    entries = document.get("variables")
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_VARIABLES:
        raise ScorecardRefused("variables")
    found = tuple(_bins(entry, dictionary) for entry in entries)
    names = [bins.name for bins in found]
    for name_ in names:
        if names.count(name_) > 1:
            raise ScorecardRefused("repeated", name_)
    return ExpertCard(name, version, float(rate), found)


def _bins(entry: Any, dictionary: Dictionary) -> ExpertBins:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or name not in dictionary:
        raise ScorecardRefused("unknown_variable", str(name)[:60])
    variable = dictionary[name]
    if variable.sensitivity:
        raise ScorecardRefused("sensitive", name)
    if unknown := sorted(map(str, entry.keys() - _ENTRY_KEYS)):
        raise ScorecardRefused("unknown_key", unknown[0])
    missing = _points(entry.get("missing", 0), name)
    if variable.type == "category":
        return ExpertBins(name, (), _by_code(entry, variable), missing)
    return ExpertBins(name, *_by_cuts(entry, variable), missing)


def _by_code(entry: Mapping[str, Any], variable: Variable) -> tuple[int, ...]:
    given = entry.get("points")
    if not isinstance(given, Mapping) or "cuts" in entry or set(given) != set(variable.codes):
        raise ScorecardRefused("codes", variable.name)
    return tuple(_points(given[code], variable.name) for code in variable.codes)


def _by_cuts(entry: Mapping[str, Any], variable: Variable) -> tuple[tuple[float, ...], tuple[int, ...]]:
    cuts, given = entry.get("cuts"), entry.get("points")
    if not isinstance(cuts, list) or not isinstance(given, list) or len(given) != len(cuts) + 1:
        raise ScorecardRefused("bins", variable.name)
    if len(cuts) > MOST_CUTS or not all(_is_number(cut) for cut in cuts):
        raise ScorecardRefused("cuts", variable.name)
    low, high = variable.minimum, variable.maximum
    inside = all((low is None or cut > low) and (high is None or cut <= high) for cut in cuts)
    if not inside or not all(below < above for below, above in pairwise(cuts)):
        raise ScorecardRefused("cuts", variable.name)
    return tuple(map(float, cuts)), tuple(_points(each, variable.name) for each in given)


def _is_number(value: Any) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < _LARGEST  # NaN and the infinities are not


def _points(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST_POINTS:
        raise ScorecardRefused("points", name)
    return value


def parse_scorecard(content: bytes, dictionary: Dictionary = STANDARD) -> ExpertCard:
    """Read a declaration from JSON bytes; raises ScorecardRefused."""
    try:
        document = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ScorecardRefused("json") from None
    return card_from(document, dictionary)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def points_range(card: ExpertCard) -> tuple[int, int]:
    """Give the least and the largest score that the card can give, before the limits of the scale."""
    figures = PolicyFigures()
    centre = (
        figures.points_at_base_odds - (logit(card.declared_rate) + math.log(figures.base_odds)) / LOG_ODDS
    )
    low = sum(bins.lowest for bins in card.variables)
    high = sum(bins.highest for bins in card.variables)
    return round(centre + low), round(centre + high)


def wrong_signs(card: ExpertCard, dictionary: Dictionary = STANDARD) -> list[str]:
    """Give the variables whose points go against the dictionary: more risk must never give more points.

    A missing value may not give more points than the best known one either: hiding it would pay.
    """
    found = []
    for bins in card.variables:
        direction = dictionary[bins.name].direction
        rises = any(below < above for below, above in pairwise(bins.points))
        falls = any(below > above for below, above in pairwise(bins.points))
        against = (direction == "up" and rises) or (direction == "down" and falls)
        if against or bins.missing > max(bins.points):
            found.append(bins.name)
    return found
