"""Personal identifiers at rest: unreadable in a dump, found by exact search, moved from key to key."""

import io
import os
import subprocess

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django.db import models
from django.db.models.functions import Cast

from apps.credits.models import Client
from apps.credits.queries.clients import clients_with_document, clients_with_phone
from apps.credits.services.clients import save_client
from apps.credits.validators import phone_form
from apps.institutions.models import Agency
from apps.tenancy.rotation import encrypted_columns, rotate, state_of
from config import postgres
from config.postgres import binaries, roles

OLD = site.FIELD_ENCRYPTION_KEYS[0]
NEW = Fernet.generate_key().decode()
PHONE, DOCUMENT = "+237 6 51 23 45 67", "AB-7766 5544 33"


@pytest.fixture
def person(world):
    """Return a function that writes a client of horizon with the marker values."""

    def write():
        with world.scope():
            client = Client(
                agency=Agency.objects.first(),
                last_name="Mbarga",
                birth_date="1980-01-01",
                phone=PHONE,
                document_number=DOCUMENT,
            )
            return save_client(client=client, by=world.actor(world.analyst))

    return write


def rotate_keys(*arguments):
    out = io.StringIO()
    call_command("rotate_keys", *arguments, stdout=out)
    return out.getvalue()


def tokens(world, code="horizon"):
    with world.scope(code):
        return list(
            Client.objects.exclude(phone_index="")
            .annotate(token=Cast("phone", models.TextField()))
            .values_list("token", flat=True)
        )


def test_phone_and_document_are_the_encrypted_columns_of_a_client():
    found = {f"{model._meta.label_lower}.{name}" for model, name in encrypted_columns()}

    assert found >= {"credits.client.phone", "credits.client.document_number"}


@pytest.mark.django_db
def test_a_new_key_in_front_still_reads_old_rows(world, person, settings):
    client = person()

    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    with world.scope():
        assert Client.objects.get(pk=client.pk).phone == "+237651234567"


@pytest.mark.django_db
def test_after_a_rotation_the_old_key_can_be_dropped(world, person, settings):
    client = person()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    expected = len(tokens(world)) + len(tokens(world, "ngwa"))
    with pytest.raises(CommandError, match="old key"):
        rotate_keys("--check")

    said = rotate_keys("--chunk", "100")

    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert f"credits.Client.phone: 0 under the newest key, {expected} encrypted again, 0 under" in said
    assert {state_of(token) for token in tokens(world) + tokens(world, "ngwa")} == {"newest"}
    assert f"{expected} under the newest key, 0 under an old key" in rotate_keys("--check")
    with world.scope():
        again = Client.objects.get(pk=client.pk)
    assert (again.phone, again.document_number) == ("+237651234567", DOCUMENT)


@pytest.mark.django_db
def test_an_interrupted_rotation_goes_on_where_it_was(world, settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    whole = len(tokens(world))
    with world.scope():
        first = Client.objects.exclude(phone_index="").order_by("pk").first()
        first.save(update_fields=["phone"])

    phones = next(column for column in rotate(chunk=7) if column.column == "credits.Client.phone")
    again = next(column for column in rotate(chunk=7) if column.column == "credits.Client.phone")

    assert (phones.newest, phones.older) == (1, whole - 1 + len(tokens(world, "ngwa")))
    assert (again.newest, again.older) == (phones.newest + phones.older, 0)


@pytest.mark.django_db
def test_a_value_of_a_lost_key_is_told_and_kept(world, person, settings):
    client = person()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    with pytest.raises(CommandError, match="no key"):
        rotate_keys()

    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    with world.scope():
        assert Client.objects.get(pk=client.pk).document_number == DOCUMENT


@pytest.mark.parametrize(
    "typed", ["+237 6 51 23 45 67", "00237651234567", "651-23-45-67", " 651.23.45.67 ", "237651234567"]
)
def test_a_phone_has_one_form(typed):
    assert phone_form(typed) == "651234567"


def test_a_foreign_phone_keeps_its_prefix():
    assert phone_form("+33 6 12 34 56 78") == "33612345678"


@pytest.mark.django_db
def test_exact_search_finds_a_phone_and_a_document_however_they_are_typed(world, person):
    client, analyst = person(), world.actor(world.analyst)

    with world.scope():
        for typed in (PHONE, "651234567", "00 237 651 23 45 67"):
            assert list(clients_with_phone(analyst, typed)) == [client]
        assert list(clients_with_document(analyst, "ab 7766554433")) == [client]
        assert not clients_with_phone(analyst, "651234568").exists()
        assert not clients_with_phone(analyst, "").exists()


@pytest.mark.django_db
def test_the_same_phone_is_not_found_at_the_other_institution(world, person):
    client, outsider = person(), world.actor(world.outsider)

    with world.scope("ngwa"):
        assert not clients_with_phone(outsider, PHONE).exists()
        other = Client.objects.exclude(phone_index="").first()
        other.phone = PHONE
        other.agency = Agency.objects.get(pk=other.agency_id)
        save_client(client=other, by=outsider)
    assert other.phone_index != client.phone_index


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not postgres.is_embedded(), reason="needs the embedded server's backup password")
def test_a_dump_shows_no_phone_and_no_document(world, person):
    person()
    dump = pg_dump()

    assert b"Mbarga" in dump
    for marker in ("651234567", "651 23 45 67", "6 51 23 45 67", "77665544", "7766 5544", "AB-7766"):
        assert marker.encode() not in dump


def pg_dump(database=None) -> bytes:
    server = postgres.state.plan(site.DATA_DIR)
    command = [
        binaries.find().program("pg_dump"),
        "--host", str(server.socket_dir), "--port", str(server.port), "--username", roles.BACKUP,
        "--format", "plain", database or site.DATABASES["default"]["NAME"],
    ]  # fmt: skip
    environment = {**os.environ, "PGPASSWORD": server.passwords[roles.BACKUP]}
    return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


@pytest.mark.django_db
def test_a_new_index_key_is_followed_by_a_new_index(world, person, settings):
    client, analyst = person(), world.actor(world.analyst)
    settings.BLIND_INDEX_KEY = "another-" + "i" * 50
    with world.scope():
        assert not clients_with_phone(analyst, PHONE).exists()

    call_command("reindex_clients", stdout=io.StringIO())

    out = io.StringIO()
    call_command("reindex_clients", stdout=out)
    assert out.getvalue() == "0 client(s) changed.\n"
    with world.scope():
        assert list(clients_with_phone(analyst, PHONE)) == [client]
