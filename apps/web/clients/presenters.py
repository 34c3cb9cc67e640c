"""A client's file in words and lines."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.credits.enums import ConsentMethod, ConsentPurpose, ExternalStatus
from apps.credits.models import Client, CreditApplication, ExternalCredit, Guarantee
from apps.credits.queries.applications import ClientStatistics
from apps.credits.queries.clients import consent_expiry
from apps.credits.services.clients import CONSENTS
from apps.decisions.enums import STATUS_AFTER, DecisionKind
from apps.decisions.models import Decision
from apps.engine.dictionary import STANDARD
from apps.scoring.models import Prediction
from apps.tenancy.language import current_lang


@dataclass(frozen=True, slots=True)
class ClientLine:
    uid: UUID
    name: str
    reference: str
    agency: str
    age: int
    confirmed_on: dt.date
    is_stale: bool


def client_lines(clients: Iterable[Client], *, stale_before: dt.date) -> list[ClientLine]:
    """Return the lines of the list."""
    today = timezone.localdate()
    return [
        ClientLine(
            uid=client.uid,
            name=str(client),
            reference=client.reference,
            agency=client.agency.name,
            age=client.age_on(today),
            confirmed_on=client.data_updated_on,
            is_stale=client.data_updated_on < stale_before,
        )
        for client in clients
    ]


@dataclass(frozen=True, slots=True)
class Mark:
    """A badge of the file's head; the tone is never alone, the words say it too."""

    tone: str
    label: str


def marks_of(client: Client, *, is_stale: bool, consent_months: int) -> list[Mark]:
    """Return what to know of a client before anything else."""
    marks = []
    if client.prohibition_date is not None:
        marks.append(Mark("negative", _("Prohibited from credit")))
    expiry = consent_expiry(client.consent_at, months=consent_months)
    if expiry is not None and expiry <= timezone.localdate():
        text = _("Consent expired on %(date)s")
        marks.append(Mark("caution", text % {"date": f"{expiry:%d/%m/%Y}"}))
    elif client.consent_at is not None:
        marks.append(Mark("positive", _("Consent given")))
    else:
        marks.append(Mark("caution", _("Consent missing")))
    if is_stale:
        marks.append(Mark("caution", _("Data to confirm")))
    return marks


Fact = tuple[str, Any]


def identity_of(client: Client) -> list[Fact]:
    """Return the lines of the person: ``(label, value)``; dates stay dates."""
    place = ", ".join(each for each in (client.city, client.residence_region) if each)
    return [
        (_("Date of birth"), client.birth_date),
        (_("Sex"), client.get_sex_display()),
        (_("Family situation"), client.get_family_situation_display()),
        (_("Phone"), spaced_phone(client.phone)),
        (_("Residence"), place),
        (client.get_document_type_display() or _("Identity document"), client.document_number),
        (_("Document valid until"), client.document_expires_on),
    ]


def work_of(client: Client) -> list[Fact]:
    """Return the lines of work; the income is an amount and stands apart."""
    return [
        (_("Occupation"), client.occupation),
        (_("Type of contract"), client.get_contract_type_display()),
        (_("In this job since"), client.contract_start),
    ]


NATIONAL_DIGITS = 9


def spaced_phone(phone: str) -> str:
    """Write a Cameroonian number as it is read aloud: « 6 77 12 34 56 »; another one as it is stored."""
    digits = phone.removeprefix("+237")
    if len(digits) != NATIONAL_DIGITS or not digits.isdigit():
        return phone
    return " ".join([digits[0], *(digits[place : place + 2] for place in range(1, NATIONAL_DIGITS, 2))])


@dataclass(frozen=True, slots=True)
class Consent:
    purpose: str
    label: str
    given_on: dt.date | None
    method: str
    withdrawn_on: dt.date | None
    holds_until: dt.date | None
    expired_on: dt.date | None


def consents_of(client: Client, *, months: int) -> list[Consent]:
    """Return both consents as they stand, where a consent holds for ``months`` (0: for ever)."""
    methods, today = dict(ConsentMethod.choices), timezone.localdate()
    lines = []
    for purpose in ConsentPurpose:
        given_on, method, withdrawn_on = (getattr(client, name) for name in CONSENTS[purpose])
        expiry = consent_expiry(given_on, months=months)
        over = expiry is not None and expiry <= today
        lines.append(
            Consent(
                purpose=purpose.value,
                label=str(purpose.label),
                given_on=given_on,
                method=str(methods.get(method, "")),
                withdrawn_on=withdrawn_on,
                holds_until=expiry - dt.timedelta(days=1) if expiry is not None and not over else None,
                expired_on=expiry if over else None,
            )
        )
    return lines


@dataclass(frozen=True, slots=True)
class GuaranteeLine:
    uid: UUID
    label: str
    description: str
    value_xaf: int
    guarantor: str
    application: str
    is_real: bool
    released_on: dt.date | None


def guarantee_lines(guarantees: Iterable[Guarantee]) -> list[GuaranteeLine]:
    """Return the lines of the guarantees."""
    return [
        GuaranteeLine(
            uid=each.uid,
            label=each.get_kind_display(),
            description=each.description,
            value_xaf=each.value_xaf,
            guarantor=" · ".join(
                part for part in (each.guarantor_name, spaced_phone(each.guarantor_phone)) if part
            ),
            application=each.application.reference if each.application else "",
            is_real=each.is_real,
            released_on=each.released_on,
        )
        for each in guarantees
    ]


