"""Templates without the indentation of their source: a tenth of a page that nobody sees."""

import re

from django.template.base import Origin
from django.template.loaders.filesystem import Loader as FilesystemLoader

#: What keeps its lines as they are: texts of the catalogues, and what browsers show as written.
_KEPT = re.compile(
    r"(\{%\s*blocktranslate\b.*?\{%\s*endblocktranslate\s*%\}|<pre\b.*?</pre>|<textarea\b.*?</textarea>)",
    re.DOTALL,
)
_INDENTED = re.compile(r"\n\s+")


class Loader(FilesystemLoader):
    """Reads the site's own templates; those of packages stay as they are."""

    def get_contents(self, origin: Origin) -> str:
        contents: str = super().get_contents(origin)
        return dense(contents) if str(origin.name).endswith(".html") else contents


def dense(source: str) -> str:
    """Return the source of a page with each line at the margin, but for what keeps its lines."""
    parts = _KEPT.split(source)
    return "".join(part if place % 2 else _INDENTED.sub("\n", part) for place, part in enumerate(parts))
