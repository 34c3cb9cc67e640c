"""Which column holds which field: by name, in French, in English, as Home Credit writes them."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from apps.engine.dictionary import Variable, fold

Kind = Literal["integer", "decimal", "amount", "date", "code", "text", "boolean"]
Why = Literal["remembered", "name", "synonym", "home_credit", "unit", "similar", "taken", "unknown"]


class Conversion(StrEnum):
    """What is done to the values of a column before they are checked."""

    NONE = ""
    ANNUAL_TO_MONTHLY = "annual_to_monthly"
    YEARS_TO_MONTHS = "years_to_months"
    DAYS_TO_YEARS = "days_to_years"  # Home Credit counts days backwards: -9461 is an age of 25
    DAYS_TO_MONTHS = "days_to_months"  # and 365243 is nobody's seniority
    BIRTH_TO_AGE = "birth_to_age"
    FRACTION_TO_PERCENT = "fraction_to_percent"
    PERCENT_TO_FRACTION = "percent_to_fraction"
    ARREARS_CODES = "arrears_codes"  # 96 and 98 say that it is not known


@dataclass(frozen=True, slots=True)
class Field:
    """What a column may hold. ``codes`` gives the canonical code of each accepted spelling, folded.

    ``variable`` is the entry of the dictionary that the field is, where it is one: it words the errors.
    ``past`` is a date that may not come after today; ``longest`` is in characters, for a text. ``common``
    may be the same on every row: a file often says it in its title only.
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
    common: bool = False
    variable: Variable | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """One column of a file and the field it is taken for, None when it is left alone.

    ``conversion`` is what ``typed`` does: only what the header itself says, or what somebody confirmed
    (``replaced``). ``certain`` is false for a guess that somebody should look at.
    """

    header: str
    field: str | None
    conversion: Conversion = Conversion.NONE
    certain: bool = True
    why: Why = "name"

    def replaced(self, **parts: Any) -> "Match":
        """Return this match as somebody settled it."""
        return replace(self, certain=True, **parts)


#: Columns of Home Credit's tables -> the fields they may be, best first, and what must be done to them.
HOME_CREDIT: dict[str, tuple[tuple[str, ...], Conversion]] = {
    "DAYS_BIRTH": (("age",), Conversion.DAYS_TO_YEARS),
    "AMT_INCOME_TOTAL": (("revenu_mensuel", "monthly_income_xaf"), Conversion.ANNUAL_TO_MONTHLY),
    "AMT_CREDIT": (("montant_credit",), Conversion.NONE),
    "AMT_ANNUITY": (("mensualite", "mensualite_credit"), Conversion.NONE),
    "AMT_APPLICATION": (("montant_demande",), Conversion.NONE),
    "DAYS_EMPLOYED": (("anciennete_travail_mois",), Conversion.DAYS_TO_MONTHS),
    "CODE_GENDER": (("sexe", "sex"), Conversion.NONE),
    "NAME_FAMILY_STATUS": (("situation_familiale", "family_situation"), Conversion.NONE),
    "CNT_CHILDREN": (("personnes_a_charge",), Conversion.NONE),
    "CNT_PAYMENT": (("duree_mois", "duration_months"), Conversion.NONE),
    "NAME_CONTRACT_STATUS": (("decision",), Conversion.NONE),
    "TARGET": (("defaut", "issue", "outcome", "target"), Conversion.NONE),
    "SK_ID_CURR": (("reference", "client_reference", "client"), Conversion.NONE),
    "SK_ID_PREV": (("credit_reference", "application_reference"), Conversion.NONE),
}
#: Children are not all who depend on somebody: looked at before it is believed.
_GUESSED = {"CNT_CHILDREN"}

_ARREARS = frozenset({"nb_retards_30j", "nb_retards_60j", "nb_retards_90j"})
_BIRTH = (
    "date de naissance",
    "date naissance",
    "né le",
    "née le",
    "birth date",
    "date of birth",
    "birthdate",
    "dob",
)
_ANNUAL = re.compile(r"\b(annuel|annuels|annuelle|annuelles|annual|annually|yearly|par an|an|year)\b")
_YEARS = re.compile(r"\b(ans|an|annees|annee|years|year)\b")
_FILLER_WORDS = (
    "a au aux cfa d de des du en et f fcfa km l la le les mois months nb nbre no nombre number of par pct"
    " pour the xaf annuel annuelle annuels annuelles annual yearly an ans annee annees year years"
)
_FILLERS = frozenset(_FILLER_WORDS.split())
_CLOSE = 0.88

