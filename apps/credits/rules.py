"""What may be done with a file or an application, by whom and when; asked by services and pages alike."""

from apps.credits.enums import ApplicationStatus
from apps.credits.models import Client, CreditApplication
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Verb

OPEN_TO_CHANGE = (ApplicationStatus.DRAFT, ApplicationStatus.INCOMPLETE)
NOT_DECIDED = (*OPEN_TO_CHANGE, ApplicationStatus.SUBMITTED)


def can_edit_file(actor: Actor, client: Client) -> bool:
    """Say whether ``actor`` may change the file of ``client``: the verb, in an agency that it sees."""
    return actor.may(Verb.EDIT_FILES) and actor.sees_agency(client.agency_id)


def can_edit(actor: Actor, application: CreditApplication) -> bool:
    """Say whether the values may be changed: before the file is submitted, or once it was returned."""
    return _holds(actor, application, Verb.EDIT_FILES) and application.status in OPEN_TO_CHANGE


def can_submit(actor: Actor, application: CreditApplication) -> bool:
    """Say whether the file may be sent, or sent again, for decision."""
    return can_edit(actor, application)


def can_withdraw(actor: Actor, application: CreditApplication) -> bool:
    """Say whether a submitted file may be taken back by whoever prepares files."""
    return _holds(actor, application, Verb.EDIT_FILES) and application.status == ApplicationStatus.SUBMITTED


def can_return(actor: Actor, application: CreditApplication) -> bool:
    """Say whether the file may be returned for missing pieces: never by its own author."""
    return (
        _holds(actor, application, Verb.DECIDE)
        and application.status == ApplicationStatus.SUBMITTED
        and application.author_id != actor.id
    )


def can_cancel(actor: Actor, application: CreditApplication) -> bool:
    """Say whether the application may be cancelled: while nothing is decided."""
    return _holds(actor, application, Verb.EDIT_FILES) and application.status in NOT_DECIDED


def can_reopen(actor: Actor, application: CreditApplication) -> bool:
    """Say whether a cancellation may be undone."""
    return _holds(actor, application, Verb.EDIT_FILES) and application.status == ApplicationStatus.CANCELLED


def can_score(actor: Actor, application: CreditApplication) -> bool:
    """Say whether the application may be scored: while nothing is decided."""
    return _holds(actor, application, Verb.SCORE) and application.status in NOT_DECIDED


def _holds(actor: Actor, application: CreditApplication, verb: Verb) -> bool:
    return actor.may(verb) and actor.sees_agency(application.agency_id)
