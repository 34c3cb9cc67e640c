"""Bytes to text: which encoding, and the text of a file line after line."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from apps.engine.wording import number
from apps.files.errors import FileRefused
from apps.files.reading.limits import LIMITS, Limits
from apps.tenancy.language import current_lang

_BLOCK = 1 << 20
_HEAD = 4096
_MOSTLY = 0.4
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def encoding_of(path: Path, *, limits: Limits = LIMITS) -> str:
    """Return the encoding of a text: by its mark, UTF-8 when every byte agrees, else Windows-1252.

    Raises ``FileRefused`` for a line so long that nothing in the limits could make it.
    """
    with path.open("rb") as opened:
        start = opened.read(_HEAD)
        opened.seek(0)
        whole = _is_utf8(opened, limits)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    return wide_encoding(start) or ("utf-8" if whole else "cp1252")


def wide_encoding(start: bytes) -> str | None:
    """Return the order of a UTF-16 text without its mark: every other byte of what it begins with is zero."""
    half = len(start) // 2
    if half and start[1::2].count(0) > half * _MOSTLY > start[::2].count(0):
        return "utf-16-le"
    if half and start[::2].count(0) > half * _MOSTLY > start[1::2].count(0):
        return "utf-16-be"
    return None


def _is_utf8(opened: BinaryIO, limits: Limits) -> bool:
    decoder, whole, since = codecs.getincrementaldecoder("utf-8")(), True, 0
    while block := opened.read(_BLOCK):
        last = max(block.rfind(b"\n"), block.rfind(b"\r"))
        since = since + len(block) if last < 0 else len(block) - last
        if since > limits.line:
            raise _line_too_long(block, limits)
        try:
            if whole:
                decoder.decode(block)
        except UnicodeDecodeError:
            whole = False
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        whole = False
    return whole


def _line_too_long(block: bytes, limits: Limits) -> FileRefused:
    if max(block.count(separator) for separator in b";,\t|") > limits.columns:
        return too_many_columns(limits)
    return cell_too_long(limits)


def too_many_columns(limits: Limits = LIMITS) -> FileRefused:
    """Return the refusal of a file that is too wide."""
    said = _("The file has more than %(columns)s columns.") % {
        "columns": number(limits.columns, current_lang())
    }
    return FileRefused("too_many_columns", said)


def cell_too_long(limits: Limits = LIMITS, *, line: int | None = None) -> FileRefused:
    """Return the refusal of a file with a cell of too many characters."""
    if line is None:
        said = _("A cell of the file has more than %(characters)s characters.")
    else:
        said = _("Line %(line)d: a cell has more than %(characters)s characters.")
    return FileRefused(
        "cell_too_long", said % {"characters": number(limits.cell, current_lang()), "line": line}
    )


@contextmanager
def opened_text(path: Path, encoding: str) -> Iterator[Iterator[str]]:
    """Give the lines of a text as they end in the file, without NUL.

    Raises ``FileRefused`` for bytes that the encoding does not hold; Windows-1252 holds nearly all.
    """
    errors = "replace" if encoding == "cp1252" else "strict"
    with path.open(encoding=encoding, errors=errors, newline="") as text:
        try:
            yield map(str.replace, text, repeat("\0"), repeat(""))  # no step of Python a line
        except UnicodeError as error:
            raise FileRefused(
                "encoding_wrong",
                _("The text cannot be read in the encoding %(encoding)s: choose another.")
                % {"encoding": encoding},
            ) from error
