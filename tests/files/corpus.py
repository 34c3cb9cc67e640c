"""Awkward files, as people and programs really send them, each with what must be read or why it is refused.

``python -m tests.files.corpus FOLDER`` writes them all, to be sent by hand.
"""

import datetime as dt
import io
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEADERS = ("Référence", "Âge", "Revenu mensuel", "Montant du crédit", "Durée (mois)", "Taux", "Date")
#: The three rows that most files tell, each in its own dress.
ROWS: list[tuple[Any, ...]] = [
    ("D-001", 25, 1_500_000, 500_000, 12, 24.0, dt.date(2024, 12, 31)),
    ("D-002", 61, 85_000, 1_250_000, 24, 18.5, dt.date(2024, 2, 1)),
    ("Été n° 3", 43, None, 75_000, 6, 36.25, dt.date(2025, 6, 15)),
]
FIELDS = ("reference", "age", "revenu_mensuel", "montant_credit", "duree_mois", "taux_interet", "jour")
LINES = [2, 3, 4]


@dataclass(frozen=True)
class Awkward:
    """One file: its bytes, then either its rows, lines, errors and dialect, or the code of its refusal.

    ``errors`` are (line, header, code); ``dialect`` holds the parts that must be found.
    """

    name: str
    content: Callable[[], bytes]
    rows: list[tuple[Any, ...]] = field(default_factory=lambda: list(ROWS))
    lines: list[int] = field(default_factory=lambda: list(LINES))
    errors: list[tuple[int, str, str]] = field(default_factory=list)
    dialect: dict[str, Any] = field(default_factory=dict)
    refused: str = ""


def amount(value: Any, *, space: str = "", mark: str = ",") -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}".replace(".", mark)
    return f"{value:,}".replace(",", space)


def table(
    *,
    separator: str = ";",
    space: str = "",
    mark: str = ",",
    date: str = "%d/%m/%Y",
    headers: tuple[str, ...] = HEADERS,
    end: str = "\r\n",
    quote: str = "",
    rows: list[tuple[Any, ...]] = ROWS,
) -> str:
    """Return the table as a text, in the dress asked for."""
    lines = [separator.join(f"{quote}{header}{quote}" for header in headers)]
    for reference, *numbers, day in rows:
        cells = [reference, *(amount(value, space=space, mark=mark) for value in numbers), f"{day:{date}}"]
        lines.append(separator.join(f"{quote}{cell}{quote}" for cell in cells))
    return end.join(lines) + end


def text(name: str, content: str, encoding: str = "utf-8", **expected: Any) -> Awkward:
    return Awkward(f"{name}.csv", lambda: content.encode(encoding), **expected)


def refused(name: str, content: bytes | Callable[[], bytes], code: str) -> Awkward:
    return Awkward(name, content if callable(content) else lambda: content, refused=code)


