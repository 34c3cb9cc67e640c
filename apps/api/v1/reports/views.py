from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CREATE, LIST, READ, problems
from apps.api.v1.base import ApiView, checked
from apps.api.v1.batches.views import AnyRenderer
from apps.api.v1.pages import asked, page, page_of
from apps.api.v1.reports.serializers import (
    NewReportSerializer,
    ReportListSerializer,
    ReportSerializer,
    report_body,
)
from apps.jobs.services import send_job
from apps.reports.queries.catalogue import get_visible_report, visible_reports
from apps.reports.queries.documents import Wish
from apps.reports.services.making import ask_report, open_report, wish_for
from apps.reports.tasks import write_report
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Verb

REPORTS = ["Rapports"]


class ReportsView(ApiView):
    verbs = {"GET": Verb.READ_REPORTS, "POST": Verb.READ_REPORTS}

    @extend_schema(
        operation_id="reports",
        tags=REPORTS,
        summary="Vos rapports",
        parameters=[ReportListSerializer],
        responses={200: page_of(ReportSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, ReportListSerializer)
        reports = visible_reports(self.actor)
        if kind := wish.get("kind"):
            reports = reports.filter(kind=kind)
        return page(request, reports, wish, report_body)

    @extend_schema(
        operation_id="report_create",
        tags=REPORTS,
        summary="Demander un rapport",
        description="Le fichier est écrit ensuite : suivez-le par `links.self`. Un rapport sur une période "
        "prend `from` et `to` ; une fiche, un courrier ou un modèle prend `subject` et n'existe qu'en PDF. "
        "Il ne dit que ce que vous pouvez voir.",
        request=NewReportSerializer,
        responses={202: ReportSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        given = checked(request, NewReportSerializer)
        report = ask_report(wish=_wish(given, self.actor), format=given["format"])
        send_job(job=report.job, task=write_report)
        body = report_body(report)
        return Response(body, status=202, headers={"Location": body["links"]["self"]})


def _wish(given: Mapping[str, Any], actor: Actor) -> Wish:
    """Return what a body asks for; its own words stand beside what is refused."""
    try:
        return wish_for(
            kind=given["kind"],
            by=actor,
            language=given.get("language", "fr"),
            starts_on=given.get("from"),
            ends_on=given.get("to"),
            agency_uid=given.get("agency"),
            subject=given.get("subject"),
        )
    except InvalidValues as refusal:
        words = {"starts_on": "from", "ends_on": "to"}
        told = {words.get(name, name): said for name, said in refusal.fields.items()}
        raise InvalidValues(refusal.message, fields=told) from refusal


class ReportView(ApiView):
    verbs = {"GET": Verb.READ_REPORTS}

    def find(self, **kwargs: Any) -> None:
        self.report = get_visible_report(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="report",
        tags=REPORTS,
        summary="Où en est un rapport",
        responses={200: ReportSerializer, **problems(*READ)},
    )
    def get(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return Response(report_body(self.report))


class ReportFileView(ReportView):
    renderer_classes = [JSONRenderer, AnyRenderer]

    @extend_schema(
        operation_id="report_file",
        tags=REPORTS,
        summary="Le fichier d'un rapport",
        description="409 `unfinished` tant qu'il n'est pas écrit, et une fois son délai passé.",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **problems(*READ, 409)},
    )
    def get(self, _request: Request, uid: UUID) -> HttpResponseBase:  # type: ignore[override]  # noqa: ARG002  found first
        stored, path = open_report(report=self.report, by=self.actor)
        return FileResponse(
            path.open("rb"),
            as_attachment=True,
            filename=stored.original_name,
            content_type="application/octet-stream",
        )
