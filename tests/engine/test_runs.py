"""A whole training run: what it gives back, that it repeats itself, and that it can be stopped."""

import json
import time

import numpy as np
import pytest

from apps.engine.artifacts import read, write
from apps.engine.contracts import ScoringInput
from apps.engine.encoding import encode
from apps.engine.profiles import profiles_with
from apps.engine.scorer import Scorer
from apps.engine.training import estimators
from apps.engine.training.dataset import TrainingSet
from apps.engine.training.recommending import Entrant, recommend
from apps.engine.training.runs import GATES, Economics, RunData, RunRefused, RunSettings, run
from apps.engine.training.splitting import MANY_ROWS, outer_folds
from tests.engine.conftest import random_columns, rows_of

FAST = ("scorecard", "xgboost", "logistic", "dummy")


@pytest.fixture(scope="module")
def data(portfolio):
    draw = np.random.default_rng(8)
    rows = portfolio.rows
    days = np.datetime64("2024-01-01") + draw.integers(0, 730, rows)
    types = np.array(["consommation", "scolaire"])[draw.integers(0, 2, rows)]
    groups = {"sexe": np.array(["F", "M"])[draw.integers(0, 2, rows)], "type_credit": types}
    return RunData(portfolio, days=days, groups=groups)


@pytest.fixture(scope="module")
def economics(portfolio):
    amount = np.full(portfolio.rows, 300_000.0)
    return Economics(0.20, margin_xaf=0.10 * amount, loss_xaf=0.325 * amount)


@pytest.fixture(scope="module")
def heard():
    return []


@pytest.fixture(scope="module")
def found(data, economics, heard):
    profiles = profiles_with({})
    settings = RunSettings(candidates=FAST, folds=3, threads=2)
    return run(
        data,
        settings,
        economics=economics,
        profiles=profiles,
        recent=data.training.take(np.arange(500)),
        tell=lambda step, share: heard.append((step, share)),
    )


def test_everything_is_plain_json(found):
    told = found.as_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told.keys() == {
        "settings",
        "versions",
        "seconds",
        "data",
        "candidates",
        "recommended",
        "gates",
        "importance",
        "dependence",
        "fairness",
        "profiles",
    }
    assert told["data"]["rows"] == 2_500
    assert [each["kind"] for each in told["candidates"]] == list(FAST)
    assert {"python", "numpy", "scikit-learn", "xgboost-cpu"} <= told["versions"].keys()


def test_every_figure_has_its_interval(found):
    for entry in found.candidates:
        for name, figure in entry["figures"].items():
            if figure["value"] is not None and figure["low"] is not None:
                assert figure["low"] <= figure["value"] <= figure["high"], (entry["kind"], name)
    names = found.of("logistic")["figures"].keys()
    assert names == {
        *("accuracy", "precision", "recall", "f1", "f2", "auc", "gini", "ks", "pr_auc", "brier", "log_loss"),
        *("ece", "business_score", "profit_xaf", "observed_over_predicted", "calibration_slope"),
    }


def test_figures_agree_with_scikit_learn_and_with_the_confusion_matrix(found):
    entry = found.of("scorecard")
    cells, figures = entry["confusion"], entry["figures"]
    assert sum(cells.values()) == entry["rows"] == 2_500
    assert cells["tp"] + cells["fn"] == entry["defaults"]
    assert figures["recall"]["value"] == pytest.approx(cells["tp"] / entry["defaults"], abs=1e-5)
    assert figures["precision"]["value"] == pytest.approx(cells["tp"] / (cells["tp"] + cells["fp"]), abs=1e-5)
    score = (10 * cells["tp"] + cells["tn"] - 10 * cells["fn"] - cells["fp"]) / 2_500
    assert figures["business_score"]["value"] == pytest.approx(score, abs=1e-5)
    profit = 30_000 * cells["tn"] - 97_500 * cells["fn"]
    assert figures["profit_xaf"]["value"] == profit


