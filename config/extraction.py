"""Bring the translation catalogues up to date with the code: `python -m config.extraction` (`make messages`).

Babel reads the sources, since gettext's own programs need not be installed. The msgids are the English
texts, so the English catalogue fills itself; the French texts still missing are counted and listed.
"""

import io
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir, extract_python
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from config.env import REPOSITORY
from config.installed_texts import untranslated

LANGUAGES = ("fr", "en")
#: The engine is left out: it knows no Django and carries its own French and English.
METHODS: list[tuple[str, str]] = [
    ("apps/engine/**", "ignore"),
    ("**/migrations/**", "ignore"),
    ("apps/**.py", "python"),
    ("config/**.py", "python"),
    ("templates/**.html", "config.extraction:extract_template"),
]
#: How the sources of installed packages are read.
INSTALLED: list[tuple[str, str]] = [
    ("**.py", "python"),
    ("**.html", "config.extraction:extract_template"),
]
KEYWORDS: dict[str, Any] = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
FOLDERS = ("apps", "config", "templates")
HEADER = "# Texts of CrediSense. Written by `python -m config.extraction`; only msgstr is edited by hand."

Found = tuple[int, Any, Any, Any]


def extract_template(
    file: BinaryIO, keywords: Mapping[str, Any], comment_tags: list[str], options: Any
) -> Iterator[Found]:
    """Give the messages of a Django template to Babel.

    Django turns a template into calls of gettext among placeholders; without their indentation its lines
    can be read as Python.
    """
    lines = templatize(file.read().decode()).splitlines()
    flat = "\n".join(line.strip() for line in lines).encode()
    yield from extract_python(io.BytesIO(flat), keywords, comment_tags, options)


def update_catalogues(folder: Path = REPOSITORY / "locale") -> list[str]:
    """Write both catalogues; return the msgids that have no French yet."""
    template = _template()
    catalogues = {language: _update(folder, language, deepcopy(template)) for language in LANGUAGES}
    return [_msgid(message) for message in catalogues["fr"] if message.id and not _is_complete(message)]


def _template() -> Catalog:
    catalogue = Catalog()
    found = extract_from_dir(
        REPOSITORY,
        method_map=METHODS,
        keywords=KEYWORDS,
        comment_tags=("Translators:",),
        directory_filter=_is_source,
    )
    for filename, _line, message, comments, context in sorted(found, key=lambda each: each[:2]):
        place: Any = (filename, None)  # no line number: a moved line changes no catalogue
        catalogue.add(message, None, [place], auto_comments=comments, context=context)
    for source, message, context in untranslated(INSTALLED, KEYWORDS):
        catalogue.add(message, None, [(source, None)], context=context)  # type: ignore[list-item]
    return catalogue


def _is_source(path: str | Path) -> bool:
    first = Path(path).absolute().relative_to(REPOSITORY).parts[:1]
    return not first or first[0] in FOLDERS


def _update(folder: Path, language: str, template: Catalog) -> Catalog:
    place = folder / language / "LC_MESSAGES" / "django.po"
    catalogue = Catalog(language, project="CrediSense", header_comment=HEADER, fuzzy=False)
    if place.exists():
        with place.open("rb") as source:
            catalogue = read_po(source, locale=language)
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    if language == "en":
        _repeat_msgids(catalogue)
    with place.open("wb") as target:
        write_po(target, catalogue, width=100, sort_by_file=True)
    return catalogue


def _repeat_msgids(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id and not _is_complete(message):
            message.string = message.id


def _is_complete(message: Message) -> bool:
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return bool(texts) and all(texts)


def _msgid(message: Message) -> str:
    return str(message.id if isinstance(message.id, str) else message.id[0])


if __name__ == "__main__":
    missing = update_catalogues()
    sys.stdout.write("".join(f"No French yet: {msgid}\n" for msgid in missing))
    sys.exit(bool(missing))
