"""Two files of one person: merged, parted again, or told apart for good. Nothing else is rewritten."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.models import Client, DistinctClients
from apps.credits.queries.clients import require_in_use
from apps.credits.rules import can_edit_file, can_merge
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound


@transaction.atomic
def merge_clients(*, gone: Client, kept: Client, by: Actor) -> Client:
    """Let ``kept`` stand for the person of both files; return ``gone`` as it is stored.

    What was entered on ``gone`` stays there and counts as history of ``kept``. Raises ``ClientMerged`` when
    one of them was merged already, ``InvalidValues`` where a prohibition of credit would be lost,
    ``NotAllowed``, ``ObjectNotFound``.
    """
    gone, kept = _both(gone, kept, by)
    if gone.prohibition_date is not None and kept.prohibition_date is None:
        text = _("%(reference)s holds a prohibition of credit: note it on the file you keep first.")
        raise InvalidValues(text % {"reference": gone.reference}, fields={})
    gone.merged_into, gone.merged_at = kept, timezone.now()
    gone.save(update_fields=["merged_into", "merged_at", "updated_at"])
    record(by=by, action="client.merge", target=gone, after={"into": str(kept.uid)})
    return gone


@transaction.atomic
def part_clients(*, client: Client, by: Actor) -> Client:
    """Undo the merging of ``client``: it stands for itself again, with all that it had.

    What was entered on the other file meanwhile stays there. Done twice, once. Raises ``NotAllowed``,
    ``ObjectNotFound``.
    """
    locked = Client.objects.select_for_update().get(pk=client.pk)
    if locked.merged_into is None:
        return locked
    kept = locked.merged_into
    _require(locked, kept, by)
    locked.merged_into = locked.merged_at = None
    locked.save(update_fields=["merged_into", "merged_at", "updated_at"])
    record(by=by, action="client.part", target=locked, after={"from": str(kept.uid)})
    return locked


@transaction.atomic
def keep_apart(*, first: Client, second: Client, by: Actor) -> DistinctClients:
    """Note that two files are of two persons: they are not shown as duplicates again. Done twice, once.

    Raises ``ClientMerged``, ``InvalidValues`` for twice the same file, ``NotAllowed``, ``ObjectNotFound``.
    """
    elder, younger = sorted(_both(first, second, by), key=lambda client: client.pk)
    pair, new = DistinctClients.objects.get_or_create(
        first=elder, second=younger, defaults={"author_id": by.person_id}
    )
    if new:
        record(by=by, action="client.keep_apart", target=elder, after={"other": str(younger.uid)})
    return pair


def _both(first: Client, second: Client, by: Actor) -> tuple[Client, Client]:
    """Return both files, locked in the order of their keys, once they may be changed."""
    if first.pk == second.pk:
        raise InvalidValues(_("These are one and the same file."), fields={})
    rows = Client.objects.select_for_update().filter(pk__in=[first.pk, second.pk]).order_by("pk")
    locked = {client.pk: client for client in rows}
    _require(locked[first.pk], locked[second.pk], by)
    for client in locked.values():
        require_in_use(client)
    return locked[first.pk], locked[second.pk]


def _require(first: Client, second: Client, by: Actor) -> None:
    for client in (first, second):
        if not by.sees_agency(client.agency_id):
            raise ObjectNotFound(_("No such client."))
    if not (can_edit_file(by, first) and can_edit_file(by, second)):
        raise NotAllowed(_("Your role does not change clients' files."))
    if not can_merge(by, first, second):
        raise NotAllowed(_("Files of two agencies are settled by somebody who sees every agency."))
