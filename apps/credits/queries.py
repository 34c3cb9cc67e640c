"""Reads of clients and applications, always through what the actor may see."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.credits.enums import ApplicationStatus, ExternalStatus, Outcome
from apps.credits.models import Client, CreditApplication, ExternalCredit, Guarantee, PieceRequest
from apps.credits.validators import document_index, phone_index, search_form
from apps.engine.contracts import Value
from apps.institutions.models import Agency
from apps.institutions.queries import setting_on
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound
from apps.tenancy.language import current_lang
from apps.tenancy.roles import Verb

DAYS_PER_MONTH = 30.4375  # 365.25 / 12
Period = tuple[dt.date, dt.date]
LAST_LETTER = "\U0010ffff"
STALE_SETTING, STALE_MONTHS = "data_stale_months", 6
NOTICE_SETTING = "privacy_notice"
GRANTED = (
    ApplicationStatus.APPROVED,
    ApplicationStatus.APPROVED_CONDITIONALLY,
    ApplicationStatus.DISBURSED,
)


def visible_clients(actor: Actor) -> QuerySet[Client]:
    """Return the clients of the agencies that ``actor`` sees."""
    clients = Client.objects.select_related("agency")
    return clients if actor.agency_ids is None else clients.filter(agency_id__in=actor.agency_ids)


def visible_applications(actor: Actor) -> QuerySet[CreditApplication]:
    """Return the applications of the agencies that ``actor`` sees."""
    applications = CreditApplication.objects.select_related("client", "agency")
    return applications if actor.agency_ids is None else applications.filter(agency_id__in=actor.agency_ids)


def get_visible_application(actor: Actor, uid: UUID) -> CreditApplication:
    """Return one application; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    application = visible_applications(actor).filter(uid=uid).first()
    if application is None:
        raise ObjectNotFound(_("No such application."))
    return application


def get_visible_client(actor: Actor, *, uid: UUID | None = None, reference: str | None = None) -> Client:
    """Return one client by public identifier or by reference; raise ``ObjectNotFound``."""
    clients = visible_clients(actor)
    found = clients.filter(uid=uid) if uid is not None else clients.filter(reference=reference)
    client = found.first()
    if client is None:
        raise ObjectNotFound(_("No such client."))
    return client


def clients_with_phone(actor: Actor, phone: str) -> QuerySet[Client]:
    """Return the visible clients whose phone is ``phone``, however it is spaced, by the blind index."""
    index = phone_index(phone, institution_id=actor.institution)
    return visible_clients(actor).filter(phone_index=index) if index else Client.objects.none()


def clients_with_document(actor: Actor, number: str) -> QuerySet[Client]:
    """Return the visible clients whose identity document has this number, by the blind index."""
    index = document_index(number, institution_id=actor.institution)
    return visible_clients(actor).filter(document_index=index) if index else Client.objects.none()


def clients_named(actor: Actor, prefix: str) -> QuerySet[Client]:
    """Return the visible clients whose name begins with ``prefix``, without case or accents.

    A range and not LIKE: LIKE is not leakproof, so that under row-level security it uses no index.
    """
    return visible_clients(actor).filter(prefix_range(search_form(prefix)))


def prefix_range(prefix: str, *, column: str = "search_name") -> Q:
    """Return the condition of a name as it is searched that begins with ``prefix``, everything if empty."""
    if not prefix:
        return Q()
    return Q(**{f"{column}__gte": prefix, f"{column}__lt": prefix + LAST_LETTER})


def find_clients(actor: Actor, text: str) -> QuerySet[Client]:
    """Return the visible clients that ``text`` means.

    That is the beginning of a name; or, with a digit in it, a whole reference, phone or document number.
    """
    text = text.strip()
    if not any(letter.isdigit() for letter in text):
        return clients_named(actor, text)
    found = Q(reference__in={text, text.upper()})
    if phone := phone_index(text, institution_id=actor.institution):
        found |= Q(phone_index=phone)
    if document := document_index(text, institution_id=actor.institution):
        found |= Q(document_index=document)
    return visible_clients(actor).filter(found)


