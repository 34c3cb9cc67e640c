"""Log-in, log-out, language, demonstration buttons."""

import pytest
from django.conf import settings as site
from django.test import Client

pytestmark = pytest.mark.django_db


def log_in(client, email, password=site.DEMO_PASSWORD, **extra):
    return client.post("/connexion", {"email": email, "password": password, **extra})


def test_a_page_asks_for_log_in_and_comes_back(world):
    client = Client()

    asked = client.get("/demandes/nouvelle")
    answer = log_in(client, world.analyst, next="/demandes/nouvelle")

    assert (asked.status_code, asked["Location"]) == (302, "/connexion?next=/demandes/nouvelle")
    assert (answer.status_code, answer["Location"]) == (302, "/demandes/nouvelle")
    assert client.get("/demandes/nouvelle").status_code == 200


@pytest.mark.parametrize(("email", "password"), [("analyste@horizon.demo", "faux"), ("x@y.zz", "faux")])
def test_a_wrong_pair_is_told_alike(world, email, password):
    answer = log_in(Client(), email, password)

    assert answer.status_code == 422
    assert "Adresse e-mail ou mot de passe incorrect." in answer.content.decode()


def test_a_foreign_address_is_not_followed(world):
    answer = log_in(Client(), world.analyst, next="https://evil.example/")

    assert answer["Location"] == "/"


def test_log_out_closes_the_session(page, world):
    client = page(world.analyst)

    client.post("/deconnexion")

    assert client.get("/").status_code == 302


@pytest.mark.django_db(databases=["default", "platform"])
def test_the_operator_works_in_the_back_office(world):
    client = Client()

    assert log_in(client, world.operator)["Location"] == "/admin/"
    assert client.get("/admin/institutions/institution/").status_code == 200
    assert client.get("/admin/institutions/agency/").status_code == 200
    assert client.get("/demandes/nouvelle").status_code == 403


def test_a_chosen_language_lasts(page, world):
    client = page(world.analyst)

    client.post("/langue", {"language": "en", "next": "/"})

    assert '<html lang="en"' in client.get("/").content.decode()


def test_demonstration_log_ins_are_offered_in_demonstration_mode_only(world, settings):
    assert world.analyst in Client().get("/connexion").content.decode()
    settings.DEMO_MODE = False
    assert world.analyst not in Client().get("/connexion").content.decode()


def test_fictional_passwords_are_refused_outside_demonstration_mode(world, settings):
    settings.DEMO_MODE = False

    assert log_in(Client(), world.analyst).status_code == 422


def test_a_suspended_institution_closes_its_pages(page, world):
    from apps.institutions.models import Institution

    client = page(world.analyst)
    Institution.objects.filter(code="horizon").update(status="suspended")

    assert client.get("/").status_code == 302


def test_the_policy_of_content_is_strict(page, world):
    policy = page(world.analyst).get("/")["Content-Security-Policy"]

    assert "unsafe" not in policy
