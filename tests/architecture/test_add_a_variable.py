"""CONTRIBUTING's example of adding a variable, run: it shows in dictionary, form, API, store and score."""

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEEN = """
import json, django
django.setup()
from django.test import RequestFactory
from apps.api.v1.scoring.serializers import PredictSerializer, variable_body
from apps.credits.models import VARIABLE_COLUMNS, CreditApplication
from apps.credits.services.applications import fill_values
from apps.engine.dictionary import STANDARD
from apps.web.credits.forms import dictionary_field, typed_variables
name = "nb_formations_gestion"
application = CreditApplication(institution_id=1)
fill_values(application, STANDARD.clean({"age": 30, "montant_credit": 50000, "duree_mois": 6,
    "taux_interet": 20, "type_credit": "scolaire", name: "3"}).values)
print(json.dumps({
    "dictionary": name in STANDARD,
    "form": name in typed_variables() and str(dictionary_field(STANDARD[name]).label),
    "schema": name in PredictSerializer().fields,
    "features": variable_body(STANDARD[name], used=False)["label"],
    "stored": application.extra,
    "refused": [p.field for p in STANDARD.clean({name: 51}).problems if p.code == "out_of_range"],
}))
"""


def example():
    """Return the Python block that follows « How to add a variable »."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return re.search(r"## How to add a variable.*?```python\n(.*?)```", text, re.DOTALL).group(1)


@pytest.fixture
def tree(tmp_path):
    """Copy the product's code, with CONTRIBUTING's entry added where it says."""
    import shutil

    for name in ("apps", "config", "locale", "templates", "static"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "apps" / "engine" / "dictionary.py"
    code = file.read_text()
    start = re.search(r"^_ENTRIES\b[^=]*= \(\n", code, re.MULTILINE).end()
    file.write_text(code[:start] + textwrap.indent(example().strip(), "    ") + ",\n" + code[start:])
    return tmp_path


def test_one_entry_is_enough(tree):
    done = subprocess.run(
        [sys.executable, "-c", SEEN],
        cwd=tree,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "CREDISENSE_DATA_DIR": str(tree / "var"),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "dictionary": True,
        "form": "Formations en gestion suivies",
        "schema": True,
        "features": "Formations en gestion suivies",
        "stored": {"nb_formations_gestion": 3},
        "refused": ["nb_formations_gestion"],
    }
