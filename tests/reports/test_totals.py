"""What reports add up to equals what SQL counts, for each role's own sight; nothing of another agency."""

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.db.models import F

from apps.audit.models import AuditEntry
from apps.institutions.models import Agency
from apps.reports.queries.activity import activity, by_agency, by_analyst
from apps.reports.queries.documents import Document
from apps.reports.queries.lines import score_lines
from apps.reports.rules import role_may_ask
from apps.reports.services.making import ask_report, make_at_once, open_report, wish_for
from apps.tenancy.errors import NotAllowed, ObjectNotFound
from tests.world import AS_OF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]
FIRST, LAST = AS_OF - dt.timedelta(days=900), AS_OF + dt.timedelta(days=30)
SHEETS = ("fiche-analyse", "fiche-client", "dossier-decision", "courrier")
ASKERS = ("analyste", "agent", "risques", "comite", "admin", "auditeur", "commercial")


def wish(by, kind="activite", **more):
    return wish_for(kind=kind, by=by, language="fr", **{"starts_on": FIRST, "ends_on": LAST, **more})


def counted(by, *, own):
    """Count by plain SQL what a person's report must hold: its agencies, and its own work only if ``own``."""
    where, values = "institution_id = %s", [by.institution_id]
    scored, its = where, list(values)
    if by.agency_ids is not None:
        keys = sorted(by.agency_ids)
        where += " AND agency_id = ANY(%s)"
        scored += " AND (agency_id = ANY(%s) OR agency_id IS NULL AND author_id = %s)"
        values, its = [*values, keys], [*its, keys, by.id]
    if own:
        where, scored = f"{where} AND author_id = %s", f"{scored} AND author_id = %s"
        values, its = [*values, by.id], [*its, by.id]
    granted = "('approved', 'approved_conditionally', 'disbursed')"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(montant_credit), 0), "  # noqa: S608  our own words
            f"count(*) FILTER (WHERE status IN {granted}), count(*) FILTER (WHERE status = 'declined') "
            f"FROM credits_creditapplication WHERE {where} "
            "AND applied_on BETWEEN %s AND %s",
            [*values, FIRST, LAST],
        )
        applications = cursor.fetchone()
        cursor.execute(
            f"SELECT count(*), avg(points), avg(pd), count(*) FILTER (WHERE predicted_default) "  # noqa: S608  our own words
            f"FROM scoring_prediction WHERE {scored} "
            "AND (created_at AT TIME ZONE 'Africa/Douala')::date BETWEEN %s AND %s",
            [*its, FIRST, LAST],
        )
        return applications, cursor.fetchone()


def facts_of(document: Document):
    return {fact.label: fact.value for fact in document.facts}


@pytest.mark.parametrize("local_part", ASKERS)
def test_the_totals_are_those_of_sql_for_each_role(world, local_part):
    by = world.actor(f"{local_part}@horizon.demo")
    with world.scope():
        document = activity(wish(by))
        (count, amount, granted, declined), (scores, points, pd, defaults) = counted(
            by, own=local_part in {"analyste", "agent"}
        )

    facts = list(facts_of(document).values())
    assert facts[0] == count
    assert facts[1] == amount
    assert facts[2] == (granted / (granted + declined) if granted + declined else None)
    assert facts[3] == scores
    if scores:
        assert facts[4] == pytest.approx(float(points))
        assert facts[5] == pytest.approx(float(pd))
        assert facts[6] == pytest.approx(defaults / scores)
    by_month = document.tables[0]
    assert sum(row[1] for row in by_month.rows) == count == by_month.total[1]
    assert sum(row[6] for row in by_month.rows) == scores
    assert [sum(row[1] for row in table.rows) for table in document.tables[1:4]] == [scores] * 3


def test_groups_add_up_to_the_whole(world):
    by = world.actor(world.risk_manager)
    with world.scope():
        for made in (by_analyst, by_agency):
            table = made(wish(by, kind="agences")).tables[0]
            assert len(table.rows) > 1
            for place in (1, 2, 3, 4, 6):
                assert sum(row[place] for row in table.rows) == table.total[place]


def test_one_day_holds_what_happened_on_it_here(world):
    """A score of 23:30 in Douala belongs to that day, although it is the next one nowhere else."""
    by = world.actor(world.risk_manager)
    with world.scope():
        table = activity(wish(by, starts_on=AS_OF - dt.timedelta(days=20), ends_on=AS_OF)).tables[0]
        days = [row[0] for row in table.rows]
    assert days == sorted(days)
    assert all(isinstance(day, dt.date) and AS_OF - dt.timedelta(days=20) <= day <= AS_OF for day in days)


def rows_of(report, by):
    _stored, path = open_report(report=report, by=by)
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")), delimiter=";"))


def made(by, kind="scores", form="csv", **more):
    asked = wish(by, kind=kind, **more)
    return make_at_once(report=ask_report(wish=asked, format=form), wish=asked)


