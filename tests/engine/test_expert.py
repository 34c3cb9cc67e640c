"""Scorecards written by people: what is accepted, what the folder gives back."""

import copy
import json
import math

import pytest

from apps.engine.artifacts import ArtefactRefused, read
from apps.engine.contracts import PolicyFigures, ScoringInput
from apps.engine.expert import (
    ScorecardRefused,
    card_from,
    parse_scorecard,
    points_range,
    wrong_signs,
)
from apps.engine.expert_folder import write_expert
from apps.engine.profiles import rank_profiles
from apps.engine.scorecard import points
from apps.engine.scorer import Scorer

DOCUMENT = {
    "format": "scorecard-1",
    "name": "grille-agence",
    "version": "1",
    "declared_default_rate": 0.09,
    "variables": [
        {"name": "nb_retards_30j", "cuts": [1, 3], "points": [15, -20, -60], "missing": 0},
        {"name": "taux_endettement", "cuts": [20, 33, 50], "points": [20, 5, -15, -40], "missing": -10},
        {
            "name": "type_contrat_travail",
            "points": {"CDI": 25, "CDD": 0, "Informel": -15, "Indépendant": 0},
            "missing": -5,
        },
        {"name": "nb_credits_anterieurs", "cuts": [1, 3], "points": [0, 10, 20], "missing": 0},
    ],
}


def changed(**changes):
    return {**copy.deepcopy(DOCUMENT), **changes}


def with_variable(**entry):
    return changed(variables=[entry])


@pytest.fixture
def scorer(tmp_path):
    folder = tmp_path / "model"
    sha256 = write_expert(folder, card_from(DOCUMENT))
    return Scorer(read(folder, expected_sha256=sha256))


def test_points_of_bins_add_up_to_the_score(scorer):
    values = {
        "nb_retards_30j": 2,
        "taux_endettement": 33.0,
        "type_contrat_travail": "CDI",
        "nb_credits_anterieurs": None,
    }
    neutral = scorer.score(
        ScoringInput(
            {
                "type_contrat_travail": "CDD",
                "nb_retards_30j": None,
                "taux_endettement": None,
                "nb_credits_anterieurs": 0,
            }
        )
    )
    scored = scorer.score(ScoringInput(values))

    assert neutral.base == pytest.approx(math.log(0.09 / 0.91))
    assert [round(-part.log_odds * 50 / math.log(2)) for part in scored.contributions] == [-20, -15, 25, 0]
    figures = PolicyFigures()
    base = 600 + 50 / math.log(2) * (math.log(0.91 / 0.09) - math.log(10))
    assert points(scored.pd, figures) == round(base - 10)


def test_without_points_the_rate_is_the_declared_one(tmp_path):
    document = with_variable(name="nb_retards_30j", cuts=[1], points=[0, -60])
    write_expert(tmp_path / "model", card_from(document))

    scored = Scorer(read(tmp_path / "model")).score(ScoringInput({"nb_retards_30j": 0}))

    assert scored.pd == pytest.approx(0.09)


def test_the_declaration_goes_out_and_in_unchanged(scorer, tmp_path):
    declared = scorer.artefact.manifest["scorecard"]

    assert declared == DOCUMENT
    assert card_from(declared) == parse_scorecard(json.dumps(DOCUMENT).encode())
    assert write_expert(tmp_path / "again", card_from(declared)) == scorer.artefact.sha256
    assert scorer.artefact.kind == "expert"
    assert "non étalonnée" in (tmp_path / "again" / "card.md").read_text()


def test_an_altered_point_is_refused_at_reading(tmp_path):
    write_expert(tmp_path / "model", card_from(DOCUMENT))
    table = tmp_path / "model" / "scorecards.json"
    table.write_text(table.read_text().replace("-0.0", "-0.5"))

    with pytest.raises(ArtefactRefused, match="hash"):
        read(tmp_path / "model")


def test_profiles_rank_as_an_officer_does(scorer):
    ranking = rank_profiles(scorer)

    assert ranking.holds
    assert ranking.pd["faithful_client"] < ranking.pd["usual"] < ranking.pd["heavy_arrears"]


