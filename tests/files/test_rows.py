"""Chunks of rows: their lines, going on after a stop, and what somebody chose wrongly."""

import polars as pl
import pytest

from apps.files.errors import FileRefused
from apps.files.reading.dialects import Dialect, detect, sheets
from apps.files.reading.layout import SEPARATORS
from apps.files.reading.rows import chunks, head, header
from apps.files.reading.surveys import survey
from apps.files.reading.wording import ENCODING_NAMES, decisions, separator_label
from tests.files.corpus import texts, workbooks

MIXED = 'titre\n\na;b\n1;x\n2;"y\nz"\n\n3;"t;u"\n4;v\n;\n5;w;trop\n6\n'


def csv_file(tmp_path, content=MIXED, encoding="utf-8"):
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode(encoding))
    return path


def all_of(path, dialect, **how):
    """Return (line, cells) of every row, and (line, code) of every error."""
    rows, errors = [], []
    for chunk in chunks(path, dialect, **how):
        rows += zip(chunk.lines.to_list(), chunk.frame.rows(), strict=True)
        errors += [(chunk.lines[row], code) for row, code in chunk.errors.select("row", "code").rows()]
    return rows, errors


ROWS = [
    (4, ("1", "x")),
    (5, ("2", "y\nz")),
    (7, ("3", "t;u")),
    (8, ("4", "v")),
    (10, ("5", "w")),
    (11, ("6", None)),
]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_lines_are_those_of_a_spreadsheet_whatever_the_chunks(tmp_path, size):
    path = csv_file(tmp_path)
    assert all_of(path, detect(path), size=size) == (ROWS, [(10, "too_many_cells")])


@pytest.mark.parametrize("done", range(3, 12))
@pytest.mark.parametrize("size", [1, 3, 100])
def test_reading_goes_on_after_the_last_line_done(tmp_path, done, size):
    path = csv_file(tmp_path)
    rows, _errors = all_of(path, detect(path), size=size, skip_lines=done)
    assert rows == [(line, cells) for line, cells in ROWS if line > done]


def test_a_chunk_holds_what_was_asked_at_most(tmp_path):
    path = csv_file(tmp_path, "a;b\n" + "1;2\n" * 50)
    assert [len(chunk) for chunk in chunks(path, detect(path), size=20)] == [20, 20, 10]


def test_the_first_rows_for_a_preview(tmp_path):
    path = csv_file(tmp_path)
    assert head(path, detect(path), 3) == [["1", "x"], ["2", "y\nz"], ["3", "t;u"]]
    assert head(path, detect(path)) == [["1", "x"], ["2", "y\nz"], ["3", "t;u"], ["4", "v"], ["5", "w"]]


def test_columns_are_texts_and_blank_cells_are_null(tmp_path):
    path = csv_file(tmp_path, "a;b;c\n 1 ; ;\u00a0\n2;x;\n")
    (chunk,) = chunks(path, detect(path))
    assert chunk.frame.schema == {"a": pl.String, "b": pl.String, "c": pl.String}
    assert chunk.frame.rows() == [(" 1 ", None, None), ("2", "x", None)]
    assert (chunk.lines.dtype, chunk.lines.to_list()) == (pl.UInt32, [2, 3])


def test_quick_and_careful_reading_agree(tmp_path):
    plain = "réf;âge;montant\n" + "".join(f"é{n};{n};{n} 000,5\n" for n in range(500))
    quick = csv_file(tmp_path, plain, "cp1252")
    dialect = detect(quick)
    rows = all_of(quick, dialect, size=64)
    quick.write_bytes(plain.replace("é7;", '"é7";').encode("cp1252"))
    assert all_of(quick, dialect, size=64) == rows


def test_a_dialect_goes_through_json(tmp_path):
    for awkward in [*texts(), *workbooks()]:
        path = tmp_path / awkward.name
        path.write_bytes(awkward.content())
        found = detect(path)
        assert Dialect.from_json(found.to_json()) == found


def test_what_somebody_decides_is_no_longer_in_doubt(tmp_path):
    path = csv_file(tmp_path, "jour;x\n01/02/2024;1\n")
    found = detect(path)
    assert found.doubts == ("day_first",)
    assert [choice.part for choice in decisions(found) if choice.doubtful] == ["day_first"]
    chosen = found.replaced(day_first=False)
    assert (chosen.day_first, chosen.doubts) == (False, ())


def test_the_decisions_are_told_in_words(tmp_path):
    path = csv_file(tmp_path, "jour;taux\n31/12/2024;8,5\n", "cp1252")
    told = {choice.part: choice.chosen for choice in decisions(detect(path))}
    assert list(told) == ["kind", "encoding", "separator", "header_line", "decimal", "day_first"]
    assert (told["encoding"], told["header_line"]) == ("UTF-8", "1")
    assert ("8,5" in told["decimal"], "31/12/2024" in told["day_first"]) == (True, True)
    assert len({separator_label(separator) for separator in SEPARATORS}) == len(SEPARATORS)


@pytest.mark.parametrize("encoding", list(ENCODING_NAMES))
def test_every_encoding_offered_can_be_read(tmp_path, encoding):
    path = csv_file(tmp_path, "réf;âge\né;25\n", encoding)
    dialect = Dialect("csv", encoding=encoding, separator=";")
    assert header(path, dialect) == ["réf", "âge"]


def test_a_wrong_encoding_is_told(tmp_path):
    path = csv_file(tmp_path, "réf;âge\né;25\n", "cp1252")
    with pytest.raises(FileRefused) as refusal:
        survey(path, dialect=detect(path).replaced(encoding="utf-8"))
    assert refusal.value.code == "encoding_wrong"


@pytest.mark.parametrize("line", [2, 99])
def test_a_wrong_line_of_headers_is_told(tmp_path, line):
    path = csv_file(tmp_path)
    with pytest.raises(FileRefused) as refusal:
        header(path, detect(path).replaced(header_line=line))
    assert refusal.value.code == "header_missing"


def test_another_sheet_may_be_chosen(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(next(each for each in workbooks() if each.name == "hidden_first.xlsx").content())
    assert sheets(path) == ["Vide", "Crédits"]
    for hidden in ("Sheet", "Autre"):
        with pytest.raises(FileRefused) as refusal:
            header(path, detect(path).replaced(sheet=hidden))
        assert refusal.value.code == "sheet_missing"


def test_a_chunk_cut_in_two_holds_the_same_rows_and_errors(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("a;b\n1;2\n3;4;5\n6;7\n8;9\n10;11;12\n")
    chunk = next(chunks(path, detect(path)))
    first, second = chunk.halves()
    assert first.lines.to_list() + second.lines.to_list() == chunk.lines.to_list() == [2, 3, 4, 5, 6]
    assert first.frame.rows() + second.frame.rows() == chunk.frame.rows()
    assert first.errors["row"].to_list() == [1]
    assert second.errors["row"].to_list() == [2]
    assert second.errors.schema == chunk.errors.schema
    assert (
        first.errors.drop("row").rows() + second.errors.drop("row").rows() == chunk.errors.drop("row").rows()
    )
