import datetime as dt
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers

from apps.api.fields import DayField, StrictSerializer
from apps.api.v1.pages import ListSerializer
from apps.jobs.enums import JobStatus
from apps.reports.enums import ReportFormat, ReportKind
from apps.reports.models import Report
from apps.tenancy.cursors import Order

LANGUAGES = [(code, code) for code, _name in settings.LANGUAGES]


class ReportListSerializer(ListSerializer):
    """Filtres des rapports."""

    orders = {"-created_at": Order("created_at"), "created_at": Order("created_at", descending=False)}

    kind = serializers.ChoiceField(choices=ReportKind.choices, required=False, help_text="Rapport")


class NewReportSerializer(StrictSerializer):
    """Le rapport demandé : une période, ou ce sur quoi il porte."""

    kind = serializers.ChoiceField(choices=ReportKind.choices, help_text="Rapport")
    format = serializers.ChoiceField(
        choices=ReportFormat.choices, help_text="`pdf` seulement pour une fiche ou un courrier"
    )
    language = serializers.ChoiceField(choices=LANGUAGES, required=False, help_text="`fr` par défaut")
    agency = serializers.UUIDField(required=False, help_text="Une agence ; toutes celles visibles par défaut")
    subject = serializers.UUIDField(
        required=False, help_text="Le score, la décision, la demande ou le modèle dont parle une fiche"
    )

    def get_fields(self) -> dict[str, Any]:
        first = DayField(required=False, help_text="Premier jour (AAAA-MM-JJ)")
        last = DayField(required=False, help_text="Dernier jour, inclus")
        return {**super().get_fields(), "from": first, "to": last}


class ReportLinksSerializer(serializers.Serializer[Any]):
    self = serializers.CharField()
    file = serializers.CharField(help_text="Le fichier, une fois le rapport terminé")


class ReportSerializer(serializers.Serializer[Any]):
    """Un rapport : ce qu'il dit, où il en est."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ReportKind.choices)
    format = serializers.ChoiceField(choices=ReportFormat.choices)
    language = serializers.ChoiceField(choices=LANGUAGES)
    agency = serializers.UUIDField(allow_null=True)
    subject = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(choices=JobStatus.choices)
    progress = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True)
    contents_sha256 = serializers.CharField(allow_null=True, help_text="Empreinte de ce qui est dit")
    created_at = serializers.DateTimeField()
    expires_on = serializers.DateField(help_text="Jour jusqu'auquel le fichier est gardé")
    links = ReportLinksSerializer()

    def get_fields(self) -> dict[str, Any]:
        first, last = serializers.DateField(allow_null=True), serializers.DateField(allow_null=True)
        return {**super().get_fields(), "from": first, "to": last}


def report_body(report: Report) -> dict[str, Any]:
    """Return a report as the API has it."""
    job = report.job
    return {
        "id": str(report.uid),
        "kind": report.kind,
        "format": report.format,
        "language": report.language,
        "from": report.starts_on and report.starts_on.isoformat(),
        "to": report.ends_on and report.ends_on.isoformat(),
        "agency": str(report.agency.uid) if report.agency else None,
        "subject": str(report.subject) if report.subject else None,
        "status": job.status,
        "progress": job.progress,
        "error": job.error if job.status == JobStatus.FAILED else "",
        "contents_sha256": report.contents_sha256 or None,
        "created_at": _moment(report.created_at),
        "expires_on": report.expires_on.isoformat(),
        "links": {
            "self": reverse("api:report", args=[report.uid]),
            "file": reverse("api:report_file", args=[report.uid]),
        },
    }


def _moment(moment: dt.datetime) -> str:
    return timezone.localtime(moment).isoformat(timespec="seconds")