def filtered_clients(
    actor: Actor, *, text: str = "", agency: Agency | None = None, confirmed_before: dt.date | None = None
) -> QuerySet[Client]:
    """Return the visible clients that ``text`` means, of one agency, confirmed before a day only."""
    clients = find_clients(actor, text)
    if agency is not None:
        clients = clients.filter(agency=agency)
    return clients if confirmed_before is None else clients.filter(data_updated_on__lt=confirmed_before)


def stale_before(*, on: dt.date | None = None) -> dt.date:
    """Return the day before which a file's data are old (setting ``data_stale_months``, 6 by default)."""
    months = setting_on(STALE_SETTING, date=on, default=STALE_MONTHS)
    return (on or timezone.localdate()) - dt.timedelta(days=int(months * DAYS_PER_MONTH))


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Files that may be of the same person: those the actor sees, and whether another agency has one."""

    clients: tuple[Client, ...]
    elsewhere: bool

    def __bool__(self) -> bool:
        return bool(self.clients) or self.elsewhere


def duplicates_of(actor: Actor, client: Client) -> Duplicates:
    """Return the files that share the phone, the document, or the name and birth date of ``client``.

    Of a file out of the actor's sight nothing is told but that its document is the same.
    """
    same = Q(search_name=client.search_name, birth_date=client.birth_date)
    if client.phone_index:
        same |= Q(phone_index=client.phone_index)
    if client.document_index:
        same |= Q(document_index=client.document_index)
    seen = visible_clients(actor).exclude(uid=client.uid).filter(same).order_by("search_name")[:5]
    return Duplicates(tuple(seen), elsewhere=_document_elsewhere(actor, client))


def _document_elsewhere(actor: Actor, client: Client) -> bool:
    if actor.agency_ids is None or not client.document_index:
        return False
    hidden = Client.objects.exclude(agency_id__in=actor.agency_ids)
    return hidden.filter(document_index=client.document_index).exclude(uid=client.uid).exists()


def guarantees_of(client: Client) -> QuerySet[Guarantee]:
    """Return the guarantees of a client, the ones in force first, then the latest."""
    rows = Guarantee.objects.select_related("application").filter(client=client)
    return rows.order_by("-released_on", "-created_at")  # PostgreSQL puts what is not released first


def external_credits_of(client: Client) -> QuerySet[ExternalCredit]:
    """Return the client's credits elsewhere, the running ones first, then as last known."""
    return ExternalCredit.objects.filter(client=client).order_by("status", "-as_of", "-created_at")


def get_visible_guarantee(actor: Actor, uid: UUID) -> Guarantee:
    """Return one guarantee of a visible client; raise ``ObjectNotFound``."""
    rows = Guarantee.objects.select_related("client", "application").filter(uid=uid)
    return _of_visible_client(actor, rows)


def get_visible_external_credit(actor: Actor, uid: UUID) -> ExternalCredit:
    """Return one external credit of a visible client; raise ``ObjectNotFound``."""
    return _of_visible_client(actor, ExternalCredit.objects.select_related("client").filter(uid=uid))


def _of_visible_client[M: (Guarantee, ExternalCredit)](actor: Actor, rows: QuerySet[M]) -> M:
    row = rows.first()
    if row is None or not actor.sees_agency(row.client.agency_id):
        raise ObjectNotFound(_("No such client."))
    return row


def applications_of(actor: Actor, client: Client) -> QuerySet[CreditApplication]:
    """Return the applications of a client that ``actor`` sees, the latest first."""
    rows = visible_applications(actor).select_related("author").filter(client=client)
    return rows.order_by("-applied_on", "-created_at")


@dataclass(frozen=True, slots=True)
class ExternalDebts:
    """What a client owes elsewhere, by the running credits of the file; amounts in XAF."""

    count: int
    outstanding_xaf: int
    monthly_payment_xaf: int


def external_debts(client: Client) -> ExternalDebts:
    """Return the sums over the running external credits of a client."""
    running = ExternalCredit.objects.filter(client=client, status=ExternalStatus.ACTIVE)
    sums = running.aggregate(
        count=Count("id"), outstanding=Sum("outstanding_xaf"), payments=Sum("monthly_payment_xaf")
    )
    return ExternalDebts(sums["count"], sums["outstanding"] or 0, sums["payments"] or 0)


@dataclass(frozen=True, slots=True)
class ClientStatistics:
    """How a client's applications ended, counted."""

    applications: int
    granted: int
    declined: int
    repaid: int
    defaulted: int


