"""Amounts, rates and points as a banker writes them, in the active language."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from django import template
from django.utils.translation import get_language, ngettext

register = template.Library()

Number = int | float | Decimal
#: A template gives "" for a variable that it does not know.
Blank = Literal[""] | None

MISSING = "—"  # also for the empty string, which is what a template gives for an absent attribute
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
NARROW_NO_BREAK = "\N{NARROW NO-BREAK SPACE}"


@register.filter
def fcfa(amount_xaf: Number | Blank) -> str:
    """Whole francs: « 1 500 000 FCFA » in French, « XAF 1,500,000 » in English; a dash when unknown."""
    if amount_xaf is None or isinstance(amount_xaf, str):
        return MISSING
    digits = _decimal_text(amount_xaf, 0)
    return f"{digits}{NO_BREAK}FCFA" if _is_french() else f"XAF{NO_BREAK}{digits}"


@register.filter
def whole(value: int | Blank) -> str:
    """Whole number, grouped by three: « 12 009 » in French, « 12,009 » in English; a dash when unknown."""
    return MISSING if value is None or isinstance(value, str) else _decimal_text(value, 0)


@register.filter
def percent(fraction: Number | Blank, decimals: int = 2) -> str:
    """Show a fraction as a rate: 0.0843 is « 8,43 % » in French, « 8.43% » in English; a dash if unknown."""
    if fraction in (None, ""):
        return MISSING
    digits = _decimal_text(Decimal(str(fraction)) * 100, decimals)
    return f"{digits}{NO_BREAK}%" if _is_french() else f"{digits}%"


@register.filter
def points(value: int | Blank) -> str:
    """Signed score points: « +22 points », « −1 point »; a dash when unknown."""
    if value is None or isinstance(value, str):
        return MISSING
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    size = abs(value)
    # Translators: score points gained or lost through one factor, the sign included.
    text = ngettext("%(count)s point", "%(count)s points", size) % {"count": f"{sign}{size}"}
    return text.replace(" ", NO_BREAK)


@register.filter
def signed(value: int) -> str:
    """Points as a number to add: « +22 », « −1 », « 0 »."""
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{abs(value)}"


def _decimal_text(number: Number, decimals: int) -> str:
    """Digits grouped by three, halves rounded up, separators of the active language."""
    step = Decimal(1).scaleb(-decimals)
    rounded = Decimal(str(number)).quantize(step, rounding=ROUND_HALF_UP)
    english = f"{rounded:,}".replace("-", MINUS)
    if not _is_french():
        return english
    return english.replace(",", NARROW_NO_BREAK).replace(".", ",")


def _is_french() -> bool:
    return (get_language() or "").startswith("fr")