def test_curves_are_thin_and_end_where_they_must(found):
    for entry in found.candidates:
        assert all(0 < len(points) <= 200 for points in entry["curves"].values())
    curves = found.of("logistic")["curves"]
    assert (curves["roc"][0], curves["roc"][-1]) == ({"fpr": 0.0, "tpr": 0.0}, {"fpr": 1.0, "tpr": 1.0})
    assert curves["gains"][-1]["defaults"] == 1.0
    assert sum(each["good"] + each["bad"] for each in curves["distribution"]) == 2_500
    assert sum(each["rows"] for each in curves["calibration"]) == 2_500
    at = next(each for each in curves["thresholds"] if each["threshold"] == 0.2)
    figures = found.of("logistic")["figures"]
    assert at["business_score"] == pytest.approx(figures["business_score"]["value"], abs=1e-4)
    assert at["profit_xaf"] == figures["profit_xaf"]["value"]


def test_gates_are_told_in_order_with_figures_and_verdicts(found):
    told = found.as_dict()["gates"]
    assert tuple(told) == GATES
    sound = ("auc", "single_variable", "missingness", "permutation", "duplicates", "stability", "fairness")
    assert {code: told[code]["verdict"] for code in sound} == dict.fromkeys(sound, "passed")
    assert found.of("xgboost")["gates"]["ece"]["verdict"] == "failed"  # a hundred deep trees learn by heart
    assert told["stability"]["figure"] < 0.25
    assert found.of("dummy")["gates"]["auc"]["verdict"] == "failed"
    assert "permutation" not in found.of("logistic")["gates"]


def test_the_advised_candidate_is_the_best_or_as_good_and_simpler(found):
    told = found.recommended
    assert told["against"].keys() == set(FAST)
    assert told["auc"] >= max(told["against"][kind] for kind in FAST if told["calibrated"][kind]) - 0.002
    assert told["deployable_kind"] == "scorecard"


def test_somebody_is_told_and_shares_rise_to_one(heard, found):
    assert found.seconds > 0
    shares = [share for _, share in heard]
    assert shares == sorted(shares)
    assert (heard[0], heard[-1]) == (("checks", 0.0), ("done", 1.0))
    assert {step for step, _ in heard} == {"checks", *(f"candidate:{kind}" for kind in FAST), "gates", "done"}


def test_importance_and_dependence_speak_of_every_variable(found, portfolio):
    names = {variable.name for variable in portfolio.variables}
    for entry in found.candidates:
        assert {each["variable"] for each in entry["importance"]} == names
    card = found.of("scorecard")
    assert {each["variable"] for each in card["importance"][:3]} >= {"anciennete_travail_mois"}
    assert sum(each["share"] for each in card["importance"]) == pytest.approx(1, abs=1e-3)
    late = [each for each in card["dependence"]["nb_retards_30j"]["points"] if each["value"] is not None]
    assert [each["log_odds"] for each in late] == sorted(each["log_odds"] for each in late)
    assert min(each["rows"] for each in late) >= 10
    assert found.of("logistic")["importance_by"] == "permutation"


def test_profiles_are_scored_by_what_can_be_put_in_production(found):
    told = {each["code"]: each["pd"] for each in found.profiles}
    assert told.keys() == profiles_with({}).keys()
    assert told["usual"].keys() == {"scorecard", "xgboost"}
    assert told["heavy_arrears"]["scorecard"] > told["faithful_client"]["scorecard"]


def test_the_same_run_gives_the_same_figures_whatever_the_threads(data):
    settings = [RunSettings(candidates=("xgboost", "random_forest"), folds=2, threads=n) for n in (1, 2)]
    one, two = (run(data, each).as_dict()["candidates"] for each in settings)
    for first, second in zip(one, two, strict=True):
        assert {**first, "seconds": 0} == {**second, "seconds": 0}


# Folders


