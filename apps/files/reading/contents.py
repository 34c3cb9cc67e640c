"""What a file is, by its content and never by its name."""

from pathlib import Path
from typing import Literal

from django.utils.translation import gettext as _

from apps.files.errors import FileRefused
from apps.files.reading.encodings import wide_encoding
from apps.files.reading.limits import LIMITS, Limits

Kind = Literal["csv", "xlsx"]

_HEAD = 4096
_ZIP = b"PK\x03\x04"
#: The first bytes of what people rename by mistake or on purpose.
_OTHERS = (
    (b"%PDF", "PDF"),
    (b"MZ", "EXE"),
    (b"\x7fELF", "ELF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7Z"),
    (b"\x1f\x8b", "GZIP"),
    (b"BZh", "BZIP2"),
    (b"\xfd7zXZ", "XZ"),
    (b"\x28\xb5\x2f\xfd", "ZSTD"),
    (b"PAR1", "PARQUET"),
    (b"{\\rtf", "RTF"),
)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<script", b"<table", b"<svg")
#: UTF-16 in either order, the only text that holds zeros.
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MOST_CONTROLS = 0.01


def kind_of(path: Path, *, limits: Limits = LIMITS) -> Kind:
    """Return whether ``path`` is a CSV file or a workbook; raise ``FileRefused`` for anything else."""
    size = path.stat().st_size
    if size > limits.size:
        raise too_large(limits)
    with path.open("rb") as opened:
        start = opened.read(_HEAD)
    if not start.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise FileRefused("file_empty", _("The file is empty."))
    if start.startswith(_ZIP):
        return "xlsx"
    if start.startswith(_OLD_OFFICE):
        raise FileRefused(
            "file_encrypted_or_old",
            _("This workbook is protected by a password or in the old .xls format: save it as .xlsx or CSV."),
        )
    _refuse_other_kinds(start)
    return "csv"


def too_large(limits: Limits = LIMITS) -> FileRefused:
    """Return the refusal of a file of too many bytes."""
    return FileRefused(
        "file_too_large", _("The file is larger than %(size)d MB.") % {"size": limits.size // 1024**2}
    )


def _refuse_other_kinds(start: bytes) -> None:
    for magic, name in _OTHERS:
        if start.startswith(magic):
            raise _not_a_table(name)
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise _not_a_table("HTML")
    if not start.startswith(_WIDE_MARKS) and wide_encoding(start) is None and _is_binary(start):
        raise _not_a_table(_("binary"))


def _is_binary(start: bytes) -> bool:
    """Say whether bytes hold more control characters than a text damaged here and there would."""
    zeros = start.count(0)
    controls = sum(byte < 32 and byte not in b"\t\n\r\x1a\x0c\x0b\x00" for byte in start)  # noqa: PLR2004  ASCII
    return controls + max(zeros - 8, 0) > max(len(start) * _MOST_CONTROLS, 8)


def _not_a_table(kind: str) -> FileRefused:
    return FileRefused(
        "file_not_a_table",
        _("This is not a CSV file nor an Excel workbook but a file of another kind (%(kind)s).")
        % {"kind": kind},
    )
