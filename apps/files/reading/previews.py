"""What somebody looks at before a file is used: how it is read, what its columns are taken for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Conversion, Field, Match
from apps.files.reading.rows import chunks, head, header
from apps.files.reading.units import Suspicion, suspicions
from apps.files.reading.values import typed_chunk

_SAMPLE = 2_000


@dataclass(frozen=True, slots=True)
class Preparation:
    """The beginning of a file: five lines to show, the rest of the sample for units that look wrong."""

    dialect: Dialect
    headers: list[str]
    lines: list[list[str]]
    matches: list[Match]
    suspicions: list[Suspicion]


def preparation(
    path: Path, dialect: Dialect, matches: Sequence[Match], fields: Sequence[Field]
) -> Preparation:
    """Read the beginning of a file in ``dialect``; raise ``FileRefused`` when that cannot be."""
    asked: list[Suspicion] = []
    for chunk in chunks(path, dialect, size=_SAMPLE):
        asked = suspicions(typed_chunk(chunk, matches, fields, dialect), matches)
        break
    return Preparation(dialect, header(path, dialect), head(path, dialect), list(matches), asked)


def matches_to_json(matches: Sequence[Match]) -> list[dict[str, Any]]:
    """Return the columns that are used, as they are kept with what is done to the file."""
    return [
        {"header": match.header, "field": match.field, "conversion": str(match.conversion)}
        for match in matches
        if match.field is not None
    ]


def matches_from_json(stored: Sequence[Mapping[str, Any]]) -> list[Match]:
    """Return what ``matches_to_json`` took."""
    return [
        Match(each["header"], each["field"], Conversion(each["conversion"]), certain=True) for each in stored
    ]
