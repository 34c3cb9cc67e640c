from typing import Any, ClassVar
from uuid import UUID

from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import READ, problems
from apps.api.v1.base import ApiView
from apps.api.v1.batches.serializers import (
    BatchSerializer,
    FileSerializer,
    ScoredFileSerializer,
    batch_body,
    scored_body,
)
from apps.jobs.services import send_job
from apps.scoring.queries.batches import get_visible_batch
from apps.scoring.services.batches import (
    DOWNLOAD_ROWS,
    INLINE_ROWS,
    cancel_batch,
    receive_batch,
    result_of,
    retry_batch,
    score_at_once,
)
from apps.scoring.tasks import score_file
from apps.tenancy.roles import Verb

FILES = ["Fichiers"]
SENT = (400, 401, 403, 413, 415, 422, 503)


class AnyRenderer(JSONRenderer):
    """Lets a caller ask for any type: the route answers a file, whatever its kind."""

    media_type = "*/*"
    format = "file"


class FileView(ApiView):
    """Receives a file in a form, scores it while the caller waits when it is small enough."""

    verbs = {"POST": Verb.IMPORT}
    parser_classes = [MultiPartParser]
    rows: ClassVar[int] = INLINE_ROWS

    def receive(self, request: Request) -> tuple[Any, Any]:
        """Return the batch of the file that was sent and its chunks; ``None`` when they come later."""
        given = FileSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wish: dict[str, Any] = dict(given.validated_data)
        batch = receive_batch(upload=wish["file"], by=self.actor, output=wish.get("format", "source"))
        if batch.lines_total <= self.rows:
            return batch, score_at_once(batch=batch)
        send_job(job=batch.job, task=score_file)
        return batch, None

    @staticmethod
    def later(batch: Any) -> Response:
        """Answer where a file that takes longer can be followed."""
        body = batch_body(batch)
        headers = {"Location": body["links"]["self"]}
        return Response(body, status=202, headers=headers, content_type="application/json")


class PredictFileView(FileView):
    @extend_schema(
        operation_id="predict_file",
        tags=FILES,
        summary="Scorer un fichier : toutes les lignes en réponse, ou un suivi au-delà de 2 000",
        description="Une ligne d'en-têtes, puis une ligne par demande, en CSV ou XLSX. Une ligne refusée "
        "est dite avec ses motifs et n'arrête pas les autres.",
        request={"multipart/form-data": FileSerializer},
        responses={200: ScoredFileSerializer, 202: BatchSerializer, **problems(*SENT)},
    )
    def post(self, request: Request) -> Response:
        batch, chunks = self.receive(request)
        return self.later(batch) if chunks is None else Response(scored_body(batch, chunks))


class PredictFileDownloadView(FileView):
    rows = DOWNLOAD_ROWS
    renderer_classes = [JSONRenderer, AnyRenderer]

    @extend_schema(
        operation_id="predict_file_download",
        tags=FILES,
        summary="Scorer un fichier et le recevoir complété, ou un suivi au-delà de 20 000 lignes",
        description="Vos colonnes telles quelles, dans leur ordre, puis les scores ; la colonne `erreur` dit "
        "pourquoi une ligne n'en a pas.",
        request={"multipart/form-data": FileSerializer},
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (202, "application/json"): BatchSerializer,
            **problems(*SENT),
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        batch, chunks = self.receive(request)
        return self.later(batch) if chunks is None else _sent(batch, self.actor)


class BatchView(ApiView):
    verbs = {"GET": Verb.IMPORT}

    def find(self, **kwargs: Any) -> None:
        self.batch = get_visible_batch(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="batch",
        tags=FILES,
        summary="Où en est un fichier",
        responses={200: BatchSerializer, **problems(*READ)},
    )
    def get(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return Response(batch_body(self.batch))


class BatchResultView(BatchView):
    renderer_classes = [JSONRenderer, AnyRenderer]

    @extend_schema(
        operation_id="batch_result",
        tags=FILES,
        summary="Le fichier complété",
        responses={(200, "text/csv"): OpenApiTypes.BINARY, **problems(*READ, 409)},
    )
    def get(self, _request: Request, uid: UUID) -> HttpResponseBase:  # type: ignore[override]  # noqa: ARG002  found first
        return _sent(self.batch, self.actor)


class BatchCancelView(ApiView):
    verbs = {"POST": Verb.IMPORT}

    def find(self, **kwargs: Any) -> None:
        self.batch = get_visible_batch(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="batch_cancel",
        tags=FILES,
        summary="Arrêter le calcul d'un fichier",
        description="Ce qui est déjà scoré reste enregistré ; aucun fichier n'est rendu.",
        request=None,
        responses={200: BatchSerializer, **problems(*READ, 409)},
    )
    def post(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        cancel_batch(batch=self.batch, by=self.actor)
        return Response(batch_body(get_visible_batch(self.actor, self.batch.uid)))


class BatchRetryView(ApiView):
    verbs = {"POST": Verb.IMPORT}

    def find(self, **kwargs: Any) -> None:
        self.batch = get_visible_batch(self.actor, kwargs["uid"])

    @extend_schema(
        operation_id="batch_retry",
        tags=FILES,
        summary="Reprendre le calcul d'un fichier qui a échoué",
        description="Par qui l'a envoyé ; le calcul reprend après les lignes déjà scorées. 409 "
        "`job_not_changeable` s'il n'a pas échoué.",
        request=None,
        responses={200: BatchSerializer, **problems(*READ, 409)},
    )
    def post(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        retry_batch(batch=self.batch, by=self.actor)
        send_job(job=self.batch.job, task=score_file)
        return Response(batch_body(get_visible_batch(self.actor, self.batch.uid)))


def _sent(batch: Any, actor: Any) -> FileResponse:
    """Send the result as an attachment under its name."""
    result, path = result_of(batch=batch, by=actor)
    kind = "text/csv" if result.kind == "csv" else None
    return FileResponse(path.open("rb"), as_attachment=True, filename=result.original_name, content_type=kind)
