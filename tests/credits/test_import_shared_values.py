"""One value for every row, of what no column of the file holds."""

import datetime as dt

import pytest

from apps.credits.enums import ImportStep
from apps.credits.importing.jobs import check_rows, import_rows
from apps.credits.importing.runs import confirm_import, prepare_import, receive_import, settle_import
from apps.credits.models import Client, Credit, CreditApplication, CreditStatement, ImportMapping
from apps.tenancy.errors import InvalidValues
from tests.importing import checked, counts, done, found, imported, undone, upload_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]

DAY = dt.date(2026, 10, 31)


@pytest.fixture
def analyst(world):
    return world.actor(world.analyst)


@pytest.fixture
def balance(world):
    """Return the lines of a balance whose day is in its title only."""
    with world.scope():
        running = Credit.objects.filter(closed_on=None, disbursed_on__lt=DAY).order_by("pk")[:3]
        return [
            {"Référence du crédit": credit.reference, "Encours": "150 000", "Jours de retard": str(place)}
            for place, credit in enumerate(running)
        ]


def lines_of(world, balance):
    references = [line["Référence du crédit"] for line in balance]
    with world.scope():
        rows = CreditStatement.objects.filter(credit__reference__in=references, outstanding_xaf=150_000)
        return sorted(rows.values_list("date", "days_late"))


def test_the_day_of_a_balance_may_be_told_beside_the_file(world, analyst, balance):
    run = imported(world, analyst, upload_of(balance), "statements", common={"date": "31/10/2026"})

    assert counts(run) == (3, 0, 0, 0, 0)
    assert lines_of(world, balance) == [(DAY, 0), (DAY, 1), (DAY, 2)]

    again = imported(world, analyst, upload_of(balance), "statements", common={"date": "2026-10-31"})
    assert counts(again) == (0, 0, 3, 0, 0)
    undone(world, analyst, run)
    assert lines_of(world, balance) == []


def test_a_day_is_read_in_the_order_of_the_file(world, analyst, balance):
    with world.scope():
        run = receive_import(upload=upload_of(balance), target="statements", by=analyst)
        prepared = prepare_import(run=run)
        settle_import(
            run=run,
            matches=prepared.matches,
            dialect=prepared.dialect.replaced(day_first=False),
            common={"date": "10/09/2026"},
            by=analyst,
        )
        confirm_import(run=done(world, run, check_rows), mode="valid", by=analyst)
    done(world, run, import_rows)

    assert [day for day, _late in lines_of(world, balance)] == [dt.date(2026, 10, 9)] * 3


def test_a_raw_table_of_home_credit_lacks_only_what_is_told_beside_it(world, analyst):
    with world.scope():
        references = list(Client.objects.order_by("pk").values_list("reference", flat=True)[:2])
    rows = [
        {
            "SK_ID_CURR": reference, "TARGET": str(place), "CODE_GENDER": "F", "DAYS_BIRTH": "-13880",
            "AMT_INCOME_TOTAL": "3600000.0", "AMT_CREDIT": "450000.0", "DAYS_EMPLOYED": "365243",
        }
        for place, reference in enumerate(references)
    ]  # fmt: skip
    told = {
        "duree_mois": "12", "taux_interet": "24,5", "type_credit": "consommation",
        "type_contrat_travail": "informel", "applied_on": "02/01/2025",
    }  # fmt: skip

    run = imported(world, analyst, upload_of(rows), "applications", common=told)

    assert counts(run) == (2, 0, 0, 0, 0)
    with world.scope():
        stored = CreditApplication.objects.filter(
            client__reference__in=references, applied_on=dt.date(2025, 1, 2)
        )
        facts = ("montant_credit", "revenu_mensuel", "duree_mois", "taux_interet", "type_credit", "outcome")
        assert sorted(stored.values_list(*facts)) == [
            (450_000, 300_000, 12, 24.5, "consommation", "default"),
            (450_000, 300_000, 12, 24.5, "consommation", "good"),
        ]


@pytest.mark.parametrize(
    ("target", "name", "text"),
    [
        ("statements", "date", "31/02/2026"),
        ("statements", "date", "01/01/2090"),
        ("statements", "date", "31/10/2026\0"),
        ("statements", "date", "2" * 201),
        ("statements", "outstanding_xaf", "1"),
        ("statements", "days_late", "3"),
        ("statements", "ville", "Douala"),
        ("applications", "taux_interet", "1000"),
        ("applications", "duree_mois", "douze"),
        ("applications", "type_credit", "inconnu"),
        ("applications", "montant_credit", "500000"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_and_nothing_is_settled(
    world, analyst, balance, target, name, text
):
    with world.scope():
        run = receive_import(upload=upload_of(balance), target=target, by=analyst)
        matches = prepare_import(run=run).matches
        told = {"date": "31/10/2026", name: text}
        with pytest.raises(InvalidValues) as refusal:
            settle_import(run=run, matches=matches, common=told, by=analyst)

        assert name in refusal.value.fields
        assert all(message.endswith(".") for message in refusal.value.fields[name])
        run = found(world, run)
        assert (run.step, run.common, run.job) == (ImportStep.SETTLING, {}, None)
        assert not ImportMapping.objects.filter(target=target).exists()


def test_what_is_told_for_all_the_rows_is_judged_with_each_of_them(world, analyst, balance):
    """A balance from before the credits: each line is refused for it, and none is written."""
    run = checked(world, analyst, upload_of(balance), "statements", common={"date": "01/01/1999"})

    assert counts(run) == (0, 0, 0, 0, 3)
