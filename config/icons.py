"""The icon font of the back-office, cut down to the icons that are used: 285 KB become about 15.

A set-up step, like the catalogues: `python -m config.stack catalogues` and every command that serves take
it. The result stands before the package's own file and is made again when the package or our pages change.
"""

import hashlib
import importlib.util
import os
import re
import string
from collections.abc import Iterable
from pathlib import Path

from config.env import REPOSITORY, data_dir

PACKAGE = "unfold"
FONT = "unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2"
WORD = re.compile(r"[a-z][a-z0-9_]+")
#: Style sheets write some icons themselves; their other words are names of classes.
WRITTEN = re.compile(r'content:\s*"([a-z][a-z0-9_]+)"')
#: What draws the letters of a name before they become one icon.
LETTERS = string.ascii_lowercase + string.digits + "_"
STAMP = ".made-from"


def make_changed(folder: Path | None = None) -> Path | None:
    """Write the font into ``folder`` when what it is made from changed; return it, or ``None``.

    The default folder is that of the assets in the data folder.
    """
    folder = folder or data_dir() / "assets"
    target = folder / FONT
    stamp, made_from = target.with_name(STAMP), _made_from()
    if target.exists() and stamp.exists() and stamp.read_text() == made_from:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    _subset(package_folder() / "static" / FONT, draft)
    draft.replace(target)  # a server that is starting reads the old one or the new one
    stamp.write_text(made_from)
    return target


def package_folder() -> Path:
    """Return where the theme is installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(PACKAGE)
    return Path(spec.origin).parent


def _sources() -> list[Path]:
    """Return the files in which a name of an icon may stand: the theme's and ours."""
    theme, found = (
        package_folder(),
        [REPOSITORY / "config" / "backoffice.py", REPOSITORY / "config" / "dashboard.py"],
    )
    found += [*theme.rglob("*.py"), *theme.rglob("*.html"), *(theme / "static").rglob("app.js")]
    found += (theme / "static").rglob("*.css")
    found += [
        *(REPOSITORY / "apps").glob("*/admin.py"),
        *(REPOSITORY / "templates" / "admin").rglob("*.html"),
    ]
    return sorted(path for path in found if path.is_file())


def _made_from() -> str:
    digest = hashlib.sha256()
    for path in [Path(__file__), *_sources()]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _words(paths: Iterable[Path]) -> set[str]:
    return {
        word
        for path in paths
        for word in (WRITTEN if path.suffix == ".css" else WORD).findall(path.read_text(errors="ignore"))
    }


def _subset(source: Path, target: Path) -> None:
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(source)
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = ["*"]
    options.drop_tables += ["FFTM"]  # the time stamps of a font editor
    options.layout_closure = False  # else the letters bring every icon back
    cutter = subset.Subsetter(options)
    cutter.populate(glyphs=sorted(_words(_sources()) & set(font.getGlyphOrder())), text=LETTERS)
    cutter.subset(font)
    subset.save_font(font, target, options)
