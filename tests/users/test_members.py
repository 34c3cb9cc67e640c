"""Accounts: one active place each, roles as the table says, every verb in the trail."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.audit.models import AuditEntry
from apps.institutions.models import Agency
from apps.tenancy.errors import InvalidValues
from apps.tenancy.roles import Verb, allows, roles_with
from apps.users.models import Membership
from apps.users.services.members import change_member, create_member

pytestmark = pytest.mark.django_db

#: DOMAIN.md's table, verb by verb.
TABLE = {
    Verb.READ_FILES: "administrateur analyste agent responsable_risques comite auditeur dpo",
    Verb.EDIT_FILES: "analyste agent responsable_risques",
    Verb.SCORE: "analyste agent responsable_risques comite",
    Verb.REPLAY: "analyste responsable_risques comite auditeur",
    Verb.DECIDE: "analyste responsable_risques",
    Verb.IMPORT: "administrateur analyste responsable_risques",
    Verb.PROPOSE_MODEL: "responsable_risques",
    Verb.APPROVE_MODEL: "administrateur responsable_risques comite",
    Verb.DEFINE_VARIABLES: "administrateur responsable_risques",
    Verb.READ_AUDIT: "administrateur auditeur dpo",
    Verb.CONTACT_PROSPECTS: "directeur_commercial",
    Verb.ADMINISTER: "administrateur",
}


@pytest.mark.parametrize("verb", TABLE)
def test_the_role_table_is_the_one_of_the_domain(verb):
    assert {str(role) for role in roles_with(verb)} == set(TABLE[verb].split())


def test_an_unknown_role_holds_nothing():
    assert not any(allows("directeur", verb) for verb in Verb)


def create(world, **changes):
    fields = {
        "email": "nouvelle@horizon.example",
        "full_name": "Nouvelle Venue",
        "password": "Un-mot-de-passe-long-1",
        "role": "analyste",
        "by": world.actor(world.administrator),
    }
    return create_member(**{**fields, **changes})


def test_a_member_is_created_with_an_audit_entry(world):
    with world.scope():
        membership = create(world)

        assert membership.user.check_password("Un-mot-de-passe-long-1")
        assert AuditEntry.objects.filter(action="member.create").exists()


def test_passwords_are_hashed_with_argon2_outside_tests():
    from config.settings import base

    assert base.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def test_an_agent_needs_an_agency(world):
    with world.scope():
        with pytest.raises(InvalidValues):
            create(world, role="agent")
        assert create(world, role="agent", agencies=[Agency.objects.first()]).role == "agent"


def test_a_weak_password_is_refused(world):
    with world.scope(), pytest.raises(ValidationError):
        create(world, password="court")


@pytest.mark.parametrize("email", ["analyste@horizon.demo", "analyste@ngwa.demo"])
def test_a_taken_e_mail_is_refused_alike_wherever_it_is_taken(world, email):
    with world.scope(), pytest.raises(InvalidValues) as refusal:
        create(world, email=email)

    assert "ngwa" not in str(refusal.value.fields).lower()


def test_one_active_membership_at_most(world):
    member = Membership.objects.get(user__email=world.analyst)

    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(
            user=member.user, institution_id=world.institution_id("ngwa"), role="analyste"
        )


def test_a_change_keeps_before_and_after(world):
    with world.scope():
        member = Membership.objects.select_related("user").get(user__email=world.analyst)
        change_member(membership=member, by=world.actor(world.administrator), role="comite")

        entry = AuditEntry.objects.get(action="member.change")
        assert (entry.before["role"], entry.after["role"]) == ("analyste", "comite")
