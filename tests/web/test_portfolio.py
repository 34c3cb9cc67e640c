"""The portfolio: figures equal to a count by what each reader sees; files, views, pairs, prospects."""

import csv
import datetime as dt
import io
from itertools import pairwise

import pytest
from django.db.models import Sum
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.enums import ApplicationStatus, Outcome
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.applications import GRANTED
from apps.credits.queries.clients import CONSENT_SETTING
from apps.credits.services.clients import allow_offers, refuse_offers
from apps.decisions.enums import FIRM_ADVICE
from apps.decisions.models import Decision
from apps.decisions.services.deciding import decide
from apps.decisions.services.overrides import confirm_override
from apps.engine.ledger import add_months
from apps.institutions.models import Agency
from apps.institutions.services import set_setting
from apps.reports.models import SavedView
from apps.reports.queries.alike import consistency_of
from apps.reports.queries.portfolio import PortfolioWish, portfolio_of, statistics_of
from apps.reports.queries.prospects import ProspectWish, prospects_for
from apps.reports.services.portfolio import count_files
from apps.scoring.enums import Breakdown
from apps.scoring.models import Prediction, ScoreTotal
from apps.scoring.services.scores import score_application
from apps.scoring.services.totals import fold_scores, rebuild_totals
from apps.tenancy.tenants import active_institutions
from tests.decisions.filing import against, choice, sent_file
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

URL, PAIRS, PROSPECTS = "/portefeuille", "/portefeuille/coherence", "/prospects"
DIRECTOR = "commercial@horizon.demo"
ALWAYS = PortfolioWish(dt.date(1990, 1, 1), dt.date(2100, 1, 1))
READERS = ["risk_manager", "auditor", "administrator", "analyst", "agent"]