def test_an_agency_members_export_holds_no_row_of_another_agency(world):
    by = world.actor(world.agent)
    assert by.agency_ids is not None
    with world.scope():
        others = list(Agency.objects.exclude(pk__in=by.agency_ids).values_list("name", flat=True))
        lines = score_lines(wish(by, kind="scores"))
        report = made(by)
        rows = rows_of(report, by)
        whole = made(world.actor(world.risk_manager))
        every_agency = {row[4] for row in rows_of(whole, world.actor(world.risk_manager))[1:]}

    assert others
    assert every_agency & set(others)
    assert len(rows) - 1 == len(lines.tables[0].rows)
    assert not {row[4] for row in rows[1:]} & set(others)


def test_an_agency_out_of_sight_cannot_be_asked_for(world):
    by = world.actor(world.agent)
    with world.scope():
        other = Agency.objects.exclude(pk__in=by.agency_ids).first()
        with pytest.raises(ObjectNotFound):
            wish(by, kind="scores", agency_uid=other.uid)


def test_one_agency_holds_its_rows_only(world):
    by = world.actor(world.risk_manager)
    with world.scope():
        agency = Agency.objects.order_by("pk").first()
        rows = rows_of(made(by, agency_uid=agency.uid), by)

    assert {row[4] for row in rows[1:]} == {agency.name}


def test_every_export_has_its_audit_entries(world):
    by = world.actor(world.risk_manager)
    with world.scope():
        report = made(by, kind="agences", form="xlsx")
        open_report(report=report, by=by)
        entries = AuditEntry.objects.filter(object_uid=report.uid).order_by("pk")
        told = [(entry.action, entry.actor_id) for entry in entries]
        last = entries.last()

    assert told == [("report.ask", by.id), ("report.download", by.id)]
    assert last.after["sha256"] == report.file.sha256


@pytest.mark.parametrize(
    ("local_part", "kinds"),
    [
        (
            "analyste",
            {"activite", "scores", "modele", "fiche-analyse", "fiche-client", "dossier-decision", "courrier"},
        ),
        ("commercial", {"activite", "analystes", "agences", "modele"}),
        ("dpo", {"audit", "modele", *SHEETS}),
    ],
)
def test_each_role_asks_for_its_own_reports(world, local_part, kinds):
    from apps.reports.enums import ReportKind

    by = world.actor(f"{local_part}@horizon.demo")

    assert {kind for kind in ReportKind.values if role_may_ask(kind, by.role)} == kinds
    with world.scope():
        for kind in {"scores", "coherence", "agences", "audit"} - kinds:
            with pytest.raises(NotAllowed):
                wish(by, kind=kind)


def test_a_formula_in_a_name_is_no_formula_in_a_file(world):
    from openpyxl import load_workbook

    from apps.credits.models import Client

    by = world.actor(world.risk_manager)
    with world.scope():
        Client.objects.filter(predictions__isnull=False).update(last_name="=1+1", first_names=F("last_name"))
        rows = rows_of(made(by), by)
        _stored, path = open_report(report=made(by, form="xlsx"), by=by)
        book = load_workbook(path)
    sheet = book.worksheets[-1]

    named = [row[3] for row in rows[1:] if "1+1" in row[3]]
    assert named
    assert not [name for name in named if name.startswith("=")]
    cells = [row[3] for row in sheet.iter_rows(min_row=2) if row[3].value and "1+1" in row[3].value]
    assert cells
    assert {cell.data_type for cell in cells} == {"s"}
    assert sheet.freeze_panes == "A2"
    assert {row[12].number_format for row in sheet.iter_rows(min_row=2)} == {"0.00%"}
    assert {row[0].data_type for row in sheet.iter_rows(min_row=2)} == {"d"}


def test_the_audit_report_counts_entries_decisions_and_readings(world):
    from apps.decisions.models import Decision
    from apps.reports.queries.lines import trail

    by = world.actor(world.auditor)
    with world.scope():
        open_report(report=made(world.actor(world.risk_manager)), by=world.actor(world.risk_manager))
        document = trail(wish(by, kind="audit", ends_on=dt.date(2999, 1, 1), starts_on=dt.date(2998, 1, 1)))
        empty = [len(table.rows) for table in document.tables]
        today = dt.datetime.now(dt.UTC).date()
        days = {"starts_on": today - dt.timedelta(days=700), "ends_on": today + dt.timedelta(days=2)}
        document = trail(wish(by, kind="audit", **days))
        count = AuditEntry.objects.count()
        decisions = Decision.objects.filter(is_retrospective=False).count()
        name = str(world.user(world.risk_manager))
    actions, deciders, people, _refused = document.tables

    assert empty == [0, 0, 0, 0]
    assert document.facts[0].value == count == sum(row[2] for row in actions.rows)
    assert sum(row[1] for row in deciders.rows) == decisions
    assert sum(row[4] for row in people.rows) == count
    assert next(row[3] for row in people.rows if row[0] == name) >= 1
    assert ("Rapport téléchargé" in {row[0] for row in actions.rows}) or (
        "Report downloaded" in {row[0] for row in actions.rows}
    )
