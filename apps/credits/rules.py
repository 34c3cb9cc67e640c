"""Who may change a client's file."""

from apps.credits.models import Client
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Verb


def can_edit_file(actor: Actor, client: Client) -> bool:
    """Say whether ``actor`` may change the file of ``client``: the verb, in an agency that it sees."""
    return actor.may(Verb.EDIT_FILES) and actor.sees_agency(client.agency_id)
