"""Applications, credits, schedules and repayments from files: what is taken, what is refused and why."""

import csv
import datetime as dt
import io
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from django.utils.timezone import localdate

from apps.credits.enums import ApplicationStatus, CreditStatus, EntrySource, ImportMode
from apps.credits.errors import ImportBuiltOn
from apps.credits.importing.jobs import import_rows
from apps.credits.importing.registry import TARGETS
from apps.credits.importing.runs import confirm_import, first_problems
from apps.credits.importing.templates import import_template
from apps.credits.models import Client, Credit, CreditApplication, CreditStatement, Installment, Repayment
from apps.credits.queries.ledger import compare_arrears
from apps.credits.services.ledger import Disbursement, disburse_application
from apps.credits.services.outcomes import derive_outcomes
from apps.files.reading.mapping import Conversion, key_of, propose
from apps.files.reading.rows import chunks, header
from apps.files.reading.surveys import survey
from apps.files.reading.values import typed_chunk
from apps.tenancy.errors import ObjectNotFound
from tests.dictionary import declared, draft, stall
from tests.importing import checked, counts, done, imported, undone, upload_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]


@pytest.fixture
def analyst(world):
    return world.actor(world.analyst)


@pytest.fixture
def clients(world):
    """Three clients born on 14/03/1980 without any credit."""
    with world.scope():
        agency = Client.objects.select_related("agency").order_by("pk").first().agency
        return [
            Client.objects.create(
                agency=agency,
                reference=f"X-{number}",
                last_name=f"Essai{number}",
                search_name=f"essai{number}",
                birth_date=dt.date(1980, 3, 14),
                sex="F",
            )
            for number in range(3)
        ]


def demand(number, client, **changes):
    return {
        "N° dossier": f"X-D-{number}",
        "Code client": client.reference,
        "Date de la demande": "10/01/2025",
        "Revenu mensuel": "200 000",
        "Montant du crédit": "1 200 000",
        "Durée (mois)": "12",
        "Taux annuel (%)": "24",
        "Type de crédit": "Fonds de roulement",
        "Décision": "Accordée",
        "Défaut": "",
        "Date défaut": "",
        **changes,
    }


def loan(number, client, **changes):
    return {
        "N° crédit": f"X-P-{number}",
        "Code client": client.reference,
        "N° dossier": "",
        "Montant décaissé": "1 200 000",
        "Date de décaissement": "15/01/2025",
        "Taux annuel (%)": "0",
        "Durée (mois)": "12",
        "Type de crédit": "consommation",
        "Statut": "En cours",
        "Soldé le": "",
        "Passé en perte le": "",
        "Rachète": "",
        **changes,
    }


def paid(number, credit, day, amount, **changes):
    return {
        "N° reçu": f"X-R-{number}",
        "N° crédit": credit,
        "Payé le": day,
        "Montant payé": amount,
        **changes,
    }


def codes(run):
    return {each["code"]: each["rows"] for each in run.summary["problems"]}


def send(world, by, rows, target, **how):
    return imported(world, by, upload_of(rows), target, **how)


def one(world, model, **which):
    with world.scope():
        return model.objects.get(**which)


# Applications


def test_applications_bring_variables_decision_and_outcome(world, analyst, clients):
    rows = [
        demand(1, clients[0], **{"Défaut": "oui", "Date défaut": "03/11/2025"}),
        demand(2, clients[1], Décision="Refusée"),
        demand(3, clients[2], Décision=""),
        demand(4, clients[2], Défaut="0"),
    ]
    run = send(world, analyst, rows, "applications")
    assert counts(run) == (4, 0, 0, 0, 0)
    found = one(world, CreditApplication, reference="X-D-1")
    assert (found.age, found.sexe, found.type_credit) == (44, "F", "fonds_de_roulement")
    assert (found.montant_credit, found.duree_mois, found.taux_interet) == (1_200_000, 12, 24.0)
    assert found.taux_endettement == pytest.approx(56.74, abs=0.01)
    assert found.ratio_dette_revenu == 0.5
    assert (found.status, found.applied_on) == ("disbursed", dt.date(2025, 1, 10))
    assert (found.outcome, found.outcome_date) == ("default", dt.date(2025, 11, 3))
    assert (found.outcome_source, found.author_id) == ("import", analyst.id)
    with world.scope():
        rows = CreditApplication.objects.filter(reference__startswith="X-D-").order_by("reference")
        assert [each.status for each in rows] == ["disbursed", "declined", "draft", "disbursed"]
        assert [each.outcome for each in rows] == ["default", "", "", "good"]
        assert rows[3].outcome_date == localdate()


