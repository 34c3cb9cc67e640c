"""Files that may be of one person: those that share a key, read in the order of the key's index."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext as _

from apps.credits.enums import Likeness
from apps.credits.models import Client, Credit, CreditApplication, DistinctClients
from apps.credits.queries.clients import standing_clients
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

KEYS = {
    Likeness.DOCUMENT: "document_index",
    Likeness.PHONE: "phone_index",
    Likeness.NAME: "name_key",
}
#: A key that more files share is not one person's: the number of an agency, of a group, of nobody.
LARGEST = 10
#: Groups on a page, and pairs of one group: the others come once these are settled.
GROUPS, PAIRS = 25, 3
#: Groups read at once: those that were told apart fall out. After so many reads a page is shown as it is.
READ, READS = 100, 3
#: Clients looked at by one round, so that a page costs the same with any number of them.
LOOKED_AT = 200_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files that nobody told apart, the elder first, and what they share."""

    first: Client
    second: Client
    alike: tuple[Likeness, ...]


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    """Pairs in the order of their key; ``after`` is a client of the last group when there is more."""

    pairs: tuple[Pair, ...]
    after: UUID | None


def duplicate_pairs(actor: Actor, likeness: Likeness, *, after: UUID | None = None) -> DuplicatePage:
    """Return a page of the visible pairs that share a key, past the group of the client ``after``.

    Four statements: how far this page looks, the keys shared until there (both from the index alone), the
    files of these, the pairs told apart; so three times at most. A page looks at so many clients and no more:
    with more of them it may be short, or empty, and still be followed by another. Raises ``ObjectNotFound``
    for a client that is not in sight.
    """
    column = KEYS[likeness]
    start = _key_of(actor, column, after) if after else ""
    shown: list[list[Pair]] = []
    for _round in range(READS):
        end = _key_beyond(actor, column, start)
        keys = _shared_keys(actor, column, start, end)
        found = _groups(actor, column, keys[:READ])
        apart = _told_apart(client for group in found for client in group)
        for group in found:
            pairs = list(_open_pairs(group, apart))
            if pairs and len(shown) == GROUPS:
                return _page(shown, shown[-1][0].first.uid)
            shown += [pairs[:PAIRS]] if pairs else []
        if len(keys) <= READ and end is None:
            return _page(shown, None)
        start = keys[READ - 1] if len(keys) > READ else end or ""
        if shown:
            break
    return _page(
        shown, standing_clients(actor).filter(**{column: start}).values_list("uid", flat=True).first()
    )


def _page(groups: list[list[Pair]], after: UUID | None) -> DuplicatePage:
    return DuplicatePage(tuple(pair for group in groups for pair in group), after)


def _key_of(actor: Actor, column: str, uid: UUID) -> str:
    key = standing_clients(actor).filter(uid=uid).values_list(column, flat=True).first()
    if key is None:
        raise ObjectNotFound(_("No such client."))
    return str(key)


def _seen(actor: Actor) -> QuerySet[Client]:
    """Return the clients by what their indexes hold: agency and merging; no row is read."""
    rows = Client.objects.filter(merged_into=None)
    return rows if actor.agency_ids is None else rows.filter(agency_id__in=actor.agency_ids)


def _key_beyond(actor: Actor, column: str, start: str) -> str | None:
    """Return the key up to which a round looks, None when it reaches the end."""
    keys = _seen(actor).filter(**{f"{column}__gt": start}).order_by(column).values_list(column, flat=True)
    return next(iter(keys[LOOKED_AT : LOOKED_AT + 1]), None)


def _shared_keys(actor: Actor, column: str, start: str, end: str | None) -> list[str]:
    return [group[column] for group in _shared_groups(actor, column, start, end)[: READ + 1]]


def _shared_groups(actor: Actor, column: str, start: str, end: str | None = None) -> QuerySet[Client, Any]:
    within = _seen(actor).filter(**{f"{column}__gt": start})
    if end is not None:
        within = within.filter(**{f"{column}__lte": end})
    groups = within.order_by(column).values(column).annotate(files=Count("*"))
    shared: QuerySet[Client, Any] = groups.filter(files__gt=1, files__lte=LARGEST)
    return shared


def _groups(actor: Actor, column: str, keys: list[str]) -> list[list[Client]]:
    found: dict[str, list[Client]] = defaultdict(list)
    for client in standing_clients(actor).filter(**{f"{column}__in": keys}).order_by("pk"):
        found[getattr(client, column)].append(client)
    return [found[key] for key in keys if len(found[key]) > 1]


def _told_apart(clients: Iterable[Client]) -> set[tuple[int, int]]:
    keys = [client.pk for client in clients]
    rows = DistinctClients.objects.filter(first__in=keys, second__in=keys)
    return set(rows.values_list("first_id", "second_id"))


def _open_pairs(group: list[Client], apart: set[tuple[int, int]]) -> Iterator[Pair]:
    for first, second in combinations(group, 2):
        if (first.pk, second.pk) not in apart:
            yield Pair(first, second, likenesses(first, second))


def likenesses(first: Client, second: Client) -> tuple[Likeness, ...]:
    """Return what two files share."""
    return tuple(
        likeness
        for likeness, column in KEYS.items()
        if getattr(first, column) and getattr(first, column) == getattr(second, column)
    )


def told_apart(first: Client, second: Client) -> bool:
    """Say whether somebody told the two files apart."""
    return bool(_told_apart([first, second]))


@dataclass(frozen=True, slots=True)
class Holdings:
    """What was entered on one file itself: how many applications and credits, the day of the last one."""

    applications: int
    credits: int
    last_on: dt.date | None


def holdings_of(*files: Client) -> dict[int, Holdings]:
    """Count the applications and credits of each file by its key; two statements."""
    made = CreditApplication.objects.filter(client__in=files).order_by().values_list("client_id")
    asked = {key: (count, last) for key, count, last in made.annotate(Count("id"), Max("applied_on"))}
    rows = Credit.objects.filter(client__in=files).order_by().values_list("client_id")
    lent = dict(rows.annotate(Count("id")))
    return {each.pk: _held(*asked.get(each.pk, (0, None)), lent.get(each.pk, 0)) for each in files}


def _held(applications: int, last_on: dt.date | None, lent: int) -> Holdings:
    return Holdings(applications, lent, last_on)
