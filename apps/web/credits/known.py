"""What a client's file already says, for the form of a new application."""

from typing import Any

from django.http import Http404
from django.utils import timezone

from apps.credits.queries.clients import client_values, get_visible_client, kept_file
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound


def known_values(actor: Actor, reference: str) -> dict[str, Any]:
    """Return initial values from the file of a visible client; raise ``Http404`` for any other.

    A file that was merged into another one leads to it.
    """
    try:
        client = kept_file(actor, get_visible_client(actor, reference=reference))
    except ObjectNotFound:
        raise Http404 from None
    if client is None:
        raise Http404
    values = client_values(client, on=timezone.localdate())
    return {
        "client_reference": client.reference,
        "agency": client.agency,
        "last_name": client.last_name,
        "first_names": client.first_names,
        "birth_date": client.birth_date,
        "phone": client.phone,
        "consent": client.consent_at is not None,
        **{name: _typed(value) for name, value in values.items()},
    }


def _typed(value: Any) -> Any:
    """Write an amount as it is typed, with spaces."""
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else value
