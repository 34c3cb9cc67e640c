"""Reports made again each week or month, for members who may read them."""

import datetime as dt
from collections.abc import Iterable
from typing import cast
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.institutions.queries import get_known_agency
from apps.reports.enums import OF_PERIOD, Frequency, ReportFormat, ReportKind
from apps.reports.models import Report, ReportSchedule, ScheduleRecipient
from apps.reports.rules import may_ask, role_may_ask
from apps.reports.services.making import ask_report, wish_for
from apps.tenancy.actor import Actor, task_actor
from apps.tenancy.context import current_institution_id
from apps.tenancy.errors import DomainError, InvalidValues, NotAllowed
from apps.users.models import Membership
from apps.users.queries import active_memberships, member_actor

MOST_RECIPIENTS = 20


def readers_of(kind: str, by: Actor) -> list[Membership]:
    """Return the members of the institution who may read a kind of report, by name."""
    members = active_memberships().filter(institution_id=by.institution).order_by("user__full_name", "pk")
    return [member for member in members if role_may_ask(kind, member.role)]


@transaction.atomic
def schedule_report(
    *,
    kind: str,
    format: str,  # noqa: A002  the word of the form
    language: str,
    frequency: str,
    recipients: Iterable[UUID],
    by: Actor,
    agency_uid: UUID | None = None,
    on: dt.date | None = None,
) -> ReportSchedule:
    """Have a report made again and announced by e-mail; each recipient's holds what that person may see.

    Raises ``NotAllowed`` for a kind that ``by`` may not read, ``InvalidValues`` for a recipient who may not.
    """
    if ReportKind(kind) not in OF_PERIOD or not may_ask(kind, by):
        raise NotAllowed(_("Your role does not allow this."))
    readers = {member.user.uid: member for member in readers_of(kind, by)}
    wanted = list(dict.fromkeys(recipients))
    if not 0 < len(wanted) <= MOST_RECIPIENTS or set(wanted) - set(readers):
        text = _("Choose from one to twenty members who may read this report.")
        raise InvalidValues(text, fields={"recipients": [text]})
    agency = get_known_agency(by, agency_uid) if agency_uid else None
    schedule = ReportSchedule.objects.create(
        kind=kind,
        format=ReportFormat(format),
        language=language,
        frequency=Frequency(frequency),
        agency=agency,
        next_on=next_day(frequency, on or timezone.localdate()),
        created_by_id=cast("int", by.person_id),
    )
    ScheduleRecipient.objects.bulk_create(
        ScheduleRecipient(schedule=schedule, user_id=readers[uid].user_id) for uid in wanted
    )
    told = {"kind": kind, "frequency": frequency, "recipients": [str(uid) for uid in wanted]}
    record(by=by, action="report.schedule", target=schedule, after=told)
    return schedule


@transaction.atomic
def stop_schedule(*, schedule: ReportSchedule, by: Actor) -> None:
    """Stop a schedule of one's own; what it made stays until its day. Raises ``NotAllowed``."""
    if schedule.created_by_id != by.person_id:
        raise NotAllowed(_("Your role does not allow this."))
    if schedule.stopped_at is None:
        schedule.stopped_at = timezone.now()
        schedule.save(update_fields=["stopped_at"])
        record(by=by, action="report.unschedule", target=schedule)


@transaction.atomic
def ask_due(*, on: dt.date | None = None) -> list[Report]:
    """Ask for what the schedules of the open scope owe on a day, one report a recipient; return them.

    A recipient who left or may no longer read it gets none; a day that was missed is made up for once.
    """
    day = on or timezone.localdate()
    due = ReportSchedule.objects.filter(stopped_at=None, next_on__lte=day)
    asked = []
    for schedule in due.select_for_update(of=("self",), skip_locked=True).order_by("pk"):
        asked += _asked_by(schedule)
        schedule.next_on = next_day(schedule.frequency, day)
        schedule.save(update_fields=["next_on"])
    return asked


def _asked_by(schedule: ReportSchedule) -> list[Report]:
    first, last = days_before(schedule.frequency, schedule.next_on)
    users = schedule.recipients.values_list("user_id", flat=True)
    members = active_memberships().filter(institution_id=current_institution_id(), user_id__in=list(users))
    asked = []
    for member in members.order_by("pk"):
        try:
            wish = wish_for(
                kind=schedule.kind,
                by=member_actor(member),
                language=schedule.language,
                starts_on=first,
                ends_on=last,
                agency_uid=schedule.agency.uid if schedule.agency else None,
            )
        except DomainError:
            left_out = {"recipient": str(member.user.uid)}
            by = task_actor(current_institution_id())
            record(by=by, action="report.left_out", target=schedule, after=left_out)
            continue
        asked.append(ask_report(wish=wish, format=schedule.format, schedule=schedule))
    return asked


def next_day(frequency: str, day: dt.date) -> dt.date:
    """Return the first day after ``day`` on which a schedule is due: a Monday, or the first of a month."""
    if frequency == Frequency.WEEKLY:
        return day + dt.timedelta(days=7 - day.weekday())
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def days_before(frequency: str, day: dt.date) -> tuple[dt.date, dt.date]:
    """Return the week or the month that ended before a due day, both days included."""
    last = day - dt.timedelta(days=1)
    if frequency == Frequency.WEEKLY:
        return day - dt.timedelta(days=7), last
    return last.replace(day=1), last
