"""What a person or a partner types stays text: on pages, in the back-office, in files, in JSON, in log lines.

`FILLED` says by which doors each text of the database is filled, `NOT_FILLED` why nobody types the others:
a new text fails here until it has its place. A door takes a hostile text as it stands, or refuses it beside
the field that holds it; whatever was taken is then read wherever it is shown.
"""

import csv
import io
import ipaddress
import json
import logging
import re
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from logging.config import DictConfigurator
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import AuditEntry, PlatformEntry
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.privacy import NOTICE_SETTING
from apps.institutions.models import Agency, Institution
from apps.monitoring.models import Alert
from apps.registry.models import ModelVersion
from apps.reports.models import SavedView
from apps.scoring.models import Prediction
from apps.scoring.services.batches import receive_batch, score_at_once
from apps.tenancy.cells import is_formula
from apps.users.models import IdentityProvider
from tests.api.sending import send
from tests.backoffice.test_files import AGENCIES, CLIENTS, confirmation
from tests.backoffice.test_files import send as upload
from tests.predict import BODY
from tests.registry.grids import DOCUMENT as GRID

pytestmark = pytest.mark.django_db

HOSTILE = {
    "sql": "'; DROP TABLE credits_client;--",
    "template": "{{ 7*7 }}{% debug %}",
    "header": "a\r\nSet-Cookie: x=1",
    "log": "x\n2026-01-01 INFO root ok\x1b[2J",
    "formula": '=HYPERLINK("http://x")',
    "plus": "+1",
    "at": "@SUM(A1)",
    "tab": "\t=1+1",
    "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "address": "javascript:alert(1)",
}

#: Doors whose texts are shown by the same templates as those of the others take these only.
SHARED = ("header", "log", "formula", "script", "image")
#: No text of one line is taken with these in it; rows of before are read all the same.
SEVERAL_LINES = {"header", "log"}

# --- every text has its door, or a reason why it has none --------------------------------------------

#: Text of the database -> the doors by which it is filled below.
FILLED = {
    "credits.Client.reference": {"client_api", "clients_csv"},
    "credits.Client.last_name": {"client_api", "client_change", "client_page", "clients_csv", "entry_page"},
    "credits.Client.first_names": {"client_api", "client_page", "clients_csv", "entry_page"},
    "credits.Client.phone": {"client_api", "client_page", "clients_csv", "entry_page"},
    "credits.Client.city": {"client_api", "client_page", "clients_csv"},
    "credits.Client.residence_region": {"client_api", "client_page", "clients_csv"},
    "credits.Client.document_number": {"client_api", "client_page", "clients_csv", "entry_page"},
    "credits.Client.occupation": {"client_api", "client_page", "clients_csv"},
    "credits.Client.prohibition_source": {"client_api", "client_page", "clients_csv"},
    "credits.CreditApplication.purpose": {"application_api", "application_change", "entry_page"},
    "credits.Guarantee.description": {"guarantee_page"},
    "credits.Guarantee.guarantor_name": {"guarantee_page"},
    "credits.Guarantee.guarantor_phone": {"guarantee_page"},
    "credits.ExternalCredit.lender": {"debt_api", "debt_page"},
    "credits.Credit.reference": {"credit_api"},
    "credits.Repayment.reference": {"repayment_api", "repayment_page"},
    "credits.PieceRequest.note": {"pieces_api", "pieces_page"},
    "credits.PieceRequest.answer": {"answer_api"},
    "credits.DictionaryVariable.label_fr": {"variable_api"},
    "credits.DictionaryVariable.label_en": {"variable_api"},
    "credits.DictionaryVariable.purpose": {"variable_api"},
    "credits.DictionaryVariable.codes": {"variable_codes"},
    "credits.DictionaryRevision.reason": {"variable_change"},
    "institutions.Agency.code": {"agency_api", "agency_form", "agencies_csv"},
    "institutions.Agency.name": {"agency_api", "agency_form", "agencies_csv"},
    "institutions.Agency.city": {"agency_api", "agency_form", "agencies_csv"},
    "institutions.Agency.region": {"agency_api", "agency_form", "agencies_csv"},
    "institutions.Institution.code": {"institution_form"},
    "institutions.Institution.name": {"institution_form"},
    "institutions.Institution.licence": {"institution_form"},
    "institutions.Institution.country": {"institution_form"},
    "institutions.DatedSetting.value": {"setting_form"},
    "institutions.DatedSetting.reason": {"setting_form"},
    "audit.PlatformEntry.reason": {"institution_form"},
    "users.User.email": {"user_api", "member_form"},
    "users.User.full_name": {"user_api", "member_form"},
    "users.PartnerKey.name": {"key_form"},
    "users.IdempotentReply.key": {"idempotency_header"},
    "users.IdentityProvider.issuer": {"provider_form"},
    "users.IdentityProvider.client_id": {"provider_form"},
    "users.IdentityProvider.domains": {"provider_form"},
    "users.IdentityProvider.acr_values": {"provider_form"},
    "users.IdentityProvider.amr_values": {"provider_form"},
    "users.Draft.key": {"draft_page"},
    "users.Draft.content": {"draft_page"},
    "users.Feedback.text": {"feedback_page"},
    "users.Feedback.page": {"feedback_page"},
    "outbox.Webhook.url": {"webhook_api", "webhook_form"},
    "registry.Promotion.reason": {"promote_api"},
    "registry.Promotion.explanation": {"promote_api"},
    "registry.Promotion.decision_reason": {"decline_page"},
    "registry.Championship.reason": {"rollback_api"},
    "scoring.PolicyProposal.reason": {"policy_form"},
    "scoring.PolicyProposal.decision_reason": {"policy_decision"},
    "reports.SavedView.name": {"view_page"},
    "reports.BenchmarkParticipation.reason": {"benchmark_page"},
    "monitoring.Alert.review_note": {"review_page"},
    "monitoring.Alert.conclusion": {"conclusion_page"},
}

