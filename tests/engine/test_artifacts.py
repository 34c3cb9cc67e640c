"""Model folders: written once, read back the same, refused when anything is off."""

import csv
import hashlib
import json
import os
import shutil

import pytest

from apps.engine.artifacts import ArtefactRefused, read, write
from apps.engine.contracts import ScoringInput
from apps.engine.scorer import Scorer
from tests.engine.conftest import METRICS, random_columns, rows_of

EXTRA = {"name": "defaut-essai", "version": "1", "training_data": "synthetic", "metrics": METRICS}


@pytest.fixture
def copied(written, tmp_path):
    """Give a copy of the folder, to be spoilt."""
    return shutil.copytree(written[0], tmp_path / "copie")


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text())


def reseal(folder, **changes):
    """Write the manifest again, hashes brought up to date: what a careful forger would do."""
    manifest = {**manifest_of(folder), **changes}
    names = {entry.name for entry in folder.iterdir()} - {"manifest.json"}
    manifest["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def refused(folder, expected=None):
    with pytest.raises(ArtefactRefused) as caught:
        read(folder, expected)
    return caught.value.reason


def test_the_folder_holds_plain_files_only(written):
    folder, sha256 = written
    trees = [f"trees-{fold}.json" for fold in range(1, 6)]
    expected = {"manifest.json", "scorecards.json", "card.md", "golden.csv", *trees}
    assert {entry.name for entry in folder.iterdir()} == expected
    assert sha256 == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert manifest_of(folder)["files"].keys() == expected - {"manifest.json"}


def test_the_manifest_says_where_the_model_comes_from(written, model):
    manifest = manifest_of(written[0])
    assert manifest["format"] == 1
    assert manifest["training_data"] == "synthetic"
    assert [entry["name"] for entry in manifest["variables"]] == [v.name for v in model.data.variables]
    assert manifest["data"] == {
        "sha256": model.data.sha256(),
        "rows": 2_500,
        "defaults": int(model.data.y.sum()),
    }
    assert (manifest["folds"], manifest["seed"], manifest["trees"]) == (5, 42, model.trees)
    assert manifest["metrics"] == METRICS
    assert manifest["ranges"]["type_contrat_travail"] == {"codes": ["CDI", "CDD", "Informel", "Indépendant"]}
    assert {"python", "numpy", "scikit-learn", "xgboost-cpu"} <= manifest["libraries"].keys()


def test_the_card_says_what_the_model_is(written):
    card = (written[0] / "card.md").read_text()
    assert "Modèle de démonstration, données fictives" in card
    assert "AUC\u00a0: 0,771 (intervalle à 95\u202f%\u00a0: 0,750 à 0,790)" in card
    assert "erreur moyenne (ECE) 0,012" in card
    assert "## Limites" in card


@pytest.mark.parametrize(
    "period",
    [("2024-01-01", "2025-06-30"), {"from": "2024-01-01", "to": "2025-06-30"}, "du 01/01/2024 au 30/06/2025"],
)
def test_the_card_of_a_real_portfolio_is_no_demonstration(model, tmp_path, period):
    extra = {"name": "defaut", "version": "2", "training_data": "institution"}
    extra["training_period"] = period
    write(tmp_path / "m", model, extra)
    card = (tmp_path / "m" / "card.md").read_text()
    assert "démonstration" not in card
    assert "Aucune mesure n'accompagne ce modèle." in card
    assert "Période\u00a0: du 01/01/2024 au 30/06/2025." in card


def test_golden_rows_are_no_row_of_the_portfolio(written, portfolio):
    with (written[0] / "golden.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) >= 20
    assert all(0 < float(row["pd"]) < 1 for row in rows)
    amounts = portfolio.x[:, [v.name for v in portfolio.variables].index("montant_credit")]
    ratios = portfolio.x[:, [v.name for v in portfolio.variables].index("taux_endettement")]
    pairs = set(zip(amounts.tolist(), ratios.tolist(), strict=True))
    assert not pairs & {(float(row["montant_credit"]), float(row["taux_endettement"])) for row in rows}


def test_writing_twice_gives_the_same_folder(written, model, tmp_path):
    assert write(tmp_path / "encore", model, EXTRA) == written[1]


def test_a_folder_is_never_written_over(written, model):
    with pytest.raises(FileExistsError):
        write(written[0], model, EXTRA)


@pytest.mark.parametrize("gap", [{"training_data": "guess"}, {"name": ""}, {"version": 3}])
def test_a_model_without_identity_is_not_written(model, tmp_path, gap):
    with pytest.raises(ArtefactRefused, match=r"kind of data|no name or version"):
        write(tmp_path / "m", model, {**EXTRA, **gap})
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_model_that_could_not_be_read(model, tmp_path, monkeypatch):
    def refuse(folder):
        raise ArtefactRefused(folder.name)

    monkeypatch.setattr("apps.engine.folders.read", refuse)
    with pytest.raises(ArtefactRefused):
        write(tmp_path / "m", model, EXTRA)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_disagrees_with_xgboost_is_not_written(model, tmp_path, monkeypatch):
    monkeypatch.setattr("apps.engine.training.writing._ORACLE_TOLERANCE", 1e-12)
    with pytest.raises(RuntimeError, match="do not agree with XGBoost"):
        write(tmp_path / "m", model, EXTRA)
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_is_described(artefact, written):
    assert (artefact.name, artefact.version, artefact.kind) == ("defaut-essai", "1", "synthetic")
    assert artefact.sha256 == written[1]


def test_a_model_read_twice_scores_the_same(written, scorer):
    row = ScoringInput(rows_of(random_columns(1, seed=21))[0])
    assert Scorer(read(written[0])).score(row) == scorer.score(row)


def test_another_hash_than_the_one_registered_is_refused(written):
    assert "differs from the one registered" in refused(written[0], "0" * 64)


@pytest.mark.parametrize("name", ["trees-1.json", "scorecards.json", "card.md", "golden.csv"])
def test_a_changed_file_is_refused(copied, name):
    (copied / name).write_bytes((copied / name).read_bytes() + b" ")
    assert refused(copied) == f"the hash of {name!r} differs from the manifest's"


@pytest.mark.parametrize("name", ["trees-3.json", "golden.csv"])
def test_a_missing_file_is_refused(copied, name):
    (copied / name).unlink()
    assert "not those the manifest lists" in refused(copied)


def test_a_file_too_many_is_refused(copied):
    (copied / "extra.json").write_text("{}")
    assert "not those the manifest lists" in refused(copied)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "run.py", ".hidden", "A.json", "a b.json"])
