"""Decimal marks and the order of day and month, settled by all the values looked at."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

_SPACES = re.compile("[ \u00a0\u202f\u2009'’]")
_NUMBER = re.compile(r"[+-]?[\d.,]*\d[.,]?(?:[eE][+-]?\d+)?\Z", re.ASCII)
_PLAIN = re.compile(r"[+-]?(\d+)([.,])(\d+)\Z", re.ASCII)
_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?:[ T].*)?\Z", re.ASCII)
_GROUP = 3
_MOST_MONTHS = 12


@dataclass(slots=True)
class Marks:
    """What values say of the decimal mark and of the order of dates; ``evidence`` keeps a value for each."""

    decimal: Literal[",", "."] = ","
    day_first: bool = True
    doubts: list[str] = field(default_factory=list)
    evidence: dict[str, str] = field(default_factory=dict)


def marks_of(values: Iterable[str], *, separator: str | None) -> Marks:
    """Read ``values`` of every column; what nothing settles is the custom of the separator, and in doubt.

    A value is heard once, however often it is written.
    """
    tally = _Tally()
    for value in dict.fromkeys(values):
        if not value.isalnum():  # most values have no mark to look at
            tally.add(value.strip())
    marks = Marks()
    _settle_decimal(marks, tally, separator)
    _settle_days(marks, tally)
    return marks


@dataclass(slots=True)
class _Tally:
    """Values seen: mark that is surely decimal, surely of groups, either; day surely first, surely second."""

    decimal: dict[str, list[str]] = field(default_factory=lambda: {",": [], ".": []})
    either: dict[str, list[str]] = field(default_factory=lambda: {",": [], ".": []})
    day_first: list[str] = field(default_factory=list)
    month_first: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)

    def add(self, value: str) -> None:
        if plain := _PLAIN.match(value):
            self._add_plain(value, *plain.groups())
            return
        if date := _DATE.match(value):
            self._add_date(value, int(date[1]), int(date[2]))
            return
        bare = _SPACES.sub("", value)
        if ("," in bare or "." in bare) and _NUMBER.match(bare):
            self._add_number(value, bare)

    def _add_date(self, value: str, first: int, second: int) -> None:
        if first > _MOST_MONTHS >= second:
            self.day_first.append(value)
        elif second > _MOST_MONTHS >= first:
            self.month_first.append(value)
        else:
            self.dates.append(value)

    def _add_number(self, value: str, bare: str) -> None:
        commas, dots = bare.count(","), bare.count(".")
        if commas and dots:
            self.decimal["," if bare.rfind(",") > bare.rfind(".") else "."].append(value)
        elif commas > 1 or dots > 1:  # groups: the other mark is the decimal one
            self.decimal["." if commas else ","].append(value)
        else:
            mark = "," if commas else "."
            whole, after = bare.lstrip("+-").split(mark)
            self._add_plain(value, whole, mark, after)

    def _add_plain(self, value: str, whole: str, mark: str, after: str) -> None:
        ambiguous = len(after) == _GROUP and 1 <= len(whole) <= _GROUP and not whole.startswith("0")
        (self.either if ambiguous else self.decimal)[mark].append(value)


def _settle_decimal(marks: Marks, tally: _Tally, separator: str | None) -> None:
    comma, dot = len(tally.decimal[","]), len(tally.decimal["."])
    marks.decimal = "." if separator == "," or separator is None else ","
    if comma or dot:
        marks.decimal = "," if comma > dot else "." if dot > comma else marks.decimal
        marks.evidence["decimal"] = (tally.decimal[marks.decimal] or [""])[0]
        if comma and dot:
            marks.doubts.append("decimal")
        return
    either = {mark: values for mark, values in tally.either.items() if values}
    if not either:
        return
    marks.doubts.append("decimal")
    if len(either) == 1:  # always three digits after it: a mark of thousands
        mark, values = next(iter(either.items()))
        marks.decimal = "." if mark == "," else ","
        marks.evidence["decimal"] = values[0]


def _settle_days(marks: Marks, tally: _Tally) -> None:
    if tally.day_first or tally.month_first:
        marks.day_first = len(tally.day_first) >= len(tally.month_first)
        marks.evidence["day_first"] = (tally.day_first if marks.day_first else tally.month_first)[0]
    if (tally.day_first and tally.month_first) or (tally.dates and "day_first" not in marks.evidence):
        marks.doubts.append("day_first")
        marks.evidence.setdefault("day_first", tally.dates[0] if tally.dates else "")
