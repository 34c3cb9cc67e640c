"""What a person or a partner types stays text: on pages, in the back-office, in files, in JSON, in log lines.

`FILLED` says by which doors each text of the database is filled, `NOT_FILLED` why nobody types the others:
a new text fails here until it has its place. A door takes a hostile text as it stands, or refuses it beside
the field that holds it; whatever was taken is then read wherever it is shown.
"""

import csv
import io
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
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.privacy import NOTICE_SETTING
from apps.institutions.models import Agency, Institution
from apps.scoring.models import Prediction
from apps.tenancy.cells import is_formula
from config.logs import JsonFormatter
from tests.api.sending import send
from tests.backoffice.test_files import AGENCIES, CLIENTS, confirmation
from tests.backoffice.test_files import send as upload
from tests.predict import BODY

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
    "credits.PieceRequest.note": {"pieces_api", "pieces_page"},
    "credits.PieceRequest.answer": {"answer_api"},
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
    "users.Draft.key": {"draft_page"},
    "users.Draft.content": {"draft_page"},
    "users.Feedback.text": {"feedback_page"},
    "users.Feedback.page": {"feedback_page"},
    "outbox.Webhook.url": {"webhook_api", "webhook_form"},
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
        scoring.Prediction.source scoring.Prediction.grade scoring.Prediction.band
        scoring.Prediction.recommendation""",
    "numbers and codes of the dictionary, which the doors check": """
        credits.CreditApplication.extra scoring.Prediction.inputs""",
    "hashes, secrets and names that the product draws": """
        users.User.password users.LoginSession.refresh_jti users.PartnerKey.prefix
        users.PartnerKey.secret_hash users.IdempotentReply.actor users.IdempotentReply.request_hash
        users.SecondFactor.secret users.RecoveryCode.code_hash users.RequestCount.bucket
        outbox.Webhook.secret credits.CreditApplication.reference audit.AuditSeal.hash audit.AuditHead.hash
        audit.AuditHead.signature audit.PlatformSeal.hash audit.PlatformHead.hash
        audit.PlatformHead.signature scoring.Prediction.input_hash""",
    "made of texts filled above, without a door of its own": """
        credits.Client.search_name credits.Client.search_first_names credits.Client.phone_index
        credits.Client.document_index audit.AuditEntry.actor_name audit.PlatformEntry.actor_name
        audit.AuditEntry.before audit.AuditEntry.after users.IdempotentReply.headers
        users.IdempotentReply.reply outbox.OutboxMessage.letter outbox.OutboxMessage.payload
        outbox.Alert.payload""",
    "written by the product in its own words": """
        audit.AuditEntry.actor_kind audit.AuditEntry.action audit.AuditEntry.object_type
        audit.PlatformEntry.action jobs.Job.result jobs.Job.error outbox.OutboxMessage.last_error
        outbox.WebhookAttempt.error scoring.Prediction.facts scoring.Prediction.contributions
        scoring.Prediction.max_amount_reason scoring.Prediction.rules scoring.Prediction.warnings""",
    "of the request, and checked as an address or a name (test_headers_of_a_request_stay_outside)": """
        audit.AuditEntry.address audit.AuditEntry.request_id users.LoginSession.address""",
    "given on the machine itself, by a command or the demonstration": """
        registry.PlatformModel.name registry.PlatformModel.version registry.PlatformModel.sha256
        registry.PlatformModel.metrics registry.ModelVersion.name registry.ModelVersion.version
        registry.ModelVersion.sha256 registry.ModelVersion.metrics registry.ModelVersion.segment
        registry.Championship.segment scoring.ScoringPolicy.figures credits.CreditApplication.outcome_source""",
    "a copy of the operator's reason in the platform's journal; no page shows it": """
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
LOAN = {"montant_credit": 450_000, "duree_mois": 12, "taux_interet": 20.0, "type_credit": "fonds_de_roulement"}
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
    applications: dict = field(default_factory=dict)
    example: dict = field(default_factory=dict)

    def __post_init__(self):
        world = self.world
        self.analyst, self.agent_page = self.api(world.analyst), self.page(world.agent)
        self.administrator, self.back = self.api(world.administrator), self.page(world.administrator)
        self.analyst_page, self.operator = self.page(world.analyst), self.page(world.operator)
        self.committee = self.api("comite@horizon.demo"), self.page("comite@horizon.demo")
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
    submit, back = f"{url}/{made['uid']}/submit", f"{url}/{made['uid']}/return"
    note, answer = labels("credits.PieceRequest", ["note"]), labels("credits.PieceRequest", ["answer"])
    pieces = {"pieces": ["identite"]}
    api, browser = doors.committee
    assert send(doors.analyst, "post", submit).status_code == 200
    doors.knock("pieces_api", note, kind, lambda values: refused_by_api(send(api, "post", back, values)), pieces)
    doors.knock(
        "answer_api", answer, kind, lambda values: refused_by_api(send(doors.analyst, "post", submit, values))
    )
    address = reverse("web:application_return", args=[made["uid"]])
    doors.knock("pieces_page", note, kind, lambda v: refused_by_page(browser.post(address, v)), pieces)


