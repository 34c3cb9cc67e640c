"""What a person types is kept until it is sent. Nobody else sees it, so the trail does not tell of it."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import cast

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.tenancy.actor import Actor
from apps.users.errors import DraftTooLarge
from apps.users.models import Draft

MAX_BYTES = 64 * 1024
MAX_DRAFTS = 50
KEPT = dt.timedelta(days=30)
#: How long a draft that was thrown away can still be taken back.
REGRET = dt.timedelta(days=1)


@transaction.atomic
def save_draft(*, key: str, content: Mapping[str, Sequence[str]], by: Actor) -> Draft:
    """Keep what ``by`` typed under ``key``, in place of what was kept before.

    Raises ``DraftTooLarge`` above 64 KB. A person has 50 drafts at most: the oldest makes room.
    """
    text = json.dumps({name: list(texts) for name, texts in content.items()}, ensure_ascii=False)
    if len(text.encode()) > MAX_BYTES:
        raise DraftTooLarge(_("This is too long to be kept as a draft."))
    draft = Draft(author_id=cast("int", by.id), key=key, content=text, saved_at=timezone.now())
    Draft.objects.bulk_create(  # one statement: two windows may save at once
        [draft],
        update_conflicts=True,
        unique_fields=["institution", "author", "key"],
        update_fields=["content", "saved_at", "discarded_at"],
    )
    surplus = Draft.objects.filter(author_id=by.id).order_by("-saved_at", "-pk")[MAX_DRAFTS:]
    Draft.objects.filter(pk__in=list(surplus.values_list("pk", flat=True))).delete()
    return draft


def drop_draft(*, key: str, by: Actor) -> None:
    """Forget the draft of a form that was sent."""
    Draft.objects.filter(author_id=by.id, key=key).delete()


def discard_draft(*, key: str, by: Actor) -> bool:
    """Throw a draft away; it can be taken back for a day. ``False`` when there is none."""
    own = Draft.objects.filter(author_id=by.id, key=key, discarded_at=None)
    return bool(own.update(discarded_at=timezone.now()))


def restore_draft(*, key: str, by: Actor) -> bool:
    """Take back a draft that was thrown away; ``False`` when it is gone."""
    own = Draft.objects.filter(author_id=by.id, key=key, discarded_at__isnull=False)
    return bool(own.update(discarded_at=None))


def purge_drafts() -> int:
    """Delete, in the open scope, the drafts of more than 30 days and those thrown away; return how many."""
    now = timezone.now()
    old = Draft.objects.filter(saved_at__lt=now - KEPT)
    thrown = Draft.objects.filter(discarded_at__lt=now - REGRET)
    return old.delete()[0] + thrown.delete()[0]
