"""/api/v1/variables and features-names: the dictionary of the institution, read, declared, changed."""

import pytest

from apps.credits.models import Client, DictionaryVariable
from apps.engine.dictionary import STANDARD
from tests.api.sending import send
from tests.dictionary import SHARES, STALL, declared, draft, stall

pytestmark = pytest.mark.django_db
URL = "/api/v1/variables"
REASON = "Décidé en comité le 20 novembre"
NEW = {
    "name": SHARES,
    "label_fr": "Parts de tontine",
    "label_en": "Savings club shares",
    "type": "integer",
    "unit": "count",
    "minimum": 0,
    "maximum": 50,
    "direction": "down",
    "purpose": "Montre la régularité de l'épargne du client",
    "innocent": True,
}


def names(answer):
    return [each["name"] for each in answer.json()["results"]]


def test_everybody_reads_the_whole_dictionary(api, world):
    declared(world)

    answer = api(world.agent).get(URL)

    assert names(answer) == [*STANDARD.names, SHARES]
    found = {each["name"]: each for each in answer.json()["results"]}
    assert (found["duree_mois"]["used"], found["secteur"]["used"]) == (True, False)
    assert (found["sexe"]["sensitivity"], found["sexe"]["in_models"]) == ("fairness", False)
    assert found[SHARES]["own"] is found[SHARES]["asked"] is found[SHARES]["in_models"] is True
    assert names(api(world.outsider).get(URL)) == list(STANDARD.names)


def test_a_variable_is_declared_then_read_with_its_tag(api, world):
    client = api(world.risk_manager)

    answer = send(client, "post", URL, NEW)

    assert answer.status_code == 201
    again = client.get(f"{URL}/{SHARES}")
    assert again.json() == answer.json()
    assert again["ETag"] == answer["ETag"]
    assert client.get(f"{URL}/{SHARES}", headers={"If-None-Match": again["ETag"]}).status_code == 304


def test_a_list_of_codes_is_declared(api, world):
    listed = {name: value for name, value in NEW.items() if name not in {"minimum", "maximum", "unit"}}
    codes = [{"code": "fixe", "label_fr": "Étal fixe"}, {"code": "ambulant"}]
    body = {**listed, "type": "category", "direction": "", "source": "officer", "codes": codes}

    answer = send(api(world.administrator), "post", URL, body)

    assert answer.json()["codes"] == [
        {"code": "fixe", "label_fr": "Étal fixe", "label_en": "Étal fixe"},
        {"code": "ambulant", "label_fr": "ambulant", "label_en": "ambulant"},
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "ethnie"}, "name"),
        ({"label_fr": "Religion"}, "label_fr"),
        ({"innocent": False}, "innocent"),
        ({"maximum": "50"}, "maximum"),
        ({"type": "text"}, "type"),
        ({"source": "computed"}, "source"),
        ({"foo": 1}, "foo"),
        ({"codes": [{"code": "a", "foo": 1}]}, "codes.0.foo"),
    ],
)
def test_what_cannot_be_declared_is_said_by_field(api, world, change, field):
    answer = send(api(world.risk_manager), "post", URL, {**NEW, **change})

    assert answer.status_code == 422
    assert field in answer.json()["fields"]
    with world.scope():
        assert not DictionaryVariable.objects.own().exists()


def test_others_read_only(api, world):
    declared(world)
    client = api(world.analyst)

    assert send(client, "post", URL, NEW).status_code == 403
    assert send(client, "patch", f"{URL}/{SHARES}", {"maximum": 9}).status_code == 403


def test_a_change_needs_the_state_that_was_read(api, world):
    declared(world)
    client = api(world.risk_manager)
    tag = client.get(f"{URL}/{SHARES}")["ETag"]

    assert send(client, "patch", f"{URL}/{SHARES}", {"maximum": 60}).status_code == 428
    done = send(client, "patch", f"{URL}/{SHARES}", {"maximum": 60}, **{"If-Match": tag})
    late = send(client, "patch", f"{URL}/{SHARES}", {"maximum": 70}, **{"If-Match": tag})

    assert (done.status_code, done.json()["maximum"]) == (200, 60)
    assert late.status_code == 412


