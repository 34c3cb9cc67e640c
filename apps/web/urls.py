from django.urls import path

from apps.web.accounts import views as accounts
from apps.web.audit import views as audit
from apps.web.credits import views as credit
from apps.web.scoring import views as scoring

app_name = "web"

urlpatterns = [
    path("", accounts.home, name="home"),
    path("connexion", accounts.log_in, name="login"),
    path("deconnexion", accounts.log_out, name="logout"),
    path("demandes/nouvelle", credit.application_new, name="application_new"),
    path("scores", scoring.scores, name="scores"),
    path("scores/<uuid:uid>", scoring.score, name="score"),
    path("audit", audit.audit, name="audit"),
    path("audit/export", audit.audit_export, name="audit_export"),
    path("audit/integrite", audit.audit_check, name="audit_check"),
    path("audit/<uuid:uid>", audit.audit_entry, name="audit_entry"),
]
