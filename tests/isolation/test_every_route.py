"""Generated from the URL configuration: objects of one institution are unknown to the other.

A new route with a parameter fails here until `TARGETS` says which of horizon's objects it shows.
"""

import pytest
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.credits.models import (
    Client,
    Credit,
    CreditApplication,
    DictionaryVariable,
    ExternalCredit,
    Guarantee,
    ImportRun,
)
from apps.decisions.models import DecisionMotive, OverrideRequest, Reconsideration
from apps.files.models import StoredFile
from apps.institutions.models import Agency, Institution
from apps.monitoring.models import Alert
from apps.outbox.models import Webhook
from apps.registry.models import ModelVersion, TrainingRun
from apps.reports.models import Report, ReportSchedule, SavedView
from apps.scoring.models import PolicyProposal, Prediction, Scenario, ScoringBatch
from apps.tenancy.catalogue import OPEN_ROUTES
from apps.tenancy.roles import Role, Verb, allows
from apps.users.models import User
from apps.web.access import PUBLIC
from tests.architecture.test_routes import declared, routes
from tests.dictionary import own_variable

pytestmark = pytest.mark.django_db

#: Route -> the model whose uid it takes.
TARGETS = {
    "api:agency": Agency,
    "api:application": CreditApplication,
    "api:application_cancel": CreditApplication,
    "api:application_decide": CreditApplication,
    "api:application_decisions": CreditApplication,
    "api:application_return": CreditApplication,
    "api:application_score": CreditApplication,
    "api:application_submit": CreditApplication,
    "api:audit_entry": AuditEntry,
    "api:batch": ScoringBatch,
    "api:batch_cancel": ScoringBatch,
    "api:batch_result": ScoringBatch,
    "api:batch_retry": ScoringBatch,
    "api:client": Client,
    "api:credit": Credit,
    "api:credit_restructure": Credit,
    "api:credit_write_off": Credit,
    "api:external_credit": ExternalCredit,
    "api:external_credit_close": ExternalCredit,
    "api:import": ImportRun,
    "api:import_cancel": ImportRun,
    "api:import_check": ImportRun,
    "api:import_confirm": ImportRun,
    "api:import_problems": ImportRun,
    "api:import_proposal": ImportRun,
    "api:import_rejects": ImportRun,
    "api:import_template": ImportRun,  # a name of the site's own, which no identifier is
    "api:import_undo": ImportRun,
    "api:installments": Credit,
    "api:model": ModelVersion,
    "api:model_approve": ModelVersion,
    "api:model_export": ModelVersion,
    "api:model_monitoring": ModelVersion,
    "api:model_promote": ModelVersion,
    "api:model_rollback": ModelVersion,
    "api:policy": PolicyProposal,
    "api:policy_approve": PolicyProposal,
    "api:policy_reject": PolicyProposal,
    "api:policy_withdraw": PolicyProposal,
    "api:prediction": Prediction,
    "api:replay": Prediction,
    "api:report": Report,
    "api:report_file": Report,
    "api:training_cancel": TrainingRun,
    "api:training_keep": TrainingRun,
    "api:training_retry": TrainingRun,
    "api:training_run": TrainingRun,
    "api:user": User,
    "api:variable": DictionaryVariable,
    "api:webhook": Webhook,
    "web:application": CreditApplication,
    "web:application_cancel": CreditApplication,
    "web:application_decide": CreditApplication,
    "web:application_edit": CreditApplication,
    "web:application_reopen": CreditApplication,
    "web:application_resume": CreditApplication,
    "web:application_return": CreditApplication,
    "web:application_review": CreditApplication,
    "web:application_score": CreditApplication,
    "web:application_submit": CreditApplication,
    "web:application_withdraw": CreditApplication,
    "web:audit_entry": AuditEntry,
    "web:batch": ScoringBatch,
    "web:batch_cancel": ScoringBatch,
    "web:batch_prepare": StoredFile,
    "web:batch_result": ScoringBatch,
    "web:batch_retry": ScoringBatch,
    "web:client": Client,
    "web:client_confirm": Client,
    "web:client_consent": Client,
    "web:client_offers": Client,
    "web:client_duplicates": Client,
    "web:client_edit": Client,
    "web:client_keep_apart": Client,
    "web:client_merge": Client,
    "web:client_part": Client,
    "web:client_scores": Client,
    "web:client_scores_csv": Client,
    "web:credit": Credit,
    "web:credit_restructure": Credit,
    "web:credit_write_off": Credit,
    "web:external_credit_close": ExternalCredit,
    "web:external_credit_new": Client,
    "web:guarantee_new": Client,
    "web:guarantee_release": Guarantee,
    "web:import": ImportRun,
    "web:import_cancel": ImportRun,
    "web:import_columns": ImportRun,
    "web:import_confirm": ImportRun,
    "web:import_rejects": ImportRun,
    "web:import_report": ImportRun,
    "web:import_template": ImportRun,
    "web:import_undo": ImportRun,
    "web:institution_log_in": Institution,  # of one without a provider: it looks like none
    "web:model": ModelVersion,
    "web:model_approve": ModelVersion,
    "web:model_challenge": ModelVersion,
    "web:model_decline": ModelVersion,
    "web:model_export": ModelVersion,
    "web:model_monitoring": ModelVersion,
    "web:model_monitoring_csv": ModelVersion,
    "web:model_propose": ModelVersion,
    "web:model_recalibrate": ModelVersion,
    "web:model_rollback": ModelVersion,
    "web:model_scorecard": ModelVersion,
    "web:model_unchallenge": ModelVersion,
    "web:model_withdraw": ModelVersion,
    "web:monitoring_alert": Alert,
    "web:monitoring_conclude": Alert,
    "web:monitoring_review": Alert,
    "web:motive_switch": DecisionMotive,
    "web:override_confirm": OverrideRequest,
    "web:override_refuse": OverrideRequest,
    "web:override_withdraw": OverrideRequest,
    "web:openid_return": Institution,
    "web:openid_start": Institution,
    "web:policy_approve": PolicyProposal,
    "web:policy_reject": PolicyProposal,
    "web:policy_version": PolicyProposal,
    "web:policy_withdraw": PolicyProposal,
    "web:portfolio_view_delete": SavedView,
    "web:repayment_new": Credit,
    "web:report": Report,
    "web:report_file": Report,
    "web:report_new": Report,  # a name of the site's own, which no identifier is
    "web:report_schedule": Report,  # likewise
    "web:report_schedule_stop": ReportSchedule,
    "web:review_keep": Reconsideration,
    "web:scenario_keep": CreditApplication,
    "web:scenario_remove": Scenario,
    "web:score": Prediction,
    "web:score_changes": Prediction,
    "web:score_neighbours": Prediction,
    "web:score_print": Prediction,
    "web:score_replay": Prediction,
    "web:score_second_opinion": Prediction,
    "web:simulation": CreditApplication,
    "web:simulation_take_over": CreditApplication,
    "web:training": TrainingRun,
    "web:training_cancel": TrainingRun,
    "web:training_curves": TrainingRun,
    "web:training_keep": TrainingRun,
    "web:training_numbers": TrainingRun,
    "web:training_retry": TrainingRun,
    "web:variable": DictionaryVariable,
    "web:variable_edit": DictionaryVariable,
    "web:variable_retire": DictionaryVariable,
}
ROLES = {
    "analyste": Role.ANALYSTE,
    "agent": Role.AGENT,
    "risques": Role.RESPONSABLE_RISQUES,
    "comite": Role.COMITE,
    "admin": Role.ADMINISTRATEUR,
    "auditeur": Role.AUDITEUR,
    "commercial": Role.DIRECTEUR_COMMERCIAL,
    "dpo": Role.DPO,
}