def text(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def counted(world):
    """Leave the totals as the tasks do."""
    with world.scope():
        rebuild_totals()
        count_files(everything=True)
    return world


def seen(actor, rows):
    return rows if actor.agency_ids is None else rows.filter(agency_id__in=actor.agency_ids)


@pytest.mark.parametrize("reader", [*READERS, "director"])
@pytest.mark.parametrize("by", list(Breakdown))
def test_totals_equal_a_count_of_the_rows_whoever_reads(counted, reader, by):
    world = counted
    actor = world.actor(DIRECTOR if reader == "director" else getattr(world, reader))
    with world.scope():
        found = portfolio_of(actor, ALWAYS, by=by)
        files = seen(actor, CreditApplication.objects.all())
        scores = seen(actor, Prediction.objects.all())
        lines = world_lines() if actor.agency_ids is None else 0

        assert found.whole.files.files == files.count() > 0
        assert found.whole.files.amount_xaf == files.aggregate(sum=Sum("montant_credit"))["sum"]
        assert found.whole.files.granted == files.filter(status__in=GRANTED).count()
        assert found.whole.files.refused == files.filter(status=ApplicationStatus.DECLINED).count()
        assert found.whole.files.matured == files.exclude(outcome="").count()
        assert found.whole.files.defaults == files.filter(outcome=Outcome.DEFAULT).count()
        assert found.whole.scores.scores == scores.count() + lines
        assert sum(cell.files.files for cell in found.by_month.values()) == files.count()
        assert sum(cell.files.files for cell in found.by_value.values()) == files.count()
        if by != Breakdown.DECIDER:
            assert sum(cell.scores.scores for cell in found.by_value.values()) == found.whole.scores.scores


def world_lines():
    from apps.scoring.models import ScoredLine

    return ScoredLine.objects.count()


def test_figures_by_agency_and_month_are_those_of_their_rows(counted):
    actor = counted.actor(counted.risk_manager)
    with counted.scope():
        by_agency = portfolio_of(actor, ALWAYS, by=Breakdown.AGENCY).by_value
        by_type = portfolio_of(actor, ALWAYS, by=Breakdown.CREDIT_TYPE).by_value
        for agency in Agency.objects.all():
            files = CreditApplication.objects.filter(agency=agency)
            assert by_agency[str(agency.pk)].files.files == files.count()
            assert by_agency[str(agency.pk)].files.defaults == files.filter(outcome=Outcome.DEFAULT).count()
            wish = PortfolioWish(ALWAYS.first, ALWAYS.last, agency_id=agency.pk)
            assert portfolio_of(actor, wish, by=Breakdown.MONTH).whole.files.files == files.count()
        for code in set(CreditApplication.objects.values_list("type_credit", flat=True)):
            assert by_type[code].files.files == CreditApplication.objects.filter(type_credit=code).count()
        month = dt.date(2026, 1, 1)
        wish = PortfolioWish(month, month)
        found = portfolio_of(actor, wish, by=Breakdown.MONTH).whole.files.files
        assert (
            found == CreditApplication.objects.filter(applied_on__month=1, applied_on__year=2026).count() > 0
        )


def test_the_share_against_the_advice_is_of_decisions_on_a_firm_advice(world):
    analyst, risk = world.actor(world.analyst), world.actor(world.risk_manager)
    with world.scope():
        asked = decide(application=sent_file(world, advice="accorder"), choice=against("refuse"), by=analyst)
        confirm_override(request=asked, by=risk)
        decide(application=sent_file(world, advice="accorder"), choice=choice("accorde"), by=analyst)
        decide(application=sent_file(world, advice="etudier"), choice=choice("accorde"), by=analyst)
        count_files(everything=True)
        latest = {}
        for decision in Decision.objects.filter(is_retrospective=False).order_by("number"):
            latest[decision.application_id] = decision
        firm = [each for each in latest.values() if each.recommendation in FIRM_ADVICE]
        files = portfolio_of(risk, ALWAYS, by=Breakdown.MONTH).whole.files

    assert files.decided == len(latest) > files.advised == len(firm) >= 2
    assert files.override_share == sum(each.is_override for each in firm) / len(firm) > 0


def test_a_change_of_one_application_is_counted_by_the_next_run(counted):
    actor = counted.actor(counted.risk_manager)
    with counted.scope():
        file = CreditApplication.objects.filter(status=ApplicationStatus.DECLINED)[0]
        file.status = ApplicationStatus.APPROVED
        file.save(update_fields=["status", "updated_at"])
        before = portfolio_of(actor, ALWAYS, by=Breakdown.MONTH).whole.files

        count_files()
        count_files()

        after = portfolio_of(actor, ALWAYS, by=Breakdown.MONTH).whole.files
        assert (after.granted, after.refused) == (before.granted + 1, before.refused - 1)
        assert after.files == before.files


def test_the_predicted_default_is_that_of_the_credits_whose_outcome_is_known(counted):
    actor, analyst = counted.actor(counted.risk_manager), counted.actor(counted.analyst)
    with counted.scope():
        before = portfolio_of(actor, ALWAYS, by=Breakdown.MONTH).whole.files
        files = list(CreditApplication.objects.exclude(outcome="").select_related("client")[:3])
        given = [score_application(application=each, by=analyst)[0] for each in files]
        fold_scores()
        count_files()

        after = portfolio_of(actor, ALWAYS, by=Breakdown.MONTH).whole.files
        assert after.matured_scored == before.matured_scored + 3
        added = sum(round(each.pd * 1_000_000) for each in given)
        assert after.matured_pd_millionths == before.matured_pd_millionths + added


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [*READERS, "director"])
def test_each_reader_of_reports_finds_it_in_the_menu(page, counted, reader):
    client = page(DIRECTOR if reader == "director" else getattr(counted, reader))

    assert f'href="{URL}"' in client.get("/").content.decode()
    body = text(client.get(URL))
    assert "<h1>Portefeuille</h1>" in body
    assert "Probabilité moyenne de défaut" in body


@pytest.mark.parametrize("by", list(Breakdown))
def test_every_breakdown_shows_and_asks_little_of_the_database(page, counted, by):
    client = page(counted.risk_manager)
    client.get(URL)

    with own_statements() as statements:
        answer = client.get(f"{URL}?par={by.value}")

    assert answer.status_code == 200
    assert len(statements) <= 6


@pytest.mark.parametrize("path", [f"{URL}?vue=distributions", PAIRS])
def test_the_other_parts_ask_little_too(page, counted, path):
    client = page(counted.risk_manager)
    client.get(path)

    with own_statements() as statements:
        answer = client.get(path)

    assert answer.status_code == 200
    assert len(statements) <= 6


