"""Tables as files: harmless, in the dialect of what came in, whole or not at all."""

import datetime as dt

import polars as pl
import pytest

from apps.files.reading.dialects import Dialect, detect
from apps.files.reading.rows import chunks, header
from apps.files.writing import (
    FRENCH_EXCEL,
    CsvWriter,
    dialect_of_result,
    workbook_from_csv,
    write_workbook,
)
from apps.tenancy.cells import harmless

DAY = dt.datetime(2024, 12, 31)  # noqa: DTZ001  cells of workbooks have no time zone
DIALECTS = [
    FRENCH_EXCEL,
    Dialect("csv", encoding="utf-8", separator=",", decimal="."),
    Dialect("csv", encoding="cp1252", separator=";", decimal=","),
    Dialect("csv", encoding="utf-16", separator="\t", decimal=","),
    Dialect("csv", encoding="utf-8", separator="|", decimal="."),
]


def written(path, frame, dialect=FRENCH_EXCEL):
    with CsvWriter(path, frame.columns, dialect) as writer:
        writer.append(frame)
    return path.read_bytes()


def read_back(path, dialect):
    return pl.concat([chunk.frame for chunk in chunks(path, dialect)])


def test_french_excel_opens_it(tmp_path):
    frame = pl.DataFrame(
        {
            "Âge": [25, None],
            "taux": [8.43, 12.0],
            "le": [dt.date(2024, 12, 31), None],
            "accord": [True, False],
            "nom": ['Ngo "Awa"; épouse', ""],
        }
    )
    assert (
        written(tmp_path / "a.csv", frame)
        == (
            '\ufeffÂge;taux;le;accord;nom\r\n25;8,43;31/12/2024;oui;"Ngo ""Awa""; épouse"\r\n;12;;non;\r\n'
        ).encode()
    )


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: f"{dialect.encoding} {dialect.separator!r}")
def test_what_is_written_reads_back(tmp_path, dialect):
    frame = pl.DataFrame(
        {"Réf; |,": ["a\nb", "tab\tici", 'dit "oui"', "; , |"], "Prénom": ["Aïcha", None, "Zoé", "œuvre"]}
    )
    written(tmp_path / "a.csv", frame, dialect)
    assert read_back(tmp_path / "a.csv", dialect).equals(frame)
    found = detect(tmp_path / "a.csv")
    assert (found.encoding in {dialect.encoding, "cp1252"}, found.separator) == (True, dialect.separator)


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "  =1",
        "-",
        "+33-(1)",
        "-a",
        "+12",
        "\t5",
    ],
)
def test_what_a_spreadsheet_would_compute_is_neutralised(tmp_path, cell):
    frame = pl.DataFrame({"a": ["x"], "b": [cell]})
    written(tmp_path / "a.csv", frame)
    assert read_back(tmp_path / "a.csv", FRENCH_EXCEL)["b"].to_list() == [harmless(cell)] == [f"'{cell}"]


@pytest.mark.parametrize("cell", ["-9461", "-1 500,5", "-0.5", "-12 %", "-1\u202f500", "25", "'=1", "a=1"])
def test_numbers_and_plain_texts_stay_as_they_are(tmp_path, cell):
    written(tmp_path / "a.csv", pl.DataFrame({"a": ["x"], "b": [cell]}))
    assert read_back(tmp_path / "a.csv", FRENCH_EXCEL)["b"].to_list() == [cell]


def test_headers_are_neutralised_too(tmp_path):
    assert b"'=a;b" in written(tmp_path / "a.csv", pl.DataFrame({"=a": ["1"], "b": ["2"]}))


def test_what_no_workbook_holds_is_replaced(tmp_path):
    written(tmp_path / "a.csv", pl.DataFrame({"a": ["x\x00\x1b[2Jy"], "b": ["1"]}))
    assert read_back(tmp_path / "a.csv", FRENCH_EXCEL)["a"].to_list() == ["x\ufffd\ufffd[2Jy"]