def test_sent_again_nothing_changes_and_what_changed_is_updated(world, analyst, clients):
    send(world, analyst, [demand(1, clients[0]), demand(2, clients[1])], "applications")
    again = send(world, analyst, [demand(1, clients[0]), demand(2, clients[1])], "applications")
    assert counts(again) == (0, 0, 2, 0, 0)
    richer = demand(2, clients[1], **{"Revenu mensuel": "400 000", "Décision": ""})
    assert counts(send(world, analyst, [richer], "applications")) == (0, 1, 0, 0, 0)
    found = one(world, CreditApplication, reference="X-D-2")
    assert (found.revenu_mensuel, found.status, found.ratio_dette_revenu) == (400_000, "approved", 0.25)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Code client": "X-inconnu"}, "unknown_client"),
        ({"N° dossier": "X-D\n-1"}, "unseen"),
        ({"Montant du crédit": "5 000"}, "out_of_range"),
        ({"Montant du crédit": ""}, "required"),
        ({"Décision": "peut-être"}, "not_in_list"),
        ({"Décision": "Refusée", "Défaut": "non"}, "outcome_of_refused"),
        ({"Défaut": "oui", "Date défaut": "01/01/2025"}, "outcome_too_early"),
        ({"Date de la demande": "10/01/1995"}, "age_on_the_day"),
        ({"Date de la demande": f"{localdate() + dt.timedelta(days=3):%d/%m/%Y}"}, "in_future"),
    ],
)
def test_applications_that_are_rejected(world, analyst, clients, changes, code):
    run = send(world, analyst, [demand(1, clients[0], **changes), demand(2, clients[1])], "applications")
    assert counts(run) == (1, 0, 0, 0, 1)
    assert codes(run) == {code: 1}
    with world.scope():
        line, _column, _value, rule, _advice = first_problems(run)[0]
    assert line == "2"
    assert rule


def test_a_file_does_not_decide_what_was_entered_here(world, analyst):
    with world.scope():
        here = CreditApplication.objects.filter(status=ApplicationStatus.SUBMITTED).select_related("client")
        here = here.order_by("pk").first()
    row = demand(0, here.client, **{"N° dossier": here.reference, "Date de la demande": ""})
    run = send(world, analyst, [row], "applications")
    assert codes(run) == {"kept_here": 1}
    assert one(world, CreditApplication, pk=here.pk).status == "submitted"


def test_an_outcome_noted_elsewhere_is_not_replaced(world, analyst, clients):
    send(world, analyst, [demand(1, clients[0], Défaut="non")], "applications")
    with world.scope():
        CreditApplication.objects.filter(reference="X-D-1").update(outcome_source="synthetic")
    run = send(world, analyst, [demand(1, clients[0], Défaut="oui")], "applications")
    assert codes(run) == {"outcome_known": 1}
    with world.scope():
        CreditApplication.objects.filter(reference="X-D-1").update(outcome_source="import")
    run = send(world, analyst, [demand(1, clients[0], Défaut="oui")], "applications")
    assert counts(run) == (0, 1, 0, 0, 0)


def test_an_agent_imports_for_the_clients_of_its_agencies_only(world, clients):
    agent = world.actor(world.risk_manager)
    with world.scope():
        other = Client.objects.exclude(agency=clients[0].agency).order_by("pk").first()
    narrow = replace(agent, agency_ids=frozenset({clients[0].agency_id}))
    run = send(world, narrow, [demand(1, clients[0]), demand(2, other)], "applications")
    assert counts(run) == (1, 0, 0, 0, 1)
    assert codes(run) == {"unknown_client": 1}


