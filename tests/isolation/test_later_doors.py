"""Attacks on what came after the first doors: the trail, exports, backups, resets, invitations."""

import tarfile

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client

from apps.audit.models import AuditEntry
from apps.institutions.models import Institution
from apps.users.models import Membership
from tests.isolation.loot import loot

pytestmark = pytest.mark.django_db

TRAIL = ("/audit", "/audit/integrite", "/audit/export", "/audit?qui=Tchoumi", "/audit?objet=credits.client")


@pytest.mark.parametrize("who", ["auditeur@ngwa.demo", "admin@ngwa.demo", "dpo@ngwa.demo"])
@pytest.mark.parametrize("path", TRAIL)
def test_the_trail_and_its_export_hold_one_institution(page, path, who):
    answer = page(who).get(path)

    assert answer.status_code == 200
    assert loot().found_in(answer.content.decode("utf-8-sig"), sent=["Tchoumi"]) == []


def test_an_entry_of_the_other_institution_is_unknown(page, world):
    with world.scope("horizon"):
        uid = AuditEntry.objects.first().uid

    theirs = page("auditeur@ngwa.demo").get(f"/audit/{uid}")
    nobody = page("auditeur@ngwa.demo").get("/audit/00000000-0000-4000-8000-000000000000")

    assert (theirs.status_code, nobody.status_code) == (404, 404)


def test_a_suspended_institution_exports_nothing(page):
    client = page("auditeur@ngwa.demo")
    Institution.objects.filter(code="ngwa").update(status="suspended")

    answer = client.get("/audit/export")

    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/connexion")


def test_a_reset_asked_by_a_stranger_reaches_its_owner_only_and_tells_nothing(page, world):
    """The answer is that of an unknown e-mail, and the letter names nobody else."""
    attacker = page("admin@ngwa.demo")

    known = attacker.post("/mot-de-passe/oublie", {"email": world.analyst})
    unknown = Client().post("/mot-de-passe/oublie", {"email": "nobody@horizon.demo"})

    assert known.status_code == unknown.status_code
    assert known.get("Location") == unknown.get("Location")
    assert {to for letter in mail.outbox for to in letter.to} <= {world.analyst}
    assert loot().found_in(known.content.decode(), sent=[world.analyst]) == []


@pytest.mark.parametrize("token", ["", "x", "x" * 300, "1:2:3"])
def test_a_forged_invitation_or_reset_opens_nothing(token):
    invitation = Client().get("/invitation", {"jeton": token})

    assert invitation.status_code == 404
    assert loot().found_in(invitation.content.decode()) == []


def test_an_administrator_does_not_change_a_member_of_another_institution(page, world):
    member = Membership.objects.get(user__email=world.analyst)

    answer = page("admin@ngwa.demo").post(
        f"/admin/users/membership/{member.pk}/change/", {"role": "auditeur", "is_active": ""}
    )

    member.refresh_from_db()
    assert (member.role, member.is_active) == ("analyste", True)
    assert loot().found_in(answer.content.decode()) == []


@pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"])
def test_a_backup_of_one_institution_holds_it_alone(tmp_path):
    target = tmp_path / "ngwa.tar"

    call_command("backup", str(target), institution="ngwa")

    with tarfile.open(target) as tar:
        files = [tar.extractfile(member).read() for member in tar.getmembers() if member.isfile()]
    text = b"\n".join(files).decode("utf-8", "replace")
    assert "ngwa" in text
    assert loot().found_in(text) == []
