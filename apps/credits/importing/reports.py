"""What a check or an import leaves to read: the problems one a line, and the rows left out with their reason.

Both files are written chunk after chunk and go on where a chunk ended: what an interrupted job wrote behind
is cut off.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid5

import polars as pl
from django.db import transaction
from django.utils.translation import gettext as _

from apps.credits.importing.targets import Judged, Verdict
from apps.credits.importing.wording import ADVICE, RULES
from apps.credits.models import ImportRun
from apps.files.enums import FilePurpose
from apps.files.models import StoredFile
from apps.files.reading.dialects import Dialect
from apps.files.reading.mapping import Field
from apps.files.reading.rows import Chunk, header
from apps.files.reading.wording import advice, sentence
from apps.files.services import keep_written, part_path, path_of
from apps.files.writing import FRENCH_EXCEL, CsvWriter, dialect_of_result, workbook_from_csv
from apps.tenancy.actor import Actor

#: The column that says why a row was left out; a file that comes again may hold it.
ERROR = "erreur"
_SHOWN = 200


def explain(code: str, args: str, field: Field | None) -> tuple[str, str]:
    """Return the rule that was broken and what to do, in the language in force."""
    if code in RULES:
        return RULES[code]() % (json.loads(args) if args else {}), ADVICE.get(code, str)()
    return sentence(code, args, field), advice(code)


class Reports:
    """The two files of one step of an import, while they are written; ``at`` is where each one ended."""

    def __init__(self, run: ImportRun, fields: Mapping[str, Field], *, at: tuple[int, int] = (0, 0)) -> None:
        self.run = run
        self.fields = fields
        self.source = Dialect.from_json(run.dialect)
        self.headers = [name for name in header(path_of(run.source), self.source) if name != ERROR]
        self.paths = _paths(run)
        self.at = at = self._found(at)
        told = [_("line"), _("column"), _("value"), _("problem"), _("what to do")]
        self._report = CsvWriter(self.paths[0], told, FRENCH_EXCEL, at=at[0])
        self._rejects = CsvWriter(self.paths[1], [*self.headers, ERROR], self._style(), at=at[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._report.close()
        self._rejects.close()

    def append(self, chunk: Chunk, judged: Judged) -> tuple[int, int]:
        """Write what is to be said of a chunk; return where both files end then."""
        told = _told(judged.problems, self.fields)
        if told.height:
            lines = judged.lines.gather(told["row"]).alias("line")
            shown = told["value"].str.slice(0, _SHOWN)
            table = pl.DataFrame([lines, told["column"], shown, told["text"], told["advice"]])
            self.at = (self._report.append(table), self.at[1])
        left = judged.verdicts.is_in([int(Verdict.DUPLICATE), int(Verdict.REJECTED)])
        if left.any():
            self.at = (self.at[0], self._rejects.append(self._rows(chunk, told, left)))
        return self.at

    def keep(self, by: Actor) -> tuple[StoredFile | None, StoredFile | None]:
        """Keep both files, those that say anything; what was written goes when that is sure."""
        self._report.close()
        self._rejects.close()
        name = Path(self.run.source.original_name).stem
        report = rejects = None
        if self.at[0]:
            report = keep_written(
                part=_copied(self.paths[0]),
                name=_("problems_%(name)s.csv") % {"name": name},
                kind="csv",
                purpose=FilePurpose.REJECTS,
                by=by,
            )
        if self.at[1]:
            told = _("rejected_%(name)s.%(kind)s") % {"name": name, "kind": self.source.kind}
            rejects = keep_written(
                part=self._rejects_file(),
                name=told,
                kind=self.source.kind,
                purpose=FilePurpose.REJECTS,
                by=by,
            )
        transaction.on_commit(self.remove)
        return report, rejects

    def remove(self) -> None:
        """Remove what was written, once it is kept."""
        for path in self.paths:
            path.unlink(missing_ok=True)

    def _found(self, at: tuple[int, int]) -> tuple[int, int]:
        """Return where to go on; a file that was lost meanwhile begins again."""
        sizes = [path.stat().st_size if path.exists() else 0 for path in self.paths]
        report, rejects = (there if size >= there else 0 for there, size in zip(at, sizes, strict=True))
        return report, rejects

    def _style(self) -> Dialect:
        if self.source.kind == "xlsx":
            return Dialect("csv", encoding="utf-8", separator=",", decimal=self.source.decimal)
        return dialect_of_result(self.source)

    def _rejects_file(self) -> Path:
        if self.source.kind != "xlsx":
            return _copied(self.paths[1])
        book = self.paths[1].with_suffix(".book")
        workbook_from_csv(self.paths[1], book, self._style(), sheet=_("Rejected rows"))
        return book

    def _rows(self, chunk: Chunk, told: pl.DataFrame, left: pl.Series) -> pl.DataFrame:
        said = told.select(
            "row",
            pl.concat_str(
                pl.when(pl.col("column") != "").then(pl.col("column") + " : ").otherwise(pl.lit("")),
                pl.col("text"),
                pl.when(pl.col("advice") != "").then(" " + pl.col("advice")).otherwise(pl.lit("")),
            ).alias(ERROR),
        )
        reasons = said.group_by("row", maintain_order=True).agg(pl.col(ERROR).str.join(" · "))
        numbered = chunk.frame.select(self.headers).with_row_index("row").filter(left)
        joined = numbered.join(reasons, on="row", how="left", maintain_order="left")
        return joined.drop("row")


def remove_parts(run: ImportRun) -> None:
    """Remove what was begun of both files."""
    for path in _paths(run):
        path.unlink(missing_ok=True)


def _paths(run: ImportRun) -> tuple[Path, Path]:
    return (
        part_path(uuid5(run.uid, f"{run.job_id} report")),
        part_path(uuid5(run.uid, f"{run.job_id} rejects")),
    )


def _copied(path: Path) -> Path:
    """Return the same content under another name: what is kept is moved, an attempt that fails needs it."""
    copy = path.with_suffix(".kept")
    copy.unlink(missing_ok=True)
    try:
        copy.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, copy)
    return copy


def _told(problems: pl.DataFrame, fields: Mapping[str, Field]) -> pl.DataFrame:
    """Add the sentence and the advice to each problem: each different one is worded once."""
    if not problems.height:
        return problems.with_columns(text=pl.lit(""), advice=pl.lit(""))
    kinds = problems.select("column", "code", "args").unique(maintain_order=True)
    worded = [explain(code, args, fields.get(column)) for column, code, args in kinds.iter_rows()]
    kinds = kinds.with_columns(
        pl.Series("text", [text for text, _advice in worded], dtype=pl.String),
        pl.Series("advice", [said for _text, said in worded], dtype=pl.String),
    )
    told = problems.join(kinds, on=["column", "code", "args"], how="left", maintain_order="left")
    return told.sort("row", maintain_order=True)


def figures(judged: Judged, chunk: Chunk, headers: Sequence[str]) -> dict[str, Any]:
    """Return what a summary adds up: rows of each verdict, problems of each kind, cells of used columns."""
    counted = judged.verdicts.value_counts()
    counts = dict(zip(counted.to_series(0), counted.to_series(1), strict=True))
    kinds = judged.problems.group_by("code", "column").len()
    return {
        "verdicts": [int(counts.get(int(verdict), 0)) for verdict in Verdict],
        "problems": {f"{code}|{column}": count for code, column, count in kinds.iter_rows()},
        "cells": len(chunk) * len(headers),
        "missing": sum(chunk.frame[header].null_count() for header in headers),
    }
