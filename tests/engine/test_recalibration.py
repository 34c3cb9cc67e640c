"""Moving a level: the sum of probabilities becomes that of outcomes, the order stays."""

import json

import numpy as np
import pytest

from apps.engine.artifacts import read
from apps.engine.contracts import ScoringInput
from apps.engine.scorer import Scorer
from apps.engine.training.recalibration import RecalibrationRefused, Shift, shift_of, write_recalibrated
from tests.engine.conftest import random_columns, rows_of


def test_the_sum_of_probabilities_becomes_that_of_outcomes():
    draw = np.random.default_rng(1)
    pd = draw.beta(1, 9, 3_000)
    odds = 1.8 * pd / (1 - pd)
    y = (draw.random(3_000) < odds / (1 + odds)).astype(np.int8)
    found = shift_of(pd, y)
    moved = 1 / (1 + np.exp(-(np.log(pd / (1 - pd)) + found.delta)))
    assert moved.sum() == pytest.approx(y.sum(), abs=1e-4)
    assert found.delta == pytest.approx(np.log(1.8), abs=0.2)
    assert (found.rows, found.defaults, found.predicted_before) == (3_000, y.sum(), pd.mean())


@pytest.mark.parametrize("defaults", [0, 49, 200])
def test_too_few_defaults_or_nothing_else_are_refused(defaults):
    y = np.array([1] * defaults + [0] * (200 - defaults), dtype=np.int8)
    with pytest.raises(RecalibrationRefused):
        shift_of(np.full(200, 0.1), y)


def test_a_model_is_written_again_with_its_level_moved(written, scorer, tmp_path):
    folder, sha256 = written
    shift = Shift(0.4, 900, 120, 0.1)
    new = tmp_path / "moved"
    told = write_recalibrated(folder, new, shift, {"version": "2"})
    moved = Scorer(read(new, told))
    row = ScoringInput(rows_of(random_columns(3, 9))[0])
    before, after = scorer.score(row), moved.score(row)
    assert after.base == pytest.approx(before.base + 0.4, abs=1e-12)
    assert after.contributions == before.contributions
    assert np.log(after.pd / (1 - after.pd)) == pytest.approx(
        after.base + sum(each.log_odds for each in after.contributions), abs=1e-9
    )
    manifest = json.loads((new / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["version"] == "2"
    assert manifest["recalibration"]["from"] == sha256
    assert "Étalonnage recalé de +0,400 sur 900 crédits" in (new / "card.md").read_text(
        encoding="utf-8"
    ).replace("\u202f", " ").replace("\u00a0", " ")


def test_a_moved_model_is_a_new_version(written, tmp_path):
    with pytest.raises(ValueError, match="new version"):
        write_recalibrated(written[0], tmp_path / "same", Shift(0.1, 900, 120, 0.1), {"version": "1"})
    assert not (tmp_path / "same").exists()