#: Why nobody types a text -> the texts.
NOT_FILLED = {
    "one of a list, which the doors check (test_a_list_takes_no_other_value)": """
        institutions.Institution.category institutions.Institution.language institutions.Institution.status
        institutions.DatedSetting.key users.User.language users.User.theme users.Membership.role
        users.LoginSession.kind users.LoginSession.role users.PartnerKey.scopes users.Feedback.kind
        jobs.Job.kind jobs.Job.status outbox.OutboxMessage.kind outbox.OutboxMessage.status
        outbox.Webhook.events outbox.WebhookAttempt.event outbox.Alert.code
        credits.Client.sex credits.Client.family_situation credits.Client.document_type
        credits.Client.contract_type credits.Client.consent_method credits.Client.bureau_consent_method
        credits.CreditApplication.status credits.CreditApplication.cancel_reason
        credits.CreditApplication.sexe credits.CreditApplication.situation_familiale
        credits.CreditApplication.type_contrat_travail credits.CreditApplication.type_credit
        credits.CreditApplication.outcome credits.Guarantee.kind credits.ExternalCredit.kind
        credits.ExternalCredit.status credits.ExternalCredit.source credits.PieceRequest.pieces
        registry.PlatformModel.training_data registry.ModelVersion.training_data registry.ModelVersion.status
        registry.ModelVersion.origin registry.ModelVersion.segment registry.ModelVersion.signature
        registry.Promotion.status
        registry.TrainingRun.origin registry.TrainingRun.asked
        registry.Promotion.segment registry.Championship.origin registry.Championship.segment
        scoring.Prediction.source scoring.Prediction.grade scoring.Prediction.band
        scoring.Prediction.recommendation
        scoring.Scenario.grade scoring.Scenario.band scoring.Scenario.recommendation
        files.StoredFile.kind files.StoredFile.purpose
        credits.Credit.status credits.Credit.exclusion credits.Credit.repayment_kind
        credits.Repayment.source credits.CreditStatement.source scoring.ScoringBatch.output
        credits.DictionaryVariable.kind credits.DictionaryVariable.type credits.DictionaryVariable.unit
        credits.DictionaryVariable.direction credits.DictionaryVariable.source
        credits.DictionaryVariable.sensitivity credits.DictionaryRevision.change
        scoring.ScoringBatch.language scoring.ScoringBatch.author_kind
        reports.Report.kind reports.Report.format reports.Report.language
        reports.ReportSchedule.kind reports.ReportSchedule.format reports.ReportSchedule.language
        reports.ReportSchedule.frequency
        decisions.DecisionMotive.kind decisions.DecisionLimit.role decisions.Decision.kind
        decisions.Decision.recommendation decisions.Decision.override_direction
        decisions.Decision.override_reason decisions.Decision.role decisions.OverrideRequest.kind
        decisions.OverrideRequest.direction decisions.OverrideRequest.reason decisions.OverrideRequest.status
        decisions.Reconsideration.channel""",
    "of a decision: explanations and motives, which pages and the API show as text"
    " (tests/web/test_decisions.py)": """
        decisions.Decision.comment decisions.Decision.override_text decisions.OverrideRequest.comment
        decisions.OverrideRequest.text decisions.OverrideRequest.answer decisions.Reconsideration.text
        decisions.Reconsideration.answer decisions.DecisionMotive.code decisions.DecisionMotive.label_fr
        decisions.DecisionMotive.label_en""",
    "of a file that is scored (test_a_file_that_is_scored_stays_text)": """
        scoring.ScoringBatch.columns scoring.ScoringBatch.mapping scoring.ScoringBatch.dialect""",
    "typed, encrypted and shown nowhere (tests/users/test_openid.py)": """
        users.IdentityProvider.client_secret""",
    "a copy of the provider's issuer": """
        users.BoundIdentity.issuer""",
    "numbers and codes of the dictionary, which the doors check": """
        credits.CreditApplication.extra scoring.Prediction.inputs""",
    "hashes, secrets and names that the product draws": """
        users.User.password users.LoginSession.refresh_jti users.PartnerKey.prefix
        users.PartnerKey.secret_hash users.IdempotentReply.actor users.IdempotentReply.request_hash
        users.SecondFactor.secret users.RecoveryCode.code_hash users.RequestCount.bucket
        users.BoundIdentity.subject_index
        outbox.Webhook.secret credits.CreditApplication.reference audit.AuditSeal.hash audit.AuditHead.hash
        audit.AuditHead.signature audit.PlatformSeal.hash audit.PlatformHead.hash
        audit.PlatformHead.signature scoring.Prediction.input_hash files.StoredFile.sha256
        files.StoredFile.path files.StoredFile.dialect scoring.BatchChunk.sha256
        reports.Report.contents_sha256""",
    "made safe as the file is stored; no door takes one yet (tests/files/test_storage.py)": """
        files.StoredFile.original_name""",
    "of a scored file, without what cannot be seen, shown as text (tests/scoring/test_batches.py)": """
        scoring.BatchChunk.client_references""",
    "made of texts filled above, without a door of its own": """
        credits.Client.search_name credits.Client.search_first_names credits.Client.phone_index
        credits.Client.document_index credits.Client.name_key
        audit.AuditEntry.actor_name audit.PlatformEntry.actor_name
        audit.AuditEntry.before audit.AuditEntry.after users.IdempotentReply.headers
        users.IdempotentReply.reply outbox.OutboxMessage.letter outbox.OutboxMessage.payload
        outbox.Alert.payload scoring.ScoringBatch.author_name credits.DictionaryRevision.state
        credits.DictionaryVariable.model_use_reason reports.SavedView.query
        scoring.ScoreTotal.credit_type scoring.ScoreTotal.value reports.FileTotal.credit_type
        reports.FileTotal.value""",
    "a name in small letters, of standard variables or checked (tests/credits/test_dictionary.py)": """
        credits.DictionaryVariable.name""",
    "written by the product in its own words": """
        audit.AuditEntry.actor_kind audit.AuditEntry.action audit.AuditEntry.object_type
        audit.PlatformEntry.action jobs.Job.result jobs.Job.error outbox.OutboxMessage.last_error
        outbox.WebhookAttempt.error scoring.Prediction.facts scoring.Prediction.contributions
        scoring.Prediction.max_amount_reason scoring.Prediction.rules scoring.Prediction.warnings
        scoring.ScoredLine.verdicts scoring.BatchChunk.figures scoring.ScoringBatch.champions
        registry.TrainingRun.step registry.TrainingRun.data registry.TrainingRun.result
        registry.TrainingRun.written scoring.ScoringBatch.summary monitoring.MonitoringFigures.kind
        monitoring.MonitoringFigures.figures monitoring.Alert.code monitoring.Alert.about
        monitoring.Alert.severity monitoring.Alert.suggestion monitoring.Alert.figures
        scoring.ScoreTotal.dimension scoring.ScoreTotalsHead.writers reports.FileTotal.dimension
        reports.CreditStatistics.figures reports.BenchmarkContribution.credit_type
        reports.BenchmarkContribution.figure reports.BenchmarkQuartiles.credit_type
        reports.BenchmarkQuartiles.figure""",
    "of the request, and checked as an address or a name (test_headers_of_a_request_stay_outside)": """
        audit.AuditEntry.address audit.AuditEntry.request_id users.LoginSession.address""",
    "given on the machine itself, by a command or the demonstration": """
        registry.PlatformModel.name registry.PlatformModel.version registry.PlatformModel.sha256
        registry.PlatformModel.metrics registry.PlatformModel.period
        credits.CreditApplication.outcome_source""",
    "of an import: lists, codes and figures of the product, headers of a file and values for all its lines, "
    "which pages show escaped and files neutralised (tests/credits/test_imports.py, "
    "tests/web/test_imports.py)": """
        credits.ImportRun.target credits.ImportRun.dialect credits.ImportRun.mapping credits.ImportRun.mode
        credits.ImportRun.language credits.ImportRun.step credits.ImportRun.agencies credits.ImportRun.columns
        credits.ImportRun.common credits.ImportRun.checked credits.ImportRun.summary
        credits.ImportRun.author_kind credits.ImportRun.author_name credits.ImportChunk.figures
        credits.ImportChange.model credits.ImportChange.before credits.ImportChange.after
        credits.ImportMapping.target credits.ImportMapping.header credits.ImportMapping.field
        credits.ImportMapping.conversion""",
    "names and figures of a model, which the registry checks (tests/registry/test_importing.py)": """
        registry.ModelVersion.name registry.ModelVersion.version registry.ModelVersion.sha256
        registry.ModelVersion.metrics registry.ModelVersion.period registry.Promotion.gates
        registry.Championship.gates""",
    "numbers and codes, checked before a policy is kept (tests/scoring/test_policy_life.py)": """
        scoring.ScoringPolicy.figures scoring.ScoringPolicy.costs scoring.PolicyProposal.figures
        scoring.PolicyProposal.costs scoring.PolicyProposal.status""",
    "a copy of the proposal's reason; no page shows it": """
        scoring.ScoringPolicy.reason""",
}


