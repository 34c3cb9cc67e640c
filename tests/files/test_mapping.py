"""Headers find their fields, units are asked about and never assumed."""

import datetime as dt

import polars as pl
import pytest

from apps.engine.dictionary import PREDICT_VARIABLES, STANDARD
from apps.files.reading.dialects import Dialect
from apps.files.reading.fields import SYNONYMS, dictionary_fields
from apps.files.reading.mapping import Conversion, Field, Match, missing_fields, propose
from apps.files.reading.units import suspicions
from apps.files.reading.values import typed

FIELDS = dictionary_fields()
LEDGER = [
    Field("reference", "Référence du client", "text", required=True, synonyms=("numéro client", "matricule")),
    Field("defaut", "Défaut constaté", "boolean"),
    Field("mensualite", "Mensualité", "amount"),
]


def found(*headers, fields=FIELDS, **how):
    return {match.header: match for match in propose(headers, fields, **how)}


def test_the_exact_names_are_found():
    matches = propose(PREDICT_VARIABLES, FIELDS)
    assert [match.field for match in matches] == list(PREDICT_VARIABLES)
    assert all(match.certain and match.why == "name" for match in matches)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("ÂGE", "age"),
        ("age (ans)", "age"),
        ("Revenu Mensuel", "revenu_mensuel"),
        ("REVENU-MENSUEL", "revenu_mensuel"),
        ("MonthlyIncome", "revenu_mensuel"),
        ("Salaire net", "revenu_mensuel"),
        ("Montant du prêt", "montant_credit"),
        ("Loan amount", "montant_credit"),
        ("Durée (mois)", "duree_mois"),
        ("Taux d’intérêt annuel", "taux_interet"),
        ("Situation matrimoniale", "situation_familiale"),
        ("Type de prêt", "type_credit"),
        ("Retards 30 jours", "nb_retards_30j"),
        ("  Personnes à charge ", "personnes_a_charge"),
    ],
)
def test_names_in_french_and_in_english(header, field):
    match = found(header)[header]
    assert (match.field, match.certain) == (field, True)


def test_no_synonym_is_claimed_twice():
    claimed = [
        (text.casefold(), name)
        for name, texts in SYNONYMS.items()
        for text in texts
    ]  # fmt: skip
    assert len({text for text, _name in claimed}) == len(claimed)
    assert set(SYNONYMS) <= set(STANDARD.names)


def test_the_columns_of_home_credit_come_with_their_conversions():
    matches = found(
        "SK_ID_CURR", "TARGET", "CODE_GENDER", "CNT_CHILDREN", "AMT_INCOME_TOTAL", "AMT_CREDIT",
        "AMT_ANNUITY", "NAME_FAMILY_STATUS", "DAYS_BIRTH", "DAYS_EMPLOYED", "OCCUPATION_TYPE",
        fields=[*FIELDS, *LEDGER],
    )  # fmt: skip
    assert {
        header: (match.field, match.conversion.value, match.certain) for header, match in matches.items()
    } == {
        "SK_ID_CURR": ("reference", "", True),
        "TARGET": ("defaut", "", True),
        "CODE_GENDER": ("sexe", "", True),
        "CNT_CHILDREN": ("personnes_a_charge", "", False),
        "AMT_INCOME_TOTAL": ("revenu_mensuel", "annual_to_monthly", True),
        "AMT_CREDIT": ("montant_credit", "", True),
        "AMT_ANNUITY": ("mensualite", "", True),
        "NAME_FAMILY_STATUS": ("situation_familiale", "", True),
        "DAYS_BIRTH": ("age", "days_to_years", True),
        "DAYS_EMPLOYED": ("anciennete_travail_mois", "days_to_months", True),
        "OCCUPATION_TYPE": (None, "", True),
    }


@pytest.mark.parametrize(
    ("header", "field", "conversion"),
    [
        ("Revenu annuel", "revenu_mensuel", Conversion.ANNUAL_TO_MONTHLY),
        ("Revenu annuel (FCFA)", "revenu_mensuel", Conversion.ANNUAL_TO_MONTHLY),
        ("Annual income", "revenu_mensuel", Conversion.ANNUAL_TO_MONTHLY),
        ("Ancienneté (années)", "anciennete_travail_mois", Conversion.YEARS_TO_MONTHS),
        ("Durée en années", "duree_mois", Conversion.YEARS_TO_MONTHS),
        ("Durée en mois", "duree_mois", Conversion.NONE),
        ("nb_retards_90j", "nb_retards_90j", Conversion.ARREARS_CODES),
    ],
)
def test_a_unit_that_the_header_tells(header, field, conversion):
    match = found(header)[header]
    assert (match.field, match.conversion, match.certain) == (field, conversion, True)


def test_what_merely_looks_like_a_name_is_not_certain():
    matches = found("Montnat du crédit", "Date de naissance", "N° de dossier")
    assert (matches["Montnat du crédit"].field, matches["Montnat du crédit"].certain) == (
        "montant_credit",
        False,
    )
    birth = matches["Date de naissance"]
    assert (birth.field, birth.conversion, birth.certain) == ("age", Conversion.BIRTH_TO_AGE, False)
    assert (matches["N° de dossier"].field, matches["N° de dossier"].why) == (None, "unknown")