def texts() -> list[Awkward]:
    comma = {"separator": ",", "quote": '"'}
    cells = [["reference", "age"], ["a", "25"]]
    return [
        text(
            "utf8",
            table(),
            dialect={"encoding": "utf-8", "separator": ";", "decimal": ",", "day_first": True},
        ),
        text("utf8_bom", table(), "utf-8-sig", dialect={"encoding": "utf-8-sig"}),
        text("windows_1252", table(), "cp1252", dialect={"encoding": "cp1252"}),
        text(
            "utf16_excel_unicode",
            table(separator="\t"),
            "utf-16",
            dialect={"encoding": "utf-16", "separator": "\t"},
        ),
        text("utf16_without_mark", table(), "utf-16-le", dialect={"encoding": "utf-16-le"}),
        text("comma_and_point", table(separator=",", mark="."), dialect={"separator": ",", "decimal": "."}),
        text("comma_and_quoted_decimals", table(**comma), dialect={"separator": ",", "decimal": ","}),
        text("tab", table(separator="\t"), dialect={"separator": "\t"}),
        text("pipe", table(separator="|"), dialect={"separator": "|"}),
        text("spaces_in_amounts", table(space=" ")),
        text("no_break_spaces", table(space="\u00a0"), "cp1252"),
        text("narrow_no_break_spaces", table(space="\u202f")),
        text("apostrophes_in_amounts", table(space="'")),
        text("points_in_amounts", table(space="."), dialect={"decimal": ","}),
        text("english_amounts", table(separator="\t", space=",", mark="."), dialect={"decimal": "."}),
        text("iso_dates", table(date="%Y-%m-%d")),
        text("short_dates", table(date="%d-%m-%y"), dialect={"day_first": True}),
        text("american_dates", table(date="%m/%d/%Y"), dialect={"day_first": False}),
        text("dates_with_hours", table(date="%d/%m/%Y 08:30:00")),
        text("compact_months", table(date="%d.%m.%Y")),
        text("headers_in_capitals", table(headers=tuple(header.upper() for header in HEADERS))),
        text(
            "headers_without_accents",
            table(
                headers=(
                    "reference",
                    "age",
                    "revenu_mensuel",
                    "montant_du_credit",
                    "duree_mois",
                    "taux",
                    "date",
                )
            ),
        ),
        text(
            "headers_in_english",
            table(
                headers=(
                    "Reference",
                    "Client age",
                    "Monthly income",
                    "Loan amount",
                    "Loan term",
                    "Interest rate",
                    "Date",
                )
            ),
        ),
        text("unix_lines", table(end="\n")),
        text("old_mac_lines", table(end="\r")),
        text("everything_quoted", table(quote='"')),
        text("trailing_empty_lines", table() + "\r\n\r\n;;;;;;\r\n   \r\n"),
        text("trailing_empty_columns", table().replace("\r\n", ";;;\r\n")),
        text("no_end_of_line", table().rstrip()),
        text(
            "preamble",
            "Institution Horizon;;;;;;\r\nListe des crédits au 31/12/2025;;;;;;\r\n;;;;;;\r\n" + table(),
            lines=[5, 6, 7],
            dialect={"header_line": 4},
        ),
        text(
            "title_of_one_cell",
            "Portefeuille de l'agence\r\n\r\n" + table(),
            lines=[4, 5, 6],
            dialect={"header_line": 3},
        ),
        text(
            "quoted_newlines",
            table().replace("D-002", '"D-\n002"'),
            rows=[ROWS[0], ("D-\n002", *ROWS[1][1:]), ROWS[2]],
        ),
        text(
            "quoted_separators",
            table().replace("D-002", '"D;""2"""'),
            rows=[ROWS[0], ('D;"2"', *ROWS[1][1:]), ROWS[2]],
        ),
        text(
            "stray_quote",
            table().replace("D-002", 'TV 5" neuve'),
            rows=[ROWS[0], ('TV 5" neuve', *ROWS[1][1:]), ROWS[2]],
        ),
        text("nul_bytes", table().replace("D-002", "D-\x00002\x00")),
        text("empty_lines_between", table().replace("D-002", ";;;;;;\r\n\r\nD-002"), lines=[2, 5, 6]),
        text(
            "short_rows_of_excel",
            "reference;age;revenu mensuel\na;25\nb;61;85000\n",
            rows=[("a", 25, None), ("b", 61, 85_000)],
            lines=[2, 3],
        ),
        text(
            "too_many_cells",
            table().replace("18,5;", "18,5;de trop;"),
            rows=[ROWS[0], (*ROWS[1][:6], None), ROWS[2]],
            errors=[(3, "", "too_many_cells"), (3, "Date", "not_date")],
        ),
        text("repeated_headers", "age;reference;age;age\n25;a;1;2\n", rows=[("a", 25)], lines=[2]),
        text("unnamed_columns", ";age;reference;\n1;25;a;note\n", rows=[("a", 25)], lines=[2]),
        text(
            "units_after_numbers",
            "reference;Revenu mensuel;duree;taux\na;1 500 000 FCFA;24 mois;8,43 %\n",
            rows=[("a", 1_500_000, 24, 8.43)],
            lines=[2],
        ),
        text(
            "what_is_missing_in_words",
            "reference;age;revenu\na;25;N/A\nb;30;-\nc;35;nan\n",
            rows=[("a", 25, None), ("b", 30, None), ("c", 35, None)],
        ),
        text(
            "excel_days",
            "reference;jour\na;45657\nb;45323\n",
            rows=[("a", dt.date(2024, 12, 31)), ("b", dt.date(2024, 2, 1))],
            lines=[2, 3],
        ),
        text(
            "months_by_name",
            "reference;jour\na;31 décembre 2024\nb;1-févr.-24\n",
            rows=[("a", dt.date(2024, 12, 31)), ("b", dt.date(2024, 2, 1))],
            lines=[2, 3],
        ),
        text(
            "thousands_by_a_comma_only",
            "reference\tmontant\na\t1,500\nb\t12,000\nc\t250,000\n",
            rows=[("a", None), ("b", 12_000), ("c", 250_000)],
            errors=[(2, "montant", "out_of_range")],
            dialect={"decimal": ".", "doubts": ("decimal",)},
        ),
        text(
            "decimals_of_three_digits",
            "reference;taux\na;12,125\nb;8,5\n",
            rows=[("a", 12.125), ("b", 8.5)],
            lines=[2, 3],
            dialect={"decimal": ",", "doubts": ()},
        ),
        text(
            "days_that_tell_nothing",
            "reference;jour\na;01/02/2024\nb;05/06/2024\n",
            rows=[("a", dt.date(2024, 2, 1)), ("b", dt.date(2024, 6, 5))],
            lines=[2, 3],
            dialect={"day_first": True, "doubts": ("day_first",)},
        ),
        text(
            "bad_cells",
            "reference;age;montant;jour\na;7;dix mille;31/02/2024\nb;30;20000;29/02/2024\n",
            rows=[("a", None, None, None), ("b", 30, 20_000, dt.date(2024, 2, 29))],
            lines=[2, 3],
            errors=[(2, "age", "out_of_range"), (2, "montant", "not_integer"), (2, "jour", "not_date")],
        ),
        text("one_column", "age\n25\n61\n", rows=[(25,), (61,)], lines=[2, 3]),
        text(
            "home_credit",
            "SK_ID_CURR,DAYS_BIRTH,AMT_INCOME_TOTAL,AMT_CREDIT\n100002,-9461,2025000.0,406597.0\n",
            rows=[("100002", 25, 168_750, 406_597)],
            lines=[2],
            dialect={"separator": ",", "decimal": "."},
        ),
        Awkward(
            "no_extension",
            lambda: "\n".join("|".join(row) for row in cells).encode(),
            rows=[("a", 25)],
            lines=[2],
        ),
    ]


