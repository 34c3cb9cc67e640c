"""Numbers, amounts and codes as people read them, in French and English."""

from apps.engine.contracts import Lang, Value
from apps.engine.variables import Variable

NARROW = "\u202f"  # narrow no-break space: French thousands, before % and FCFA
FIRM = "\u00a0"  # no-break space: before a French colon, inside « »

_ONE_DECIMAL = frozenset({"percent", "percent_per_year", "km"})
_SUFFIX = {
    "fr": {"XAF": f"{NARROW}FCFA", "XAF_per_month": f"{NARROW}FCFA", "km": f"{NARROW}km"},
    "en": {"km": " km"},
}
_PERIODS = {"fr": {"years": ("an", "ans"), "months": ("mois", "mois")}, "en": {"years": ("year", "years")}}
_PERIODS["en"]["months"] = ("month", "months")


def number(value: float, lang: Lang, decimals: int = 0) -> str:
    """Write a number with at most ``decimals`` decimals: ``1 500 000``, ``36,2`` or ``36.2``."""
    text = f"{value:,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in {"-0", ""}:
        text = "0"
    if lang == "en":
        return text
    return text.replace(",", NARROW).replace(".", ",")


def typed_number(value: float | None, lang: Lang) -> str:
    """Write a number as a form shows it for changing: every decimal it has, no unit, ``""`` for none."""
    return "" if value is None else number(value, lang, 6)


def is_plural(value: float, lang: Lang) -> bool:
    """French counts from two, English everything but one."""
    return abs(value) >= 2 if lang == "fr" else value != 1  # noqa: PLR2004  the rule of French itself


def with_unit(value: float, variable: Variable, lang: Lang) -> str:
    """Write a numeric value of ``variable`` with its unit: ``36,2 %``, ``XAF 1,500,000``, ``18 mois``."""
    unit = variable.unit
    text = number(value, lang, decimals_of(variable))
    if unit in {"percent", "percent_per_year"}:
        return f"{text}{NARROW}%" if lang == "fr" else f"{text}%"
    if unit in {"XAF", "XAF_per_month"} and lang == "en":
        return f"XAF {text}"
    if unit in _PERIODS[lang]:
        return f"{text} {_PERIODS[lang][unit][is_plural(value, lang)]}"
    return text + _SUFFIX[lang].get(unit, "")


def decimals_of(variable: Variable) -> int:
    if variable.type == "integer":
        return 0
    return 1 if variable.unit in _ONE_DECIMAL else 2


def format_value(variable: Variable, value: Value, lang: Lang) -> str:
    """Write any value of ``variable`` for a person; a missing one gives « inconnu » or « unknown »."""
    if value is None:
        return "inconnu" if lang == "fr" else "unknown"
    if variable.type == "category":
        category = variable.category(value)
        return category.label(lang) if category else str(value)
    return with_unit(float(value), variable, lang)


def subject(variable: Variable, lang: Lang) -> str:
    """Give what opens a sentence about ``variable``: « L'âge », « Age »."""
    if lang == "en":
        return variable.label_en
    return variable.wording.subject_fr or f"La valeur de « {variable.label_fr} »".replace(
        "« ", f"«{FIRM}"
    ).replace(" »", f"{FIRM}»")


def agree(variable: Variable, word: str) -> str:
    """Make a French participle or adjective agree with the variable's subject: compris, comprise..."""
    mark = variable.wording.agreement if variable.wording.subject_fr else "f"
    if word.endswith("s"):
        return {"m": word, "f": f"{word}e", "mp": word, "fp": f"{word}es"}[mark]
    if word.endswith("e"):
        return {"m": word, "f": word, "mp": f"{word}s", "fp": f"{word}s"}[mark]
    return {"m": word, "f": f"{word}e", "mp": f"{word}s", "fp": f"{word}es"}[mark]


def plural_subject(variable: Variable) -> bool:
    return bool(variable.wording.subject_fr) and variable.wording.agreement in {"mp", "fp"}


def quoted(text: str, lang: Lang) -> str:
    return f"«{FIRM}{text}{FIRM}»" if lang == "fr" else f"“{text}”"