def test_a_member_of_one_agency_sees_that_one_only(page, counted):
    actor = counted.actor(counted.agent)
    with counted.scope():
        other = Agency.objects.exclude(pk__in=actor.agency_ids)[0]

    body = text(page(counted.agent).get(f"{URL}?par=agence"))

    assert other.name not in body
    assert str(other.uid) not in body
    assert page(counted.agent).get(f"{URL}?agence={other.uid}").status_code == 422


@pytest.mark.parametrize("reader", ["analyst", "agent"])
def test_figures_of_colleagues_are_no_part_of_an_analysts_reports(page, counted, reader):
    client = page(getattr(counted, reader))

    assert client.get(f"{URL}?par=auteur").status_code == 422
    assert client.get(PAIRS).status_code == 404


def test_an_institution_without_anything_gets_an_empty_state(page, world):
    body = text(page(world.risk_manager).get(f"{URL}?du=2022-01&au=2022-01"))

    assert "Rien à compter pour l'instant" in body.replace("&#x27;", "'")


def test_absurd_months_are_refused_beside_their_field(page, counted):
    answer = page(counted.risk_manager).get(f"{URL}?du=2026-11&au=2026-01")

    assert answer.status_code == 422
    assert "La fin précède le début" in text(answer)


def test_the_file_of_a_table_holds_its_numbers_and_leaves_an_entry(page, counted):
    client = page(counted.risk_manager)
    with counted.scope():
        entries = AuditEntry.objects.filter(action="portfolio.export").count()

    answer = client.get("/portefeuille.csv?table=ventilation&par=produit&du=2022-01")

    content = answer.content.decode("utf-8")
    assert content.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(content[1:]), delimiter=";"))
    actor = counted.actor(counted.risk_manager)
    with counted.scope():
        wish = PortfolioWish(dt.date(2022, 1, 1), timezone.localdate().replace(day=1))
        found = portfolio_of(actor, wish, by=Breakdown.CREDIT_TYPE)
        assert AuditEntry.objects.filter(action="portfolio.export").count() == entries + 1
    column = rows[0].index("Demandes")
    assert sum(int(row[column]) for row in rows[1:]) == found.whole.files.files
    assert all("," in row[2] for row in rows[1:] if row[2])


@pytest.mark.parametrize("table", ["mois", "ventilation", "points", "statistiques"])
def test_an_agents_file_holds_no_other_agency(page, counted, table):
    actor = counted.actor(counted.agent)
    with counted.scope():
        others = list(Agency.objects.exclude(pk__in=actor.agency_ids).values_list("name", flat=True))

    content = page(counted.agent).get(f"/portefeuille.csv?table={table}").content.decode()

    assert not [name for name in others if name in content]
    assert len(content.splitlines()) > 1


def test_a_view_is_saved_found_again_shown_to_others_and_deleted(page, counted):
    client = page(counted.risk_manager)
    query = "par=produit&du=2026-01&secret=1"

    saved = client.post("/portefeuille/vues", {"name": "Mes produits", "shared": "on", "query": query})

    assert saved.headers["Location"] == f"{URL}?par=produit&du=2026-01"
    assert "Mes produits" in text(client.get(URL))
    assert "Mes produits" in text(page(counted.auditor).get(URL))
    with counted.scope():
        uid = SavedView.objects.get(name="Mes produits").uid
    assert page(counted.auditor).post(f"/portefeuille/vues/{uid}/supprimer").status_code == 404
    assert client.post(f"/portefeuille/vues/{uid}/supprimer").status_code == 302
    assert "Mes produits" not in text(page(counted.auditor).get(URL))


def test_a_view_of_ones_own_is_not_shown_to_others(page, counted):
    client = page(counted.risk_manager)

    client.post("/portefeuille/vues", {"name": "Pour moi seul", "query": ""})

    assert "Pour moi seul" in text(client.get(URL))
    assert "Pour moi seul" not in text(page(counted.auditor).get(URL))


