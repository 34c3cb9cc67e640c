"""« Rapports »: asked for, followed, downloaded, scheduled; without JavaScript."""

import datetime as dt

import pytest
from django.core import mail
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.institutions.models import Agency
from apps.jobs.models import Job
from apps.jobs.services import claim_job, finish_job
from apps.outbox.services import deliver_next
from apps.reports.models import Report, ReportSchedule
from apps.reports.services.making import make_report
from apps.reports.services.schedules import ask_due, days_before, next_day
from apps.reports.services.telling import write_week_to_risk_managers
from apps.scoring.models import Prediction
from apps.web.reports import views
from tests.statements import own_statements
from tests.world import AS_OF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]

LIST = "/rapports"
MONTH = {"starts_on": "2026-11-01", "ends_on": "2026-11-21", "language": "fr"}


@pytest.fixture(autouse=True)
def _papers(monkeypatch):
    monkeypatch.setattr(views, "can_write_pdf", lambda: True)


@pytest.fixture
def sent(monkeypatch):
    """Keep the jobs that would have been sent to a worker."""
    asked = []
    monkeypatch.setattr(views.write_report, "apply_async", lambda args, **_more: asked.append(args[0]))
    return asked


def run(world, job_uid, code="horizon"):
    with world.scope(code):
        claim = claim_job(uid=job_uid)
        assert claim is not None
        finish_job(claim=claim, result=make_report(claim))


def content_of(answer):
    return b"".join(answer.streaming_content)


def test_the_report_of_the_month_is_three_clicks_away(world, page):
    """Rapports, then « Activité du mois », then Excel: the workbook comes with the answer."""
    client = page("commercial@horizon.demo")
    first = client.get(LIST).content.decode()
    address = reverse("web:report_new", args=["activite"])
    second = client.get(address)

    assert f'href="{address}"' in first
    form = second.context["form"]
    filled = {
        name: form.get_initial_for_field(form.fields[name], name)
        for name in ("starts_on", "ends_on", "language")
    }
    answer = client.post(address, {**filled, "format": "xlsx"})

    assert answer.status_code == 200
    assert answer["Content-Disposition"].endswith('.xlsx"') or ".xlsx" in answer["Content-Disposition"]
    assert content_of(answer).startswith(b"PK")
    with world.scope():
        report = Report.objects.get(requested_by=world.user("commercial@horizon.demo"))
        told = AuditEntry.objects.filter(object_uid=report.uid).values_list("action", flat=True)
        assert sorted(told) == ["report.ask", "report.download"]
        assert report.job.status == "done"
        assert report.expires_on == report.file.expires_on


def test_a_pdf_is_asked_for_followed_and_downloaded(
    world, page, sent, django_capture_on_commit_callbacks, monkeypatch
):
    monkeypatch.setattr("apps.reports.services.making.write_pdf", lambda *_args, **_more: b"%PDF-1.7 told")
    client = page(world.analyst)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("web:report_new", args=["activite"]), {**MONTH, "format": "pdf"})
    assert answer.status_code == 302
    waiting = client.get(answer.url).content.decode()
    early = client.get(f"{answer.url}/fichier")

    assert f'hx-get="{answer.url}"' in waiting
    assert f"{answer.url}/fichier" not in waiting
    assert early.status_code == 302

    run(world, sent[0])
    done = client.get(answer.url)
    body = done.content.decode()
    told = client.get(answer.url, headers={"HX-Request": "true"})
    file = client.get(f"{answer.url}/fichier")

    assert f'href="{answer.url}/fichier"' in body
    assert told["HX-Refresh"] == "true"
    assert content_of(file) == b"%PDF-1.7 told"


def test_a_report_is_its_askers_alone(world, page):
    with world.scope():
        report = Report.objects.get(requested_by=world.user(world.analyst))
    for person in (world.risk_manager, world.auditor, world.administrator, world.outsider):
        for path in (f"{LIST}/{report.uid}", f"{LIST}/{report.uid}/fichier"):
            assert page(person).get(path).status_code == 404
        assert str(report.uid) not in page(person).get(LIST).content.decode()
    assert page(world.analyst).get(f"{LIST}/{report.uid}").status_code == 200


@pytest.mark.parametrize("kind", ["scores", "audit", "coherence"])
def test_a_kind_of_another_role_is_refused(page, kind):
    assert page("commercial@horizon.demo").get(reverse("web:report_new", args=[kind])).status_code == 403


