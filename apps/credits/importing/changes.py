"""Rows into the tables by the thousand, each with what it takes to undo it.

Rows go by COPY into a temporary table, then by one statement under row-level security into theirs; that same
statement keeps the state before of the rows that it changes. Nothing here asks whether a row is right: that
is judged before.
"""

import datetime as dt
import uuid
from typing import Any

import polars as pl
from django.db import IntegrityError, connection
from django.db.models import Field, Model
from django.utils import timezone

from apps.credits.models import ImportRun
from apps.tenancy.actor import Actor
from apps.tenancy.encryption import EncryptedTextField

_COMING = "import_coming"
_CHANGE = "credits_importchange (institution_id, uid, run_id, line, model, object_id, before, after)"


class Writing:
    """What a target writes through: for ``run``, in the name of ``by``, all at the same moment ``now``."""

    def __init__(self, run: ImportRun, by: Actor) -> None:
        self.run = run
        self.by = by
        self.now: dt.datetime = timezone.now()
        self.author_id = run.author_id if run.author_kind == "user" else None
        self.columns: dict[str, list[str]] = dict(run.columns)

    def insert(self, model: type[Model], rows: pl.DataFrame, lines: pl.Series) -> None:
        """Create a row of ``model`` for each of ``rows``; ``lines`` are the lines that they come from.

        Columns of ``rows`` are named as those of the table (``agency_id``); what they leave out has the
        default of its field, ``author_id`` the person who asked, times of creation and change this moment.
        Give ``uid`` yourself to refer to the new rows. Values are typed as in the table; those of encrypted
        fields are in clear.
        """
        if not rows.height:
            return
        given, fixed = set(rows.columns), self._left_out(model, set(rows.columns))
        names = [*rows.columns, *fixed, *([] if "uid" in given else ["uid"])]
        taken = [*(f"c.{_quoted(name)}" for name in rows.columns), *["%s"] * len(fixed)]
        if "uid" not in given:
            taken.append("c.uid")
        with connection.cursor() as cursor:
            _send(cursor, model, rows, lines)
            cursor.execute(
                f"WITH written AS (INSERT INTO {_table(model)} ({', '.join(map(_quoted, names))})"  # noqa: S608  names of the model
                f" SELECT {', '.join(taken)} FROM {_COMING} c ORDER BY c.import_line RETURNING *)"
                f" INSERT INTO {_CHANGE} SELECT w.institution_id, gen_random_uuid(), %s, c.import_line, %s,"
                f" w.id, NULL, {state_sql('w', self._kept(model))}"
                f" FROM written w JOIN {_COMING} c ON c.uid = w.uid",
                [*fixed.values(), self.run.pk, model._meta.label_lower],
            )
            _all_written(cursor.rowcount, rows.height)

    def update(self, model: type[Model], rows: pl.DataFrame, lines: pl.Series) -> None:
        """Change rows of ``model`` found by their ``id``, to the values of the other columns of ``rows``.

        A row may come once a call. The time of change is this moment.
        """
        if not rows.height:
            return
        moments = [each.attname for each in _fields(model) if getattr(each, "auto_now", False)]
        changed = [name for name in rows.columns if name not in {"id", *moments}]
        values = [f"{_quoted(name)} = c.{_quoted(name)}" for name in changed]
        values += [f"{_quoted(name)} = %s" for name in moments]
        table, here = _table(model), self.run.institution_id
        with connection.cursor() as cursor:
            _send(cursor, model, rows, lines)
            cursor.execute(
                f"WITH old AS (SELECT t.id, to_jsonb(t) AS row FROM {table} t JOIN {_COMING} c ON c.id = t.id"  # noqa: S608  names of the model
                f" WHERE t.institution_id = %s), written AS (UPDATE {table} t SET {', '.join(values)}"
                f" FROM {_COMING} c WHERE t.id = c.id AND t.institution_id = %s RETURNING t.*)"
                f" INSERT INTO {_CHANGE} SELECT w.institution_id, gen_random_uuid(), %s, c.import_line, %s,"
                f" w.id, old.row, {state_sql('w', self._kept(model))}"
                f" FROM written w JOIN old ON old.id = w.id JOIN {_COMING} c ON c.id = w.id",
                [here, *[self.now] * len(moments), here, self.run.pk, model._meta.label_lower],
            )
            _all_written(cursor.rowcount, rows.height)

    def _left_out(self, model: type[Model], given: set[str]) -> dict[str, Any]:
        """Return the value that every new row has in the columns that are not given."""
        left = [
            each for each in _fields(model) if not each.primary_key and each.attname not in {*given, "uid"}
        ]
        return {each.attname: self._usual(each) for each in left}

    def _usual(self, each: Any) -> Any:
        if each.attname == "institution_id":
            return self.run.institution_id
        if each.attname == "author_id":
            return self.author_id
        if getattr(each, "auto_now", False) or getattr(each, "auto_now_add", False):
            return self.now
        return each.get_db_prep_save(each.get_default(), connection)

    def _kept(self, model: type[Model]) -> list[str]:
        return self.columns.setdefault(
            model._meta.label_lower, [each.attname for each in _fields(model) if _compared(each)]
        )


def state_sql(alias: str, columns: list[str]) -> str:
    """Return the SQL that tells one state of a row from another by ``columns``."""
    return f"md5(ROW({', '.join(f'{alias}.{_quoted(name)}' for name in columns)})::text)"


def _compared(each: Any) -> bool:
    # A new key changes ciphertexts and no value; the blind index beside them tells a change.
    return not isinstance(each, EncryptedTextField)


def _fields(model: type[Model]) -> "list[Field[Any, Any]]":
    return list(model._meta.local_concrete_fields)


def _table(model: type[Model]) -> str:
    return _quoted(model._meta.db_table)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _send(cursor: Any, model: type[Model], rows: pl.DataFrame, lines: pl.Series) -> None:
    """Copy the rows into a temporary table with the types of the model."""
    fields = {each.attname: each for each in _fields(model)}
    declared = [f"{_quoted(name)} {fields[name].db_type(connection)}" for name in rows.columns]
    if "uid" not in rows.columns:
        declared.append("uid uuid DEFAULT gen_random_uuid()")
    sent = rows.with_columns(
        _encrypted(rows[name], fields[name])
        for name in rows.columns
        if isinstance(fields[name], EncryptedTextField)
    ).with_columns(lines.alias("import_line"))
    # A word that no cell can hold: an empty text and a text that says « null » stay what they are.
    null = uuid.uuid4().hex
    names = ", ".join(map(_quoted, sent.columns))
    cursor.execute(f"DROP TABLE IF EXISTS {_COMING}")
    cursor.execute(
        f"CREATE TEMPORARY TABLE {_COMING} (import_line integer, {', '.join(declared)}) ON COMMIT DROP"
    )
    with cursor.copy(f"COPY {_COMING} ({names}) FROM STDIN (FORMAT CSV, NULL '{null}')") as copy:
        copy.write(sent.write_csv(include_header=False, null_value=null).encode())
    cursor.execute(f"ANALYZE {_COMING}")


def _encrypted(values: pl.Series, each: "Field[Any, Any]") -> pl.Series:
    return pl.Series(values.name, [each.get_prep_value(value) for value in values], dtype=pl.String)


def _all_written(written: int, asked: int) -> None:
    if written != asked:
        raise IntegrityError("rows that were judged are no longer there")
