"""From what people, files and partners send to canonical values, or to problems said in full sentences."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from numbers import Integral, Real

from apps.engine.contracts import Lang, Value
from apps.engine.variables import Variable
from apps.engine.wording import (
    FIRM,
    agree,
    decimals_of,
    number,
    plural_subject,
    quoted,
    subject,
    with_unit,
)

_LONGEST = 40  # a number longer than this is no amount; int() on a huge text is slow
_NUMBER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[ \u00a0\u202f]\d{3})+)(?:[.,]\d+)?\Z", re.ASCII)
_SPACES = re.compile("[ \u00a0\u202f]")
_ARREARS = ("nb_retards_30j", "nb_retards_60j", "nb_retards_90j")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field.

    ``code`` is ``required``, ``not_integer``, ``not_number``, ``out_of_range``, ``not_in_list`` or
    ``unknown_field``; ``params`` holds ``minimum`` and ``maximum``, or ``allowed``.
    """

    field: str
    code: str
    params: Mapping[str, object] = dataclass_field(default_factory=dict)
    variable: Variable | None = None

    def text(self, lang: Lang) -> str:
        """Say it in one sentence for the person who typed the value."""
        if self.variable is None:
            return _unknown_field(self.field, lang)
        return _french(self, self.variable) if lang == "fr" else _english(self, self.variable)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Canonical values by name (missing ones are absent), what is refused, and warning codes."""

    values: dict[str, Value]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems


class _Refused(ValueError):
    """Carries the code of a Problem out of the parsing of one value."""


def clean(variables: Mapping[str, Variable], raw: Mapping[str, object]) -> Cleaned:
    """Check ``raw`` against ``variables``; never raises for a bad value, reports it instead."""
    values: dict[str, Value] = {}
    problems = [Problem(str(name), "unknown_field") for name in raw if name not in variables]
    for name, variable in variables.items():
        given = raw.get(name)
        try:
            value = None if given is None else parse(variable, given)
        except _Refused as refusal:
            problems.append(_problem(variable, str(refusal)))
            continue
        if value is not None:
            values[name] = value
        elif variable.required:
            problems.append(_problem(variable, "required"))
    return Cleaned(values, tuple(problems), _warnings(values))


def parse(variable: Variable, value: object) -> Value:
    """Give the canonical form of one value, None when missing; raises ValueError(code of the problem)."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if variable.type == "category":
        return _code(variable, value)
    parsed = _integer(value) if variable.type == "integer" else _decimal(value)
    low, high = variable.minimum, variable.maximum
    if (low is not None and parsed < low) or (high is not None and parsed > high):
        raise _Refused("out_of_range")
    return parsed


def _code(variable: Variable, value: object) -> str:
    code = variable.canonical(value) if isinstance(value, str) else None
    if code is None:
        raise _Refused("not_in_list")
    return code


def _integer(value: object) -> int:
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    try:
        parsed = _decimal(value)
    except _Refused:
        raise _Refused("not_integer") from None
    if not parsed.is_integer():
        raise _Refused("not_integer")
    return int(parsed)


def _decimal(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (Real, Decimal, str)):
        raise _Refused("not_number")
    try:
        parsed = _from_text(value) if isinstance(value, str) else float(value)
    except (OverflowError, ValueError):
        raise _Refused("not_number") from None
    if not math.isfinite(parsed):
        raise _Refused("not_number")
    return parsed


def _from_text(text: str) -> float:
    """Read « 1 500 000 », « 36,2 », « 36.2 »; anything else (« 1e5 », « nan », « 1_0 ») is no number."""
    text = text.strip()
    if len(text) > _LONGEST or not _NUMBER.match(text):
        raise _Refused("not_number")
    return float(_SPACES.sub("", text).replace(",", "."))


def _warnings(values: Mapping[str, Value]) -> tuple[str, ...]:
    known = [value for name in _ARREARS if isinstance(value := values.get(name), (int, float))]
    return () if known == sorted(known, reverse=True) else ("retards_incoherents",)


def _problem(variable: Variable, code: str) -> Problem:
    params: dict[str, object] = {}
    if code == "out_of_range":
        params = {"minimum": variable.minimum, "maximum": variable.maximum}
    if code == "not_in_list":
        params = {"allowed": variable.codes}
    return Problem(variable.name, code, params, variable)


def _unknown_field(name: str, lang: Lang) -> str:
    shown = quoted(name[:60], lang)
    return f"Le champ {shown} n'est pas connu." if lang == "fr" else f"The field {shown} is not known."


def _french(problem: Problem, variable: Variable) -> str:
    who = subject(variable, "fr")
    must = "doivent être" if plural_subject(variable) else "doit être"
    if problem.code == "required":
        verb = "sont" if plural_subject(variable) else "est"
        return f"{who} {verb} {agree(variable, 'obligatoire')}."
    if problem.code == "out_of_range":
        return f"{who} {must} {_range_fr(variable)}."
    if problem.code == "not_in_list":
        return f"{who} {must} l'une de ces valeurs{FIRM}: {_allowed(variable, 'fr')}."
    kind = "un nombre entier" if problem.code == "not_integer" else "un nombre"
    return f"{who} {must} {kind}."


def _range_fr(variable: Variable) -> str:
    low, high = variable.minimum, variable.maximum
    if low is None and high is not None:
        return f"au plus {with_unit(high, variable, 'fr')}"
    if high is None and low is not None:
        return f"au moins {with_unit(low, variable, 'fr')}"
    bare = number(low or 0, "fr", decimals_of(variable))
    return f"{agree(variable, 'compris')} entre {bare} et {with_unit(high or 0, variable, 'fr')}"


def _english(problem: Problem, variable: Variable) -> str:
    who = subject(variable, "en")
    if problem.code == "required":
        return f"{who}: a value is required."
    if problem.code == "out_of_range":
        return f"{who} must be {_range_en(variable)}."
    if problem.code == "not_in_list":
        return f"{who} must be one of: {_allowed(variable, 'en')}."
    kind = "a whole number" if problem.code == "not_integer" else "a number"
    return f"{who} must be {kind}."


def _range_en(variable: Variable) -> str:
    low, high = variable.minimum, variable.maximum
    if low is None and high is not None:
        return f"at most {with_unit(high, variable, 'en')}"
    if high is None and low is not None:
        return f"at least {with_unit(low, variable, 'en')}"
    currency = "XAF " if variable.unit in {"XAF", "XAF_per_month"} else ""
    bare = currency + number(low or 0, "en", decimals_of(variable))
    return f"between {bare} and {with_unit(high or 0, variable, 'en')}"


def _allowed(variable: Variable, lang: Lang) -> str:
    return ", ".join(_listed(variable, lang))


def _listed(variable: Variable, lang: Lang) -> Iterable[str]:
    for category in variable.categories:
        label = category.label(lang)
        yield category.code if label == category.code else f"{category.code} ({label})"
