"""Clients: unique in their institution, unreadable at rest where it matters, found exactly."""

import pytest
from django.db import connection, models

from apps.credits.models import Client
from apps.credits.queries.clients import clients_with_phone, get_visible_client, visible_clients
from apps.credits.services.clients import LINES, save_client
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


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("", ""),
        ("677001122", "677001122"),
        ("6 77 00 11 22", "677001122"),
        ("237 677 00 11 22", "237677001122"),
        ("+237 6.77.00.11.22", "+237677001122"),
        ("00237 677-00-11-22", "00237677001122"),
        ("+33 (6) 12 34 56 78", "+33612345678"),
        ("+1 202 555 0143", "+12025550143"),
        ("00 41 22 555 01 23", "0041225550123"),
    ],
)
def test_a_phone_that_rings_is_taken_as_it_is_written(world, typed, stored):
    with world.scope():
        client = save_client(client=new_client(phone=typed), by=world.actor(world.analyst))

        assert Client.objects.get(pk=client.pk).phone == stored


@pytest.mark.parametrize(
    "typed",
    [
        "12",
        "67700112",
        "6770011223",
        "+237 67700112",
        "+237 6770011223",
        "00237 1",
        "+0 123 456 789",
        "+33 12",
        "+1234567890123456",
        "677 00 11 22 poste 3",
        "٦٧٧٠٠١١٢٢",
        "++237677001122",
        "=677001122",
        "à voir",
    ],
)
def test_a_phone_that_cannot_ring_is_refused_beside_its_field(world, typed):
    with world.scope(), pytest.raises(InvalidValues) as refusal:
        save_client(client=new_client(phone=typed), by=world.actor(world.analyst))

    assert list(refusal.value.fields) == ["phone"]
    assert "6 77 12 34 56" in refusal.value.fields["phone"][0]


@pytest.mark.parametrize("unseen", ["\n", "\r\n", "\t", "\x1b[2J", "\x00", "\x85", "\u2028", "\u202e"])
@pytest.mark.parametrize("name", LINES)
def test_a_text_of_one_line_holds_nothing_unseen(world, name, unseen):
    with world.scope(), pytest.raises(InvalidValues) as refusal:
        save_client(client=new_client(**{name: f"a{unseen}b"}), by=world.actor(world.analyst))

    assert list(refusal.value.fields) == [name]


def test_every_text_of_a_client_that_is_typed_is_of_one_line():
    chosen = {"sex", "family_situation", "document_type", "contract_type"}
    texts = {
        each.name
        for each in Client._meta.local_fields
        if isinstance(each, models.CharField | models.TextField) and each.editable
    }

    assert texts - chosen - {"consent_method", "bureau_consent_method", "phone"} == set(LINES)


def test_all_that_is_wrong_is_told_at_once(world):
    wrong = {"phone": "12", "city": "a\nb", "birth_date": "1990-13-45", "last_name": ""}
    with world.scope(), pytest.raises(InvalidValues) as refusal:
        save_client(client=new_client(**wrong), by=world.actor(world.analyst))

    assert set(refusal.value.fields) == {"phone", "city", "birth_date", "last_name"}
