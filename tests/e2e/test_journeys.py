"""The journeys of the day, in a real browser, in no more clicks than they were designed for.

Only clicks count: typing, choosing in a list and reading do not.
"""

import pytest

from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication
from apps.credits.services.lifecycle import request_pieces
from apps.reports.models import Report
from apps.scoring.models import Prediction
from apps.scoring.services.scores import score_application
from apps.web.credits.example import example_values

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fill(page, values):
    """Type values into the form as a person does; what is folded away is left."""
    for name, value in values.items():
        field = page.locator(f"#id_{name}")
        tag = field.evaluate("element => element.type")
        if tag == "checkbox":
            field.set_checked(bool(value))
        elif tag.startswith("select"):
            field.select_option(str(getattr(value, "pk", value)))
        else:
            field.fill(value if isinstance(value, str) else f"{value:%d/%m/%Y}")


def test_1_score_a_new_client(world, walk):
    with world.scope():
        values = example_values(world.actor(world.analyst))
    work = walk(world.analyst)

    work.link("Nouvelle demande")
    fill(work.page, values)
    work.button("Calculer le score")
    work.page.locator("#result .factor").first.wait_for()
    work.button("Transmettre pour décision")
    work.page.get_by_text("Dossier transmis pour décision").first.wait_for()

    assert work.clicks <= 3
    with world.scope():
        made = CreditApplication.objects.latest("created_at")
        assert made.status == ApplicationStatus.SUBMITTED
        assert Prediction.objects.filter(application=made).count() == 1


def test_2_find_a_client_again_and_see_the_last_score(world, walk):
    analyst = world.actor(world.analyst)
    with world.scope():
        score = Prediction.objects.exclude(client=None).select_related("client").latest("created_at")
    work = walk(analyst and world.analyst)

    work.page.keyboard.press("/")
    work.page.keyboard.type(str(score.client).lower())
    found = work.page.locator("#search-results").get_by_role("link", name=str(score.client))
    found.first.wait_for()
    work.click(found)
    work.page.get_by_text(str(score.points)).first.wait_for()

    assert work.clicks <= 1


def test_4_complete_a_file_that_was_returned(world, walk):
    analyst, risk_manager = world.actor(world.analyst), world.actor(world.risk_manager)
    with world.scope():
        file = (
            CreditApplication.objects.select_related("client")
            .filter(status=ApplicationStatus.SUBMITTED)
            .first()
        )
        CreditApplication.objects.filter(pk=file.pk).update(author_id=analyst.id)
        score_application(application=file, by=analyst)
        request_pieces(uid=file.uid, pieces=["identite"], note="", by=risk_manager)
    work = walk(world.analyst)

    work.link("À traiter")
    work.link(str(file.client))
    work.page.get_by_label("Ce qui a été ajouté").fill("Nouveau récépissé")
    work.button("Renvoyer pour décision")
    work.page.get_by_text("Dossier transmis pour décision").first.wait_for()

    assert work.clicks <= 4
    with world.scope():
        assert CreditApplication.objects.get(pk=file.pk).status == ApplicationStatus.SUBMITTED


def test_9_recompute_a_score_identically(world, walk):
    with world.scope():
        application = CreditApplication.objects.filter(status=ApplicationStatus.SUBMITTED).first()
        application.montant_credit += 1_000
        application.save()
        score_application(application=application, by=world.actor(world.analyst))
    work = walk(world.auditor)

    work.link("Piste d'audit")
    work.link("Score calculé")
    work.button("Recalculer à l'identique")
    work.page.get_by_text("Identique", exact=False).first.wait_for()

    assert work.clicks <= 4


def test_3_simulate_and_use_the_values(world, walk):
    with world.scope():
        file = CreditApplication.objects.filter(revenu_mensuel__gt=80_000).order_by("-pk")[0]
        file.status, file.montant_credit = ApplicationStatus.DRAFT, 900_000
        file.taux_endettement = file.ratio_dette_revenu = None
        file.save()
    work = walk(world.analyst)
    work.page.goto(f"/demandes/{file.uid}")

    work.link("Simuler")
    with work.page.expect_response(lambda answer: "montant=300000" in answer.url):
        work.page.fill("#id_montant", "300000")
    work.page.locator("#result", has_text="Points par rapport au dossier").wait_for()
    work.button("Reprendre ces valeurs")
    work.page.get_by_text("Ces valeurs sont maintenant celles de la demande").first.wait_for()

    assert work.clicks <= 3
    with world.scope():
        assert CreditApplication.objects.get(pk=file.pk).montant_credit == 300_000


def test_10_the_report_of_the_month_as_a_workbook(world, walk, settings, tmp_path):
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    work = walk("commercial@horizon.demo")

    work.link("Rapports")
    work.link("Activité du mois")
    with work.page.expect_download() as coming:
        work.button("Excel")

    assert work.clicks <= 3
    assert coming.value.suggested_filename.endswith(".xlsx")
    with world.scope():
        report = Report.objects.latest("created_at")
        assert (report.kind, report.format, report.job.status) == ("activite", "xlsx", "done")
