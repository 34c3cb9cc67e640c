from django.urls import path

from apps.api.v1.accounts.views import LoginView, LogoutView, RefreshView
from apps.api.v1.applications.views import (
    ApplicationCancelView,
    ApplicationReturnView,
    ApplicationScoreView,
    ApplicationSubmitView,
    ApplicationsView,
    ApplicationView,
)
from apps.api.v1.audit.views import AuditEntryView, AuditView
from apps.api.v1.batches.views import (
    BatchCancelView,
    BatchResultView,
    BatchRetryView,
    BatchView,
    PredictFileDownloadView,
    PredictFileView,
)
from apps.api.v1.clients.views import (
    ClientsView,
    ClientView,
    ExternalCreditCloseView,
    ExternalCreditsView,
    ExternalCreditView,
)
from apps.api.v1.credits.views import (
    CreditRestructureView,
    CreditsView,
    CreditView,
    CreditWriteOffView,
    InstallmentsView,
    RepaymentsView,
)
from apps.api.v1.decisions.views import ApplicationDecideView, ApplicationDecisionsView
from apps.api.v1.imports.views import (
    ImportCancelView,
    ImportCheckView,
    ImportConfirmView,
    ImportProblemsView,
    ImportProposalView,
    ImportRejectsView,
    ImportsView,
    ImportTemplateView,
    ImportUndoView,
    ImportView,
)
from apps.api.v1.institution.views import AgenciesView, AgencyView, UsersView, UserView
from apps.api.v1.models.views import (
    ModelApproveView,
    ModelExportView,
    ModelImportView,
    ModelPromoteView,
    ModelRollbackView,
    ModelsView,
    ModelView,
)
from apps.api.v1.monitoring.views import ModelMonitoringView
from apps.api.v1.policies.views import (
    PoliciesView,
    PolicyApproveView,
    PolicyRejectView,
    PolicyView,
    PolicyWithdrawView,
)
from apps.api.v1.reports.views import ReportFileView, ReportsView, ReportView
from apps.api.v1.scoring.views import (
    FeaturesNamesView,
    PredictionsView,
    PredictionView,
    PredictView,
    ReplayView,
    SimulateView,
    WelcomeView,
)
from apps.api.v1.training.views import (
    TrainingCancelView,
    TrainingKeepView,
    TrainingRetryView,
    TrainingRunsView,
    TrainingRunView,
)
from apps.api.v1.variables.views import VariablesView, VariableView
from apps.api.v1.webhooks.views import WebhooksView, WebhookView