def client_statistics(client: Client) -> ClientStatistics:
    """Count the applications of a client by what became of them."""
    counts: dict[str, Any] = CreditApplication.objects.filter(client=client).aggregate(
        applications=Count("id"),
        granted=Count("id", filter=Q(status__in=GRANTED)),
        declined=Count("id", filter=Q(status=ApplicationStatus.DECLINED)),
        repaid=Count("id", filter=Q(outcome=Outcome.GOOD)),
        defaulted=Count("id", filter=Q(outcome=Outcome.DEFAULT)),
    )
    return ClientStatistics(**counts)


def privacy_notice() -> str:
    """Return what a client is told of the use of the data: the institution's text, or the standard one.

    The setting ``privacy_notice`` holds one text, or one per language code.
    """
    own = setting_on(NOTICE_SETTING)
    if isinstance(own, dict):
        own = own.get(current_lang()) or own.get("fr")
    return own or standard_notice()


def standard_notice() -> str:
    """Return the standard privacy notice in the active language; paragraphs are parted by empty lines."""
    paragraphs = (
        _(
            "Your institution collects these data to examine your credit application, to follow its "
            "repayment and to meet its legal duties. It is the controller of their processing under law "
            "no. 2024/017 of 23 December 2024 on the protection of personal data in Cameroon."
        ),
        _(
            "They are read by the people of the institution who handle your file, and each reading is kept "
            "on record. They are given to a credit register (CREMF, BIC) only as the law requires, and such "
            "a register is consulted only with your consent."
        ),
        _(
            "A computed score advises the person who decides; it never decides alone. You may ask for the "
            "main reasons and for your application to be examined again."
        ),
        _(
            "You may read your data, have them corrected, object to their use, withdraw your consent or ask "
            "for their deletion, by writing to the data protection officer of the institution."
        ),
    )
    return "\n\n".join(paragraphs)


def search_clients(actor: Actor, text: str, *, limit: int) -> list[Client]:
    """Return the visible clients that ``text`` may mean, at most ``limit``: one or two statements.

    Without a digit it is the beginning of a name, last name first or first names first, whatever its case
    and accents; with one it is a reference, a phone or a document number, whole.
    """
    if any(letter.isdigit() for letter in text):
        return list(find_clients(actor, text).order_by("search_name", "pk")[:limit])
    beginning = search_form(text)
    if not beginning:
        return []
    found = {
        client.pk: client
        for column in ("search_name", "search_first_names")
        for client in _names_from(actor, column, beginning)[:limit]
    }
    return list(found.values())[:limit]


def _names_from(actor: Actor, column: str, beginning: str) -> QuerySet[Client]:
    return visible_clients(actor).filter(prefix_range(beginning, column=column)).order_by(column, "pk")


def search_applications(actor: Actor, text: str, *, limit: int) -> list[CreditApplication]:
    """Return the visible applications whose reference is ``text``, in capitals or not; one statement."""
    if not any(letter.isdigit() for letter in text):
        return []
    references = (text.strip(), text.strip().upper())
    return list(visible_applications(actor).filter(reference__in=references).order_by("-pk")[:limit])


def client_values(client: Client, *, on: dt.date) -> dict[str, Value]:
    """Return what a client's file says on a date, by dictionary name; the loan's own fields are not in it."""
    values: dict[str, Value] = {
        "age": client.age_on(on),
        "sexe": client.sex,
        "situation_familiale": client.family_situation,
        "revenu_mensuel": client.monthly_income_xaf,
        "type_contrat_travail": client.contract_type,
        "anciennete_travail_mois": _months_between(client.contract_start, on),
    }
    if (debts := external_debts(client)).count:
        values["mensualites_en_cours"] = debts.monthly_payment_xaf
        values["encours_autres_dettes"] = debts.outstanding_xaf
    return {name: value for name, value in values.items() if value not in (None, "")}


def _months_between(start: dt.date | None, end: dt.date) -> int | None:
    return None if start is None else max(0, int((end - start).days / DAYS_PER_MONTH))


@dataclass(frozen=True, slots=True)
class ApplicationFilter:
    """What a list of applications is limited to; an empty field limits nothing."""

    status: str = ""
    agency_id: int | None = None
    author_id: int | None = None
    start: dt.date | None = None
    end: dt.date | None = None


