from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.schema import CREATE, ETAG, LIST, READ, problems
from apps.api.v1.base import ApiView, checked, detail
from apps.api.v1.credits.serializers import (
    CreditLineSerializer,
    CreditListSerializer,
    CreditSerializer,
    InstallmentListSerializer,
    InstallmentSerializer,
    NewCreditSerializer,
    NewRepaymentSerializer,
    RepaymentListSerializer,
    RepaymentSerializer,
    RestructuringSerializer,
    WriteOffSerializer,
    allotted,
    credit_body,
    credit_line,
    installment_body,
    repayment_body,
)
from apps.api.v1.pages import asked, page, page_of
from apps.audit.services import record_read
from apps.credits.enums import EntrySource
from apps.credits.queries.ledger import (
    CreditFilter,
    filtered_credits,
    filtered_repayments,
    get_visible_credit,
    installments_of,
)
from apps.credits.services.ledger import (
    Disbursement,
    Receipt,
    Restructuring,
    disburse_application,
    record_repayment,
    restructure_credit,
    write_off,
)
from apps.institutions.queries import agency_key
from apps.tenancy.roles import Verb

TAGS = ["Crédits"]


class CreditsView(ApiView):
    verbs = {"GET": Verb.READ_FILES, "POST": Verb.EDIT_FILES}

    @extend_schema(
        operation_id="credits",
        tags=TAGS,
        summary="Liste des crédits",
        description="Les crédits des agences que vous voyez, les derniers décaissés d'abord.",
        parameters=[CreditListSerializer],
        responses={200: page_of(CreditLineSerializer), **problems(*LIST)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, CreditListSerializer)
        limits = CreditFilter(
            status=wish.get("status", ""),
            agency_id=agency_key(self.actor, wish["agency"]) if "agency" in wish else None,
            client_uid=wish.get("client"),
            application_uid=wish.get("application"),
            reference=wish.get("reference", ""),
            start=wish.get("from"),
            end=wish.get("to"),
        )
        return page(request, filtered_credits(self.actor, limits), wish, credit_line)

    @extend_schema(
        operation_id="credit_create",
        tags=TAGS,
        summary="Décaisser une demande accordée",
        description="Crée le crédit et son échéancier ; la demande devient « décaissée ». 409 `moved` si "
        "elle n'est pas accordée, ou l'est déjà. Avec `refinances`, l'ancien crédit est remboursé et soldé.",
        request=NewCreditSerializer,
        responses={201: CreditSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        values = checked(request, NewCreditSerializer)
        uid = values.pop("application")
        credit = disburse_application(uid=uid, terms=Disbursement(**values), by=self.actor)
        return detail(request, credit_body(credit), status=201)


class _OneCredit(ApiView):
    """Routes of one credit."""

    def find(self, **kwargs: Any) -> None:
        self.credit = get_visible_credit(self.actor, kwargs["uid"])


class CreditView(_OneCredit):
    verbs = {"GET": Verb.READ_FILES}

    @extend_schema(
        operation_id="credit",
        tags=TAGS,
        summary="Un crédit, tel qu'il est aujourd'hui",
        description="Encours, jours de retard et retards sont calculés de l'échéancier et des "
        "remboursements. La lecture est inscrite à la piste d'audit.",
        parameters=[*ETAG],
        responses={200: CreditSerializer, 304: None, **problems(*READ)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        record_read(by=self.actor, target=self.credit)
        return detail(request, credit_body(self.credit))


class CreditWriteOffView(_OneCredit):
    verbs = {"POST": Verb.DECIDE}

    @extend_schema(
        operation_id="credit_write_off",
        tags=TAGS,
        summary="Passer un crédit en perte",
        description="Par qui décide. Ce qui est recouvré ensuite s'enregistre encore. 409 `moved` s'il n'est "
        "plus en cours, 422 sans motif ou s'il ne reste rien.",
        request=WriteOffSerializer,
        responses={200: CreditSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        values = checked(request, WriteOffSerializer)
        write_off(uid=uid, reason=values.get("reason", ""), on=values.get("on"), by=self.actor)
        return detail(request, credit_body(get_visible_credit(self.actor, uid)))


class CreditRestructureView(_OneCredit):
    verbs = {"POST": Verb.DECIDE}

    @extend_schema(
        operation_id="credit_restructure",
        tags=TAGS,
        summary="Restructurer un crédit",
        description="Par qui décide. Le capital restant dû reçoit un nouvel échéancier ; les intérêts échus "
        "et impayés rejoignent sa première échéance. 409 `moved` s'il n'est plus en cours.",
        request=RestructuringSerializer,
        responses={200: CreditSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request, uid: UUID) -> Response:
        values = {"reason": "", **checked(request, RestructuringSerializer)}
        restructure_credit(uid=uid, plan=Restructuring(**values), by=self.actor)
        return detail(request, credit_body(get_visible_credit(self.actor, uid)))


class InstallmentsView(_OneCredit):
    verbs = {"GET": Verb.READ_FILES}

    @extend_schema(
        operation_id="installments",
        tags=TAGS,
        summary="Échéances d'un crédit",
        description="Avec ce que chacune a reçu des remboursements, la plus ancienne d'abord. La lecture est "
        "inscrite à la piste d'audit.",
        parameters=[InstallmentListSerializer],
        responses={200: page_of(InstallmentSerializer), **problems(*LIST, 404)},
    )
    def get(self, request: Request, uid: UUID) -> Response:  # noqa: ARG002  the route's object is found first
        wish = asked(request, InstallmentListSerializer)
        record_read(by=self.actor, target=self.credit)
        places, in_force = allotted(self.credit)
        rows = installments_of(self.credit)
        return page(request, rows, wish, lambda row: installment_body(row, places, in_force))


class RepaymentsView(ApiView):
    verbs = {"GET": Verb.READ_FILES, "POST": Verb.EDIT_FILES}

    @extend_schema(
        operation_id="repayments",
        tags=TAGS,
        summary="Liste des remboursements",
        description="Ceux des crédits que vous voyez. Avec `credit`, la lecture est inscrite à la piste "
        "d'audit de ce crédit.",
        parameters=[RepaymentListSerializer],
        responses={200: page_of(RepaymentSerializer), **problems(*LIST, 404)},
    )
    def get(self, request: Request) -> Response:
        wish = asked(request, RepaymentListSerializer)
        if "credit" in wish:
            record_read(by=self.actor, target=get_visible_credit(self.actor, wish["credit"]))
        rows = filtered_repayments(
            self.actor,
            credit_uid=wish.get("credit"),
            reference=wish.get("reference", ""),
            start=wish.get("from"),
            end=wish.get("to"),
        )
        return page(request, rows, wish, repayment_body)

    @extend_schema(
        operation_id="repayment_create",
        tags=TAGS,
        summary="Enregistrer un remboursement",
        description="Le même reçu envoyé deux fois : 200 et le premier enregistré. Une date à venir, plus "
        "que ce qui reste dû ou un numéro déjà pris : 422. Un crédit soldé : 409 `moved`.",
        request=NewRepaymentSerializer,
        responses={201: RepaymentSerializer, 200: RepaymentSerializer, **problems(*CREATE)},
    )
    def post(self, request: Request) -> Response:
        values = checked(request, NewRepaymentSerializer)
        uid = values.pop("credit")
        noted, new = record_repayment(
            uid=uid, receipt=Receipt(**values), by=self.actor, source=EntrySource.API
        )
        return detail(request, repayment_body(noted), status=201 if new else 200)
