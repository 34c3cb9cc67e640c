"""Our style sheet and scripts without what only people read: a set-up step, like the icons.

The results stand before the sources (`STATICFILES_DIRS`). Where no `collectstatic` runs they are compressed
too, and so is the script of the htmx package: a branch office pays for every kilobyte.
"""

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import rcssmin
import rjsmin
from whitenoise.compress import Compressor

from config.env import REPOSITORY, data_dir

STATIC = REPOSITORY / "static"
HTMX = "django_htmx/htmx-2.min.js"
SHORTER: dict[str, Callable[[str], str]] = {".css": rcssmin.cssmin, ".js": rjsmin.jsmin}


def make_changed(folder: Path | None = None, *, compressed: bool = False) -> list[Path]:
    """Write into ``folder`` (the assets of the data folder) each file that is new or changed; return them."""
    target = folder or data_dir() / "assets"
    written = []
    for name, text in _wanted(compressed=compressed):
        path = target / name
        if path.exists() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.draft")
        draft.write_text(text)
        draft.replace(path)
        written.append(path)
        if compressed:
            list(Compressor(quiet=True).compress(str(path)))
    return written


def _wanted(*, compressed: bool) -> Iterator[tuple[str, str]]:
    for source in sorted((*STATIC.glob("css/*.css"), *STATIC.glob("js/*.js"))):
        yield str(source.relative_to(STATIC)), SHORTER[source.suffix](source.read_text())
    if compressed:
        yield HTMX, (files("django_htmx") / "static" / HTMX).read_text()
