"""POST /api/v1/predict: the contract, literally."""

import json
import math

import pytest

from apps.credits.models import CreditApplication
from apps.scoring.models import Prediction
from tests.predict import BODY

pytestmark = pytest.mark.django_db

URL = "/api/v1/predict"


def post(client, body, **headers):
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(
        URL, raw, content_type=headers.pop("content_type", "application/json"), headers=headers
    )


def stored(world, code="horizon"):
    with world.scope(code):
        return Prediction.objects.count()


def test_a_complete_body_gives_a_score(api, world):
    answer = post(api(world.analyst), BODY)

    body = answer.json()
    assert answer.status_code == 201
    assert set(body) >= {
        "id", "prediction", "probabilite_defaut", "seuil_utilise", "niveau_risque", "score", "classe",
        "recommandation", "perte_attendue", "montant_max_conseille", "regles", "facteurs", "avertissements",
        "modele", "politique", "date", "duree_ms",
    }  # fmt: skip
    assert 0 < body["probabilite_defaut"] < 1
    assert body["prediction"] == int(body["probabilite_defaut"] >= body["seuil_utilise"])
    assert body["modele"] == {"nom": "defaut-imf", "version": "1", "statut": "champion"}
    assert 1 <= len(body["facteurs"]) <= 6


def test_figures_agree_with_each_other(api, world):
    body = post(api(world.analyst), BODY).json()
    p, t = body["probabilite_defaut"], body["seuil_utilise"]

    points = round(600 + 50 / math.log(2) * (math.log((1 - p) / p) - math.log(10)))
    band = "faible" if p < t / 2 else "modere" if p < t else "eleve"
    grade = next((g for g, limit in zip("ABCD", (0.02, 0.05, 0.10, 0.20), strict=True) if p < limit), "E")
    assert (body["score"], body["niveau_risque"], body["classe"]) == (min(850, max(300, points)), band, grade)
    assert body["perte_attendue"] == round(p * 0.5 * 0.65 * BODY["montant_credit"])


def test_all_contributions_and_the_base_add_up_to_the_logit(api, world):
    client = api(world.analyst)
    uid = post(client, BODY).json()["id"]

    body = client.get(f"/api/v1/predictions/{uid}?facteurs=tous").json()

    p = body["probabilite_defaut"]
    total = body["base"] + sum(factor["contribution"] for factor in body["facteurs"])
    assert total == pytest.approx(math.log(p / (1 - p)), abs=1e-9)
    assert {factor["variable"] for factor in body["facteurs"]} == {
        entry["name"] for entry in client.get("/api/v1/features-names").json()["variables"] if entry["used"]
    }


def test_replay_gives_the_same_figures(api, world):
    client = api(world.analyst)
    first = post(client, BODY).json()

    replay = client.post(f"/api/v1/predictions/{first['id']}/replay")

    body = replay.json()
    assert replay.status_code == 200
    assert body["identique"] is True
    assert body["recalcule"]["probabilite_defaut"] == first["probabilite_defaut"]
    assert body["enregistre"] == body["recalcule"]


def test_a_direct_score_is_stored_each_time(api, world):
    client, before = api(world.analyst), stored(world)

    first, second = post(client, BODY), post(client, BODY)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    assert stored(world) == before + 2


def test_an_application_scored_twice_is_one_row(api, world):
    with world.scope():
        application = CreditApplication.objects.undecided().first()
        CreditApplication.objects.filter(pk=application.pk).update(montant_credit=123_000)

    client = api(world.analyst)
    first = post(client, {"application_id": str(application.uid)})
    second = post(client, {"application_id": str(application.uid)})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


def test_a_client_reference_brings_what_the_file_knows(api, world):
    with world.scope():
        application = CreditApplication.objects.select_related("client").first()
        reference = application.client.reference
    loan = {key: BODY[key] for key in ("montant_credit", "duree_mois", "taux_interet", "type_credit")}

    answer = post(api(world.analyst), {"client_reference": reference, **loan})

    detail = api(world.analyst).get(f"/api/v1/predictions/{answer.json()['id']}").json()
    assert answer.status_code == 201
    assert detail["entrees"]["sexe"] == application.client.sex
    assert "consentement" in {rule["code"] for rule in detail["regles"] if rule["resultat"] == "respectee"}


