"""Two attackers of ngwa."""

import logging

import pytest
from django.test import Client

from tests.isolation.doors import Attacker


@pytest.fixture(params=["admin@ngwa.demo", "analyste@ngwa.demo"])
def attacker(request, world, caplog, monkeypatch):
    """Return an administrator, then an analyst, of ngwa.

    The log-in page names the fictional people in demonstration mode, on purpose: left out.
    """
    monkeypatch.setattr("apps.web.accounts.views.demo_personas", list)
    caplog.set_level(logging.INFO)
    email = request.param
    session = Client(raise_request_exception=False)
    session.force_login(world.user(email))
    authorization = {"Authorization": f"Bearer {world.access_token(email)}"}
    token = Client(raise_request_exception=False, headers=authorization)
    return Attacker(name=email, session=session, token=token, log=caplog)
