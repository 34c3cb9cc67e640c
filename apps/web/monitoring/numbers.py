"""The figures of the page as one file for a spreadsheet."""

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext as _

from apps.monitoring.enums import FigureKind
from apps.monitoring.queries import Watch
from apps.web.monitoring.alerts import AlertLine
from apps.web.monitoring.groups import groups_part
from apps.web.monitoring.overview import cohort_table, overview_part
from apps.web.monitoring.population import population_part
from apps.web.monitoring.presenters import head_of
from apps.web.monitoring.tables import day_text


def file_name(watch: Watch) -> str:
    """Return the name of the file of figures."""
    day = f"-{watch.day:%Y-%m-%d}" if watch.day else ""
    return f"{watch.version.name}-{watch.version.version}{day}.csv"


def rows_of(watch: Watch) -> Iterator[list[str]]:
    """Yield the rows of every table, one under the other."""
    head = head_of(watch)
    yield [head.name, head.standing, "" if head.day is None else day_text(head.day)]
    yield from ([label, text] for label, text in head.facts)
    if watch.day is None:
        return
    overview, population, groups = overview_part(watch), population_part(watch), groups_part(watch)
    yield from _alerts([*overview["alerts"], *overview["over"]])
    if overview["chart"]:
        yield from _table(
            _("Observed and predicted by month"), overview["chart"].header, overview["chart"].rows
        )
    named = [
        (_("Rolling cohorts"), cohort_table(watch.figures.get(FigureKind.COHORT) or [])),
        (_("Early signs"), overview["early"]),
        (_("Variables"), population["variables"]),
        (_("Volumes"), population["volumes"]),
        *groups["slices"],
        *groups["treatments"],
    ]
    for title, table in named:
        if table is not None and table.rows:
            yield from _table(title, table.header, [cells for cells, _tone in table.rows])


def _alerts(alerts: Sequence[AlertLine]) -> Iterator[list[str]]:
    rows = [
        [
            each.title,
            each.severity,
            each.text,
            each.suggestion,
            f"{each.since:%Y-%m-%d}",
            f"{each.until:%Y-%m-%d}" if each.until else "",
        ]
        for each in alerts
    ]
    header = [_("Alert"), _("Severity"), _("Figures"), _("Suggestion"), _("Since"), _("Until")]
    if rows:
        yield from _table(_("Alerts"), header, rows)


def _table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    yield []
    yield [title]
    yield list(header)
    yield from (list(row) for row in rows)
