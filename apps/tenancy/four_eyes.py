"""Four eyes: what one person makes, another one checks; neither is a key or a task."""

from django.utils.translation import gettext as _

from apps.tenancy.actor import Actor
from apps.tenancy.errors import DomainError, NotAllowed
from apps.tenancy.roles import Verb


class SamePerson(DomainError):
    """The checker is the maker, or is nobody."""

    code = "same_person"


def require_member(*, by: Actor, verb: Verb, or_task: bool = False) -> None:
    """Raise ``NotAllowed`` unless ``by`` is a person of the institution whose role holds ``verb``.

    What two people decide is no work of a key or the operator, nor of a task unless ``or_task`` says so.
    """
    kinds = {"user", "task"} if or_task else {"user"}
    if by.kind not in kinds or by.institution_id is None or not by.may(verb):
        raise NotAllowed(_("Your role does not allow this."))


def require_another_person(*, maker_id: int | None, by: Actor) -> None:
    """Raise ``SamePerson`` unless ``by`` is a person, and not the one whose key is ``maker_id``.

    A task or a key never checks: it would be the maker's own hand. An unknown maker cannot be told from
    the checker, so nobody may check either.
    """
    if by.kind != "user" or by.id is None or maker_id is None or by.id == maker_id:
        raise SamePerson(_("Another person must check this: who made it cannot approve it."))
