"""Who may send which file, and read it back."""

from apps.files.enums import FilePurpose
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Verb

_SENDING = {
    FilePurpose.IMPORT: Verb.IMPORT,
    FilePurpose.BATCH: Verb.IMPORT,
    FilePurpose.TRAINING: Verb.PROPOSE_MODEL,
}


def can_send_file(actor: Actor, purpose: str) -> bool:
    """Say whether ``actor`` may send a file for ``purpose``; the others are written by the site."""
    verb = _SENDING.get(FilePurpose(purpose))
    return verb is not None and actor.may(verb)


def can_read_file(actor: Actor) -> bool:
    """Say whether ``actor`` may download what it sees."""
    return actor.may(Verb.READ_FILES)
