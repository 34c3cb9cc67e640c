"""Names of files as people send them, made harmless to whoever opens them."""

import re
import unicodedata
from pathlib import PurePosixPath

#: What a file system, a header of HTTP or a terminal would take for something else than a name.
_UNSAFE = re.compile(
    r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*%;\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]'
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)\Z", re.IGNORECASE)
_LONGEST = 120


def safe_name(name: str, *, kind: str) -> str:
    """Return the last part of ``name`` with nothing unsafe in it and the extension of its ``kind``.

    Never empty, at most 120 characters, accents kept.
    """
    last = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    bare = " ".join(_UNSAFE.sub("_", last).split())
    stem = bare.rpartition(".")[0] or bare
    stem = stem.strip(" ._-=+@")[: _LONGEST - len(kind) - 1].rstrip(" .")
    if not stem or _RESERVED.match(stem):
        stem = f"fichier_{stem}".rstrip("_")
    return f"{stem}.{kind}"


def result_name(original: str, *, prefix: str = "scoring", kind: str = "csv") -> str:
    """Return ``scoring_<original name>.csv``, the name of what is given back for ``original``."""
    return safe_name(f"{prefix}_{safe_name(original, kind=kind)}", kind=kind)
