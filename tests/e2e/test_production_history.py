"""Quel modèle était en production le 3 mars à 10 h, qui l'a approuvé, sur quels chiffres: two clicks."""

import datetime as dt

import pytest
from django.utils import timezone

from apps.registry.models import Championship
from apps.registry.queries import in_production_at
from tests.e2e.test_main_job import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_who_approved_what_on_which_figures_is_two_clicks_away(world, visit):
    with world.scope():
        began = timezone.localtime(Championship.objects.latest("started_at").started_at)
        asked = began.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
        (then,) = in_production_at(asked)
        name, approver = then.model_version.name, str(then.started_by)
    page = visit(viewport={"width": 1280, "height": 900})
    log_in(page, world.auditor)

    page.get_by_role("link", name="Modèles", exact=True).first.click()
    page.get_by_label("Jour").fill(f"{asked:%d/%m/%Y}")
    page.get_by_label("Heure").fill(f"{asked:%H h %M}")
    page.get_by_role("button", name="Chercher", exact=True).click()

    line = page.locator("#moment li").filter(has_text=name).first
    line.wait_for()
    assert f"Le {asked:%d/%m/%Y %H:%M}" in page.locator("#moment").inner_text()
    assert f"approuvée par {approver}" in line.inner_text()
    assert line.locator(".gate-list .number").first.is_visible()
