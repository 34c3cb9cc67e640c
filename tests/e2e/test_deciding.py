"""Journeys 5 and 6: a file is sent, decided, and decided against the advice by two people."""

import pytest

from apps.credits.models import CreditApplication
from tests.decisions.filing import WHY, sent_file

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def status_of(world, file):
    with world.scope():
        return CreditApplication.objects.get(pk=file.pk).status


def test_journey_5_decide(world, walk):
    with world.scope():
        file = sent_file(world)
        others = CreditApplication.objects.filter(status="submitted").exclude(pk=file.pk)
        others.update(status="draft")  # the inbox shows ten files: this one among them
    person = walk(world.risk_manager)

    person.link("À traiter")
    person.click(person.page.locator(f"a[href='/demandes/{file.uid}']"))
    person.link("Décider")
    person.link("Accorder")
    person.page.select_option("#id_motive", "capacite_suffisante")
    person.button("Confirmer la décision")

    person.page.wait_for_selector("text=La décision est enregistrée")
    assert person.clicks <= 5
    assert status_of(world, file) == "approved"


def test_journey_6_against_the_advice_by_two_people(world, walk):
    with world.scope():
        file = sent_file(world, advice="refuser")
    asker = walk(world.analyst)
    asker.page.goto(f"/demandes/{file.uid}")

    asker.link("Décider")
    asker.link("Accorder")
    asker.page.select_option("#id_motive", "garantie_suffisante")
    asker.page.check("input[name=override_reason][value=garantie_forte]")
    asker.page.fill("#id_override_text", WHY)
    asker.button("Envoyer à une seconde personne")
    asker.page.wait_for_selector("text=une seconde personne doit la confirmer")
    assert asker.clicks <= 4
    assert status_of(world, file) == "submitted"

    second = walk(world.risk_manager)
    second.page.goto(f"/demandes/{file.uid}")
    second.link("Décider")
    second.button("Confirmer la décision")
    second.page.wait_for_selector("text=La décision contre l'avis est confirmée")
    assert status_of(world, file) == "approved"
