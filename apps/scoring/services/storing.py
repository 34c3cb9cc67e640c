"""Scores of lines into the database: COPY into a temporary table, then one INSERT under row-level security.

COPY does not go through row-level security; the INSERT does. Rows have a fixed width, so that numpy lays out
the bytes that COPY reads.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from apps.engine.encoding import Floats
from apps.engine.lines import VERDICTS, Lines
from apps.scoring.models import ScoringBatch

_START = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_FLOAT8 = 701
#: A page of 8 kB holds a row of so many numbers, with room for all else.
_NUMBERS_OF_A_PAGE = 800
_INITIALS = np.array([verdict[0] for verdict in VERDICTS], dtype="S1")

#: Column -> its type in the temporary table and in the bytes; arrays and texts are laid out below.
_COLUMNS: dict[str, tuple[str, str]] = {
    "model": ("smallint", ">i2"),
    "pd": ("double precision", ">f8"),
    "threshold": ("double precision", ">f8"),
    "expected_loss_xaf": ("bigint", ">i8"),
    "points": ("smallint", ">i2"),
    "grade": ("smallint", ">i2"),
    "band": ("smallint", ">i2"),
    "recommendation": ("smallint", ">i2"),
    "warnings": ("smallint", ">i2"),
}


def store_lines(
    *, batch: ScoringBatch, numbers: npt.NDArray[np.uint32], model: int, inputs: Floats, lines: Lines
) -> None:
    """Insert the scores of the lines ``numbers`` by the champion at place ``model``, in the open scope.

    ``inputs`` (rows, variables) follow ``batch.columns``. A line that is stored already is an error.
    """
    if not len(numbers):
        return
    content = _laid_out(batch, numbers, model, inputs, lines)
    names = ", ".join(("uid", *_COLUMNS, "inputs", "log_odds", "verdicts"))
    declared = ", ".join(f"{name} {kind}" for name, (kind, _type) in _COLUMNS.items())
    kept = _storage(inputs.shape[1] + lines.log_odds.shape[1])
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS scoring_coming")
        cursor.execute(
            f"CREATE TEMPORARY TABLE scoring_coming (uid uuid, {declared}, inputs double precision[] {kept},"
            f" log_odds double precision[] {kept}, verdicts text {kept}) ON COMMIT DROP"
        )
        with cursor.copy(f"COPY scoring_coming ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_START)
            copy.write(content)
            copy.write(_END)
        cursor.execute(
            f"INSERT INTO scoring_scoredline (institution_id, {names})"  # noqa: S608  names of the model
            f" SELECT %s, {names} FROM scoring_coming",
            [batch.institution_id],
        )


def _storage(numbers: int) -> str:
    """Return how PostgreSQL keeps the long columns: in the row itself where a page holds it."""
    return "STORAGE PLAIN" if numbers <= _NUMBERS_OF_A_PAGE else ""


def _laid_out(
    batch: ScoringBatch, numbers: npt.NDArray[np.uint32], model: int, inputs: Floats, lines: Lines
) -> memoryview:
    rows, rules = len(numbers), lines.verdicts.shape[1]
    fields: list[tuple[Any, ...]] = [("fields", ">i2"), ("uid_", ">i4"), ("uid", "V12"), ("at", ">u4")]
    for name, (_kind, type_) in _COLUMNS.items():
        fields += [(f"{name}_", ">i4"), (name, type_)]
    fields += [*_array("inputs", inputs.shape[1]), *_array("log_odds", lines.log_odds.shape[1])]
    fields += [("verdicts_", ">i4"), *([("verdicts", f"V{rules}")] if rules else [])]
    out = np.zeros(rows, dtype=fields)
    out["fields"] = len(_COLUMNS) + 4
    out["uid_"], out["uid"], out["at"] = 16, np.void(batch.lines_from.bytes[:12]), numbers
    values = {
        **{name: getattr(lines, name) for name in _COLUMNS if hasattr(lines, name)},
        "model": model,
        "warnings": lines.warnings @ (1 << np.arange(lines.warnings.shape[1])),
    }
    for name, (_kind, type_) in _COLUMNS.items():
        out[f"{name}_"] = np.dtype(type_).itemsize
        out[name] = values[name]
    _fill(out, "inputs", inputs)
    _fill(out, "log_odds", lines.log_odds)
    out["verdicts_"] = rules
    if rules:
        out["verdicts"] = np.ascontiguousarray(_INITIALS[lines.verdicts]).view(f"V{rules}").ravel()
    return out.view(np.uint8).data


def _array(name: str, width: int) -> list[tuple[Any, ...]]:
    """One dimension, no null, float8, ``width`` elements from 1, each with its length before it."""
    element = np.dtype([("size", ">i4"), ("value", ">f8")])
    return [(f"{name}_", ">i4", 6), (f"{name}", element, width)]


def _fill(out: npt.NDArray[Any], name: str, values: Floats) -> None:
    width = values.shape[1]
    out[f"{name}_"] = [20 + 12 * width, 1, 0, _FLOAT8, width, 1]
    out[name]["size"] = 8
    out[name]["value"] = values