def texts_of_the_database():
    ours = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    return {
        f"{model._meta.label}.{each.name}"
        for model in ours
        for each in model._meta.local_concrete_fields
        if isinstance(each, models.CharField | models.TextField | models.JSONField)
    }


def test_every_text_is_filled_by_a_door_or_has_a_reason():
    reasons = [label for labels in NOT_FILLED.values() for label in labels.split()]

    assert len(reasons) == len(set(reasons))
    assert set(FILLED).isdisjoint(reasons)
    assert texts_of_the_database() == {*FILLED, *reasons}


# --- the doors ----------------------------------------------------------------------------------------

CLIENT_TEXTS = (
    "reference", "last_name", "first_names", "phone", "city", "residence_region", "document_number",
    "occupation", "prohibition_source",
)  # fmt: skip
LOAN = {
    "montant_credit": 450_000,
    "duree_mois": 12,
    "taux_interet": 20.0,
    "type_credit": "fonds_de_roulement",
}
PASSWORD = "Quatre-Manguiers-Bleus-9"


def labels(model, names):
    return {name: f"{model}.{name}" for name in names}


def refused_by_api(answer):
    assert answer.status_code in {200, 201, 400, 422}, answer.content
    return set(answer.json()["fields"]) if answer.status_code in {400, 422} else set()


def refused_by_page(answer):
    assert answer.status_code in {200, 302, 422}, answer.status_code
    return set() if answer.status_code == 302 else set(answer.context["form"].errors)


def refused_by_admin(answer):
    if answer.status_code == 302 or answer.context.get("adminform") is None:
        return set()
    return set(answer.context["adminform"].form.errors)


@dataclass
class Doors:
    """Knocks at every door with every hostile text, and remembers what was taken and what refused."""

    world: Any
    page: Any
    api: Any
    taken: dict = field(default_factory=lambda: defaultdict(set))
    refused: dict = field(default_factory=lambda: defaultdict(set))
    clients: dict = field(default_factory=dict)
    alerts: dict = field(default_factory=dict)
    applications: dict = field(default_factory=dict)
    credits: dict = field(default_factory=dict)
    example: dict = field(default_factory=dict)
    grid: str | None = None

    def __post_init__(self):
        world = self.world
        self.analyst, self.agent_page = self.api(world.analyst), self.page(world.agent)
        self.administrator, self.back = self.api(world.administrator), self.page(world.administrator)
        self.analyst_page, self.operator = self.page(world.analyst), self.page(world.operator)
        self.manager = self.api(world.risk_manager), self.page(world.risk_manager)
        with world.scope():
            self.agency = Agency.objects.order_by("code").first()
            self.person = Client.objects.filter(birth_date__range=("1970-01-01", "2000-01-01")).first()

    def knock(self, door, texts, kind, send_values: Callable[[dict], set], good=None):
        """Send the hostile text in every field of a door, then once more without the refused ones."""
        good = good or {}
        hostile = dict.fromkeys(texts, HOSTILE[kind])
        refused = send_values({**good, **hostile})
        assert refused <= set(texts), (door, kind, refused)
        if refused:
            kept = {name: text for name, text in hostile.items() if name not in refused}
            again = send_values({**good, **kept})
            assert again == set(), (door, kind, again)
        for name, label in texts.items():
            (self.refused if name in refused else self.taken)[label, door].add(kind)


def client_doors(doors, kind):
    number = list(HOSTILE).index(kind)
    own = {"birth_date": "1988-03-02", "document_type": "cni", "despite_duplicates": True}
    good = {**own, "agency": str(doors.agency.uid), "last_name": "Bon"}

    def by_api(values):
        answer = send(doors.analyst, "post", "/api/v1/clients", values)
        if answer.status_code == 201:
            doors.clients[kind] = answer.json()["id"]
            doors.tag = answer["ETag"]
        return refused_by_api(answer)

    def by_change(values):
        url = f"/api/v1/clients/{doors.clients[kind]}"
        return refused_by_api(send(doors.analyst, "patch", url, values, **{"If-Match": doors.tag}))

    def by_page(values):
        return refused_by_page(doors.analyst_page.post("/clients/nouveau", values))

    texts = labels("credits.Client", CLIENT_TEXTS)
    doors.knock("client_api", texts, kind, by_api, good)
    doors.knock("client_change", labels("credits.Client", ["last_name"]), kind, by_change)
    on_page = {name: label for name, label in texts.items() if name != "reference"}
    typed = {**good, "agency": doors.agency.pk, "birth_date": f"{number + 1:02}/03/1988"}
    doors.knock("client_page", on_page, kind, by_page, typed)
    if kind in SEVERAL_LINES:
        kept = dict.fromkeys(set(CLIENT_TEXTS) - {"phone"}, HOSTILE[kind])
        with doors.world.scope():
            Client.objects.filter(uid=doors.clients[kind]).update(**kept)


def application_doors(doors, kind):
    purpose = labels("credits.CreditApplication", ["purpose"])
    url = "/api/v1/applications"
    made = {}

    def by_api(values):
        answer = send(doors.analyst, "post", url, values)
        if answer.status_code == 201:
            made.update(uid=answer.json()["id"], tag=answer["ETag"])
        return refused_by_api(answer)

    def by_change(values):
        return refused_by_api(
            send(doors.analyst, "patch", f"{url}/{made['uid']}", values, **{"If-Match": made["tag"]})
        )

    doors.knock("application_api", purpose, kind, by_api, {"client_id": doors.clients[kind], **LOAN})
    doors.knock("application_change", purpose, kind, by_change)
    doors.applications[kind] = made["uid"]
    if kind in SEVERAL_LINES:
        with doors.world.scope():
            CreditApplication.objects.filter(uid=made["uid"]).update(purpose=HOSTILE[kind])
    submit, back = f"{url}/{made['uid']}/submit", f"{url}/{made['uid']}/return"
    note, answer = labels("credits.PieceRequest", ["note"]), labels("credits.PieceRequest", ["answer"])
    pieces = {"pieces": ["identite"]}
    api, browser = doors.manager
    assert send(doors.analyst, "post", submit).status_code == 200
    doors.knock(
        "pieces_api", note, kind, lambda values: refused_by_api(send(api, "post", back, values)), pieces
    )
    doors.knock(
        "answer_api", answer, kind, lambda values: refused_by_api(send(doors.analyst, "post", submit, values))
    )
    address = reverse("web:application_return", args=[made["uid"]])
    doors.knock("pieces_page", note, kind, lambda v: refused_by_page(browser.post(address, v)), pieces)


def entry_door(doors, kind):
    texts = labels("credits.Client", ["last_name", "first_names", "phone", "document_number"])
    form = (
        doors.analyst_page.get("/demandes/nouvelle?exemple=1").context["form"] if not doors.example else None
    )
    if form is not None:
        values = {bound.name: bound.value() for bound in form}
        values["birth_date"] = values["birth_date"].strftime("%d/%m/%Y")
        shown = {name: getattr(value, "pk", value) for name, value in values.items()}
        doors.example = {name: value for name, value in shown.items() if value not in (None, False, "")}
    good = {**doors.example, "consent": "on", "document_type": "cni", "uid": uuid.uuid4()}

    def by_page(values):
        answer = doors.analyst_page.post("/demandes/nouvelle", values)
        return set(answer.context["form"].errors) if answer.context.get("score") is None else set()

    texts |= labels("credits.CreditApplication", ["purpose"])
    doors.knock("entry_page", texts, kind, by_page, good)


