"""The nightly look at the models: figures stored once, alerts opened, told once, taken back."""

import datetime as dt
import threading

import pytest
from django.db import connection

from apps.audit.models import AuditEntry
from apps.credits.models import CreditApplication
from apps.demo.cast import DemoInstitution
from apps.demo.seeding import people
from apps.demo.seeding.history import seed_history
from apps.demo.seeding.people import seed_institution, seed_operator
from apps.demo.seeding.scores import seed_policy
from apps.demo.synthetic.outcome import Times
from apps.engine.ledger import DAY
from apps.monitoring.enums import FigureKind
from apps.monitoring.models import Alert, MonitoringFigures
from apps.monitoring.queries import risk_managers, volumes, watch_of, watched_versions
from apps.monitoring.services.alerts import Finding, sync_alerts
from apps.monitoring.services.gathering import Gathered, gather_next, plan_watch, training_period
from apps.monitoring.tasks import watch_institution
from apps.outbox.models import Alert as Notice
from apps.outbox.models import OutboxMessage
from apps.outbox.services import deliver_next
from apps.registry.models import ModelVersion, PlatformModel
from apps.registry.services.versions import install_platform_model
from apps.scoring.models import Prediction
from apps.tenancy.actor import task_actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.roles import Role
from apps.users.models import Membership
from apps.users.queries import member_actor
from tests.world import AS_OF

pytestmark = pytest.mark.django_db

KRIBI = DemoInstitution(
    code="kribi",
    name="Kribi Microfinance",
    category="1",
    licence="N° 0002/DEMO (institution fictive)",
    language="fr",
    cities=(("Limbé", "Sud-Ouest"), ("Ngaoundéré", "Adamaoua")),
    rows=1_500,
    seed=9,
)
CAST = (
    ("analyste", Role.ANALYSTE, {"kribi": "Odile Mvondo"}),
    ("risques", Role.RESPONSABLE_RISQUES, {"kribi": "Alain Ondoua"}),
)
#: The cohorts of February to April 2025, the last whole ones on this day, lie inside the shock.
IN_THE_SHOCK = dt.date(2026, 6, 21)


def champion():
    return ModelVersion.objects.get(status="champion")


def watch(world, on=AS_OF, code="horizon"):
    return watch_institution(world.institution_id(code), on=on)


@pytest.fixture
def kribi(world, monkeypatch):
    """Return an institution whose model was taught before a shock that its own history holds."""
    monkeypatch.setattr(people, "PEOPLE", CAST)
    institution = seed_institution(KRIBI, operator=seed_operator())
    seed_history(KRIBI, institution, rows=KRIBI.rows, as_of=AS_OF, times=Times(shock=1.5, monthly_drift=0.0))
    seed_policy(institution)
    with tenant_scope(institution.pk):
        install_platform_model(model=PlatformModel.objects.get(), by=task_actor(institution.pk))
        ModelVersion.objects.update(status="champion", period={"from": "22/11/2023", "to": "31/10/2024"})
    return institution


def test_every_kind_of_figure_is_stored(world):
    assert watch(world) == 1

    with world.scope():
        rows = MonitoringFigures.objects.filter(day=AS_OF)
        assert {row.kind for row in rows} == set(FigureKind.values)
        figures = {row.kind: row.figures for row in rows}
    state = figures["state"]
    assert (state["trained"], state["matured_until"], state["every"]) == (True, "2025-09", 1)
    assert state["current"]["from"] == "2026-08-22"
    assert len(figures["month"]) == len(figures["cohort"]) + 2
    assert sum(month["rows"] for month in figures["month"]) > 500
    assert {line["variable"] for line in figures["variable"]} >= {"age", "type_credit", "revenu_mensuel"}
    assert [line["slice"] for line in figures["band"]["lines"]] == ["faible", "modere", "eleve"]
    assert [line["by"] for line in figures["treatment"]] == ["sexe", "age", "agence", "region"]


def test_figures_name_nobody(world):
    watch(world)

    with world.scope():
        text = " ".join(str(row.figures) for row in MonitoringFigures.objects.all())
        members = Membership.objects.filter(institution_id=world.institution_id("horizon"))
        names = [member.user.full_name for member in members.select_related("user")]
    assert names
    assert [name for name in names if name in text] == []


def test_months_add_up_to_the_matured_applications(world):
    watch(world)

    with world.scope():
        months = MonitoringFigures.objects.get(day=AS_OF, kind="month").figures
        rows = CreditApplication.objects.matured().filter(applied_on__range=("2023-11-01", "2025-09-30"))
        assert sum(month["rows"] for month in months) == rows.count()
        assert sum(month["defaults"] for month in months) == rows.filter(outcome="default").count()


