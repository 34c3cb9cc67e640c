"""One field is checked as one leaves it, in the words of the whole form."""

import pytest

from tests.web import test_new_application
from tests.web.test_new_application import URL

pytestmark = pytest.mark.django_db
example = test_new_application.example


def check(client, name, text):
    return client.post("/demandes/verifier", {"champ": name, "valeur": text})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("montant_credit", "beaucoup"),
        ("montant_credit", "5"),
        ("montant_credit", ""),
        ("duree_mois", "12,5"),
        ("taux_interet", "300"),
        ("birth_date", "31/02/1990"),
        ("birth_date", "01/01/2015"),
        ("type_credit", "voyage"),
    ],
)
def test_it_says_what_the_whole_form_would_say(page, world, example, name, text):
    client = page(world.analyst)

    alone = check(client, name, text).content.decode()
    whole = client.post(URL, {**example, name: text}).context["form"].errors[name]

    assert f'id="id_{name}_error"' in alone
    assert [message for message in whole if str(message).replace("'", "&#x27;") not in alone] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("montant_credit", "1\u202f500\u202f000"),
        ("taux_interet", "22,5"),
        ("birth_date", "01/02/1990"),
        ("revenu_mensuel", ""),
        ("type_credit", "scolaire"),
        ("uid_of_nothing", "<script>"),
        ("", ""),
    ],
)
def test_it_is_silent_when_the_value_is_right_or_the_field_unknown(page, world, name, text):
    answer = check(page(world.analyst), name, text)

    assert (answer.status_code, answer.content) == (200, b"")


def test_an_agency_of_another_institution_is_no_choice(page, world):
    from apps.institutions.models import Agency

    with world.scope("ngwa"):
        foreign = Agency.objects.first().pk

    assert b"errorlist" in check(page(world.analyst), "agency", str(foreign)).content


def test_a_value_never_travels_in_an_address(page, world):
    assert page(world.analyst).get("/demandes/verifier", {"champ": "age", "valeur": "1"}).status_code == 405


def test_who_cannot_score_cannot_check(page, world):
    assert check(page(world.auditor), "duree_mois", "x").status_code == 403
