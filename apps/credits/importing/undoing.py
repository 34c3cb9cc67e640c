"""Giving back the state before an import, row by row and exactly; or saying what is built on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import DateTimeField, ForeignObjectRel, Model
from django.utils.translation import gettext as _

from apps.credits.errors import ImportBuiltOn
from apps.credits.importing.changes import state_sql
from apps.credits.models import ImportRun
from apps.tenancy.constraints import AppendOnly
from apps.tenancy.encryption import EncryptedTextField
from apps.tenancy.models import TenantModel
from apps.tenancy.rotation import state_of

_NAMED = 5
_ROWS = "import_rows"
#: One line a row: its first change tells its state before the import, its last one what the import left. Put
#: aside once, with statistics: the planner knows nothing of changes that were written a moment ago.
_PUT_ASIDE = """
CREATE TEMPORARY TABLE import_rows ON COMMIT DROP AS
SELECT model, object_id, min(id) AS first_id, bool_or(before IS NULL) AS created,
       (array_agg(after ORDER BY id DESC))[1] AS after
FROM credits_importchange WHERE institution_id = %(institution)s AND run_id = %(run)s
GROUP BY model, object_id
"""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an import is not undone: rows of ``table`` that were changed since, or that stand on its rows.

    ``named`` are the references of some of them, or their public identifiers.
    """

    kind: str
    table: str
    count: int
    named: tuple[str, ...]

    @property
    def text(self) -> str:
        """Say it to the person who asked."""
        sentence = {
            "changed": _("%(table)s changed or removed since the import: %(count)d"),
            "refers": _("%(table)s that stand on imported rows: %(count)d"),
            "concludes": _("%(table)s made since upon rows that the import changed: %(count)d"),
            "unreadable": _(
                "%(table)s whose values were encrypted with a key that is no longer there: %(count)d"
            ),
        }[self.kind] % {"table": self.table, "count": self.count}
        if not self.named:
            return f"{sentence}."
        return f"{sentence} ({', '.join(self.named)}{'…' if self.count > len(self.named) else ''})."


def refuse_built_on(run: ImportRun, *, lost: Sequence[Obstacle] = ()) -> None:
    """Raise ``ImportBuiltOn`` with what is built on an import, and with what is ``lost`` of it."""
    found = [*obstacles(run), *lost]
    if found:
        said = _("This import cannot be undone: something is built on it.")
        raise ImportBuiltOn(f"{said} {' '.join(each.text for each in found)}", found=found)


def obstacles(run: ImportRun) -> list[Obstacle]:
    """Return what keeps an import from being undone, in the open scope; a constant number of queries."""
    _put_aside(run)
    found: list[Obstacle] = []
    for model in _written(run):
        found += _changed(run, model)
        found += _referring(run, model)
        found += _concluding(run, model)
    return found


def unreadable(run: ImportRun) -> list[Obstacle]:
    """Return what cannot be given back since a key was taken away: the state before is kept as ciphertext.

    Reads every encrypted value: for the work itself, not while a person waits.
    """
    found = []
    for model in _written(run):
        names = [each.attname for each in model._meta.local_concrete_fields if _encrypted(each)]
        changes = run.changes.filter(model=model._meta.label_lower, before__isnull=False)
        states = changes.values_list("before", flat=True).iterator(chunk_size=2_000) if names else ()
        lost = sum(any(_lost(before.get(name)) for name in names) for before in states if before)
        if lost:
            found.append(Obstacle("unreadable", str(model._meta.verbose_name_plural), lost, ()))
    return found


def _encrypted(each: Any) -> bool:
    return isinstance(each, EncryptedTextField)


def _lost(token: str | None) -> bool:
    return bool(token) and state_of(str(token)) == "unreadable"


def restore(run: ImportRun) -> int:
    """Remove what the import created, give back what it changed; return how many rows."""
    _put_aside(run)
    count = 0
    with connection.cursor() as cursor:
        for model in _written(run):
            table, given = _quoted(model._meta.db_table), _asked(run, model)
            names = [_quoted(name) for name in _restored(model, run.columns[model._meta.label_lower])]
            cursor.execute(
                f"DELETE FROM {table} t USING {_ROWS} f WHERE t.institution_id = %(institution)s"  # noqa: S608  names of the model
                " AND t.id = f.object_id AND f.model = %(model)s AND f.created",
                given,
            )
            count += cursor.rowcount
            cursor.execute(
                f"UPDATE {table} t SET {', '.join(f'{name} = r.{name}' for name in names)}"  # noqa: S608  names of the model
                f" FROM {_ROWS} f JOIN credits_importchange c"
                " ON c.institution_id = %(institution)s AND c.id = f.first_id,"
                f" jsonb_populate_record(NULL::{table}, c.before) r"
                " WHERE t.institution_id = %(institution)s AND t.id = f.object_id"
                " AND f.model = %(model)s AND NOT f.created",
                given,
            )
            count += cursor.rowcount
    return count


def _put_aside(run: ImportRun) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_ROWS}")
        cursor.execute(_PUT_ASIDE, {"institution": run.institution_id, "run": run.pk})
        cursor.execute(f"ANALYZE {_ROWS}")


def _written(run: ImportRun) -> list[type[Model]]:
    return [model for model in apps.get_models() if model._meta.label_lower in run.columns]


