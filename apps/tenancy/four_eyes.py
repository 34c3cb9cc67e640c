"""Four eyes: what one person makes, another one checks."""

from django.utils.translation import gettext as _

from apps.tenancy.actor import Actor
from apps.tenancy.errors import DomainError


class SamePerson(DomainError):
    """The checker is the maker, or is nobody."""

    code = "same_person"


def require_another_person(*, maker_id: int | None, by: Actor) -> None:
    """Raise ``SamePerson`` unless ``by`` is a person, and not the one whose key is ``maker_id``.

    A task or a key never checks: it would be the maker's own hand. An unknown maker cannot be told from
    the checker, so nobody may check either.
    """
    if by.kind != "user" or by.id is None or maker_id is None or by.id == maker_id:
        raise SamePerson(_("Another person must check this: who made it cannot approve it."))