@pytest.mark.parametrize("kind", ["scorecard", "xgboost"])
def test_a_model_of_one_branch_is_written_read_and_adds_up(found, kind, tmp_path, portfolio):
    model = found.fitted[kind]
    extra = {"name": f"{kind}-essai", "version": "1", "training_data": "institution"}
    sha256 = write(tmp_path / kind, model, {**extra, "metrics": found.metrics_of(kind)})
    scorer = Scorer(read(tmp_path / kind, sha256))
    columns = random_columns(60, 11)
    batch = scorer.score_columns(columns, 60)
    assert np.allclose(np.log(batch.pd / (1 - batch.pd)), batch.base + batch.log_odds.sum(axis=1), atol=1e-9)
    row = rows_of(columns)[0]
    assert scorer.score(ScoringInput(row)).pd == pytest.approx(batch.pd[0], abs=1e-12)
    assert batch.pd == pytest.approx(model.predict(encode(portfolio.variables, columns, 60)), abs=1e-5)
    assert scorer.artefact.manifest["kind"] == kind
    assert scorer.never_falls_with(["nb_retards_30j", "nb_retards_90j"])


# Stability


def test_applications_of_the_same_population_are_stable_even_for_what_learns_by_heart(portfolio):
    variables = portfolio.variables
    recent = TrainingSet(
        variables, encode(variables, random_columns(900, 21), 900), np.zeros(900, dtype=np.int8)
    )
    found = run(RunData(portfolio), RunSettings(candidates=("xgboost",), folds=3), recent=recent)
    assert found.gates["stability"]["verdict"] == "passed"
    assert found.gates["stability"]["figure"] < 0.1


def test_applications_of_another_population_are_not(portfolio):
    column = [variable.name for variable in portfolio.variables].index("taux_endettement")
    x = portfolio.x.copy()
    x[:, column] = np.minimum(x[:, column] * 3, 300)
    recent = TrainingSet(portfolio.variables, x, portfolio.y)
    found = run(RunData(portfolio), RunSettings(candidates=("scorecard",), folds=3), recent=recent)
    assert found.gates["stability"]["verdict"] in {"failed", "explain"}
    assert found.gates["stability"]["about"] == ["taux_endettement"]


# Splits


def test_out_of_time_learns_from_the_earlier_days(data):
    folds = outer_folds(data, RunSettings(candidates=("scorecard",), split="out_of_time"))
    assert len(folds) == 1
    train, held = folds[0]
    assert len(train) + len(held) == data.training.rows
    assert data.days[train].max() < data.days[held].min()
    assert data.days.max() - data.days[held].min() < np.timedelta64(183, "D")


def test_when_six_months_are_too_much_a_quarter_is_held_out(portfolio):
    days = np.datetime64("2025-01-01") + np.arange(portfolio.rows) // 40
    folds = outer_folds(
        RunData(portfolio, days=days), RunSettings(candidates=("scorecard",), split="out_of_time")
    )
    assert len(folds[0][1]) / portfolio.rows == pytest.approx(0.25, abs=0.03)


def test_an_out_of_time_run_is_judged_on_the_last_months_only(data):
    found = run(data, RunSettings(candidates=("scorecard",), split="out_of_time"))
    entry = found.of("scorecard")
    assert entry["rows"] == found.data["scored"] < data.training.rows / 2
    assert found.data["tested_from"] > found.data["first_day"]
    assert found.metrics_of("scorecard")["split"] == "out_of_time"
    assert found.fitted["scorecard"].data.rows == data.training.rows


def test_from_two_hundred_thousand_rows_on_there_are_three_folds(portfolio):
    times = MANY_ROWS // portfolio.rows + 1
    many = portfolio.take(np.tile(np.arange(portfolio.rows), times))
    assert len(outer_folds(RunData(many), RunSettings(candidates=("scorecard",)))) == 3


