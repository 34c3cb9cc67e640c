"""An import in words: where it stands, what its rows became, what may be done next."""

import contextlib
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.credits.enums import ImportState
from apps.credits.importing.registry import target_named
from apps.credits.importing.runs import first_problems
from apps.credits.queries.imports import expected_end_of, state_of
from apps.files.reading.mapping import Field
from apps.files.reading.quality import FileQuality
from apps.jobs.enums import JobStatus
from apps.tenancy.language import current_lang
from apps.web.templatetags.formats import whole

_UNDER_WAY = frozenset({ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING})
_WRITTEN = frozenset({ImportState.IMPORTED, ImportState.STOPPED, ImportState.FAILED})
#: Seconds between two looks at the work: often at first, then less.
_DELAYS = ((10, 1), (60, 2))
_SLOW = 5


@dataclass(frozen=True, slots=True)
class ImportLine:
    """An import in the history."""

    url: str
    name: str
    target: str
    state: str
    state_label: str
    rows: str
    author: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ImportView:
    """Where an import stands; ``delay`` is when to look again."""

    uid: str
    name: str
    target: str
    state: str
    state_label: str
    percent: int
    text: str
    finished: bool
    delay: str
    error: str
    author: str
    created_at: dt.datetime
    counts: list[tuple[str, str]]
    common: list[tuple[str, str | dt.date]]
    language: str
    quality: FileQuality | None
    problems: list[tuple[str, ...]]
    has_report: bool
    has_rejects: bool
    may_settle: bool
    may_confirm: bool
    may_import_all: bool
    has_duplicates: bool
    may_cancel: bool
    may_undo: bool


def import_lines(runs: Iterable[Any]) -> list[ImportLine]:
    """Return the imports of a history."""
    return [
        ImportLine(
            url=reverse("web:import", args=[run.uid]),
            name=run.source.original_name,
            target=str(target_named(run.target).label),
            state=state_of(run),
            state_label=str(state_of(run).label),
            rows=whole(run.rows_total),
            author=run.author_name,
            created_at=run.created_at,
        )
        for run in runs
    ]


def import_view(run: Any) -> ImportView:
    """Return where an import stands, in words, with its first problems once a step has ended."""
    state = state_of(run)
    under_way = state in _UNDER_WAY
    shown = not under_way and state not in {ImportState.SETTLING, ImportState.UNDONE}
    return ImportView(
        uid=str(run.uid),
        name=run.source.original_name,
        target=str(target_named(run.target).label),
        state=state,
        state_label=str(state.label),
        percent=run.job.progress if run.job else 0,
        text=_progress_text(run, state),
        finished=not under_way,
        delay=f"{_delay(run)}s",
        error=run.job.error if run.job and run.job.status == JobStatus.FAILED else "",
        author=run.author_name,
        created_at=run.created_at,
        counts=_counts(run) if shown and run.rows_read else [],
        common=_common(run),
        language=run.language,
        quality=_quality(run) if shown else None,
        problems=first_problems(run) if shown else [],
        has_report=shown and _there(run.report),
        has_rejects=shown and _there(run.rejects),
        may_settle=not under_way and run.confirmed_at is None,
        may_confirm=state == ImportState.CHECKED,
        may_import_all=not run.rows_rejected,
        has_duplicates=bool(run.rows_duplicate),
        may_cancel=state in {ImportState.CHECKING, ImportState.IMPORTING},
        may_undo=state in _WRITTEN and run.confirmed_at is not None,
    )


def _quality(run: Any) -> FileQuality | None:
    """Return the quality of the file, as the check found it."""
    stored = (run.checked or {}).get("quality")
    return None if stored is None else FileQuality.from_json(stored)


def _there(stored: Any) -> bool:
    return stored is not None and stored.deleted_at is None


def _delay(run: Any) -> int:
    age = (timezone.now() - (run.job or run).created_at).total_seconds()
    return next((delay for most, delay in _DELAYS if age < most), _SLOW)


def _counts(run: Any) -> list[tuple[str, str]]:
    return [
        (_("New rows"), whole(run.rows_new)),
        (_("Updated rows"), whole(run.rows_updated)),
        (_("Unchanged rows"), whole(run.rows_unchanged)),
        (_("Duplicates left out"), whole(run.rows_duplicate)),
        (_("Rejected rows"), whole(run.rows_rejected)),
    ]


def _common(run: Any) -> list[tuple[str, str | dt.date]]:
    """Return the values that all the rows share, in words."""
    known = {each.name: each for each in target_named(run.target).fields()} if run.common else {}
    return [
        (known[name].label, _said(known[name], text)) for name, text in run.common.items() if name in known
    ]


def _said(field: Field, text: str) -> str | dt.date:
    if field.variable and (category := field.variable.category(text)):
        return category.label(current_lang())
    with contextlib.suppress(ValueError):
        return dt.date.fromisoformat(text) if field.kind == "date" else text
    return text


def _progress_text(run: Any, state: ImportState) -> str:
    if run.job is None:
        return ""
    if run.job.status == JobStatus.QUEUED:
        return _("Waiting for a worker.")
    if state == ImportState.UNDOING:
        return _("The state before the import is being given back, row by row.")
    if state == ImportState.UNDONE:
        return _("The data are as they were before the import.")
    told = {"read": whole(run.rows_read), "total": whole(run.rows_total)}
    text = _("%(read)s lines of %(total)s read.") % told
    end = expected_end_of(run)
    if end is None:
        return text
    return f"{text} {_('End expected at %(time)s.') % {'time': date_format(timezone.localtime(end), 'H:i')}}"
