"""Attacks on what came after the first doors: the trail, exports, backups, resets, invitations."""

import io
import re
import tarfile
import zipfile

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from apps.audit.models import AuditEntry
from apps.credits.importing.runs import first_problems
from apps.credits.models import Client as Borrower
from apps.credits.models import ImportRun
from apps.institutions.models import Agency, Institution
from apps.registry.models import ModelVersion
from apps.reports.models import Report
from apps.reports.services.portfolio import count_files
from apps.scoring.enums import Breakdown
from apps.scoring.models import Prediction
from apps.scoring.services.totals import rebuild_totals
from apps.users.models import Membership
from tests.credits.test_import_portfolio import demand
from tests.importing import counts, imported, upload_of
from tests.isolation.doors import body_of
from tests.isolation.loot import foreign_keys, loot

pytestmark = pytest.mark.django_db(databases=["default", "platform"])

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


def files_of_ngwa(world):
    """Return the addresses of what ngwa may download: its trail, a model, the rows left out of an import."""
    with world.scope("ngwa"):
        model, run = ModelVersion.objects.first().uid, ImportRun.objects.exclude(rejects=None).first().uid
    return "/audit/export", f"/modeles/{model}/export", f"/imports/{run}/rejets", f"/imports/{run}/problemes"


def test_a_suspended_institution_exports_nothing(page, world):
    client = page("auditeur@ngwa.demo")
    addresses = files_of_ngwa(world)
    Institution.objects.filter(code="ngwa").update(status="suspended")

    for address in addresses:
        answer = client.get(address)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/connexion"), address


def test_exported_models_and_rows_left_out_hold_one_institution(page, world):
    _trail, model, *rows = files_of_ngwa(world)

    with zipfile.ZipFile(io.BytesIO(body_of(page("auditeur@ngwa.demo").get(model)))) as packed:
        texts = [packed.read(name).decode() for name in packed.namelist()]
    for address in rows:
        answer = page("analyste@ngwa.demo").get(address)
        assert answer.status_code == 200
        texts.append(body_of(answer).decode("utf-8", "replace"))

    assert all(texts)
    assert loot().found_in("\n".join(texts)) == []


def test_the_figures_of_a_model_hold_one_institution(page, world):
    with world.scope("ngwa"):
        version = ModelVersion.objects.get()

    text = page("auditeur@ngwa.demo").get(f"/modeles/{version.uid}/suivi.csv").content.decode()

    assert version.name in text
    assert loot().found_in(text) == []


def test_the_files_of_the_portfolio_hold_one_institution(page, world):
    with world.scope("ngwa"):
        rebuild_totals()
        count_files(everything=True)
    manager, director = page("risques@ngwa.demo"), page("commercial@ngwa.demo")
    addresses = [f"/portefeuille.csv?table=ventilation&par={by.value}" for by in Breakdown]
    addresses += ["/portefeuille.csv?table=statistiques", "/portefeuille/coherence.csv"]
    addresses += ["/portefeuille/reperes.csv"]

    texts = [manager.get(address).content.decode() for address in addresses]
    texts.append(director.get("/prospects.csv").content.decode())

    assert all(text.startswith("\ufeff") for text in texts)
    assert loot().found_in("\n".join(texts)) == []


def test_a_report_holds_one_institution(page, api, world, settings, tmp_path):
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    with world.scope("horizon"):
        foreign = Agency.objects.order_by("pk")[0].uid
        others = Report.objects.order_by("pk")[0].uid
    manager, client = page("risques@ngwa.demo"), api("risques@ngwa.demo")
    asked = {"starts_on": "2026-01-01", "ends_on": "2026-11-21", "language": "fr", "format": "csv"}

    for kind in ("activite", "scores", "analystes", "agences", "coherence"):
        path = f"/rapports/nouveau/{kind}"
        told = manager.post(path, asked, follow=True)
        content = b"".join(told.streaming_content) if told.streaming else told.content
        assert told.status_code == 200, kind
        assert loot().found_in(content.decode()) == []
        refused = manager.post(path, {**asked, "agency": str(foreign)})
        assert (refused.status_code, loot().found_in(refused.content.decode())) == (422, [])
    for path in (f"/rapports/{others}", f"/rapports/{others}/fichier"):
        assert manager.get(path).status_code == 404
    assert client.get(f"/api/v1/reports/{others}").status_code == 404


def test_the_scores_of_a_client_hold_one_institution(page, world):
    with world.scope("ngwa"):
        score = Prediction.objects.exclude(client=None).select_related("client").latest("pk")

    text = page("analyste@ngwa.demo").get(f"/clients/{score.client.uid}/scores.csv").content.decode()

    assert f"{score.points};" in text
    assert loot().found_in(text) == []


def test_a_file_that_names_the_other_institution_finds_and_changes_nothing(world, settings, tmp_path):
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    with world.scope():
        ours = set(Borrower.objects.values_list("reference", flat=True))
    with world.scope("ngwa"):
        theirs = Borrower.objects.exclude(reference__in=ours).first()
        before = list(Borrower.objects.order_by("pk").values_list())

    run = imported(world, world.actor(world.analyst), upload_of([demand(1, theirs)]), "applications")

    assert counts(run) == (0, 0, 0, 0, 1)
    with world.scope():
        ((_line, column, _value, _text, _advice),) = first_problems(run)
    assert column == "Code client"
    with world.scope("ngwa"):
        assert list(Borrower.objects.order_by("pk").values_list()) == before


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


