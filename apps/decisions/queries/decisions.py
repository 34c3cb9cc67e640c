"""Decisions that were taken, and what stands around the next one."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.credits.enums import ApplicationStatus
from apps.credits.models import Client, CreditApplication, PieceRequest
from apps.decisions.enums import OverrideStatus
from apps.decisions.models import Decision, OverrideRequest, Reconsideration
from apps.decisions.queries.limits import limit_of
from apps.scoring.models import Prediction
from apps.scoring.queries.scores import is_current, latest_score_of
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound


def visible_decisions(actor: Actor) -> QuerySet[Decision]:
    """Return the decisions of the agencies that ``actor`` sees."""
    rows = Decision.objects.select_related("application", "agency", "motive", "decided_by", "requested_by")
    return rows if actor.agency_ids is None else rows.filter(agency_id__in=actor.agency_ids)


def decisions_for(application: CreditApplication) -> list[Decision]:
    """Return the decisions on an application, the latest first, with who took them."""
    rows = Decision.objects.select_related(
        "application", "prediction", "motive", "decided_by", "requested_by"
    )
    rows = rows.defer(
        "prediction__contributions", "prediction__rules", "prediction__inputs", "prediction__facts"
    )
    return list(rows.filter(application=application).order_by("-number"))


def last_decision(application: CreditApplication) -> Decision | None:
    """Return the decision that stands, or ``None``."""
    return Decision.objects.filter(application=application).order_by("-number").first()


def decisions_of_client(actor: Actor, *files: Client) -> QuerySet[Decision]:
    """Return the visible decisions on the applications of some files, the latest first."""
    return visible_decisions(actor).filter(application__client__in=files).order_by("-decided_at", "-pk")


def pending_override(application: CreditApplication) -> OverrideRequest | None:
    """Return the override of an application that awaits a second person, or ``None``."""
    pending = OverrideRequest.objects.select_related("requested_by", "motive", "prediction")
    return pending.filter(application=application, status=OverrideStatus.PENDING).first()


def overrides_of(application: CreditApplication) -> list[OverrideRequest]:
    """Return the overrides that were asked for on an application, the latest first."""
    rows = OverrideRequest.objects.select_related("requested_by", "answered_by", "motive")
    return list(rows.filter(application=application).order_by("-requested_at", "-pk"))


def get_visible_override(actor: Actor, uid: UUID) -> OverrideRequest:
    """Return one override that was asked for; raise ``ObjectNotFound`` when unknown or out of sight."""
    rows = OverrideRequest.objects.select_related("application", "requested_by", "motive", "prediction")
    if actor.agency_ids is not None:
        rows = rows.filter(agency_id__in=actor.agency_ids)
    found = rows.filter(uid=uid).first()
    if found is None:
        raise ObjectNotFound(_("No such request."))
    return found


def reviews_of(application: CreditApplication) -> list[Reconsideration]:
    """Return the client's requests for another look at an application, the latest first."""
    rows = Reconsideration.objects.select_related("registered_by", "handled_by", "outcome", "decision")
    return list(rows.filter(application=application).order_by("-registered_at", "-pk"))


def open_review(application: CreditApplication) -> Reconsideration | None:
    """Return the request for another look that is not answered, or ``None``."""
    rows = Reconsideration.objects.open().select_related("decision", "registered_by")
    return rows.filter(application=application).first()


def get_visible_review(actor: Actor, uid: UUID) -> Reconsideration:
    """Return one request for another look; raise ``ObjectNotFound`` when unknown or out of sight."""
    rows = Reconsideration.objects.select_related("application", "decision", "registered_by")
    if actor.agency_ids is not None:
        rows = rows.filter(agency_id__in=actor.agency_ids)
    found = rows.filter(uid=uid).first()
    if found is None:
        raise ObjectNotFound(_("No such request."))
    return found


@dataclass(frozen=True, slots=True)
class FileDecisions:
    """What was decided on a file, and what stands around the next decision, the latest first."""

    decisions: list[Decision]
    overrides: list[OverrideRequest]
    reviews: list[Reconsideration]

    @property
    def open_review(self) -> Reconsideration | None:
        return next((each for each in self.reviews if each.handled_at is None), None)


def file_decisions(application: CreditApplication) -> FileDecisions:
    """Return what was decided on a file; one statement for a file that never was, three at most."""
    decisions = decisions_for(application)
    waits = application.status == ApplicationStatus.SUBMITTED
    return FileDecisions(
        decisions=decisions,
        overrides=overrides_of(application) if decisions or waits else [],
        reviews=reviews_of(application) if decisions else [],
    )


def makers_of(application: CreditApplication) -> frozenset[int]:
    """Return the keys of who entered, sent or completed a file: none of them decides it."""
    answered = PieceRequest.objects.filter(application=application, answered_by__isnull=False)
    people = {application.author_id, application.submitted_by_id}
    people.update(answered.values_list("answered_by_id", flat=True))
    return frozenset(person for person in people if person is not None)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules of deciding look at: who made the file, the actor's limit, what is pending, the score.

    ``limit_xaf`` is ``None`` when the institution has set none for the actor's role.
    """

    makers: frozenset[int]
    limit_xaf: int | None
    prediction: Prediction | None
    score_is_current: bool
    override: OverrideRequest | None
    review: Reconsideration | None

    @property
    def first_deciders(self) -> frozenset[int]:
        """Who took the decision that the client asks to be looked at again."""
        if self.review is None:
            return frozenset()
        people = (self.review.decision.decided_by_id, self.review.decision.requested_by_id)
        return frozenset(person for person in people if person is not None)


def standing_of(actor: Actor, application: CreditApplication) -> Standing:
    """Return what stands around the decision of an application, for ``actor``; five statements."""
    prediction = latest_score_of(application)
    return Standing(
        makers=makers_of(application),
        limit_xaf=limit_of(actor.role),
        prediction=prediction,
        score_is_current=prediction is not None and is_current(prediction, application),
        override=pending_override(application),
        review=open_review(application),
    )
