"""How good a file of data is: 100 points, less what rejects, gaps, repeats and doubtful units take off."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.engine.wording import number
from apps.tenancy.language import current_lang

BEST = 100
#: Points lost when every row is rejected, every cell missing, every row a repeat; and per doubtful column.
REJECTED, MISSING, DUPLICATE, UNIT, UNITS = 50, 25, 15, 5, 10


@dataclass(frozen=True, slots=True)
class FileCounts:
    """What a dry run counted.

    ``rejected`` and ``duplicates`` are rows among those ``read``; ``missing`` are the empty cells of the
    columns that were mapped, among ``cells``; ``units`` the columns whose unit is still doubtful.
    """

    read: int
    rejected: int = 0
    duplicates: int = 0
    cells: int = 0
    missing: int = 0
    units: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """What takes points off a file: ``code`` says what, ``count`` how many of ``among``."""

    code: str
    points: int
    count: int
    among: int

    def text(self) -> str:
        """Return the cause in words, in the reader's language."""
        words = {
            "rejected": _("Rejected rows: %(count)s of %(among)s"),
            "missing": _("Empty cells: %(count)s of %(among)s"),
            "duplicates": _("Duplicates: %(count)s of %(among)s"),
            "units": _("Columns of doubtful unit: %(count)s"),
        }
        lang = current_lang()
        return words[self.code] % {"count": number(self.count, lang), "among": number(self.among, lang)}


@dataclass(frozen=True, slots=True)
class FileQuality:
    """The score of a file, 0 to 100, and what lowers it, the heaviest first."""

    score: int
    losses: tuple[Loss, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what is stored: ``{"score", "losses": [{"code", "points", "count", "among"}]}``."""
        stored: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return stored

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "FileQuality":
        """Return what ``to_json`` gave."""
        return cls(stored["score"], tuple(Loss(**each) for each in stored["losses"]))


def file_quality(counts: FileCounts) -> FileQuality:
    """Return the quality of a file, from counts alone; a file without rows has no point.

    Lost are 50 x share of rows rejected, 25 x share of mapped cells empty, 15 x share of rows that are
    duplicates, each rounded and one point at least, and 5 per column of doubtful unit, 10 at most.
    """
    if counts.read <= 0:
        return FileQuality(0, ())
    losses = [
        Loss("rejected", _part(REJECTED, counts.rejected, counts.read), counts.rejected, counts.read),
        Loss("missing", _part(MISSING, counts.missing, counts.cells), counts.missing, counts.cells),
        Loss("duplicates", _part(DUPLICATE, counts.duplicates, counts.read), counts.duplicates, counts.read),
        Loss("units", min(UNIT * counts.units, UNITS), counts.units, counts.units),
    ]
    found = tuple(sorted((loss for loss in losses if loss.points), key=lambda loss: -loss.points))
    return FileQuality(BEST - sum(loss.points for loss in found), found)


def _part(most: int, count: int, among: int) -> int:
    """Return the points that a share takes off, at least one when there is any."""
    if count <= 0 or among <= 0:
        return 0
    return max(1, round(most * min(count / among, 1)))
