"""The standard dictionary, and what may never be declared."""

import subprocess
import sys

import pytest

from apps.engine.dictionary import (
    PREDICT_VARIABLES,
    STANDARD,
    Category,
    Dictionary,
    Variable,
    VariableRefused,
    declare,
    from_dict,
)


def test_the_fifteen_variables_come_first_in_the_contract_s_order():
    assert STANDARD.names[:15] == PREDICT_VARIABLES


TABLE = {
    "age": ("integer", 18, 80, True, None),
    "revenu_mensuel": ("integer", 0, 100_000_000, False, "down"),
    "anciennete_travail_mois": ("integer", 0, 720, False, "down"),
    "montant_credit": ("integer", 10_000, 500_000_000, True, "up"),
    "duree_mois": ("integer", 1, 120, True, "up"),
    "taux_interet": ("decimal", 0, 120, True, "up"),
    "nb_retards_30j": ("integer", 0, 200, False, "up"),
    "nb_retards_60j": ("integer", 0, 200, False, "up"),
    "nb_retards_90j": ("integer", 0, 200, False, "up"),
    "taux_endettement": ("decimal", 0, 300, False, "up"),
    "ratio_dette_revenu": ("decimal", 0, 20, False, "up"),
}


@pytest.mark.parametrize("name", TABLE)
def test_numbers_follow_the_table(name):
    variable = STANDARD[name]
    found = (variable.type, variable.minimum, variable.maximum, variable.required, variable.direction)
    assert found == TABLE[name]


@pytest.mark.parametrize(
    ("name", "codes", "required"),
    [
        ("sexe", ("F", "M"), False),
        ("situation_familiale", ("celibataire", "marie", "union_libre", "divorce", "veuf"), False),
        ("type_contrat_travail", ("CDI", "CDD", "Informel", "Indépendant"), False),
        (
            "type_credit",
            ("fonds_de_roulement", "consommation", "scolaire", "agricole", "equipement", "habitat"),
            True,
        ),
    ],
)
def test_codes_follow_the_table(name, codes, required):
    assert (STANDARD[name].codes, STANDARD[name].required) == (codes, required)


def test_fairness_variables_are_not_for_models():
    kept = [variable.name for variable in STANDARD.modelling]
    assert set(STANDARD.names) - set(kept) == {"sexe", "situation_familiale"}


@pytest.mark.parametrize(
    ("name", "french", "english"),
    [
        ("ethnie", "Groupe", "Group"),
        ("groupe", "Origine ethnique", "Group"),
        ("tribe", "Groupe", "Group"),
        ("langue_maternelle", "Langue maternelle", "Mother tongue"),
        ("parler", "Parler", "Home language"),
        ("region_origine", "Région d'origine", "Region"),
        ("lieu", "Village natal", "Village"),
        ("place_of_birth", "Lieu", "Place"),
        ("religion", "Religion", "Religion"),
        ("culte", "Église fréquentée", "Worship"),
        ("etat_sante", "État", "State"),
        ("etat", "État", "Health status"),
        ("groupe", "Handicap déclaré", "Group"),
        ("parti", "Parti politique", "Party"),
        ("party", "Parti", "Political party"),
    ],
)
def test_what_credit_may_never_be_judged_on_cannot_be_declared(name, french, english):
    with pytest.raises(VariableRefused, match="can never be a variable"):
        Dictionary([Variable(name, "decimal", french, english)])


@pytest.mark.parametrize(
    ("name", "french", "english"),
    [
        ("region_residence", "Région de résidence", "Region of residence"),
        ("origine_fonds", "Origine des fonds", "Origin of funds"),
        ("lieu_activite", "Lieu de l'activité", "Place of business"),
    ],
)
def test_innocent_neighbours_may_be_declared(name, french, english):
    assert declare(Variable(name, "decimal", french, english)).name == name


TWO = (Category("a", "A", "A"), Category("b", "B", "B"))


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        (Variable("1x", "decimal", "X", "X"), "bad name"),
        (Variable("x y", "decimal", "X", "X"), "bad name"),
        (Variable("x", "text", "X", "X"), "unknown type"),
        (Variable("x", "decimal", "X", "X", "EUR"), "unknown unit"),
        (Variable("x", "decimal", "", "X"), "both labels"),
        (Variable("x", "decimal", "X", "X", direction="left"), "direction"),
        (Variable("x", "decimal", "X", "X", minimum=2, maximum=1), "minimum above maximum"),
        (Variable("x", "decimal", "X", "X", minimum=float("nan")), "finite"),
        (Variable("x", "decimal", "X", "X", categories=TWO), "only a category"),
        (Variable("x", "category", "X", "X"), "needs its codes"),
        (Variable("x", "category", "X", "X", categories=TWO, direction="up"), "no direction"),
        (Variable("x", "category", "X", "X", categories=(TWO[0], Category("À", "À", "À"))), "read the same"),
    ],
)
def test_a_malformed_variable_is_refused_with_the_reason(variable, reason):
    with pytest.raises(VariableRefused, match=reason):
        declare(variable)


def test_a_name_may_be_declared_once():
    with pytest.raises(VariableRefused, match="twice"):
        STANDARD.extended(STANDARD["age"])


def test_an_institution_may_add_a_credit_type():
    own = STANDARD.with_categories("type_credit", Category("tontine", "Tontine", "Tontine"))
    assert own["type_credit"].codes == (*STANDARD["type_credit"].codes, "tontine")
    assert own.names == STANDARD.names


def test_known_values_come_in_the_dictionary_s_order_without_the_missing():
    given = {"duree_mois": 12, "age": 30, "sexe": None, "other": 1}
    assert list(STANDARD.known(given).items()) == [("age", 30), ("duree_mois", 12)]


@pytest.mark.parametrize("name", STANDARD.names)
def test_an_entry_survives_the_manifest(name):
    entry = STANDARD[name].as_dict()
    assert from_dict(entry).as_dict() == entry


@pytest.mark.parametrize("broken", [{}, {"name": "x"}, {**STANDARD["age"].as_dict(), "categories": [1]}])
def test_a_broken_entry_is_refused(broken):
    with pytest.raises(VariableRefused):
        from_dict(broken)


def slow_imports(modules, slow):
    code = f"import sys; from apps.engine import {modules}; print({slow!r} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_light_modules_import_nothing_slow():
    modules = "dictionary, scorecard, policy, reasons, contracts, ratios"
    assert slow_imports(modules, {"numpy", "xgboost", "sklearn"}) == "set()"


def test_scoring_needs_neither_xgboost_nor_sklearn():
    assert slow_imports("artifacts, scorer", {"xgboost", "sklearn", "numba"}) == "set()"