def test_a_file_of_another_kind_is_refused(copied, name):
    (copied / name).write_bytes(b"x")
    assert "no file of a model folder" in refused(copied)


def test_a_link_is_refused(copied):
    (copied / "card.md").unlink()
    (copied / "card.md").symlink_to("/etc/hostname")
    assert "no file of a model folder" in refused(copied)


def test_a_pipe_or_folder_is_refused(copied):
    os.mkfifo(copied / "zz.json")
    assert "no file of a model folder" in refused(copied)
    (copied / "zz.json").unlink()
    (copied / "sub").mkdir()
    assert "no file of a model folder" in refused(copied)


def test_a_folder_that_is_a_link_is_refused(copied, tmp_path):
    (tmp_path / "lien").symlink_to(copied)
    assert "link" in refused(tmp_path / "lien")


def test_a_path_out_of_the_folder_is_refused(copied):
    manifest = manifest_of(copied)
    manifest["files"]["../copie/card.md"] = manifest["files"].pop("card.md")
    (copied / "manifest.json").write_text(json.dumps(manifest))
    assert "not those the manifest lists" in refused(copied)


def test_too_many_files_are_refused(copied):
    for number in range(40):
        (copied / f"f{number}.json").write_text("{}")
    assert "too many files" in refused(copied)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert "cannot be read" in refused(tmp_path / "rien")


def test_an_empty_folder_is_refused(tmp_path):
    assert refused(tmp_path) == "the folder has no manifest.json"


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"format": 2}', '{"format": NaN}', "[" * 100_000, "\xff"]
)
def test_an_unreadable_or_unknown_manifest_is_refused(copied, text):
    (copied / "manifest.json").write_bytes(text.encode("latin-1"))
    assert "manifest" in refused(copied)


@pytest.mark.parametrize(
    "changes",
    [
        {"training_data": "unknown"},
        {"name": ""},
        {"version": 1},
        {"folds": 0},
        {"folds": 4},
        {"folds": 6},
        {"folds": "5"},
        {"variables": []},
        {"variables": None},
        {"ranges": {}},
        {"calibration": {"intercept": 0, "trees_weight": -1, "card_weight": 1}},
        {"calibration": {"intercept": "0", "trees_weight": 1, "card_weight": 1}},
        {"calibration": {}},
        {"amount_p99": "many"},
    ],
)
def test_a_manifest_that_does_not_fit_its_files_is_refused(copied, changes):
    reseal(copied, **changes)
    assert refused(copied)


def test_a_forbidden_variable_is_refused_even_in_a_folder(copied):
    variables = manifest_of(copied)["variables"]
    variables[0]["label_fr"] = "Religion"
    reseal(copied, variables=variables)
    assert "can never be a variable" in refused(copied)


def test_a_model_changed_with_its_hashes_does_not_give_its_golden_rows(copied):
    calibration = manifest_of(copied)["calibration"]
    reseal(copied, calibration={**calibration, "intercept": calibration["intercept"] + 1e-6})
    assert "golden rows do not give" in refused(copied)


def test_trees_changed_with_their_hashes_do_not_give_the_golden_rows(copied):
    document = json.loads((copied / "trees-2.json").read_text())
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        tree["split_conditions"] = [value + 0.01 for value in tree["split_conditions"]]
    (copied / "trees-2.json").write_text(json.dumps(document))
    reseal(copied)
    assert "golden rows do not give" in refused(copied)


@pytest.mark.parametrize("name", ["scorecards.json", "trees-1.json"])
@pytest.mark.parametrize("text", ["", "{}", "[1, 2, 3, 4, 5]", "[NaN]", "nothing"])
def test_contents_that_are_no_model_are_refused(copied, name, text):
    (copied / name).write_text(text)
    reseal(copied)
    assert refused(copied)


def test_a_scorecard_that_would_look_outside_its_tables_is_refused(copied):
    cards = json.loads((copied / "scorecards.json").read_text())
    cards[0]["bins"][0]["woe"].pop()
    (copied / "scorecards.json").write_text(json.dumps(cards))
    reseal(copied)
    assert "do not fit its cuts" in refused(copied)


def test_too_few_golden_rows_are_refused(copied):
    lines = (copied / "golden.csv").read_text().splitlines()
    (copied / "golden.csv").write_text("\n".join(lines[:10]) + "\n")
    reseal(copied)
    assert refused(copied) == "too few golden rows"


@pytest.mark.parametrize("answer", ["nan", "inf", "x", ""])
def test_a_golden_answer_that_is_no_number_is_refused(copied, answer):
    header, first, *rest = (copied / "golden.csv").read_text().splitlines()
    cells = [*first.split(",")[:-1], answer]
    (copied / "golden.csv").write_text("\n".join([header, ",".join(cells), *rest]))
    reseal(copied)
    assert refused(copied)
