"""Past scores in bulk, for the demonstration only: the door of a day is ``scores.score_application``."""

import datetime as dt
import time
from collections.abc import Iterable, Sequence

from apps.credits.models import CreditApplication
from apps.registry.models import ModelVersion
from apps.scoring.models import Prediction, ScoringPolicy
from apps.scoring.services.scores import application_case, hash_of, prediction_of
from apps.tenancy.actor import Actor

CHUNK = 500


def past_scores(
    rows: Iterable[tuple[CreditApplication, dt.datetime]],
    *,
    version: ModelVersion,
    policy: ScoringPolicy,
    by: Actor,
) -> list[Prediction]:
    """Score applications as ``version`` and ``policy`` would have on their day; nothing is stored.

    ``rows`` gives each application with the moment of its score; whoever entered it asked for its score.
    Returns the scores in the order of ``rows``.
    """
    predictions = []
    for application, moment in rows:
        started = time.perf_counter()
        case = application_case(application, on=moment.date())
        scored = prediction_of(case, version, policy, hash_of(case), by=by, source="page", started=started)
        scored.created_at = moment
        scored.author_id = application.author_id
        predictions.append(scored)
    return predictions


def insert_past_scores(predictions: Sequence[Prediction]) -> None:
    """Insert scores of ``past_scores``, without audit nor webhook: the seeding writes one entry for all."""
    Prediction.objects.bulk_create(predictions, batch_size=CHUNK)
