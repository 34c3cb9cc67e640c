"""The provider's addresses: its log-in page, OpenID Connect under /o/, and what the tests tell it."""

import json

from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import get_application_model
from provider_claims import PEOPLE

CLIENT = {"client_id": "credisense", "client_secret": "secret-of-credisense"}


@csrf_exempt
def tell(request):
    """Take people and return addresses from a test."""
    told = json.loads(request.body)
    for name, facts in told.get("people", {}).items():
        PEOPLE[name] = facts
        User.objects.get_or_create(username=name)
        person = User.objects.get(username=name)
        person.set_password(name)
        person.save()
    application = get_application_model()
    known = application.objects.filter(client_id=CLIENT["client_id"]).first() or application(
        name="CrediSense",
        **CLIENT,
        client_type=application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=application.GRANT_AUTHORIZATION_CODE,
        algorithm=application.RS256_ALGORITHM,
        skip_authorization=True,
    )
    for address in told.get("return_addresses", ()):
        if address not in known.redirect_uris.split():
            known.redirect_uris = f"{known.redirect_uris} {address}".strip()
    known.save()
    return JsonResponse({})


urlpatterns = [
    path("entrer", LoginView.as_view()),
    path("tell", tell),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