def test_an_unknown_kind_is_not_found(page, world):
    assert page(world.analyst).get(reverse("web:report_new", args=["bilan"])).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts_on": "2026-11-21", "ends_on": "2026-11-01"},
        {"starts_on": "2020-01-01", "ends_on": "2026-11-01"},
        {"starts_on": "", "ends_on": "2026-11-01"},
        {"format": "docx"},
        {"format": ""},
    ],
)
def test_what_cannot_be_used_is_said_beside_it(world, page, wrong):
    answer = page(world.analyst).post(
        reverse("web:report_new", args=["activite"]), {**MONTH, "format": "csv", **wrong}
    )

    assert answer.status_code == 422
    with world.scope():
        assert Report.objects.count() == 1


def test_an_agent_cannot_choose_another_agency(world, page):
    by = world.actor(world.agent)
    with world.scope():
        other = Agency.objects.exclude(pk__in=by.agency_ids).first()
    answer = page(world.agent).post(
        reverse("web:report_new", args=["activite"]), {**MONTH, "format": "csv", "agency": str(other.uid)}
    )

    assert answer.status_code == 422


def test_the_figures_are_shown_before_anything_is_written(world, page):
    answer = page(world.risk_manager).get(
        reverse("web:report_new", args=["activite"]), {**MONTH, "starts_on": "2024-01-01"}
    )

    assert answer.status_code == 200
    assert len(answer.context["facts"]) == 9
    with world.scope():
        assert Report.objects.filter(requested_by=world.user(world.risk_manager)).count() == 0


@pytest.mark.parametrize("path", ["rapports", "rapports/nouveau/activite", "rapports/programmes"])
def test_pages_ask_few_questions(world, page, path):
    client = page(world.analyst)
    client.get(f"/{path}")
    with own_statements() as told:
        assert client.get(f"/{path}").status_code == 200

    assert len(told) <= 6, told


def test_without_pango_the_page_says_so_and_offers_the_others(world, page, monkeypatch):
    monkeypatch.setattr(views, "can_write_pdf", lambda: False)
    address = reverse("web:report_new", args=["activite"])
    body = page(world.analyst).get(address).content.decode()

    assert 'value="pdf"' not in body
    assert "Pango" in body
    assert 'value="xlsx"' in body
    made = page(world.analyst).post(address, {**MONTH, "format": "csv"})
    assert content_of(made).startswith(b"\xef\xbb\xbf")


def a_score(world, email):
    by = world.actor(email)
    rows = Prediction.objects.exclude(application=None).select_related("application")
    return rows.filter(agency_id__in=by.agency_ids) if by.agency_ids else rows


def test_the_clients_sheet_is_shown_read_is_recorded_and_the_pdf_is_asked_for(
    world, page, sent, django_capture_on_commit_callbacks
):
    with world.scope():
        score = a_score(world, world.analyst).first()
    client = page(world.analyst)
    address = reverse("web:report_new", args=["fiche-client"])
    french = client.get(address, {"sujet": str(score.uid), "langue": "fr"}).content.decode()
    english = client.get(address, {"sujet": str(score.uid), "langue": "en"}).content.decode()

    assert "Pourquoi ai-je obtenu ce score" in french
    assert '<article class="paper report-paper" lang="fr">' in french
    assert "Why did I get this score?" in english
    with world.scope():
        reads = AuditEntry.objects.filter(action="prediction.read", object_uid=score.uid)
        assert reads.count() == 2
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(address, {"sujet": str(score.uid), "langue": "fr", "format": "pdf"})
    assert answer.status_code == 302
    assert len(sent) == 1
    with world.scope():
        assert Job.objects.get(uid=sent[0]).kind == "report"


@pytest.mark.parametrize("kind", ["fiche-client", "fiche-analyse", "dossier-decision", "courrier"])
def test_a_sheet_of_another_agency_is_unknown(world, page, kind):
    by = world.actor(world.agent)
    with world.scope():
        other = Prediction.objects.exclude(application=None).exclude(agency_id__in=by.agency_ids).first()
        subject = other.application.uid if kind == "dossier-decision" else other.uid
    client = page(world.agent)
    address = reverse("web:report_new", args=[kind])

    assert client.get(address, {"sujet": str(subject)}).status_code == 404
    assert client.post(address, {"sujet": str(subject), "format": "pdf"}).status_code == 404
    assert client.get(address, {"sujet": "rien"}).status_code == 404