def full_name(path, pattern):
    return f"{'api' if path.startswith('api/') else 'web'}:{pattern.name}"


WITH_OBJECT = [(full_name(p, e), declared(e.callback)) for p, e in routes() if e.pattern.converters]
WITHOUT_OBJECT = [
    (full_name(p, e), declared(e.callback))
    for p, e in routes()
    if not e.pattern.converters and p not in {*OPEN_ROUTES, "langue", "docs"}
]
METHODS = ("get", "post", "put", "patch", "delete")


def needed_verbs(rule, method):
    """Return the verbs of which one opens the route to a method, empty for a public or member route."""
    if isinstance(rule, dict):
        return [rule[method.upper()]] if method.upper() in rule else list(rule.values())
    return [rule] if isinstance(rule, Verb) else []


def client_of(name, email, page, api):
    return api(email) if name.startswith("api:") else page(email)


def methods_of(client, name, path):
    """Return the methods that a page answers: it refuses others, invented ones too, before anything else."""
    if not name.startswith("web:"):
        return set(METHODS)
    return set(client.generic("BREW", path)["Allow"].lower().split(", "))


def test_every_route_with_an_object_is_attacked():
    assert {name for name, _rule in WITH_OBJECT} == set(TARGETS)


#: Model -> its row of the open scope, and what of it nobody else may read.
FOUND = {
    DecisionMotive: (DecisionMotive.objects.first, lambda _row: []),  # both have the standard ones
    OverrideRequest: (OverrideRequest.objects.first, lambda row: [row.text]),
    Reconsideration: (Reconsideration.objects.first, lambda row: [row.text]),
    AuditEntry: (AuditEntry.objects.first, lambda row: [str(row.object_uid)]),
    Agency: (Agency.objects.first, lambda row: [row.name]),
    Webhook: (Webhook.objects.first, lambda row: [row.url, row.secret]),
    PolicyProposal: (PolicyProposal.objects.first, lambda _row: []),
    Scenario: (Scenario.objects.first, lambda _row: []),
    Alert: (Alert.objects.first, lambda _row: []),
    Institution: (lambda: Institution.objects.get(code="horizon"), lambda row: [row.name, row.code]),
    User: (
        lambda: User.objects.get(email="analyste@horizon.demo"),
        lambda row: [row.email, row.full_name],
    ),
    Client: (Client.objects.first, lambda row: [row.reference, row.last_name]),
    ModelVersion: (ModelVersion.objects.first, lambda _row: []),  # the same model serves both
    TrainingRun: (TrainingRun.objects.first, lambda row: [row.snapshot.sha256]),
    ScoringBatch: (
        ScoringBatch.objects.first,
        lambda row: [row.source.original_name, row.author_name],
    ),
    ImportRun: (
        ImportRun.objects.first,
        lambda row: [row.source.original_name, row.author_name],
    ),
    Report: (Report.objects.first, lambda row: [row.contents_sha256]),
    ReportSchedule: (ReportSchedule.objects.first, lambda _row: []),
    SavedView: (SavedView.objects.first, lambda row: [row.name]),
    DictionaryVariable: (own_variable, lambda row: [row.label_fr, row.label_en]),
    StoredFile: (
        lambda: StoredFile.objects.filter(purpose="batch").first(),
        lambda row: [row.original_name],
    ),
}


