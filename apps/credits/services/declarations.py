"""What may be declared as a variable of the dictionary: by its words, its values, its reasons."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.credits.enums import RiskDirection, Sensitivity, ValueSource, ValueType, ValueUnit
from apps.credits.models import CreditApplication, DictionaryVariable
from apps.credits.models.dictionary import LONGEST_LABEL, LONGEST_NAME, LONGEST_REASON
from apps.credits.queries.dictionary import Entry
from apps.credits.validators import check_line
from apps.engine.dictionary import VariableRefused, declare, fold, forbidden_subject
from apps.tenancy.errors import InvalidValues

LEAST_CODES, MOST_CODES, LONGEST_CODE = 2, 60, 40
#: A reason or a purpose says something: fewer letters than this do not.
LEAST_REASON = 10
LARGEST = 10**15
_NAME = re.compile(r"[a-z][a-z0-9_]{2,39}\Z")
_CODE = re.compile(r"[\w][\w .'/+-]*\Z")
#: Names that stand beside the variables in forms, bodies and files of applications.
RESERVED = frozenset(each.name for each in CreditApplication._meta.local_fields) | frozenset(
    """
    application_id application_reference agency_id birth_date changed client_agency_id client_id
    client_reference client_sex consent csrfmiddlewaretoken day decision document_number document_type
    first_credit first_names held_id last_name line moved phone row score version
    """.split()  # noqa: SIM905  a list of names is read more easily so
)


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a list with its labels; a label left empty is the code itself."""

    code: str
    label_fr: str = ""
    label_en: str = ""

    def as_dict(self) -> dict[str, str]:
        return {
            "code": self.code,
            "label_fr": self.label_fr or self.code,
            "label_en": self.label_en or self.label_fr or self.code,
        }


@dataclass(frozen=True, slots=True)
class VariableDraft:
    """What is declared of an own variable; ``innocent``: the declarer's word that it is no forbidden origin.

    ``minimum`` and ``maximum`` are those of a number, ``codes`` those of a list. A missing value is never
    filled in: it stays missing, and is shown.
    """

    name: str
    label_fr: str
    label_en: str
    type: str
    purpose: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    codes: tuple[Code, ...] = ()
    direction: str = ""
    source: str = ValueSource.TYPED.value
    sensitivity: str = ""
    innocent: bool = False