def test_a_second_run_of_the_day_changes_nothing(world):
    def seen():
        with world.scope():
            rows = MonitoringFigures.objects.order_by("day", "kind").values_list("day", "kind", "figures")
            counts = Alert.objects.count(), OutboxMessage.objects.count(), AuditEntry.objects.count()
            return list(rows), counts

    watch(world)
    first = seen()
    watch(world)

    assert seen() == first


def test_old_nights_are_forgotten(world):
    watch(world, on=AS_OF - dt.timedelta(days=500))
    watch(world)

    with world.scope():
        assert {row.day for row in MonitoringFigures.objects.all()} == {AS_OF}


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_store_and_tell_once(kribi):
    together = threading.Barrier(2)
    failures = []

    def run():
        together.wait()
        try:
            watch_institution(kribi.pk, on=IN_THE_SHOCK)
        except Exception as error:  # noqa: BLE001  a thread's failure must be told
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with tenant_scope(kribi.pk):
        kinds = [row.kind for row in MonitoringFigures.objects.all()]
        assert len(kinds) == len(set(kinds))
        assert Alert.objects.open().filter(code="calibration").count() == 1
        told = OutboxMessage.objects.filter(kind="alert", payload__code="monitoring.calibration")
        assert told.count() == 1


def test_an_institution_without_a_model_or_a_row_is_left_alone(world, monkeypatch):
    monkeypatch.setattr(people, "PEOPLE", CAST)
    empty = seed_institution(KRIBI, operator=seed_operator())

    assert watch_institution(empty.pk, on=AS_OF) == 0

    with tenant_scope(empty.pk):
        install_platform_model(model=PlatformModel.objects.get(), by=task_actor(empty.pk))
        ModelVersion.objects.update(status="champion")
    assert watch_institution(empty.pk, on=AS_OF) == 1
    with tenant_scope(empty.pk):
        figures = {row.kind: row.figures for row in MonitoringFigures.objects.all()}
        assert (figures["month"], figures["variable"]) == ([], [])
        assert "score" not in figures
        assert Alert.objects.count() == 0
        actor = member_actor(Membership.objects.get(institution=empty, role=Role.RESPONSABLE_RISQUES))
        assert watch_of(champion(), actor).standing == "unknown"


def test_a_model_that_does_not_load_is_left_out(world, caplog):
    with world.scope():
        ModelVersion.objects.update(sha256="f" * 64)

    assert watch(world) == 0
    assert "does not load" in caplog.text


def test_a_shock_opens_an_alert_that_is_told_once_and_taken_back(kribi):
    watch_institution(kribi.pk, on=IN_THE_SHOCK)
    watch_institution(kribi.pk, on=IN_THE_SHOCK + DAY)

    with tenant_scope(kribi.pk):
        alert = Alert.objects.open().get(code="calibration")
        assert (alert.severity, alert.suggestion) == ("alert", "recalibrate")
        assert alert.figures["defaults"] > 1.5 * alert.figures["expected"]
        assert (alert.figures["from"], alert.figures["to"]) == ("2025-02", "2025-04")
        assert AuditEntry.objects.filter(action="monitoring.open", object_uid=alert.uid).count() == 1
        letters = OutboxMessage.objects.filter(kind="email", payload__model=str(champion().uid))
        assert letters.count() == 1
        while deliver_next():
            pass
        notice = Notice.objects.get(code="monitoring.calibration")
        assert (notice.recipient.email, notice.read_at) == ("risques@kribi.demo", None)

    watch_institution(kribi.pk, on=AS_OF)

    with tenant_scope(kribi.pk):
        alert.refresh_from_db()
        notice.refresh_from_db()
        assert alert.closed_at is not None
        assert notice.read_at is not None
        assert AuditEntry.objects.filter(action="monitoring.close", object_uid=alert.uid).count() == 1


def test_an_alert_of_a_version_out_of_production_is_over(kribi):
    watch_institution(kribi.pk, on=IN_THE_SHOCK)
    with tenant_scope(kribi.pk):
        assert Alert.objects.open().exists()
        ModelVersion.objects.update(status="retired")

    watch_institution(kribi.pk, on=IN_THE_SHOCK)

    with tenant_scope(kribi.pk):
        assert not Alert.objects.open().exists()


def test_a_challenger_has_figures_and_no_alert(kribi):
    with tenant_scope(kribi.pk):
        ModelVersion.objects.update(status="challenger")

    assert watch_institution(kribi.pk, on=IN_THE_SHOCK) == 1

    with tenant_scope(kribi.pk):
        cohort = MonitoringFigures.objects.get(kind="cohort").figures[-1]
        assert (cohort["seen"], cohort["alarming"]) == (False, True)
        assert Alert.objects.count() == 0