@pytest.mark.parametrize(
    ("settings", "rows", "code"),
    [
        ({"candidates": ("magic",)}, 200, "unknown_candidate"),
        ({"candidates": ("scorecard",)}, 12, "too_few_rows"),
        ({"candidates": ("scorecard",), "split": "out_of_time"}, 200, "no_days"),
    ],
)
def test_runs_that_cannot_be_made_say_why(portfolio, settings, rows, code):
    with pytest.raises(RunRefused) as refused:
        run(RunData(portfolio.take(np.arange(rows))), RunSettings(**settings))
    assert refused.value.code == code


def test_one_day_for_all_is_no_time(portfolio):
    days = np.full(portfolio.rows, np.datetime64("2025-01-01"))
    with pytest.raises(RunRefused) as refused:
        run(RunData(portfolio, days=days), RunSettings(candidates=("scorecard",), split="out_of_time"))
    assert refused.value.code == "one_period"


@pytest.mark.parametrize(
    "settings",
    [
        {"candidates": ()},
        {"candidates": ("dummy", "dummy")},
        {"candidates": ("dummy",), "split": "random"},
        {"candidates": ("dummy",), "search": "luck"},
        {"candidates": ("dummy",), "sampling": "more"},
        {"candidates": ("dummy",), "folds": 1},
        {"candidates": ("dummy",), "threads": 0},
    ],
)
def test_settings_are_checked(settings):
    with pytest.raises(RunRefused):
        RunSettings(**settings)


def test_what_stands_beside_has_one_entry_a_row(portfolio):
    with pytest.raises(ValueError, match="one entry a row"):
        RunData(portfolio, amounts=np.zeros(3))


# Stopping


class Cancelled(Exception):
    pass


def test_what_tell_raises_ends_the_run_at_once(portfolio):
    started = time.monotonic()

    def tell(step, _share):
        if step == "candidate:default" and time.monotonic() - started > 1:
            raise Cancelled

    many = portfolio.take(np.tile(np.arange(portfolio.rows), 8))
    with pytest.raises(Cancelled):
        run(RunData(many), RunSettings(candidates=("default",)), tell=tell)
    assert time.monotonic() - started < 10


def test_what_a_fit_raises_comes_out(portfolio, monkeypatch):
    def broken(_data, _params, _how):
        raise RuntimeError("no fit")

    monkeypatch.setitem(estimators.FITS, "dummy", broken)
    with pytest.raises(RuntimeError, match="no fit"):
        run(RunData(portfolio), RunSettings(candidates=("dummy",), threads=1))


# Advice


def entrants(**areas):
    return [Entrant(kind, area, calibrated) for kind, (area, calibrated) in areas.items()]


@pytest.mark.parametrize(
    ("areas", "kind", "reason", "deployable"),
    [
        ({"scorecard": (0.75, True)}, "scorecard", "only", "scorecard"),
        ({"scorecard": (0.75, True), "default": (0.78, True)}, "default", "best", "default"),
        (
            {"scorecard": (0.779, True), "default": (0.780, True)},
            "scorecard",
            "as_good_and_simpler",
            "scorecard",
        ),
        (
            {"default": (0.779, True), "random_forest": (0.7805, True)},
            "default",
            "as_good_and_simpler",
            "default",
        ),
        ({"default": (0.770, True), "random_forest": (0.790, True)}, "random_forest", "best", "default"),
        ({"default": (0.770, True), "xgboost": (0.790, False)}, "default", "best_calibrated", "default"),
        ({"default": (0.770, False), "xgboost": (0.790, False)}, "xgboost", "none_calibrated", "xgboost"),
        ({"logistic": (0.77, True), "knn": (0.70, True)}, "logistic", "best", None),
    ],
)
def test_advice(areas, kind, reason, deployable):
    told = recommend(entrants(**areas))
    assert (told["kind"], told["reason"], told["deployable_kind"]) == (kind, reason, deployable)
