from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CREATE, LIST, READ, problems
from apps.api.v1.base import ApiView, checked
from apps.api.v1.models.serializers import ModelVersionSerializer, model_body
from apps.api.v1.pages import asked, page, page_of
from apps.api.v1.training.serializers import (
    KeepCandidateSerializer,
    NewTrainingRunSerializer,
    TrainingRunLineSerializer,
    TrainingRunListSerializer,
    TrainingRunSerializer,
    run_body,
    run_line,
)
from apps.jobs.services import send_job
from apps.registry.queries import get_training_run, training_runs
from apps.registry.services.training_keeping import register_candidate
from apps.registry.services.training_runs import ask_training, cancel_training, retry_training
from apps.scoring.tasks import train_candidates
from apps.tenancy.roles import Verb

TRAINING = ["Entraînements"]


class TrainingRunsView(ApiView):
    verbs = {"GET": Verb.READ_REPORTS, "POST": Verb.PROPOSE_MODEL}

    @extend_schema(
        operation_id="training_runs",
        tags=TRAINING,
        summary="Journal des entraînements",
        parameters=[TrainingRunListSerializer],
        responses={200: page_of(TrainingRunLineSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, TrainingRunListSerializer)
        runs = training_runs()
        if status := wish.get("status"):
            runs = runs.filter(job__status=status)
        return page(request, runs, wish, run_line)

    @extend_schema(
        operation_id="training_run_create",
        tags=TRAINING,
        summary="Demander un entraînement",
        description="Le travail est fait ensuite : suivez-le par `links.self`. Rien ne va en production. 409 "
        "`training_refused` si l'historique est trop court ou si un entraînement est en cours.",
        request=NewTrainingRunSerializer,
        responses={202: TrainingRunSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        wish = checked(request, NewTrainingRunSerializer)
        run = ask_training(by=self.actor, **wish)
        send_job(job=run.job, task=train_candidates)
        body = run_body(run)
        return Response(body, status=202, headers={"Location": body["links"]["self"]})


class TrainingObjectView(ApiView):
    def find(self, **kwargs: Any) -> None:
        self.run = get_training_run(kwargs["uid"])

    def answer(self, status: int = 200) -> Response:
        return Response(run_body(get_training_run(self.run.uid)), status=status)


class TrainingRunView(TrainingObjectView):
    verbs = {"GET": Verb.READ_REPORTS}

    @extend_schema(
        operation_id="training_run",
        tags=TRAINING,
        summary="Un entraînement : où il en est, ce qu'il a donné",
        responses={200: TrainingRunSerializer, **problems(*READ)},
    )
    def get(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return self.answer()


class TrainingCancelView(TrainingObjectView):
    verbs = {"POST": Verb.PROPOSE_MODEL}

    @extend_schema(
        operation_id="training_cancel",
        tags=TRAINING,
        summary="Arrêter un entraînement",
        description="Rien n'en est gardé. 409 `job_not_changeable` s'il est terminé.",
        request=None,
        responses={200: TrainingRunSerializer, **problems(*READ, 409)},
    )
    def post(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        cancel_training(run=self.run, by=self.actor)
        return self.answer()


class TrainingRetryView(TrainingObjectView):
    verbs = {"POST": Verb.PROPOSE_MODEL}

    @extend_schema(
        operation_id="training_retry",
        tags=TRAINING,
        summary="Reprendre un entraînement qui a échoué ou a été arrêté",
        request=None,
        responses={202: TrainingRunSerializer, **problems(*READ, 409)},
    )
    def post(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        retry_training(run=self.run, by=self.actor)
        send_job(job=self.run.job, task=train_candidates)
        return self.answer(status=202)


class TrainingKeepView(TrainingObjectView):
    verbs = {"POST": Verb.PROPOSE_MODEL}

    @extend_schema(
        operation_id="training_keep",
        tags=TRAINING,
        summary="Garder un candidat au registre",
        description="La version est candidate, avec les contrôles de l'entraînement ; deux personnes "
        "décident de la production. 422 `invalid_values` pour un candidat de comparaison.",
        request=KeepCandidateSerializer,
        responses={201: ModelVersionSerializer, **problems(*CREATE, 503)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        wish = checked(request, KeepCandidateSerializer)
        version = register_candidate(run=self.run, kind=wish["kind"], by=self.actor)
        body = model_body(version)
        return Response(body, status=201, headers={"Location": body["links"]["self"]})
