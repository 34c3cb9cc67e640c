"""How large a file may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of the file, rows under the headers, columns, characters of one cell; then those of a workbook.

    ``line`` is in bytes, as are ``unpacked`` and ``strings`` (all the texts of a workbook); ``ratio`` is
    unpacked over packed, ``workbook_rows`` is what a sheet may hold.
    """

    size: int = 200 * 1024 * 1024
    rows: int = 1_000_000
    columns: int = 500
    cell: int = 2_000
    line: int = 4 * 1024 * 1024
    workbook_rows: int = 100_000
    unpacked: int = 300 * 1024 * 1024
    strings: int = 64 * 1024 * 1024
    ratio: int = 200
    parts: int = 2_000


LIMITS = Limits()
