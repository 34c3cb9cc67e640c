"""Ways in which an outcome leaks: each stopped by the gate that names it, through a whole run."""

import numpy as np
import pytest

from apps.engine.dictionary import STANDARD
from apps.engine.training.dataset import TrainingSet
from apps.engine.training.leaks import duplicates_gate, missingness_gate, single_variable_gate
from apps.engine.training.pipeline import stratified_folds
from apps.engine.training.runs import RunData, RunSettings, run
from apps.engine.variables import Category, Variable


def gates_of(data, kind="scorecard", **beside):
    settings = RunSettings(candidates=(kind,), folds=3, threads=1)
    return run(RunData(data, **beside), settings).gates


def failed(gates):
    return {code for code, gate in gates.items() if gate["verdict"] == "failed"}


def column(data, name):
    return [variable.name for variable in data.variables].index(name)


@pytest.fixture
def honest(portfolio):
    return portfolio.take(np.arange(1_000))


def with_column(data, variable, values):
    return TrainingSet((*data.variables, variable), np.column_stack([data.x, values]), data.y)


def test_an_honest_portfolio_passes_them_all(portfolio):
    gates = gates_of(portfolio, "default")
    assert failed(gates) == set()
    assert gates["single_variable"]["verdict"] == "passed"
    assert gates["duplicates"] == {
        "verdict": "passed",
        "figure": 0.0,
        "low": None,
        "high": 0.0,
        "unit": "rate",
        "about": [],
    }


def test_a_target_computed_from_its_inputs_fails_the_gate_of_the_auc(honest):
    """The outcome is a sum of three inputs above a limit: none says it alone, together they do."""
    parts = [honest.x[:, column(honest, name)] for name in ("taux_endettement", "duree_mois")]
    parts += [-honest.x[:, column(honest, name)] for name in ("anciennete_travail_mois",)]
    total = sum((part - part.mean()) / part.std() for part in parts)
    y = (total > np.quantile(total, 0.8)).astype(np.int8)
    gates = gates_of(TrainingSet(honest.variables, honest.x, y), "default")
    assert gates["auc"]["verdict"] == "failed"
    assert gates["auc"]["figure"] > 0.97
    assert gates["single_variable"]["verdict"] != "failed"


def test_the_outcome_in_disguise_fails_the_gate_of_single_variables(honest):
    """A fee charged to most of those who did not pay."""
    draw = np.random.default_rng(1)
    fee = np.where(draw.random(honest.rows) < 0.95, honest.y, 1 - honest.y) * 5_000.0 + draw.integers(
        0, 900, honest.rows
    )
    disguised = Variable("frais_de_dossier", "decimal", "Frais", "Fee")
    gates = gates_of(with_column(honest, disguised, fee.astype(float)))
    assert gates["single_variable"]["verdict"] == "failed"
    assert gates["single_variable"]["about"][0] == "frais_de_dossier"
    assert gates["missingness"]["verdict"] == "passed"


def test_a_value_missing_after_defaults_fails_the_gate_of_missingness(honest):
    draw = np.random.default_rng(2)
    values = draw.normal(0, 1, honest.rows)
    values[(honest.y == 1) & (draw.random(honest.rows) < 0.9)] = np.nan
    late = Variable("solde_epargne_final", "decimal", "Solde", "Balance")
    gates = gates_of(with_column(honest, late, values))
    assert gates["missingness"]["verdict"] == "failed"
    assert gates["missingness"]["about"] == ["solde_epargne_final"]
    assert gates["single_variable"]["verdict"] == "passed"


def test_repeated_rows_fail_the_gate_of_duplicates(honest):
    """As oversampling before the split does."""
    bad = np.flatnonzero(honest.y == 1)
    gates = gates_of(honest.take(np.concatenate([np.arange(honest.rows), bad, bad])))
    assert gates["duplicates"]["verdict"] == "failed"
    assert gates["duplicates"]["figure"] > 0.2


def test_permuted_outcomes_fail_the_gate_of_the_auc(honest):
    y = np.random.default_rng(3).permutation(honest.y)
    gates = gates_of(TrainingSet(honest.variables, honest.x, y), "default")
    assert gates["auc"]["verdict"] == "failed"
    assert gates["auc"]["figure"] < 0.55
    assert gates["permutation"]["verdict"] == "passed"


def test_a_procedure_that_looks_at_what_is_held_out_fails_the_gate_of_permutation(honest, monkeypatch):
    """Every fold learns from all rows, those held out included, as resampling before the split does."""
    from apps.engine.training.judging import _Bench

    usual = _Bench.of

    def leaking(self, data, fold):
        return usual(self, data, (np.arange(data.rows), fold[1]))

    monkeypatch.setattr(_Bench, "of", leaking)
    gates = gates_of(honest, "xgboost")
    assert gates["permutation"]["verdict"] == "failed"
    assert gates["permutation"]["figure"] > 0.7


# One by one


def numbers(x, y):
    variable = Variable("x", "decimal", "X", "X")
    return TrainingSet((variable,), np.asarray(x, dtype=float)[:, None], np.asarray(y, dtype=np.int8))


def test_a_disguise_that_is_not_monotone_is_seen():
    """Default when the value lies in the middle: the order says nothing."""
    x = np.random.default_rng(5).random(3_000)
    gate = single_variable_gate(numbers(x, abs(x - 0.5) < 0.1), 1)
    assert gate.verdict == "failed"


def test_many_codes_by_chance_are_no_disguise():
    draw = np.random.default_rng(6)
    codes = tuple(Category(f"c{place}", "x", "x") for place in range(300))
    data = TrainingSet(
        (Variable("x", "category", "X", "X", categories=codes),),
        draw.integers(0, 300, (900, 1)).astype(float),
        (draw.random(900) < 0.2).astype(np.int8),
    )
    assert single_variable_gate(data, 1).figure < 0.62


def test_between_the_limits_somebody_explains():
    draw = np.random.default_rng(7)
    y = (draw.random(4_000) < 0.3).astype(np.int8)
    gate = single_variable_gate(numbers(draw.normal(0, 1, 4_000) + 1.5 * y, y), 1)
    assert (gate.verdict, gate.high, gate.about) == ("explain", 0.80, ("x",))


def test_values_that_are_never_missing_say_nothing():
    assert missingness_gate(numbers(np.arange(100), np.arange(100) % 2)).figure == 0.5


def test_a_few_rows_alike_by_chance_are_to_be_explained(portfolio):
    data = portfolio.take(np.append(np.arange(portfolio.rows), [0, 1]))
    folds = stratified_folds(data, 5, 1)
    gate = duplicates_gate(data, folds, None)
    assert gate.verdict in {"explain", "passed"}
    fold = {row: number for number, (_, held) in enumerate(folds) for row in held.tolist()}
    apart = sum(2 for row in (0, 1) if fold[row] != fold[portfolio.rows + row])
    assert gate.figure == pytest.approx(apart / data.rows)


def test_one_client_never_stands_on_both_sides(portfolio):
    """Each client thrice, under an origin: the copies stay together, and nothing is repeated across folds."""
    data = portfolio.take(np.tile(np.arange(600), 3))
    gates = gates_of(data, origins=np.tile(np.arange(600), 3))
    assert gates["duplicates"]["verdict"] == "passed"


def test_rows_without_an_origin_are_not_one_client(honest):
    origins = np.array([None] * honest.rows, dtype=object)
    gates = gates_of(honest, origins=origins)
    assert gates["duplicates"]["verdict"] == "passed"
    assert STANDARD["age"] in honest.variables
