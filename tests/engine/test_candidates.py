"""Every candidate on a real set, beside what its own library gives in a plain script."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from apps.engine.training.candidates import KINDS, NO_EXACT_CONTRIBUTIONS

ROOT = Path(__file__).resolve().parents[2]
GERMAN = ROOT / "tests" / "data" / "german"


@pytest.fixture(scope="module")
def told():
    """Run the whole command, as anyone would."""
    program = [sys.executable, str(ROOT / "bench" / "quality.py"), "--candidates", "--threads", "2"]
    files = ["--data", str(GERMAN / "data.csv"), "--dictionary", str(GERMAN / "dictionary.json")]
    done = subprocess.run([*program, *files], capture_output=True, text=True, check=True, timeout=300)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_candidate_is_within_a_hundredth_of_its_own_library(told):
    lines = {line["candidate"]: line for line in told[:-1]}
    assert lines.keys() == KINDS.keys()
    compared = {kind: line["difference"] for kind, line in lines.items() if line["plain"] is not None}
    assert compared.keys() == {"dummy", "logistic", "knn", "random_forest", "gradient_boosting", "xgboost"}
    assert {kind: gap for kind, gap in compared.items() if abs(gap) > 0.01} == {}


def test_the_default_pipeline_keeps_its_floor(told):
    areas = {line["candidate"]: line["auc"] for line in told[:-1]}
    assert areas["default"] >= 0.7835
    assert areas["dummy"] == 0.5


def test_what_beats_the_default_pipeline_is_advised(told):
    lines = {line["candidate"]: line for line in told[:-1]}
    advised = lines[told[-1]["recommended"]["kind"]]
    better = [line["auc"] for line in lines.values() if line["calibrated"]]
    assert advised["auc"] >= max(better) - 0.002
    assert KINDS[told[-1]["recommended"]["deployable_kind"]].deployable


def test_only_what_explains_itself_exactly_can_be_put_in_production():
    assert {kind for kind, each in KINDS.items() if each.deployable} == {"default", "scorecard", "xgboost"}
    assert {each.why for each in KINDS.values() if not each.deployable} == {NO_EXACT_CONTRIBUTIONS}
