"""The pages « Importer des données »: send, settle, check, confirm, follow, correct, undo; no JavaScript."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.credits.importing.jobs import check_rows, import_rows, undo_rows
from apps.credits.models import Client, Credit, ExternalCredit, ImportRun
from apps.jobs.services import claim_job, finish_job
from tests.statements import own_statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]

LIST = "/imports"


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Return the names of the tasks that were sent to workers."""
    found = []
    for name in ("check_import", "write_import", "undo_import"):
        monkeypatch.setattr(
            f"apps.web.imports.views.tasks.{name}.apply_async",
            lambda _args, name=name, **_more: found.append(name),
        )
    return found


@pytest.fixture
def agency(world):
    with world.scope():
        return Client.objects.select_related("agency").order_by("pk")[0].agency.code


def text_of(agency, *more):
    lines = ["Référence;Agence;Nom;Date de naissance;Téléphone"]
    lines += [f"P-{place};{agency};Nom{place};0{place}/01/1980;67700000{place}" for place in (1, 2)]
    return "\n".join([*lines, *more])


def sent(client, text, *, target="clients", name="clients.csv"):
    upload = SimpleUploadedFile(name, text.encode())
    answer = client.post(LIST, {"file": upload, "target": target})
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def chosen(html):
    """Return what the mapping form would send as it is shown."""
    values = {}
    for name, options in re.findall(r'<select name="(column-\d+)"(.*?)</select>', html, re.DOTALL):
        found = re.search(r'<option value="([^"]*)"\s+selected', options)
        values[name] = found[1] if found else ""
    return values


def work_done(world, url, work):
    uid = url.split("/")[2]
    with world.scope():
        claim = claim_job(uid=ImportRun.objects.select_related("job").get(uid=uid).job.uid)
    result = work(claim)
    with world.scope():
        finish_job(claim=claim, result=result)


def test_a_file_is_sent_settled_checked_imported_and_undone(
    world, page, agency, asked, django_capture_on_commit_callbacks
):
    client = page(world.analyst)
    columns = sent(client, text_of(agency, f"P-3;{agency};Nom3;03/01/1980;12"))
    shown = client.get(columns).content.decode()
    assert "Nom1" in shown
    assert "3 lignes" in shown

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(columns, chosen(shown))
    url = answer.url
    assert (answer.status_code, asked) == (302, ["check_import"])
    waiting = client.get(url).content.decode()
    assert 'hx-get="' in waiting
    assert "Arrêter" in waiting
    work_done(world, url, check_rows)

    checked = client.get(url).content.decode()
    assert 'hx-get="/imports/' not in checked
    assert re.findall(r"<dd>\s*(\d+)\s*</dd>", checked) == ["2", "0", "0", "0", "1"]
    assert "pas un numéro de téléphone" in checked
    assert "Défaire" not in checked
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"{url}/confirmer", {"mode": "valid"}).url == url
    work_done(world, url, import_rows)
    with world.scope():
        assert Client.objects.filter(reference__startswith="P-").count() == 2
    rejects = client.get(f"{url}/rejets")
    assert "attachment" in rejects["Content-Disposition"]
    assert "P-3" in b"".join(rejects.streaming_content).decode()
    assert "12" in b"".join(client.get(f"{url}/problemes").streaming_content).decode()

    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{url}/defaire")
    work_done(world, url, undo_rows)
    assert asked == ["check_import", "write_import", "undo_import"]
    assert "Défait" in client.get(url).content.decode()
    with world.scope():
        assert not Client.objects.filter(reference__startswith="P-").exists()


def test_what_is_built_on_an_import_is_told_when_undoing_is_refused(world, page, agency):
    client = page(world.analyst)
    columns = sent(client, text_of(agency))
    url = client.post(columns, chosen(client.get(columns).content.decode())).url
    work_done(world, url, check_rows)
    client.post(f"{url}/confirmer", {"mode": "all"})
    work_done(world, url, import_rows)
    with world.scope():
        ExternalCredit.objects.create(
            client=Client.objects.get(reference="P-1"),
            lender="X", outstanding_xaf=1, monthly_payment_xaf=1, source="declare",
        )  # fmt: skip
    told = client.post(f"{url}/defaire", follow=True).content.decode()
    assert "ne peut pas être défait" in told
    assert "crédits externes qui s" in told


def test_all_or_nothing_is_refused_with_a_message_when_lines_are_rejected(world, page, agency):
    client = page(world.analyst)
    columns = sent(client, text_of(agency, f"P-3;{agency};;03/01/1980;"))
    url = client.post(columns, chosen(client.get(columns).content.decode())).url
    work_done(world, url, check_rows)
    told = client.post(f"{url}/confirmer", {"mode": "all"}, follow=True).content.decode()
    assert "Des lignes sont rejetées" in told
    assert client.post(f"{url}/confirmer", {}).status_code == 422


