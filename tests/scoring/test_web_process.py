"""A web process that scores holds none of the libraries that train models: they cost seconds and memory."""

import json
import subprocess
import sys

from django.conf import settings

from tests.predict import BODY

HEAVY = ("pandas", "sklearn", "shap", "xgboost", "scipy", "joblib")
SCORE = """
import json, sys
from config.wsgi import application
from django.test import RequestFactory
from pathlib import Path
from apps.engine.artifacts import read
from apps.engine.contracts import CaseFacts, PolicyFigures, ScoringInput
from apps.engine.policy import advise, default_rules
from apps.engine.scorer import Scorer
folder, body, heavy = json.load(sys.stdin)
answer = application.get_response(RequestFactory().get("/healthz"))  # every route is imported
scorer = Scorer(read(Path(folder)))
result = scorer.score(ScoringInput(body))
advise(result, body, CaseFacts(), PolicyFigures(rules=default_rules()), scorer=scorer)
print(json.dumps([answer.status_code, 0 < result.pd < 1, [name for name in heavy if name in sys.modules]]))
"""


def test_routes_and_a_score_import_no_training_library(world):
    folder = settings.PLATFORM_MODELS_DIR / "defaut-imf" / "1"
    given = json.dumps([str(folder), BODY, HEAVY])

    done = subprocess.run(
        [sys.executable, "-c", SCORE], input=given, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [200, True, []]