urlpatterns = [
    path("", WelcomeView.as_view(), name="welcome"),
    path("login", LoginView.as_view(), name="login"),
    path("token/refresh", RefreshView.as_view(), name="token_refresh"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("features-names", FeaturesNamesView.as_view(), name="features_names"),
    path("predict", PredictView.as_view(), name="predict"),
    path("predict_file", PredictFileView.as_view(), name="predict_file"),
    path("predict_file_download", PredictFileDownloadView.as_view(), name="predict_file_download"),
    path("batches/<uuid:uid>", BatchView.as_view(), name="batch"),
    path("batches/<uuid:uid>/result", BatchResultView.as_view(), name="batch_result"),
    path("batches/<uuid:uid>/cancel", BatchCancelView.as_view(), name="batch_cancel"),
    path("batches/<uuid:uid>/retry", BatchRetryView.as_view(), name="batch_retry"),
    path("simulate", SimulateView.as_view(), name="simulate"),
    path("predictions", PredictionsView.as_view(), name="predictions"),
    path("predictions/<uuid:uid>", PredictionView.as_view(), name="prediction"),
    path("predictions/<uuid:uid>/replay", ReplayView.as_view(), name="replay"),
    path("clients", ClientsView.as_view(), name="clients"),
    path("clients/<uuid:uid>", ClientView.as_view(), name="client"),
    path("applications", ApplicationsView.as_view(), name="applications"),
    path("applications/<uuid:uid>", ApplicationView.as_view(), name="application"),
    path("applications/<uuid:uid>/score", ApplicationScoreView.as_view(), name="application_score"),
    path("applications/<uuid:uid>/submit", ApplicationSubmitView.as_view(), name="application_submit"),
    path("applications/<uuid:uid>/return", ApplicationReturnView.as_view(), name="application_return"),
    path("applications/<uuid:uid>/decide", ApplicationDecideView.as_view(), name="application_decide"),
    path(
        "applications/<uuid:uid>/decisions", ApplicationDecisionsView.as_view(), name="application_decisions"
    ),
    path("applications/<uuid:uid>/cancel", ApplicationCancelView.as_view(), name="application_cancel"),
    path("credits", CreditsView.as_view(), name="credits"),
    path("credits/<uuid:uid>", CreditView.as_view(), name="credit"),
    path("credits/<uuid:uid>/installments", InstallmentsView.as_view(), name="installments"),
    path("credits/<uuid:uid>/write-off", CreditWriteOffView.as_view(), name="credit_write_off"),
    path("credits/<uuid:uid>/restructure", CreditRestructureView.as_view(), name="credit_restructure"),
    path("repayments", RepaymentsView.as_view(), name="repayments"),
    path("external-credits", ExternalCreditsView.as_view(), name="external_credits"),
    path("external-credits/<uuid:uid>", ExternalCreditView.as_view(), name="external_credit"),
    path(
        "external-credits/<uuid:uid>/close", ExternalCreditCloseView.as_view(), name="external_credit_close"
    ),
    path("imports", ImportsView.as_view(), name="imports"),
    path("imports/templates/<slug:target>", ImportTemplateView.as_view(), name="import_template"),
    path("imports/<uuid:uid>", ImportView.as_view(), name="import"),
    path("imports/<uuid:uid>/proposal", ImportProposalView.as_view(), name="import_proposal"),
    path("imports/<uuid:uid>/check", ImportCheckView.as_view(), name="import_check"),
    path("imports/<uuid:uid>/confirm", ImportConfirmView.as_view(), name="import_confirm"),
    path("imports/<uuid:uid>/cancel", ImportCancelView.as_view(), name="import_cancel"),
    path("imports/<uuid:uid>/undo", ImportUndoView.as_view(), name="import_undo"),
    path("imports/<uuid:uid>/rejects", ImportRejectsView.as_view(), name="import_rejects"),
    path("imports/<uuid:uid>/problems", ImportProblemsView.as_view(), name="import_problems"),
    path("models", ModelsView.as_view(), name="models"),
    path("models/import", ModelImportView.as_view(), name="model_import"),
    path("models/<uuid:uid>", ModelView.as_view(), name="model"),
    path("models/<uuid:uid>/export", ModelExportView.as_view(), name="model_export"),
    path("models/<uuid:uid>/promote", ModelPromoteView.as_view(), name="model_promote"),
    path("models/<uuid:uid>/approve", ModelApproveView.as_view(), name="model_approve"),
    path("models/<uuid:uid>/rollback", ModelRollbackView.as_view(), name="model_rollback"),
    path("models/<uuid:uid>/monitoring", ModelMonitoringView.as_view(), name="model_monitoring"),
    path("training-runs", TrainingRunsView.as_view(), name="training_runs"),
    path("training-runs/<uuid:uid>", TrainingRunView.as_view(), name="training_run"),
    path("training-runs/<uuid:uid>/cancel", TrainingCancelView.as_view(), name="training_cancel"),
    path("training-runs/<uuid:uid>/retry", TrainingRetryView.as_view(), name="training_retry"),
    path("training-runs/<uuid:uid>/candidate", TrainingKeepView.as_view(), name="training_keep"),
    path("reports", ReportsView.as_view(), name="reports"),
    path("reports/<uuid:uid>", ReportView.as_view(), name="report"),
    path("reports/<uuid:uid>/file", ReportFileView.as_view(), name="report_file"),
    path("agencies", AgenciesView.as_view(), name="agencies"),
    path("agencies/<uuid:uid>", AgencyView.as_view(), name="agency"),
    path("users", UsersView.as_view(), name="users"),
    path("users/<uuid:uid>", UserView.as_view(), name="user"),
    path("policies", PoliciesView.as_view(), name="policies"),
    path("policies/<uuid:uid>", PolicyView.as_view(), name="policy"),
    path("policies/<uuid:uid>/approve", PolicyApproveView.as_view(), name="policy_approve"),
    path("policies/<uuid:uid>/reject", PolicyRejectView.as_view(), name="policy_reject"),
    path("policies/<uuid:uid>/withdraw", PolicyWithdrawView.as_view(), name="policy_withdraw"),
    path("variables", VariablesView.as_view(), name="variables"),
    path("variables/<slug:name>", VariableView.as_view(), name="variable"),
    path("webhooks", WebhooksView.as_view(), name="webhooks"),
    path("webhooks/<uuid:uid>", WebhookView.as_view(), name="webhook"),
    path("audit", AuditView.as_view(), name="audit"),
    path("audit/<uuid:uid>", AuditEntryView.as_view(), name="audit_entry"),
]
