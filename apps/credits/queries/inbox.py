"""What waits for a person."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication
from apps.credits.queries.applications import visible_applications
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Verb

INBOX_PART = 10


@dataclass(frozen=True, slots=True)
class Inbox:
    """What waits for a person, the oldest first; each part holds at most ``INBOX_PART`` rows."""

    returned: tuple[CreditApplication, ...]
    drafts: tuple[CreditApplication, ...]
    awaiting: tuple[CreditApplication, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.returned or self.drafts or self.awaiting)


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
