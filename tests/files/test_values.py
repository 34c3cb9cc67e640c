"""Columns to values: what a cell may hold is what a form takes, and what only files hold is read too."""

import datetime as dt
import math
import re

import polars as pl
import pytest
from django.utils import timezone, translation
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.engine.dictionary import STANDARD
from apps.files.reading.dialects import Dialect
from apps.files.reading.fields import dictionary_fields
from apps.files.reading.mapping import Conversion, Field, Match
from apps.files.reading.values import MISSING, refused_rows, typed
from apps.files.reading.wording import advice, sentence

FIELDS = {field.name: field for field in dictionary_fields()}
COMMA, POINT = Dialect("csv", decimal=","), Dialect("csv", decimal=".")


def read(field, *cells, dialect=COMMA, conversion=Conversion.NONE):
    """Return the values of one column and its errors as (row, value, code)."""
    frame = pl.DataFrame({"Colonne": pl.Series(cells, dtype=pl.String)})
    found = typed(frame, [Match("Colonne", field.name, conversion)], [field], dialect)
    return found.columns[field.name].to_list(), found.errors.select("row", "value", "code").rows()


def values(field, *cells, **how):
    found, errors = read(field, *cells, **how)
    assert errors == []
    return found


CELLS = st.one_of(
    st.integers(-10, 10**10).map(str),
    st.floats(-10, 1e6, allow_nan=False).map(lambda number: f"{number:.2f}".replace(".", ",")),
    st.integers(0, 10**9).map(lambda number: f"{number:,}".replace(",", "\u202f")),
    st.sampled_from(
        [
            "12.0",
            "12,5",
            " 7 ",
            "+5",
            "1e5",
            "1_0",
            "inf",
            "0x1",
            "5.",
            ".5",
            "15 00",
            "٣",
            "²",
            "--1",
            "1 2",
            "9" * 41,
        ]
    ),
    st.sampled_from(
        [
            "CDI",
            "cdi",
            "Independant",
            "INDÉPENDANTE",
            "femme",
            "Mariée",
            "h",
            "fdr",
            "inconnue !",
            "Célibataire",
        ]
    ),
    st.text(st.characters(exclude_categories=["C", "Z"]), max_size=6),
)
#: Marks of thousands, units after a number.
ONLY_IN_FILES = re.compile(
    r"\d[.,'’]\d{3}|\d\s*(f|fcfa|frs?|xaf|cfa|%|mois|months?|ans?|years?|km)\.?\s*$", re.IGNORECASE
)


@given(cell=CELLS, name=st.sampled_from(STANDARD.names))
def test_a_cell_holds_what_a_form_takes(cell, name):
    field, variable = FIELDS[name], STANDARD[name]
    assume(not ONLY_IN_FILES.search(cell) and cell.strip().lower() not in MISSING[1:])
    cleaned = STANDARD.clean({name: cell})
    problems = [problem for problem in cleaned.problems if problem.field == name]
    (value,), errors = read(field, cell, dialect=POINT if field.kind == "decimal" else COMMA)

    assert value == cleaned.values.get(name)
    assert [code for _row, _value, code in errors] == [problem.code for problem in problems]
    for (_row, _value, code), problem in zip(errors, problems, strict=True):
        assert sentence(code, "", field) == problem.text("fr")
    assert variable.name == field.name


def test_the_sentences_are_those_of_a_form():
    assert sentence("out_of_range", "", FIELDS["age"]) == "L'âge doit être compris entre 18 et 80 ans."
    with translation.override("en"):
        assert sentence("out_of_range", "", FIELDS["age"]) == STANDARD.clean({"age": 7}).problems[0].text(
            "en"
        )


@pytest.mark.parametrize(
    ("cell", "dialect", "value"),
    [
        ("1 500 000", COMMA, 1_500_000),
        ("1\u00a0500\u00a0000", COMMA, 1_500_000),
        ("1\u202f500\u202f000", COMMA, 1_500_000),
        ("1'500'000", COMMA, 1_500_000),
        ("1’500’000", COMMA, 1_500_000),
        ("1.500.000", COMMA, 1_500_000),
        ("1,500,000", COMMA, 1_500_000),
        ("1.500", COMMA, 1_500),
        ("1,500", POINT, 1_500),
        ("1.500,00", POINT, 1_500),
        ("1,500.00", COMMA, 1_500),
        ("1 500 000 FCFA", COMMA, 1_500_000),
        ("1 500 000 F CFA", COMMA, 1_500_000),
        ("1500000XAF", COMMA, 1_500_000),
        ("250000,0", COMMA, 250_000),
        ("+250000", COMMA, 250_000),
    ],
)
def test_amounts_as_people_write_them(cell, dialect, value):
    assert values(FIELDS["revenu_mensuel"], cell, dialect=dialect) == [value]


