from typing import Any

from django.utils import timezone
from rest_framework import serializers

from apps.api.v1.models.serializers import ModelLineSerializer, model_line
from apps.monitoring.enums import AlertCode, FigureKind, Severity, Suggestion
from apps.monitoring.models import Alert
from apps.monitoring.queries import Watch
from apps.monitoring.renderers import alert_title, suggestion_reason

STANDINGS = [(each, each) for each in ("alert", "watch", "level", "unknown")]
#: Field of the answer -> the figures it holds.
FIELDS = {
    "periods": FigureKind.STATE,
    "months": FigureKind.MONTH,
    "cohorts": FigureKind.COHORT,
    "bands": FigureKind.BAND,
    "agencies": FigureKind.AGENCY,
    "officers": FigureKind.OFFICER,
    "score": FigureKind.SCORE,
    "variables": FigureKind.VARIABLE,
    "early_signs": FigureKind.EARLY,
    "treatment": FigureKind.TREATMENT,
    "volumes": FigureKind.VOLUME,
}


class ComparedSerializer(serializers.Serializer[Any]):
    """Défauts observés et prédits ; bornes à 95 %, `chance` d'autant de défauts ou plus si tout est juste."""

    rows = serializers.IntegerField()
    defaults = serializers.IntegerField()
    expected = serializers.FloatField()
    observed_rate = serializers.FloatField()
    predicted_rate = serializers.FloatField()
    low = serializers.FloatField(help_text="Borne basse du taux observé")
    high = serializers.FloatField(help_text="Borne haute du taux observé")
    ratio = serializers.FloatField(help_text="Observé sur prédit")
    ratio_low = serializers.FloatField()
    ratio_high = serializers.FloatField()
    chance = serializers.FloatField()


class CohortSerializer(ComparedSerializer):
    """Les demandes d'un mois, ou de trois mois glissants ; `seen` si le modèle les a apprises."""

    to = serializers.CharField(help_text="Dernier mois, AAAA-MM")
    auc = serializers.FloatField(allow_null=True)
    auc_low = serializers.FloatField(allow_null=True)
    auc_high = serializers.FloatField(allow_null=True)
    auc_error = serializers.FloatField(allow_null=True)
    seen = serializers.BooleanField()
    alarming = serializers.BooleanField(help_text="Plus de défauts que le hasard n'en donne")

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.CharField(help_text="Premier mois, AAAA-MM"), **super().get_fields()}


class SliceSerializer(ComparedSerializer):
    """Une agence, un agent ou un niveau de risque."""

    slice = serializers.CharField(help_text="Identifiant de l'agence ou de l'agent, ou code du niveau")
    verdict = serializers.ChoiceField(choices=[(each, each) for each in ("above", "below", "level")])


class SlicesSerializer(serializers.Serializer[Any]):
    """Les tranches d'au moins 30 crédits ; `hidden` compte les autres."""

    lines = SliceSerializer(many=True)
    hidden = serializers.IntegerField()


class RateSerializer(serializers.Serializer[Any]):
    """Une part dans la référence, puis aujourd'hui."""

    before = serializers.FloatField()
    now = serializers.FloatField()
    passed = serializers.BooleanField()


class VariableShiftSerializer(serializers.Serializer[Any]):
    """L'indice de stabilité (PSI) d'une variable, sa limite à cet effectif, ses absences et ses écarts."""

    variable = serializers.CharField()
    psi = serializers.FloatField()
    limit = serializers.FloatField()
    reference = serializers.IntegerField()
    current = serializers.IntegerField()
    passed = serializers.BooleanField()
    missing = RateSerializer()
    outside = RateSerializer()


class ScoreShiftSerializer(serializers.Serializer[Any]):
    """L'indice de stabilité (PSI) des scores, et les deux répartitions."""

    psi = serializers.FloatField()
    limit = serializers.FloatField()
    reference = serializers.IntegerField()
    current = serializers.IntegerField()
    passed = serializers.BooleanField()
    edges = serializers.ListField(child=serializers.FloatField())
    before = serializers.ListField(child=serializers.IntegerField())
    now = serializers.ListField(child=serializers.IntegerField())


class VolumeSerializer(serializers.Serializer[Any]):
    month = serializers.CharField()
    applications = serializers.IntegerField()
    scores = serializers.IntegerField()


class MonitoringAlertSerializer(serializers.Serializer[Any]):
    """Une limite passée : laquelle, depuis quand, ce qu'il est suggéré de faire et pourquoi."""

    id = serializers.UUIDField()
    code = serializers.ChoiceField(choices=AlertCode.choices)
    about = serializers.CharField(allow_blank=True, help_text="Variable ou sorte de groupe, ou vide")
    label = serializers.CharField()  # type: ignore[assignment]
    severity = serializers.ChoiceField(choices=Severity.choices)
    suggestion = serializers.ChoiceField(choices=Suggestion.choices)
    reason = serializers.CharField()
    figures = serializers.DictField(child=serializers.JSONField())
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class MonitoringSerializer(serializers.Serializer[Any]):
    """Le suivi d'une version : chaque rubrique est nulle tant qu'elle n'a pu être mesurée."""

    model = ModelLineSerializer()
    day = serializers.DateField(allow_null=True, help_text="Jour des chiffres ; null avant la première nuit")
    standing = serializers.ChoiceField(choices=STANDINGS)
    alerts = MonitoringAlertSerializer(many=True, help_text="En cours, puis les dernières finies")
    periods = serializers.DictField(child=serializers.JSONField(), allow_null=True)
    months = CohortSerializer(many=True, allow_null=True)
    cohorts = CohortSerializer(many=True, allow_null=True)
    bands = SlicesSerializer(allow_null=True)
    agencies = SlicesSerializer(allow_null=True)
    officers = SlicesSerializer(allow_null=True)
    score = ScoreShiftSerializer(allow_null=True)
    variables = VariableShiftSerializer(many=True, allow_null=True)
    early_signs = serializers.DictField(child=serializers.JSONField(), allow_null=True)
    treatment = serializers.ListField(
        child=serializers.DictField(child=serializers.JSONField()), allow_null=True
    )
    volumes = VolumeSerializer(many=True, allow_null=True)


def monitoring_body(watch: Watch) -> dict[str, Any]:
    """Return everything that is known of how a version does."""
    return {
        "model": model_line(watch.version),
        "day": watch.day and watch.day.isoformat(),
        "standing": watch.standing,
        "alerts": [_alert(alert) for alert in (*watch.open, *watch.over)],
        **{name: watch.figures.get(kind) for name, kind in FIELDS.items()},
    }


def _alert(alert: Alert) -> dict[str, Any]:
    closed = alert.closed_at
    return {
        "id": str(alert.uid),
        "code": alert.code,
        "about": alert.about,
        "label": alert_title(alert.code, alert.about),
        "severity": alert.severity,
        "suggestion": alert.suggestion,
        "reason": suggestion_reason(alert.code, alert.suggestion),
        "figures": alert.figures,
        "opened_at": timezone.localtime(alert.opened_at).isoformat(timespec="seconds"),
        "closed_at": None if closed is None else timezone.localtime(closed).isoformat(timespec="seconds"),
    }
