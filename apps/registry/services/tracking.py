"""A copy of what a run found in MLflow, where the operator runs such a server; nothing depends on it."""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.registry.models import TrainingRun

logger = logging.getLogger(__name__)
EXPERIMENT = "credisense"


def track_run(run: TrainingRun) -> None:
    """Log settings, figures and the hash of the data of each candidate when ``MLFLOW_TRACKING_URI`` is set.

    No row of the data leaves. A server that does not answer, or a package that is not installed, is a line
    of the log: the run stands.
    """
    if not settings.MLFLOW_TRACKING_URI or run.result is None:
        return
    try:
        _track(run, run.result)
    except Exception as error:  # noqa: BLE001  whatever the other side does, the run is kept
        logger.warning("Run %s is not tracked: %s", run.uid, type(error).__name__)


def _track(run: TrainingRun, result: Mapping[str, Any]) -> None:
    import mlflow

    mlflow.set_tracking_uri(settings.MLFLOW_TRACKING_URI)
    mlflow.set_experiment(EXPERIMENT)
    for candidate in result["candidates"]:
        with mlflow.start_run(run_name=f"{run.number}-{candidate['kind']}"):
            mlflow.set_tags({"training_run": str(run.uid), "data_sha256": result["data"]["sha256"]})
            mlflow.log_params({**result["settings"], **candidate["params"], "kind": candidate["kind"]})
            figures = candidate["figures"].items()
            mlflow.log_metrics({name: told["value"] for name, told in figures if told["value"] is not None})
