"""The history over 200,000 scores: each combination of filters is an index and a LIMIT, not a full sort."""

import datetime as dt

import pytest
from django.db import connections

from apps.institutions.models import Agency
from apps.scoring.models import Prediction
from apps.scoring.queries.positions import position_of
from apps.scoring.queries.scores import scores_found
from tests.statements import faults

ROWS = 200_000

FILL = """
INSERT INTO scoring_prediction (
  uid, institution_id, agency_id, model_version_id, policy_id, author_id, source, inputs, facts, input_hash,
  pd, base, contributions, threshold, predicted_default, points, grade, band, recommendation,
  expected_loss_xaf, max_amount_reason, rules, warnings, duration_ms, created_at)
SELECT
  gen_random_uuid(), p.institution_id,
  CASE WHEN n %% 50 = 0 THEN NULL ELSE (%(agencies)s::bigint[])[1 + abs(hashint4(n)) %% %(count)s] END,
  p.model_version_id, p.policy_id,
  (%(authors)s::bigint[])[1 + abs(hashint4(n + 1000000)) %% 2],
  (ARRAY['page', 'api', 'api', 'batch'])[1 + abs(hashint4(n + 2000000)) %% 4],
  '{}', '{}', repeat('0', 64),
  (n %% 997) / 1000.0, p.base, '[]', p.threshold, p.predicted_default, p.points,
  p.grade,
  (ARRAY['faible', 'modere', 'modere', 'eleve'])[1 + abs(hashint4(n + 3000000)) %% 4], p.recommendation,
  p.expected_loss_xaf, '', '[]', '[]', 1, now() - n * interval '3 minutes'
FROM generate_series(1, %(rows)s) n
CROSS JOIN (SELECT * FROM scoring_prediction WHERE id = %(model)s) p
"""


def first_page(rows):
    return rows.order_by("-created_at", "-uid")[:26]


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_every_combination_of_filters_is_an_index_and_a_limit(world):
    with world.scope():
        agencies = list(Agency.objects.values_list("id", flat=True))
        authors = [world.user(world.analyst).pk, world.user(world.risk_manager).pk]
        model = Prediction.objects.order_by("pk").first()
    values = {
        "agencies": agencies,
        "count": len(agencies),
        "authors": authors,
        "rows": ROWS,
        "model": model.pk,
    }
    with connections["owner"].cursor() as cursor:
        cursor.execute(FILL, values)
        cursor.execute("ANALYZE scoring_prediction")

    found = {}
    with world.scope():
        everybody, agent = world.actor(world.auditor), world.actor(world.agent)
        day = model.created_at - dt.timedelta(days=200)
        dates = {"start": day, "end": day + dt.timedelta(days=30)}
        own = {"agency_id": min(agent.agency_ids)}
        filters = [{}, dates, {"band": "eleve"}, {"source": "page"}, {"author_id": authors[0]}]
        filters += [{"agency_id": agencies[0]}, {**dates, "band": "faible"}, {**dates, "source": "batch"}]
        filters += [{**dates, "author_id": authors[1]}, {"author_id": authors[0], "band": "faible"}]
        filters += [{"agency_id": agencies[0], "band": "eleve"}, {**dates, "agency_id": agencies[-1]}]
        filters += [
            {**dates, "agency_id": agencies[0], "band": "eleve", "source": "api", "author_id": authors[0]}
        ]
        for wanted in filters:
            found["all", str(wanted)] = faults(first_page(scores_found(everybody, **wanted)))
        for wanted in ({}, dates, {"band": "eleve"}, own, {**own, **dates, "source": "page"}):
            found["agent", str(wanted)] = faults(first_page(scores_found(agent, **wanted)))
        cursor_far = {"created_at__lte": day}
        found["deep page"] = faults(first_page(scores_found(everybody).filter(**cursor_far)))
        assert Prediction.objects.count() > ROWS
        assert position_of(model).others <= 5_000

    assert {key: bad for key, bad in found.items() if bad} == {}
