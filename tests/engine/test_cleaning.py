"""What the dictionary accepts, how it stores it, and what it says of the rest."""

import math
from decimal import Decimal

import numpy as np
import pytest

from apps.engine.dictionary import STANDARD, Dictionary, Variable

GOOD = {
    "age": 36,
    "montant_credit": 500_000,
    "duree_mois": 12,
    "taux_interet": 24,
    "type_credit": "consommation",
}


def cleaned(**changes):
    return STANDARD.clean({**GOOD, **changes})


def only_problem(**changes):
    found = cleaned(**changes).problems
    assert len(found) == 1
    return found[0]


def test_a_good_application_is_stored_as_it_is():
    found = cleaned()
    assert found.ok
    assert found.values == {**GOOD, "taux_interet": 24.0}


@pytest.mark.parametrize(
    "value", [12, 12.0, "12", " 12 ", "12.0", "12,0", Decimal(12), np.int64(12), np.float64(12)]
)
def test_whole_numbers_are_accepted_however_they_are_written(value):
    stored = cleaned(duree_mois=value).values["duree_mois"]
    assert stored == 12
    assert type(stored) is int


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        12.5,
        "12.5",
        math.nan,
        math.inf,
        -math.inf,
        "abc",
        "nan",
        "1e1",
        "1_2",
        "١٢",
        [12],
        {},
        Decimal("NaN"),
        "9" * 5000,
        "1 2",
        b"12",
        np.bool_(1),
    ],
)
def test_what_is_no_whole_number_is_refused(value):
    problem = only_problem(duree_mois=value)
    assert (problem.field, problem.code) == ("duree_mois", "not_integer")
    assert problem.text("fr") == "La durée du crédit doit être un nombre entier."
    assert problem.text("en") == "Loan term must be a whole number."


@pytest.mark.parametrize("value", [36.2, "36.2", "36,2", Decimal("36.2")])
def test_decimals_are_accepted_with_point_or_comma(value):
    assert cleaned(taux_endettement=value).values["taux_endettement"] == 36.2


@pytest.mark.parametrize("value", [True, math.nan, math.inf, "abc", 10**400, "1e3", object()])
def test_what_is_no_number_is_refused(value):
    problem = only_problem(taux_endettement=value)
    assert problem.code == "not_number"
    assert problem.text("fr") == "Le taux d'endettement doit être un nombre."


@pytest.mark.parametrize("text", ["1 500 000", "1\u00a0500\u00a0000", "1\u202f500\u202f000", "1500000"])
def test_amounts_may_be_typed_with_spaces(text):
    assert cleaned(montant_credit=text).values["montant_credit"] == 1_500_000


@pytest.mark.parametrize(
    ("name", "limits"),
    [(v.name, (v.minimum, v.maximum)) for v in STANDARD.values() if v.type != "category"],
)
def test_limits_are_inside_and_beyond_them_is_refused(name, limits):
    low, high = limits
    for inside in limits:
        assert cleaned(**{name: inside}).ok
    step = 1 if STANDARD[name].type == "integer" else 0.001
    for outside in (low - step, high + step):
        assert only_problem(**{name: outside}).code == "out_of_range"


@pytest.mark.parametrize("age", [17, 81])
def test_the_age_sentence(age):
    problem = only_problem(age=age)
    assert problem.text("fr") == "L'âge doit être compris entre 18 et 80 ans."
    assert problem.text("en") == "Age must be between 18 and 80 years."
    assert problem.params == {"minimum": 18, "maximum": 80}


def test_range_sentences_carry_units_thousands_and_agreement():
    spaced = "100\u202f000\u202f000\u202fFCFA"
    assert (
        only_problem(revenu_mensuel=-1).text("fr")
        == f"Le revenu mensuel doit être compris entre 0 et {spaced}."
    )
    assert (
        only_problem(mensualites_en_cours=-1).text("fr")
        == f"Les mensualités en cours doivent être comprises entre 0 et {spaced}."
    )
    assert (
        only_problem(montant_credit=1).text("en")
        == "Loan amount must be between XAF 10,000 and XAF 500,000,000."
    )
    assert (
        only_problem(taux_endettement=301).text("fr")
        == "Le taux d'endettement doit être compris entre 0 et 300\u202f%."
    )


