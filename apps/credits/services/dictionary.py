"""The institution's variable dictionary: its own variables declared, changed, retired; standard ones set.

Nothing is deleted: scores and models name variables for years. Each change leaves a dated state.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.enums import ValueType, VariableChange, VariableKind
from apps.credits.errors import VariableInUse
from apps.credits.models import DictionaryRevision, DictionaryVariable
from apps.credits.queries.dictionary import LEARNT_BY_DEFAULT, Entry, dictionary_entries, get_entry
from apps.credits.services.declarations import (
    Code,
    Faults,
    VariableDraft,
    check_codes,
    check_engine,
    check_kind,
    check_labels,
    check_name,
    check_purpose,
    check_range,
    check_reason,
    check_words,
    forbidden_message,
    stripped,
    taken,
)
from apps.engine.dictionary import forbidden_subject
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ChangedMeanwhile, InvalidValues, NotAllowed
from apps.tenancy.roles import Verb

MOST_OWN = 60


@dataclass(frozen=True, slots=True)
class VariableUpdate:
    """What changes of a variable; ``None`` leaves it as it is. ``codes`` is the whole list."""

    label_fr: str | None = None
    label_en: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    codes: tuple[Code, ...] | None = None
    purpose: str | None = None
    asked: bool | None = None
    in_models: bool | None = None
    reason: str = ""

    @property
    def describes(self) -> list[str]:
        """The names of what only an own variable may change."""
        names = ("label_fr", "label_en", "minimum", "maximum", "codes")
        return [name for name in names if getattr(self, name) is not None]


@transaction.atomic
def declare_variable(*, draft: VariableDraft, by: Actor) -> DictionaryVariable:
    """Declare a variable of the institution's own; models may learn from it unless it shows fairness only.

    Raises ``NotAllowed``, or ``InvalidValues`` naming every field at fault: a name or label that speaks of
    what credit may never be judged on, a name taken, values that do not hold together.
    """
    _require(by)
    draft = stripped(draft)
    faults = Faults()
    entries = dictionary_entries(retired=True)
    check_name(draft, entries, faults)
    check_words(draft, faults)
    check_labels({"label_fr": draft.label_fr, "label_en": draft.label_en}, draft.name, entries, faults)
    check_purpose(draft.purpose, faults)
    check_kind(draft, faults)
    if not draft.innocent:
        faults.add("innocent", _("Confirm that the variable is none of these."))
    if sum(entry.own and not entry.retired for entry in entries) >= MOST_OWN:
        faults.add("name", _("%(most)d variables of your own at most.") % {"most": MOST_OWN})
    faults.stop()
    row = DictionaryVariable(
        name=draft.name,
        kind=VariableKind.OWN,
        label_fr=draft.label_fr,
        label_en=draft.label_en,
        type=draft.type,
        unit=draft.unit,
        minimum=draft.minimum,
        maximum=draft.maximum,
        codes=[each.as_dict() for each in draft.codes],
        direction=draft.direction,
        source=draft.source,
        sensitivity=draft.sensitivity,
        purpose=draft.purpose,
        in_models=not draft.sensitivity,
        declared_by_id=by.person_id,
    )
    check_engine(row)
    try:
        with transaction.atomic():  # two people may declare it at once: the database keeps one
            row.save()
    except IntegrityError:
        faults.add("name", taken())
        faults.stop()
    return _kept(row, VariableChange.DECLARED, by=by)


@transaction.atomic
def change_variable(
    *, name: str, update: VariableUpdate, by: Actor, used: Collection[str] = ()
) -> DictionaryVariable:
    """Change what may change of a variable; ``used`` names those that models in production read.

    Of a standard one: whether it is asked for, whether models may learn from it, why it is asked. A variable
    that serves fairness only is given to models with a written reason, which is kept. Raises ``NotAllowed``,
    ``ObjectNotFound``, ``VariableInUse``, or ``InvalidValues`` naming every field at fault.
    """
    _require(by)
    entry = _locked(name, by)
    row, faults = _row_of(entry), Faults()
    if entry.retired:
        raise InvalidValues(_("This variable is retired: nothing of it changes any more."))
    before = state_of(row)
    if entry.own:
        _describe(row, update, faults)
    else:
        for about in update.describes:
            faults.add(about, _("This belongs to every institution: it cannot be changed here."))
    if update.purpose is not None:
        row.purpose = update.purpose.strip()
        check_purpose(row.purpose, faults)
    _switch(entry, row, update, faults)
    faults.stop()
    if not row.asked and name in used:
        raise VariableInUse(_in_use())
    if entry.own:
        check_engine(row)
    if state_of(row) == before:
        return row
    try:
        with transaction.atomic():  # of a standard variable two people may make the row at once
            row.save()
    except IntegrityError:
        raise ChangedMeanwhile(_("Somebody saved this record after you read it: read it again.")) from None
    return _kept(row, VariableChange.CHANGED, by=by, reason=update.reason.strip(), before=before)


@transaction.atomic
def retire_variable(*, name: str, reason: str, by: Actor, used: Collection[str] = ()) -> DictionaryVariable:
    """Retire an own variable: no longer asked nor learnt from; what was stored of it stays.

    Raises ``NotAllowed``, ``ObjectNotFound``, ``VariableInUse`` while a model in production reads it, or
    ``InvalidValues``.
    """
    _require(by)
    entry, faults = _locked(name, by), Faults()
    if not entry.own:
        raise InvalidValues(_("A standard variable is not retired: stop asking for it instead."))
    if entry.retired:
        raise InvalidValues(_("This variable is retired: nothing of it changes any more."))
    check_reason(reason, faults)
    faults.stop()
    if name in used:
        raise VariableInUse(_in_use())
    row = _row_of(entry)
    before = state_of(row)
    row.asked = row.in_models = False
    row.retired_at = timezone.now()
    row.save()
    return _kept(row, VariableChange.RETIRED, by=by, reason=reason.strip(), before=before)


def state_of(row: DictionaryVariable) -> dict[str, Any]:
    """Return what a revision keeps of a variable."""
    names = (
        *("label_fr", "label_en", "type", "unit", "minimum", "maximum", "codes", "direction", "source"),
        *("sensitivity", "purpose", "asked", "in_models", "model_use_reason"),
    )
    return {name: getattr(row, name) for name in names}


def _require(by: Actor) -> None:
    if not by.may(Verb.DEFINE_VARIABLES):
        raise NotAllowed(_("Your role does not allow this."))


def _locked(name: str, by: Actor) -> Entry:
    """Return the variable, its row held until the change is written; a standard one gets its row."""
    entry = get_entry(name)
    if entry.row is None:
        row = DictionaryVariable(
            name=name,
            kind=VariableKind.STANDARD,
            sensitivity=entry.variable.sensitivity,
            in_models=name in LEARNT_BY_DEFAULT,
            declared_by_id=by.person_id,
        )
        return Entry(entry.variable, row)
    return Entry(entry.variable, DictionaryVariable.objects.select_for_update().get(pk=entry.row.pk))


def _row_of(entry: Entry) -> DictionaryVariable:
    assert entry.row is not None  # _locked gives one
    return entry.row


def _describe(row: DictionaryVariable, update: VariableUpdate, faults: Faults) -> None:
    """Change what an own variable is called and may hold; a code that models know never goes."""
    labels = {name: getattr(update, name) for name in ("label_fr", "label_en")}
    labels = {name: label.strip() for name, label in labels.items() if label is not None}
    if labels:
        check_labels(labels, row.name, dictionary_entries(retired=True), faults)
    for name, label in labels.items():
        if subject := forbidden_subject(label):
            faults.add(name, forbidden_message(subject))
        setattr(row, name, label)
    if update.minimum is not None or update.maximum is not None:
        if row.type == ValueType.CATEGORY:
            faults.add("minimum", _("A list of codes has no range."))
            return
        row.minimum = row.minimum if update.minimum is None else update.minimum
        row.maximum = row.maximum if update.maximum is None else update.maximum
        check_range(row.minimum, row.maximum, row.type, faults)
    if update.codes is not None:
        _describe_codes(row, update.codes, faults)


def _describe_codes(row: DictionaryVariable, codes: tuple[Code, ...], faults: Faults) -> None:
    if row.type != ValueType.CATEGORY:
        faults.add("codes", _("Only a list of codes has codes."))
        return
    known = [each["code"] for each in row.codes]
    if [each.code for each in codes][: len(known)] != known:
        faults.add("codes", _("Codes stay, in their order: add new ones after them."))
        return
    check_codes(codes, faults)
    subjects = (forbidden_subject(text) for c in codes for text in (c.code, c.label_fr, c.label_en))
    if subject := next(filter(None, subjects), ""):
        faults.add("codes", forbidden_message(subject))
    row.codes = [each.as_dict() for each in codes]


def _switch(entry: Entry, row: DictionaryVariable, update: VariableUpdate, faults: Faults) -> None:
    asks = update.asked is not None and update.asked != entry.asked
    learns = update.in_models is not None and update.in_models != entry.in_models
    if not asks and not learns:
        return
    check_reason(update.reason, faults)
    if asks:
        row.asked = bool(update.asked)
        if not entry.may_be_left_out:
            faults.add("asked", _("Every score needs it: it goes on being asked for."))
    if learns:
        row.in_models = bool(update.in_models)
        if entry.for_fairness:
            row.model_use_reason = update.reason.strip() if row.in_models else ""


def _kept(
    row: DictionaryVariable,
    change: VariableChange,
    *,
    by: Actor,
    reason: str = "",
    before: dict[str, Any] | None = None,
) -> DictionaryVariable:
    """Write the dated state and the audit entry."""
    state = state_of(row)
    DictionaryRevision.objects.create(
        variable=row, change=change, state=state, reason=reason, changed_by_id=by.person_id
    )
    differs = {name for name, value in state.items() if before is None or before[name] != value}
    actions = {
        VariableChange.DECLARED: "variable.declare",
        VariableChange.CHANGED: "variable.change",
        VariableChange.RETIRED: "variable.retire",
    }
    record(
        by=by,
        action=actions[change],
        target=row,
        before=None if before is None else {name: before[name] for name in sorted(differs)},
        after={"name": row.name, "reason": reason, **{name: state[name] for name in sorted(differs)}},
    )
    return row


def _in_use() -> str:
    return _("A model in production reads this variable: put another model in production first.")
