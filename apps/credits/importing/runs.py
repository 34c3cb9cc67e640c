"""An import as people ask for it: received, settled, confirmed, stopped, undone. The worker does the rest."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.services import record, record_read
from apps.credits.enums import ImportMode, ImportState, ImportStep
from apps.credits.errors import ImportMoved, ImportRefused
from apps.credits.importing.plans import COUNTS
from apps.credits.importing.registry import target_named
from apps.credits.importing.shared_values import read_common
from apps.credits.importing.targets import Target
from apps.credits.importing.undoing import refuse_built_on
from apps.credits.models import ImportMapping, ImportRun
from apps.credits.queries.imports import remembered_columns, state_of
from apps.files.enums import FilePurpose
from apps.files.models import StoredFile
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Conversion, Field, Match, key_of, missing_fields, propose
from apps.files.reading.previews import Preparation, matches_to_json, preparation
from apps.files.reading.rows import chunks, header
from apps.files.services import path_of, store_upload
from apps.files.writing import FRENCH_EXCEL
from apps.jobs.services import create_job, request_cancel
from apps.tenancy.actor import Actor
from apps.tenancy.errors import DomainError, InvalidValues, ObjectNotFound
from apps.tenancy.language import current_lang

if TYPE_CHECKING:
    from pathlib import Path

    from django.core.files.base import File

CHECK, IMPORT, UNDO = "import.check", "import.write", "import.undo"


def receive_import(*, upload: "File[Any]", target: str, by: Actor) -> ImportRun:
    """Keep a file that was sent and propose what its columns hold; nothing is kept of a refusal.

    Raises ``FileRefused``, ``NotAllowed``, ``ObjectNotFound`` for an unknown target.
    """
    chosen = target_named(target)
    stored = store_upload(upload=upload, purpose=FilePurpose.IMPORT, by=by)
    try:
        return _begin(stored=stored, target=chosen, by=by)
    except DomainError:
        path_of(stored).unlink(missing_ok=True)
        raise


@transaction.atomic
def _begin(*, stored: StoredFile, target: Target, by: Actor) -> ImportRun:
    found = Dialect.from_json(stored.dialect or {})
    run = ImportRun.objects.create(
        target=target.name,
        source=stored,
        dialect=found.to_json(),
        mapping=matches_to_json([match for match in proposed(target, stored, found) if match.certain]),
        language=current_lang(),
        agencies=_agencies(by),
        rows_total=stored.rows or 0,
        author_kind=by.kind,
        author_id=by.id,
        author_name=by.display_name,
    )
    record(by=by, action="import.create", target=run, after={"target": target.name, "rows": run.rows_total})
    return run


def proposed(target: Target, stored: StoredFile, dialect: Dialect) -> list[Match]:
    """Return what each column is taken for: as the institution settled it before, else by its header."""
    known = remembered_columns(target.name)
    headers = header(path_of(stored), dialect)
    fields = {name: field for name, (field, _conversion) in known.items()}
    matches = propose(headers, target.fields(), remembered=fields)
    return [
        match.replaced(conversion=Conversion(known[key_of(match.header)][1]), why="remembered")
        if match.why == "remembered"
        else match
        for match in matches
    ]


def prepare_import(*, run: ImportRun, dialect: Dialect | None = None) -> Preparation:
    """Read the beginning of the file.

    Raises ``FileRefused`` when it cannot be read in ``dialect``, ``ObjectNotFound`` once its time is over.
    """
    target, found = target_named(run.target), dialect or Dialect.from_json(run.dialect)
    _require_source(run)
    matches = proposed(target, run.source, found)
    return preparation(path_of(run.source), found, matches, target.fields())


@transaction.atomic
def settle_import(
    *,
    run: ImportRun,
    matches: Sequence[Match],
    by: Actor,
    dialect: Dialect | None = None,
    common: Mapping[str, str] | None = None,
) -> ImportRun:
    """Settle what each column holds and ask for the check; the door enqueues the task.

    ``common`` gives, by name of field, the value of every row of what no column holds; empty ones are left
    out. What was settled of the columns is remembered for the next file of the institution. Raises
    ``InvalidValues`` when a field that is required is told by neither, or a common value cannot be used;
    ``ImportMoved`` once the import was confirmed.
    """
    locked = _at(run, ImportState.SETTLING, ImportState.CHECKED, ImportState.STOPPED, ImportState.FAILED)
    if locked.confirmed_at is not None:
        raise ImportMoved(_("This import was confirmed already."))
    target = target_named(run.target)
    told = {name: text.strip() for name, text in (common or {}).items() if text.strip()}
    found = dialect or Dialect.from_json(locked.dialect)
    fields = target.fields()
    read_common(told, fields, matches, found)
    _refuse_impossible(matches, fields, told)
    _require_source(locked)
    locked.dialect, locked.mapping, locked.common = found.to_json(), matches_to_json(matches), told
    _remember(target.name, matches)
    after = {"columns": len(locked.mapping), **({"common": told} if told else {})}
    return _ask(locked, step=ImportStep.CHECK, kind=CHECK, by=by, after=after)


@transaction.atomic
def confirm_import(
    *, run: ImportRun, mode: ImportMode, by: Actor, keep_duplicates: bool = False
) -> ImportRun:
    """Ask for the import of a file that was checked; the door enqueues the task.

    Raises ``ImportMoved`` when it was not checked, ``ImportRefused`` when all is asked and rows are refused.
    """
    locked = _at(run, ImportState.CHECKED)
    _require_source(locked)
    if mode == ImportMode.ALL and locked.rows_rejected:
        said = _("Rows are rejected: correct them, or import the valid rows only.")
        raise ImportRefused(said)
    locked.mode, locked.keep_duplicates, locked.confirmed_at = mode, keep_duplicates, timezone.now()
    return _ask(locked, step=ImportStep.IMPORT, kind=IMPORT, by=by, after={"mode": str(mode)})


@transaction.atomic
def undo_import(*, run: ImportRun, by: Actor) -> ImportRun:
    """Ask for the state before an import, row by row; the door enqueues the task.

    Raises ``ImportBuiltOn`` with what is built on it, ``ImportMoved`` when nothing was imported.
    """
    locked = _at(run, ImportState.IMPORTED, ImportState.STOPPED, ImportState.FAILED)
    if locked.confirmed_at is None:
        raise ImportMoved(_("Nothing of this file was imported."))
    refuse_built_on(locked)
    return _ask(locked, step=ImportStep.UNDO, kind=UNDO, by=by, after={})


@transaction.atomic
def cancel_import(*, run: ImportRun, by: Actor) -> None:
    """Stop a check or an import. Chunks that are imported stay, and can be undone.

    Raises ``ImportMoved`` when nothing is under way, ``JobNotChangeable`` when it has just ended.
    """
    if run.job is None or state_of(run) == ImportState.UNDOING:
        raise ImportMoved(_("Nothing is under way that could be stopped."))
    request_cancel(job=run.job, by=by)


def rejects_of(*, run: ImportRun, by: Actor, report: bool = False) -> "tuple[StoredFile, Path]":
    """Return the rows left out, or the report of the problems, and where the file stands; recorded.

    Raises ``ObjectNotFound`` when no row was left out, or once the time of the file is over.
    """
    stored = run.report if report else run.rejects
    if stored is None or stored.deleted_at is not None or not path_of(stored).is_file():
        raise ObjectNotFound(_("No such file."))
    record_read(by=by, target=stored)
    return stored, path_of(stored)


def first_problems(run: ImportRun, count: int = 200) -> list[tuple[str, ...]]:
    """Return the first problems of the last check or import: line, column, value, rule, what to do."""
    stored = run.report
    if stored is None or stored.deleted_at is not None or not path_of(stored).is_file():
        return []
    for chunk in chunks(path_of(stored), FRENCH_EXCEL, size=count):
        return [tuple(cell or "" for cell in row) for row in chunk.frame.iter_rows()]
    return []


def _at(run: ImportRun, *states: ImportState) -> ImportRun:
    """Lock an import; raise ``ImportMoved`` unless it stands at one of ``states``.

    It is asked before too: one that is being imported stays locked as long as a chunk takes, or all of it.
    """
    _require_state(_stored(run), states)
    ImportRun.objects.select_for_update().get(pk=run.pk)
    locked = _stored(run)
    _require_state(locked, states)
    return locked


def _stored(run: ImportRun) -> ImportRun:
    return ImportRun.objects.select_related("job", "source", "report", "rejects").get(pk=run.pk)


def _require_state(run: ImportRun, states: Sequence[ImportState]) -> None:
    state = state_of(run)
    if state not in states:
        raise ImportMoved(_("This cannot be done now: the import is “%(state)s”.") % {"state": state.label})


def _ask(run: ImportRun, *, step: ImportStep, kind: str, by: Actor, after: dict[str, Any]) -> ImportRun:
    """Write the request of the next step; the counts begin again, but for an undoing."""
    run.step, run.job = step, create_job(kind=kind, by=by)
    if step != ImportStep.UNDO:
        run.rows_read = 0
        for name in COUNTS:
            setattr(run, name, 0)
        run.agencies = _agencies(by)
        run.report = run.rejects = None
    run.save()
    record(by=by, action=f"import.{step}", target=run, after=after)
    return run


def _require_source(run: ImportRun) -> None:
    if run.source.deleted_at is not None or not path_of(run.source).is_file():
        raise ObjectNotFound(_("This file is no longer kept: send it again."))


def _agencies(by: Actor) -> list[int] | None:
    return None if by.agency_ids is None else sorted(by.agency_ids)


def _refuse_impossible(matches: Sequence[Match], fields: Sequence[Field], common: Mapping[str, str]) -> None:
    """Refuse what holds nothing known, what two columns hold, and what neither they nor ``common`` tell."""
    names = [match.field for match in matches if match.field]
    for name in sorted(set(names) - {each.name for each in fields}):
        said = _("There is no field “%(name)s”.") % {"name": name}
        raise InvalidValues(said, fields={"columns": [said]})
    if len(names) > len(set(names)):
        said = _("Two columns hold the same field.")
        raise InvalidValues(said, fields={"columns": [said]})
    missing = [each for each in missing_fields(matches, fields) if each.name not in common]
    if missing:
        said = _("No column of the file holds: %(name)s.")
        told = {each.name: [said % {"name": each.label}] for each in missing}
        raise InvalidValues(_("Columns are missing in the file."), fields=told)


def _remember(target: str, matches: Sequence[Match]) -> None:
    """Keep what was settled for the next file, columns left alone included."""
    rows = {
        key_of(match.header)[:200]: ImportMapping(
            target=target,
            header=key_of(match.header)[:200],
            field=match.field or "",
            conversion=str(match.conversion) if match.field else "",
        )
        for match in matches
    }
    rows.pop("", None)
    ImportMapping.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["institution", "target", "header"],
        update_fields=["field", "conversion", "updated_at"],
    )