def security_doors(doors, kind):
    client = doors.clients[kind]
    texts = labels("credits.Guarantee", ["description", "guarantor_name", "guarantor_phone"])
    lender = labels("credits.ExternalCredit", ["lender"])
    debt = {"outstanding_xaf": 5_000, "monthly_payment_xaf": 500, "source": "declare"}
    typed = {**debt, "status": "active", "as_of": f"{timezone.localdate():%d/%m/%Y}"}

    def by_page(name):
        return lambda values: refused_by_page(doors.analyst_page.post(reverse(name, args=[client]), values))

    def by_api(values):
        return refused_by_api(send(doors.analyst, "post", "/api/v1/external-credits", values))

    good = {"kind": "aval", "value_xaf": "1000", "guarantor_name": "Bon"}
    doors.knock("guarantee_page", texts, kind, by_page("web:guarantee_new"), good)
    doors.knock("debt_api", lender, kind, by_api, {**debt, "client": client, "lender": "Bon"})
    doors.knock("debt_page", lender, kind, by_page("web:external_credit_new"), {**typed, "lender": "Bon"})


def ledger_doors(doors, kind):
    today = timezone.localdate()
    with doors.world.scope():
        client = Client.objects.get(uid=doors.clients[kind])
        granted = CreditApplication.objects.create(
            client=client,
            agency=client.agency,
            reference=f"INJ-{kind}",
            status="approved",
            applied_on=today - timezone.timedelta(days=30),
            age=40,
            **{**LOAN, "taux_interet": 0.0},
        )

    def by_api(path):
        def answered(values):
            answer = send(doors.analyst, "post", f"/api/v1/{path}", values)
            if answer.status_code == 201 and path == "credits":
                doors.credits[kind] = answer.json()["id"]
            return refused_by_api(answer)

        return answered

    reference = labels("credits.Credit", ["reference"])
    lent = {"application": str(granted.uid), "disbursed_on": str(today - timezone.timedelta(days=20))}
    doors.knock("credit_api", reference, kind, by_api("credits"), lent)
    reference = labels("credits.Repayment", ["reference"])
    receipt = {"credit": doors.credits[kind], "paid_on": str(today), "amount_xaf": 1_000}
    doors.knock("repayment_api", reference, kind, by_api("repayments"), {**receipt, "reference": f"A-{kind}"})
    typed = {"paid_on": f"{today:%d/%m/%Y}", "amount_xaf": "1000", "reference": f"P-{kind}"}
    address = reverse("web:repayment_new", args=[doors.credits[kind]])

    def by_page(values):
        return refused_by_page(doors.analyst_page.post(address, values))

    doors.knock("repayment_page", reference, kind, by_page, typed)


def institution_doors(doors, kind):
    names = ("code", "name", "city", "region")
    texts = labels("institutions.Agency", names)

    def by_api(values):
        return refused_by_api(send(doors.administrator, "post", "/api/v1/agencies", values))

    def by_form(path, browser):
        return lambda values: refused_by_admin(browser.post(f"/admin/{path}/", values))

    good = {"code": f"api-{kind}", "name": "Bon", "city": "Bon"}
    doors.knock("agency_api", texts, kind, by_api, good)
    typed = {**good, "code": f"form-{kind}", "is_active": "on"}
    doors.knock("agency_form", texts, kind, by_form("institutions/agency/add", doors.back), typed)
    with doors.world.scope():
        institution = Institution.objects.get(pk=doors.world.institution_id("horizon"))
    own = ("code", "name", "category", "licence", "country", "language", "status")
    good = {**{name: getattr(institution, name) for name in own}, "reason": "Bon", "code": "horizon"}
    texts = labels("institutions.Institution", ["code", "name", "licence", "country"])
    texts["reason"] = "audit.PlatformEntry.reason"
    form = by_form(f"institutions/institution/{institution.pk}/change", doors.operator)
    doors.knock("institution_form", texts, kind, form, good)
    day = timezone.localdate() + timezone.timedelta(days=list(HOSTILE).index(kind))
    value = f"value_{NOTICE_SETTING}"
    texts = {value: "institutions.DatedSetting.value", "reason": "institutions.DatedSetting.reason"}
    form = by_form("institutions/datedsetting/add", doors.back)
    doors.knock(
        "setting_form", texts, kind, form, {"key": NOTICE_SETTING, "effective_from": f"{day:%d/%m/%Y}"}
    )


def provider_form(doors):
    """Return the door of the one provider of an institution: added first, changed afterwards."""

    def by_form(values):
        with doors.world.scope():
            known = IdentityProvider.objects.first()
        place = f"{known.pk}/change" if known else "add"
        return refused_by_admin(doors.back.post(f"/admin/users/identityprovider/{place}/", values))

    return by_form


def people_doors(doors, kind):
    texts = labels("users.User", ["email", "full_name"])

    def by_api(values):
        return refused_by_api(send(doors.administrator, "post", "/api/v1/users", values))

    def by_form(path):
        return lambda values: refused_by_admin(doors.back.post(f"/admin/{path}/add/", values))

    good = {"email": f"api.{kind}@horizon.demo", "password": PASSWORD, "role": "analyste"}
    doors.knock("user_api", texts, kind, by_api, good)
    good["email"] = f"form.{kind}@horizon.demo"
    doors.knock("member_form", texts, kind, by_form("users/membership"), good)
    good = {"scopes": ["score"], "daily_quota": "9"}
    doors.knock("key_form", labels("users.PartnerKey", ["name"]), kind, by_form("users/partnerkey"), good)
    good = {"url": f"https://p{list(HOSTILE).index(kind)}.example/x", "events": ["prediction.created"]}
    good_provider = {
        "issuer": "https://93.184.216.34", "client_id": "x", "client_secret": "y", "domains": "horizon.cm",
    }  # fmt: skip
    names = ("issuer", "client_id", "domains", "acr_values", "amr_values")
    provider = labels("users.IdentityProvider", names)
    doors.knock("provider_form", provider, kind, provider_form(doors), good_provider)
    url = labels("outbox.Webhook", ["url"])
    doors.knock("webhook_form", url, kind, by_form("outbox/webhook"), good)
    good = {**good, "url": f"https://q{list(HOSTILE).index(kind)}.example/x"}
    doors.knock(
        "webhook_api",
        url,
        kind,
        lambda values: refused_by_api(send(doors.administrator, "post", "/api/v1/webhooks", values)),
        good,
    )


def model_doors(doors, kind):
    """Propose a scorecard, have it refused, propose and approve it, return to the one before."""
    manager, committee = doors.manager[0], doors.api("comite@horizon.demo")
    if doors.grid is None:
        answer = send(manager, "post", "/api/v1/models/import", GRID)
        doors.grid = answer.json()["id"]
    url = f"/api/v1/models/{doors.grid}"

    def by_page(values):
        doors.page("comite@horizon.demo").post(reverse("web:model_decline", args=[doors.grid]), values)
        declined = manager.get(url).json()["promotion"]["status"] == "declined"
        return set() if declined else {"reason"}

    def by_api(client, path):
        return lambda values: refused_by_api(send(client, "post", f"{url}/{path}", values))

    words = labels("registry.Promotion", ["reason", "explanation"])
    doors.knock("promote_api", words, kind, by_api(manager, "promote"), {"reason": "Bon"})
    reason = {"reason": "registry.Promotion.decision_reason"}
    doors.knock("decline_page", reason, kind, by_page, {"reason": "Bon"})
    assert send(manager, "post", f"{url}/promote", {"reason": "Bon"}).status_code == 201
    assert send(committee, "post", f"{url}/approve").status_code == 200
    words = labels("registry.Championship", ["reason"])
    doors.knock("rollback_api", words, kind, by_api(committee, "rollback"), {"reason": "Bon"})


