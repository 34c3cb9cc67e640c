"""One variable of the dictionary: its name, what it may hold, and what no institution may ever declare."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from apps.engine.contracts import Lang

Kind = Literal["integer", "decimal", "category"]
Direction = Literal["up", "down"]
Missing = Literal["kept", "refused", "computed"]
Source = Literal["typed", "computed", "bureau", "officer"]
Agreement = Literal["m", "f", "mp", "fp"]
Unit = Literal[
    "", "years", "months", "XAF", "XAF_per_month", "percent", "percent_per_year", "fraction", "count", "km"
]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}\Z")

# Whole words, without accents, in French and English. A word that is innocent alone (« origine des fonds »)
# is refused only beside one of its companions.
_FORBIDDEN_WORDS = {
    "ethnic origin": "ethnie ethnies ethnique ethniques ethnic ethnicity tribu tribus tribal tribale tribaux"
    " tribalisme tribe tribes race races racial raciale clan clans caste castes",
    "language": "langue langues langage language languages linguistique mothertongue dialecte dialect patois"
    " idiome francophone anglophone",
    "religion": "religion religions religieux religieuse religious religiosity confession confessionnel"
    " confessionnelle croyance croyances eglise eglises church mosquee mosque temple faith bapteme baptism"
    " chretien chretienne christian catholique catholic protestant protestante musulman musulmane muslim"
    " animiste animist paroisse parish",
    "health": "sante health maladie maladies malade malades disease diseases illness illnesses"
    " medical medicale medicaux medicales"
    " handicap handicaps handicape handicapee disability disabilities disabled invalidite"
    " vih hiv sida aids grossesse enceinte pregnancy pregnant",
    "politics": "politique politiques politics political politically electoral electorale vote votes syndicat"
    " syndicats syndical syndicale syndicaux syndique syndiquee syndicalisme unionised unionized militant"
    " militante partisan",
    "region of origin": "autochtone autochtones allogene allogenes hometown birthplace",
}
_LISTED = {subject: frozenset(words.split()) for subject, words in _FORBIDDEN_WORDS.items()}
#: Parts of words that say it however names are run together (« groupeethnique »).
_FORBIDDEN_PARTS = {
    "ethnic origin": ("ethni", "tribal"),
    "language": ("linguist", "languematern", "langueparl", "mothertongue"),
    "religion": ("religi", "confessionnel"),
    "health": ("handicap", "maladi"),
    "politics": ("politiq", "politic", "syndicat", "syndical"),
    "region of origin": (
        "regionorigine",
        "regiondorigine",
        "regionoforigin",
        "villagenatal",
        "lieunaissance",
    ),
}
_ORIGINS = {
    *("origine", "origines", "originaire", "origin", "origins", "natale", "natal", "naissance", "birth"),
    "birthplace",
}
_PLACES = {
    *("region", "regions", "village", "province", "chefferie", "geographique", "geographic", "place", "lieu"),
    *("ville", "city", "town", "departement", "arrondissement", "quartier", "terroir", "pays", "country"),
}
_UNION = {"trade", "union"}
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class VariableRefused(ValueError):
    """A variable that is malformed, or that may never be declared (ethnic origin, religion, health...).

    ``subject`` says in English what it concerns when it may never be declared; it is empty for a malformed
    one. ``about`` is the text at fault, or the name of the variable.
    """

    def __init__(self, reason: str, *, subject: str = "", about: str = "") -> None:
        super().__init__(reason)
        self.subject = subject
        self.about = about


def fold(text: str) -> str:
    """Give ``text`` without case, accents or punctuation, for matching codes people type."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", bare))


@dataclass(frozen=True, slots=True)
class Category:
    """One code of a list: the canonical code stored, and the other spellings accepted for it."""

    code: str
    label_fr: str
    label_en: str
    aliases: tuple[str, ...] = ()

    def label(self, lang: Lang) -> str:
        return self.label_fr if lang == "fr" else self.label_en


