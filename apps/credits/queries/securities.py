"""Reads of guarantees and of credits elsewhere."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _

from apps.credits.enums import ExternalStatus
from apps.credits.models import Client, ExternalCredit, Guarantee
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound


def guarantees_of(*files: Client) -> QuerySet[Guarantee]:
    """Return the guarantees entered on some files, the ones in force first, then the latest."""
    rows = Guarantee.objects.select_related("application").filter(client__in=files)
    return rows.order_by("-released_on", "-created_at")  # PostgreSQL puts what is not released first


def external_credits_of(*files: Client, status: str = "") -> QuerySet[ExternalCredit]:
    """Return the credits elsewhere (of one status) of some files, running ones first, then as last known."""
    rows = ExternalCredit.objects.filter(client__in=files)
    return (rows.filter(status=status) if status else rows).order_by("status", "-as_of", "-created_at")


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


@dataclass(frozen=True, slots=True)
class ExternalDebts:
    """What a client owes elsewhere, by the running credits of the file; amounts in XAF."""

    count: int
    outstanding_xaf: int
    monthly_payment_xaf: int


def external_debts(*files: Client) -> ExternalDebts:
    """Return the sums over the running external credits of some files."""
    running = ExternalCredit.objects.filter(client__in=files, status=ExternalStatus.ACTIVE)
    sums = running.aggregate(
        count=Count("id"), outstanding=Sum("outstanding_xaf"), payments=Sum("monthly_payment_xaf")
    )
    return ExternalDebts(sums["count"], sums["outstanding"] or 0, sums["payments"] or 0)
