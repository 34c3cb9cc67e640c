"""The texts of installed packages that nobody translated: they are in our catalogue with our own French.

The theme of the back-office ships no catalogue at all, others ship one with holes. Django prefers a
project's catalogue to those of packages, so an entry there is enough.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo

LANGUAGE = "fr"
#: Packages whose texts people meet, with the folders whose texts nobody meets here.
PACKAGES: dict[str, tuple[str, ...]] = {
    "unfold": (
        "contrib/constance",
        "contrib/guardian",
        "contrib/hijack",
        "contrib/inlines",
        "contrib/location_field",
        "contrib/reversion",
        "contrib/reversion_compare",
        "contrib/simple_history",
        "contrib/waffle",
    ),
    "import_export": (),
    "axes": (),
    "django_filters": (),
}
#: Whose French a text may have, besides that of ``PACKAGES``: all are installed, their catalogues are one.
DJANGO = (
    "django/conf",
    "django/contrib/admin",
    "django/contrib/auth",
    "django/contrib/contenttypes",
    "django/contrib/humanize",
)

#: Context and first form of a message.
Key = tuple[str | None, str]
Found = tuple[str, Any, str | None]


def untranslated(methods: list[tuple[str, str]], keywords: dict[str, Any]) -> Iterator[Found]:
    """Yield ``(place, message or its forms, context)`` of every text of ``PACKAGES`` without French."""
    known = frozenset(key for place in (*DJANGO, *PACKAGES) for key in _french_of(_folder(place)))
    for package, unused in PACKAGES.items():
        ignored = [(f"{folder}/**", "ignore") for folder in unused]
        found = extract_from_dir(_folder(package), method_map=[*ignored, *methods], keywords=keywords)
        for _file, _line, message, _comments, context in sorted(found, key=lambda each: each[:2]):
            if (context, _first(message)) not in known:
                yield f"installed/{package}", message, context


def _folder(place: str) -> Path:
    package, _slash, rest = place.partition("/")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent / rest


def _french_of(folder: Path) -> Iterator[Key]:
    compiled = folder / "locale" / LANGUAGE / "LC_MESSAGES" / "django.mo"
    if not compiled.exists():
        return
    with compiled.open("rb") as file:
        for message in read_mo(file):
            if message.id and message.string:
                yield message.context, _first(message.id)


def _first(message: Any) -> str:
    return str(message if isinstance(message, str) else message[0])
