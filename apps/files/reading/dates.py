"""Dates as people write them: a column of texts to a column of dates."""

import datetime as dt
import re

import polars as pl

from apps.engine.dictionary import fold

_TIME = r"[ T]+[0-9]{1,2}:[0-9]{2}.*$"
_ISO = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$"
_ORDERED = r"^([0-9]{1,2})-([0-9]{1,2})-([0-9]{4}|[0-9]{2})$"
_SERIAL = r"^[1-7][0-9]{4}(?:[.,][0-9]+)?$"
#: The day that spreadsheets count from.
_ORIGIN = dt.date(1899, 12, 30)
_NAMED = re.compile(r"(\d{1,2})(?:er|st|nd|rd|th)? ([a-z]{3,9}) (\d{4}|\d{2})\Z")
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "janvier janv jan january",
            "fevrier fevr fev feb february",
            "mars mar march",
            "avril avr apr april",
            "mai may",
            "juin jun june",
            "juillet juil jul july",
            "aout aou aug august",
            "septembre sept sep september",
            "octobre oct october",
            "novembre nov november",
            "decembre dec december",
        ),
        start=1,
    )
    for name in names.split()
}
_CENTURY = 100
_YEARS_AHEAD = 10
_EARLIEST = dt.date(1900, 1, 1)


def dates(texts: pl.Series, *, day_first: bool, today: dt.date, past: bool) -> pl.Series:
    """Return the dates of ``texts`` (without blank around), null for what is none.

    ISO, day and month in the order of the file, months by name, days as spreadsheets count them; an hour is
    left out. Two digits of a year are the past century's when they would be more than ten years ahead, or
    ahead at all for a date of the ``past``.
    """
    text = pl.col("text")
    bare = pl.when(text.str.contains(_SERIAL)).then(text).otherwise(text.str.replace_all("[/.]", "-"))
    frame = pl.DataFrame({"text": texts}).with_columns(text.str.replace(_TIME, "")).with_columns(bare)
    iso = pl.when(text.str.contains(_ISO)).then(text)
    frame = frame.with_columns(read=iso.str.to_date("%Y-%m-%d", strict=False))
    others = frame["read"].is_null() & frame["text"].is_not_null()
    if others.any():
        read = _others(frame.filter(others)["text"], day_first, (today.year + (0 if past else _YEARS_AHEAD)))
        frame = frame.with_columns(read=frame["read"].scatter(others.arg_true(), read))
    return frame.select(pl.when(pl.col("read") >= _EARLIEST).then("read")).to_series()


def _others(texts: pl.Series, day_first: bool, latest: int) -> pl.Series:
    frame = pl.DataFrame({"text": texts})
    text = pl.col("text")
    first, second, year = (text.str.extract(_ORDERED, group) for group in (1, 2, 3))
    day, month = (first, second) if day_first else (second, first)
    written = pl.concat_str([_whole(year, latest), month, day], separator="-")
    serial = text.str.extract("^([0-9]{5})").cast(pl.Int32, strict=False)
    read = frame.select(
        pl.when(text.str.contains(_SERIAL))
        .then(pl.lit(_ORIGIN) + pl.duration(days=serial))
        .otherwise(written.str.to_date("%Y-%m-%d", strict=False))
    ).to_series()
    return _named(texts, read, latest)


def _whole(year: pl.Expr, latest: int) -> pl.Expr:
    number = year.cast(pl.Int32, strict=False)
    near = number + latest // _CENTURY * _CENTURY
    whole = pl.when(near > latest).then(near - _CENTURY).otherwise(near)
    return pl.when(year.str.len_bytes() == 2).then(whole).otherwise(number).cast(pl.String)  # noqa: PLR2004  digits


def _named(texts: pl.Series, read: pl.Series, latest: int) -> pl.Series:
    """Read « 12-janv.-24 » and « 1er mars 2024 », each spelling once."""
    left = texts.filter(read.is_null()).drop_nulls().unique()
    found = {text: date for text in left if (date := _by_name(text, latest)) is not None}
    if not found:
        return read
    named = texts.replace_strict(list(found), list(found.values()), default=None, return_dtype=pl.Date)
    return pl.select(pl.coalesce(read, named)).to_series()


def _by_name(text: str, latest: int) -> dt.date | None:
    match = _NAMED.match(fold(text))
    if match is None or match[2] not in _MONTHS:
        return None
    year = int(match[3])
    if len(match[3]) == 2:  # noqa: PLR2004  digits
        year += latest // _CENTURY * _CENTURY
        year -= _CENTURY if year > latest else 0
    try:
        return dt.date(year, _MONTHS[match[2]], int(match[1]))
    except ValueError:
        return None
