"""The journeys of the day, in a real browser, in no more clicks than they were designed for.

Only clicks count: typing, choosing in a list and reading do not.
"""

import pytest

from apps.credits.enums import ApplicationStatus
from apps.credits.importing.jobs import check_rows, import_rows
from apps.credits.models import Client, CreditApplication, ImportRun
from apps.credits.services.lifecycle import request_pieces
from apps.institutions.models import Agency, Institution
from apps.jobs.services import claim_job, finish_job
from apps.monitoring.enums import AlertCode, Severity, Suggestion
from apps.monitoring.models import Alert
from apps.outbox.models import OutboxMessage
from apps.registry.enums import ModelStatus
from apps.registry.models import ModelVersion
from apps.reports.models import Report
from apps.scoring.enums import ProposalStatus
from apps.scoring.models import PolicyProposal, Prediction
from apps.scoring.queries.policies import policy_on
from apps.scoring.services.scores import score_application
from apps.tenancy.context import tenant_scope
from apps.users.models import Membership
from apps.web.credits.example import example_values

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"]),
]


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


def test_7_see_that_a_variable_moved_and_open_a_review(world, walk):
    shift = {"psi": 0.31, "limit": 0.1, "reference": 4_000, "current": 1_200}
    with world.scope():
        Alert.objects.all().delete()
        alert = Alert.objects.create(
            model_version=ModelVersion.objects.get(status=ModelStatus.CHAMPION),
            code=AlertCode.VARIABLE_SHIFT,
            about="revenu_mensuel",
            severity=Severity.WATCH,
            suggestion=Suggestion.LOOK_CLOSER,
            figures=shift,
        )
    work = walk(world.risk_manager)

    work.click(work.page.get_by_role("link", name="alerte de vos modèles à examiner"))
    work.link("Une variable s'est déplacée : Revenu mensuel")
    work.page.get_by_role("rowheader", name="Revenu mensuel").wait_for()
    work.page.get_by_label("En une phrase").fill("Nouveau formulaire à Garoua ?")
    work.button("Ouvrir une revue")
    work.page.get_by_text("La revue est ouverte").first.wait_for()

    assert work.clicks <= 3
    with world.scope():
        alert = Alert.objects.select_related("reviewed_by").get(pk=alert.pk)
        assert alert.reviewed_by.email == world.risk_manager
        assert alert.review_note == "Nouveau formulaire à Garoua ?"


def test_8_propose_another_threshold_after_its_effect(world, walk):
    work = walk(world.risk_manager)

    work.link("Politique de scoring")
    work.link("Proposer une politique")
    work.page.fill("#id_default_threshold", "7,5")
    work.page.fill("#id_reason", "Pertes au-dessus du budget")
    work.button("Simuler l'effet")
    work.page.get_by_role("heading", name="Effet sur les dossiers", exact=False).wait_for()
    work.button("Soumettre à validation")
    work.page.get_by_text("une autre personne doit la valider").first.wait_for()

    assert work.clicks <= 4
    with world.scope():
        proposal = PolicyProposal.objects.latest("created_at")
        assert proposal.status == ProposalStatus.PROPOSED
        assert proposal.figures["default_threshold"] == 0.075


def let_a_worker(world, do):
    """Do the work of the latest import, which the page has asked for."""
    with world.scope():
        claim = claim_job(uid=ImportRun.objects.select_related("job").latest("created_at").job.uid)
    result = do(claim)
    with world.scope():
        finish_job(claim=claim, result=result)


def test_11_import_clients(world, walk, settings, tmp_path):
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    with world.scope():
        agency = Agency.objects.order_by("pk")[0].code
    file = tmp_path / "clients.csv"
    file.write_text(
        "Référence;Agence;Nom;Date de naissance;Téléphone\n"
        f"J-11;{agency};Ngono;01/02/1980;677000001\nJ-12;{agency};Abena;01/03/1981;677000002\n"
    )
    work = walk(world.administrator)

    work.link("Imports")
    work.page.set_input_files("#id_file", file)
    work.button("Envoyer et prévisualiser")
    work.page.get_by_text("Ngono").first.wait_for()
    work.button("Contrôler")
    work.page.locator("#import-progress").wait_for()
    let_a_worker(world, check_rows)
    work.button("Confirmer l'import")  # the page has followed the check by itself
    work.page.get_by_text("Import en cours", exact=False).first.wait_for()
    let_a_worker(world, import_rows)
    work.page.get_by_text("Importé", exact=True).first.wait_for()

    assert work.clicks <= 4
    with world.scope():
        assert Client.objects.filter(reference__in=["J-11", "J-12"]).count() == 2


def test_12_open_an_institution_like_another_one_and_invite_its_administrator(world, walk, icon_font):
    work = walk(world.operator)
    page = work.page

    page.wait_for_load_state("networkidle")
    institutions = page.locator("#nav-sidebar a:has-text('Institutions')")
    if not institutions.first.is_visible():  # the menu of a narrow window
        work.click(page.locator(".bo-icon-button"))
    work.click(institutions)
    work.click(page.locator("a[href$='/institutions/institution/add/']"))
    page.fill("#id_code", "mbalmayo")
    page.fill("#id_name", "Mutuelle de Mbalmayo")
    page.fill("#id_reason", "Convention signée")
    page.fill("#id_administrator", "direction@mbalmayo.example")
    page.select_option("#id_copy_from", label="Horizon Microfinance S.A.")
    work.button("Enregistrer")
    page.locator("#result_list").get_by_text("Mutuelle de Mbalmayo").first.wait_for()

    assert work.clicks <= 5
    opened = Institution.objects.get(code="mbalmayo")
    invited = Membership.objects.select_related("user").get(institution=opened)
    assert (invited.user.email, invited.role) == ("direction@mbalmayo.example", "administrateur")
    with world.scope():
        copied = policy_on().figures
    with tenant_scope(opened.pk):
        assert policy_on().figures == copied
        assert OutboxMessage.objects.filter(payload={"membership": str(invited.uid)}).count() == 1
