"""Bytes to text: which encoding, and the text of a file line after line."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.utils.translation import gettext as _

from apps.files.errors import FileRefused

_BLOCK = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

#: What somebody may choose; the names are those of Python.
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "iso8859-15", "mac_roman", "cp850")


def encoding_of(path: Path) -> str:
    """Return the encoding of a text: by its mark, UTF-8 when every byte agrees, else Windows-1252."""
    with path.open("rb") as opened:
        start = opened.read(4)
        for mark, name in _MARKS:
            if start.startswith(mark):
                return name
        opened.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := opened.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


@contextmanager
def opened_text(path: Path, encoding: str) -> Iterator[Iterator[str]]:
    """Give the lines of a text as they end in the file, without NUL.

    Raises ``FileRefused`` for bytes that the encoding does not hold; Windows-1252 holds nearly all.
    """
    errors = "replace" if encoding == "cp1252" else "strict"
    with path.open(encoding=encoding, errors=errors, newline="") as text:
        try:
            yield (line.replace("\0", "") if "\0" in line else line for line in text)
        except UnicodeError as error:
            raise FileRefused(
                "encoding_wrong",
                _("The text cannot be read in the encoding %(encoding)s: choose another.")
                % {"encoding": encoding},
            ) from error