def test_a_check_is_stopped_and_the_columns_are_settled_again(world, page, agency):
    client = page(world.analyst)
    columns = sent(client, text_of(agency))
    values = chosen(client.get(columns).content.decode())
    url = client.post(columns, values).url
    stopped = client.post(f"{url}/arreter", follow=True).content.decode()
    assert "Arrêté" in stopped
    assert client.post(columns, values).url == url


def test_a_column_that_is_missing_or_twice_is_said_beside_the_form(world, page, agency):
    client = page(world.analyst)
    columns = sent(client, text_of(agency))
    values = chosen(client.get(columns).content.decode())
    missing = client.post(columns, {**values, "column-0": ""})
    assert missing.status_code == 422
    assert "Aucune colonne du fichier" in missing.content.decode()
    twice = client.post(columns, {**values, "column-1": "reference"})
    assert "Une autre colonne" in twice.content.decode()


def test_the_day_of_a_balance_is_asked_when_no_column_holds_it(world, page):
    client = page(world.analyst)
    with world.scope():
        reference = Credit.objects.order_by("pk")[0].reference
    columns = sent(client, f"Crédit;Encours;Jours de retard\n{reference};1000;0\n", target="statements")
    shown = client.get(columns).content.decode()
    assert 'type="date" name="common-date"' in shown
    assert "Une seule valeur pour toutes les lignes" in shown
    values = {**chosen(shown), "column-0": "credit_reference"}

    missing = client.post(columns, values)
    assert missing.status_code == 422
    assert "donnez une valeur pour toutes les lignes" in missing.content.decode()
    impossible = client.post(columns, {**values, "common-date": "2090-01-01"})
    assert impossible.status_code == 422
    (field,) = re.findall(r'<input[^>]*name="common-date"[^>]*>', impossible.content.decode())
    assert 'aria-invalid="true"' in field

    url = client.post(columns, {**values, "common-date": "2026-10-31"}).url
    work_done(world, url, check_rows)
    told = client.get(url).content.decode()
    assert "31/10/2026" in told
    assert 'name="common-date" value="2026-10-31"' in client.get(columns).content.decode()
    assert "arrêté" in told


def test_a_hostile_value_for_all_the_lines_is_shown_as_a_text(world, page):
    client = page(world.analyst)
    with world.scope():
        reference = Client.objects.order_by("pk")[0].reference
    columns = sent(client, f"Client;Encours;Mensualité\n{reference};1000;100\n", target="external_credits")
    values = chosen(client.get(columns).content.decode())
    url = client.post(columns, {**values, "common-lender": "<script>alert(1)</script>"}).url
    work_done(world, url, check_rows)
    told = client.get(url).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in told
    assert "<script>alert(1)" not in told


def test_a_value_that_a_column_holds_is_no_longer_asked(world, page):
    """The column is settled after all: what was typed beside the file is left out."""
    client = page(world.analyst)
    text = "Crédit;Encours;Jours de retard;Arrêté le 31\nC-1;1000;0;31/10/2026\n"
    columns = sent(client, text, target="statements")
    values = {**chosen(client.get(columns).content.decode()), "column-0": "credit_reference"}
    url = client.post(columns, {**values, "column-3": "date", "common-date": "2026-09-30"}).url
    with world.scope():
        run = ImportRun.objects.get(uid=url.split("/")[2])
    assert run.common == {}
    assert {each["field"] for each in run.mapping} >= {"date", "credit_reference"}


def test_a_unit_that_was_converted_last_time_is_asked_again(world, page, agency):
    client = page(world.analyst)
    head, *lines = text_of(agency).splitlines()
    text = "\n".join([f"{head};Revenu annuel", *(f"{line};3 600 000" for line in lines)])
    columns = sent(client, text)
    client.post(columns, chosen(client.get(columns).content.decode()))
    columns = sent(client, text)
    shown = client.get(columns).content.decode()
    assert "comme pour votre dernier fichier" in shown
    url = client.post(columns, {**chosen(shown), "unit-5": "no"}).url
    with world.scope():
        mapping = ImportRun.objects.get(uid=url.split("/")[2]).mapping
    assert mapping[-1] == {"header": "Revenu annuel", "field": "monthly_income_xaf", "conversion": ""}


@pytest.mark.parametrize("text", ["", "Référence;Nom\n", "%PDF-1.7"])
def test_what_is_no_table_is_refused_beside_the_field(world, page, text):
    client = page(world.analyst)
    upload = SimpleUploadedFile("clients.csv", text.encode())
    answer = client.post(LIST, {"file": upload, "target": "clients"})
    assert answer.status_code == 422
    assert "error-summary" in answer.content.decode()


def test_who_may_not_import_sees_neither_page_nor_menu(world, page):
    client = page(world.agent)
    assert client.get(LIST).status_code == 403
    assert 'href="/imports"' not in client.get("/").content.decode()


def test_pages_ask_little_of_the_database(world, page, agency):
    client = page(world.analyst)
    columns = sent(client, text_of(agency))
    url = client.post(columns, chosen(client.get(columns).content.decode())).url
    for path in (LIST, url, columns):
        client.get(path)
        with own_statements() as statements:
            client.get(path)
        assert len(statements) <= 6, statements
