"""Columns of canonical values to the matrix that models read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.engine.contracts import Value
from apps.engine.variables import Variable

Floats = npt.NDArray[np.float64]
Column = Value | Sequence[Value] | npt.NDArray[Any]


def encode(variables: Sequence[Variable], columns: Mapping[str, Column], rows: int) -> Floats:
    """Give a float64 matrix of shape (rows, len(variables)), in the order of ``variables``.

    A column is a sequence or array of ``rows`` canonical values, or one value that holds for every row; an
    absent column is missing. Categories become the index of their code, missing values and codes the
    variable does not know become NaN. Raises ValueError for a column of another length.
    """
    matrix = np.full((rows, len(variables)), np.nan)
    for position, variable in enumerate(variables):
        column = columns.get(variable.name)
        if column is not None:
            matrix[:, position] = _encoded(variable, column, rows)
    return matrix


def unknown_codes(variable: Variable, column: Column, rows: int) -> npt.NDArray[np.bool_]:
    """Say row by row whether a category holds a code its variable does not know (missing is not unknown)."""
    known = {None, *variable.codes}
    if column is None or isinstance(column, (str, float, int)):
        return np.full(rows, column not in known)
    return np.fromiter((value not in known for value in column), dtype=bool, count=rows)


def _encoded(variable: Variable, column: Column, rows: int) -> float | Floats:
    if column is None or isinstance(column, (str, float, int)):
        if variable.type != "category":
            return float("nan") if column is None else float(column)
        codes = variable.codes
        return float(codes.index(column)) if column in codes else float("nan")
    if len(column) != rows:
        raise ValueError(f"column {variable.name!r} has {len(column)} values for {rows} rows")
    return _codes(variable, column) if variable.type == "category" else _plain(column)


def _codes(variable: Variable, column: Sequence[Value] | npt.NDArray[Any]) -> Floats:
    index: dict[object, float] = {code: float(position) for position, code in enumerate(variable.codes)}
    missing = float("nan")
    values = column.tolist() if isinstance(column, np.ndarray) else column
    return np.fromiter((index.get(value, missing) for value in values), dtype=np.float64, count=len(values))


def _plain(column: Sequence[Value] | npt.NDArray[Any]) -> Floats:
    """Read numbers; None becomes NaN."""
    return np.asarray(column, dtype=np.float64)
