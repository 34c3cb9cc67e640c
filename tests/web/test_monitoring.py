"""The page of monitoring: where the model stands, alerts with what to do, figures as tables and as a file."""

import re

import pytest
from django.db import IntegrityError
from django.db.transaction import atomic
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.monitoring.models import Alert, MonitoringFigures
from apps.registry.models import ModelVersion
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

URL = "/modeles/suivi"
CALIBRATION = {
    "from": "2025-02",
    "to": "2025-04",
    "rows": 1_120,
    "defaults": 141,
    "expected": 113.2,
    "ratio": 1.2456,
    "ratio_low": 1.06,
    "ratio_high": 1.45,
}


def text(answer):
    return " ".join(answer.content.decode().split())


def version_of(world, code="horizon"):
    with world.scope(code):
        return ModelVersion.objects.get()


@pytest.fixture
def alert(world):
    with world.scope():
        Alert.objects.all().delete()
        return Alert.objects.create(
            model_version=ModelVersion.objects.get(),
            code="calibration",
            severity="alert",
            suggestion="recalibrate",
            figures=CALIBRATION,
        )


@pytest.mark.parametrize("role", ["risk_manager", "auditor", "administrator"])
def test_who_has_to_do_with_models_finds_it_in_the_menu(page, world, role):
    client = page(getattr(world, role))

    assert f'href="{URL}"' in client.get("/").content.decode()
    assert "Suivi des modèles" in text(client.get(URL))


def test_the_analyst_reads_it_without_officers_and_agencies(page, world):
    body = text(page(world.analyst).get(f"{URL}?vue=groupes"))

    assert "Par niveau de risque" in body
    assert "Par agent" not in body
    assert "Par agence" not in body


def test_the_overview_says_where_the_model_stands(page, world):
    body = text(page(world.risk_manager).get(URL))

    assert "defaut-imf, version 1" in body
    assert "Modèle de démonstration, données fictives" in body
    assert "Taux de défaut par mois de la demande" in body
    assert "Le modèle a appris de tous ces crédits" in body
    assert "<svg" in body
    assert "30 jours de retard à trois mois" in body


def test_an_alert_has_its_figures_a_suggestion_and_a_reason(page, world, alert):
    body = text(page(world.risk_manager).get(URL))

    assert "1 limite dépassée" in body
    assert "Plus de défauts que prédit" in body
    assert "141 défauts parmi 1 120 crédits" in body
    assert "1,25 fois" in body
    assert "Recaler l'étalonnage" in body.replace("&#x27;", "'")


def test_what_is_over_is_kept_apart(page, world, alert):
    with world.scope():
        Alert.objects.filter(pk=alert.pk).update(closed_at=alert.opened_at)

    body = text(page(world.risk_manager).get(URL))

    assert "Alertes terminées" in body
    assert "1 limite dépassée" not in body


def test_other_parts_show_populations_and_groups(page, world):
    client = page(world.risk_manager)

    population = text(client.get(f"{URL}?vue=population"))
    groups = text(client.get(f"{URL}?vue=groupes"))

    assert "Revenu mensuel" in population
    assert "PSI" in population
    assert "Par agent" in groups
    assert "Femmes" in groups
    assert "Aline Tchoumi" in groups


def test_an_unknown_part_is_the_overview(page, world):
    assert "Alertes" in text(page(world.risk_manager).get(f"{URL}?vue=rien"))


def test_figures_as_a_file(page, world, alert):
    version = version_of(world)

    answer = page(world.risk_manager).get(reverse("web:model_monitoring_csv", args=[version.uid]))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="{version.name}-1-' in answer["Content-Disposition"]
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith('"defaut-imf, version 1"') or lines[0].startswith("defaut-imf, version 1")
    assert any(line.startswith("Plus de défauts que prédit;Alerte;") for line in lines)
    assert any(line.startswith("09/2025;") for line in lines)


def test_without_figures_the_page_says_when_they_come(page, world):
    with world.scope():
        MonitoringFigures.objects.all().delete()

    body = text(page(world.risk_manager).get(URL))

    assert "Pas encore de chiffres" in body


def test_without_a_model_too(page, world):
    with world.scope():
        ModelVersion.objects.update(status="retired")

    answer = page(world.risk_manager).get(URL)

    assert answer.status_code == 200
    assert "Pas encore de chiffres" in text(answer)


def test_a_version_that_was_never_watched(page, world):
    version = version_of(world)
    with world.scope():
        MonitoringFigures.objects.all().delete()
        Alert.objects.all().delete()

    assert "Pas encore mesuré" in text(page(world.auditor).get(f"/modeles/{version.uid}/suivi"))


