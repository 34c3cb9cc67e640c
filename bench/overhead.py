"""What scope, rules, storage and audit cost on a score: medians of rounds taken in turn.

    CREDISENSE_DEMO=1 python bench/overhead.py [--rounds 7] [--calls 60]

Runs inside one process on the demonstration's database, which must be running (`make demo`).
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
os.environ.setdefault("CREDISENSE_ALLOWED_HOSTS", "testserver")

BODY = {
    "age": 38,
    "revenu_mensuel": 285_000,
    "type_contrat_travail": "Indépendant",
    "anciennete_travail_mois": 62,
    "montant_credit": 600_000,
    "duree_mois": 12,
    "taux_interet": 22.0,
    "type_credit": "fonds_de_roulement",
    "nb_retards_30j": 0,
}


def steps() -> dict[str, Callable[[], Any]]:
    """Return what is timed, from the bare model to the whole request."""
    from dataclasses import replace
    from unittest import mock

    from django.test import Client, RequestFactory

    from apps.credits.services.applications import checked_values
    from apps.engine.contracts import CaseFacts, ScoringInput
    from apps.engine.policy import advise, evaluate_rules
    from apps.institutions.models import Institution
    from apps.registry.loader import load_scorer
    from apps.registry.queries import champion_for
    from apps.scoring.queries.policies import policy_on
    from apps.scoring.services.scores import score_values
    from apps.scoring.validators import figures_from_json
    from apps.tenancy.context import tenant_scope
    from apps.users.models import User
    from apps.users.queries import active_membership, member_actor
    from apps.users.services.sessions import open_api_session

    institution = Institution.objects.get(code="horizon")
    membership = active_membership(User.objects.get(email="analyste@horizon.demo").pk)
    if membership is None:
        raise SystemExit("Run `make demo` first.")
    with tenant_scope(institution.pk):
        scorer = load_scorer(champion_for())
        figures = figures_from_json(policy_on().figures)
        actor = member_actor(membership)
        values, _warnings = checked_values(BODY)
    tokens = open_api_session(request=RequestFactory().get("/"), membership=membership)
    headers = {"Authorization": f"Bearer {tokens.access}"}
    client = Client(headers=headers)
    result = scorer.score(ScoringInput(values))
    without_rules = replace(figures, rules=())

    def empty_scope() -> None:
        with tenant_scope(institution.pk):
            pass

    def service() -> None:
        with tenant_scope(institution.pk):
            score_values(raw=BODY, by=actor)

    def service_without_audit() -> None:
        with mock.patch("apps.scoring.services.scores.record"):
            service()

    return {
        "model and reasons": lambda: scorer.score(ScoringInput(values)),
        "the nine rules": lambda: evaluate_rules(values, CaseFacts(), figures),
        "advice without rules": lambda: advise(result, values, CaseFacts(), without_rules, scorer=scorer),
        "advice": lambda: advise(result, values, CaseFacts(), figures, scorer=scorer),
        "an empty scope": empty_scope,
        "stored, no audit": service_without_audit,
        "stored and audited": service,
        "the whole request": lambda: client.post("/api/v1/predict", BODY, content_type="application/json"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=60)
    options = parser.parse_args()
    import django

    django.setup()
    timed = steps()
    medians: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(options.rounds):
        for name, call in timed.items():
            samples = []
            for _call in range(options.calls):
                started = time.perf_counter()
                call()
                samples.append((time.perf_counter() - started) * 1000)
            medians[name].append(statistics.median(samples))
    for name, figures in medians.items():
        middle, low, high = statistics.median(figures), min(figures), max(figures)
        print(f"{name:24} {middle:8.3f} ms   (rounds {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
