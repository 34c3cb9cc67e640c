"""« Simuler un crédit »: values of a credit for nobody, tried in the page and stored nowhere."""

import pytest
from django.utils.text import compress_string

from apps.audit.models import AuditEntry
from apps.credits.models import Client, CreditApplication
from apps.scoring.models import Prediction, Scenario
from apps.scoring.services.scores import simulate
from tests.statements import own_statements
from tests.web.test_weight import PAGE_HEADERS, WARM

pytestmark = pytest.mark.django_db

URL = "/simuler"
VALUES = {
    "age": "38",
    "situation_familiale": "marie",
    "type_contrat_travail": "Indépendant",
    "anciennete_travail_mois": "62",
    "revenu_mensuel": "285 000",
    "charges_mensuelles": "140 000",
    "personnes_a_charge": "4",
    "mensualites_en_cours": "25 000",
    "encours_autres_dettes": "150 000",
    "montant_credit": "600 000",
    "duree_mois": "12",
    "taux_interet": "22",
    "type_credit": "fonds_de_roulement",
    "first_credit": "no",
    "nb_retards_30j": "0",
    "nb_retards_60j": "0",
    "nb_retards_90j": "0",
}


def stored(world):
    with world.scope():
        return [
            rows.objects.count() for rows in (Client, CreditApplication, Prediction, Scenario, AuditEntry)
        ]


def body_of(answer):
    return " ".join(answer.content.decode().split())


def test_a_credit_for_nobody_is_tried_and_nothing_is_stored(world, page):
    client, before = page(world.analyst), stored(world)

    answer = client.post(URL, VALUES)

    assert answer.status_code == 200
    body = answer.content.decode()
    assert answer.context["score"].pd_text in body
    assert answer.context["score"].recommendation_label in body
    assert answer.context["score"].max_amount_text in body
    assert dict(answer.context["means"].lines).keys() >= {"Mensualité de ce crédit", "Taux d'endettement"}
    assert stored(world) == before


def test_it_gives_what_the_api_simulates(world, page):
    values = {name: value.replace(" ", "") for name, value in VALUES.items() if name != "first_credit"}

    shown = page(world.analyst).post(URL, VALUES).context["score"]

    with world.scope():
        (told,) = simulate(base=values, changes=[{}], by=world.actor(world.analyst))
    assert (shown.pd, shown.points, shown.recommendation) == (told.pd, told.points, told.recommendation)
    assert shown.max_amount_xaf == told.max_amount_xaf


def test_arrears_of_a_first_credit_are_unknown(world, page):
    client = page(world.analyst)
    late = {**VALUES, "nb_retards_90j": "6"}

    assert client.post(URL, late).context["score"].pd != client.post(URL, VALUES).context["score"].pd
    first = client.post(URL, {**late, "first_credit": "yes"}).context["score"]
    assert first.pd == client.post(URL, {**VALUES, "first_credit": "yes"}).context["score"].pd


def test_terms_are_kept_in_the_page_and_follow_the_other_values(world, page):
    client = page(world.analyst)

    kept = client.post(URL, {**VALUES, "garder": "1"})
    codes = [code for code, _title in kept.context["kept"]]
    beside = client.post(
        URL, {**VALUES, "montant_credit": "300000", "revenu_mensuel": "500000", "garde": codes}
    )

    assert len(codes) == 1
    assert not kept.context["may_keep"]
    columns = beside.context["scenarios"].columns
    assert [column.title for column in columns] == ["Ce crédit", "Scénario 1"]
    again = client.post(URL, {**VALUES, "revenu_mensuel": "500000"}).context["score"]
    assert f"{again.points} ({again.grade})" in columns[1].cells
    assert f'name="garde" value="{codes[0]}"' in body_of(beside)
    gone = client.post(URL, {**VALUES, "garde": codes, "retirer": codes[0]})
    assert gone.context["scenarios"] is None


def test_four_are_kept_at_most_and_what_the_page_never_wrote_is_ignored(world, page):
    client = page(world.analyst)
    codes = [f"{amount}-12-22.000000" for amount in (100_000, 200_000, 300_000, 400_000, 500_000)]

    full = client.post(URL, {**VALUES, "garde": codes, "garder": "1"}).context
    odd = client.post(URL, {**VALUES, "garde": ["<b>", "1-2", "10-x-3"]}).context

    assert len(full["kept"]) == 4
    assert not full["may_keep"]
    assert odd["kept"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"age": ""}, "age"),
        ({"age": "12"}, "age"),
        ({"montant_credit": "beaucoup"}, "montant_credit"),
        ({"type_credit": "loterie"}, "type_credit"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_terms_stay(world, page, changes, field):
    answer = page(world.analyst).post(URL, {**VALUES, **changes, "garde": "300000-12-22.000000"})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert 'name="garde" value="300000-12-22.000000"' in body_of(answer)


def test_htmx_gets_the_form_with_its_result_alone(world, page):
    body = body_of(page(world.analyst).post(URL, VALUES, headers={"HX-Request": "true"}))

    assert "<html" not in body
    assert 'id="credit"' in body
    assert 'value="285 000"' in body


def test_who_may_not_score_finds_neither_page_nor_entry(world, page):
    assert f'href="{URL}"' in body_of(page(world.analyst).get("/"))
    for person in (world.auditor, "commercial@horizon.demo"):
        client = page(person)
        assert client.get(URL).status_code == 403
        assert client.post(URL, VALUES).status_code == 403
        assert f'href="{URL}"' not in body_of(client.get("/"))


def test_only_what_may_count_is_asked_and_only_broken_rules_are_shown(world, page):
    client = page(world.analyst)

    asked = client.get(URL).context["form"].fields
    held, broken = client.post(URL, VALUES), client.post(URL, {**VALUES, "age": "20"})

    assert {"age", "revenu_mensuel", "charges_mensuelles", "nb_retards_30j"} <= asked.keys()
    assert asked.keys().isdisjoint({"sexe", "purpose", "taux_endettement"})
    assert held.context["score"].rules == []
    assert [rule.label for rule in broken.context["score"].rules] == ["Âge minimal à la demande"]


def test_the_page_stays_light_with_all_it_may_hold(world, page):
    codes = [f"{amount}-12-22.000000" for amount in (100_000, 200_000, 300_000, 400_000)]

    answer = page(world.analyst).post(URL, {**VALUES, "garde": codes})

    assert len(answer.context["kept"]) == 4
    assert len(compress_string(answer.content)) + PAGE_HEADERS <= WARM


def test_little_is_asked_of_the_database(world, page):
    client = page(world.analyst)
    client.post(URL, VALUES)

    with own_statements() as statements:
        client.post(URL, {**VALUES, "garde": ["300000-12-22.000000", "400000-12-22.000000"]})

    assert len(statements) <= 10, statements
