"""« Dictionnaire des variables »: read by all, written by two roles; forms and sheets follow it."""

import datetime as dt

import pytest

from apps.credits.models import Client, CreditApplication, DictionaryVariable
from apps.credits.queries.dictionary import get_entry
from tests.dictionary import SHARES, STALL, declared, draft, stall
from tests.importing import counts, imported, upload_of
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
URL = "/dictionnaire"
REASON = "Décidé en comité le 20 novembre"
TYPED = {
    "name": SHARES,
    "label_fr": "Parts de tontine",
    "label_en": "Savings club shares",
    "type": "integer",
    "unit": "count",
    "minimum": "0",
    "maximum": "1 000",
    "direction": "down",
    "source": "typed",
    "purpose": "Montre la régularité de l'épargne du client",
    "innocent": "on",
}
LOAN = {
    "montant_credit": "450 000",
    "duree_mois": "12",
    "taux_interet": "20",
    "type_credit": "fonds_de_roulement",
}


def text(answer):
    return answer.content.decode()


def lines_of(answer):
    return {line.name: line for _title, lines in answer.context["groups"] for line in lines}


def labels_of(line):
    return [mark.label for mark in line.marks]


@pytest.mark.parametrize(
    "email", ["analyste", "agent", "risques", "comite", "admin", "auditeur", "commercial", "dpo"]
)
def test_everybody_of_the_institution_reads_it(world, page, email):
    answer = page(f"{email}@horizon.demo").get(URL)

    assert answer.status_code == 200
    assert ("/dictionnaire/nouvelle" in text(answer)) is (email in {"risques", "admin"})
    assert page(f"{email}@horizon.demo").get(f"{URL}/age").status_code == 200


def test_the_list_says_what_production_reads_and_what_nothing_does(world, page):
    declared(world, draft(), stall())

    client = page(world.agent)
    client.get(URL)

    with own_statements() as seen:
        lines = lines_of(client.get(URL))

    assert labels_of(lines["duree_mois"]) == ["Lue en production"]
    assert labels_of(lines["sexe"]) == ["Contrôle d'équité seulement"]
    assert "Lue par aucun modèle en production" in labels_of(lines["secteur"])
    assert "Lue par aucun modèle en production" in labels_of(lines[SHARES])
    assert "Posée par l'agent" in labels_of(lines[STALL])
    assert "Posée par l'agent" in labels_of(lines["nb_visites_agent"])
    assert all(line.purpose for line in lines.values())
    assert len(seen) <= 6


def test_a_variable_is_declared_by_the_form(world, page):
    client = page(world.risk_manager)

    answer = client.post(f"{URL}/nouvelle", TYPED)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{URL}/{SHARES}"
    with world.scope():
        assert get_entry(SHARES).variable.maximum == 1000
    shown = text(client.get(f"{URL}/{SHARES}"))
    assert "Parts de tontine" in shown
    assert "Déclarée" in shown


def test_a_list_is_typed_one_code_a_line(world, page):
    codes = "fixe ; Étal fixe ; Fixed stall\nambulant\n"
    typed = {**TYPED, "type": "category", "unit": "", "minimum": "", "maximum": "", "direction": ""}

    answer = page(world.administrator).post(f"{URL}/nouvelle", {**typed, "codes": codes})

    assert answer.status_code == 302
    with world.scope():
        [fixed, walking] = get_entry(SHARES).variable.categories
        assert (fixed.code, fixed.label_en, walking.label_fr) == ("fixe", "Fixed stall", "ambulant")


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": "religion"}, "name", "religion"),
        ({"label_fr": "Ethnie"}, "label_fr", "origine ethnique"),
        ({"innocent": ""}, "innocent", "Confirmez"),
        ({"purpose": ""}, "purpose", ""),
        ({"maximum": ""}, "maximum", ""),
        ({"maximum": "x"}, "maximum", ""),
    ],
)
def test_a_refusal_stands_beside_its_field(world, page, change, field, words):
    answer = page(world.risk_manager).post(f"{URL}/nouvelle", {**TYPED, **change})

    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert words in " ".join(answer.context["form"].errors[field])
    with world.scope():
        assert not DictionaryVariable.objects.own().exists()


@pytest.mark.parametrize("email", ["analyste", "agent", "comite", "auditeur", "commercial", "dpo"])
def test_others_neither_declare_nor_change_nor_retire(world, page, email):
    declared(world)
    client = page(f"{email}@horizon.demo")

    for path in ("nouvelle", f"{SHARES}/modifier", f"{SHARES}/retirer"):
        assert client.post(f"{URL}/{path}", {"reason": REASON}).status_code == 403


def test_labels_range_and_switches_are_changed_by_the_form(world, page):
    declared(world)
    client = page(world.risk_manager)
    form = client.get(f"{URL}/{SHARES}/modifier").context["form"]
    typed = {bound.name: bound.value() for bound in form if bound.value() not in (None, False)}

    answer = client.post(f"{URL}/{SHARES}/modifier", {**typed, "label_fr": "Parts", "maximum": "60"})

    assert answer.status_code == 302
    with world.scope():
        assert get_entry(SHARES).variable.maximum == 60
    del typed["asked"]
    without = client.post(f"{URL}/{SHARES}/modifier", {**typed, "label_fr": "Parts"})
    assert "reason" in without.context["form"].errors
    done = client.post(f"{URL}/{SHARES}/modifier", {**typed, "label_fr": "Parts", "reason": REASON})
    assert done.status_code == 302
    shown = text(client.get(f"{URL}/{SHARES}"))
    assert REASON in shown
    with world.scope():
        assert not get_entry(SHARES).asked


