"""Columns of text to columns of values, checked, with an error for each cell that is refused.

What a cell may hold is what a form and the partner API take for the same field (``engine.cleaning``): same
ranges, same spellings of codes, same sentences. A file may write more: marks of thousands, « FCFA » after an
amount, « n/a » for what is missing.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl
from django.utils import timezone

from apps.engine.dictionary import fold
from apps.files.reading.dates import dates
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Conversion, Field, Match
from apps.files.reading.numbers import numbers
from apps.files.reading.problems import ERRORS
from apps.files.reading.rows import Chunk

#: What people and programs write where nothing is known; a text keeps them.
MISSING = (
    "",
    "-",
    "--",
    "/",
    "?",
    "n/a",
    "na",
    "n.a.",
    "nan",
    "nat",
    "null",
    "none",
    "nd",
    "n.d.",
    "xna",
    "#n/a",
)
_YES = ("oui", "o", "yes", "y", "vrai", "v", "true", "t", "1", "x")
_NO = ("non", "n", "no", "faux", "f", "false", "0")
_BOOLEANS = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}

_DAYS_A_YEAR = 365.25
_DAYS_A_MONTH = _DAYS_A_YEAR / 12
#: Home Credit's « never worked ».
_NEVER_EMPLOYED = 365_243
_ARREARS_UNKNOWN = (96.0, 98.0)

_CONVERSIONS: Mapping[Conversion, Callable[[pl.Expr], pl.Expr]] = {
    Conversion.ANNUAL_TO_MONTHLY: lambda value: value / 12,
    Conversion.YEARS_TO_MONTHS: lambda value: value * 12,
    Conversion.DAYS_TO_YEARS: lambda value: (-value / _DAYS_A_YEAR).floor(),
    Conversion.DAYS_TO_MONTHS: lambda value: pl.when(value != _NEVER_EMPLOYED).then(
        (-value / _DAYS_A_MONTH).floor()
    ),
    Conversion.FRACTION_TO_PERCENT: lambda value: (value * 100).round(9),
    Conversion.PERCENT_TO_FRACTION: lambda value: (value / 100).round(12),
    Conversion.ARREARS_CODES: lambda value: pl.when(~value.cast(pl.Float64).is_in(_ARREARS_UNKNOWN)).then(
        value
    ),
}
_UNITS_READ = {
    Conversion.YEARS_TO_MONTHS: "years",
    Conversion.FRACTION_TO_PERCENT: "",
    Conversion.PERCENT_TO_FRACTION: "percent",
}


@dataclass(slots=True)
class Typed:
    """Values by field name (null where missing or refused) and what was refused.

    ``columns``: integer and amount as Int64, decimal as Float64, date as Date, boolean as Boolean, code (its
    canonical form) and text as String. ``errors`` has the columns of ``problems.ERRORS``, in the order of
    the rows.
    """

    columns: dict[str, pl.Series]
    errors: pl.DataFrame


def typed(
    frame: pl.DataFrame,
    matches: Sequence[Match],
    fields: Sequence[Field],
    dialect: Dialect,
    *,
    tight: bool = False,
) -> Typed:
    """Convert and check the matched columns of a chunk; a field that no column holds is absent.

    ``tight`` when no cell begins or ends with a blank.
    """
    known = {each.name: each for each in fields}
    columns: dict[str, pl.Series] = {}
    errors: list[pl.DataFrame] = []
    for match in matches:
        if match.field in known:
            column = _Column(frame[match.header], known[match.field], match, dialect, tight)
            columns[match.field] = column.values().alias(match.field)
            errors += column.errors
    found = pl.concat(errors).sort("row", maintain_order=True) if errors else pl.DataFrame(schema=ERRORS)
    return Typed(columns, found)


def typed_chunk(chunk: Chunk, matches: Sequence[Match], fields: Sequence[Field], dialect: Dialect) -> Typed:
    """Convert and check a chunk; what was wrong with whole rows comes among the errors."""
    found = typed(chunk.frame, matches, fields, dialect, tight=chunk.tight)
    if chunk.errors.height:
        found.errors = pl.concat([chunk.errors, found.errors]).sort("row", maintain_order=True)
    return found


def refused_rows(found: Typed, height: int) -> pl.Series:
    """Return, for each of ``height`` rows, whether anything in it was refused."""
    wrong = pl.repeat(False, height, eager=True, dtype=pl.Boolean).alias("refused")
    return wrong.scatter(found.errors["row"].unique(), True)


@dataclass(slots=True)
class _Column:
    """One column on its way: its texts, and what was refused in it so far."""

    original: pl.Series
    field: Field
    match: Match
    dialect: Dialect
    tight: bool
    errors: list[pl.DataFrame] = dataclasses.field(default_factory=list)

    def values(self) -> pl.Series:
        texts = self.original if self.tight else self.original.str.strip_chars()
        values = self._read(texts)
        if self.field.required and (absent := values.is_null()).any():
            self._refuse(absent & self._missing(texts), "required")
        return values

    def _read(self, texts: pl.Series) -> pl.Series:
        if self.match.conversion is Conversion.BIRTH_TO_AGE:
            return self._ages(texts)
        match self.field.kind:
            case "integer" | "amount" | "decimal":
                return self._numbers(texts)
            case "date":
                return self._dates(texts, past=self.field.past)
            case "code":
                return self._listed(texts, self.field.codes, pl.String, "not_in_list")
            case "boolean":
                return self._listed(texts, _BOOLEANS, pl.Boolean, "not_boolean")
            case "text":
                filled = texts.set(texts == "", None)
                return self._kept(filled, filled.str.len_chars() <= self.field.longest, "too_long")

    def _numbers(self, texts: pl.Series) -> pl.Series:
        unit = _UNITS_READ.get(self.match.conversion, self.field.unit)
        values = numbers(texts, decimal=self.dialect.decimal, unit=unit)
        whole = self.field.kind != "decimal"
        self._refuse_unread(texts, values, "not_integer" if whole else "not_number")
        values = self._converted(values, whole=whole)
        if whole and values.dtype != pl.Int64:
            values = self._kept(values, values == values.floor(), "not_integer")
        return self._within_range(values).cast(pl.Int64 if whole else pl.Float64)

    def _converted(self, values: pl.Series, *, whole: bool) -> pl.Series:
        convert = _CONVERSIONS.get(self.match.conversion)
        if convert is None:
            return values
        converted = values.to_frame("value").select(convert(pl.col("value"))).to_series()
        halves = whole and self.match.conversion is not Conversion.ARREARS_CODES
        return (converted + 0.5).floor() if halves else converted

    def _within_range(self, values: pl.Series) -> pl.Series:
        """Refuse what is out of the field's range; the extremes tell first whether anything is."""
        low, high = self.field.minimum, self.field.maximum
        least, most = cast("float | None", values.min()), cast("float | None", values.max())
        if low is not None and least is not None and least < low:
            values = self._kept(values, values >= low, "out_of_range")
        if high is not None and most is not None and most > high:
            values = self._kept(values, values <= high, "out_of_range")
        return values

    def _dates(self, texts: pl.Series, *, past: bool) -> pl.Series:
        today = timezone.localdate()
        values = dates(texts, day_first=self.dialect.day_first, today=today, past=past)
        self._refuse_unread(texts, values, "not_date")
        return self._kept(values, values <= today, "in_future") if past else values

    def _ages(self, texts: pl.Series) -> pl.Series:
        today = timezone.localdate()
        ages = (
            self._dates(texts, past=True)
            .to_frame("birth")
            .select(_age(pl.col("birth"), today).cast(pl.Int64))
            .to_series()
        )
        return self._within_range(ages)

    def _listed(
        self,
        texts: pl.Series,
        codes: Mapping[str, str] | Mapping[str, bool],
        dtype: type[pl.DataType],
        code: str,
    ) -> pl.Series:
        """Read each spelling once, as a list has few; none at all where each text is its own code."""
        own = [value for value in dict.fromkeys(codes.values()) if isinstance(value, str)]
        own = [value for value in own if codes.get(fold(value)) == value]
        if own and texts.cast(pl.Enum(own), strict=False).null_count() == texts.null_count():
            return texts
        spellings = {text: codes.get(fold(text)) for text in texts.drop_nulls().unique()}
        known = {text: value for text, value in spellings.items() if value is not None}
        values = texts.replace_strict(list(known), list(known.values()), default=None, return_dtype=dtype)
        self._refuse_unread(texts, values, code)
        return values

    def _refuse_unread(self, texts: pl.Series, values: pl.Series, code: str) -> None:
        unread = values.is_null() & texts.is_not_null()
        if unread.any():
            self._refuse(unread & ~self._missing(texts), code)

    def _missing(self, texts: pl.Series) -> pl.Series:
        if self.field.kind == "text":
            return texts.is_null() | (texts == "")
        return texts.is_null() | texts.str.to_lowercase().is_in(MISSING)

    def _kept(self, values: pl.Series, kept: pl.Series, code: str) -> pl.Series:
        """Refuse the values that are not ``kept`` and make them null."""
        refused = ~kept.fill_null(value=True)
        if not refused.any():
            return values
        self._refuse(refused, code)
        return values.set(refused, None)

    def _refuse(self, refused: pl.Series, code: str) -> None:
        rows = refused.arg_true()
        if rows.len():
            self.errors.append(
                pl.DataFrame(
                    {
                        "row": rows.cast(pl.UInt32),
                        "column": pl.repeat(self.match.header, rows.len(), eager=True, dtype=pl.String),
                        "value": self.original.gather(rows).fill_null(""),
                        "code": pl.repeat(code, rows.len(), eager=True, dtype=pl.String),
                        "args": pl.repeat("", rows.len(), eager=True, dtype=pl.String),
                    },
                    schema=ERRORS,
                )
            )


def _age(birth: pl.Expr, on: dt.date) -> pl.Expr:
    before = (birth.dt.month() > on.month) | ((birth.dt.month() == on.month) & (birth.dt.day() > on.day))
    return on.year - birth.dt.year() - before.cast(pl.Int32)
