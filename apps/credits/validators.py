"""One written form for names and numbers that people type in many ways, so that a search finds them.

And what no door takes: a phone that nobody could call, a name of several lines.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from apps.tenancy.encryption import blind_index

INTERNATIONAL = re.compile(r"^\s*(?:\+|00)")
CAMEROON, NATIONAL_DIGITS = "237", 9
LONGEST_NAME = 200
#: What people write between the digits of a phone.
BETWEEN_DIGITS = re.compile(r"[\s.\-()/]")
#: Nine digits, with or without Cameroon's prefix; or another country's, as E.164 writes it.
PHONE = re.compile(r"(?:(?:\+|00)?237)?[0-9]{9}|(?:\+|00)(?!237)[1-9][0-9]{7,14}")
#: What ends a line or cannot be seen, and what turns the direction of reading.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def search_form(name: str) -> str:
    """Return a name without case or accents, as prefix search compares it; cut at 200 characters."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", plain).strip()[:LONGEST_NAME]


def name_key(name: str, birth_date: dt.date | None) -> str:
    """Return what two files of one person share: the words of the name in their order, and the birth date."""
    if birth_date is None:
        return ""
    return f"{' '.join(sorted(search_form(name).split(' ')))}|{birth_date}"


def phone_form(phone: str) -> str:
    """Return the digits that identify a phone: without spaces, signs or Cameroon's own prefix."""
    digits = re.sub(r"\D", "", INTERNATIONAL.sub("", phone))
    if len(digits) == len(CAMEROON) + NATIONAL_DIGITS:
        return digits.removeprefix(CAMEROON)
    return digits


def compact_phone(phone: str) -> str:
    """Return a phone as it is stored: without what people write between the digits."""
    return BETWEEN_DIGITS.sub("", phone)


def check_phone(phone: str) -> None:
    """Raise ``ValidationError`` for a phone that nobody could call; none at all is right."""
    if phone and not PHONE.fullmatch(compact_phone(phone)):
        raise ValidationError(
            _("Write nine digits, for instance 6 77 12 34 56, or the international form that begins with +.")
        )


def check_line(text: str) -> None:
    """Raise ``ValidationError`` for a text of several lines, or with characters that nobody sees."""
    if UNSEEN.search(text):
        raise ValidationError(_("Remove line breaks, tabs and other characters that cannot be seen."))


def refused_texts(row: Model, *, lines: Iterable[str], phone: str = "") -> Mapping[str, list[str]]:
    """Return field -> messages for the one-line texts of a row, and its phone, that no door takes."""
    refused = {}
    for name, check in [(phone, check_phone)] * bool(phone) + [(name, check_line) for name in lines]:
        try:
            check(getattr(row, name))
        except ValidationError as error:
            refused[name] = error.messages
    return refused


def document_form(number: str) -> str:
    """Return a document number in capitals, letters and digits only."""
    return re.sub(r"[\W_]", "", number).upper()


def phone_index(phone: str, *, institution_id: int) -> str:
    """Return the blind index of a phone in one institution, or ``""``."""
    return blind_index(phone_form(phone), institution_id=institution_id, purpose="phone")


def document_index(number: str, *, institution_id: int) -> str:
    """Return the blind index of a document number in one institution, or ``""``."""
    return blind_index(document_form(number), institution_id=institution_id, purpose="document")
