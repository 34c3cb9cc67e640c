"""What waits for a decision by somebody: files within the limit, overrides to confirm, clients' requests."""

from dataclasses import dataclass

from django.db.models import BooleanField, Case, Q, QuerySet, Subquery, When

from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication, PieceRequest
from apps.credits.queries.applications import visible_applications
from apps.decisions.enums import OverrideStatus
from apps.decisions.models import OverrideRequest, Reconsideration
from apps.decisions.queries.limits import limits_of
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Verb

WAITING_PART = 10


@dataclass(frozen=True, slots=True)
class ToDecide:
    """Files that wait for somebody, the oldest first; each part has at most ``WAITING_PART`` of them.

    Those of ``overrides`` wait for a second person, those of ``reviews`` for another look.
    """

    applications: tuple[CreditApplication, ...] = ()
    overrides: tuple[CreditApplication, ...] = ()
    reviews: tuple[CreditApplication, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.applications or self.overrides or self.reviews)


def to_decide(actor: Actor) -> ToDecide:
    """Return what waits for ``actor``; nothing for a role that does not decide. Two statements."""
    if not actor.may(Verb.DECIDE):
        return ToDecide()
    overridden = overrides_to_answer(actor).values("application_id")
    asked = Q(pk__in=overridden) | Q(pk__in=reviews_to_handle(actor).values("application_id"))
    pressing = (
        visible_applications(actor)
        .filter(asked)
        .annotate(
            overridden=Case(When(pk__in=overridden, then=True), default=False, output_field=BooleanField())
        )
    )
    found = list(pressing.order_by("applied_on", "uid")[: 2 * WAITING_PART])
    return ToDecide(
        applications=tuple(files_to_decide(actor).order_by("applied_on", "uid")[:WAITING_PART]),
        overrides=tuple(each for each in found if each.overridden),
        reviews=tuple(each for each in found if not each.overridden),
    )


def files_to_decide(actor: Actor) -> QuerySet[CreditApplication]:
    """Return the submitted files that ``actor`` may decide: within the limit, of others, nothing pending."""
    rows = visible_applications(actor).filter(
        status=ApplicationStatus.SUBMITTED, montant_credit__lte=Subquery(limits_of(actor.role)[:1])
    )
    pending = OverrideRequest.objects.filter(status=OverrideStatus.PENDING).values("application_id")
    completed = PieceRequest.objects.filter(answered_by_id=actor.id).values("application_id")
    mine = Q(author_id=actor.id) | Q(submitted_by_id=actor.id) | Q(pk__in=completed)
    return rows.exclude(mine).exclude(pk__in=pending)


def overrides_to_answer(actor: Actor) -> QuerySet[OverrideRequest]:
    """Return the pending overrides of visible files that somebody else made and asked for."""
    rows = OverrideRequest.objects.all()
    if actor.agency_ids is not None:
        rows = rows.filter(agency_id__in=actor.agency_ids)
    pending = rows.filter(status=OverrideStatus.PENDING, application__status=ApplicationStatus.SUBMITTED)
    mine = Q(requested_by_id=actor.id) | Q(application__author_id=actor.id)
    return pending.exclude(mine | Q(application__submitted_by_id=actor.id))


def reviews_to_handle(actor: Actor) -> QuerySet[Reconsideration]:
    """Return the open requests of clients on visible files that somebody else made and decided."""
    rows = Reconsideration.objects.open()
    if actor.agency_ids is not None:
        rows = rows.filter(agency_id__in=actor.agency_ids)
    mine = Q(first_decider_id=actor.id) | Q(decision__requested_by_id=actor.id)
    made = Q(application__author_id=actor.id) | Q(application__submitted_by_id=actor.id)
    return rows.exclude(mine | made)


@dataclass(frozen=True, slots=True)
class Counts:
    """How much waits for a decision by somebody."""

    files: int = 0
    overrides: int = 0
    reviews: int = 0


def count_to_decide(actor: Actor) -> Counts:
    """Count what ``to_decide`` shows the beginning of; three statements."""
    if not actor.may(Verb.DECIDE):
        return Counts()
    return Counts(
        files=files_to_decide(actor).order_by().count(),
        overrides=overrides_to_answer(actor).order_by().count(),
        reviews=reviews_to_handle(actor).order_by().count(),
    )