def test_home_credit_columns_are_converted_once_they_are_settled(world, analyst, clients):
    rows = [
        {
            "SK_ID_CURR": client.reference,
            "TARGET": target,
            "CODE_GENDER": "F",
            "NAME_FAMILY_STATUS": "Married",
            "CNT_CHILDREN": 2,
            "AMT_INCOME_TOTAL": income,
            "AMT_CREDIT": 406_597,
            "AMT_ANNUITY": 24_700,
            "DAYS_BIRTH": days,
            "DAYS_EMPLOYED": employed,
            "CNT_PAYMENT": 2,
            "Taux": 0.24,
            "Type de crédit": "consommation",
        }
        for client, target, income, days, employed in zip(
            clients * 5,
            [1, 0, 0] * 5,
            [2_025_000] * 15,
            [-9_461] * 15,
            [-637, 365_243, -1_188] * 5,
            strict=True,
        )
    ]
    upload = SimpleUploadedFile("application_train.csv", _comma(rows[:3] + rows[:3] * 4))

    def settled(matches):
        by = {match.header: match for match in matches}
        assert by["AMT_INCOME_TOTAL"].conversion == Conversion.ANNUAL_TO_MONTHLY
        assert by["DAYS_BIRTH"].conversion == Conversion.DAYS_TO_YEARS
        assert (by["SK_ID_CURR"].field, by["TARGET"].field) == ("client_reference", "outcome")
        assert by["CNT_PAYMENT"].field == "duree_mois"
        answers = {"CNT_PAYMENT": Conversion.YEARS_TO_MONTHS, "Taux": Conversion.FRACTION_TO_PERCENT}
        return [
            match.replaced(conversion=answers[match.header]) if match.header in answers else match
            for match in matches
        ]

    run = imported(world, analyst, upload, "applications", settled=settled)
    assert counts(run) == (3, 0, 0, 12, 0)
    found = one(world, CreditApplication, client=clients[0])
    assert (found.age, found.revenu_mensuel, found.outcome) == (25, 168_750, "default")
    assert (found.duree_mois, found.taux_interet, found.anciennete_travail_mois) == (24, 24.0, 20)
    assert (found.situation_familiale, found.personnes_a_charge) == ("marie", 2)
    assert one(world, CreditApplication, client=clients[1]).anciennete_travail_mois is None


def _comma(rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


# Credits


def test_credits_stand_on_applications_that_are_here_or_made(world, analyst, clients):
    send(world, analyst, [demand(1, clients[0])], "applications")
    rows = [loan(1, clients[0], **{"N° dossier": "X-D-1", "Code client": ""}), loan(2, clients[1])]
    run = send(world, analyst, rows, "credits")
    assert counts(run) == (2, 0, 0, 0, 0)
    first, second = one(world, Credit, reference="X-P-1"), one(world, Credit, reference="X-P-2")
    with world.scope():
        assert first.application.reference == "X-D-1"
        assert first.application.status == "disbursed"
        assert first.client_id == clients[0].pk
        made = second.application
    assert (made.reference, made.status, made.age) == ("C-X-P-2", "disbursed", 44)
    assert (made.montant_credit, made.type_credit) == (1_200_000, "consommation")
    assert counts(send(world, analyst, rows, "credits")) == (0, 0, 2, 0, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Code client": ""}, "no_client"),
        ({"Type de crédit": ""}, "no_type"),
        ({"N° dossier": "X-D-9"}, "unknown_application"),
        ({"N° dossier": "X-D-1"}, "other_client"),
        ({"N° dossier": "X-D-2"}, "not_granted"),
        ({"N° dossier": "X-D-3", "Montant décaissé": "1 200 001"}, "more_than_granted"),
        ({"N° dossier": "X-D-3", "Date de décaissement": "09/01/2025"}, "before_application"),
        ({"Statut": "Soldé"}, "closed_when"),
        ({"Statut": "Passé en perte"}, "written_off_when"),
        ({"Soldé le": "01/01/2025", "Statut": ""}, "before_disbursement"),
        ({"Rachète": "X-P-9"}, "no_such_earlier"),
        ({"Rachète": "X-P-8"}, "no_such_earlier"),
        ({"Montant décaissé": "10"}, "amount_too_small"),
    ],
)
def test_credits_that_are_rejected(world, analyst, clients, changes, code):
    demands = [
        demand(1, clients[0]),
        demand(2, clients[1], Décision="Refusée"),
        demand(3, clients[1]),
    ]
    send(world, analyst, demands, "applications")
    later = loan(8, clients[1], **{"Date de décaissement": "20/01/2025"})
    run = send(world, analyst, [loan(1, clients[1], **changes), later], "credits")
    assert counts(run) == (1, 0, 0, 0, 1)
    assert codes(run) == {code: 1}


