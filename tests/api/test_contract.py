"""Sentences of the contract that no other test of the API proves: what is outside, shapes, one envelope."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from apps.credits.models import Client as Borrower
from apps.credits.models import CreditApplication
from apps.engine.dictionary import STANDARD
from apps.registry import loader
from apps.registry.errors import NoApprovedModel
from apps.registry.services.versions import load_champions
from apps.scoring.models import Prediction, ScoringPolicy
from tests.api.sending import NOBODY, send
from tests.api.test_fuzz import existing
from tests.predict import BODY

pytestmark = pytest.mark.django_db

DOCUMENT = json.loads((Path(__file__).parent / "openapi.json").read_text())
V1 = "/api/v1/"
LOAN = {name: BODY[name] for name in ("montant_credit", "duree_mois", "taux_interet", "type_credit")}


# --- outside the API ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/health"])
def test_the_process_says_that_it_lives_without_the_database(path, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client().get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.fixture
def nothing_refused(monkeypatch):
    monkeypatch.setattr(loader, "_not_loaded", set())


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_refused")
def test_readiness_has_a_line_for_each_dependency():
    answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "database": "ok", "migrations": "ok", "broker": "ok"},
    )


@pytest.mark.django_db(databases=["default", "platform"])
@pytest.mark.usefixtures("nothing_refused")
def test_a_model_that_does_not_load_is_listed_and_fails_nothing(world, settings, tmp_path):
    whole, settings.PLATFORM_MODELS_DIR = settings.PLATFORM_MODELS_DIR, tmp_path
    load_champions()

    answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    (listed,) = answer.json()["models_not_loaded"]
    assert listed.endswith(")")
    assert "horizon" not in listed

    settings.PLATFORM_MODELS_DIR = whole
    load_champions()
    assert "models_not_loaded" not in Client().get("/readyz").json()


@pytest.mark.parametrize("name", ["database", "broker"])
def test_a_dependency_that_is_away_is_named_by_503(monkeypatch, name):
    monkeypatch.setattr(f"config.health._{name}", lambda: (_ for _ in ()).throw(OSError("10.0.0.9 refused")))

    answer = Client().get("/readyz")

    assert (answer.status_code, answer.json()["status"], answer.json()[name]) == (
        503,
        "unavailable",
        "unavailable",
    )
    assert "10.0.0.9" not in answer.content.decode()


# --- welcome and dictionary ---------------------------------------------------------------------------


def test_the_welcome_tells_product_version_variables_and_links(api, world):
    anyone, known = Client().get(V1), api(world.analyst).get(V1)

    used = [
        each for each in api(world.analyst).get(f"{V1}features-names").json()["variables"] if each["used"]
    ]
    assert set(known.json()) == {"product", "version", "variables", "links"}
    assert (known.json()["product"], known.json()["version"]) == ("CrediSense", settings.VERSION)
    assert known.json()["variables"] == len(used) > 0
    assert anyone.json() == {**known.json(), "variables": None}
    for name, link in known.json()["links"].items():
        expected = 405 if name in {"login", "predict"} else 200
        assert api(world.analyst).get(link).status_code == expected, name


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_dictionary_is_told_whole(api, world, lang):
    answer = api(world.analyst).get(f"{V1}features-names", headers={"Accept-Language": lang})

    body = answer.json()
    assert set(body) == {"modele", "variables"}
    assert body["modele"] == {"nom": "defaut-imf", "version": "1", "statut": "champion"}
    assert [each["name"] for each in body["variables"]] == list(STANDARD.names)
    for each in body["variables"]:
        known = STANDARD[each["name"]]
        categories = [{"code": code.code, "label": code.label(lang)} for code in known.categories]
        assert each == {
            "name": known.name,
            "label": known.label(lang),
            "type": known.type,
            "unit": known.unit,
            "min": known.minimum,
            "max": known.maximum,
            "categories": categories,
            "required": known.required,
            "direction": known.direction,
            "source": known.source,
            "own": False,
            "used": each["used"],
        }
        assert isinstance(each["used"], bool)


# --- predict ------------------------------------------------------------------------------------------


def a_value_of(variable):
    if variable.categories:
        return variable.codes[0]
    low = variable.minimum if variable.minimum is not None else 0
    return int(low) + 1 if variable.type == "integer" else float(low) + 0.5


def test_every_field_of_the_dictionary_is_taken_at_the_top_level(api, world):
    others = {name: a_value_of(STANDARD[name]) for name in STANDARD.names if name not in BODY}
    assert len(BODY) == 15
    assert others

    answer = send(api(world.analyst), "post", f"{V1}predict", {**BODY, **others})

    assert answer.status_code == 201, answer.content
    stored = api(world.analyst).get(f"{V1}predictions/{answer.json()['id']}").json()["entrees"]
    assert {name: stored[name] for name in BODY | others} == BODY | others


def test_a_client_is_named_by_id_or_reference_alike(api, world):
    with world.scope():
        client = CreditApplication.objects.select_related("client").first().client

    by_id = send(api(world.analyst), "post", f"{V1}predict", {"client_id": str(client.uid), **LOAN})
    by_reference = send(
        api(world.analyst), "post", f"{V1}predict", {"client_reference": client.reference, **LOAN}
    )

    assert (by_id.status_code, by_reference.status_code) == (201, 201)
    assert by_id.json()["probabilite_defaut"] == by_reference.json()["probabilite_defaut"]
    with world.scope():
        assert {str(each.client.uid) for each in predictions(by_id, by_reference)} == {str(client.uid)}


def predictions(*answers):
    uids = [answer.json()["id"] for answer in answers]
    return Prediction.objects.filter(uid__in=uids).select_related("client")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"client_id": NOBODY, "client_reference": "C-1"}, {"client_id", "client_reference"}),
        ({"client_id": NOBODY, "application_id": NOBODY}, {"client_id", "application_id"}),
        ({"application_id": "x"}, {"application_id"}),
        ({"client_id": 7}, {"client_id"}),
        ({"client_reference": 7}, {"client_reference"}),
    ],
)
def test_one_reference_of_the_right_form_is_given(api, world, body, fields):
    answer = send(api(world.analyst), "post", f"{V1}predict", {**body, **LOAN})

    assert (answer.status_code, set(answer.json()["fields"])) == (422, fields)


def test_nothing_goes_beside_an_application(api, world):
    with world.scope():
        uid = str(CreditApplication.objects.undecided().first().uid)

    answer = send(api(world.analyst), "post", f"{V1}predict", {"application_id": uid, "age": 30})

    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["age"])


def test_a_colleague_finds_the_score_that_the_institution_has(api, world):
    with world.scope():
        application = CreditApplication.objects.undecided().first()
        CreditApplication.objects.filter(pk=application.pk).update(montant_credit=321_000)
    body = {"application_id": str(application.uid)}

    first = send(api(world.analyst), "post", f"{V1}predict", body)
    again = send(api(world.risk_manager), "post", f"{V1}predict", body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_numbers_have_every_digit_and_codes_are_of_their_lists(api, world):
    body = send(api(world.analyst), "post", f"{V1}predict", BODY).json()

    with world.scope():
        stored = Prediction.objects.get(uid=body["id"])
        rules = [rule["code"] for rule in ScoringPolicy.objects.latest("version").figures["rules"]]
        assert (body["probabilite_defaut"], body["seuil_utilise"]) == (stored.pd, stored.threshold)
    assert [rule["code"] for rule in body["regles"]] == rules
    assert {rule["resultat"] for rule in body["regles"]} <= {"respectee", "violee", "non_evaluable"}
    assert {rule["gravite"] for rule in body["regles"]} <= {"bloquante", "a_revoir"}
    assert body["niveau_risque"] in {"faible", "modere", "eleve"}
    assert body["recommandation"] in {"accorder", "etudier", "refuser"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", body["date"])


def test_adverse_factors_come_first_unless_the_advice_is_to_grant(api, world):
    late = {**BODY, "nb_retards_30j": 4, "nb_retards_60j": 3, "nb_retards_90j": 2, "taux_endettement": 70}
    body = send(api(world.analyst), "post", f"{V1}predict", late).json()

    adverse = [factor["contribution"] > 0 for factor in body["facteurs"]]
    assert body["recommandation"] != "accorder"
    assert len(adverse) <= 6
    assert adverse == sorted(adverse, reverse=True)
    assert [factor["sens"] == "defavorable" for factor in body["facteurs"]] == adverse


# --- resources ----------------------------------------------------------------------------------------

SORTED = [
    (path, word)
    for path, methods in DOCUMENT["paths"].items()
    for parameter in methods.get("get", {}).get("parameters", [])
    if parameter["name"] == "sort"
    for word in parameter["schema"]["enum"]
]


@pytest.mark.parametrize(("path", "word"), SORTED)
def test_every_list_goes_either_way_in_every_declared_order(api, world, path, word):
    query = {"limit": "2"}
    with world.scope():
        if path.endswith("external-credits"):
            query["client"] = str(Borrower.objects.filter(external_credits__isnull=False).first().uid)
        if "{uid}" in path:
            path = path.replace("{uid}", existing(world)[path.split("/")[3]][0])
    reader = world.analyst if path.endswith("imports") else world.auditor
    browser = api(world.administrator if path.endswith(("users", "webhooks")) else reader)

    def walk(sort):
        ids, url = [], None
        while len(ids) < 400:
            answer = browser.get(url) if url else browser.get(path, {**query, "limit": "100", "sort": sort})
            assert answer.status_code == 200, answer.content
            ids += [row.get("id", str(row)) for row in answer.json()["results"]]
            url = answer.json()["next"]
            if url is None:
                return ids, True
        return ids, False

    forth, whole = walk(word)
    back, _whole = walk(word.removeprefix("-") if word.startswith("-") else f"-{word}")

    assert len(set(forth)) == len(forth)
    if whole and not path.endswith("audit"):
        assert forth == back[::-1]
    else:
        assert forth[0] != back[0]


def routes(method):
    return [path for path, methods in DOCUMENT["paths"].items() if method not in methods]


@pytest.mark.parametrize("path", routes("delete"))
def test_nothing_is_deleted(api, world, path):
    with world.scope():
        found = existing(world)
    who = world.administrator if re.search(r"users|webhooks|audit|agencies", path) else world.analyst
    if re.search(r"models|policies|training-runs", path):
        who = world.risk_manager
    kind = path.split("/")[3]
    address = path.replace("{uid}", found[kind][0]) if "{uid}" in path else path
    address = address.replace("{target}", "clients").replace("{name}", "age")

    answer = api(who).delete(address)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), address
    assert "DELETE" not in answer["Allow"]


# --- errors -------------------------------------------------------------------------------------------

FIELDS = {"type", "title", "status", "detail", "code", "fields", "request_id"}
REFUSALS = {
    (400, "bad_request"): ("analyst", "post", "predict", "{", {}),
    (401, "not_authenticated"): (None, "get", "clients", "", {}),
    (403, "not_allowed"): ("auditor", "post", "predict", "{}", {}),
    (404, "not_found"): ("analyst", "get", f"clients/{NOBODY}", "", {}),
    (404, "not_found "): ("analyst", "get", "nowhere", "", {}),
    (405, "method_not_allowed"): ("analyst", "put", "predict", "{}", {}),
    (406, "not_acceptable"): ("analyst", "get", "agencies", "", {"Accept": "text/html"}),
    (412, "changed_meanwhile"): ("analyst", "patch", "clients/{client}", "{}", {"If-Match": '"x"'}),
    (415, "unsupported_media_type"): ("analyst", "post", "predict", "<a/>", {"Content-Type": "text/xml"}),
    (422, "invalid_values"): ("analyst", "post", "predict", '{"age": 12}', {}),
    (428, "precondition_required"): ("analyst", "patch", "clients/{client}", "{}", {}),
    (503, "no_approved_model"): ("analyst", "get", "features-names", "", {}),
}


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_every_refusal_has_the_one_envelope(api, world, monkeypatch, status, code):
    who, method, path, raw, headers = REFUSALS[status, code]
    with world.scope():
        path = path.format(client=Borrower.objects.first().uid)
    if status == 503:
        monkeypatch.setattr("apps.scoring.queries.production.champion_for", _no_model)
    kind = headers.get("Content-Type", "application/json")

    answers = [
        api(getattr(world, who) if who else None).generic(
            method.upper(), V1 + path, raw, content_type=kind, headers={"Accept-Language": lang, **headers}
        )
        for lang in ("fr", "en")
    ]

    french, english = (answer.json() for answer in answers)
    for answer, body in zip(answers, (french, english), strict=True):
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        assert set(body) == FIELDS
        assert (body["status"], body["code"], body["type"]) == (status, code.strip(), "about:blank")
        assert body["request_id"] == answer["X-Request-Id"]
        assert not re.search(r"Traceback|SELECT |/apps/|\.py", answer.content.decode())
    assert french["title"] != english["title"]


def _no_model(*_args):
    raise NoApprovedModel("none")


def test_a_failure_tells_nothing_of_the_inside(api, world, monkeypatch):
    client = api(world.analyst)
    client.raise_request_exception = False
    monkeypatch.setattr("apps.api.v1.scoring.views.champion_variables", _failing_statement)

    answer = client.get(f"{V1}features-names")

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert set(answer.json()) == FIELDS
    assert not re.search(r"Traceback|SELECT|nowhere|\.py|psycopg", answer.content.decode())


def _failing_statement():
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM nowhere")


# --- unknown and foreign ------------------------------------------------------------------------------

DETAILS = [path for path, methods in DOCUMENT["paths"].items() if "{uid}" in path]


@pytest.mark.parametrize("path", DETAILS)
def test_a_foreign_object_is_an_unknown_one(api, world, path):
    with world.scope():
        uid = existing(world)[path.split("/")[3]][0]
    outsider = api(world.outsider_admin if re.search(r"users|webhooks|audit", path) else world.outsider)
    for method in DOCUMENT["paths"][path]:
        headers = {"If-Match": "*"} if method == "patch" else {}

        theirs, nobodys = (
            outsider.generic(
                method.upper(),
                path.replace("{uid}", each),
                "{}",
                content_type="application/json",
                headers=headers,
            )
            for each in (uid, NOBODY)
        )

        assert theirs.status_code == nobodys.status_code
        assert theirs.status_code in {403, 404}, (method, path)
        assert {**theirs.json(), "request_id": ""} == {**nobodys.json(), "request_id": ""}
        assert {*theirs.headers} == {*nobodys.headers}
