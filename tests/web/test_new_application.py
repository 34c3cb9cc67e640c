"""« Nouvelle demande »: type, score, read; with and without JavaScript."""

import json
import re
import uuid

import pytest

from apps.credits.models import Client as Borrower
from apps.credits.models import CreditApplication
from apps.institutions.models import Agency
from apps.registry.models import ModelVersion
from apps.scoring.models import Prediction

pytestmark = pytest.mark.django_db

URL = "/demandes/nouvelle"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def example(page, world):
    """Return the values of the form's example, as a browser would post them."""
    answer = page(world.analyst).get(f"{URL}?exemple=1")
    form = answer.context["form"]
    values = {}
    for bound in form:
        value = bound.value()
        if value not in (None, False, ""):
            values[bound.name] = getattr(value, "pk", value)
    values["consent"] = "on"
    values["birth_date"] = values["birth_date"].strftime("%d/%m/%Y")
    return {name: str(value) for name, value in values.items()}


def first_agency(world, code):
    with world.scope(code):
        return Agency.objects.first().pk


def counts(world):
    with world.scope():
        return Borrower.objects.count(), CreditApplication.objects.count(), Prediction.objects.count()


def test_the_example_gives_a_score_with_band_reasons_and_threshold(page, world, example):
    answer = page(world.analyst).post(URL, example)

    score = answer.context["score"]
    assert answer.status_code == 200
    assert 0 < score.pd < 1
    body = answer.content.decode()
    assert score.band_label in body
    assert score.threshold_text in body
    assert score.factors[0].sentence.replace("'", "&#x27;") in body
    assert all(rule.label.replace("'", "&#x27;") in body for rule in score.rules)


def test_the_api_gives_the_same_probability_for_the_same_values(page, api, world, example):
    score = page(world.analyst).post(URL, example).context["score"]
    client = api(world.analyst)
    inputs = client.get(f"/api/v1/predictions/{score.uid}").json()["entrees"]

    answer = client.post("/api/v1/predict", json.dumps(inputs), content_type="application/json").json()

    assert answer["probabilite_defaut"] == pytest.approx(score.pd, abs=1e-12)


def test_with_htmx_only_the_result_comes_back(page, world, example):
    answer = page(world.analyst).post(URL, example, headers=HTMX)

    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()


def test_sent_twice_the_form_makes_one_application_and_one_score(page, world, example):
    before = counts(world)
    client = page(world.analyst)

    first = client.post(URL, example).context["score"]
    second = client.post(URL, example).context["score"]

    assert first.uid == second.uid
    assert counts(world) == tuple(count + 1 for count in before)


def test_a_changed_amount_changes_the_same_draft(page, world, example):
    client = page(world.analyst)
    client.post(URL, example)

    answer = client.post(URL, {**example, "montant_credit": "1\u202f200\u202f000"})

    with world.scope():
        application = CreditApplication.objects.get(uid=example["uid"])
        assert application.montant_credit == 1_200_000
        assert application.predictions.count() == 2
    assert answer.context["score"].amount_xaf == 1_200_000


def test_a_known_client_is_found_by_reference(page, world, example):
    with world.scope():
        known = Borrower.objects.first()
    for name in ("last_name", "first_names", "birth_date", "agency", "phone"):
        example.pop(name)

    answer = page(world.analyst).post(URL, {**example, "client_reference": known.reference})

    with world.scope():
        application = CreditApplication.objects.get(uid=example["uid"])
    assert application.client_id == known.pk
    assert answer.context["score"].client_label == str(known)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"birth_date": "01/01/2015"}, "birth_date"),
        ({"birth_date": "31/02/1990"}, "birth_date"),
        ({"montant_credit": "beaucoup"}, "montant_credit"),
        ({"montant_credit": ""}, "montant_credit"),
        ({"duree_mois": "0"}, "duree_mois"),
        ({"taux_interet": "121"}, "taux_interet"),
        ({"type_credit": "yacht"}, "type_credit"),
        ({"last_name": ""}, "last_name"),
        ({"client_reference": "INCONNU"}, None),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_wrong_value_is_said_beside_its_field_and_nothing_is_stored(
    page, world, example, change, place, headers
):
    before = counts(world)

    answer = page(world.analyst).post(URL, {**example, **change}, headers=headers)

    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert (place or "__all__") in errors
    assert str(errors[place or "__all__"][0]).replace("'", "&#x27;") in answer.content.decode()
    assert counts(world) == before


def test_a_form_of_somebody_else_is_not_taken_over(page, world, example):
    page(world.analyst).post(URL, example)

    answer = page(world.risk_manager).post(URL, example)

    assert answer.status_code == 422


def test_the_same_form_number_at_another_institution_is_another_application(page, world, example):
    page(world.analyst).post(URL, example)
    outsider = page(world.outsider)
    agency = first_agency(world, "ngwa")

    answer = outsider.post(URL, {**example, "agency": agency})

    assert answer.status_code == 200
    with world.scope("ngwa"):
        assert CreditApplication.objects.filter(uid=example["uid"]).count() == 1


def test_an_agency_of_another_institution_is_no_choice(page, world, example):
    foreign = first_agency(world, "ngwa")

    answer = page(world.analyst).post(URL, {**example, "agency": foreign})

    assert answer.status_code == 422
    assert "agency" in answer.context["form"].errors


def test_an_agent_sees_the_own_agency_only(page, world):
    options = page(world.agent).get(URL).context["form"].fields["agency"].queryset

    with world.scope():
        assert options.count() == 1


def test_no_model_says_so_and_stores_nothing(page, world, example):
    with world.scope():
        ModelVersion.objects.update(status="retired")
    before = counts(world)

    answer = page(world.analyst).post(URL, example)

    assert answer.status_code == 422
    assert "Aucun modèle" in answer.content.decode()
    assert counts(world) == before


def test_a_blank_page_has_a_new_number_each_time(page, world):
    client = page(world.analyst)
    numbers = {str(client.get(URL).context["form"]["uid"].value()) for _ in range(2)}

    assert len(numbers) == 2
    assert all(uuid.UUID(number) for number in numbers)


def test_pages_speak_the_language_of_the_institution(page, world):
    french = page(world.analyst).get(URL).content.decode()
    english = page(world.outsider).get(URL).content.decode()

    assert '<html lang="fr"' in french
    assert '<html lang="en"' in english
    assert re.search(r"Nouvelle demande", french)
    assert re.search(r"New application", english)