def workbook(fill: Callable[[Any], None]) -> Callable[[], bytes]:
    def content() -> bytes:
        from openpyxl import Workbook

        book = Workbook()
        fill(book)
        target = io.BytesIO()
        book.save(target)
        return target.getvalue()

    return content


def _plain(book: Any) -> None:
    sheet = book.active
    sheet.append(HEADERS)
    for row in ROWS:
        sheet.append(row)


def _texts_in_cells(book: Any) -> None:
    sheet = book.active
    sheet.append(HEADERS)
    for reference, *numbers, day in ROWS:
        sheet.append([reference, *(amount(value, space=" ") for value in numbers), f"{day:%d/%m/%Y}"])


def _merged_title(book: Any) -> None:
    sheet = book.active
    sheet.append(["Portefeuille au 31/12/2025"])
    sheet.merge_cells("A1:G1")
    sheet.append([])
    sheet.append(HEADERS)
    for row in ROWS:
        sheet.append(row)


def _hidden_first(book: Any) -> None:
    book.active.append(["secret", "caché"])
    book.active.append(["x", "y"])
    book.active.sheet_state = "hidden"
    book.create_sheet("Vide")
    sheet = book.create_sheet("Crédits")
    sheet.append(HEADERS)
    for row in ROWS:
        sheet.append(row)


def _gaps(book: Any) -> None:
    sheet = book.active
    for place, header in enumerate(HEADERS, start=2):
        sheet.cell(row=3, column=place, value=header)
    for line, row in zip((5, 6, 9), ROWS, strict=True):
        for place, value in enumerate(row, start=2):
            sheet.cell(row=line, column=place, value=value)


