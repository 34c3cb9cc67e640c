"""Who may decide what; asked by services and pages alike."""

from django.utils.translation import gettext as _

from apps.credits.enums import ApplicationStatus
from apps.credits.errors import ApplicationMoved
from apps.credits.models import CreditApplication
from apps.decisions.enums import GRANTING, DecisionKind, Direction
from apps.decisions.errors import (
    AboveLimit,
    OverridePending,
    OwnDecision,
    OwnFile,
    ScoreMissing,
    ScoreOutdated,
)
from apps.decisions.queries.decisions import Standing
from apps.scoring.enums import Recommendation
from apps.tenancy.actor import Actor
from apps.tenancy.errors import DomainError, NotAllowed
from apps.tenancy.roles import Role, Verb, allows, roles_with

#: Decided files at which the client may ask that somebody look again.
REVIEWABLE = (
    ApplicationStatus.DECLINED,
    ApplicationStatus.DEFERRED,
    ApplicationStatus.COUNTER_OFFERED,
    ApplicationStatus.APPROVED_CONDITIONALLY,
)
#: Decided files that may be worked on again: nothing is settled for good.
RESUMABLE = (ApplicationStatus.DEFERRED, ApplicationStatus.COUNTER_OFFERED)


def direction_of(recommendation: str, kind: str) -> Direction | None:
    """Return on which side of the advice a decision lies, ``None`` when it goes with it.

    « To be studied » is no advice to go against; to defer or to offer other terms is neither to grant what
    was asked nor to refuse it.
    """
    if recommendation == Recommendation.DECLINE and kind in GRANTING:
        return Direction.MILDER
    if recommendation == Recommendation.GRANT and kind == DecisionKind.REFUSE:
        return Direction.STRICTER
    return None


def deciding_roles() -> tuple[Role, ...]:
    """Return the roles for which a limit can be set: those that may decide."""
    return roles_with(Verb.DECIDE)


def may_open_decision(actor: Actor, application: CreditApplication, *, review: bool) -> bool:
    """Say whether to offer the page of the decision; it tells of the limit and of who completed the file."""
    open_now = application.status == ApplicationStatus.SUBMITTED or (
        review and application.status in REVIEWABLE
    )
    makers = (application.author_id, application.submitted_by_id)
    return open_now and actor.kind == "user" and allows(actor.role, Verb.DECIDE) and actor.id not in makers


def refusal_to_open(
    actor: Actor, application: CreditApplication, standing: Standing, *, amount_xaf: int = 0
) -> DomainError | None:
    """Return why ``actor`` may not decide this file at all, ``None`` when the actor may.

    ``amount_xaf`` is the amount to be decided; the one asked for counts where it is larger. Only people
    decide: no task, no key.
    """
    if actor.kind != "user" or not allows(actor.role, Verb.DECIDE):
        return NotAllowed(_("Your role does not allow this."))
    if not actor.sees_agency(application.agency_id) or not _is_open(application, standing):
        message = _("This file has moved on: it is now « %(status)s ».")
        return ApplicationMoved(message % {"status": application.get_status_display()})
    if actor.id in standing.makers:
        return OwnFile(_("Another person must decide this file: you entered, sent or completed it."))
    if actor.id in standing.first_deciders:
        return OwnDecision(_("Another person must look at this file again: you decided it."))
    return _above_limit(standing.limit_xaf, max(application.montant_credit, amount_xaf))


def refusal_to_decide(
    actor: Actor, application: CreditApplication, standing: Standing, *, amount_xaf: int = 0
) -> DomainError | None:
    """Return why ``actor`` may not decide this file now; beside ``refusal_to_open``, what must come first."""
    return (
        refusal_to_open(actor, application, standing, amount_xaf=amount_xaf)
        or _pending(standing)
        or refusal_of_score(standing)
    )


def refusal_of_score(standing: Standing) -> DomainError | None:
    """Return what the score lacks for a decision to rest on it."""
    if standing.prediction is None:
        return ScoreMissing(_("This file has no score: it is scored before it is decided."))
    if not standing.score_is_current:
        return ScoreOutdated(
            _("Values of this file have changed since it was scored: score it again, then decide.")
        )
    return None


def _is_open(application: CreditApplication, standing: Standing) -> bool:
    if application.status == ApplicationStatus.SUBMITTED:
        return True
    return application.status in REVIEWABLE and standing.review is not None


def _pending(standing: Standing) -> DomainError | None:
    if standing.override is None:
        return None
    return OverridePending(_("A decision against the advice awaits a second person: it is answered first."))


def _above_limit(limit_xaf: int | None, amount_xaf: int) -> DomainError | None:
    if not limit_xaf:
        return AboveLimit(_("Your institution has set no amount that your role may decide."))
    if amount_xaf > limit_xaf:
        message = _("%(amount)s FCFA is above what you may decide (%(limit)s FCFA): the file waits.")
        return AboveLimit(message % {"amount": _grouped(amount_xaf), "limit": _grouped(limit_xaf)})
    return None


def _grouped(amount_xaf: int) -> str:
    return f"{amount_xaf:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def can_register_review(actor: Actor, application: CreditApplication) -> bool:
    """Say whether a client's request for another look may be registered: on what is not plainly granted."""
    works = actor.kind == "user" and (actor.may(Verb.EDIT_FILES) or actor.may(Verb.DECIDE))
    return works and actor.sees_agency(application.agency_id) and application.status in REVIEWABLE


def can_resume(actor: Actor, application: CreditApplication, *, reviewed: bool = False) -> bool:
    """Say whether a decided file may be worked on again; a refused one only while the client asks for it."""
    wanted = REVIEWABLE if reviewed else RESUMABLE
    works = actor.may(Verb.EDIT_FILES) and actor.sees_agency(application.agency_id)
    return works and application.status in wanted