def test_sex_is_given_to_models_with_a_written_reason_only(world, page):
    client = page(world.risk_manager)

    refused = client.post(f"{URL}/sexe/modifier", {"in_models": "on", "reason": ""})
    answer = client.post(f"{URL}/sexe/modifier", {"in_models": "on", "reason": REASON})

    assert "reason" in refused.context["form"].errors
    assert answer.status_code == 302
    assert REASON in text(client.get(f"{URL}/sexe"))
    with world.scope():
        assert get_entry("sexe").model_use_reason == REASON


def test_a_variable_is_retired_with_a_reason(world, page):
    declared(world)
    client = page(world.risk_manager)

    assert client.post(f"{URL}/{SHARES}/retirer", {"reason": ""}).status_code == 422
    assert client.post(f"{URL}/{SHARES}/retirer", {"reason": REASON}).status_code == 302

    assert client.get(f"{URL}/{SHARES}").status_code == 200
    assert client.get(f"{URL}/{SHARES}/modifier").status_code == 404
    assert client.get(f"{URL}/age/retirer").status_code == 404


def test_own_variables_of_another_institution_are_unknown(world, page):
    declared(world)
    client = page("risques@ngwa.demo")

    for path in ("", "/modifier", "/retirer"):
        assert client.get(f"{URL}/{SHARES}{path}").status_code == 404
    assert SHARES not in text(client.get(URL))


# --- forms, sheets and files follow -------------------------------------------------------------------


def test_the_form_asks_for_own_variables_and_stores_them(world, page):
    declared(world, draft(), stall())
    with world.scope():
        client = Client.objects.filter(birth_date__range=("1970-01-01", "2000-01-01")).first()
    browser = page(world.analyst)
    shown = browser.get("/demandes/nouvelle")
    form = shown.context["form"]
    typed = {"uid": form["uid"].value(), "client_reference": client.reference, **LOAN}

    wrong = browser.post("/demandes/nouvelle", {**typed, SHARES: "51"})
    answer = browser.post("/demandes/nouvelle", {**typed, SHARES: "4", STALL: "fixe"})

    assert "Variables de l'établissement" in text(shown).replace("&#x27;", "'")
    assert "Type d'étal (posée par l'agent)" in text(shown).replace("&#x27;", "'")
    assert SHARES in wrong.context["form"].errors
    assert answer.context["score"] is not None
    with world.scope():
        stored = CreditApplication.objects.get(uid=typed["uid"])
        assert stored.extra == {SHARES: 4, STALL: "fixe"}
    sheet = text(browser.get(f"/demandes/{stored.uid}")).replace("&#x27;", "'")
    assert "Parts de tontine" in sheet
    assert "Type d'étal (posée par l'agent)" in sheet
    edit = browser.get(f"/demandes/{stored.uid}/modifier")
    assert edit.context["form"][SHARES].value() == "4"


def test_without_own_variables_the_form_has_no_section_of_theirs(world, page):
    assert "Variables de l&#x27;établissement" not in text(page(world.analyst).get("/demandes/nouvelle"))


def test_one_field_is_checked_by_itself(world, page):
    declared(world)

    answer = page(world.analyst).post("/demandes/verifier", {"champ": SHARES, "valeur": "51"})

    assert "50" in text(answer)


def test_what_is_switched_off_is_asked_no_more(world, page):
    page(world.risk_manager).post(f"{URL}/secteur/modifier", {"reason": REASON})

    form = page(world.analyst).get("/demandes/nouvelle").context["form"]

    assert "secteur" not in form.fields
    assert "nb_garanties" in form.fields


def test_a_file_of_applications_brings_own_variables(world, page, settings, tmp_path):
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    declared(world, draft(), stall())
    by = world.actor(world.analyst)
    with world.scope():
        agency = Client.objects.select_related("agency").first().agency
        client = Client.objects.create(
            agency=agency,
            reference="X-1",
            last_name="Essai",
            search_name="essai",
            birth_date=dt.date(1980, 3, 14),
        )
    row = {
        "N° dossier": "X-D-1",
        "Code client": client.reference,
        "Date de la demande": "10/01/2025",
        "Montant du crédit": "1 200 000",
        "Durée (mois)": "12",
        "Taux annuel (%)": "24",
        "Type de crédit": "Fonds de roulement",
        "Parts de tontine": "4",
        STALL: "Étal fixe",
    }

    run = imported(world, by, upload_of([row, {**row, "N° dossier": "X-D-2", "Parts de tontine": "51"}]),
                   "applications")  # fmt: skip

    assert counts(run) == (1, 0, 0, 0, 1)
    with world.scope():
        stored = CreditApplication.objects.get(reference="X-D-1")
        assert stored.extra == {SHARES: 4, STALL: "fixe"}
    again = imported(world, by, upload_of([{**row, "Parts de tontine": "5"}]), "applications")
    assert counts(again) == (0, 1, 0, 0, 0)
    page(world.risk_manager).post(f"{URL}/{SHARES}/retirer", {"reason": REASON})
    del row["Parts de tontine"]
    last = imported(world, by, upload_of([{**row, "Revenu mensuel": "90 000"}]), "applications")
    assert counts(last) == (0, 1, 0, 0, 0)
    with world.scope():
        stored = CreditApplication.objects.get(reference="X-D-1")
        assert stored.extra == {SHARES: 5, STALL: "fixe"}
