from django.urls import path

from apps.web.accounts import views as accounts
from apps.web.credits import views as credit
from apps.web.scoring import views as scoring

app_name = "web"

urlpatterns = [
    path("", accounts.home, name="home"),
    path("connexion", accounts.log_in, name="login"),
    path("invitation", accounts.invitation, name="invitation"),
    path("deconnexion", accounts.log_out, name="logout"),
    path("demandes/nouvelle", credit.application_new, name="application_new"),
    path("scores", scoring.scores, name="scores"),
    path("scores/<uuid:uid>", scoring.score, name="score"),
]