@pytest.mark.parametrize("part", ["", "?vue=population", "?vue=groupes", "?vue=decisions"])
def test_the_page_asks_little_of_the_database(page, world, part):
    client = page(world.risk_manager)
    client.get(URL)

    with own_statements() as asked:
        client.get(f"{URL}{part}")

    # versions, figures, alerts open and over, bell, names of agencies and of officers; there also two rates
    assert len(asked) <= (8 if part == "?vue=decisions" else 7)


def test_in_english(page, world):
    body = text(page("auditeur@ngwa.demo").get(URL))

    assert "Model monitoring" in body
    assert "Default rate by month of application" in body


def test_the_notice_leads_to_the_page(page, world):
    from apps.web.feedback.presenters import alert_words

    assert alert_words()["monitoring.calibration"][1] == URL


# --- the review of an alert -----------------------------------------------------------------------------


def act(client, name, alert, note="Formulaire de Garoua à vérifier"):
    return client.post(reverse(f"web:{name}", args=[alert.uid]), {"note": note})


def test_an_alert_is_taken_on_then_concluded_and_the_trail_says_so(page, world, alert):
    first, second = page(world.risk_manager), page("risques2@horizon.demo")
    address = reverse("web:monitoring_alert", args=[alert.uid])
    assert "1 alerte de vos modèles à examiner" in tags_off(first.get("/"))
    assert "Personne ne s'est encore chargé" in text(first.get(address)).replace("&#x27;", "'")

    assert act(first, "monitoring_review", alert).url == address
    assert "alerte de vos modèles" not in tags_off(first.get("/"))
    assert "En revue" in text(second.get(URL))
    assert act(second, "monitoring_conclude", alert, "Saisie corrigée à l'agence").url == address

    shown = text(page(world.auditor).get(address)).replace("&#x27;", "'")
    assert "Serge Kamdem" in shown
    assert "Formulaire de Garoua à vérifier" in shown
    assert "Estelle Mbarga" in shown
    assert "Saisie corrigée à l'agence" in shown
    with world.scope():
        entries = AuditEntry.objects.filter(object_uid=alert.uid, action__startswith="monitoring.")
        assert [each.action for each in entries.order_by("pk")] == [
            "monitoring.review",
            "monitoring.conclude",
        ]


def tags_off(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def test_a_review_is_opened_once_and_concluded_once(page, world, alert):
    client = page(world.risk_manager)

    assert act(client, "monitoring_conclude", alert).status_code == 422
    act(client, "monitoring_review", alert, "Premier examen")
    assert act(client, "monitoring_review", alert, "Second examen").status_code == 422
    act(client, "monitoring_conclude", alert, "Rien à changer")
    assert act(client, "monitoring_conclude", alert, "Autre avis").status_code == 422

    with world.scope():
        found = Alert.objects.get(pk=alert.pk)
        assert (found.review_note, found.conclusion) == ("Premier examen", "Rien à changer")


def test_an_alert_that_is_over_is_not_taken_on_any_more(page, world, alert):
    with world.scope():
        Alert.objects.filter(pk=alert.pk).update(closed_at=alert.opened_at)
    client = page(world.risk_manager)

    assert act(client, "monitoring_review", alert).status_code == 422
    assert "Ouvrir une revue" not in text(client.get(reverse("web:monitoring_alert", args=[alert.uid])))


@pytest.mark.parametrize("note", ["", "   ", "non", "x" * 301, "deux\nlignes d'un coup"])
def test_a_review_says_what_is_looked_at(page, world, alert, note):
    answer = act(page(world.risk_manager), "monitoring_review", alert, note)

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["note"]


def test_who_does_not_propose_models_reads_and_writes_nothing(page, world, alert):
    for person in (world.analyst, world.auditor, "comite@horizon.demo"):
        client = page(person)
        shown = client.get(reverse("web:monitoring_alert", args=[alert.uid]))
        assert shown.status_code == 200
        assert "Ouvrir une revue" not in text(shown)
        assert act(client, "monitoring_review", alert).status_code == 403


def test_the_database_holds_a_review_to_its_author_and_its_words(world, alert):
    with world.scope(), pytest.raises(IntegrityError, match="monitoring_alert_review"), atomic():
        Alert.objects.filter(pk=alert.pk).update(reviewed_at=alert.opened_at)


def test_what_people_decide_is_not_shown_to_an_analyst(page, world, alert):
    with world.scope():
        Alert.objects.filter(pk=alert.pk).update(code="overrides")

    address = reverse("web:monitoring_alert", args=[alert.uid])
    assert page(world.analyst).get(address).status_code == 404
