"""What waits for a person who prepares files; what waits for a decision is in ``decisions``."""

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

    @property
    def is_empty(self) -> bool:
        return not (self.returned or self.drafts)


def inbox_of(actor: Actor) -> Inbox:
    """Return the files returned to ``actor`` and the own drafts."""
    files = visible_applications(actor)
    edits = actor.may(Verb.EDIT_FILES)
    returned = files.filter(status=ApplicationStatus.INCOMPLETE, author_id=actor.id)
    drafts = files.filter(status=ApplicationStatus.DRAFT, author_id=actor.id)
    return Inbox(
        returned=_oldest(returned) if edits else (),
        drafts=_oldest(drafts) if edits else (),
    )


def _oldest(applications: QuerySet[CreditApplication]) -> tuple[CreditApplication, ...]:
    return tuple(applications.order_by("applied_on", "uid")[:INBOX_PART])


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many files wait: returned, and own drafts."""

    returned: int
    drafts: int


def waiting_for(actor: Actor) -> Waiting:
    """Count what ``inbox_of`` shows the beginning of."""
    own, status = Q(author_id=actor.id), ApplicationStatus
    counts = (
        visible_applications(actor)
        .order_by()
        .filter(status__in=(status.INCOMPLETE, status.DRAFT))
        .aggregate(
            returned=Count("id", filter=own & Q(status=status.INCOMPLETE)),
            drafts=Count("id", filter=own & Q(status=status.DRAFT)),
        )
    )
    return Waiting(**counts)
