"""What may be done with a file or an application, by whom and when; asked by services and pages alike."""

from apps.credits.enums import ApplicationStatus, CreditStatus
from apps.credits.models import Client, Credit, CreditApplication
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Verb

OPEN_TO_CHANGE = (ApplicationStatus.DRAFT, ApplicationStatus.INCOMPLETE)
NOT_DECIDED = (*OPEN_TO_CHANGE, ApplicationStatus.SUBMITTED)
GRANTED = (ApplicationStatus.APPROVED, ApplicationStatus.APPROVED_CONDITIONALLY)
RUNNING = (CreditStatus.ACTIVE, CreditStatus.RESTRUCTURED)


def can_edit_file(actor: Actor, client: Client) -> bool:
    """Say whether ``actor`` may change the file of ``client``: the verb, in an agency that it sees."""
    return actor.may(Verb.EDIT_FILES) and actor.sees_agency(client.agency_id)


def can_merge(actor: Actor, first: Client, second: Client) -> bool:
    """Say whether two files may be merged, parted again or told apart.

    By who may change both; of two agencies only by who sees every agency, since the people of one agency
    would lose a file of theirs to the other.
    """
    both = can_edit_file(actor, first) and can_edit_file(actor, second)
    return both and (first.agency_id == second.agency_id or actor.agency_ids is None)


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


def can_disburse(actor: Actor, application: CreditApplication) -> bool:
    """Say whether the money of an application may be noted as disbursed: once it is granted."""
    return _holds(actor, application, Verb.EDIT_FILES) and application.status in GRANTED


def can_record_repayment(actor: Actor, credit: Credit) -> bool:
    """Say whether a repayment may be entered: until all is paid, after a write-off too."""
    return _follows(actor, credit, Verb.EDIT_FILES) and credit.status != CreditStatus.CLOSED


def can_close(actor: Actor, credit: Credit) -> bool:
    """Say whether a credit may be closed early."""
    return _follows(actor, credit, Verb.EDIT_FILES) and credit.status in RUNNING


def can_write_off(actor: Actor, credit: Credit) -> bool:
    """Say whether a credit may be written off: by who decides, while it runs."""
    return _follows(actor, credit, Verb.DECIDE) and credit.status in RUNNING


def can_restructure(actor: Actor, credit: Credit) -> bool:
    """Say whether what is left of a credit may get another schedule: by who decides, while it runs."""
    return can_write_off(actor, credit)


def _follows(actor: Actor, credit: Credit, verb: Verb) -> bool:
    return actor.may(verb) and actor.sees_agency(credit.agency_id)