@pytest.mark.parametrize(
    ("name", "typed", "stored"),
    [
        ("sexe", "Femme", "F"),
        ("sexe", "homme", "M"),
        ("sexe", "f", "F"),
        ("situation_familiale", "Mariée", "marie"),
        ("situation_familiale", "Célibataire", "celibataire"),
        ("situation_familiale", "UNION LIBRE", "union_libre"),
        ("situation_familiale", "veuve", "veuf"),
        ("type_contrat_travail", "Independant", "Indépendant"),
        ("type_contrat_travail", "indépendante", "Indépendant"),
        ("type_contrat_travail", "cdi", "CDI"),
        ("type_contrat_travail", "INFORMEL", "Informel"),
        ("type_credit", "Fonds de roulement", "fonds_de_roulement"),
        ("type_credit", "Équipement", "equipement"),
        ("secteur", "moto-taxi", "moto_taxi"),
        ("formation_credit", "Yes", "oui"),
    ],
)
def test_codes_are_matched_without_case_or_accents_and_stored_canonical(name, typed, stored):
    assert cleaned(**{name: typed}).values[name] == stored


@pytest.mark.parametrize("value", ["X", 1, True, ["F"], "Fe"])
def test_a_code_outside_the_list_is_refused_with_the_list(value):
    problem = only_problem(sexe=value)
    assert problem.code == "not_in_list"
    assert problem.params == {"allowed": ("F", "M")}
    assert problem.text("fr") == "Le sexe doit être l'une de ces valeurs\u00a0: F (Femme), M (Homme)."
    assert problem.text("en") == "Sex must be one of: F (Female), M (Male)."


@pytest.mark.parametrize("name", [v.name for v in STANDARD.values() if v.required])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_required_value_must_be_there(name, value):
    assert only_problem(**{name: value}).code == "required"


def test_required_sentences():
    assert only_problem(duree_mois=None).text("fr") == "La durée du crédit est obligatoire."
    assert only_problem(age=None).text("en") == "Age: a value is required."


def test_missing_stays_missing():
    found = cleaned(revenu_mensuel=None, nb_retards_30j="")
    assert found.ok
    assert found.values.keys() == GOOD.keys()


def test_a_zero_is_no_missing_value():
    assert cleaned(nb_retards_30j=0).values["nb_retards_30j"] == 0


def test_an_unknown_field_is_an_error():
    problem = only_problem(salaire=1)
    assert (problem.field, problem.code) == ("salaire", "unknown_field")
    assert problem.text("fr") == "Le champ «\u00a0salaire\u00a0» n'est pas connu."
    assert problem.text("en") == "The field “salaire” is not known."


def test_all_problems_are_told_at_once():
    found = STANDARD.clean({"age": 17, "sexe": "X", "foo": 1})
    assert {(p.field, p.code) for p in found.problems} == {
        ("age", "out_of_range"),
        ("sexe", "not_in_list"),
        ("foo", "unknown_field"),
        ("montant_credit", "required"),
        ("duree_mois", "required"),
        ("taux_interet", "required"),
        ("type_credit", "required"),
    }


@pytest.mark.parametrize(
    ("arrears", "warned"),
    [
        ((3, 2, 1), False),
        ((2, 2, 2), False),
        ((1, 2, 0), True),
        ((0, 0, 1), True),
        ((1, None, 2), True),
        ((2, None, 1), False),
        ((None, None, None), False),
    ],
)
def test_arrears_must_be_cumulative(arrears, warned):
    found = cleaned(**dict(zip(("nb_retards_30j", "nb_retards_60j", "nb_retards_90j"), arrears, strict=True)))
    assert found.ok
    assert found.warnings == (("retards_incoherents",) if warned else ())


def test_a_variable_added_at_run_time_is_checked_and_worded_like_the_others():
    courses = Variable(
        "nb_formations_gestion",
        "integer",
        "Formations suivies",
        "Courses attended",
        "count",
        0,
        50,
        direction="down",
    )
    extended = Dictionary((*STANDARD.values(), courses))
    assert extended.clean({**GOOD, "nb_formations_gestion": "3"}).values["nb_formations_gestion"] == 3
    problem = extended.clean({**GOOD, "nb_formations_gestion": 51}).problems[0]
    expected = "La valeur de «\u00a0Formations suivies\u00a0» doit être comprise entre 0 et 50."
    assert problem.text("fr") == expected
    assert problem.text("en") == "Courses attended must be between 0 and 50."
    assert STANDARD.clean({**GOOD, "nb_formations_gestion": 3}).problems[0].code == "unknown_field"


def test_limits_on_one_side_only():
    open_ended = Dictionary(
        [
            Variable("low", "integer", "Stock", "Stock", "XAF", minimum=5),
            Variable("high", "decimal", "Part", "Share", "percent", maximum=2.5),
        ]
    )
    texts = [
        (problem.text("fr"), problem.text("en"))
        for problem in open_ended.clean({"low": 1, "high": 3}).problems
    ]
    assert texts == [
        ("La valeur de «\u00a0Stock\u00a0» doit être au moins 5\u202fFCFA.", "Stock must be at least XAF 5."),
        ("La valeur de «\u00a0Part\u00a0» doit être au plus 2,5\u202f%.", "Share must be at most 2.5%."),
    ]
