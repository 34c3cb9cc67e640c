"""Compile the translation catalogues with Babel: gettext's own programs need not be installed."""

import os
from pathlib import Path

from config.env import REPOSITORY


def compile_changed(folder: Path = REPOSITORY / "locale") -> list[Path]:
    """Compile each `.po` that is newer than its `.mo`; return the `.mo` files written."""
    sources = sorted(folder.glob("*/LC_MESSAGES/*.po"))
    return [_compile(source) for source in sources if _is_newer(source, source.with_suffix(".mo"))]


def _is_newer(source: Path, compiled: Path) -> bool:
    return not compiled.exists() or source.stat().st_mtime_ns > compiled.stat().st_mtime_ns


def _compile(source: Path) -> Path:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    language = source.parent.parent.name
    with source.open("rb") as file:
        catalogue = read_po(file, locale=language, domain=source.stem)
    compiled = source.with_suffix(".mo")
    draft = compiled.with_name(f"{compiled.name}.{os.getpid()}")
    with draft.open("wb") as file:
        write_mo(file, catalogue)
    draft.replace(compiled)  # a process that is starting reads the old one or the new one
    return compiled
