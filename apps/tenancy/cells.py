"""Cells of the files that a spreadsheet opens: a text stays a text."""

import re
from typing import Any

#: What a spreadsheet would take for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
#: What no workbook holds (XML forbids it), and what would play on the screen of whoever prints the file.
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def harmless(cell: Any) -> Any:
    """Return a cell with an apostrophe before it when a spreadsheet would compute it, and nothing unseen."""
    if not isinstance(cell, str):
        return cell
    text = UNSEEN.sub("\ufffd", cell)
    return f"'{text}" if is_formula(text) else text


def is_formula(text: str) -> bool:
    """Say whether a spreadsheet would compute a text."""
    return text.lstrip(" ").startswith(FORMULA_STARTS)
