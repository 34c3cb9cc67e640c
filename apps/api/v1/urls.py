from django.urls import path

from apps.api.v1.accounts.views import LoginView, LogoutView, RefreshView
from apps.api.v1.scoring.views import (
    FeaturesNamesView,
    PredictionView,
    PredictView,
    ReplayView,
    WelcomeView,
)

urlpatterns = [
    path("", WelcomeView.as_view(), name="welcome"),
    path("login", LoginView.as_view(), name="login"),
    path("token/refresh", RefreshView.as_view(), name="token_refresh"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("features-names", FeaturesNamesView.as_view(), name="features_names"),
    path("predict", PredictView.as_view(), name="predict"),
    path("predictions/<uuid:uid>", PredictionView.as_view(), name="prediction"),
    path("predictions/<uuid:uid>/replay", ReplayView.as_view(), name="replay"),
]