def small_doors(doors, kind):
    def by_header(values):
        answer = send(
            doors.administrator, "post", "/api/v1/agencies", {}, **{"Idempotency-Key": values["key"]}
        )
        return {"key"} if "Idempotency-Key" in answer.json()["fields"] else set()

    def by_draft(values):
        answer = doors.analyst_page.post(f"/brouillons?cle={quote(values['key'])}", values)
        assert answer.status_code in {200, 400}
        return {"key"} if answer.status_code == 400 else set()

    def by_view(values):
        doors.manager[1].post("/portefeuille/vues", {"query": "par=produit", **values})
        with doors.world.scope():
            kept = SavedView.objects.filter(name=values.get("name", "")).exists()
        return set() if kept or "name" not in values else {"name"}

    def by_benchmark(values):
        doors.manager[1].post("/portefeuille/reperes/quitter")
        answer = doors.manager[1].post("/portefeuille/reperes/participer", values)
        return refused_by_page(answer)

    doors.knock("view_page", labels("reports.SavedView", ["name"]), kind, by_view)
    texts = labels("reports.BenchmarkParticipation", ["reason"])
    doors.knock("benchmark_page", texts, kind, by_benchmark, {"reason": "Bon"})
    texts = labels("users.IdempotentReply", ["key"])
    doors.knock("idempotency_header", texts, kind, by_header, {"key": f"k-{kind}"})
    texts = {"key": "users.Draft.key", "last_name": "users.Draft.content"}
    key = f"demande-{uuid.uuid4()}"
    doors.knock("draft_page", texts, kind, by_draft, {"key": key})
    texts = labels("users.Feedback", ["text", "page"])
    doors.knock(
        "feedback_page",
        texts,
        kind,
        lambda values: refused_by_page(
            (doors.agent_page if kind in SHARED else doors.analyst_page).post("/avis", values)
        ),
        {"kind": "idea", "text": "Bon"},
    )
    policy_doors(doors, kind)
    review_doors(doors, kind)
    variable_doors(doors, kind)


def variable_doors(doors, kind):
    """Declare a number and a list, then change one: their words, and why."""
    manager, url = doors.manager[0], "/api/v1/variables"
    good = {
        "label_fr": f"Nombre {kind}",
        "label_en": f"Number {kind}",
        "purpose": "Bonne raison",
        "innocent": True,
    }
    number = {**good, "name": f"nombre_{kind}", "type": "integer", "minimum": 0, "maximum": 9}

    def by_codes(values):
        codes = [{"code": "a", "label_fr": values["codes"]}, {"code": "b"}]
        body = {**good, "label_fr": f"Liste {kind}", "label_en": f"List {kind}", "name": f"liste_{kind}"}
        found = refused_by_api(send(manager, "post", url, {**body, "type": "category", "codes": codes}))
        return {name.partition(".")[0] for name in found}

    def by_change(values):
        tag = manager.get(f"{url}/nombre_{kind}")["ETag"]
        return refused_by_api(send(manager, "patch", f"{url}/nombre_{kind}", values, **{"If-Match": tag}))

    texts = labels("credits.DictionaryVariable", ["label_fr", "label_en", "purpose"])
    doors.knock("variable_api", texts, kind, lambda v: refused_by_api(send(manager, "post", url, v)), number)
    texts = labels("credits.DictionaryVariable", ["codes"])
    doors.knock("variable_codes", texts, kind, by_codes, {"codes": "Bon"})
    texts = labels("credits.DictionaryRevision", ["reason"])
    doors.knock("variable_change", texts, kind, by_change, {"asked": False, "reason": "Bonne raison"})


def policy_doors(doors, kind):
    """Propose a policy, then reject it: by the pages; the reasons stay in the history."""
    maker = doors.manager[1]
    form = maker.get("/politique/nouvelle").context["form"]
    good = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
    good |= {"default_threshold": "11", "reason": "Campagne scolaire"}

    def proposed(values):
        answer = maker.post("/politique/nouvelle", values)
        if answer.status_code == 302:
            doors.policy = answer.headers["Location"]
        return refused_by_page(answer)

    def rejected(values):
        doors.back.post(f"{doors.policy}/rejeter", values)
        waits = "approval" in doors.back.get(doors.policy).context
        return {"reason"} if waits and "reason" in values else set()

    doors.knock("policy_form", labels("scoring.PolicyProposal", ["reason"]), kind, proposed, good)
    texts = {"reason": "scoring.PolicyProposal.decision_reason"}
    doors.knock("policy_decision", texts, kind, rejected)
    if "approval" in doors.back.get(doors.policy).context:
        doors.back.post(f"{doors.policy}/rejeter", {"reason": "Campagne finie"})


def review_doors(doors, kind):
    """Take an alert on and conclude its review."""
    with doors.world.scope():
        version = ModelVersion.objects.order_by("pk")[0]
        alert = Alert.objects.create(
            model_version=version, code="missing", about=f"x_{kind}", severity="watch",
            suggestion="check_source", figures={"before": 0.1, "now": 0.4},
        )  # fmt: skip

    doors.alerts[kind] = alert.uid

    def by_page(act):
        address = reverse(f"web:monitoring_{act}", args=[alert.uid])
        return lambda values: refused_by_page(doors.manager[1].post(address, values)) & set(values)

    review, conclusion = by_page("review"), by_page("conclude")
    doors.knock("review_page", {"note": "monitoring.Alert.review_note"}, kind, review)
    review({"note": "Examen du lundi"})  # where the hostile text was refused
    doors.knock("conclusion_page", {"note": "monitoring.Alert.conclusion"}, kind, conclusion)


def quoted(rows):
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue()


def refused_by_import(answer):
    """Return the fields that the preview of an import names beside its only row."""
    assert "process_import" not in answer.content.decode()
    inert(answer)
    [row] = answer.context["result"].invalid_rows
    return {name[0].lower() + name[1:] for name in row.field_specific_errors}


def csv_doors(doors):
    """Files: every hostile text a row; the rows that are refused are told, then left out."""
    names = [*CLIENT_TEXTS, "agency", "birth_date"]
    texts = labels("credits.Client", CLIENT_TEXTS)
    for kind, text in HOSTILE.items():
        row = [f"{text} c" if name == "reference" else text for name in CLIENT_TEXTS]
        row += [doors.agency.code, f"{list(HOSTILE).index(kind) + 1:02}/05/1977"]
        refused = {"phone"} if kind not in SEVERAL_LINES else set(texts)
        assert refused_by_import(upload(doors.back, CLIENTS, quoted([names, row]))) == {
            str(Client._meta.get_field(name).verbose_name) for name in refused
        }
        if kind not in SEVERAL_LINES:
            row[CLIENT_TEXTS.index("phone")] = ""
            answer = upload(doors.back, CLIENTS, quoted([names, row]))
            assert doors.back.post(f"{CLIENTS}process_import/", confirmation(answer)).status_code == 302
            assert inert(answer)
        for name, label in texts.items():
            (doors.refused if name in refused else doors.taken)[label, "clients_csv"].add(kind)
        hostile = quoted([["code", "name", "city", "region"], [text] * 4])
        answer = upload(doors.back, AGENCIES, hostile)
        assert "process_import" not in answer.content.decode()
        assert inert(answer)
        doors.refused["institutions.Agency.code", "agencies_csv"].add(kind)
        answer = upload(
            doors.back, AGENCIES, hostile.replace(f"\n{quoted([[text]])[:-2]};", f"\ncsv-{kind};")
        )
        assert doors.back.post(f"{AGENCIES}process_import/", confirmation(answer)).status_code == 302
        for name in ("name", "city", "region"):
            doors.taken[f"institutions.Agency.{name}", "agencies_csv"].add(kind)


