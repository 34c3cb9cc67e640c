"""The layers are a contract; nothing is ignored in it."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "apps"


def test_import_contract_is_kept_without_ignores():
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter")

    assert not [section for section in contract.sections() if "ignore_imports" in contract[section]]
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", ["pickle", "cPickle", "dill", "joblib", "cloudpickle", "skops"])
def test_no_executable_artefact_is_ever_loaded(module):
    pattern = re.compile(rf"^\s*(from|import)\s+{module}\b|\b{module}\.(load|loads)\b", re.MULTILINE)

    assert not [str(file) for file in APPS.rglob("*.py") if pattern.search(file.read_text())]


def test_models_are_reached_by_import_not_by_name():
    found = [
        str(file)
        for file in APPS.rglob("*.py")
        if "migrations" not in file.parts and re.search(r"apps\.get_model\(", file.read_text())
    ]

    assert found == []


def test_no_module_is_a_drawer_for_everything():
    refused = {"utils", "common", "helpers", "core", "misc", "manager", "managers"}

    assert not [str(file) for file in APPS.rglob("*.py") if file.stem in refused]


def test_the_web_process_starts_without_slow_libraries():
    code = (
        "import sys, django; django.setup(); import config.urls;"
        "print(sorted({'xgboost','sklearn','pandas','shap','matplotlib','numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
