"""What each role may decide, and the institution's motives."""

import datetime as dt
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.decisions.models import DecisionLimit, DecisionMotive
from apps.tenancy.errors import ObjectNotFound


def limit_of(role: str, *, on: dt.date | None = None) -> int | None:
    """Return the largest amount (FCFA) that a role decides on a day (today); ``None`` when none was set."""
    return limits_of(role, on=on).first()


def limits_of(role: str, *, on: dt.date | None = None) -> QuerySet[DecisionLimit, int]:
    """Return the amounts of a role's limits that have started on a day (today), the one that counts first."""
    started = DecisionLimit.objects.filter(role=role, starts_on__lte=on or timezone.localdate())
    return started.order_by("-starts_on", "-pk").values_list("amount_xaf", flat=True)


def limits_on(day: dt.date) -> dict[str, DecisionLimit]:
    """Return the limit of each role that has one on a day, by role."""
    started = DecisionLimit.objects.filter(starts_on__lte=day)
    latest = started.order_by("role", "-starts_on", "-pk").distinct("role")
    return {limit.role: limit for limit in latest}


def limit_history() -> QuerySet[DecisionLimit]:
    """Return every limit that was written, the latest start first, with who wrote it."""
    return DecisionLimit.objects.select_related("written_by").order_by("-starts_on", "-pk")


def motives_of(kind: str) -> list[DecisionMotive]:
    """Return the motives in use for a kind of decision, in the order in which they were added."""
    return list(DecisionMotive.objects.in_use().filter(kind=kind).order_by("pk"))


def all_motives() -> list[DecisionMotive]:
    """Return every motive, retired ones too, by kind and in the order in which they were added."""
    return list(DecisionMotive.objects.order_by("kind", "pk"))


def get_motive(uid: UUID) -> DecisionMotive:
    """Return one motive; raise ``ObjectNotFound`` when unknown."""
    motive = DecisionMotive.objects.filter(uid=uid).first()
    if motive is None:
        raise ObjectNotFound(_("No such motive."))
    return motive