def test_cohorts_that_taught_the_model_raise_nothing(kribi):
    with tenant_scope(kribi.pk):
        ModelVersion.objects.update(period={"from": "22/11/2023", "to": "30/04/2025"})

    watch_institution(kribi.pk, on=IN_THE_SHOCK)

    with tenant_scope(kribi.pk):
        cohort = MonitoringFigures.objects.get(kind="cohort").figures[-1]
        assert (cohort["seen"], cohort["alarming"]) == (True, True)
        assert not Alert.objects.filter(code="calibration").exists()


def test_early_signs_come_before_the_outcomes(kribi):
    watch_institution(kribi.pk, on=AS_OF)

    with tenant_scope(kribi.pk):
        early = MonitoringFigures.objects.get(kind="early").figures
    months = {month["month"]: month for month in early["months"]}
    assert 0 < months["2025-01"]["late"] <= months["2025-01"]["aged"]
    assert months["2026-11"]["aged"] == 0
    assert early["late"]["before"][1] > early["late"]["now"][1] > 0


def test_a_large_portfolio_is_sampled_evenly(world, monkeypatch):
    monkeypatch.setattr("apps.monitoring.services.gathering.MOST_ROWS", 500)
    monkeypatch.setattr("apps.monitoring.services.gathering.CHUNK", 100)

    with world.scope():
        plan = plan_watch(champion(), on=AS_OF)
        gathered, after = Gathered(), 0
        while after is not None:
            after = gather_next(gathered, plan, after=after)
    assert plan.every == 4
    assert 400 <= len(gathered.day) <= 500


def test_volumes_count_applications_and_the_scores_of_the_version(world):
    with world.scope():
        lines = volumes(champion(), start=dt.date(2026, 1, 1), on=AS_OF)
        came = CreditApplication.objects.filter(applied_on__range=("2026-01-01", AS_OF)).count()
        scored = Prediction.objects.filter(model_version=champion()).count()
    assert sum(line["applications"] for line in lines) == came
    assert sum(line["scores"] for line in lines) == scored


def test_agents_see_no_figure_of_officers_or_agencies(world):
    watch(world)

    with world.scope():
        for email, kinds in ((world.risk_manager, 2), (world.auditor, 2), (world.agent, 0)):
            found = watch_of(champion(), world.actor(email))
            assert len({"agency", "officer"} & set(found.figures)) == kinds
            assert ("agence" in [each["by"] for each in found.figures["treatment"]]) is bool(kinds)


def test_alerts_are_told_to_who_may_propose_a_model(world):
    with world.scope():
        told = {user.email for user in risk_managers(world.institution_id("horizon"))}

    assert told == {"risques@horizon.demo", "risques2@horizon.demo"}


def test_several_alerts_of_a_code_are_one_notice(world):
    def drifted(about):
        told = {"psi": 0.4, "limit": 0.1, "reference": 900, "current": 300}
        return Finding("variable_shift", "watch", "look_closer", told, about=about)

    with world.scope():
        Alert.objects.all().delete()
        by, version = task_actor(world.institution_id("horizon")), champion()

        def notices():
            return OutboxMessage.objects.filter(payload__code="monitoring.variable_shift").count()

        before = notices()
        sync_alerts(version=version, found=[drifted("age"), drifted("revenu_mensuel")], by=by)
        assert notices() == before + 1
        sync_alerts(version=version, found=[drifted("age")], by=by)
        assert notices() == before + 1
        assert [alert.about for alert in Alert.objects.open()] == ["age"]
        sync_alerts(version=version, found=[], by=by)
        assert notices() == 0


@pytest.mark.parametrize(
    ("told", "days"),
    [
        ({"from": "01/02/2024", "to": "31/01/2025"}, (dt.date(2024, 2, 1), dt.date(2025, 1, 31))),
        ({"from": "2024-02-01", "to": "2025-01-31"}, (dt.date(2024, 2, 1), dt.date(2025, 1, 31))),
    ],
)
def test_the_period_of_a_manifest_is_read(told, days):
    period = training_period(told)

    assert (period.first, period.last) == days


@pytest.mark.parametrize(
    "told", [{}, None, {"from": "hier", "to": 3}, {"from": "2025-02-01", "to": "2024-01-01"}]
)
def test_a_manifest_without_a_period_has_none(told):
    assert training_period(told) is None


def test_the_champion_comes_before_its_challengers(world):
    with world.scope():
        assert [version.status for version in watched_versions()] == ["champion"]