def test_a_field_is_given_to_one_column_only_the_surest():
    matches = found("Montant", "montant_credit", "Loan amount")
    assert [match.field for match in matches.values()] == [None, "montant_credit", None]


def test_what_was_settled_before_comes_first():
    matches = found(
        "Montant", "Colonne X", "Âge", remembered={"colonne x": "montant_credit", "age": "", "z": "gone"}
    )
    assert [(match.field, match.why) for match in matches.values()] == [
        (None, "unknown"),
        ("montant_credit", "remembered"),
        (None, "remembered"),
    ]


def test_required_fields_without_a_column_are_told():
    matches = propose(["Âge", "Montant", "Taux"], FIELDS)
    assert [field.name for field in missing_fields(matches, FIELDS)] == ["duree_mois", "type_credit"]


def asked(**columns):
    """Return the questions about columns of numbers, each named as its field."""
    texts = {
        name: pl.Series([str(value).replace(".", ",") for value in cells]) for name, cells in columns.items()
    }
    matches = [Match(name, name) for name in columns]
    sample = typed(pl.DataFrame(texts), matches, FIELDS, Dialect("csv"))
    return {each.header: each for each in suspicions(sample, matches)}


AMOUNTS = {"montant_credit": [300_000, 500_000] * 10, "duree_mois": [12, 24] * 10}


def test_an_income_of_a_year_is_asked_about():
    found = asked(revenu_mensuel=[1_500_000, 2_000_000] * 10, **AMOUNTS)
    assert set(found) == {"revenu_mensuel"}
    suspicion = found["revenu_mensuel"]
    assert suspicion.conversion is Conversion.ANNUAL_TO_MONTHLY
    assert suspicion.evidence == {
        "rows": 20,
        "median": 1_750_000,
        "maximum": 2_000_000,
        "effort": pytest.approx((300_000 / 12 / 1_500_000 + 500_000 / 24 / 2_000_000) / 2),
    }
    assert "1\u202f750\u202f000" in suspicion.question()


def test_an_income_of_a_month_is_not():
    assert asked(revenu_mensuel=[125_000, 170_000] * 10, **AMOUNTS) == {}


@pytest.mark.parametrize(
    ("field", "cells", "conversion"),
    [
        ("revenu_mensuel", [3_000_000] * 20, Conversion.ANNUAL_TO_MONTHLY),
        ("anciennete_travail_mois", [1, 2.5, 4, 10, 22] * 4, Conversion.YEARS_TO_MONTHS),
        ("anciennete_travail_mois", [-637, -1188, -225] * 5, Conversion.DAYS_TO_MONTHS),
        ("duree_mois", [1, 2, 3] * 5, Conversion.YEARS_TO_MONTHS),
        ("age", [-9461, -16765, -19046] * 5, Conversion.DAYS_TO_YEARS),
        ("taux_interet", [0.12, 0.24, 0.18] * 5, Conversion.FRACTION_TO_PERCENT),
        ("taux_endettement", [0.25, 0.4, 1.2] * 5, Conversion.FRACTION_TO_PERCENT),
        ("ratio_dette_revenu", [35, 48, 120] * 5, Conversion.PERCENT_TO_FRACTION),
    ],
)
def test_other_units_are_asked_about(field, cells, conversion):
    found = asked(**{field: cells})
    assert [each.conversion for each in found.values()] == [conversion]
    assert field in found[field].question()


@pytest.mark.parametrize(
    ("field", "cells"),
    [
        ("revenu_mensuel", [130_000] * 20),
        ("anciennete_travail_mois", [3, 18, 48, 120] * 5),
        ("duree_mois", [6, 12, 24] * 5),
        ("age", [25, 40, 61] * 5),
        ("taux_interet", [12, 24, 18] * 5),
        ("taux_endettement", [25.5, 40, 33] * 5),
        ("ratio_dette_revenu", [0.35, 0.48, 1.2] * 5),
        ("taux_interet", [0.12, 0.24]),
    ],
)
def test_usual_figures_raise_no_question(field, cells):
    assert asked(**{field: cells}) == {}


def test_a_unit_that_was_settled_is_not_asked_about_again():
    frame = pl.DataFrame({"Ancienneté": pl.Series(["1", "2", "5"] * 5)})
    match = Match("Ancienneté", "anciennete_travail_mois", certain=False)
    settled = match.replaced(conversion=Conversion.YEARS_TO_MONTHS)
    assert settled.certain
    assert suspicions(typed(frame, [settled], FIELDS, Dialect("csv")), [settled]) == []


def test_the_portfolio_of_the_demonstration_raises_no_question():
    from apps.demo.synthetic.portfolio import generate

    applications = generate(rows=300, as_of=dt.date(2026, 11, 21), seed=5).applications
    names = [name for name in PREDICT_VARIABLES if STANDARD[name].type != "category"]
    columns = {name: [value for value in applications[name] if value == value] for name in names}  # noqa: PLR0124  not NaN
    shortest = min(map(len, columns.values()))
    assert asked(**{name: cells[:shortest] for name, cells in columns.items()}) == {}