def formulas() -> bytes:
    """Return a workbook whose amounts are formulas, as Excel saves them with their last values."""
    content = workbook(_plain)()
    source, target = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in source.infolist():
            data = source.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                data = data.replace(b"<v>500000</v>", b"<f>250000*2</f><v>500000</v>")
            packed.writestr(part, data)
    return target.getvalue()


def with_part(name: str, data: bytes, *, at: Callable[[bytes], bytes] = bytes) -> Callable[[], bytes]:
    """Return a plain workbook with one more part, or one changed."""

    def content() -> bytes:
        source, target = zipfile.ZipFile(io.BytesIO(workbook(_plain)())), io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
            for part in source.infolist():
                if part.filename != name:
                    packed.writestr(part, source.read(part))
            held = source.read(name) if name in source.namelist() else b""
            packed.writestr(name, data or at(held))
        return target.getvalue()

    return content


def workbooks() -> list[Awkward]:
    moved = {"lines": [5, 6, 9], "dialect": {"kind": "xlsx", "header_line": 3}}
    return [
        Awkward("plain.xlsx", workbook(_plain), dialect={"kind": "xlsx", "sheet": "Sheet", "doubts": ()}),
        Awkward("workbook_named.csv", workbook(_plain), dialect={"kind": "xlsx"}),
        Awkward(
            "texts_in_cells.xlsx", workbook(_texts_in_cells), dialect={"decimal": ",", "day_first": True}
        ),
        Awkward("formulas.xlsx", formulas),
        Awkward("merged_title.xlsx", workbook(_merged_title), lines=[4, 5, 6], dialect={"header_line": 3}),
        Awkward("hidden_first.xlsx", workbook(_hidden_first), dialect={"sheet": "Crédits"}),
        Awkward("moved.xlsx", workbook(_gaps), **moved),
        Awkward(
            "by_hand.xlsx",
            by_hand,
            rows=[("D 1", 25, dt.date(2024, 12, 31)), ("D 2", None, None)],
            lines=[4, 5],
            dialect={"sheet": "Données"},
        ),
        Awkward("external_link.xlsx", with_part("xl/externalLinks/externalLink1.xml", b"<externalLink/>")),
    ]


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHARED = (
    "<si><t>Référence</t></si>"
    "<si><r><rPr/><t>Â</t></r><r><t>ge</t></r><rPh sb='0' eb='1'><t>agé</t></rPh></si>"
    "<si><t>Date</t></si><si><t xml:space='preserve'>D 1</t></si>"
)
BY_HAND = (
    '<x:row><x:c t="s"><x:v>0</x:v></x:c><x:c t="s"><x:v>1</x:v></x:c><x:c t="s"><x:v>2</x:v></x:c></x:row>'
    '<x:row r="4"><x:c r="A4" t="s"><x:v>3</x:v></x:c><x:c r="B4"><x:v>2.5E1</x:v></x:c>'
    '<x:c r="C4" s="1"><x:f>TODAY()</x:f><x:v>44195</x:v></x:c></x:row>'
    '<x:row r="5"><x:c r="A5" t="str"><x:v>D 2</x:v></x:c><x:c r="C5" t="e"><x:v>#N/A</x:v></x:c></x:row>'
)


def by_hand(*, strings: str = SHARED, rows: str = BY_HAND) -> bytes:
    """Return a workbook as other programs write them: prefixes, shared texts, days counted from 1904."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<x:workbook xmlns:x="{MAIN}" xmlns:r="r"><x:workbookPr date1904="1"/>'
        '<x:sheets><x:sheet name="Données" r:id="a"/></x:sheets></x:workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="a" Target="/xl/worksheets/un.xml"/>'
        "</Relationships>",
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="170" formatCode="dd\\/mm"/>'
        '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs></styleSheet>',
        "xl/worksheets/un.xml": f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{rows}</x:sheetData>'
        "<x:mergeCells><x:mergeCell/></x:mergeCells></x:worksheet>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return target.getvalue()


def bomb() -> bytes:
    """Return a workbook of some kilobytes whose sheet takes 500 MB."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
            packed.writestr(name, "<x/>")
        with packed.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _block in range(500):
                sheet.write(b"0" * (1 << 20))
    return target.getvalue()


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s'
ENDLESS_ROW = SHEET % b'<row r="1">' + b"<c><v>1</v></c>" * 200_000
BACKWARDS = (
    SHEET % b'<row r="2"><c><v>1</v></c></row><row r="1"><c><v>1</v></c></row></sheetData></worksheet>'
)
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><sst>&b;</sst>'


