from django.urls import path

from apps.web.accounts import profile
from apps.web.accounts import views as accounts
from apps.web.audit import views as audit
from apps.web.credits import views as credit
from apps.web.scoring import views as scoring
from apps.web.style import views as style

app_name = "web"

urlpatterns = [
    path("", accounts.home, name="home"),
    path("connexion", accounts.log_in, name="login"),
    path("connexion/code", accounts.log_in_code, name="login_code"),
    path("mot-de-passe/oublie", profile.password_forgotten, name="password_forgotten"),
    path("mot-de-passe/nouveau", profile.password_reset, name="password_reset"),
    path("profil", profile.profile, name="profile"),
    path("profil/langue", profile.profile_language, name="profile_language"),
    path("profil/mot-de-passe", profile.password_change, name="password_change"),
    path("profil/sessions", profile.profile_sessions, name="profile_sessions"),
    path("profil/double-authentification", profile.second_factor, name="second_factor"),
    path("profil/double-authentification/arret", profile.second_factor_off, name="second_factor_off"),
    path("invitation", accounts.invitation, name="invitation"),
    path("deconnexion", accounts.log_out, name="logout"),
    path("demandes/nouvelle", credit.application_new, name="application_new"),
    path("scores", scoring.scores, name="scores"),
    path("scores/<uuid:uid>", scoring.score, name="score"),
    path("audit", audit.audit, name="audit"),
    path("audit/export", audit.audit_export, name="audit_export"),
    path("audit/integrite", audit.audit_check, name="audit_check"),
    path("audit/<uuid:uid>", audit.audit_entry, name="audit_entry"),
    path("style", style.style, name="style"),
]