def test_a_score_leads_to_its_sheets(world, page):
    with world.scope():
        score = a_score(world, world.analyst).first()
    client = page(world.analyst)
    body = client.get(f"/scores/{score.uid}").content.decode()
    paper = client.get(f"/scores/{score.uid}/fiche").content.decode()

    assert f"{reverse('web:report_new', args=['fiche-client'])}?sujet={score.uid}" in body
    assert f'action="{reverse("web:report_new", args=["fiche-analyse"])}"' in paper


def test_the_file_for_decision_is_shown(world, page):
    with world.scope():
        score = a_score(world, world.analyst).first()
    body = page(world.analyst).get(
        reverse("web:report_new", args=["dossier-decision"]), {"sujet": str(score.application.uid)}
    )

    assert body.status_code == 200
    assert score.application.reference in body.content.decode()


def test_a_report_is_scheduled_made_for_each_recipient_and_told_by_a_link(world, page, settings):
    settings.SITE_URL = "https://credit.example"
    risk, auditor = world.user(world.risk_manager), world.user(world.auditor)
    address = reverse("web:report_schedule", args=["agences"])
    client = page(world.risk_manager)
    shown = client.get(address).content.decode()
    assert str(auditor.uid) in shown
    assert str(world.user(world.agent).uid) not in shown  # an agent may not read this one
    answer = client.post(
        address,
        {
            "frequency": "weekly",
            "format": "csv",
            "language": "fr",
            "recipients": [str(risk.uid), str(auditor.uid)],
        },
    )
    assert answer.status_code == 302
    with world.scope():
        schedule = ReportSchedule.objects.get(created_by=risk)
        assert schedule.next_on.weekday() == 0
        asked = ask_due(on=schedule.next_on)
        mine = [report for report in asked if report.schedule_id == schedule.pk]
        assert {report.requested_by_id for report in mine} == {risk.pk, auditor.pk}
        assert {(report.ends_on - report.starts_on).days for report in mine} == {6}
        assert ask_due(on=schedule.next_on) == []
    for report in mine:
        run(world, report.job.uid)
    with world.scope():
        while deliver_next():
            pass
    letters = {letter.to[0]: letter.body for letter in mail.outbox}

    assert set(letters) >= {risk.email, auditor.email}
    told = letters[auditor.email]
    own = next(report for report in mine if report.requested_by_id == auditor.pk)
    assert f"https://credit.example/rapports/{own.uid}" in told
    assert content_of(page(world.auditor).get(f"{LIST}/{own.uid}/fichier")).startswith(b"\xef\xbb\xbf")
    assert page(world.risk_manager).get(f"{LIST}/{own.uid}/fichier").status_code == 404


def test_who_may_not_read_it_cannot_be_a_recipient(world, page):
    answer = page(world.risk_manager).post(
        reverse("web:report_schedule", args=["agences"]),
        {
            "frequency": "weekly",
            "format": "csv",
            "language": "fr",
            "recipients": [str(world.user(world.agent).uid)],
        },
    )

    assert answer.status_code == 422


def test_a_schedule_is_stopped_by_who_made_it(world, page):
    with world.scope():
        schedule = ReportSchedule.objects.get(created_by=world.user(world.analyst))
    address = reverse("web:report_schedule_stop", args=[schedule.uid])

    assert page(world.risk_manager).post(address).status_code == 404
    assert page(world.analyst).post(address).status_code == 302
    with world.scope():
        schedule.refresh_from_db()
        assert schedule.stopped_at is not None
        assert ask_due(on=schedule.next_on) == []


def test_risk_managers_get_a_letter_a_week_without_a_name(world):
    with world.scope():
        assert write_week_to_risk_managers(until=AS_OF) >= 1
        while deliver_next():
            pass
    weekly = [letter for letter in mail.outbox if "rapports" in letter.body]
    letters = [letter for letter in weekly if letter.to == [world.risk_manager]]

    assert len(letters) == 1
    with world.scope():
        people = [str(world.user(email)) for email in (world.analyst, world.agent, world.risk_manager)]
    assert not [name for name in people if name in letters[0].body]


def test_due_days():
    monday, first = dt.date(2026, 11, 23), dt.date(2026, 12, 1)

    assert next_day("weekly", dt.date(2026, 11, 22)) == monday
    assert next_day("weekly", monday) == dt.date(2026, 11, 30)
    assert next_day("monthly", dt.date(2026, 11, 30)) == first
    assert next_day("monthly", first) == dt.date(2027, 1, 1)
    assert days_before("weekly", monday) == (dt.date(2026, 11, 16), dt.date(2026, 11, 22))
    assert days_before("monthly", first) == (dt.date(2026, 11, 1), dt.date(2026, 11, 30))
