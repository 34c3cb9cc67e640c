"""Columns of text to columns of values, checked, with an error for each cell that is refused."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Field, Match


@dataclass(slots=True)
class Typed:
    """Values by field name (null where missing or refused) and what was refused.

    ``columns``: integer and amount as Int64, decimal as Float64, date as Date, boolean as Boolean, code (its
    canonical form) and text as String. ``errors`` has the columns of ``problems.ERRORS``.
    """

    columns: dict[str, pl.Series]
    errors: pl.DataFrame


def typed(frame: pl.DataFrame, matches: Sequence[Match], fields: Sequence[Field], dialect: Dialect) -> Typed:
    """Convert and check the matched columns of a chunk."""
    raise NotImplementedError