@pytest.mark.parametrize(
    ("cell", "dialect", "value"),
    [
        ("36,2", COMMA, 36.2),
        ("36.2", COMMA, 36.2),
        ("36,2", POINT, 36.2),
        ("0.125", COMMA, 0.125),
        ("0,125", POINT, 0.125),
        ("1,500", COMMA, 1.5),
        ("1.500", POINT, 1.5),
        ("8,43 %", COMMA, 8.43),
        ("8,43\u00a0%", COMMA, 8.43),
    ],
)
def test_rates_as_people_write_them(cell, dialect, value):
    assert values(FIELDS["taux_interet"], cell, dialect=dialect) == [value]


@pytest.mark.parametrize(
    "cell", ["1,5", "douze", "1e6", "12 50", "1.5000.000", "1 500 00", "--3", "12 mois ou plus"]
)
def test_what_is_no_whole_number_is_refused(cell):
    assert read(FIELDS["duree_mois"], cell) == ([None], [(0, cell, "not_integer")])


def test_a_number_too_large_for_any_column_is_out_of_range():
    huge = "9" * 30
    assert read(FIELDS["revenu_mensuel"], huge) == ([None], [(0, huge, "out_of_range")])


@pytest.mark.parametrize("cell", [None, "", "  ", "-", "N/A", "#N/A", "nan", "NULL", "n.d."])
def test_what_is_missing_is_missing(cell):
    assert values(FIELDS["revenu_mensuel"], cell) == [None]
    assert values(FIELDS["sexe"], cell) == [None]
    assert read(FIELDS["duree_mois"], cell) == ([None], [(0, cell or "", "required")])


def test_codes_are_read_without_case_nor_accents():
    cells = ("Mariée", "MARIE", "veuve", "Single / not married", "union libre", "Civil marriage")
    assert values(FIELDS["situation_familiale"], *cells) == [
        "marie", "marie", "veuf", "celibataire", "union_libre", "union_libre",
    ]  # fmt: skip
    assert read(FIELDS["type_credit"], "Crédit agricole", "Vacances") == (
        ["agricole", None],
        [(1, "Vacances", "not_in_list")],
    )


DAY = Field("jour", "Jour", "date")
BIRTH = Field("naissance", "Naissance", "date", past=True)


@pytest.mark.parametrize(
    ("cell", "day_first", "date"),
    [
        ("31/12/2024", True, (2024, 12, 31)),
        ("1/2/2024", True, (2024, 2, 1)),
        ("1/2/2024", False, (2024, 1, 2)),
        ("31-12-24", True, (2024, 12, 31)),
        ("31.12.2024", True, (2024, 12, 31)),
        ("2024-12-31", True, (2024, 12, 31)),
        ("2024/12/31", False, (2024, 12, 31)),
        ("2024-12-31 10:30:00", True, (2024, 12, 31)),
        ("2024-12-31T10:30:00Z", True, (2024, 12, 31)),
        ("31/12/2024 08:00", True, (2024, 12, 31)),
        ("45657", True, (2024, 12, 31)),
        ("45657.5", True, (2024, 12, 31)),
        ("1er mars 2024", True, (2024, 3, 1)),
        ("12-janv.-24", True, (2024, 1, 12)),
        ("5 février 2024", True, (2024, 2, 5)),
        ("29/02/2024", True, (2024, 2, 29)),
        ("12/05/65", True, (1965, 5, 12)),
    ],
)
def test_dates_as_people_write_them(cell, day_first, date):
    assert values(DAY, cell, dialect=Dialect("csv", day_first=day_first)) == [dt.date(*date)]


@pytest.mark.parametrize(
    "cell", ["31/02/2024", "29/02/2023", "13/13/2024", "hier", "0000-00-00", "12/2024", "99999"]
)
def test_what_is_no_date_is_refused(cell):
    assert read(DAY, cell) == ([None], [(0, cell, "not_date")])


def test_a_birth_is_in_the_past():
    tomorrow = f"{timezone.localdate() + dt.timedelta(days=1):%d/%m/%Y}"
    assert read(BIRTH, tomorrow, "15/08/31") == ([None, dt.date(1931, 8, 15)], [(0, tomorrow, "in_future")])