def test_a_card_that_ignores_arrears_misplaces_them(tmp_path):
    write_expert(tmp_path / "m", card_from(with_variable(name="age", cuts=[30], points=[-10, 10])))

    ranking = rank_profiles(Scorer(read(tmp_path / "m")))

    assert ("usual", "heavy_arrears") in ranking.misplaced


def test_arrears_that_pay_are_seen(tmp_path):
    card = card_from(with_variable(name="nb_retards_30j", cuts=[1, 3], points=[10, -60, -40]))
    write_expert(tmp_path / "m", card)

    assert rank_profiles(Scorer(read(tmp_path / "m"))).arrears_lower_risk
    assert wrong_signs(card) == ["nb_retards_30j"]


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"name": "revenu_mensuel", "cuts": [100_000], "points": [10, -10]}, True),
        ({"name": "revenu_mensuel", "cuts": [100_000], "points": [-10, 10]}, False),
        ({"name": "revenu_mensuel", "cuts": [100_000], "points": [-10, 10], "missing": 11}, True),
        ({"name": "age", "cuts": [25, 60], "points": [-10, 10, -10]}, False),
    ],
)
def test_signs_follow_the_dictionary(entry, wrong):
    assert bool(wrong_signs(card_from(with_variable(**entry)))) is wrong


def test_the_range_of_points_is_that_of_the_extreme_files():
    assert points_range(card_from(with_variable(name="age", cuts=[30], points=[-50, 100]))) == (551, 701)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ([], "format"),
        (changed(format="scorecard-2"), "format"),
        (changed(extra=1), "unknown_key"),
        (changed(name="Grille <b>"), "name"),
        (changed(version="../1"), "version"),
        (changed(declared_default_rate=0), "declared_rate"),
        (changed(declared_default_rate=1.0), "declared_rate"),
        (changed(declared_default_rate=float("nan")), "declared_rate"),
        (changed(declared_default_rate=True), "declared_rate"),
        (changed(declared_default_rate=10**400), "declared_rate"),
        (changed(variables=[]), "variables"),
        (changed(variables=[DOCUMENT["variables"][0]] * 41), "variables"),
        (changed(variables=[DOCUMENT["variables"][0]] * 2), "repeated"),
        (with_variable(name="ethnie", cuts=[], points=[1]), "unknown_variable"),
        (with_variable(name="sexe", points={"F": 0, "M": 0}), "sensitive"),
        (with_variable(name="age", cuts=[30], points=[1]), "bins"),
        (with_variable(name="age", cuts=[30, 30], points=[1, 2, 3]), "cuts"),
        (with_variable(name="age", cuts=[float("inf")], points=[1, 2]), "cuts"),
        (with_variable(name="age", cuts=[5], points=[1, 2]), "cuts"),
        (with_variable(name="age", cuts=["30"], points=[1, 2]), "cuts"),
        (with_variable(name="age", cuts=list(range(20, 33)), points=[0] * 14), "cuts"),
        (with_variable(name="age", cuts=[30], points=[1, 401]), "points"),
        (with_variable(name="age", cuts=[30], points=[1, 1.5]), "points"),
        (with_variable(name="age", cuts=[30], points=[1, 2], missing=None), "points"),
        (with_variable(name="age", cuts=[30], points=[1, 2], weight=3), "unknown_key"),
        (with_variable(name="type_contrat_travail", points={"CDI": 1}), "codes"),
        (with_variable(name="type_contrat_travail", points=[1, 2, 3, 4]), "codes"),
    ],
)
def test_a_declaration_out_of_bounds_is_refused_by_name(document, code):
    with pytest.raises(ScorecardRefused) as refusal:
        card_from(document)

    assert refusal.value.code == code


@pytest.mark.parametrize("content", [b"", b"\xff", b"{", b"[" * 100_000, b'{"format": NaN}', b"1" * 5_000])
def test_what_is_no_json_is_refused(content):
    with pytest.raises(ScorecardRefused):
        parse_scorecard(content)
