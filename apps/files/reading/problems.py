"""What is wrong with one cell or one row, as a line of a table."""

import json

import polars as pl

#: Columns of every table of errors: index of the row in its chunk, header, value as it stands, code, and
#: what the sentence needs (JSON).
ERRORS = {"row": pl.UInt32, "column": pl.String, "value": pl.String, "code": pl.String, "args": pl.String}


def problem(row: int, column: str, value: str, code: str, **args: object) -> tuple[object, ...]:
    """Return one line of a table of errors."""
    return row, column, value, code, json.dumps(args, ensure_ascii=False) if args else ""