def target_and_secrets(model):
    """Return a row of the open scope and texts that nobody else may read."""
    if model in FOUND:
        find, secrets = FOUND[model]
        target = find()
        return target, [str(target.uid), *secrets(target)]
    target = model.objects.select_related("client").exclude(client=None).first()
    return target, [str(target.uid), target.client.reference, target.client.last_name]


def name_in_addresses(target):
    """Return what stands for a row in an address: its identifier, or its name where that is its address."""
    return target.name if isinstance(target, DictionaryVariable) else target.uid


@pytest.mark.parametrize("local_part", ROLES)
@pytest.mark.parametrize(("name", "rule"), WITH_OBJECT)
def test_objects_of_horizon_are_unknown_at_ngwa(world, page, api, name, rule, local_part):
    with world.scope("horizon"):
        target, secrets = target_and_secrets(TARGETS[name])
    client = client_of(name, f"{local_part}@ngwa.demo", page, api)
    path = reverse(name, args=[name_in_addresses(target)])
    asked = {str(target.uid)} if rule == PUBLIC else set()  # its address stands in the switch of languages
    answered = methods_of(client, name, path)
    refused_as_such = [method for method in METHODS if method not in answered][:1]

    for method in (*filter(answered.__contains__, METHODS), *refused_as_such):
        answer = getattr(client, method)(path)
        may = rule == PUBLIC or any(allows(ROLES[local_part], verb) for verb in needed_verbs(rule, method))
        refused = 405 if method not in answered else 404 if may else 403
        assert answer.status_code == refused, method
        body = answer.content.decode()
        assert not [secret for secret in secrets if secret in body and secret not in asked], method


@pytest.mark.parametrize("local_part", ROLES)
@pytest.mark.parametrize(("name", "rule"), WITHOUT_OBJECT)
def test_a_role_without_the_verb_is_refused(world, page, api, name, rule, local_part):
    client = client_of(name, f"{local_part}@ngwa.demo", page, api)
    method = "post" if isinstance(rule, dict) and "GET" not in rule else "get"
    verbs = needed_verbs(rule, method)

    answer = getattr(client, method)(reverse(name))

    if verbs and not any(allows(ROLES[local_part], verb) for verb in verbs):
        assert answer.status_code == 403
    else:
        assert answer.status_code not in {403, 500}


@pytest.mark.parametrize(
    "path",
    ["institutions/institution/", "users/user/", "institutions/agency/", "users/membership/"],
)
def test_the_back_office_is_closed_to_an_analyst(page, path):
    answer = page("analyste@ngwa.demo").get(f"/admin/{path}")

    assert answer.status_code in {302, 403}
    assert "horizon" not in answer.content.decode().lower()


def test_an_administrator_sees_only_the_own_institution(world, page):
    client = page("admin@ngwa.demo")

    for path in ("institutions/agency/", "users/membership/"):
        body = client.get(f"/admin/{path}").content.decode()
        assert "horizon" not in body.lower()
        assert "Douala" not in body
    assert client.get("/admin/institutions/institution/").status_code == 403
    assert client.get("/admin/users/user/").status_code == 403


def test_an_administrator_cannot_open_an_agency_of_another(world, page):
    with world.scope("horizon"):
        foreign = Agency.objects.first().pk
    client = page("admin@ngwa.demo")

    for suffix in ("change/", "history/", "delete/"):
        answer = client.get(f"/admin/institutions/agency/{foreign}/{suffix}")
        assert answer.status_code in {302, 403, 404}
        assert "Douala" not in answer.content.decode()
