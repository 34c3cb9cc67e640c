"""What the rows of a file are judged and written with, and the counts of those that are done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from apps.credits.importing.targets import Context, Target, Verdict
from apps.credits.models import ImportRun
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Field, Match
from apps.files.reading.quality import FileCounts, FileQuality, file_quality
from apps.files.reading.rows import Chunk, chunks
from apps.files.reading.values import Typed, typed_chunk

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

ROWS = 20_000
COUNTS = ("rows_new", "rows_updated", "rows_unchanged", "rows_duplicate", "rows_rejected")
_FIRST_PROBLEMS = 20


@dataclass(slots=True)
class Plan:
    """What the rows of a file are judged and written with, settled when the step was asked."""

    run: ImportRun
    target: Target
    dialect: Dialect
    fields: list[Field]
    matches: list[Match]
    path: "Path"
    common: dict[str, "pl.Series"]

    @property
    def by_header(self) -> dict[str, Field]:
        known = {each.name: each for each in self.fields}
        return {match.header: known[match.field] for match in self.matches if match.field in known}

    @property
    def used(self) -> list[str]:
        """The headers of the columns that are used."""
        return [match.header for match in self.matches if match.field]

    def context(self, *, locking: bool = False) -> Context:
        run = self.run
        return Context(
            institution_id=run.source.institution_id,
            agencies=None if run.agencies is None else frozenset(run.agencies),
            headers={match.field: match.header for match in self.matches if match.field},
            today=timezone.localdate(),
            keep_duplicates=run.keep_duplicates,
            locking=locking,
        )

    def typed(self, chunk: Chunk) -> Typed:
        """Return the values of a chunk, with those that all the rows share."""
        found = typed_chunk(chunk, self.matches, self.fields, self.dialect)
        found.columns |= {name: one.new_from_index(0, len(chunk)) for name, one in self.common.items()}
        return found

    def chunks(self, *, after: int = 0) -> Iterator[Chunk]:
        return chunks(self.path, self.dialect, size=ROWS, skip_lines=after)


class Tally:
    """The counts of the chunks that are done."""

    def __init__(self, done: Sequence[Mapping[str, Any]] = ()) -> None:
        self.verdicts = [0] * len(Verdict)
        self.problems: dict[str, int] = {}
        self.cells = self.missing = 0
        for each in done:
            self.add(each)

    def add(self, found: Mapping[str, Any]) -> None:
        self.verdicts = [one + other for one, other in zip(self.verdicts, found["verdicts"], strict=True)]
        for key, count in found["problems"].items():
            self.problems[key] = self.problems.get(key, 0) + count
        self.cells += found["cells"]
        self.missing += found["missing"]

    @property
    def read(self) -> int:
        return sum(self.verdicts)

    def counts(self) -> dict[str, int]:
        return dict(zip(COUNTS, self.verdicts, strict=True))

    def summary(self) -> dict[str, Any]:
        worst = sorted(self.problems.items(), key=lambda pair: -pair[1])[:_FIRST_PROBLEMS]
        told = [(*key.partition("|")[::2], count) for key, count in worst]
        problems = [{"code": code, "column": column, "rows": count} for code, column, count in told]
        return {
            "rows_read": self.read,
            **self.counts(),
            "problems": problems,
            "quality": self.quality().to_json(),
        }

    def quality(self) -> FileQuality:
        """Return the quality of the rows read: every question about a unit was answered before."""
        return file_quality(
            FileCounts(
                read=self.read,
                rejected=self.verdicts[Verdict.REJECTED],
                duplicates=self.verdicts[Verdict.DUPLICATE],
                cells=self.cells,
                missing=self.missing,
            )
        )
