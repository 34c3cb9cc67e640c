"""Test profiles: an institution sets their figures; the gate uses them, and they stay who they are."""

import pytest
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.engine.profiles import EDITABLE, profiles_with
from apps.institutions.models import DatedSetting
from apps.registry.services.gates import checklist
from apps.registry.services.importing import import_scorecard
from apps.registry.services.profiles import change_profiles, profiles_in_force
from apps.tenancy.errors import InvalidValues, NotAllowed
from tests.registry.grids import changed

pytestmark = pytest.mark.django_db
URL = "/modeles/profils"


def shown():
    """Return what the form sends when nobody changes anything."""
    known = profiles_with({})
    return {f"{code}.{name}": known[code][name] for code, names in EDITABLE.items() for name in names}


def values(**changes):
    """Return the profiles as a service takes them, ``profile__variable`` replaced."""
    known = profiles_with({})
    found = {code: {name: known[code][name] for name in names} for code, names in EDITABLE.items()}
    for place, value in changes.items():
        code, name = place.split("__")
        found[code][name] = value
    return found


def test_the_page_shows_the_profiles_to_readers_and_changes_them_for_who_may(page, world):
    read = page(world.auditor).get(URL).content.decode()
    opened = page(world.risk_manager).get(URL).content.decode()

    assert "Client fidèle sans retard" in read
    assert "150\N{NARROW NO-BREAK SPACE}000\N{NARROW NO-BREAK SPACE}FCFA" in read
    assert "<form class" not in read.partition("<main")[2]
    assert 'name="usual.revenu_mensuel"' in opened
    assert reverse("web:model_profiles") in page(world.auditor).get("/modeles").content.decode()


def test_figures_are_set_with_a_reason_that_is_kept(page, world):
    client = page(world.risk_manager)
    sent = {**shown(), "usual.revenu_mensuel": "95 000", "reason": "Clients de Garoua"}

    answer = client.post(URL, sent)

    assert answer.status_code == 302
    with world.scope():
        assert profiles_in_force()["usual"]["revenu_mensuel"] == 95_000
        assert profiles_in_force()["young_worker"]["revenu_mensuel"] == 95_000
        setting = DatedSetting.objects.get(key="test_profiles")
        assert (setting.reason, setting.set_by) == ("Clients de Garoua", world.user(world.risk_manager).pk)
        assert AuditEntry.objects.filter(action="setting.set", object_uid=setting.uid).exists()
    with world.scope("ngwa"):
        assert profiles_in_force()["usual"]["revenu_mensuel"] == 150_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("usual.age", "12"),
        ("usual.age", ""),
        ("usual.revenu_mensuel", "beaucoup"),
        ("young_worker.age", "60"),
        ("near_retirement.age", "30"),
        ("low_income_large_loan.revenu_mensuel", "900 000"),
        ("low_income_large_loan.montant_credit", "100 000"),
        ("faithful_client.nb_credits_anterieurs", "0"),
        ("heavy_arrears.nb_retards_30j", "0"),
        ("heavy_arrears.nb_retards_60j", "9"),
        ("reason", ""),
    ],
)
def test_what_makes_a_profile_somebody_else_is_refused_beside_its_field(page, world, field, value):
    answer = page(world.risk_manager).post(URL, {**shown(), "reason": "Essai", field: value})

    assert (answer.status_code, field in answer.context["form"].errors) == (422, True)
    with world.scope():
        assert not DatedSetting.objects.filter(key="test_profiles").exists()


def test_others_do_not_set_them(page, world):
    assert page(world.auditor).post(URL, {**shown(), "reason": "x"}).status_code == 403
    with world.scope():
        with pytest.raises(NotAllowed):
            change_profiles(values=values(), reason="x", by=world.actor(world.auditor))
        assert not DatedSetting.objects.filter(key="test_profiles").exists()


def test_the_gate_judges_the_figures_of_the_institution(world):
    """Arrears of three delays are rewarded by this scorecard; six, the product's figure, are not."""
    risks = world.actor(world.risk_manager)
    points = [{"name": "nb_retards_30j", "cuts": [1, 4], "points": [20, 30, -60], "missing": 0}]
    with world.scope():
        version = import_scorecard(document=changed(variables=points), by=risks)

        def misplaced():
            (gate,) = [each for each in checklist(version=version, by=risks) if each.code == "profiles"]
            return {each for each in gate.about if "heavy_arrears" in each}

        assert misplaced() == set()
        three = values(
            heavy_arrears__nb_retards_30j=3, heavy_arrears__nb_retards_60j=1, heavy_arrears__nb_retards_90j=0
        )
        change_profiles(values=three, reason="Nos retards", by=risks)
        assert misplaced() == {"usual<heavy_arrears", "faithful_client<heavy_arrears"}


def test_a_missing_figure_is_named(world):
    risks, sent = world.actor(world.risk_manager), values()
    del sent["heavy_arrears"]
    with world.scope(), pytest.raises(InvalidValues) as refusal:
        change_profiles(values=sent, reason="x", by=risks)

    assert {name.partition(".")[0] for name in refusal.value.fields} == {"heavy_arrears"}
