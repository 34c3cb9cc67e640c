"""Two attackers of ngwa."""

import logging

import pytest

from tests.isolation.doors import Attacker


@pytest.fixture(params=["admin@ngwa.demo", "analyste@ngwa.demo"])
def attacker(request, world, caplog, monkeypatch):
    """Return an administrator, then an analyst, of ngwa.

    The log-in page names the fictional people in demonstration mode, on purpose: left out.
    """
    monkeypatch.setattr("apps.web.accounts.views.demo_personas", list)
    caplog.set_level(logging.INFO)
    return Attacker(name=request.param, log=caplog)