def test_a_credit_that_repays_another_of_the_same_file_refers_to_it(world, analyst, clients):
    new = loan(2, clients[0], **{"Date de décaissement": "15/06/2025", "Rachète": "X-P-1"})
    newest = loan(3, clients[0], **{"Date de décaissement": "15/09/2025", "Rachète": "X-P-2"})
    old = loan(1, clients[0], **{"Statut": "", "Soldé le": "15/06/2025"})
    run = send(world, analyst, [newest, new, old], "credits")
    assert counts(run) == (3, 0, 0, 0, 0)
    with world.scope():
        found = Credit.objects.get(reference="X-P-3")
        assert found.refinances.reference == "X-P-2"
        assert found.refinances.refinances.reference == "X-P-1"
        assert (found.refinances.refinances.status, found.refinances.refinances.closed_on) == (
            "closed",
            dt.date(2025, 6, 15),
        )


def test_what_names_a_rejected_credit_is_rejected_in_its_turn(world, analyst, clients):
    new = loan(2, clients[0], **{"Date de décaissement": "15/06/2025", "Rachète": "X-P-1"})
    newest = loan(3, clients[0], **{"Date de décaissement": "15/09/2025", "Rachète": "X-P-2"})
    old = loan(1, clients[0], Statut="Soldé")
    run = send(world, analyst, [newest, new, old], "credits")
    assert codes(run) == {"closed_when": 1, "no_such_earlier": 2}


def test_two_credits_of_one_application_are_one_too_many(world, analyst, clients):
    send(world, analyst, [demand(1, clients[0])], "applications")
    both = [loan(number, clients[0], **{"N° dossier": "X-D-1"}) for number in (1, 2)]
    assert codes(send(world, analyst, both, "credits")) == {"has_credit": 1}
    assert codes(send(world, analyst, both[1:], "credits")) == {"has_credit": 1}


def test_a_credit_disbursed_here_is_not_changed_by_a_file(world, analyst, clients):
    send(world, analyst, [demand(1, clients[0])], "applications")
    with world.scope():
        uid = CreditApplication.objects.get(reference="X-D-1").uid
        terms = Disbursement(disbursed_on=dt.date(2025, 1, 15), reference="X-P-1")
        disburse_application(uid=uid, terms=terms, by=analyst)
    same = loan(1, clients[0], **{"N° dossier": "X-D-1", "Taux annuel (%)": "24"})
    assert counts(send(world, analyst, [same], "credits")) == (0, 0, 1, 0, 0)
    lost = {**same, "Statut": "Passé en perte", "Passé en perte le": "15/06/2025"}
    assert codes(send(world, analyst, [lost], "credits")) == {"kept_here": 1}


def test_an_imported_credit_moves_on_and_does_not_come_back(world, analyst, clients):
    send(world, analyst, [loan(1, clients[0])], "credits")
    ended = loan(1, clients[0], **{"Statut": "Soldé", "Soldé le": "20/01/2026"})
    assert counts(send(world, analyst, [ended], "credits")) == (0, 1, 0, 0, 0)
    assert one(world, Credit, reference="X-P-1").status == CreditStatus.CLOSED
    assert codes(send(world, analyst, [loan(1, clients[0])], "credits")) == {"ended_already": 1}


# Schedules and repayments


def instalment(number, due, principal, interest, **changes):
    return {
        "N° crédit": "X-P-1",
        "N° échéance": number,
        "Date d'échéance": due,
        "Capital": principal,
        "Intérêts": interest,
        **changes,
    }


def test_a_schedule_comes_line_by_line_and_is_corrected(world, analyst, clients):
    send(world, analyst, [loan(1, clients[0])], "credits")
    rows = [instalment(1, "15/02/2025", "600 000", "10 000"), instalment(2, "15/03/2025", "600 000", "5 000")]
    assert counts(send(world, analyst, rows, "installments")) == (2, 0, 0, 0, 0)
    rows[1]["Intérêts"] = "6 000"
    assert counts(send(world, analyst, rows, "installments")) == (0, 1, 1, 0, 0)
    found = one(world, Installment, credit__reference="X-P-1", number=2)
    assert (found.due_on, found.principal_xaf, found.interest_xaf) == (dt.date(2025, 3, 15), 600_000, 6_000)
    assert found.schedule_from == dt.date(2025, 1, 15)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"N° crédit": "X-P-7"}, "unknown_credit"),
        ({"Capital": ""}, "no_principal"),
        ({"Date d'échéance": "14/01/2025"}, "due_too_early"),
        ({"N° échéance": "0"}, "out_of_range"),
    ],
)
def test_instalments_that_are_rejected(world, analyst, clients, changes, code):
    send(world, analyst, [loan(1, clients[0])], "credits")
    run = send(world, analyst, [{**instalment(1, "15/02/2025", "100 000", "0"), **changes}], "installments")
    assert codes(run) == {code: 1}


