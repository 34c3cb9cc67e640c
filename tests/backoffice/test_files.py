"""Clients and agencies come and go in files: through the services, all or nothing, each for its sender."""

import datetime as dt
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.audit.models import AuditEntry
from apps.credits.models import Client
from apps.institutions.importing import MAX_ROWS
from apps.institutions.models import Agency
from apps.users.models import Membership, MembershipAgency

pytestmark = pytest.mark.django_db

CLIENTS = "/admin/credits/client/"
AGENCIES = "/admin/institutions/agency/"
HEADER = "Référence;Agence;Nom;Prénoms;Sexe;Date de naissance;Téléphone;Revenu mensuel (FCFA)"
ROW = "IMP-1;{agency};Essai;Paul;Homme;01/02/1990;+237 677 12 34 56;150 000"


def send(page, path, text, *, name="f.csv"):
    content = text if isinstance(text, bytes) else text.encode()
    upload = SimpleUploadedFile(name, content, content_type="text/csv")
    return page.post(f"{path}import/", {"import_file": upload, "format": "0", "resource": "0"})


def confirmation(answer):
    """Return the hidden fields of the confirmation's form."""
    body = answer.content.decode()
    assert "process_import" in body, re.sub(r"\s+", " ", body)[-3000:]
    names = ("import_file_name", "original_file_name", "format", "resource")
    return {name: re.search(rf'name="{name}" value="([^"]*)"', body)[1] for name in names}


def agency_of(world, code="horizon"):
    with world.scope(code):
        return Agency.objects.order_by("pk").first().code


def test_a_file_of_clients_is_previewed_then_imported_through_the_service(world, page):
    browser = page(world.administrator)

    preview = send(browser, CLIENTS, f"{HEADER}\n{ROW.format(agency=agency_of(world))}\n")

    with world.scope():
        assert not Client.objects.filter(reference="IMP-1").exists()
    done = browser.post(f"{CLIENTS}process_import/", confirmation(preview), follow=True)
    assert "1 ajouts" in done.content.decode()
    with world.scope():
        client = Client.objects.get(reference="IMP-1")
        assert (client.search_name, client.phone, client.monthly_income_xaf) == (
            "essai paul",
            "+237677123456",
            150_000,
        )
        assert client.phone_index
        assert AuditEntry.objects.filter(action="client.create", object_uid=client.uid).exists()
        told = AuditEntry.objects.get(action="client.import")
        assert told.after == {"new": 1, "changed": 0, "unchanged": 0}


def test_a_refused_row_is_told_by_its_number_and_field_and_nothing_is_stored(world, page):
    text = f"{HEADER}\n{ROW.format(agency=agency_of(world))}\nIMP-2;nulle;Essai;Paul;X;31/31/1990;;mille\n"

    answer = send(page(world.administrator), CLIENTS, text)

    body = answer.content.decode()
    assert "process_import" not in body
    for words in ("Agence inconnue : « nulle »", "Sexe", "jj/mm/aaaa", "nombre entier de francs"):
        assert words in body
    with world.scope():
        assert not Client.objects.filter(reference__startswith="IMP").exists()
        assert not AuditEntry.objects.filter(action="client.import").exists()


@pytest.mark.parametrize(
    ("right", "wrong", "field"),
    [
        ("+237 677 12 34 56", "12 34", "Téléphone"),
        ("Paul", '"Pa\tul"', "Prénoms"),
        ("IMP-1", "IMP\x00-1", "Référence"),
    ],
)
def test_a_row_that_the_service_refuses_is_told_by_its_field(world, page, right, wrong, field):
    row = ROW.format(agency=agency_of(world)).replace(right, wrong)

    answer = send(page(world.administrator), CLIENTS, f"{HEADER}\n{row}\n")

    body = answer.content.decode()
    assert "process_import" not in body
    assert field in body
    with world.scope():
        assert not Client.objects.filter(reference="IMP-1").exists()


@pytest.mark.parametrize("who", ["admin@ngwa.demo", "second"])
def test_nobody_confirms_the_file_of_another(world, page, who):
    preview = send(page(world.administrator), CLIENTS, f"{HEADER}\n{ROW.format(agency=agency_of(world))}\n")
    other = page(world.administrator if who == "second" else who)

    other.post(f"{CLIENTS}process_import/", confirmation(preview))

    for code in ("horizon", "ngwa"):
        with world.scope(code):
            assert not Client.objects.filter(reference="IMP-1").exists()


@pytest.mark.parametrize(
    "forged",
    [
        {"import_file_name": "../../keys.json"},
        {"import_file_name": "0" * 32},
        {"format": "9"},
        {"format": "x"},
        {"resource": "7"},
    ],
)
def test_a_forged_confirmation_is_refused_without_an_error(world, page, forged):
    browser = page(world.administrator)
    preview = send(browser, CLIENTS, f"{HEADER}\n{ROW.format(agency=agency_of(world))}\n")

    answer = browser.post(f"{CLIENTS}process_import/", confirmation(preview) | forged)

    assert answer.status_code == 302
    if "resource" not in forged:  # there is one kind of row: the number is not read
        assert answer["Location"].endswith("/import/")


