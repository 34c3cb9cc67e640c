"""One written form for names and numbers that people type in many ways, so that a search finds them."""

import re
import unicodedata

from apps.tenancy.encryption import blind_index

INTERNATIONAL = re.compile(r"^\s*(?:\+|00)")
CAMEROON, NATIONAL_DIGITS = "237", 9
LONGEST_NAME = 200
SHORTEST_PHONE, LONGEST_PHONE = 8, 15  # E.164 without its sign


def search_form(name: str) -> str:
    """Return a name without case or accents, as prefix search compares it; cut at 200 characters."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", plain).strip()[:LONGEST_NAME]


def phone_form(phone: str) -> str:
    """Return the digits that identify a phone: without spaces, signs or Cameroon's own prefix."""
    digits = re.sub(r"\D", "", INTERNATIONAL.sub("", phone))
    if len(digits) == len(CAMEROON) + NATIONAL_DIGITS:
        return digits.removeprefix(CAMEROON)
    return digits


def document_form(number: str) -> str:
    """Return a document number in capitals, letters and digits only."""
    return re.sub(r"[\W_]", "", number).upper()


def phone_index(phone: str, *, institution_id: int) -> str:
    """Return the blind index of a phone in one institution, or ``""``."""
    return blind_index(phone_form(phone), institution_id=institution_id, purpose="phone")


def document_index(number: str, *, institution_id: int) -> str:
    """Return the blind index of a document number in one institution, or ``""``."""
    return blind_index(document_form(number), institution_id=institution_id, purpose="document")