def test_yes_and_no_in_many_ways():
    field = Field("accord", "Accord", "boolean")
    assert read(field, "Oui", "NON", "1", "0", "Vrai", "peut-être", None) == (
        [True, False, True, False, True, None, None],
        [(5, "peut-être", "not_boolean")],
    )


def test_a_text_is_kept_within_its_length():
    field = Field("nom", "Nom", "text", longest=5, required=True)
    assert read(field, " Awa ", "Na", "Mbarga", " ") == (
        ["Awa", "Na", None, None],
        [(2, "Mbarga", "too_long"), (3, " ", "required")],
    )


@pytest.mark.parametrize(
    ("name", "conversion", "cells", "expected"),
    [
        ("age", Conversion.DAYS_TO_YEARS, ("-9461", "-20000"), [25, 54]),
        ("revenu_mensuel", Conversion.ANNUAL_TO_MONTHLY, ("202500", "1 200 000"), [16_875, 100_000]),
        ("anciennete_travail_mois", Conversion.YEARS_TO_MONTHS, ("2,5", "10 ans"), [30, 120]),
        ("anciennete_travail_mois", Conversion.DAYS_TO_MONTHS, ("-637", "365243"), [20, None]),
        ("taux_endettement", Conversion.FRACTION_TO_PERCENT, ("0,07", "0,33"), [7.0, 33.0]),
        ("ratio_dette_revenu", Conversion.PERCENT_TO_FRACTION, ("45 %", "7"), [0.45, 0.07]),
        ("nb_retards_30j", Conversion.ARREARS_CODES, ("0", "96", "98", "97"), [0, None, None, 97]),
        ("nb_retards_30j", Conversion.ARREARS_CODES, ("0.0", "96,0", "98.0", "2"), [0, None, None, 2]),
    ],
)
def test_conversions(name, conversion, cells, expected):
    assert values(FIELDS[name], *cells, conversion=conversion) == expected


def test_ranges_are_those_of_the_converted_value():
    assert read(FIELDS["age"], "-3000", "25", conversion=Conversion.DAYS_TO_YEARS) == (
        [None, None],
        [(0, "-3000", "out_of_range"), (1, "25", "out_of_range")],
    )


def test_a_birth_gives_an_age():
    today = timezone.localdate()
    birthday = dt.date(today.year - 30, today.month, today.day)
    cells = [f"{day:%d/%m/%Y}" for day in (birthday, birthday + dt.timedelta(days=1))]
    assert values(FIELDS["age"], *cells, conversion=Conversion.BIRTH_TO_AGE) == [30, 29]


def test_errors_come_in_the_order_of_the_rows_and_tell_the_column():
    frame = pl.DataFrame({"Durée": ["x", "12", None], "Âge": ["25", "7", "30"], "Autre": ["a", "b", "c"]})
    matches = [Match("Durée", "duree_mois"), Match("Âge", "age"), Match("Autre", None)]
    found = typed(frame, matches, list(FIELDS.values()), COMMA)

    assert found.errors.rows() == [
        (0, "Durée", "x", "not_integer", ""),
        (1, "Âge", "7", "out_of_range", ""),
        (2, "Durée", "", "required", ""),
    ]
    assert refused_rows(found, 3).to_list() == [True, True, True]
    assert set(found.columns) == {"duree_mois", "age"}
    assert [found.columns[name].dtype for name in ("duree_mois", "age")] == [pl.Int64, pl.Int64]


def test_no_row_gives_no_error():
    frame = pl.DataFrame({"Âge": pl.Series([], dtype=pl.String)})
    found = typed(frame, [Match("Âge", "age")], list(FIELDS.values()), COMMA)
    assert (found.columns["age"].len(), found.errors.height) == (0, 0)


def test_each_code_has_its_sentence_and_its_advice():
    field = Field("jour", "Jour", "date", minimum=1, maximum=3, codes={"a": "A"})
    codes = "required not_integer not_number out_of_range not_in_list not_date in_future not_boolean too_long"
    for code in codes.split():
        assert "Jour" in sentence(code, "", field)
        assert advice(code)
    assert "5" in sentence("too_many_cells", '{"cells": 5, "columns": 4}', None)


def test_nothing_that_is_not_finite_passes():
    found, _errors = read(FIELDS["taux_interet"], "inf", "1" + "0" * 39, "NaN")
    assert not any(value is not None and not math.isfinite(value) for value in found)