def test_the_principal_follows_from_total_and_interest(world, analyst, clients):
    send(world, analyst, [loan(1, clients[0])], "credits")
    row = {"N° crédit": "X-P-1", "N° échéance": 1, "Échéance": "15/02/2025", "Mensualité": "110 000"}
    run = send(world, analyst, [{**row, "Intérêts": "10 000"}], "installments")
    assert counts(run) == (1, 0, 0, 0, 0)
    assert one(world, Installment, credit__reference="X-P-1").principal_xaf == 100_000


def test_repayments_close_what_they_pay_off(world, analyst, clients):
    send(world, analyst, [loan(1, clients[0]), loan(2, clients[1])], "credits")
    rows = [
        paid(number, "X-P-1", f"15/{month:02d}/2025", "100 000")
        for number, month in enumerate(range(2, 13), start=1)
    ]
    rows += [paid(12, "X-P-1", "15/01/2026", "100 000"), paid(13, "X-P-2", "15/02/2025", "100 000")]
    run = send(world, analyst, rows, "repayments")
    assert counts(run) == (13, 0, 0, 0, 0)
    assert counts(send(world, analyst, rows, "repayments")) == (0, 0, 13, 0, 0)
    first, second = one(world, Credit, reference="X-P-1"), one(world, Credit, reference="X-P-2")
    assert (first.status, first.closed_on) == ("closed", dt.date(2026, 1, 15))
    assert (second.status, second.closed_on) == ("active", None)
    undone(world, analyst, run)
    first = one(world, Credit, reference="X-P-1")
    assert (first.status, first.closed_on) == ("active", None)
    with world.scope():
        assert not Repayment.objects.filter(reference__startswith="X-R-").exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"N° crédit": "X-P-7"}, "unknown_credit"),
        ({"Payé le": "14/01/2025"}, "before_disbursement"),
        ({"Montant payé": "0"}, "out_of_range"),
        ({"N° reçu": "X-R-1"}, "receipt_used"),
        ({"N° crédit": "X-P-2", "Payé le": "01/06/2025"}, "after_closing"),
    ],
)
def test_repayments_that_are_rejected(world, analyst, clients, changes, code):
    ended = loan(2, clients[1], **{"Statut": "Soldé", "Soldé le": "01/05/2025"})
    send(world, analyst, [loan(1, clients[0]), ended], "credits")
    send(world, analyst, [paid(1, "X-P-1", "15/02/2025", "100 000")], "repayments")
    run = send(world, analyst, [{**paid(2, "X-P-1", "15/03/2025", "90 000"), **changes}], "repayments")
    assert codes(run) == {code: 1}


def test_receipts_without_numbers_are_known_by_what_they_say(world, analyst, clients):
    send(world, analyst, [loan(1, clients[0])], "credits")
    rows = [{"N° crédit": "X-P-1", "Date": f"{day}/02/2025", "Montant": "50 000"} for day in (14, 15, 15)]
    assert counts(send(world, analyst, rows, "repayments")) == (2, 0, 0, 1, 0)
    assert counts(send(world, analyst, rows[:2], "repayments")) == (0, 0, 2, 0, 0)


# Balances


def line(credit, day, left, late):
    return {"Référence crédit": credit, "Encours": left, "Jours de retard": late, "Date de situation": day}


def test_balances_without_days_late_say_nothing(world, analyst, clients):
    send(world, analyst, [loan(1, clients[0])], "credits")
    row = line("X-P-1", "31/01/2025", "1 100 000", "")
    del row["Jours de retard"]
    assert codes(send(world, analyst, [row], "statements")) == {"no_days_late": 1}
    run = send(world, analyst, [line("X-P-1", "31/12/2024", "1 100 000", "0")], "statements")
    assert codes(run) == {"before_disbursement": 1}


def test_delays_come_from_the_balances_where_they_alone_follow_a_credit(world, analyst, clients):
    send(world, analyst, [loan(1, clients[0])], "credits")
    lines = [
        line("X-P-1", f"28/{month:02d}/2025", "900 000", late) for month, late in ((3, 13), (4, 44), (5, 0))
    ]
    send(world, analyst, lines, "statements")
    declared = {"Date de la demande": "10/01/2026", "Retards 30 jours": "0"}
    run = send(world, analyst, [demand(5, clients[0], **declared)], "applications")
    assert counts(run) == (1, 0, 0, 0, 0)
    assert codes(run) == {"arrears_understated": 1}
    with world.scope():
        found = compare_arrears(analyst, clients[0])
    assert (found[0].computed, found[0].credits, found[0].understated) == ((1, 0, 0), 1, True)


