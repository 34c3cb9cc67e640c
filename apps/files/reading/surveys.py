"""A file read through once, before anything is kept of it: what it is, and whether it stays in the limits."""

from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from apps.engine.wording import number
from apps.files.errors import FileRefused
from apps.files.reading.dialects import Dialect, detect
from apps.files.reading.encodings import cell_too_long
from apps.files.reading.limits import LIMITS, Limits
from apps.files.reading.pieces import Piece, pieces
from apps.files.reading.rows import header
from apps.tenancy.language import current_lang

_SIZE = 5_000


@dataclass(frozen=True, slots=True)
class Survey:
    """How a file is written, its headers, and how many rows have at least one filled cell."""

    dialect: Dialect
    headers: list[str]
    rows: int


def survey(path: Path, *, dialect: Dialect | None = None, limits: Limits = LIMITS) -> Survey:
    """Read a file through; raise ``FileRefused`` for one that is not read or passes a limit.

    ``dialect`` is what somebody decided; found by reading otherwise.
    """
    found = dialect or detect(path, limits=limits)
    headers = header(path, found)
    most = limits.rows if found.kind == "csv" else limits.workbook_rows
    rows = 0
    for piece in pieces(path, found, size=_SIZE):
        rows += _filled_rows(piece, found.header_line, limits)
        if rows > most:
            said = _("The file has more than %(rows)s rows.") % {"rows": number(most, current_lang())}
            raise FileRefused("too_many_rows", said)
    if rows == 0:
        raise FileRefused("no_rows", _("The file has headers but no row under them."))
    return Survey(found, headers, rows)


def _filled_rows(piece: Piece, header_line: int, limits: Limits) -> int:
    """Count the rows under the headers that hold something; refuse a cell that is too long."""
    if piece.cut or max(map(len, piece.texts)) > limits.cell:
        for line, row in enumerate(piece.records, start=piece.line):
            if max(map(len, row), default=0) > limits.cell:
                raise cell_too_long(limits, line=line)
    after = max(header_line + 1 - piece.line, 0)
    if piece.cut:
        return sum(any(cell and not cell.isspace() for cell in row) for row in piece.cut[after:])
    texts = piece.texts[after:]
    starts = "".join([text[:1] for text in texts])
    if len(starts) == len(texts) and starts.isalnum():
        return len(texts)
    return sum(_is_filled(text, piece.separator) for text in texts)


def _is_filled(text: str, separator: str) -> bool:
    """Say whether a line holds a cell that is not blank; most begin with a letter or a digit."""
    return text[:1].isalnum() or bool(text.replace(separator, " ").strip())
