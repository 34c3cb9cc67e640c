"""An application as people read it: its line in a list, its whole file."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.audit.models import AuditEntry
from apps.credits import rules
from apps.credits.enums import ApplicationStatus, CancelReason
from apps.credits.models import CreditApplication
from apps.credits.queries.dictionary import known_variables
from apps.credits.services.applications import stored_values
from apps.decisions.rules import can_register_review, can_resume, may_open_decision
from apps.engine.contracts import Lang, Value
from apps.engine.dictionary import STANDARD, Variable
from apps.engine.wording import format_value
from apps.tenancy.actor import Actor
from apps.tenancy.language import current_lang
from apps.web.audit.presenters import action_labels
from apps.web.credits.forms import ARREARS, CREDIT, INCOME, PERSON


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """What a list shows of an application."""

    uid: UUID
    reference: str
    client_label: str
    agency_label: str
    applied_on: dt.date
    waiting_days: int
    amount_xaf: int
    duration_months: int
    status: str
    status_label: str


def application_lines(applications: Iterable[CreditApplication], *, today: dt.date) -> list[ApplicationLine]:
    """Return the lines of a list; ``waiting_days`` counts from the submission, or from the entry."""
    return [
        ApplicationLine(
            uid=each.uid,
            reference=each.reference,
            client_label=str(each.client),
            agency_label=each.agency.name,
            applied_on=each.applied_on,
            waiting_days=(today - (each.submitted_at.date() if each.submitted_at else each.applied_on)).days,
            amount_xaf=each.montant_credit,
            duration_months=each.duree_mois,
            status=each.status,
            status_label=each.get_status_display(),
        )
        for each in applications
    ]


@dataclass(frozen=True, slots=True)
class ValueLine:
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    at: dt.datetime
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Doable:
    """What the reader may do with the file now."""

    edit: bool
    submit: bool
    withdraw: bool
    ask_for_pieces: bool
    cancel: bool
    reopen: bool
    score: bool
    decide: bool
    ask_review: bool
    resume: bool


def doable(actor: Actor, application: CreditApplication, *, review: bool = False) -> Doable:
    """Return what ``actor`` may do with an application in its present state.

    ``review`` says that the client has asked for another look, which nobody has answered.
    """
    return Doable(
        edit=rules.can_edit(actor, application),
        submit=rules.can_submit(actor, application),
        withdraw=rules.can_withdraw(actor, application),
        ask_for_pieces=rules.can_return(actor, application),
        cancel=rules.can_cancel(actor, application),
        reopen=rules.can_reopen(actor, application),
        score=rules.can_score(actor, application),
        decide=may_open_decision(actor, application, review=review),
        ask_review=not review and can_register_review(actor, application),
        resume=can_resume(actor, application, reviewed=review),
    )


@dataclass(frozen=True, slots=True)
class ApplicationSheet(ApplicationLine):
    """What the page of an application shows beside its score."""

    client_uid: UUID
    purpose: str
    author_label: str
    submitted_at: dt.datetime | None
    cancel_reason_label: str
    sections: list[tuple[str, list[ValueLine]]]


def application_sheet(application: CreditApplication, *, today: dt.date) -> ApplicationSheet:
    """Return the whole file of an application, in the reader's language."""
    (line,) = application_lines([application], today=today)
    return ApplicationSheet(
        **{name: getattr(line, name) for name in ApplicationLine.__slots__},
        client_uid=application.client.uid,
        purpose=application.purpose,
        author_label=str(application.author) if application.author else "",
        submitted_at=application.submitted_at,
        cancel_reason_label=_cancel_words(application),
        sections=_sections(stored_values(application)),
    )


def _cancel_words(application: CreditApplication) -> str:
    if application.status != ApplicationStatus.CANCELLED or not application.cancel_reason:
        return ""
    return str(CancelReason(application.cancel_reason).label)


def _sections(values: dict[str, Value]) -> list[tuple[str, list[ValueLine]]]:
    named = (*CREDIT, *INCOME, *ARREARS, *PERSON, "age")
    ratios = ("taux_endettement", "ratio_dette_revenu")
    others = tuple(name for name in STANDARD.names if name in values and name not in (*named, *ratios))
    own = tuple(name for name in values if name not in STANDARD)
    sections = [
        (_("Credit asked for"), _lines(CREDIT, values)),
        (_("Work, income and debts"), _lines((*INCOME, *ratios), values)),
        (_("Earlier credits"), _lines(ARREARS, values)),
        (_("Person"), _lines(("age", *PERSON), values)),
        (_("Variables of the institution"), _lines(own, values)),
        (_("Further information"), _lines(others, values)),
    ]
    return [(title, lines) for title, lines in sections if lines]


def _lines(names: Iterable[str], values: dict[str, Value]) -> list[ValueLine]:
    lang = current_lang()
    return [
        ValueLine(_label(each, lang), format_value(each, values.get(name), lang))
        for name, each in known_variables(names).items()
    ]


def _label(variable: Variable, lang: Lang) -> str:
    """Name a variable, and say of one that the officer sets that it is a judgement."""
    label = variable.label(lang)
    return _("%(label)s (set by the officer)") % {"label": label} if variable.source == "officer" else label


def history_lines(entries: Iterable[AuditEntry]) -> list[HistoryLine]:
    """Return what was done to a file, in words, as its trail tells."""
    words: dict[str, Any] = action_labels()
    return [
        HistoryLine(at=each.at, who=each.actor_name, what=words.get(each.action, each.action))
        for each in entries
    ]