@dataclass(frozen=True, slots=True)
class Wording:
    """How sentences about a variable read; every part is optional and has a generic form.

    Facts are clauses without a full stop; ``{value}`` is the formatted value and ``{s}`` the plural mark.
    ``none_*`` is the fact for the value 0.
    """

    subject_fr: str = ""
    agreement: Agreement = "m"
    fact_fr: str = ""
    fact_en: str = ""
    none_fr: str = ""
    none_en: str = ""
    missing_fr: str = ""
    missing_en: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """One entry of the dictionary. ``direction`` is how the *risk* moves when the value rises."""

    name: str
    type: Kind
    label_fr: str
    label_en: str
    unit: Unit = ""
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[Category, ...] = ()
    direction: Direction | None = None
    required: bool = False
    missing: Missing = "kept"
    sensitivity: str = ""
    source: Source = "typed"
    wording: Wording = Wording()

    def label(self, lang: Lang) -> str:
        return self.label_fr if lang == "fr" else self.label_en

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(category.code for category in self.categories)

    def category(self, code: object) -> Category | None:
        return next((category for category in self.categories if category.code == code), None)

    def canonical(self, text: str) -> str | None:
        """Give the canonical code written as ``text`` without regard to case or accents, or None."""
        if text in self.codes:  # what programs send
            return text
        wanted = fold(text)
        for category in self.categories:
            spellings = (category.code, category.label_fr, category.label_en, *category.aliases)
            if any(fold(spelling) == wanted for spelling in spellings):
                return category.code
        return None

    def as_dict(self) -> dict[str, Any]:
        """Give what a model's manifest keeps of this entry (everything but the sentences)."""
        return {
            "name": self.name,
            "type": self.type,
            "label_fr": self.label_fr,
            "label_en": self.label_en,
            "unit": self.unit,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "direction": self.direction,
            "required": self.required,
            "missing": self.missing,
            "sensitivity": self.sensitivity,
            "source": self.source,
            "categories": [
                {"code": c.code, "label_fr": c.label_fr, "label_en": c.label_en, "aliases": list(c.aliases)}
                for c in self.categories
            ],
        }


def from_dict(entry: Mapping[str, Any]) -> Variable:
    """Rebuild what ``as_dict`` gave; raises VariableRefused for anything that is not a plain entry."""
    try:
        categories = tuple(
            Category(str(c["code"]), str(c["label_fr"]), str(c["label_en"]), tuple(map(str, c["aliases"])))
            for c in entry["categories"]
        )
        plain = {key: entry[key] for key in Variable.__dataclass_fields__ if key not in _REBUILT}
        return declare(Variable(**plain, categories=categories))
    except (KeyError, TypeError, AttributeError) as error:
        raise VariableRefused(f"malformed dictionary entry: {error}") from error


_REBUILT = frozenset({"categories", "wording"})


def declare(variable: Variable) -> Variable:
    """Check one entry and give it back; raises VariableRefused with the reason."""
    _refuse_unless(isinstance(variable.name, str) and bool(_NAME.match(variable.name)), variable, "bad name")
    _refuse_unless(variable.type in get_args(Kind), variable, "unknown type")
    _refuse_unless(variable.unit in get_args(Unit), variable, "unknown unit")
    _refuse_unless(variable.direction in {None, "up", "down"}, variable, "direction is up, down or none")
    _refuse_unless(bool(variable.label_fr and variable.label_en), variable, "both labels are needed")
    _check_values(variable)
    for text in (variable.name, variable.label_fr, variable.label_en):
        refuse_forbidden_origin(text)
    for category in variable.categories:
        for text in (category.code, category.label_fr, category.label_en):
            refuse_forbidden_origin(text)
    return variable


def refuse_forbidden_origin(text: str) -> None:
    """Raise VariableRefused when a name or label speaks of what credit may never be judged on."""
    subject = forbidden_subject(text)
    if subject:
        reason = f"{text!r} concerns {subject}, which can never be a variable"
        raise VariableRefused(reason, subject=subject, about=text)


def forbidden_subject(text: str) -> str:
    """Say in English what ``text`` speaks of that credit may never be judged on; ``""`` when of nothing.

    Words count without case or accents, in French and English, and words run together as names are.
    """
    spelled = fold(_CASE.sub(" ", text))
    words = {*fold(text).split(), *spelled.split()}
    for subject, listed in _LISTED.items():
        if words & listed:
            return subject
    if words & _ORIGINS and words & _PLACES:
        return "region of origin"
    if words >= _UNION:
        return "politics"
    together = spelled.replace(" ", "")
    parts = ((subject, part) for subject, found in _FORBIDDEN_PARTS.items() for part in found)
    return next((subject for subject, part in parts if part in together), "")


def _check_values(variable: Variable) -> None:
    if variable.type == "category":
        spellings = [fold(code) for code in variable.codes]
        _refuse_unless(bool(spellings), variable, "a category needs its codes")
        _refuse_unless(len(set(spellings)) == len(spellings), variable, "two codes read the same")
        _refuse_unless(variable.direction is None, variable, "a category has no direction")
        return
    limits = [limit for limit in (variable.minimum, variable.maximum) if limit is not None]
    _refuse_unless(all(math.isfinite(limit) for limit in limits), variable, "limits must be finite")
    _refuse_unless(limits == sorted(limits), variable, "minimum above maximum")
    _refuse_unless(not variable.categories, variable, "only a category has codes")


def _refuse_unless(condition: bool, variable: Variable, reason: str) -> None:
    if not condition:
        raise VariableRefused(f"variable {variable.name!r}: {reason}")