Meant = tuple[str, Conversion] | None
Reading = Callable[[str], Meant]
Known = dict[str, Field]


def propose(
    headers: Sequence[str], fields: Sequence[Field], *, remembered: Mapping[str, str] | None = None
) -> list[Match]:
    """Return one match per header, in order; a field is given to one header only.

    ``remembered`` gives the field of headers that the institution settled before (empty: left alone). Surer
    ways of knowing come first: what was remembered, names, Home Credit's names, a unit told in the header,
    then what merely looks like a name, which is not certain.
    """
    known = {each.name: each for each in fields}
    found: dict[int, Match] = {}
    taken: set[str] = set()
    for why, certain, read in _readings(known, remembered or {}):
        for index, header in enumerate(headers):
            if index in found or (meant := read(header)) is None:
                continue
            name, conversion = meant
            if name in taken:
                continue
            taken.add(name)
            sure = certain and header not in _GUESSED
            found[index] = Match(header, name or None, _usual(name, conversion), sure, why)
            taken.discard("")
    return [found.get(index, Match(header, None, why="unknown")) for index, header in enumerate(headers)]


def missing_fields(matches: Iterable[Match], fields: Iterable[Field]) -> list[Field]:
    """Return the required fields that no column holds."""
    held = {match.field for match in matches}
    return [each for each in fields if each.required and each.name not in held]


def key_of(header: str) -> str:
    """Return a header without case, accents, spaces nor punctuation, for what is remembered."""
    return fold(header).replace(" ", "")


def _readings(known: Known, remembered: Mapping[str, str]) -> list[tuple[Why, bool, Reading]]:
    settled = {key_of(header): name for header, name in remembered.items() if not name or name in known}
    names = {key_of(name): name for name in known}
    others = [(each.name, (each.label, *each.synonyms)) for each in reversed(known.values())]
    synonyms = {key_of(text): name for name, texts in others for text in texts}
    bare = {_bare(text): name for name, texts in others for text in (name, *texts)}
    bare.pop("", None)
    return [
        ("remembered", True, lambda header: _plain(settled.get(key_of(header)))),
        ("name", True, lambda header: _plain(names.get(key_of(header)))),
        ("synonym", True, lambda header: _synonym(header, synonyms, known)),
        ("home_credit", True, lambda header: _home_credit(header, known)),
        ("unit", True, lambda header: _with_unit(header, bare, known)),
        ("similar", False, lambda header: _similar(header, bare, known)),
    ]


def _plain(name: str | None) -> Meant:
    return None if name is None else (name, Conversion.NONE)


def _synonym(header: str, synonyms: Mapping[str, str], known: Known) -> Meant:
    name = synonyms.get(key_of(header))
    return None if name is None else (name, _told_unit(header, known[name]))


def _home_credit(header: str, known: Known) -> Meant:
    names, conversion = HOME_CREDIT.get(header.strip().upper(), ((), Conversion.NONE))
    name = next((name for name in names if name in known), None)
    return None if name is None else (name, conversion)


def _with_unit(header: str, bare: Mapping[str, str], known: Known) -> Meant:
    """Read « Revenu annuel (FCFA) » and « Ancienneté en années »: a known name, another unit that is said."""
    name = bare.get(_bare(header))
    if name is None or (conversion := _told_unit(header, known[name])) is Conversion.NONE:
        return None
    return name, conversion


def _similar(header: str, bare: Mapping[str, str], known: Known) -> Meant:
    if "age" in known and key_of(header) in {key_of(text) for text in _BIRTH}:
        return "age", Conversion.BIRTH_TO_AGE
    close = difflib.get_close_matches(_bare(header), list(bare), n=1, cutoff=_CLOSE)
    return (bare[close[0]], _told_unit(header, known[bare[close[0]]])) if close else None


def _told_unit(header: str, each: Field) -> Conversion:
    words = fold(header)
    if each.unit == "XAF_per_month" and _ANNUAL.search(words):
        return Conversion.ANNUAL_TO_MONTHLY
    if each.unit == "months" and _YEARS.search(words):
        return Conversion.YEARS_TO_MONTHS
    return Conversion.NONE


def _usual(name: str, conversion: Conversion) -> Conversion:
    return Conversion.ARREARS_CODES if name in _ARREARS and not conversion else conversion


def _bare(text: str) -> str:
    return "".join(word for word in fold(text).split() if word not in _FILLERS)