def test_an_agency_of_another_institution_is_unknown(world, page):
    foreign = agency_of(world)
    with world.scope("ngwa"):
        assert not Agency.objects.filter(code=foreign).exists()

    answer = send(page(world.outsider_admin), CLIENTS, f"{HEADER}\n{ROW.format(agency=foreign)}\n")

    assert f"Unknown agency: “{foreign}”." in answer.content.decode()  # ngwa works in English


def test_windows_letters_commas_and_english_names_are_read(world, page):
    text = f"reference,agency,last_name,birth_date\nIMP-3,{agency_of(world)},Éssaï,1990-02-01\n"

    answer = send(page(world.administrator), CLIENTS, text.encode("cp1252"))

    assert "Éssaï" in answer.content.decode()
    confirmation(answer)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Référence;Inconnu\nX;1\n", "Colonnes inconnues : Inconnu"),
        ("Référence;reference\nX;Y\n", "Colonnes en double"),
        (f"{HEADER}\n" + "X;;;;;;;\n" * (MAX_ROWS + 1), "lignes"),
    ],
)
def test_a_file_of_another_shape_is_refused_at_once(world, page, text, words):
    answer = send(page(world.administrator), CLIENTS, text)

    assert words in answer.content.decode()
    assert "process_import" not in answer.content.decode()


def test_a_file_of_agencies_changes_and_adds_through_the_service(world, page):
    browser, code = page(world.administrator), agency_of(world)
    preview = send(browser, AGENCIES, f"Code;Nom;Ville\n{code};Nouveau nom;Douala\nimp;Importée;Edéa\n")

    browser.post(f"{AGENCIES}process_import/", confirmation(preview))

    with world.scope():
        assert Agency.objects.get(code=code).name == "Nouveau nom"
        assert AuditEntry.objects.filter(action="agency.create").latest("pk").after["code"] == "imp"
        assert AuditEntry.objects.get(action="agency.import").after == {
            "new": 1,
            "changed": 1,
            "unchanged": 0,
        }


def exported(browser, path):
    answer = browser.post(f"{path}export/", {"format": "0", "resource": "0"})
    assert answer["Content-Disposition"].startswith("attachment"), answer.status_code
    return answer.content.decode("utf-8-sig")


def test_an_export_holds_what_is_seen_escaped_and_leaves_an_entry(world, page):
    with world.scope():
        Client.objects.filter(pk=Client.objects.first().pk).update(occupation="=HYPERLINK(1)")
        count = Client.objects.count()

    text = exported(page(world.administrator), CLIENTS)

    assert len(text.strip().splitlines()) == count + 1
    assert ";'=HYPERLINK(1);" in text
    with world.scope():
        assert AuditEntry.objects.get(action="client.export").after == {"count": count}


def test_an_administrator_of_one_agency_exports_and_changes_that_one_only(world, page):
    member = Membership.objects.get(user__email=world.administrator)
    with world.scope():
        own, other = Agency.objects.order_by("pk")[:2]
        MembershipAgency.objects.create(membership=member, agency=own)
        seen = Client.objects.filter(agency=own).count()
        foreign = Client.objects.filter(agency=other).first()
    browser = page(world.administrator)

    assert len(exported(browser, CLIENTS).strip().splitlines()) == seen + 1
    answer = send(browser, CLIENTS, f"Référence;Nom\n{foreign.reference};Pris\n")
    assert "process_import" not in answer.content.decode()


@pytest.mark.parametrize("path", [CLIENTS, AGENCIES])
@pytest.mark.parametrize("verb", ["import", "export", "process_import"])
def test_other_roles_have_no_files(world, page, path, verb):
    for who in (world.operator, world.analyst, world.auditor):
        assert page(who).post(f"{path}{verb}/", {}).status_code in {302, 403}
        with world.scope():
            assert not AuditEntry.objects.filter(action__endswith=f".{verb}").exists()


def test_a_workbook_comes_and_goes_with_its_own_types(world, page):
    openpyxl = pytest.importorskip("openpyxl", reason="XLSX is offered only where openpyxl is installed")
    book = openpyxl.Workbook()
    book.active.append(["Référence", "Agence", "Nom", "Date de naissance", "Téléphone", "Actif"])
    book.active.append(["IMP-9", agency_of(world), "Tableur", dt.date(1990, 2, 1), 677_123_456, "non"])
    content = io.BytesIO()
    book.save(content)
    browser = page(world.administrator)
    upload = SimpleUploadedFile("f.xlsx", content.getvalue())

    preview = browser.post(f"{CLIENTS}import/", {"import_file": upload, "format": "1", "resource": "0"})
    browser.post(f"{CLIENTS}process_import/", confirmation(preview))

    with world.scope():
        client = Client.objects.get(reference="IMP-9")
    assert (client.birth_date, client.phone, client.is_active) == (dt.date(1990, 2, 1), "677123456", False)
    answer = browser.post(f"{CLIENTS}export/?q=IMP-9", {"format": "1", "resource": "0"})
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.content)).active.values)
    assert [row[0] for row in rows] == ["Référence", "IMP-9"]