def test_small_numbers_are_written_without_an_exponent(tmp_path):
    frame = pl.DataFrame({"p": [0.0000012, 1e-7, float("nan"), float("inf"), None, 1e15, -0.5]})
    dialect = Dialect("csv", encoding="utf-8", separator=";", decimal=",")
    lines = written(tmp_path / "a.csv", frame, dialect).decode().split("\r\n")
    assert lines == ["p", "0,0000012", "0,0000001", "", "", "", "1000000000000000", "-0,5", ""]


def test_what_the_encoding_has_not_is_told_otherwise(tmp_path):
    frame = pl.DataFrame({"a": ["1\u202f500", "≥ 30", "l’été"]})
    content = written(tmp_path / "a.csv", frame, Dialect("csv", encoding="cp1252", separator=";"))
    assert content.decode("cp1252").split("\r\n") == ["a", "1\u00a0500", "? 30", "l’été", ""]


def test_a_job_that_begins_again_writes_no_row_twice(tmp_path):
    path, frame = tmp_path / "a.csv", pl.DataFrame({"a": ["1"], "b": ["é"]})
    with CsvWriter(path, frame.columns, FRENCH_EXCEL) as writer:
        done = writer.append(frame)
        writer.append(pl.DataFrame({"a": ["2"], "b": ["interrupted"]}))
    with CsvWriter(path, frame.columns, FRENCH_EXCEL, at=done) as writer:
        writer.append(pl.DataFrame({"a": ["2"], "b": ["again"]}))
    assert path.read_text("utf-8-sig") == "a;b\n1;é\n2;again\n"


def test_columns_that_do_not_fit_are_refused(tmp_path):
    with (
        CsvWriter(tmp_path / "a.csv", ["a", "b"], FRENCH_EXCEL) as writer,
        pytest.raises(ValueError, match="1 col"),
    ):
        writer.append(pl.DataFrame({"a": ["1"]}))


def test_the_dialect_of_a_result_is_that_of_what_came(tmp_path):
    came = Dialect("csv", encoding="cp1252", separator=",", decimal=".", header_line=4, doubts=("decimal",))
    given = dialect_of_result(came)
    assert (given.encoding, given.separator, given.decimal, given.header_line) == ("cp1252", ",", ".", 1)
    assert dialect_of_result(came, french_excel=True) == FRENCH_EXCEL


def test_a_workbook_holds_numbers_dates_and_harmless_texts(tmp_path):
    from openpyxl import load_workbook

    frame = pl.DataFrame(
        {
            "=n": ["-9461", "1234,5", "007", "1e5"],
            "d": ["2024-12-31", "2024-02-31", "=1+1", None],
            "p": [0.25, None, 1.0, 0.5],
        }
    )
    with CsvWriter(tmp_path / "a.csv", frame.columns, FRENCH_EXCEL) as writer:
        writer.append(frame)
    workbook_from_csv(tmp_path / "a.csv", tmp_path / "a.xlsx", FRENCH_EXCEL, sheet="Scores")

    book = load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Scores"]
    rows = [tuple(cell.value for cell in row) for row in book["Scores"]]
    assert rows == [
        ("'=n", "d", "p"),
        (-9461, DAY, 0.25),
        (1234.5, "2024-02-31", None),
        ("007", "'=1+1", 1),
        ("1e5", None, 0.5),
    ]
    assert not any(cell.data_type == "f" for row in book["Scores"] for cell in row)


def test_a_workbook_that_was_written_is_read(tmp_path):
    frame = pl.DataFrame({"Âge": ["25", "31"], "Taux": ["8.43", "12"], "Le": ["2024-12-31", None]})
    write_workbook(tmp_path / "a.xlsx", frame.columns, [frame], sheet="Données")
    dialect = detect(tmp_path / "a.xlsx")
    assert header(tmp_path / "a.xlsx", dialect) == frame.columns
    assert read_back(tmp_path / "a.xlsx", dialect).equals(frame)
