"""Names that stand beside the dictionary's variables in a body, taken out of it."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.tenancy.errors import InvalidValues


def take_uid(body: dict[str, Any], name: str) -> UUID:
    """Take a public identifier out of the body."""
    try:
        return UUID(str(body.pop(name)))
    except ValueError:
        message = _("A UUID is expected.")
        raise InvalidValues(message, fields={name: [message]}) from None


def take_text(body: dict[str, Any], name: str, length: int, *, default: str = "") -> str:
    """Take a text of at most ``length`` characters out of the body, without blanks around it."""
    value = body.pop(name, default)
    if not isinstance(value, str) or len(value) > length:
        message = _("A text of at most %(length)s characters is expected.") % {"length": length}
        raise InvalidValues(message, fields={name: [message]})
    return value.strip()