@dataclass(slots=True)
class Faults:
    """What is wrong, by field; raised all together."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, message: str) -> None:
        self.found.setdefault(name, []).append(message)

    def stop(self) -> None:
        if self.found:
            raise InvalidValues(_("Some values cannot be used."), fields=self.found)


def stripped(draft: VariableDraft) -> VariableDraft:
    """Return a declaration without blanks around its texts."""
    texts = {name: getattr(draft, name).strip() for name in ("name", "label_fr", "label_en", "purpose")}
    codes = tuple(Code(*(text.strip() for text in (c.code, c.label_fr, c.label_en))) for c in draft.codes)
    return replace(draft, codes=codes, **texts)


def check_name(draft: VariableDraft, entries: Iterable[Entry], faults: Faults) -> None:
    """Refuse a name that is not written as names are, is taken, or means something else already."""
    if not _NAME.match(draft.name):
        message = _(
            "Give 3 to %(most)d small letters, digits or underscores, a letter first: for instance"
            " nb_parts_tontine."
        )
        faults.add("name", message % {"most": LONGEST_NAME})
    elif draft.name in {entry.name for entry in entries}:
        faults.add("name", taken())
    elif draft.name in RESERVED or draft.name.startswith("held_"):
        faults.add("name", _("This name already means something else in applications: choose another."))


def check_words(draft: VariableDraft, faults: Faults) -> None:
    """Refuse what the law and the house forbid, by the words of names, labels and codes."""
    texts = {"name": [draft.name], "label_fr": [draft.label_fr], "label_en": [draft.label_en]}
    texts["codes"] = [text for c in draft.codes for text in (c.code, c.label_fr, c.label_en)]
    for name, said in texts.items():
        subject = next(filter(None, map(forbidden_subject, said)), "")
        if subject:
            faults.add(name, forbidden_message(subject))


def forbidden_message(subject: str) -> str:
    """Say why a variable is refused; ``subject`` as ``forbidden_subject`` gives it."""
    subjects = {
        "ethnic origin": _("ethnic origin"),
        "language": _("language"),
        "religion": _("religion"),
        "health": _("health"),
        "politics": _("political or union opinions"),
        "region of origin": _("region of origin"),
    }
    told = {"subject": subjects[subject]}
    return _("This speaks of %(subject)s: no credit is judged on that, it can never be a variable.") % told


def check_labels(labels: Mapping[str, str], name: str, entries: Iterable[Entry], faults: Faults) -> None:
    """Refuse labels that are empty, too long, or those of another variable."""
    others = [entry.variable for entry in entries if entry.name != name]
    taken = {
        "label_fr": {fold(each.label_fr) for each in others},
        "label_en": {fold(each.label_en) for each in others},
    }
    for place, label in labels.items():
        if not fold(label) or len(label) > LONGEST_LABEL:
            faults.add(place, _("Between 1 and %(length)s characters.") % {"length": LONGEST_LABEL})
        elif fold(label) in taken[place]:
            faults.add(place, _("Another variable has this label."))
        _check_line(place, label, faults)


def check_purpose(purpose: str, faults: Faults) -> None:
    """Refuse a purpose that says nothing."""
    if not LEAST_REASON <= len(purpose) <= LONGEST_REASON:
        message = _("Say in %(least)d to %(most)d characters why it is asked.")
        faults.add("purpose", message % {"least": LEAST_REASON, "most": LONGEST_REASON})
    _check_line("purpose", purpose, faults)


def check_reason(reason: str, faults: Faults) -> None:
    """Refuse a reason that says nothing."""
    if not LEAST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        message = _("Write the reason in %(least)d to %(most)d characters: it stays in the history.")
        faults.add("reason", message % {"least": LEAST_REASON, "most": LONGEST_REASON})
    _check_line("reason", reason, faults)


def _check_line(place: str, text: str, faults: Faults) -> None:
    try:
        check_line(text)
    except ValidationError as refusal:
        faults.add(place, str(refusal.messages[0]))


def check_kind(draft: VariableDraft, faults: Faults) -> None:
    """Refuse codes that are not of their lists, and parts that do not go together."""
    listed = {
        "type": ValueType.values,
        "unit": ValueUnit.values,
        "direction": RiskDirection.values,
        "source": [each for each in ValueSource.values if each != ValueSource.COMPUTED],
        "sensitivity": Sensitivity.values,
    }
    for name, choices in listed.items():
        if getattr(draft, name) not in choices:
            faults.add(name, _("Choose one of the list."))
    if draft.type == ValueType.CATEGORY:
        if draft.direction:
            faults.add("direction", _("A list of codes has no direction."))
        if draft.unit:
            faults.add("unit", _("A list of codes has no unit."))
        for name in ("minimum", "maximum"):
            if getattr(draft, name) is not None:
                faults.add(name, _("A list of codes has no range."))
        check_codes(draft.codes, faults)
    else:
        if draft.codes:
            faults.add("codes", _("Only a list of codes has codes."))
        check_range(draft.minimum, draft.maximum, draft.type, faults)


def check_range(minimum: float | None, maximum: float | None, kind: str, faults: Faults) -> None:
    """Refuse limits that are missing, endless, or the wrong way round."""
    for name, limit in (("minimum", minimum), ("maximum", maximum)):
        if limit is None or not -LARGEST <= limit <= LARGEST:
            faults.add(name, _("Give the least and the largest value that make sense."))
        elif kind == ValueType.INTEGER and not float(limit).is_integer():
            faults.add(name, _("Give a whole number."))
    if minimum is not None and maximum is not None and not minimum < maximum:
        faults.add("maximum", _("The largest value must be above the least."))


def check_codes(codes: Collection[Code], faults: Faults) -> None:
    """Refuse codes that are too few, cannot be told apart or cannot be shown."""
    if not LEAST_CODES <= len(codes) <= MOST_CODES:
        told = {"least": LEAST_CODES, "most": MOST_CODES}
        faults.add("codes", _("Give between %(least)d and %(most)d codes.") % told)
    spellings = [fold(each.code) for each in codes]
    if len(set(spellings)) < len(spellings):
        faults.add("codes", _("Two codes read the same."))
    for each in codes:
        wrong = not fold(each.code) or not _CODE.match(each.code) or len(each.code) > LONGEST_CODE
        if wrong or max(len(each.label_fr), len(each.label_en)) > LONGEST_LABEL:
            shown = {"code": each.code[:LONGEST_CODE], "length": LONGEST_CODE}
            faults.add("codes", _("“%(code)s”: a short word of %(length)s characters at most.") % shown)
        for label in (each.label_fr, each.label_en):
            _check_line("codes", label, faults)


def check_engine(row: DictionaryVariable) -> None:
    """Let the engine have the last word: what it would not read is not kept."""
    try:
        declare(row.declared())
    except VariableRefused as refusal:
        message = forbidden_message(refusal.subject) if refusal.subject else _("This cannot be a variable.")
        raise InvalidValues(message) from None


def taken() -> str:
    """Say that a name is not free."""
    return _("A variable of this name exists, in use or retired.")
