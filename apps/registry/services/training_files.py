"""Learning from a file: one line per credit, its variables and what became of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from django.utils.translation import gettext as _

from apps.credits.importing.applications import DEFAULT
from apps.credits.importing.registry import target_named
from apps.credits.queries.dictionary import training_variables
from apps.engine.contracts import Value
from apps.engine.ledger import add_months
from apps.engine.ratios import with_ratios
from apps.files.enums import FilePurpose
from apps.files.models import StoredFile
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Field, Match, propose
from apps.files.reading.rows import chunks, header
from apps.files.reading.values import refused_rows, typed_chunk
from apps.files.services import path_of, store_upload
from apps.registry.services.training_data import GROUPS, Cohorts, TrainingRows, age_band, empty_rows
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues

if TYPE_CHECKING:
    from django.core.files.base import File

ROWS = 5_000
OUTCOME, DAY = "outcome", "applied_on"
#: What a file must hold beside the outcome for a model to be learnt from it.
LEAST_VARIABLES = 3


def receive_training_file(*, upload: "File[Any]", by: Actor) -> StoredFile:
    """Keep a file to learn from; nothing is kept of a refusal.

    Raises ``NotAllowed``, ``FileRefused``, or ``InvalidValues`` when no column tells the outcome.
    """
    stored = store_upload(upload=upload, purpose=FilePurpose.TRAINING, by=by)
    held = {match.field for match in columns_of(stored)}
    if OUTCOME in held and len(held & _learnt()) >= LEAST_VARIABLES:
        return stored
    path_of(stored).unlink(missing_ok=True)
    message = _(
        "The file needs a column with the outcome of each credit (good or default), and its variables."
    )
    raise InvalidValues(message, fields={"file": [message]})


def columns_of(stored: StoredFile) -> list[Match]:
    """Return what the columns of a file are, those that their headers say for certain."""
    dialect = Dialect.from_json(stored.dialect or {})
    matches = propose(header(path_of(stored), dialect), _fields())
    return [match for match in matches if match.field and match.certain]


def _fields() -> list[Field]:
    known = {*_learnt(), *GROUPS, OUTCOME, DAY, *_OF_RATIOS}
    return [each for each in target_named("applications").fields() if each.name in known]


def _learnt() -> set[str]:
    return {variable.name for variable in training_variables()}


#: What both ratios are computed from, beside the variables of a model.
_OF_RATIOS = ("mensualites_en_cours", "encours_autres_dettes")


def read_file(
    stored: StoredFile, cohorts: Cohorts, *, chunk: Callable[[], Any], tell: Callable[[float], None]
) -> TrainingRows:
    """Read a file as ``read_rows`` reads the portfolio; lines that cannot be read are counted and left out.

    Without a date for each line, cohorts are what the sender made them.
    """
    with chunk():
        path, dialect = path_of(stored), Dialect.from_json(stored.dialect or {})
        matches, fields, total = columns_of(stored), _fields(), stored.rows or 1
        rows = empty_rows(training_variables())
    seen = 0
    for frame, good in _frames(path, dialect, matches, fields):
        rows.excluded["unreadable"] += len(good) - sum(good)
        for line, readable in zip(frame.iter_rows(named=True), good, strict=True):
            if readable:
                _add(rows, cohorts, line)
        seen += frame.height
        tell(min(seen / total, 1.0))
    if len(rows.days) < rows.rows:
        rows.days = []
    rows.excluded = +rows.excluded  # without what was counted zero times
    return rows


def _frames(path: Path, dialect: Dialect, matches: list[Match], fields: list[Field]) -> Any:
    for piece in chunks(path, dialect, size=ROWS):
        found = typed_chunk(piece, matches, fields, dialect)
        good = (~refused_rows(found, len(piece))).to_list()
        yield pl.DataFrame(found.columns), good


def _add(rows: TrainingRows, cohorts: Cohorts, line: Mapping[str, Any]) -> None:
    outcome, day = line.get(OUTCOME), line.get(DAY)
    if outcome is None:
        rows.excluded["no_outcome"] += 1
        return
    if day is not None and add_months(day, cohorts.horizon_months) > cohorts.observed_on:
        rows.excluded["young"] += 1
        return
    given: dict[str, Value] = {
        name: value for name, value in line.items() if value is not None and name not in {OUTCOME, DAY}
    }
    values = with_ratios(given)[0]
    for name, column in rows.columns.items():
        column.append(values.get(name))
    rows.outcomes.append(int(outcome == DEFAULT))
    if day is not None:
        rows.days.append(day)
    rows.people.append(rows.rows)
    rows.secured.append(False)
    rows.in_fine.append(False)
    age = values.get("age")
    told = {"age_band": age_band(float(age) if isinstance(age, int | float) else None)}
    for name, column_of_group in rows.groups.items():
        column_of_group.append(told.get(name, str(values.get(name) or "")))