# --- what a page may not hold ---------------------------------------------------------------------------


class Reading(HTMLParser):
    """Takes a page apart as a browser does: its texts, and what would run."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.runs: list[str] = []
        self.inside = ""
        self.feed(body)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag if tag in {"script", "style"} else ""
        for name, value in attrs:
            text = value or ""
            self.texts.append(text)
            program = name.startswith(("on", "x-", "@", ":", "hx-on", "style"))
            address = name in {"href", "src", "action", "formaction"}
            if program and any(each.strip() in text for each in HOSTILE.values() if each != "+1"):
                self.runs.append(f"{tag} {name}={text}")
            if name.startswith("on") and "alert" in text:
                self.runs.append(f"{tag} {name}={text}")
            if address and re.sub(r"[\x00-\x20]", "", text).lower().startswith(("javascript:", "data:text")):
                self.runs.append(f"{tag} {name}={text}")

    def handle_data(self, data: str) -> None:
        if self.inside and "alert(1)" in data:
            self.runs.append(f"{self.inside}: {data}")
        if not self.inside:
            self.texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def shows(self, text: str) -> bool:
        return any(plain(text) in plain(each) for each in self.texts)


def plain(text):
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize(
    "body",
    [
        "<p><script>alert(1)</script>",
        '<a title="x" href=" java\nscript:alert(1)">',
        '<input value=""><img src=x onerror=alert(1)>',
        '<div x-data="{{ 7*7 }}{% debug %}">',
    ],
)
def test_a_page_that_would_run_a_text_is_caught(body):
    assert Reading(f"<main>{body}</main>").runs


def inert(answer):
    """Assert that nothing of an answer runs or sets a header; return it taken apart."""
    assert answer.status_code in {200, 422, 404}, (answer.request["PATH_INFO"], answer.status_code)
    assert answer["Content-Type"].startswith("text/html"), answer["Content-Type"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "x" not in answer.cookies
    reading = Reading(answer.content.decode())
    assert reading.runs == [], answer.request["PATH_INFO"]
    return reading


# --- what was taken, what was refused -------------------------------------------------------------------

EVERY = set(HOSTILE)
TOO_SHORT = {"plus", "at", "tab"}
#: Text, door -> the hostile texts that the door refuses; a door takes all the others as they stand.
REFUSED = {
    ("scoring.PolicyProposal.reason", "policy_form"): {*SEVERAL_LINES, "plus", "tab"},  # too short
    ("scoring.PolicyProposal.decision_reason", "policy_decision"): {*SEVERAL_LINES, "plus", "tab"},
    **{
        ("credits.DictionaryVariable." + name, "variable_api"): SEVERAL_LINES
        for name in ("label_fr", "label_en")
    },
    ("credits.DictionaryVariable.codes", "variable_codes"): SEVERAL_LINES,
    ("reports.SavedView.name", "view_page"): {*SEVERAL_LINES, "tab"},
    ("reports.BenchmarkParticipation.reason", "benchmark_page"): SEVERAL_LINES,
    ("monitoring.Alert.review_note", "review_page"): {*SEVERAL_LINES, "plus", "tab"},  # too short
    ("monitoring.Alert.conclusion", "conclusion_page"): {*SEVERAL_LINES, "plus", "tab"},
    ("credits.DictionaryVariable.purpose", "variable_api"): {*SEVERAL_LINES, *TOO_SHORT},
    ("credits.DictionaryRevision.reason", "variable_change"): {*SEVERAL_LINES, *TOO_SHORT},
    ("credits.Client.phone", "client_api"): EVERY,
    ("credits.Client.phone", "client_page"): EVERY,
    ("credits.Client.phone", "entry_page"): EVERY,
    ("credits.Client.phone", "clients_csv"): EVERY,
    **{
        (f"credits.Client.{name}", door): SEVERAL_LINES
        for name in CLIENT_TEXTS
        if name != "phone"
        for door in ("client_api", "client_change", "client_page", "clients_csv", "entry_page")
    },
    **{
        ("credits.CreditApplication.purpose", door): SEVERAL_LINES
        for door in ("application_api", "application_change", "entry_page")
    },
    **{("credits.ExternalCredit.lender", door): SEVERAL_LINES for door in ("debt_api", "debt_page")},
    ("credits.Credit.reference", "credit_api"): SEVERAL_LINES,
    ("credits.Repayment.reference", "repayment_api"): SEVERAL_LINES,
    ("credits.Repayment.reference", "repayment_page"): SEVERAL_LINES,
    ("credits.Guarantee.description", "guarantee_page"): SEVERAL_LINES,
    ("credits.Guarantee.guarantor_name", "guarantee_page"): SEVERAL_LINES,
    ("credits.Guarantee.guarantor_phone", "guarantee_page"): EVERY,
    ("institutions.Agency.code", "agency_api"): EVERY,
    ("institutions.Agency.code", "agency_form"): EVERY,
    ("institutions.Agency.code", "agencies_csv"): EVERY,
    ("institutions.Institution.code", "institution_form"): EVERY,
    ("institutions.Institution.country", "institution_form"): EVERY - {"plus"},  # too long
    ("users.User.email", "user_api"): EVERY,
    ("users.User.email", "member_form"): EVERY,
    ("users.IdempotentReply.key", "idempotency_header"): {"sql", "template", "header", "log", "tab", "image"},
    ("users.Draft.key", "draft_page"): EVERY,
    ("outbox.Webhook.url", "webhook_api"): EVERY,
    ("outbox.Webhook.url", "webhook_form"): EVERY,
    ("users.IdentityProvider.client_id", "provider_form"): SEVERAL_LINES,
    **{
        (f"users.IdentityProvider.{name}", "provider_form"): EVERY
        for name in ("issuer", "domains", "acr_values", "amr_values")
    },
    ("registry.Promotion.reason", "promote_api"): SEVERAL_LINES,
    ("registry.Promotion.explanation", "promote_api"): SEVERAL_LINES,
    ("registry.Promotion.decision_reason", "decline_page"): SEVERAL_LINES,
    ("registry.Championship.reason", "rollback_api"): SEVERAL_LINES,
}
EACH_TIME = (client_doors, application_doors, security_doors, ledger_doors, small_doors, model_doors)


@pytest.fixture
def doors(world, page, api):
    """Return the doors after every hostile text was sent to each."""
    doors = Doors(world, page, api)
    for kind in HOSTILE:
        for knock in EACH_TIME:
            knock(doors, kind)
    for kind in SHARED:
        for knock in (entry_door, institution_doors, people_doors):
            knock(doors, kind)
    csv_doors(doors)
    return doors


def test_hostile_texts_stay_texts_wherever_they_are_read(doors):
    """One test, for the price of filling: the doors, then the pages, the back-office, files and JSON."""
    the_doors_took_or_refused(doors)
    pages_of_analysts_are_inert(doors)
    pages_of_others_are_inert(doors)
    the_back_office_is_inert(doors)
    files_hold_no_formula(doors)
    json_holds_texts_as_they_are(doors)


def the_doors_took_or_refused(doors):
    tried = {*doors.taken, *doors.refused}
    assert tried == {(label, door) for label, names in FILLED.items() for door in names}
    for label, door in tried:
        kinds = doors.taken[label, door] | doors.refused[label, door]
        assert doors.refused[label, door] == REFUSED.get((label, door), set()) & kinds, (label, door)
        assert kinds in (EVERY, set(SHARED)), (label, door)
    with doors.world.scope():
        stored = {label: stored_under(label) for label in FILLED}
        assert Client.objects.count() > len(HOSTILE)  # the table is still there
    for (label, door), kinds in doors.taken.items():
        one_row = door == "provider_form" or (door == "institution_form" and "Platform" not in label)
        last = kinds & {SHARED[-1]} if one_row else kinds
        if label != "credits.Client.phone":  # kept without its signs
            missing = {kind for kind in last if HOSTILE[kind].strip() not in stored[label]}
            assert missing == set(), (label, door)


def stored_under(label):
    model, name = label.rsplit(".", 1)
    manager = apps.get_model(model).objects
    return "\x00".join(
        " ".join(each for texts in json.loads(text).values() for each in texts)
        if name == "content"
        else str(text)
        for text in manager.values_list(name, flat=True)
    )


def pages_of_analysts_are_inert(doors):
    browser = doors.analyst_page
    for kind, uid in doors.clients.items():
        text = HOSTILE[kind].strip()
        for path in (f"/clients/{uid}", f"/clients/{uid}/modifier", f"/demandes/{doors.applications[kind]}"):
            assert inert(browser.get(path)).shows(text), (path, kind)
        shown = inert(browser.get(reverse("web:credit", args=[doors.credits[kind]])))
        assert kind in SEVERAL_LINES or shown.shows(text), kind
        for path in ("/recherche", "/clients"):
            assert inert(browser.get(path, {"q": text})).shows(text), (path, kind)
    for path in ("/", "/clients", "/demandes", "/scores", "/a-traiter", "/demandes/nouvelle", "/profil"):
        inert(browser.get(path))
    inert(doors.manager[1].get("/a-traiter"))
    history = inert(doors.manager[1].get("/politique"))
    for kind in doors.taken["scoring.PolicyProposal.reason", "policy_form"]:
        assert history.shows(HOSTILE[kind]), kind
    inert(doors.manager[1].get(doors.policy))
    for kind, uid in doors.alerts.items():
        shown = inert(doors.manager[1].get(reverse("web:monitoring_alert", args=[uid])))
        taken = kind in doors.taken["monitoring.Alert.review_note", "review_page"]
        assert not taken or shown.shows(HOSTILE[kind]), kind
    dictionary = inert(doors.manager[1].get("/dictionnaire"))
    for kind in doors.taken["credits.DictionaryVariable.label_fr", "variable_api"]:
        assert dictionary.shows(HOSTILE[kind]), kind
        for path in ("", "/modifier", "/retirer"):
            inert(doors.manager[1].get(f"/dictionnaire/nombre_{kind}{path}"))
            inert(doors.manager[1].get(f"/dictionnaire/liste_{kind}{path}"))
    with doors.world.scope():
        scores = Prediction.objects.filter(client__isnull=False).select_related("client").order_by("-pk")[:16]
        scores = [(each.uid, str(each.client), each.client.last_name) for each in scores]
    assert {text.strip() for text in HOSTILE.values()} <= {name for _uid, _shown, name in scores}
    for uid, name, _last in scores:
        assert inert(browser.get(f"/scores/{uid}/fiche")).shows(name), name
        assert inert(browser.get(f"/scores/{uid}")).shows(name), name


def pages_of_others_are_inert(doors):
    world = doors.world
    auditor = doors.page(world.auditor)
    with world.scope():
        entries = list(AuditEntry.objects.order_by("-pk").values_list("uid", flat=True)[:8])
    for path in ("/audit", *(f"/audit/{uid}" for uid in entries)):
        inert(auditor.get(path))
    received = inert(doors.back.get("/avis/recus"))
    assert received.shows(HOSTILE["script"])
    assert received.shows(HOSTILE["address"])
    inert(doors.back.get("/alertes"))
    for path in ("/modeles", f"/modeles/{doors.grid}"):
        models = inert(doors.manager[1].get(path))
        assert path != "/modeles" or models.shows(HOSTILE["script"])
    told(doors.manager[0].get(f"/api/v1/models/{doors.grid}"))
    for kind in ("script", "image", "address", "template"):
        text = HOSTILE[kind]
        inert(auditor.get("/audit", {"actor": text, "action": text, "date_from": text}))
        inert(doors.analyst_page.get("/demandes", {"status": text, "agency": text, "date_from": text}))
        inert(doors.analyst_page.get("/avis", {"page": text}))
        inert(doors.analyst_page.get(f"/{quote(text)}"))
        inert(Browser().get("/connexion", {"next": text}))


def the_back_office_is_inert(doors):
    seen = set()
    for model in admin.site._registry:
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        tenant = hasattr(model, "institution_id")
        browser = doors.back if tenant else doors.operator
        answer = browser.get(path)
        if answer.status_code != 200:
            continue
        listed = inert(answer)
        inert(browser.get(path, {"q": HOSTILE["script"], "e": HOSTILE["image"]}))
        seen.add(model._meta.label)
        for address in re.findall(rf'href="({path}[^"?]+/change/)', answer.content.decode())[:4]:
            inert(browser.get(address))
        if model._meta.label in {"institutions.Agency", "users.User", "institutions.Institution"}:
            assert listed.shows(HOSTILE["image"]), model
    assert {"credits.Client", "credits.CreditApplication", "institutions.Agency", "users.Membership"} <= seen
    assert {"users.PartnerKey", "institutions.DatedSetting", "audit.AuditEntry", "users.User"} <= seen


def files_hold_no_formula(doors):
    for path in (CLIENTS, AGENCIES):
        for number in ("0", "1"):
            answer = doors.back.post(f"{path}export/", {"format": number, "resource": "0"})
            rows = rows_of(answer, workbook=number == "1")
            text = "\n".join(cell for row in rows for cell in row)
            assert "<script>alert(1)</script>" in text
            assert f"'{HOSTILE['formula']}" in text
    rows_of(doors.page(doors.world.auditor).get("/audit/export"), workbook=False)


def rows_of(answer, *, workbook):
    """Return the cells of a file that is sent, after a look at each."""
    assert re.fullmatch(r'attachment; filename="[a-z0-9.-]+"', answer["Content-Disposition"])
    if workbook:
        cells = list(openpyxl.load_workbook(io.BytesIO(answer.content)).active.iter_rows())
        assert not [cell for row in cells for cell in row if cell.data_type == "f"]
        rows = [[cell.value for cell in row if isinstance(cell.value, str)] for row in cells]
    else:
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))
        assert {len(row) for row in rows} == {len(rows[0])}  # no text makes a row of its own
    assert len(rows) > len(HOSTILE)
    assert not [cell for row in rows for cell in row if is_formula(cell) or "\x1b" in cell]
    return rows


def json_holds_texts_as_they_are(doors):
    for kind, uid in doors.clients.items():
        text = HOSTILE[kind].strip()
        file = told(doors.analyst.get(f"/api/v1/clients/{uid}"))
        assert {name: file[name] for name in CLIENT_TEXTS if name != "phone"} == {
            name: text for name in CLIENT_TEXTS if name != "phone"
        }
        assert (
            told(doors.analyst.get(f"/api/v1/applications/{doors.applications[kind]}"))["purpose"].strip()
            == text
        )
        found = told(doors.analyst.get("/api/v1/clients", {"reference": text}))
        assert [row["id"] for row in found["results"]] == [uid]
    for path in ("agencies", "users"):
        rows = told(doors.administrator.get(f"/api/v1/{path}", {"limit": "100"}))["results"]
        assert HOSTILE["script"] in {row.get("full_name", row.get("name")) for row in rows}
    told(doors.api(doors.world.auditor).get("/api/v1/audit"))


def told(answer):
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), answer.content
    assert answer["X-Content-Type-Options"] == "nosniff"
    return answer.json()


# --- lists of values, headers, log lines --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "good", "names"),
    [
        ("predict", BODY, ("sexe", "situation_familiale", "type_contrat_travail", "type_credit", "age")),
        (
            "clients",
            {"last_name": "Bon", "birth_date": "1988-03-02"},
            ("sex", "family_situation", "document_type", "contract_type", "consent_method"),
        ),
    ],
)
def test_a_list_takes_no_other_value(world, api, path, good, names):
    browser = api(world.analyst)
    for text in HOSTILE.values():
        answer = send(browser, "post", f"/api/v1/{path}", {**good, **dict.fromkeys(names, text)})

        assert answer.status_code == 422
        # a number may be written with a sign
        assert set(names) - {"age"} <= set(answer.json()["fields"]), text
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_headers_of_a_request_stay_outside(world, settings, text):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("127.0.0.1/32")]
    answer = Browser().post(
        "/connexion",
        {"email": world.analyst, "password": text},
        headers={"X-Request-Id": text, "X-Forwarded-For": text, "User-Agent": text, "Accept-Language": text},
    )

    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-Id"])
    assert "x" not in answer.cookies
    assert not [value for _name, value in answer.items() if "\n" in value or "\r" in value]
    with world.scope():
        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.address) == ("login.failed", "127.0.0.1")
        assert entry.request_id == answer["X-Request-Id"]


LOG_IN_TABLES = [model for model in apps.get_models() if model._meta.app_label == "axes"]


def kept_of_log_ins():
    return " ".join(str(row) for model in LOG_IN_TABLES for row in model.objects.values_list())


def test_a_log_in_that_fails_keeps_nothing_that_was_typed(world, page):
    for kind, text in HOSTILE.items():
        headers = {"User-Agent": text, "Referer": text}
        typed = {"email": f'"{text}"@x.zz', "password": text}  # a quoted name may hold most of them
        Browser().post(f"/connexion?next={quote(text)}", typed, headers={**headers, "Accept": text})
        Browser().post("/connexion", {"email": world.analyst, "password": text}, headers=headers)
        send(Browser(headers=headers), "post", "/api/v1/login", {"email": f"{kind}@x.zz", "password": text})

    attempts = AccessAttempt.objects.values_list(
        "username", "user_agent", "get_data", "post_data", "path_info"
    )
    kept = kept_of_log_ins()
    by_api_and_page = len(HOSTILE) + 1
    assert len(attempts) > by_api_and_page
    assert {tuple(rest) for _username, *rest in attempts} == {("", "", "", "")}
    assert not [each for each, *_rest in attempts if not re.fullmatch(r"[0-9a-f]{64}", each)]
    assert not [text for text in [*HOSTILE.values(), world.analyst, "x.zz"] if text != "+1" and text in kept]
    inert(page(world.operator).get(reverse("admin:axes_accessattempt_changelist")))


def test_what_an_older_log_in_kept_is_inert_in_the_back_office(world, page):
    day = timezone.now()
    for text in HOSTILE.values():
        told = dict.fromkeys(
            ("username", "user_agent", "http_accept", "path_info", "get_data", "post_data"), text
        )
        AccessAttempt.objects.create(
            **told, ip_address="203.0.113.7", failures_since_start=9, attempt_time=day
        )
    operator = page(world.operator)
    path = reverse("admin:axes_accessattempt_changelist")

    listed = inert(operator.get(path))

    assert listed.shows(HOSTILE["script"][:12])
    assert listed.shows(HOSTILE["image"][:12])
    for text in HOSTILE.values():
        assert inert(operator.get(path, {"q": text})).shows(text)
    chosen = list(AccessAttempt.objects.values_list("pk", flat=True))
    script = HOSTILE["script"]
    answer = operator.post(
        path, {"action": "let_in", "reason": script, "_selected_action": chosen}, follow=True
    )
    inert(answer)
    assert not AccessAttempt.objects.filter(pk__in=chosen).exists()
    assert PlatformEntry.objects.filter(action="login.unlock", reason=script).count() == len(chosen)
    assert inert(operator.get(reverse("admin:audit_platformentry_changelist"))).shows(script)


FORGED = [*HOSTILE.values(), "a\u2028b", "a\x85b", "a\x9b2Jb", "a\u202eb", "a\x00b", "a\vb\fc\x1cd"]


def lines_of(name, text, *, fails=False):
    """Return what a formatter of the settings writes of a text, in each place that a record has."""
    formatter = DictConfigurator(settings.LOGGING).configure_formatter(
        dict(settings.LOGGING["formatters"][name])
    )
    failure = None
    if fails:
        error = ValueError(text)
        failure = (ValueError, error, None)
    record = logging.LogRecord("apps.x", logging.INFO, __file__, 1, "Told %s", (text,), failure)
    record.request_id = text
    return formatter.format(record)


@pytest.mark.parametrize("text", FORGED)
@pytest.mark.parametrize("fails", [False, True])
def test_a_line_for_machines_is_one_record(text, fails):
    line = lines_of("json", text, fails=fails)

    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert json.loads(line)["message"] == f"Told {text}"


@pytest.mark.parametrize("text", FORGED)
@pytest.mark.parametrize("fails", [False, True])
def test_a_line_for_people_cannot_be_forged(text, fails):
    first, *more = lines_of("line", text, fails=fails).splitlines()

    assert "INFO apps.x" in first
    assert bool(more) is fails
    assert all(line.startswith("  | ") for line in more)
    assert all(line.isprintable() for line in (first, *more))


# --- files that are scored ------------------------------------------------------------------------------


def test_a_file_that_is_scored_stays_text(world, page, api, settings, tmp_path):
    """Headers, cells and the name of a file are shown before it is scored, and come back in its result."""
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    browser, owner = page(world.analyst), api(world.analyst)
    rows = [[*BODY, *HOSTILE.values()], [*BODY.values(), *(f"{text}c" for text in HOSTILE.values())]]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    upload = SimpleUploadedFile('"><img src=x onerror=alert(1)>.csv', out.getvalue().encode(), "text/csv")
    prepare = browser.post("/scoring-par-lot", {"file": upload})
    assert prepare.status_code == 302

    shown = inert(browser.get(prepare.url))
    for kind in ("script", "image", "template", "formula"):
        assert shown.shows(HOSTILE[kind]), kind
    inert(browser.get("/scoring-par-lot"))
    with world.scope():
        batch = receive_batch(upload=again(upload), by=world.actor(world.analyst))
        score_at_once(batch=batch)
    assert inert(browser.get(f"/scoring-par-lot/{batch.uid}")).texts
    told(owner.get(f"/api/v1/batches/{batch.uid}"))
    answer = browser.get(f"/scoring-par-lot/{batch.uid}/resultat")
    assert re.fullmatch(r'attachment; filename="scoring_[^"<>\r\n]+"', answer["Content-Disposition"])
    [headers, line] = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode(), newline=""))
    assert len(headers) == len(line)
    assert not [cell for cell in (*headers, *line) if is_formula(cell) or "\x1b" in cell]
    assert "<script>alert(1)</script>" in headers


def again(upload):
    upload.seek(0)
    return upload
