from io import BytesIO
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import LIST, READ, problems
from apps.api.v1.base import ApiView, checked
from apps.api.v1.batches.views import AnyRenderer
from apps.api.v1.imports.serializers import (
    ImportCheckSerializer,
    ImportConfirmSerializer,
    ImportLineSerializer,
    ImportListSerializer,
    ImportProposalSerializer,
    ImportSerializer,
    ImportTemplateSerializer,
    NewImportSerializer,
    import_body,
    import_line,
    proposal_body,
    settled_columns,
)
from apps.api.v1.pages import asked, page, page_of
from apps.credits import tasks
from apps.credits.enums import ImportMode
from apps.credits.importing.registry import TARGETS, target_named
from apps.credits.importing.runs import (
    cancel_import,
    confirm_import,
    prepare_import,
    receive_import,
    rejects_of,
    settle_import,
    undo_import,
)
from apps.credits.importing.templates import KINDS, import_template
from apps.credits.queries.imports import get_visible_import, visible_imports
from apps.files.reading.dialects import Dialect
from apps.jobs.services import send_job
from apps.tenancy.roles import Verb

TAGS = ["Imports"]
SENT = (400, 401, 403, 413, 415, 422)
STEP = (400, 401, 403, 404, 409, 415, 422)


class ImportsView(ApiView):
    verbs = {"GET": Verb.IMPORT, "POST": Verb.IMPORT}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="imports",
        tags=TAGS,
        summary="Liste des imports",
        description="Les imports que vous avez demandés, les derniers d'abord ; ceux de toute l'institution "
        "si vous voyez toutes les agences.",
        parameters=[ImportListSerializer],
        responses={200: page_of(ImportLineSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, ImportListSerializer)
        rows = visible_imports(self.actor)
        if target := wish.get("target"):
            rows = rows.filter(target=target)
        return page(request, rows, wish, import_line)

    @extend_schema(
        operation_id="import_create",
        tags=TAGS,
        summary="Envoyer un fichier à importer",
        description="Rien n'est encore contrôlé ni écrit : lisez `proposal`, puis demandez `check`, puis "
        "`confirm`.",
        request={"multipart/form-data": NewImportSerializer},
        responses={201: ImportSerializer, **problems(*SENT)},
    )
    def post(self, request: Request) -> Response:
        given = NewImportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        run = receive_import(upload=values["file"], target=values["target"], by=self.actor)
        body = import_body(run)
        return Response(body, status=201, headers={"Location": body["links"]["self"]})


class ImportTemplateView(ApiView):
    verbs = {"GET": Verb.IMPORT}
    renderer_classes = [JSONRenderer, AnyRenderer]

    def find(self, **kwargs: Any) -> None:
        target_named(kwargs["target"])

    @extend_schema(
        operation_id="import_template",
        tags=TAGS,
        summary="Le modèle de fichier d'un import",
        description="Les en-têtes, deux lignes d'exemple et ce que tient chaque colonne ; aucune donnée de "
        "votre institution.",
        parameters=[
            OpenApiParameter(
                "target",
                str,
                OpenApiParameter.PATH,
                enum=[each.name for each in TARGETS],
                description="Ce que tient le fichier",
            ),
            ImportTemplateSerializer,
        ],
        responses={
            (200, KINDS["csv"].partition(";")[0]): OpenApiTypes.BINARY,
            (200, KINDS["xlsx"]): OpenApiTypes.BINARY,
            **problems(*READ, 422),
        },
    )
    def get(self, request: Request, target: str) -> HttpResponseBase:
        given = ImportTemplateSerializer(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        found = import_template(target=target, kind=given.validated_data["kind"])
        content = BytesIO(found.content)
        return FileResponse(content, as_attachment=True, filename=found.name, content_type=found.media_type)


class ImportObjectView(ApiView):
    """A route under one import."""

    verbs = {"GET": Verb.IMPORT}

    def find(self, **kwargs: Any) -> None:
        self.run = get_visible_import(self.actor, kwargs["uid"])

    def asked(self, task: Any) -> Response:
        """Enqueue the task of the step that was asked and answer where it is followed."""
        run = get_visible_import(self.actor, self.run.uid)
        assert run.job is not None  # the step that was just asked has one
        send_job(job=run.job, task=task)
        body = import_body(run)
        return Response(body, status=202, headers={"Location": body["links"]["self"]})


class ImportView(ImportObjectView):
    @extend_schema(
        operation_id="import",
        tags=TAGS,
        summary="Où en est un import",
        responses={200: ImportSerializer, **problems(*READ)},
    )
    def get(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return Response(import_body(self.run))


class ImportProposalView(ImportObjectView):
    @extend_schema(
        operation_id="import_proposal",
        tags=TAGS,
        summary="Ce que le fichier semble tenir",
        description="Cinq lignes, ce pour quoi chaque colonne est prise, et les questions d'unité.",
        responses={200: ImportProposalSerializer, **problems(*READ, 422)},
    )
    def get(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return Response(proposal_body(self.run, prepare_import(run=self.run)))


class ImportCheckView(ImportObjectView):
    verbs = {"POST": Verb.IMPORT}

    @extend_schema(
        operation_id="import_check",
        tags=TAGS,
        summary="Régler les colonnes et contrôler chaque ligne",
        description="Rien n'est écrit. Les colonnes réglées sont retenues pour le fichier suivant.",
        request=ImportCheckSerializer,
        responses={202: ImportSerializer, **problems(*STEP)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        wish = checked(request, ImportCheckSerializer)
        dialect = Dialect.from_json(self.run.dialect).replaced(**wish.get("reading", {}))
        matches = prepare_import(run=self.run, dialect=dialect).matches
        if "columns" in wish:
            matches = settled_columns(matches, wish["columns"])
        else:
            matches = [match for match in matches if match.certain]
        common = wish.get("common")
        settle_import(run=self.run, matches=matches, dialect=dialect, common=common, by=self.actor)
        return self.asked(tasks.check_import)


class ImportConfirmView(ImportObjectView):
    verbs = {"POST": Verb.IMPORT}

    @extend_schema(
        operation_id="import_confirm",
        tags=TAGS,
        summary="Confirmer un import contrôlé",
        description="`valid` importe les lignes valides ; `all` importe tout ou rien. 409 `moved` si le "
        "contrôle n'est pas fait, `rows_refused` si des lignes sont rejetées et que tout est demandé.",
        request=ImportConfirmSerializer,
        responses={202: ImportSerializer, **problems(*STEP)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        wish = checked(request, ImportConfirmSerializer)
        confirm_import(
            run=self.run,
            mode=ImportMode(wish["mode"]),
            keep_duplicates=wish["keep_duplicates"],
            by=self.actor,
        )
        return self.asked(tasks.write_import)


class ImportCancelView(ImportObjectView):
    verbs = {"POST": Verb.IMPORT}

    @extend_schema(
        operation_id="import_cancel",
        tags=TAGS,
        summary="Arrêter un contrôle ou un import",
        description="Ce qui est déjà importé reste, et peut être défait.",
        request=None,
        responses={200: ImportSerializer, **problems(*READ, 409)},
    )
    def post(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        cancel_import(run=self.run, by=self.actor)
        return Response(import_body(get_visible_import(self.actor, self.run.uid)))


class ImportUndoView(ImportObjectView):
    verbs = {"POST": Verb.IMPORT}

    @extend_schema(
        operation_id="import_undo",
        tags=TAGS,
        summary="Défaire un import",
        description="Rend l'état d'avant, ligne par ligne. 409 `built_on` si des éléments s'appuient "
        "dessus : `detail` dit lesquels.",
        request=None,
        responses={202: ImportSerializer, **problems(*READ, 409)},
    )
    def post(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        undo_import(run=self.run, by=self.actor)
        return self.asked(tasks.undo_import)


class ImportRejectsView(ImportObjectView):
    renderer_classes = [JSONRenderer, AnyRenderer]
    report = False

    @extend_schema(
        operation_id="import_rejects",
        tags=TAGS,
        summary="Les lignes écartées, à corriger et renvoyer",
        description="Vos colonnes, puis `erreur`. 404 si aucune ligne n'est écartée.",
        responses={(200, "text/csv"): OpenApiTypes.BINARY, **problems(*READ)},
    )
    def get(self, _request: Request, uid: UUID) -> HttpResponseBase:  # noqa: ARG002  found first
        return self.file()

    def file(self) -> FileResponse:
        """Send the file as an attachment under its name."""
        stored, path = rejects_of(run=self.run, by=self.actor, report=self.report)
        kind = "text/csv" if stored.kind == "csv" else None
        name = stored.original_name
        return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=kind)


class ImportProblemsView(ImportRejectsView):
    report = True

    @extend_schema(
        operation_id="import_problems",
        tags=TAGS,
        summary="Tous les problèmes, un par ligne",
        description="Ligne, colonne, valeur, règle, que faire. 404 si rien n'est à dire.",
        responses={(200, "text/csv"): OpenApiTypes.BINARY, **problems(*READ)},
    )
    def get(self, _request: Request, uid: UUID) -> HttpResponseBase:  # noqa: ARG002  found first
        return self.file()