def entry_door(doors, kind):
    texts = labels("credits.Client", ["last_name", "first_names", "phone", "document_number"])
    form = doors.analyst_page.get("/demandes/nouvelle?exemple=1").context["form"] if not doors.example else None
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
    typed = {**debt, "status": "en_cours", "as_of": f"{timezone.localdate():%d/%m/%Y}"}

    def by_page(name):
        return lambda values: refused_by_page(doors.analyst_page.post(reverse(name, args=[client]), values))

    def by_api(values):
        return refused_by_api(send(doors.analyst, "post", "/api/v1/external-credits", values))

    good = {"kind": "aval", "value_xaf": "1000", "guarantor_name": "Bon"}
    doors.knock("guarantee_page", texts, kind, by_page("web:guarantee_new"), good)
    doors.knock("debt_api", lender, kind, by_api, {**debt, "client": client, "lender": "Bon"})
    doors.knock("debt_page", lender, kind, by_page("web:external_credit_new"), {**typed, "lender": "Bon"})


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
    doors.knock("setting_form", texts, kind, form, {"key": NOTICE_SETTING, "effective_from": f"{day:%d/%m/%Y}"})


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


def small_doors(doors, kind):
    def by_header(values):
        answer = send(
            doors.administrator, "post", "/api/v1/agencies", {}, **{"Idempotency-Key": values["key"]}
        )
        return {"key"} if answer.status_code == 400 else set()

    def by_draft(values):
        answer = doors.analyst_page.post(f"/brouillons?cle={quote(values['key'])}", values)
        assert answer.status_code in {200, 400}
        return {"key"} if answer.status_code == 400 else set()

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
        lambda values: refused_by_page(doors.agent_page.post("/avis", values)),
        {"kind": "idea", "text": "Bon"},
    )


def quoted(rows):
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue()


def csv_doors(doors):
    """Files: every hostile text a row; the rows that are refused are told, then left out."""
    names = [*CLIENT_TEXTS, "agency", "birth_date"]
    texts = labels("credits.Client", CLIENT_TEXTS)
    for kind, text in HOSTILE.items():
        row = [f"{text} c" if name == "reference" else text for name in CLIENT_TEXTS]
        row[CLIENT_TEXTS.index("phone")] = text[:24]
        sent = quoted([names, [*row, doors.agency.code, f"{list(HOSTILE).index(kind) + 1:02}/05/1977"]])
        answer = upload(doors.back, CLIENTS, sent)
        assert doors.back.post(f"{CLIENTS}process_import/", confirmation(answer)).status_code == 302
        assert inert(answer)
        for label in texts.values():
            doors.taken[label, "clients_csv"].add(kind)
        hostile = quoted([["code", "name", "city", "region"], [text] * 4])
        answer = upload(doors.back, AGENCIES, hostile)
        assert "process_import" not in answer.content.decode()
        assert inert(answer)
        doors.refused["institutions.Agency.code", "agencies_csv"].add(kind)
        answer = upload(doors.back, AGENCIES, hostile.replace(f"\n{quoted([[text]])[:-2]};", f"\ncsv-{kind};"))
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


def inert(answer):
    """Assert that nothing of an answer runs or sets a header; return it taken apart."""
    assert answer.status_code in {200, 422, 404}, (answer.request["PATH_INFO"], answer.status_code)
    assert answer["Content-Type"].startswith("text/html"), answer["Content-Type"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "x" not in answer.cookies
    reading = Reading(answer.content.decode())
    assert reading.runs == [], answer.request["PATH_INFO"]
    return reading


EVERY = set(HOSTILE)
#: Text, door -> the hostile texts that the door refuses; all others are taken as they stand.
REFUSED = {}


def test_hostile_texts_stay_texts_wherever_they_are_read(world, page, api):
    import time
    doors = Doors(world, page, api)
    for kind in HOSTILE:
        for each in (client_doors, application_doors, entry_door, security_doors, institution_doors, people_doors, small_doors):
            t = time.time()
            try:
                each(doors, kind)
            except Exception as e:
                import traceback
                print("FAIL", each.__name__, kind, repr(e)[:300], traceback.extract_tb(e.__traceback__)[-3:])
            print(each.__name__, kind, round(time.time() - t, 2))
    try:
        csv_doors(doors)
    except BaseException as e:
        import traceback
        print("FAIL csv", repr(e)[:600], traceback.extract_tb(e.__traceback__)[-2:])
    for key, kinds in doors.refused.items():
        print("REFUSED", key, kinds if kinds != EVERY else "EVERY")
    print("missing", {(l, d) for l, ds in FILLED.items() for d in ds} ^ set(doors.taken) ^ set(doors.refused))