FILES = ("/admin/credits/client/", "/admin/institutions/agency/")


def _upload(text):
    return {
        "import_file": SimpleUploadedFile("f.csv", text.encode(), content_type="text/csv"),
        "format": "0",
        "resource": "0",
    }


@pytest.mark.parametrize("path", FILES)
def test_an_export_of_rows_holds_one_institution(page, path):
    keys = foreign_keys()
    every = [*keys.values()]
    for query in ("", "?q=Horizon", f"?agence={keys['institutions.agency']}", "?all=1"):
        data = {"format": "0", "resource": "0", "export_items": every}
        answer = page("admin@ngwa.demo").post(f"{path}export/{query}", data)

        assert answer.status_code in {200, 302}
        assert loot().found_in(answer.content.decode("utf-8-sig"), sent=["Horizon"]) == []


@pytest.mark.parametrize("path", FILES)
def test_an_import_neither_reads_nor_writes_another_institution(page, world, path):
    """References of the other institution name nothing here: neither its rows nor its agencies."""
    with world.scope("horizon"):
        client = Borrower.objects.select_related("agency").first()
        agency, before = client.agency, (Borrower.objects.count(), client.last_name, client.agency.name)
    texts = (
        f"reference,agency,last_name,birth_date\n{client.reference},{agency.code},Pris,1990-01-01\n",
        f"reference,institution,last_name\n{client.reference},{agency.institution_id},Pris\n",
        f"id,reference,last_name\n{client.pk},{client.reference},Pris\n",
        f"code,name,city\n{agency.code},Prise,Prise\n",
        f"id,code,name,city\n{agency.pk},{agency.code},Prise,Prise\n",
    )
    browser = page("admin@ngwa.demo")
    sent = [client.reference, agency.code, str(agency.pk)]
    for text in texts:
        preview = browser.post(f"{path}import/", _upload(text))
        assert loot().found_in(preview.content.decode(), sent=sent) == []
        seal = re.search(r'name="import_file_name" value="([^"]*)"', preview.content.decode())
        if seal:
            confirmed = {
                "import_file_name": seal[1],
                "original_file_name": "f.csv",
                "format": "0",
                "resource": "0",
            }
            done = browser.post(f"{path}process_import/", confirmed, follow=True)
            assert loot().found_in(done.content.decode(), sent=sent) == []

    with world.scope("horizon"):
        client.refresh_from_db()
        after = (Borrower.objects.count(), client.last_name, Agency.objects.get(pk=agency.pk).name)
    assert after == before


@pytest.mark.parametrize("path", FILES)
def test_an_upload_of_another_institution_is_not_confirmed(page, world, path):
    with world.scope("horizon"):
        code = Agency.objects.first().code
    text = {
        "/admin/credits/client/": f"reference,agency,last_name,birth_date\nXX-1,{code},Secret,1990-01-01\n",
        "/admin/institutions/agency/": "code,name,city\nxx,Secrete,Secrete\n",
    }[path]
    preview = page("admin@horizon.demo").post(f"{path}import/", _upload(text))
    seal = re.search(r'name="import_file_name" value="([^"]*)"', preview.content.decode())[1]

    for name in (seal, seal.partition(":")[0], "../keys.json", "0" * 32):
        data = {"import_file_name": name, "original_file_name": "f.csv", "format": "0", "resource": "0"}
        answer = page("admin@ngwa.demo").post(f"{path}process_import/", data, follow=True)
        assert "Secret" not in answer.content.decode()

    with world.scope("ngwa"):
        assert not Borrower.objects.filter(reference="XX-1").exists()
        assert not Agency.objects.filter(code="xx").exists()


@pytest.mark.parametrize("path", FILES)
def test_a_suspended_institution_moves_no_files(page, path):
    browser = page("admin@ngwa.demo")
    Institution.objects.filter(code="ngwa").update(status="suspended")

    for verb in ("import", "export", "process_import"):
        answer = browser.post(f"{path}{verb}/", {"format": "0"})
        assert answer.status_code == 302
        assert answer["Location"].partition("?")[0] == "/admin/login/"  # whose door is /connexion


def test_the_first_page_of_the_back_office_counts_one_institution(page):
    assert loot().found_in(page("admin@ngwa.demo").get("/admin/").content.decode()) == []


def test_metrics_are_closed_and_name_no_institution_and_nobody(page, settings):
    settings.METRICS_TOKEN = "t" * 40
    for browser in (Client(), page("admin@ngwa.demo"), page("operateur@credisense.demo")):
        assert browser.get("/metrics").status_code == 403

    answer = Client(headers={"Authorization": f"Bearer {'t' * 40}"}).get("/metrics")
    text = answer.content.decode()

    assert answer.status_code == 200
    assert "credisense_requests_total" in text
    assert loot().found_in(text) == []
    for institution in Institution.objects.all():
        assert institution.code not in text
        assert institution.name not in text
    assert set(re.findall(r"credisense_\w+\{([^}]*)\}", text)) <= set(
        re.findall(r'credisense_\w+\{((?:(?:door|method|status|le)="[^"]*",?)+)\}', text)
    )
