"""How often a caller may ask: counted in one unlogged table that every process shares."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone

from apps.users.models import PartnerKey, RequestCount

UNITS = {"s": 1, "min": 60, "h": 3600}
DAY = 24 * 3600
OFF = "off"
KEPT = dt.timedelta(days=2)
COUNT = """
INSERT INTO users_requestcount AS known (bucket, "window", count, touched_at) VALUES {}
ON CONFLICT (bucket) DO UPDATE SET
    count = CASE WHEN known."window" = EXCLUDED."window" THEN known.count + 1 ELSE 1 END,
    "window" = EXCLUDED."window", touched_at = EXCLUDED.touched_at
RETURNING bucket, count
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    requests: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit as it stands after this request; ``reset`` is in seconds."""

    name: str
    rate: Rate
    used: int
    reset: int

    @property
    def refused(self) -> bool:
        return self.used > self.rate.requests

    @property
    def remaining(self) -> int:
        return max(self.rate.requests - self.used, 0)


def api_limits(*, path: str, who: str, key: PartnerKey | None = None) -> tuple[Limit, ...]:
    """Count one request of ``who`` and return its limits: the route's, and the day's quota of a key."""
    name, rate = limit_of(path)
    wanted = []
    if rate is not None:
        wanted.append((name, who, rate))
    if key is not None and key.daily_quota is not None:
        wanted.append(("quota", who, Rate(key.daily_quota, DAY)))
    return count(wanted)


def count(wanted: Iterable[tuple[str, str, Rate]]) -> tuple[Limit, ...]:
    """Count one request under each ``(name, caller, rate)`` and return how each stands, in one statement.

    Call it outside any transaction: the row stays locked until the end of the one around it.
    """
    wishes = sorted((f"{name}:{who}", name, rate) for name, who, rate in wanted)
    if not wishes:
        return ()
    moment = now()
    values: list[Any] = []
    for bucket, _name, rate in wishes:
        values += [bucket, window_of(moment, rate), 1, moment]
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(", ".join(["(%s, %s, %s, %s)"] * len(wishes))), values)
        counts = dict(cursor.fetchall())
    return tuple(limit_after(name, rate, counts[bucket], moment) for bucket, name, rate in wishes)


def limit_of(path: str) -> tuple[str, Rate | None]:
    """Return the name of the limit of a route and its rate, ``None`` where it is off."""
    name = _limit_name(path, tuple(settings.API_RATE_ROUTES))
    return name, rate_of(settings.API_RATES[name])


@lru_cache(maxsize=256)
def _limit_name(path: str, routes: tuple[tuple[str, str], ...]) -> str:
    return next((name for name, pattern in routes if re.match(pattern, path)), "default")


def limit_after(name: str, rate: Rate, used: int, moment: dt.datetime) -> Limit:
    """Return a limit as it stands when ``used`` requests were counted in the window of ``moment``."""
    return Limit(name, rate, used, _reset(moment, rate))


def now() -> dt.datetime:
    """Return the moment by which windows are told, in the site's time zone."""
    return timezone.localtime()


def purge_counts() -> int:
    """Delete the counters of callers that have been silent; return how many there were."""
    return RequestCount.objects.filter(touched_at__lt=timezone.now() - KEPT).delete()[0]


@cache
def rate_of(text: str) -> Rate | None:
    """Read ``"20/s"``, ``"10/min"`` or ``"1000/h"``; ``"off"`` is ``None``."""
    if text == OFF:
        return None
    requests, _separator, unit = text.partition("/")
    if not requests.isdecimal() or int(requests) < 1 or unit not in UNITS:
        raise ImproperlyConfigured(f"A limit is written 20/s, 10/min, 1000/h or off, not {text!r}.")
    return Rate(int(requests), UNITS[unit])


def window_of(moment: dt.datetime, rate: Rate) -> int:
    """Return the number of the running window; a day begins at midnight of the site's time zone."""
    if rate.seconds == DAY:
        return moment.date().toordinal()
    return int(moment.timestamp()) // rate.seconds


def _reset(moment: dt.datetime, rate: Rate) -> int:
    if rate.seconds == DAY:
        return DAY - (moment.hour * 60 + moment.minute) * 60 - moment.second
    return rate.seconds - int(moment.timestamp()) % rate.seconds
