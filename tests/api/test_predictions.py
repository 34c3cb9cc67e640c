"""GET /api/v1/predictions and POST /api/v1/simulate."""

import pytest
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.models import Client
from apps.institutions.models import Agency
from apps.scoring.models import Prediction
from tests.api.sending import NOBODY, send
from tests.predict import BODY
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

URL, SIMULATE = "/api/v1/predictions", "/api/v1/simulate"


def uids(answer):
    return [row["id"] for row in answer.json()["results"]]


def test_the_history_comes_latest_first_page_by_page(api, world):
    client = api(world.analyst)
    first = client.get(URL, {"limit": "7"})
    second = client.get(first.json()["next"])

    with world.scope():
        rows = Prediction.objects.order_by("-created_at", "-uid").values_list("uid", flat=True)[:14]
        assert uids(first) + uids(second) == [str(uid) for uid in rows]


@pytest.mark.parametrize("name", ["client", "agency", "analyst", "band", "source", "period"])
def test_each_filter_keeps_what_answers_to_it(api, world, name):
    with world.scope():
        one = Prediction.objects.select_related("client", "agency", "author").exclude(client=None).first()
        author = one.author or world.user(world.analyst)
        day = timezone.localtime(one.created_at).date().isoformat()
        wish, expected = {
            "client": ({"client": str(one.client.uid)}, {"client": one.client}),
            "agency": ({"agency": str(one.agency.uid)}, {"agency": one.agency}),
            "analyst": ({"analyst": str(author.uid)}, {"author": author}),
            "band": ({"band": one.band}, {"band": one.band}),
            "source": ({"source": one.source}, {"source": one.source}),
            "period": ({"from": day, "to": day}, {"created_at__date": day}),
        }[name]
        rows = Prediction.objects.filter(**expected).order_by("-created_at", "-uid")[:100]
        wanted = [str(each.uid) for each in rows]
    client = api(world.analyst)

    with own_statements() as asked:
        answer = client.get(URL, {**wish, "limit": "100"})

    assert uids(answer) == wanted
    assert len(asked) <= 6, asked


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"band": "rouge"}, "band"),
        ({"source": "telex"}, "source"),
        ({"client": "x"}, "client"),
        ({"from": "hier"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"limit": "101"}, "limit"),
        ({"analyste": NOBODY}, "analyste"),
    ],
)
def test_a_wrong_filter_is_named(api, world, query, field):
    answer = api(world.analyst).get(URL, query)

    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


def test_people_and_agencies_of_others_filter_nothing_in(api, world):
    with world.scope("ngwa"):
        agency, client = Agency.objects.first().uid, Client.objects.first().uid
    analyst = world.user(world.outsider).uid

    for query in ({"agency": agency}, {"client": client}, {"analyst": analyst}):
        assert uids(api(world.analyst).get(URL, query)) == []


def test_an_agent_sees_their_agencies_and_their_own(api, world):
    actor = world.actor(world.agent)
    found = api(world.agent).get(URL, {"limit": "100"}).json()["results"]

    with world.scope():
        allowed = {str(each.uid) for each in Agency.objects.filter(pk__in=actor.agency_ids)}
    assert {row["agence"] for row in found if row["analyste"] != str(actor.uid)} <= allowed


def test_a_detail_keeps_its_etag_and_answers_304(api, world):
    client = api(world.analyst)
    uid = send(client, "post", "/api/v1/predict", BODY).json()["id"]

    first = client.get(f"{URL}/{uid}")

    assert client.get(f"{URL}/{uid}", headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert client.get(f"{URL}/{uid}?facteurs=tous")["ETag"] != first["ETag"]


# --- simulate ---------------------------------------------------------------------------------------


def stored(world):
    with world.scope():
        return Prediction.objects.count()


def test_each_change_gives_a_body_like_predict_and_nothing_is_stored(api, world):
    client = api(world.analyst)
    real = send(client, "post", "/api/v1/predict", BODY).json()
    before = stored(world)

    answer = send(client, "post", SIMULATE, {"base": BODY, "changes": [{}, {"montant_credit": 2_000_000}]})

    same, more = answer.json()["resultats"]
    assert answer.status_code == 200
    assert set(same) == set(real) - {"id"} | {"modifications"} - ({"motif_montant_max"} - set(same))
    assert same["probabilite_defaut"] == real["probabilite_defaut"]
    assert more["modifications"] == {"montant_credit": 2_000_000}
    assert more["perte_attendue"] > same["perte_attendue"]
    assert stored(world) == before


def test_a_simulated_figure_is_the_one_that_a_score_would_give(api, world):
    client = api(world.analyst)
    change = {"duree_mois": 24, "revenu_mensuel": None}
    plain = {name: value for name, value in BODY.items() if "ratio" not in name and "taux_end" not in name}

    simulated = send(client, "post", SIMULATE, {"base": BODY, "changes": [change]}).json()["resultats"][0]
    real = send(client, "post", "/api/v1/predict", {**plain, **change}).json()

    for name in ("probabilite_defaut", "score", "recommandation", "regles", "montant_max_conseille"):
        assert simulated[name] == real[name], name


def test_a_stored_score_is_a_base_and_its_reading_is_recorded(api, world):
    client = api(world.analyst)
    real = send(client, "post", "/api/v1/predict", BODY).json()
    before = stored(world)

    answer = send(client, "post", SIMULATE, {"prediction": real["id"], "changes": [{}, {"duree_mois": 6}]})

    assert answer.json()["resultats"][0]["probabilite_defaut"] == real["probabilite_defaut"]
    assert stored(world) == before
    with world.scope():
        assert AuditEntry.objects.filter(action="prediction.read", object_uid=real["id"]).count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"base": BODY}, "changes"),
        ({"base": BODY, "changes": []}, "changes"),
        ({"base": BODY, "changes": [{}] * 51}, "changes"),
        ({"base": BODY, "changes": [3]}, "changes.0"),
        ({"changes": [{}]}, "base"),
        ({"base": BODY, "prediction": NOBODY, "changes": [{}]}, "base"),
        ({"base": {"age": 12}, "changes": [{}]}, "base.age"),
        ({"base": BODY, "changes": [{}, {"age": 12}]}, "changes.1.age"),
        ({"base": BODY, "changes": [{"couleur": 1}]}, "changes.0.couleur"),
        ({"base": BODY, "changes": [{}], "note": 1}, "note"),
    ],
)
def test_a_wrong_simulation_is_named(api, world, body, field):
    answer = send(api(world.analyst), "post", SIMULATE, body)

    assert answer.status_code == 422
    assert field in answer.json()["fields"], answer.json()["fields"]


def test_a_score_out_of_sight_is_unknown_to_a_simulation(api, world):
    uid = send(api(world.analyst), "post", "/api/v1/predict", BODY).json()["id"]

    answer = send(api(world.outsider), "post", SIMULATE, {"prediction": uid, "changes": [{}]})

    assert answer.status_code == 404
    assert send(api(world.auditor), "post", SIMULATE, {"base": BODY, "changes": [{}]}).status_code == 403
    assert api(world.analyst).get(SIMULATE).status_code == 405