def test_a_standard_variable_is_switched_with_a_reason(api, world):
    client = api(world.risk_manager)
    tag = client.get(f"{URL}/secteur")["ETag"]

    refused = send(client, "patch", f"{URL}/secteur", {"asked": False}, **{"If-Match": tag})
    done = send(client, "patch", f"{URL}/secteur", {"asked": False, "reason": REASON}, **{"If-Match": tag})
    late = send(client, "patch", f"{URL}/secteur", {"asked": True, "reason": REASON}, **{"If-Match": tag})

    assert set(refused.json()["fields"]) == {"reason"}
    assert (done.status_code, done.json()["asked"]) == (200, False)
    assert done["ETag"] != tag
    assert late.status_code == 412


def test_a_fairness_variable_is_given_to_models_with_a_reason_only(api, world):
    client = api(world.risk_manager)
    tag = client.get(f"{URL}/sexe")["ETag"]

    refused = send(client, "patch", f"{URL}/sexe", {"in_models": True}, **{"If-Match": tag})
    done = send(client, "patch", f"{URL}/sexe", {"in_models": True, "reason": REASON}, **{"If-Match": tag})

    assert refused.status_code == 422
    assert done.json()["model_use_reason"] == REASON


def test_a_variable_is_retired_and_stays_readable(api, world):
    declared(world)
    client = api(world.risk_manager)
    tag = client.get(f"{URL}/{SHARES}")["ETag"]
    mixed = {"retired": True, "maximum": 3, "reason": REASON}

    refused = send(client, "patch", f"{URL}/{SHARES}", mixed, **{"If-Match": tag})
    done = send(client, "patch", f"{URL}/{SHARES}", {"retired": True, "reason": REASON}, **{"If-Match": tag})

    assert set(refused.json()["fields"]) == {"maximum"}
    assert done.json()["retired_at"] is not None
    assert client.get(f"{URL}/{SHARES}").status_code == 200
    assert client.delete(f"{URL}/{SHARES}").status_code == 405


def test_what_production_reads_goes_on_being_asked(api, world):
    client = api(world.risk_manager)
    tag = client.get(f"{URL}/duree_mois")["ETag"]
    body = {"asked": False, "reason": REASON}

    answer = send(client, "patch", f"{URL}/duree_mois", body, **{"If-Match": tag})

    assert set(answer.json()["fields"]) == {"asked"}


def test_own_variables_of_another_institution_are_unknown(api, world):
    declared(world)
    client = api("risques@ngwa.demo")

    assert client.get(f"{URL}/{SHARES}").status_code == 404
    assert send(client, "patch", f"{URL}/{SHARES}", {"maximum": 9}, **{"If-Match": "*"}).status_code == 404


def test_features_names_lists_own_variables_with_the_others(api, world):
    declared(world, draft(), stall())

    body = api(world.analyst).get("/api/v1/features-names").json()

    assert [each["name"] for each in body["variables"]] == [*STANDARD.names, SHARES, STALL]
    last = body["variables"][-1]
    assert (last["own"], last["source"], last["used"]) == (True, "officer", False)
    assert [each["code"] for each in last["categories"]] == ["fixe", "ambulant"]


def test_an_application_takes_keeps_and_forgets_an_own_value(api, world):
    declared(world)
    with world.scope():
        person = Client.objects.filter(birth_date__range=("1970-01-01", "2000-01-01")).first()
    client, loan = api(world.analyst), {"montant_credit": 450_000, "duree_mois": 12, "taux_interet": 20.0}
    body = {"client_id": str(person.uid), **loan, "type_credit": "scolaire", SHARES: 4}

    answer = send(client, "post", "/api/v1/applications", body)
    url = f"/api/v1/applications/{answer.json()['id']}"
    wrong = send(client, "patch", url, {SHARES: 51}, **{"If-Match": answer["ETag"]})
    other = send(client, "patch", url, {"duree_mois": 10}, **{"If-Match": answer["ETag"]})
    gone = send(client, "patch", url, {SHARES: None}, **{"If-Match": other["ETag"]})

    assert answer.json()["variables"][SHARES] == 4
    assert set(wrong.json()["fields"]) == {SHARES}
    assert other.json()["variables"][SHARES] == 4
    assert SHARES not in gone.json()["variables"]
