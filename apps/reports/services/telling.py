"""Letters about reports: where to find one, and the week's overrides and alerts; no person's figures."""

import datetime as dt

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.decisions.enums import FIRM_ADVICE
from apps.decisions.models import Decision
from apps.decisions.queries.rates import WINDOW_DAYS, override_rates
from apps.monitoring.models import Alert
from apps.monitoring.renderers import alert_title
from apps.outbox.enums import MessageKind
from apps.outbox.services import Letter, enqueue
from apps.reports.models import Report
from apps.tenancy.context import current_institution_id
from apps.tenancy.days import DAY, period
from apps.tenancy.roles import Role
from apps.users.models import User
from apps.users.queries import active_memberships

A_WEEK = 7 * DAY
#: The address of a report on the site: this layer stands below the one that knows its routes.
_REPORT, _REPORTS = "/rapports/{uid}", "/rapports"


def tell_recipient(*, report: Report) -> None:
    """Write to whom a scheduled report is for: a link to it, which asks for a log-in, and no figure."""
    person = report.requested_by
    with translation.override(person.language or settings.LANGUAGE_CODE):
        letter = Letter(
            to=person.email,
            subject=_("CrediSense: your report is ready"),
            text=_(
                "The report “%(report)s” is ready.\n\nLog in to read it, within %(days)s days:\n%(link)s\n"
            )
            % {
                "report": report.get_kind_display(),
                "days": (report.expires_on - timezone.localdate()).days,
                "link": settings.SITE_URL + _REPORT.format(uid=report.uid),
            },
        )
    enqueue(kind=MessageKind.EMAIL, payload={"report": str(report.uid)}, letter=letter)


def write_week_to_risk_managers(*, until: dt.date) -> int:
    """Write the week's overrides and open alerts to each risk manager of the open scope; return how many."""
    members = active_memberships().filter(
        institution_id=current_institution_id(), role=Role.RESPONSABLE_RISQUES
    )
    people = [member.user for member in members]
    for person in people:
        _write_week(person, until)
    return len(people)


def _write_week(person: User, until: dt.date) -> None:
    with translation.override(person.language or settings.LANGUAGE_CODE):
        letter = Letter(
            to=person.email,
            subject=_("CrediSense: overrides and alerts of the week"),
            text="\n".join([*_week_lines(until), "", f"{settings.SITE_URL}{_REPORTS}", ""]),
        )
    enqueue(kind=MessageKind.EMAIL, payload={"week": str(until)}, letter=letter)


def _week_lines(until: dt.date) -> list[str]:
    """Return the lines of a week: decisions against the advice, limits passed, open alerts; no name."""
    first, last = until - A_WEEK, until - DAY
    since, end = period(first, last)
    assert since is not None
    assert end is not None
    firm = Decision.objects.filter(
        decided_at__gte=since, decided_at__lt=end, is_retrospective=False, recommendation__in=FIRM_ADVICE
    )
    window = end - WINDOW_DAYS * DAY
    analysts = override_rates("analyst", since=window, until=end)
    rates = [*analysts, *override_rates("agency", since=window, until=end)]
    opened = list(Alert.objects.open().order_by("opened_at"))
    return [
        _("Decisions from %(first)s to %(last)s: %(count)s on a firm advice, %(against)s against it.")
        % {
            "first": date_format(first, "d/m/Y"),
            "last": date_format(last, "d/m/Y"),
            "count": firm.count(),
            "against": firm.filter(is_override=True).count(),
        },
        _("Analysts and agencies above the limit of overrides over %(days)s days: %(count)s.")
        % {"days": WINDOW_DAYS, "count": sum(rate.is_alarming for rate in rates)},
        _("Open alerts of your models: %(count)s.") % {"count": len(opened)},
        *(f"- {alert_title(each.code, each.about)}" for each in opened),
    ]