def test_statistics_are_those_of_the_applications(counted):
    actor = counted.actor(counted.risk_manager)
    with counted.scope():
        since = timezone.localdate() - dt.timedelta(days=730)
        rows = CreditApplication.objects.filter(applied_on__gt=since).exclude(
            status__in=(ApplicationStatus.DRAFT, ApplicationStatus.CANCELLED)
        )
        amounts = sorted(rows.values_list("montant_credit", flat=True))

        told = statistics_of(actor, None).figures["montant_credit"]

        assert told["rows"] == len(amounts)
        assert told["mean"] == pytest.approx(sum(amounts) / len(amounts))
        assert (told["parts"][0], told["parts"][-1]) == (amounts[0], amounts[-1])
        limited = counted.actor(counted.agent)
        assert (
            statistics_of(limited, next(iter(Agency.objects.exclude(pk__in=limited.agency_ids))).pk) is None
        )


# --- prospects ------------------------------------------------------------------------------------


def prospect_references(world, wish=None, email=DIRECTOR):
    found = prospects_for(world.actor(email), wish or ProspectWish(), today=timezone.localdate())
    return set(found.values_list("reference", flat=True))


@pytest.fixture
def prospect(world):
    """Return a client of low risk who may be contacted."""
    analyst = world.actor(world.analyst)
    with world.scope():
        files = CreditApplication.objects.filter(
            status=ApplicationStatus.DISBURSED, client__consent_at__isnull=False
        ).select_related("client")
        for application in files.order_by("-applied_on"):
            score, _created = score_application(application=application, by=analyst)
            if score.band == "faible" and application.client.reference in prospect_references(world):
                return Client.objects.get(pk=application.client_id)
    raise AssertionError


@pytest.mark.parametrize(("days", "stays"), [(0, False), (1, True)], ids=["the day itself", "the day before"])
def test_an_expired_consent_takes_a_client_off_the_list(world, prospect, days, stays):
    today = timezone.localdate()
    with world.scope():
        by = world.actor("admin@horizon.demo")
        set_setting(key=CONSENT_SETTING, value=12, by=by, reason="test")
        given = add_months(today, -12) + dt.timedelta(days=days)
        Client.objects.filter(pk=prospect.pk).update(consent_at=given)

        assert (prospect.reference in prospect_references(world)) is stays


