"""What the first page says to each role: what waits first, then figures with their change."""

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.credits.enums import ApplicationStatus
from apps.credits.queries.activity import Activity, Period, activity_by_agency, activity_in
from apps.credits.queries.inbox import Waiting, waiting_for
from apps.decisions.queries.waiting import count_to_decide
from apps.monitoring.queries import alerts_to_review
from apps.scoring.queries.scores import ScoreFigures, score_figures_in
from apps.tenancy.actor import Actor
from apps.tenancy.days import period
from apps.tenancy.roles import Verb
from apps.web.templatetags.formats import MINUS, NO_BREAK, percent, whole


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for the reader."""

    count: int
    text: str
    url: str
    tone: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the month so far beside the same days of the month before."""

    label: str
    text: str
    change: str
    url: str


def tasks_of(actor: Actor) -> list[Task]:
    """Return what waits for ``actor``, the most pressing first; nothing that is at zero."""
    if not (actor.may(Verb.EDIT_FILES) or actor.may(Verb.DECIDE)):
        return []
    tasks = [
        *(_own_tasks(waiting_for(actor)) if actor.may(Verb.EDIT_FILES) else []),
        *(_decision_tasks(actor) if actor.may(Verb.DECIDE) else []),
        *(_model_tasks() if actor.may(Verb.PROPOSE_MODEL) else []),
    ]
    return [task for task in tasks if task.count]


def _own_tasks(waiting: Waiting) -> list[Task]:
    returned = ngettext("file to complete", "files to complete", waiting.returned)
    drafts = ngettext("draft to finish", "drafts to finish", waiting.drafts)
    return [
        Task(waiting.returned, returned, _list(status=ApplicationStatus.INCOMPLETE, mine="on"), "caution"),
        Task(waiting.drafts, drafts, _list(status=ApplicationStatus.DRAFT, mine="on"), "neutral"),
    ]


def _decision_tasks(actor: Actor) -> list[Task]:
    waiting, inbox = count_to_decide(actor), reverse("web:inbox")
    files = ngettext("file awaiting your decision", "files awaiting your decision", waiting.files)
    overrides = ngettext(
        "decision against the advice to confirm", "decisions against the advice to confirm", waiting.overrides
    )
    reviews = ngettext("client's request to handle", "clients' requests to handle", waiting.reviews)
    return [
        Task(waiting.reviews, reviews, inbox, "caution"),
        Task(waiting.overrides, overrides, inbox, "caution"),
        Task(waiting.files, files, inbox, "info"),
    ]


def _model_tasks() -> list[Task]:
    count = alerts_to_review()
    text = ngettext("alert of your models to look at", "alerts of your models to look at", count)
    return [Task(count, text, reverse("web:monitoring"), "caution")]


def figures_of(actor: Actor, *, today: dt.date) -> list[Figure]:
    """Return the month's figures of the agencies that ``actor`` sees; links only to what the role reads."""
    if not (actor.may(Verb.READ_FILES) or actor.may(Verb.READ_REPORTS)):
        return []
    this, last = month_so_far(today), same_days_before(today)
    made, made_before = activity_in(actor, this, last)
    scored, scored_before = score_figures_in(actor, _instants(this), _instants(last))
    linked = actor.may(Verb.READ_FILES)
    days = {"date_from": this[0].isoformat(), "date_to": this[1].isoformat()}
    to_files = _list(**days) if linked else ""
    to_scores = f"{reverse('web:scores')}?{urlencode(days)}" if linked else ""
    return [
        *_activity_figures(made, made_before, to_files),
        *_score_figures(scored, scored_before, to_scores),
    ]


def _activity_figures(now: Activity, before: Activity, url: str) -> list[Figure]:
    return [
        Figure(_("Applications this month"), whole(now.count), _versus(now.count, before.count), url),
        Figure(
            _("Amount asked for (FCFA)"),
            whole(now.amount_xaf),
            _versus(now.amount_xaf, before.amount_xaf),
            url,
        ),
    ]


def _score_figures(now: ScoreFigures, before: ScoreFigures, url: str) -> list[Figure]:
    return [
        Figure(_("Scores this month"), whole(now.count), _versus(now.count, before.count), url),
        Figure(
            _("Favourable advice"),
            percent(now.favourable_share, 0),
            _points(now.favourable_share, before.favourable_share),
            url,
        ),
        Figure(
            _("Mean probability of default"), percent(now.mean_pd), _points(now.mean_pd, before.mean_pd), url
        ),
    ]


def _versus(now: int, before: int) -> str:
    """Say how a count changed; in percent only when there is something to compare with."""
    if not before:
        return _("none on the same days of last month")
    share = (now - before) / before
    return _("%(change)s on the same days of last month") % {"change": _signed(percent(abs(share), 0), share)}


def _points(now: float | None, before: float | None) -> str:
    if now is None or before is None:
        return _("nothing to compare with last month")
    change = now - before
    # Translators: percentage points, abbreviated.
    text = f"{percent(abs(change), 1).rstrip(f'%{NO_BREAK}')}{NO_BREAK}{_('pt')}"
    return _("%(change)s on the same days of last month") % {"change": _signed(text, change)}


def _signed(text: str, change: float) -> str:
    return f"{'+' if change > 0 else MINUS}{text}" if change else f"={NO_BREAK}{text}"


def by_agency(actor: Actor, *, today: dt.date) -> list[tuple[str, Activity]]:
    """Return this month's applications by agency, for who reads figures and no files."""
    return activity_by_agency(actor, month_so_far(today))


def month_so_far(today: dt.date) -> Period:
    """Return the first day of the month and ``today``."""
    return today.replace(day=1), today


def same_days_before(today: dt.date) -> Period:
    """Return the same days of the month before; a day that it lacks is its last one."""
    last_day = today.replace(day=1) - dt.timedelta(days=1)
    return last_day.replace(day=1), last_day.replace(day=min(today.day, last_day.day))


def _instants(days: Period) -> tuple[dt.datetime, dt.datetime]:
    start, end = period(*days)
    assert start is not None
    assert end is not None
    return start, end


def _list(**query: str) -> str:
    return f"{reverse('web:applications')}?{urlencode(query)}"