def _restored(model: type[Model], columns: list[str]) -> Iterator[str]:
    """Yield the columns that there were then and still are, encrypted ones with them."""
    for each in model._meta.local_concrete_fields:
        if each.attname in {"id", "institution_id"}:
            continue
        if each.attname in columns or _encrypted(each):
            yield each.attname


def _changed(run: ImportRun, model: type[Model]) -> Iterator[Obstacle]:
    present = [each.attname for each in model._meta.local_concrete_fields]
    columns = [name for name in run.columns[model._meta.label_lower] if name in present]
    table = _quoted(model._meta.db_table)
    yield from _obstacle(
        "changed",
        model,
        f"SELECT f.object_id AS id FROM {_ROWS} f LEFT JOIN {table} t"  # noqa: S608  names of the model
        " ON t.institution_id = %(institution)s AND t.id = f.object_id"
        f" WHERE f.model = %(model)s AND (t.id IS NULL OR {state_sql('t', columns)} <> f.after)",
        _asked(run, model),
    )


def _referring(run: ImportRun, model: type[Model]) -> Iterator[Obstacle]:
    """Find the rows of any table that refer to a created row and were not created by the same import."""
    for other, column in references(model):
        yield from _obstacle(
            "refers",
            other,
            f"SELECT o.id FROM {_quoted(other._meta.db_table)} o JOIN {_ROWS} f"  # noqa: S608  names of the model
            f" ON f.object_id = o.{_quoted(column)} AND f.model = %(model)s AND f.created"
            " WHERE o.institution_id = %(institution)s AND NOT EXISTS (SELECT 1 FROM"
            f" {_ROWS} x WHERE x.model = %(other)s AND x.object_id = o.id AND x.created)",
            {**_asked(run, model), "other": other._meta.label_lower},
        )


def _concluding(run: ImportRun, model: type[Model]) -> Iterator[Obstacle]:
    """Find what was concluded since from a changed row: rows that nobody may change, scores and decisions.

    They refer to the row, or to one that refers to it, as a score to the application of a client.
    """
    ways: dict[type[Model], list[str]] = {}
    for other, path in _conclusions(model):
        ways.setdefault(other, []).append(path)
    for other, paths in ways.items():
        since = f"p0.institution_id = %(institution)s AND p0.{_quoted(_moment(other))} > %(since)s"
        yield from _obstacle(
            "concludes",
            other,
            " UNION ".join(
                f"SELECT p0.id FROM {path} JOIN {_ROWS} f ON f.object_id = base.id"  # noqa: S608  names of the model
                f" AND f.model = %(model)s AND NOT f.created WHERE {since}"
                for path in paths
            ),
            {**_asked(run, model), "since": run.confirmed_at},
        )


def _conclusions(model: type[Model]) -> Iterator[tuple[type[Model], str]]:
    """Yield append-only models with the tables that lead from their rows (``p0``) to those of ``model``."""
    for other, column in references(model):
        if _append_only(other):
            lateral = f"CROSS JOIN LATERAL (SELECT p0.{_quoted(column)} AS id) base"
            yield other, f"{_quoted(other._meta.db_table)} p0 {lateral}"
    for middle, to_model in references(model):
        if middle is model:
            continue
        for other, to_middle in references(middle):
            if _append_only(other):
                join = (
                    f"JOIN {_quoted(middle._meta.db_table)} p1 ON p1.institution_id = p0.institution_id"
                    f" AND p1.id = p0.{_quoted(to_middle)}"
                    f" CROSS JOIN LATERAL (SELECT p1.{_quoted(to_model)} AS id) base"
                )
                yield other, f"{_quoted(other._meta.db_table)} p0 {join}"


def references(model: type[Model]) -> list[tuple[type[Model], str]]:
    """Return every tenant table whose rows refer to those of ``model``, with the column that does."""
    found = model._meta.get_fields(include_hidden=True)
    relations = [each for each in found if isinstance(each, ForeignObjectRel)]
    return [
        (each.related_model, each.field.attname)
        for each in relations
        if (each.one_to_many or each.one_to_one) and issubclass(each.related_model, TenantModel)
    ]


def _append_only(model: type[Model]) -> bool:
    dated = any(isinstance(each, DateTimeField) for each in model._meta.local_concrete_fields)
    return dated and any(isinstance(each, AppendOnly) for each in model._meta.constraints)


def _moment(model: type[Model]) -> str:
    moments = [each.attname for each in model._meta.local_concrete_fields if isinstance(each, DateTimeField)]
    return "created_at" if "created_at" in moments else moments[0]


def _obstacle(kind: str, model: type[Model], sql: str, given: dict[str, Any]) -> Iterator[Obstacle]:
    columns = {each.attname for each in model._meta.local_concrete_fields}
    name = "t.reference" if "reference" in columns else "t.uid::text"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH found AS MATERIALIZED ({sql}) SELECT (SELECT count(*) FROM found),"  # noqa: S608  names of the model
            f" ARRAY(SELECT {name} FROM found JOIN {_quoted(model._meta.db_table)} t"
            f" ON t.institution_id = %(institution)s AND t.id = found.id ORDER BY 1 LIMIT {_NAMED})",
            given,
        )
        count, named = cursor.fetchone()
    if count:
        yield Obstacle(kind, str(model._meta.verbose_name_plural), count, tuple(named))


def _asked(run: ImportRun, model: type[Model]) -> dict[str, Any]:
    return {"institution": run.institution_id, "run": run.pk, "model": model._meta.label_lower}


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