def test_a_credit_of_which_nothing_followed_has_no_outcome(world, analyst, clients):
    send(world, analyst, [loan(1, clients[0])], "credits")
    with world.scope():
        Repayment.objects.filter(source=EntrySource.IMPORT).delete()
        before = Credit.objects.get(reference="X-P-1").pk - 1
        assert derive_outcomes(by=analyst, after=before).unclear == 1
        assert Credit.objects.get(reference="X-P-1").application.outcome == ""
    send(world, analyst, [loan(2, clients[1])], "credits")
    send(world, analyst, [paid(1, "X-P-2", "15/02/2025", "100 000")], "repayments")
    with world.scope():
        derive_outcomes(by=analyst, after=before)
        assert Credit.objects.get(reference="X-P-1").application.outcome == "default"


# Undoing


def test_an_import_on_which_another_stands_is_not_undone(world, analyst, clients):
    demands = send(world, analyst, [demand(1, clients[0])], "applications")
    lent = send(world, analyst, [loan(1, clients[0], **{"N° dossier": "X-D-1"})], "credits")
    received = send(world, analyst, [paid(1, "X-P-1", "15/02/2025", "100 000")], "repayments")
    with pytest.raises(ImportBuiltOn):
        undone(world, analyst, demands)
    with pytest.raises(ImportBuiltOn):
        undone(world, analyst, lent)
    undone(world, analyst, received)
    undone(world, analyst, lent)
    assert one(world, CreditApplication, reference="X-D-1").status == "approved"
    undone(world, analyst, demands)
    with world.scope():
        assert not CreditApplication.objects.filter(reference="X-D-1").exists()
        assert not Credit.objects.filter(reference="X-P-1").exists()


def test_all_or_nothing_takes_a_whole_file(world, analyst, clients):
    run = send(world, analyst, [loan(1, clients[0]), loan(2, clients[1])], "credits", mode=ImportMode.ALL)
    assert counts(run) == (2, 0, 0, 0, 0)


# Templates


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("target", TARGETS, ids=lambda each: each.name)
def test_a_template_is_read_back_without_a_fault(world, tmp_path, target, kind, lang):
    declared(world, draft(), stall())
    with world.scope(), translation.override(lang):
        template = import_template(target=target.name, kind=kind)
        path = tmp_path / template.name
        path.write_bytes(template.content)
        found = survey(path)
        matches = propose(header(path, found.dialect), target.fields())
        assert [match.field for match in matches if not match.certain] == []
        assert {match.field for match in matches} == {each.name for each in target.fields()}
        chunk = next(chunks(path, found.dialect))
        typed = typed_chunk(chunk, matches, target.fields(), found.dialect)
    assert len(chunk) == 2
    assert typed.errors.rows() == []
    assert len(template.content) < 16_000


def test_there_is_no_template_of_an_unknown_target(world):
    with pytest.raises(ObjectNotFound):
        import_template(target="fichiers", kind="csv")


@pytest.mark.parametrize("target", TARGETS, ids=lambda each: each.name)
def test_no_name_is_claimed_by_two_fields(world, target):
    claimed = {}
    with world.scope():
        fields = target.fields()
    for each in fields:
        for text in (each.name, each.label, *each.synonyms):
            assert claimed.setdefault(key_of(text), each.name) == each.name, text


def test_a_dry_run_writes_nothing(world, analyst, clients):
    run = checked(world, analyst, upload_of([loan(1, clients[0])]), "credits")
    assert run.checked["rows_new"] == 1
    with world.scope():
        assert not Credit.objects.filter(reference="X-P-1").exists()
        assert not CreditStatement.objects.filter(credit__reference="X-P-1").exists()


def test_two_imports_of_the_same_applications_leave_one_of_each(world, analyst, clients):
    rows = [demand(1, clients[0]), demand(2, clients[1])]
    first = checked(world, analyst, upload_of(rows), "applications")
    second = checked(world, analyst, upload_of(rows), "applications")
    for run in (first, second):
        with world.scope():
            confirm_import(run=run, mode=ImportMode.VALID, by=analyst)
    assert counts(done(world, first, import_rows)) == (2, 0, 0, 0, 0)
    assert counts(done(world, second, import_rows)) == (0, 0, 2, 0, 0)