@dataclass(frozen=True, slots=True)
class DebtLine:
    uid: UUID
    lender: str
    kind: str
    source: str
    as_of: dt.date
    outstanding_xaf: int
    monthly_payment_xaf: int
    late_days: int | None
    is_running: bool
    closed_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Debts:
    """Credits elsewhere, with the sums of the running ones."""

    lines: list[DebtLine]
    outstanding_xaf: int
    monthly_payment_xaf: int


def debts_of(credits_elsewhere: Iterable[ExternalCredit]) -> Debts:
    """Return the credits elsewhere with the sums that a new application takes."""
    kinds = {kind.code: kind.label(current_lang()) for kind in STANDARD["type_credit"].categories}
    lines = [
        DebtLine(
            uid=each.uid,
            lender=each.lender,
            kind=kinds.get(each.kind, ""),
            source=each.get_source_display(),
            as_of=each.as_of,
            outstanding_xaf=each.outstanding_xaf,
            monthly_payment_xaf=each.monthly_payment_xaf,
            late_days=each.worst_late_days,
            is_running=each.status == ExternalStatus.ACTIVE,
            closed_on=each.closed_on,
        )
        for each in credits_elsewhere
    ]
    running = [line for line in lines if line.is_running]
    return Debts(
        lines,
        outstanding_xaf=sum(line.outstanding_xaf for line in running),
        monthly_payment_xaf=sum(line.monthly_payment_xaf for line in running),
    )


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline: an application, a score or a decision, by whom and when."""

    kind: str
    uid: UUID
    at: dt.datetime
    title: str
    amount_xaf: int | None
    code: str
    label: str
    author: str
    reference: str = ""


def timeline_of(
    applications: Iterable[CreditApplication], scores: Iterable[Prediction], decisions: Iterable[Decision]
) -> list[Event]:
    """Return applications, scores and decisions together, the latest first."""
    events = [_application_event(each) for each in applications]
    events += [_score_event(each) for each in scores]
    events += [_decision_event(each) for each in decisions]
    return sorted(events, key=lambda event: event.at, reverse=True)


def _application_event(application: CreditApplication) -> Event:
    day = dt.datetime.combine(application.applied_on, dt.time(), timezone.get_current_timezone())
    moment = timezone.localtime(application.created_at)
    outcome = application.get_outcome_display()
    status = application.get_status_display()
    return Event(
        kind="application",
        uid=application.uid,
        at=moment if moment.date() == application.applied_on else day,
        title=_("Application %(reference)s") % {"reference": application.reference},
        amount_xaf=application.montant_credit,
        code=application.outcome or application.status,
        label=f"{status} · {outcome}" if outcome else status,
        author=str(application.author or ""),
    )


def _score_event(score: Prediction) -> Event:
    return Event(
        kind="score",
        uid=score.uid,
        at=timezone.localtime(score.created_at),
        title=_("Score of %(points)d points, grade %(grade)s")
        % {"points": score.points, "grade": score.grade},
        amount_xaf=None,
        code=score.recommendation,
        label=score.get_recommendation_display(),
        author=str(score.author or ""),
        reference=score.application.reference if score.application else "",
    )


def _decision_event(decision: Decision) -> Event:
    kind = DecisionKind(decision.kind)
    against = _("Decision against the advice") if decision.is_override else _("Decision")
    return Event(
        kind="decision",
        uid=decision.application.uid,
        at=timezone.localtime(decision.decided_at),
        title=against,
        amount_xaf=None if kind in (DecisionKind.REFUSE, DecisionKind.DEFER) else decision.amount_xaf,
        code=STATUS_AFTER[kind],
        label=decision.get_kind_display(),
        author=str(decision.decided_by or ""),
        reference=decision.application.reference,
    )


def evolution_of(scores: list[Prediction]) -> str:
    """Say how the points moved between the last two scores (the latest first); nothing with fewer."""
    if len(scores) < 2:  # noqa: PLR2004  a change needs two
        return ""
    change = scores[0].points - scores[1].points
    date = f"{timezone.localtime(scores[1].created_at):%d/%m/%Y}"
    if change == 0:
        return _("The score has not changed since %(date)s.") % {"date": date}
    texts = {"count": abs(change), "date": date}
    if change > 0:
        return (
            ngettext(
                "The score rose by %(count)d point since %(date)s.",
                "The score rose by %(count)d points since %(date)s.",
                abs(change),
            )
            % texts
        )
    return (
        ngettext(
            "The score fell by %(count)d point since %(date)s.",
            "The score fell by %(count)d points since %(date)s.",
            abs(change),
        )
        % texts
    )


def figures_of(statistics: ClientStatistics) -> list[tuple[str, int]]:
    """Return the counts of the file with their words."""
    return [
        (_("Applications"), statistics.applications),
        (_("Applications granted"), statistics.granted),
        (_("Applications declined"), statistics.declined),
        (_("Credits repaid"), statistics.repaid),
        (_("Credits in default"), statistics.defaulted),
    ]


def paragraphs_of(text: str) -> list[str]:
    """Return the paragraphs of a text, parted by empty lines."""
    return [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]
