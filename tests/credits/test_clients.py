"""Clients: unique in their institution, unreadable at rest where it matters, found exactly."""

import pytest
from django.db import connection

from apps.credits.models import Client
from apps.credits.queries.clients import clients_with_phone, get_visible_client, visible_clients
from apps.credits.services.clients import save_client
from apps.institutions.models import Agency
from apps.tenancy.errors import InvalidValues, ObjectNotFound

pytestmark = pytest.mark.django_db


def new_client(**changes):
    fields = {
        "agency": Agency.objects.first(),
        "reference": "R-1",
        "last_name": "Ébongué",
        "first_names": "Ña",
        "birth_date": "1990-01-31",
        "phone": "+237 6 77 00 11 22",
        "document_number": "cni 123456",
    }
    return Client(**{**fields, **changes})


def test_phone_and_document_are_unreadable_in_the_table(world):
    with world.scope():
        client = save_client(client=new_client(), by=world.actor(world.analyst))
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM credits_client WHERE id = %s", [client.pk])
            stored = " ".join(map(str, cursor.fetchone()))

        assert "677001122" not in stored
        assert "123456" not in stored
        assert Client.objects.get(pk=client.pk).phone == "+237677001122"


def test_a_phone_is_found_exactly_and_only_in_the_institution(world):
    with world.scope():
        save_client(client=new_client(), by=world.actor(world.analyst))
        assert clients_with_phone(world.actor(world.analyst), "+237677001122").count() == 1
        assert clients_with_phone(world.actor(world.analyst), "+237677001123").count() == 0
    with world.scope("ngwa"):
        assert clients_with_phone(world.actor(world.outsider), "+237677001122").count() == 0


def test_equal_phones_of_two_institutions_do_not_look_equal(world):
    indexes = []
    for code, person in (("horizon", world.analyst), ("ngwa", world.outsider)):
        with world.scope(code):
            indexes.append(save_client(client=new_client(), by=world.actor(person)).phone_index)

    assert indexes[0] != indexes[1]


def test_a_reference_is_unique_in_the_institution_only(world):
    with world.scope("horizon"):
        save_client(client=new_client(), by=world.actor(world.analyst))
        with pytest.raises(InvalidValues) as refusal:
            save_client(client=new_client(), by=world.actor(world.analyst))
    with world.scope("ngwa"):
        save_client(client=new_client(), by=world.actor(world.outsider))

    assert "ngwa" not in str(refusal.value.fields)


def test_an_agent_does_not_see_other_agencies(world):
    with world.scope():
        agent = world.actor(world.agent)
        other = Client.objects.exclude(agency_id__in=agent.agency_ids).first()

        assert other not in visible_clients(agent)
        with pytest.raises(ObjectNotFound):
            get_visible_client(agent, uid=other.uid)
        with pytest.raises(ObjectNotFound):
            save_client(client=new_client(agency=other.agency), by=agent)


def test_names_are_searched_without_case_or_accents(world):
    with world.scope():
        save_client(client=new_client(), by=world.actor(world.analyst))

        assert Client.objects.filter(search_name__startswith="ebongue na").exists()
