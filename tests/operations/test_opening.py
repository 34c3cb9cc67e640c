"""Opening an institution, its administrator's invitation, and suspension at once."""

import re

import pytest
from django.core import mail, signing
from django.test import Client

from apps.institutions.models import Institution
from apps.outbox.tasks import deliver_outbox
from apps.scoring.models import ScoringPolicy
from apps.users.models import Membership
from apps.users.queries import active_membership

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])

PASSWORD = "une-Longue-phrase-2026"
FORM = {
    "code": "savane", "name": "Savane Crédit", "category": "2", "licence": "", "country": "CM",
    "language": "fr", "status": "active", "reason": "Contrat 12", "administrator": "paul@savane.example",
    "default_threshold": "0.2", "copy_from": "",
}  # fmt: skip


def open_savane(page, world, **changes):
    answer = page(world.operator).post("/admin/institutions/institution/add/", {**FORM, **changes})
    assert answer.status_code == 302, answer.content.decode()
    deliver_outbox()
    return re.search(r"/invitation\?jeton=\S+", mail.outbox[-1].body)[0]


def answer_to(link, password=PASSWORD, again=None):
    return Client().post(link, {"full_name": "Paul Etoa", "password": password, "again": again or password})


def test_an_invited_administrator_enters_once(page, world):
    link = open_savane(page, world)

    savane = Institution.objects.get(code="savane")
    with world.scope("savane"):
        policy = ScoringPolicy.objects.get()
    assert (policy.version, policy.figures["default_threshold"]) == (1, 0.2)
    assert Client().get(link).status_code == 200
    assert answer_to(link, "court").status_code == 422
    assert answer_to(link, again="autre").status_code == 422
    assert answer_to(link).status_code == 302
    membership = Membership.objects.get(institution=savane)
    assert (membership.role, membership.is_active) == ("administrateur", True)
    logged = Client().post("/connexion", {"email": "paul@savane.example", "password": PASSWORD})
    assert logged.status_code == 302
    assert Client().get(link).status_code == 404
    assert answer_to(link, "une-Autre-phrase-2026").status_code == 404


def test_an_altered_an_old_and_a_suspended_invitation_are_refused(page, world, monkeypatch):
    link = open_savane(page, world)

    assert Client().get(link[:-2] + "xx").status_code == 404
    Institution.objects.filter(code="savane").update(status="suspended")
    assert Client().get(link).status_code == 404
    Institution.objects.filter(code="savane").update(status="active")
    assert Client().get(link).status_code == 200
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 72 * 3600 + 60)
    assert Client().get(link).status_code == 404
    assert active_membership(Membership.objects.get(institution__code="savane").user_id) is None


def test_a_policy_can_be_copied(page, world):
    open_savane(page, world, copy_from=world.institution_id("horizon"), default_threshold="")

    with world.scope("horizon"):
        expected = ScoringPolicy.objects.latest("version").figures
    with world.scope("savane"):
        assert ScoringPolicy.objects.get().figures == expected


def test_a_known_e_mail_opens_nothing(page, world):
    answer = page(world.operator).post(
        "/admin/institutions/institution/add/", {**FORM, "administrator": world.analyst}
    )

    assert answer.status_code == 200
    assert not Institution.objects.filter(code="savane").exists()


def test_suspension_closes_sessions_and_tokens_at_once(page, api, world):
    session, token = page(world.analyst), api(world.analyst)
    assert session.get("/scores").status_code == 200
    institution = Institution.objects.get(code="horizon")
    values = {name: getattr(institution, name) for name in ("code", "name", "category", "licence", "country")}

    page(world.operator).post(
        f"/admin/institutions/institution/{institution.pk}/change/",
        {**values, "language": "fr", "status": "suspended", "reason": "Impayé"},
    )

    assert session.get("/scores").status_code == 302
    assert token.get("/api/v1/features-names").status_code == 401
    assert page(world.outsider).get("/scores").status_code == 200
