"""A portfolio written in any dress reads back equal."""

import csv
import datetime as dt
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.dictionary import STANDARD
from tests.files.test_corpus import KNOWN, read

HEADERS = {
    "reference": ["Référence", "reference", "RÉFÉRENCE", " Référence "],
    "age": ["Âge", "AGE", "âge client", "Age (ans)", "Client age"],
    "revenu_mensuel": ["Revenu mensuel", "revenu_mensuel", "REVENU MENSUEL", "Monthly income", "Salaire"],
    "montant_credit": ["Montant du crédit", "montant_credit", "MONTANT", "Loan amount", "Montant du prêt"],
    "duree_mois": ["Durée (mois)", "duree_mois", "DURÉE", "Loan term", "Durée du crédit"],
    "taux_interet": ["Taux d'intérêt annuel", "taux_interet", "TAUX", "Interest rate", "Taux d’intérêt"],
    "jour": ["Date", "jour", "DATE"],
}
LETTERS = st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\ufeff")
#: Of Windows-1252, letters that are not, two by two, those of another encoding.
PLAIN = st.sampled_from("abcdefghij KLMNOPQ éèàçùÉÀÔ -_#@=+;,|\t\"'\n")


@dataclass(frozen=True)
class Dress:
    encoding: str
    separator: str
    mark: str
    thousands: str
    date: str
    quoting: int
    end: str
    title: int

    def cell(self, value):
        if value is None:
            return ""
        if isinstance(value, int):
            return f"{value:,}".replace(",", self.thousands)
        if isinstance(value, float):
            return f"{value:.2f}".replace(".", self.mark)
        return f"{value:{self.date}}" if isinstance(value, dt.date) else value


@st.composite
def dresses(draw):
    mark = draw(st.sampled_from(",."))
    return Dress(
        encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"])),
        separator=draw(st.sampled_from(";,\t|")),
        mark=mark,
        thousands=draw(st.sampled_from(["", " ", "\u00a0", "'", "." if mark == "," else ","])),
        date=draw(st.sampled_from(["%d/%m/%Y", "%d-%m-%y", "%Y-%m-%d", "%d.%m.%Y"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        end=draw(st.sampled_from(["\r\n", "\n"])),
        title=draw(st.integers(0, 3)),
    )


def portfolios(letters):
    references = st.text(letters, max_size=12).map(lambda text: ("D" + text).strip())
    row = st.tuples(
        references,
        st.integers(18, 80),
        st.none() | st.integers(0, 100_000_000),
        st.integers(10_000, 500_000_000),
        st.integers(1, 120),
        st.integers(0, 12_000).map(lambda hundredths: hundredths / 100),
        st.dates(dt.date(1990, 1, 1), dt.date(2030, 12, 31)),
    )
    return st.lists(row, min_size=1, max_size=25)


def written(rows, headers, dress):
    target = io.StringIO(newline="")
    for number in range(dress.title):
        target.write(f"Portefeuille de l'agence {number}{dress.end}")
    writer = csv.writer(target, delimiter=dress.separator, quoting=dress.quoting, lineterminator=dress.end)
    writer.writerow(headers)
    writer.writerows([dress.cell(value) for value in row] for row in rows)
    return target.getvalue().encode(dress.encoding)


@settings(deadline=None)  # reads a file, however busy the machine
@given(data=st.data(), dress=dresses(), size=st.sampled_from([1, 7, 20_000]))
def test_a_portfolio_in_any_dress_reads_back_equal(data, dress, size):
    rows = data.draw(portfolios(PLAIN if dress.encoding == "cp1252" else LETTERS | PLAIN))
    headers = [data.draw(st.sampled_from(HEADERS[name])) for name in HEADERS]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "portefeuille.csv"
        path.write_bytes(written(rows, headers, dress))
        found, read_rows, lines, errors = read(path, size=size)

    assert errors == []
    assert read_rows == [tuple(row[:1]) + tuple(row[1:]) for row in rows]
    assert lines == list(range(dress.title + 2, dress.title + 2 + len(rows)))
    assert found.rows == len(rows)


def test_every_field_of_the_round_trip_is_known():
    assert set(HEADERS) == {field.name for field in KNOWN}
    assert set(HEADERS) - {"reference", "jour"} <= set(STANDARD)
