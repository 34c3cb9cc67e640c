"""Twelve monthly balances sent as files: the outcomes derived from them are those that are known."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.credits.enums import EntrySource
from apps.credits.importing.jobs import import_rows
from apps.credits.importing.runs import confirm_import
from apps.credits.models import CreditApplication, CreditStatement
from apps.credits.services.outcomes import STATEMENTS
from apps.credits.tasks import derive_institution
from apps.demo.cast import INSTITUTIONS
from apps.demo.synthetic.books import write_books
from apps.demo.synthetic.portfolio import generate
from apps.demo.synthetic.sheets import sheets_of, write_sheets
from tests.importing import checked, counts, done, imported, undone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]

AS_OF = dt.date(2026, 11, 21)
LAST = dt.date(2026, 10, 31)
FIRST = dt.date(2025, 11, 30)
PREFIX = "T"


@pytest.fixture
def analyst(world):
    return world.actor(world.analyst)


@pytest.fixture(scope="module")
def portfolio():
    horizon = next(each for each in INSTITUTIONS if each.code == "horizon")
    cities = [city for city, _region in horizon.cities]
    return generate(rows=4_000, as_of=AS_OF, seed=11, cities=cities)


@pytest.fixture(scope="module")
def files(portfolio, tmp_path_factory):
    """Give the files of the generator by name, as French Excel writes them."""
    sheets = sheets_of(portfolio, write_books(portfolio, as_of=AS_OF, seed=11), prefix=PREFIX)
    return {path.stem: path for path in write_sheets(sheets, tmp_path_factory.mktemp("classeurs"))}


def upload(path):
    return SimpleUploadedFile(path.name, path.read_bytes(), content_type="text/csv")


@pytest.fixture
def portfolio_imported(world, analyst, files):
    """Clients, applications and credits imported; what each import did."""
    run = checked(world, analyst, upload(files["clients"]), "clients")
    with world.scope():
        confirm_import(run=run, mode="valid", keep_duplicates=True, by=analyst)
    clients = done(world, run, import_rows)
    applications = imported(world, analyst, upload(files["demandes"]), "applications")
    lent = imported(world, analyst, upload(files["credits"]), "credits")
    return clients, applications, lent


def months(files):
    """Return the balances of the last twelve months, in order."""
    return [files[name] for name in sorted(name for name in files if name.startswith("balance_"))[-12:]]


def told(world):
    """Return the outcomes derived from balances: reference without the prefix -> outcome and day."""
    with world.scope():
        rows = CreditApplication.objects.filter(
            reference__startswith=PREFIX, outcome_source=STATEMENTS
        ).values_list("reference", "outcome", "outcome_date")
        return {reference.removeprefix(PREFIX): (outcome, day) for reference, outcome, day in rows}


def test_twelve_balances_tell_the_outcomes_that_are_known(
    world, analyst, portfolio, files, portfolio_imported
):
    clients, applications, lent = portfolio_imported
    assert [run.rows_rejected for run in (clients, applications, lent)] == [0, 0, 0]
    assert applications.rows_new == len(portfolio.applications)
    for path in months(files):
        run = imported(world, analyst, upload(path), "statements")
        assert (run.rows_new, run.rows_rejected) == (run.rows_total, 0)
    derive_institution(world.institution_id("horizon"))
    rows = portfolio.applications.reset_index(drop=True)
    expected = {
        f"D-{row['submitted_on']:%Y}-{number:06d}": row
        for number, row in enumerate(rows.to_dict("records"), start=1)
    }
    derived = told(world)
    for reference, (outcome, day) in derived.items():
        assert outcome == expected[reference]["outcome"]
        if outcome == "default":
            assert day == expected[reference]["outcome_date"]
    followed = {
        reference
        for reference, row in expected.items()
        if isinstance(row["disbursed_on"], dt.date)
        and FIRST - dt.timedelta(days=92) <= row["disbursed_on"] <= dt.date(2025, 10, 31)
    }
    # What is listed no more when the first balance is drawn has no line at all.
    silent = followed - set(derived)
    with world.scope():
        lines = CreditStatement.objects.filter(source=EntrySource.IMPORT)
        assert not lines.filter(
            credit__reference__in=[PREFIX + each.replace("D-", "P-", 1) for each in silent]
        ).exists()
    assert len(silent) < 0.03 * len(followed)
    defaults = [reference for reference, (outcome, _day) in derived.items() if outcome == "default"]
    assert len(followed & set(derived)) > 100
    assert len(defaults) > 8


def test_the_same_month_sent_again_updates_its_lines(world, analyst, files, portfolio_imported):
    path = months(files)[-1]
    run = imported(world, analyst, upload(path), "statements")
    again = imported(world, analyst, upload(path), "statements")
    assert counts(again) == (0, 0, run.rows_new, 0, 0)
    text = path.read_bytes().decode("cp1252").replace("31/10/2026", "30/10/2026")
    lines = text.splitlines(keepends=True)
    other = imported(
        world, analyst, SimpleUploadedFile("octobre.csv", "".join(lines[:53]).encode("cp1252")), "statements"
    )
    assert counts(other) == (0, 50, 0, 0, 0)
    with world.scope():
        mine = CreditStatement.objects.filter(source=EntrySource.IMPORT, date__gte=dt.date(2026, 10, 1))
        assert mine.count() == run.rows_new
        assert mine.filter(date=dt.date(2026, 10, 30)).count() == 50
    undone(world, analyst, other)
    with world.scope():
        assert mine.filter(date=LAST).count() == run.rows_new