def damaged() -> bytes:
    """Return the first half of a workbook, as a broken line leaves it."""
    return workbook(_plain)()[:2_000]


def wide(columns: int) -> bytes:
    return (";".join(f"colonne{n}" for n in range(columns)) + "\n" + "1;" * (columns - 1) + "1\n").encode()


def refusals() -> list[Awkward]:
    def content_types(held: bytes) -> bytes:
        return held.replace(b"spreadsheetml.sheet.main", b"sheet.macroEnabled.main")

    plain_zip = io.BytesIO()
    with zipfile.ZipFile(plain_zip, "w") as packed:
        packed.writestr("notes.txt", "rien")
    return [
        refused("empty.csv", b"", "file_empty"),
        refused("blank.csv", b"\xef\xbb\xbf\r\n \r\n", "file_empty"),
        refused("header_only.csv", table(rows=[]).encode(), "no_rows"),
        refused("pdf.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "file_not_a_table"),
        refused("exe.csv", b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff", "file_not_a_table"),
        refused("picture.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "file_not_a_table"),
        refused("page.csv", b"<!DOCTYPE html><html><body><table>", "file_not_a_table"),
        refused("noise.csv", bytes(range(256)) * 40, "file_not_a_table"),
        refused("zip.csv", plain_zip.getvalue(), "file_not_a_table"),
        refused(
            "old_or_encrypted.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file_encrypted_or_old"
        ),
        refused("damaged.xlsx", damaged, "file_damaged"),
        refused("bomb.xlsx", bomb, "workbook_too_large"),
        refused("macros.xlsm", with_part("xl/vbaProject.bin", b"\xd0\xcf"), "workbook_macros"),
        refused(
            "macros_told.xlsx", with_part("[Content_Types].xml", b"", at=content_types), "workbook_macros"
        ),
        refused("endless_row.xlsx", with_part("xl/worksheets/sheet1.xml", ENDLESS_ROW), "file_damaged"),
        refused("rows_backwards.xlsx", with_part("xl/worksheets/sheet1.xml", BACKWARDS), "file_damaged"),
        refused("strings_gone.xlsx", lambda: by_hand(strings="<si><t>x</t></si>"), "file_damaged"),
        refused("entities.xlsx", with_part("xl/sharedStrings.xml", ENTITIES), "workbook_unsafe"),
        refused("columns.csv", lambda: wide(50_000), "too_many_columns"),
        refused("many_columns.csv", lambda: wide(1_000_000), "too_many_columns"),
        refused("cell.csv", lambda: b"reference;age\n" + b"x" * 10_000_000 + b";25\n", "cell_too_long"),
        refused("quoted_cell.csv", lambda: b'reference;age\n"' + b"x\n" * 1_500 + b'";25\n', "cell_too_long"),
        refused(
            "cell_of_2001.csv", lambda: b"reference;age\na;25\n" + b"x" * 2_001 + b";25\n", "cell_too_long"
        ),
        refused(
            "quote_never_closed.csv",
            lambda: b'reference;age\n"a;25\n' + b"bbbbbb;25\n" * 30_000,
            "cell_too_long",
        ),
        refused("rows.csv", lambda: b"age;montant\n" + b"25;50000\n" * 1_000_001, "too_many_rows"),
    ]


def corpus() -> list[Awkward]:
    return [*texts(), *workbooks(), *refusals()]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for each in corpus():
        (folder / each.name).write_bytes(each.content())
