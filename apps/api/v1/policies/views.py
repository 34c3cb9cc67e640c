from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CREATE, LIST, READ, problems
from apps.api.v1.base import ApiView, checked
from apps.api.v1.pages import asked, page, page_of
from apps.api.v1.policies.serializers import (
    NewPolicySerializer,
    PolicyDecisionSerializer,
    PolicyListSerializer,
    ScoringPolicySerializer,
    draft_asked,
    policy_body,
)
from apps.scoring.errors import NoPolicy
from apps.scoring.queries.policies import (
    draft_of,
    get_proposal,
    policy_in_force,
    policy_timeline,
    proposals_found,
)
from apps.scoring.services.policies import approve_policy, propose_policy, reject_policy, withdraw_policy
from apps.tenancy.roles import Verb

TAGS = ["Politiques"]
DECIDED = (400, *READ, 409, 415, 422)


class PoliciesView(ApiView):
    verbs = {"GET": Verb.READ_REPORTS, "POST": Verb.PROPOSE_MODEL}

    @extend_schema(
        operation_id="policies",
        tags=TAGS,
        summary="Liste des politiques de scoring, proposées ou tranchées",
        parameters=[PolicyListSerializer],
        responses={200: page_of(ScoringPolicySerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, PolicyListSerializer)
        times = policy_timeline()
        rows = proposals_found(status=wish.get("status", ""))
        return page(request, rows, wish, lambda row: policy_body(row, times))

    @extend_schema(
        operation_id="policy_propose",
        tags=TAGS,
        summary="Proposer une politique",
        description="Réservé au responsable des risques. Elle prend effet quand une autre personne "
        "l'approuve, à sa date ou ce jour-là si elle est passée. Une proposition attend à la fois : 409.",
        request=NewPolicySerializer,
        responses={201: ScoringPolicySerializer, **problems(*CREATE, 503)},
    )
    def post(self, request: Request) -> Response:
        given = checked(request, NewPolicySerializer)
        day = given["effective_from"]
        base = policy_in_force(max(day, timezone.localdate()))  # a day in the past is refused by the service
        if base is None:
            raise NoPolicy(_("This institution has no scoring policy yet."))
        draft = draft_asked(draft_of(base), given)
        reason = given.get("reason", "")
        proposal = propose_policy(draft=draft, effective_from=day, reason=reason, by=self.actor)
        return Response(policy_body(get_proposal(proposal.uid), {}), status=201)


class PolicyView(ApiView):
    verbs = {"GET": Verb.READ_REPORTS}

    def find(self, **kwargs: Any) -> None:
        self.proposal = get_proposal(kwargs["uid"])

    @extend_schema(
        operation_id="policy",
        tags=TAGS,
        summary="Une politique",
        responses={200: ScoringPolicySerializer, **problems(*READ)},
    )
    def get(self, _request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return Response(policy_body(self.proposal, policy_timeline()))


class PolicyDecisionView(ApiView):
    def find(self, **kwargs: Any) -> None:
        self.proposal = get_proposal(kwargs["uid"])

    def decided(self, request: Request, decide: Any) -> Response:
        reason = checked(request, PolicyDecisionSerializer).get("reason", "")
        decide(proposal=self.proposal, by=self.actor, reason=reason)
        return Response(policy_body(get_proposal(self.proposal.uid), policy_timeline()))


class PolicyApproveView(PolicyDecisionView):
    verbs = {"POST": Verb.APPROVE_MODEL}

    @extend_schema(
        operation_id="policy_approve",
        tags=TAGS,
        summary="Approuver une politique proposée",
        description="Par une autre personne que celle qui l'a proposée : sinon 403 `same_person`.",
        request=PolicyDecisionSerializer,
        responses={200: ScoringPolicySerializer, **problems(*DECIDED)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return self.decided(request, approve_policy)


class PolicyRejectView(PolicyDecisionView):
    verbs = {"POST": Verb.APPROVE_MODEL}

    @extend_schema(
        operation_id="policy_reject",
        tags=TAGS,
        summary="Rejeter une politique proposée, avec un motif",
        request=PolicyDecisionSerializer,
        responses={200: ScoringPolicySerializer, **problems(*DECIDED)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return self.decided(request, reject_policy)


class PolicyWithdrawView(PolicyDecisionView):
    verbs = {"POST": Verb.PROPOSE_MODEL}

    @extend_schema(
        operation_id="policy_withdraw",
        tags=TAGS,
        summary="Retirer sa propre proposition, avec un motif",
        request=PolicyDecisionSerializer,
        responses={200: ScoringPolicySerializer, **problems(*DECIDED)},
    )
    def post(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        return self.decided(request, withdraw_policy)