def filtered_applications(actor: Actor, wish: ApplicationFilter) -> QuerySet[CreditApplication]:
    """Return the visible applications within ``wish``; both days are included."""
    applications = visible_applications(actor)
    limits: dict[str, object] = {
        "status": wish.status,
        "agency_id": wish.agency_id,
        "author_id": wish.author_id,
        "applied_on__gte": wish.start,
        "applied_on__lte": wish.end,
    }
    return applications.filter(**{name: value for name, value in limits.items() if value})


@dataclass(frozen=True, slots=True)
class Inbox:
    """What waits for a person, the oldest first; each part holds at most ``INBOX_PART`` rows."""

    returned: tuple[CreditApplication, ...]
    drafts: tuple[CreditApplication, ...]
    awaiting: tuple[CreditApplication, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.returned or self.drafts or self.awaiting)


INBOX_PART = 10


def inbox_of(actor: Actor) -> Inbox:
    """Return the files returned to ``actor``, the own drafts, and what awaits a decision by another hand."""
    files = visible_applications(actor)
    edits, decides = actor.may(Verb.EDIT_FILES), actor.may(Verb.DECIDE)
    returned = files.filter(status=ApplicationStatus.INCOMPLETE, author_id=actor.id)
    drafts = files.filter(status=ApplicationStatus.DRAFT, author_id=actor.id)
    awaiting = files.filter(status=ApplicationStatus.SUBMITTED).exclude(author_id=actor.id)
    return Inbox(
        returned=_oldest(returned) if edits else (),
        drafts=_oldest(drafts) if edits else (),
        awaiting=_oldest(awaiting) if decides else (),
    )


def _oldest(applications: QuerySet[CreditApplication]) -> tuple[CreditApplication, ...]:
    return tuple(applications.order_by("applied_on", "uid")[:INBOX_PART])


def piece_requests_of(application: CreditApplication) -> list[PieceRequest]:
    """Return what was asked for this file, the latest first, with who asked and who answered."""
    requests = PieceRequest.objects.filter(application=application)
    return list(requests.select_related("asked_by", "answered_by").order_by("-asked_at"))


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many files wait: returned, own drafts, and awaiting a decision by another hand."""

    returned: int
    drafts: int
    awaiting: int


def waiting_for(actor: Actor) -> Waiting:
    """Count what ``inbox_of`` shows the beginning of."""
    own, status = Q(author_id=actor.id), ApplicationStatus
    counts = (
        visible_applications(actor)
        .order_by()
        .filter(status__in=(status.INCOMPLETE, status.DRAFT, status.SUBMITTED))
        .aggregate(
            returned=Count("id", filter=own & Q(status=status.INCOMPLETE)),
            drafts=Count("id", filter=own & Q(status=status.DRAFT)),
            awaiting=Count("id", filter=~own & Q(status=status.SUBMITTED)),
        )
    )
    return Waiting(**counts)


@dataclass(frozen=True, slots=True)
class Activity:
    """Applications of a period: how many, and for how much (FCFA)."""

    count: int
    amount_xaf: int


def activity_in(actor: Actor, *periods: Period) -> list[Activity]:
    """Return the applications made in each period, in the agencies seen, by one statement.

    A period is ``(first day, last day)``, both included.
    """
    columns: dict[str, Any] = {}
    for number, period in enumerate(periods):
        within = Q(applied_on__range=period)
        columns[f"count{number}"] = Count("id", filter=within)
        columns[f"amount{number}"] = Sum("montant_credit", filter=within, default=0)
    whole = (min(first for first, _last in periods), max(last for _first, last in periods))
    sums = visible_applications(actor).order_by().filter(applied_on__range=whole).aggregate(**columns)
    return [Activity(sums[f"count{number}"], sums[f"amount{number}"]) for number in range(len(periods))]


def activity_by_agency(actor: Actor, period: Period) -> list[tuple[str, Activity]]:
    """Return the applications made in a period by agency, the largest amount first."""
    rows = (
        visible_applications(actor)
        .order_by()
        .filter(applied_on__range=period)
        .values("agency__name")
        .annotate(count=Count("id"), amount=Sum("montant_credit"))
        .order_by("-amount")
    )
    return [(row["agency__name"], Activity(row["count"], row["amount"])) for row in rows]