@pytest.mark.parametrize(
    "change",
    [
        {"consent_at": None},
        {"consent_withdrawn_on": dt.date(2026, 11, 1)},
        {"offers_refused_on": dt.date(2026, 11, 1)},
        {"prohibition_date": dt.date(2026, 11, 1), "prohibition_source": "BEAC"},
        {"is_active": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_forbids_to_write_takes_a_client_off_the_list(world, prospect, change):
    with world.scope():
        assert prospect.reference in prospect_references(world)

        Client.objects.filter(pk=prospect.pk).update(**change)

        assert prospect.reference not in prospect_references(world)


def test_a_client_with_an_application_under_way_or_a_higher_risk_is_no_prospect(world, prospect):
    with world.scope():
        CreditApplication.objects.filter(client=prospect).update(status=ApplicationStatus.SUBMITTED)
        assert prospect.reference not in prospect_references(world)
        bands = prospects_for(world.actor(DIRECTOR), ProspectWish(), today=timezone.localdate())
        for client in bands[:50]:
            latest = Prediction.objects.filter(client=client).order_by("-created_at", "-pk")[0]
            assert latest.band == "faible"


def test_an_objection_is_noted_on_the_page_of_the_client_and_lifted(page, world, prospect):
    client = page(world.analyst)
    with world.scope():
        entries = AuditEntry.objects.filter(action="client.offers").count()

    client.post(f"/clients/{prospect.uid}/offres", {"refused": "1"})
    client.post(f"/clients/{prospect.uid}/offres", {"refused": "1"})

    with world.scope():
        prospect.refresh_from_db()
        assert prospect.offers_refused_on == timezone.localdate()
        assert AuditEntry.objects.filter(action="client.offers").count() == entries + 1
    assert "S'oppose" in text(client.get(f"/clients/{prospect.uid}")).replace("&#x27;", "'")
    client.post(f"/clients/{prospect.uid}/offres")
    with world.scope():
        prospect.refresh_from_db()
        assert prospect.offers_refused_on is None


def test_only_who_edits_files_notes_an_objection(page, world, prospect):
    assert page(world.auditor).post(f"/clients/{prospect.uid}/offres", {"refused": "1"}).status_code == 403


def test_services_of_objections_are_idempotent(world, prospect):
    by = world.actor(world.analyst)
    with world.scope():
        first = refuse_offers(client=prospect, by=by).offers_refused_on
        assert refuse_offers(client=prospect, by=by).offers_refused_on == first
        assert allow_offers(client=prospect, by=by).offers_refused_on is None


def test_the_commercial_director_reads_the_list_without_numbers_and_takes_the_file(page, world, prospect):
    client = page(DIRECTOR)

    body = text(client.get(PROSPECTS))
    content = client.get("/prospects.csv").content.decode()

    assert "Prospects à contacter" in body
    assert prospect.reference in content
    with world.scope():
        entry = AuditEntry.objects.filter(action="portfolio.export").latest("pk")
    assert entry.after["table"] == "prospects"
    assert entry.after["rows"] == len(content.splitlines()) - 1


def test_nobody_else_reads_the_list(page, world):
    for reader in READERS:
        assert page(getattr(world, reader)).get(PROSPECTS).status_code == 403
        assert page(getattr(world, reader)).get("/prospects.csv").status_code == 403


# --- consistency ----------------------------------------------------------------------------------


@pytest.fixture
def decide_by_hand(world):
    """Return a function: store a decision on an application."""

    def decide(application, kind, *, decider, pd=None):
        prediction = Prediction.objects.filter(application=application).latest("created_at")
        return Decision.objects.create(
            application=application,
            number=Decision.objects.filter(application=application).count() + 1,
            prediction=prediction,
            agency_id=application.agency_id,
            kind=kind,
            recommendation="etudier",
            pd=prediction.pd if pd is None else pd,
            threshold=prediction.threshold,
            asked_xaf=application.montant_credit,
            asked_months=application.duree_mois,
            amount_xaf=application.montant_credit,
            duration_months=application.duree_mois,
            decided_by_id=decider.id,
            limit_xaf=10**9,
        )

    return decide


def test_alike_files_decided_differently_are_found_by_whom_and_where(page, world, decide_by_hand):
    first, second = world.actor(world.analyst), world.actor(world.risk_manager)
    now = timezone.now()
    with world.scope():
        scores = Prediction.objects.exclude(application=None).select_related("application").order_by("pd")
        pair = next(
            (one, other)
            for one, other in pairwise(scores)
            if (one.grade, one.application.type_credit) == (other.grade, other.application.type_credit)
            and other.pd - one.pd <= 0.01
            and one.application_id != other.application_id
        )
        decide_by_hand(pair[0].application, "refuse", decider=first)
        decide_by_hand(pair[1].application, "accorde", decider=second)
        start = now - dt.timedelta(minutes=1)
        found = consistency_of(second, start=start, end=timezone.now() + dt.timedelta(minutes=1))

        assert (found.compared, found.opposed, found.pair_count) == (2, 2, 1)
        assert [(each.decisions, each.opposed) for each in found.by_decider] == [(1, 1), (1, 1)]
        ((refused, granted),) = found.pairs
        assert refused.application_uid == pair[0].application.uid
        assert granted.application_uid == pair[1].application.uid

    body = text(page(world.risk_manager).get(PAIRS))
    assert f"/demandes/{pair[0].application.uid}" in body
    assert f"/demandes/{pair[1].application.uid}" in body
    content = page(world.auditor).get("/portefeuille/coherence.csv").content.decode()
    assert pair[0].application.reference in content


def test_files_that_differ_are_no_pair(world, decide_by_hand):
    by = world.actor(world.risk_manager)
    with world.scope():
        scores = list(
            Prediction.objects.exclude(application=None).select_related("application").order_by("pd")
        )
        decide_by_hand(scores[0].application, "refuse", decider=by)
        decide_by_hand(scores[-1].application, "accorde", decider=by)

        now = timezone.now()
        found = consistency_of(by, start=now - dt.timedelta(minutes=1), end=now + dt.timedelta(minutes=1))

        assert (found.compared, found.pair_count) == (2, 0)


def test_the_totals_of_every_institution_are_brought_up_to_date_by_the_tasks(world):
    assert world.institution_id("ngwa") in active_institutions()
    with world.scope("ngwa"):
        assert ScoreTotal.objects.exists()