def test_missing_optional_values_stay_missing(api, world):
    required = {
        key: BODY[key] for key in ("age", "montant_credit", "duree_mois", "taux_interet", "type_credit")
    }

    answer = post(api(world.analyst), {**required, "revenu_mensuel": None})

    detail = api(world.analyst).get(f"/api/v1/predictions/{answer.json()['id']}").json()
    assert answer.status_code == 201
    assert set(detail["entrees"]) == set(required)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"age": 17}, "age", "L'âge doit être compris entre 18 et 80 ans."),
        ({"age": "trente"}, "age", None),
        ({"duree_mois": 0}, "duree_mois", None),
        ({"montant_credit": 12.5}, "montant_credit", None),
        ({"type_credit": "yacht"}, "type_credit", None),
        ({"taux_interet": 121}, "taux_interet", None),
        ({"revenu_mensuel": True}, "revenu_mensuel", None),
        ({"couleur": "bleu"}, "couleur", None),
        ({"religion": "x"}, "religion", None),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_stored(api, world, change, field, message):
    before = stored(world)

    answer = post(api(world.analyst), {**BODY, **change}, **{"Accept-Language": "fr"})

    body = answer.json()
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert (body["status"], body["code"], list(body["fields"])) == (422, "invalid_values", [field])
    assert body["fields"][field] == [message] if message else body["fields"][field][0]
    assert stored(world) == before


def test_problems_speak_the_callers_language(api, world):
    client = api(world.analyst)

    french = post(client, {**BODY, "age": 17}, **{"Accept-Language": "fr"}).json()
    english = post(client, {**BODY, "age": 17}, **{"Accept-Language": "en"}).json()

    assert french["fields"]["age"] != english["fields"]["age"]
    assert french["title"] != english["title"]


def test_codes_are_matched_without_case_or_accents(api, world):
    answer = post(api(world.analyst), {**BODY, "type_contrat_travail": "independant", "sexe": "femme"})

    detail = api(world.analyst).get(f"/api/v1/predictions/{answer.json()['id']}").json()
    assert (detail["entrees"]["type_contrat_travail"], detail["entrees"]["sexe"]) == ("Indépendant", "F")


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ('"texte"', "application/json", 422),
        ("[1]", "application/json", 422),
        ("age=30", "application/x-www-form-urlencoded", 415),
        ('{"age": NaN}', "application/json", 400),
    ],
)
def test_an_unreadable_body_is_a_problem(api, world, raw, content_type, status):
    answer = post(api(world.analyst), raw, content_type=content_type)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "large"}])
def test_a_body_beyond_the_limit_is_not_read(api, world, settings, headers):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    raw = json.dumps(BODY)
    assert len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    answer = api(world.analyst).post(URL, raw, content_type="application/json", headers=headers)

    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")
    assert answer.json()["code"] == "too_large"


def test_who_takes_no_json_is_told_so(api, world):
    answer = api(world.analyst).get("/api/v1/agencies", headers={"Accept": "text/html"})

    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")
    assert answer.json()["code"] == "not_acceptable"


def test_without_a_token_401(api):
    answer = post(api(None), BODY)

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_role_that_may_not_score_403(api, world):
    assert post(api(world.auditor), BODY).status_code == 403


def test_an_unknown_application_404(api, world):
    body = {"application_id": "00000000-0000-4000-8000-000000000000"}

    assert post(api(world.analyst), body).status_code == 404


def test_an_application_of_another_institution_is_unknown(api, world):
    with world.scope("horizon"):
        uid = str(CreditApplication.objects.first().uid)

    theirs = post(api(world.outsider), {"application_id": uid})
    nobody = post(api(world.outsider), {"application_id": "00000000-0000-4000-8000-000000000000"})

    assert theirs.status_code == nobody.status_code == 404
    assert {**theirs.json(), "request_id": ""} == {**nobody.json(), "request_id": ""}


def test_refusals_come_in_order(api, world):
    unknown = "/api/v1/predictions/00000000-0000-4000-8000-000000000000"

    assert api(None).delete(unknown).status_code == 401
    assert api("commercial@horizon.demo").delete(unknown).status_code == 403
    assert api(world.analyst).delete(unknown).status_code == 404
    uid = post(api(world.analyst), BODY).json()["id"]
    assert api(world.analyst).delete(f"/api/v1/predictions/{uid}").status_code == 405
