import datetime as dt
from typing import Any

from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers

from apps.api.fields import DayField, StrictSerializer
from apps.api.schema import CANDIDATES
from apps.api.v1.pages import ListSerializer
from apps.jobs.enums import JobStatus
from apps.registry.enums import TrainingOrigin
from apps.registry.models import TrainingRun
from apps.registry.queries import versions_of_run
from apps.registry.services.training_runs import (
    FOLDS,
    MOST_SEARCH_SECONDS,
    MOST_SEED,
    SAMPLINGS,
    SEARCHES,
    SPLITS,
    USUAL,
)
from apps.tenancy.cursors import Order


def _codes(codes: Any) -> list[tuple[str, str]]:
    return [(code, code) for code in codes]


class TrainingRunListSerializer(ListSerializer):
    """Filtres des entraînements."""

    orders = {"-created_at": Order("created_at"), "created_at": Order("created_at", descending=False)}

    status = serializers.ChoiceField(choices=JobStatus.choices, required=False, help_text="État")


class NewTrainingRunSerializer(StrictSerializer):
    """Ce qui est comparé et comment ; sans rien, ce qui convient d'ordinaire."""

    candidates = serializers.ListField(
        child=serializers.ChoiceField(choices=CANDIDATES),
        required=False,
        min_length=1,
        max_length=len(CANDIDATES),
        help_text=f"Par défaut {', '.join(USUAL)}",
    )
    split = serializers.ChoiceField(
        choices=_codes(SPLITS),
        required=False,
        help_text="`auto` juge sur les derniers crédits dès 18 mois d'historique",
    )
    folds = serializers.IntegerField(min_value=FOLDS[0], max_value=FOLDS[1], required=False)
    seed = serializers.IntegerField(min_value=0, max_value=MOST_SEED, required=False)
    search = serializers.ChoiceField(choices=_codes(SEARCHES), required=False)
    search_seconds = serializers.IntegerField(min_value=1, max_value=MOST_SEARCH_SECONDS, required=False)
    sampling = serializers.ChoiceField(choices=_codes(SAMPLINGS), required=False)
    observed_on = DayField(required=False, help_text="Date d'observation ; aujourd'hui par défaut")


class KeepCandidateSerializer(StrictSerializer):
    """Le candidat à garder au registre."""

    kind = serializers.ChoiceField(choices=CANDIDATES)


class TrainingLinksSerializer(serializers.Serializer[Any]):
    self = serializers.CharField()
    cancel = serializers.CharField()
    retry = serializers.CharField()
    keep = serializers.CharField(help_text="Garder un candidat au registre")


class TrainingRunLineSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    status = serializers.ChoiceField(choices=JobStatus.choices)
    origin = serializers.ChoiceField(choices=TrainingOrigin.choices)
    candidates = serializers.ListField(child=serializers.CharField())
    recommended = serializers.CharField(allow_null=True)
    observed_on = serializers.DateField()
    created_at = serializers.DateTimeField()


class TrainingRunSerializer(TrainingRunLineSerializer):
    """Un entraînement : où il en est, ce qu'il a lu, ce que vaut chaque candidat."""

    progress = serializers.IntegerField()
    step = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    horizon_months = serializers.IntegerField()
    settings = serializers.DictField(child=serializers.JSONField())
    data = serializers.DictField(child=serializers.JSONField(), allow_null=True)  # type: ignore[assignment]
    data_sha256 = serializers.CharField(allow_null=True, help_text="Empreinte des données gardées")
    result = serializers.DictField(child=serializers.JSONField(), allow_null=True)
    versions = serializers.DictField(
        child=serializers.UUIDField(), help_text="Versions gardées au registre, par candidat"
    )
    links = TrainingLinksSerializer()


def run_line(run: TrainingRun) -> dict[str, Any]:
    """Return a run as a list has it."""
    return {
        "id": str(run.uid),
        "number": run.number,
        "status": run.job.status,
        "origin": run.origin,
        "candidates": run.asked["candidates"],
        "recommended": (run.job.result or {}).get("recommended"),
        "observed_on": run.observed_on.isoformat(),
        "created_at": _moment(run.created_at),
    }


def run_body(run: TrainingRun) -> dict[str, Any]:
    """Return everything of a run."""
    failed = run.job.status == JobStatus.FAILED
    return {
        **run_line(run),
        "progress": run.job.progress,
        "step": run.step,
        "error": run.job.error if failed else "",
        "horizon_months": run.horizon_months,
        "settings": run.asked,
        "data": run.data,
        "data_sha256": None if run.snapshot is None else run.snapshot.sha256,
        "result": run.result,
        "versions": {kind: str(version.uid) for kind, version in versions_of_run(run).items()},
        "links": {
            "self": reverse("api:training_run", args=[run.uid]),
            **{name: reverse(f"api:training_{name}", args=[run.uid]) for name in ("cancel", "retry", "keep")},
        },
    }


def _moment(moment: dt.datetime) -> str:
    return timezone.localtime(moment).isoformat(timespec="seconds")
