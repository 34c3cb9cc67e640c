"""A client's file: who writes it, its consents, its guarantees and debts elsewhere, its duplicates."""

import datetime as dt

import pytest
from django.utils.timezone import localdate

from apps.audit.models import AuditEntry
from apps.credits.enums import ConsentMethod, ConsentPurpose, ExternalSource, ExternalStatus, GuaranteeKind
from apps.credits.errors import ConsentMissing, PossibleDuplicate
from apps.credits.models import Client, CreditApplication, ExternalCredit, Guarantee
from apps.credits.queries.applications import client_statistics
from apps.credits.queries.clients import (
    client_values,
    clients_named,
    find_clients,
    get_visible_client,
    stale_before,
)
from apps.credits.queries.privacy import privacy_notice
from apps.credits.queries.securities import get_visible_guarantee
from apps.credits.services.clients import (
    confirm_client_data,
    create_client,
    give_consent,
    update_client,
    version_of,
    withdraw_consent,
)
from apps.credits.services.external_credits import close_external_credit, save_external_credit
from apps.credits.services.guarantees import release_guarantee, save_guarantee
from apps.institutions.models import Agency
from apps.institutions.services import set_setting
from apps.tenancy.errors import ChangedMeanwhile, InvalidValues, NotAllowed, ObjectNotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyst(world):
    """Hold horizon's scope; return its analyst, who sees every agency."""
    actor = world.actor(world.analyst)
    with world.scope():
        yield actor


def fresh(**changes):
    fields = {
        "agency": Agency.objects.first(),
        "last_name": "Ébongué",
        "first_names": "Ña",
        "birth_date": dt.date(1990, 1, 31),
        "phone": "+237 6 77 00 11 22",
        "document_number": "CNI 123 456",
    }
    return Client(**{**fields, **changes})


@pytest.fixture
def borrower(analyst):
    return create_client(client=fresh(), by=analyst)


@pytest.fixture
def application(analyst):
    """Return an undecided application without guarantees."""
    found = CreditApplication.objects.undecided().filter(guarantees=None).select_related("client").first()
    found.guarantees_value_xaf, found.real_security = 123_000, False
    found.save()
    return found


def actions_of(row):
    return list(AuditEntry.objects.filter(object_uid=row.uid).order_by("id").values_list("action", flat=True))


# --- finding --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["ebo", "ÉBONGUÉ ñ", "  ébong", "6 77 00 11 22", "+237677001122", "cni123456", "CNI-123.456"]
)
def test_a_client_is_found_by_name_phone_or_document(analyst, borrower, text):
    assert borrower in find_clients(analyst, text)


@pytest.mark.parametrize("text", ["bongue", "ebongue nb", "67700112", "123456", "é%", "_bongue"])
def test_another_text_does_not_find_it(analyst, borrower, text):
    assert borrower not in find_clients(analyst, text)


def test_a_reference_is_found_whole_in_either_case(analyst, borrower):
    assert list(find_clients(analyst, f" {borrower.reference.lower()} ")) == [borrower]


def test_an_agent_finds_the_own_agencies_only(world, analyst):
    agent = world.actor(world.agent)
    other = Agency.objects.exclude(pk__in=agent.agency_ids).first()
    hidden = create_client(client=fresh(agency=other), by=analyst)

    assert hidden in clients_named(analyst, "ebongue")
    assert hidden not in clients_named(agent, "ebongue")
    assert hidden not in find_clients(agent, "677001122")


# --- writing --------------------------------------------------------------------------------------


def test_an_update_confirms_the_data_and_names_the_fields_only(analyst, borrower):
    borrower.city, borrower.data_updated_on = "Kribi", dt.date(2020, 1, 1)

    update_client(client=borrower, version=version_of(borrower), by=analyst)

    stored = Client.objects.get(pk=borrower.pk)
    assert (stored.city, stored.data_updated_on) == ("Kribi", localdate())
    entry = AuditEntry.objects.get(object_uid=borrower.uid, action="client.update")
    assert entry.after == {"fields": ["city"]}


def test_a_file_changed_meanwhile_is_not_overwritten(world, analyst, borrower):
    seen = version_of(borrower)
    first = get_visible_client(analyst, uid=borrower.uid)
    first.city = "Buea"
    update_client(client=first, version=seen, by=world.actor(world.risk_manager))

    borrower.city = "Limbé"
    with pytest.raises(ChangedMeanwhile) as refusal:
        update_client(client=borrower, version=seen, by=analyst)

    assert world.actor(world.risk_manager).display_name in refusal.value.message
    assert Client.objects.get(pk=borrower.pk).city == "Buea"


def test_reading_a_file_is_not_changing_it(analyst, borrower, world):
    from apps.audit.services import record_read

    seen = version_of(borrower)
    record_read(by=world.actor(world.auditor), target=borrower)
    borrower.city = "Limbé"

    assert update_client(client=borrower, version=seen, by=analyst).city == "Limbé"


def test_the_data_are_confirmed_as_of_today(analyst, borrower):
    Client.objects.filter(pk=borrower.pk).update(data_updated_on=dt.date(2020, 1, 1))

    confirm_client_data(client=borrower, by=analyst)

    assert Client.objects.get(pk=borrower.pk).data_updated_on == localdate()
    assert actions_of(borrower)[-1] == "client.confirm"


VERBS = [
    lambda client, actor: create_client(client=fresh(agency=client.agency, phone=""), by=actor),
    lambda client, actor: update_client(client=client, version=version_of(client), by=actor),
    lambda client, actor: confirm_client_data(client=client, by=actor),
    lambda client, actor: give_consent(
        client=client, purpose=ConsentPurpose.BUREAU, method=ConsentMethod.ORAL, by=actor
    ),
    lambda client, actor: withdraw_consent(client=client, purpose=ConsentPurpose.DATA, by=actor),
    lambda client, actor: save_guarantee(
        guarantee=Guarantee(client=client, kind=GuaranteeKind.OTHER, value_xaf=1), by=actor
    ),
    lambda client, actor: save_external_credit(credit=external(client), by=actor),
]


@pytest.mark.parametrize("verb", VERBS)
def test_who_may_not_edit_is_refused(world, borrower, verb):
    with pytest.raises(NotAllowed):
        verb(borrower, world.actor(world.auditor))


@pytest.mark.parametrize("verb", VERBS)
def test_a_client_of_another_agency_is_unknown(world, analyst, verb):
    agent = world.actor(world.agent)
    hidden = create_client(
        client=fresh(agency=Agency.objects.exclude(pk__in=agent.agency_ids).first()), by=analyst
    )

    with pytest.raises(ObjectNotFound):
        verb(hidden, agent)


# --- duplicates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "same",
    [
        {"last_name": "Autre", "document_number": ""},
        {"last_name": "Autre", "phone": "", "document_number": "cni-123456"},
        {"last_name": "EBONGUE", "first_names": "na", "phone": "", "document_number": ""},
    ],
)
def test_a_second_file_of_a_person_is_announced_then_allowed(analyst, borrower, same):
    with pytest.raises(PossibleDuplicate) as refusal:
        create_client(client=fresh(**same), by=analyst)

    assert (refusal.value.found.clients, refusal.value.found.elsewhere) == ((borrower,), False)
    assert create_client(client=fresh(**same), by=analyst, despite_duplicates=True).pk != borrower.pk


def test_a_namesake_born_on_another_day_is_no_duplicate(analyst, borrower):
    other = fresh(birth_date=dt.date(1990, 2, 1), phone="", document_number="")

    assert create_client(client=other, by=analyst).pk


def test_of_another_agency_only_the_same_document_is_told(world, analyst):
    agent = world.actor(world.agent)
    own = Agency.objects.get(pk=min(agent.agency_ids))
    create_client(client=fresh(agency=Agency.objects.exclude(pk=own.pk).first()), by=analyst)

    with pytest.raises(PossibleDuplicate) as refusal:
        create_client(client=fresh(agency=own), by=agent)
    assert (refusal.value.found.clients, refusal.value.found.elsewhere) == ((), True)
    assert create_client(client=fresh(agency=own, document_number=""), by=agent).pk


# --- consents -------------------------------------------------------------------------------------


def test_a_consent_is_given_withdrawn_and_given_again(analyst, borrower):
    day = localdate() - dt.timedelta(days=3)
    bureau = {"client": borrower, "purpose": ConsentPurpose.BUREAU, "by": analyst}
    give_consent(**bureau, method=ConsentMethod.WRITTEN, on=day)
    given = Client.objects.get(pk=borrower.pk)
    withdraw_consent(**bureau)
    withdrawn = Client.objects.get(pk=borrower.pk)
    give_consent(**bureau, method=ConsentMethod.ORAL)
    again = Client.objects.get(pk=borrower.pk)

    assert (given.bureau_consent_at, given.bureau_consent_method) == (day, "ecrit")
    assert (withdrawn.bureau_consent_at, withdrawn.bureau_consent_withdrawn_on) == (None, localdate())
    assert (again.bureau_consent_at, again.bureau_consent_withdrawn_on) == (localdate(), None)
    assert again.consent_at is None
    assert actions_of(borrower)[1:] == ["client.consent", "client.consent_withdraw", "client.consent"]


def test_a_consent_of_tomorrow_is_refused(analyst, borrower):
    with pytest.raises(InvalidValues):
        give_consent(
            client=borrower,
            purpose=ConsentPurpose.DATA,
            method=ConsentMethod.WRITTEN,
            by=analyst,
            on=localdate() + dt.timedelta(days=1),
        )


def test_what_was_not_given_is_not_withdrawn(analyst, borrower):
    with pytest.raises(ConsentMissing):
        withdraw_consent(client=borrower, purpose=ConsentPurpose.DATA, by=analyst)


# --- guarantees -----------------------------------------------------------------------------------


def test_an_undecided_application_draws_its_values_from_its_guarantees(analyst, application):
    common = {"client": application.client, "application": application}
    surety = Guarantee(**common, kind=GuaranteeKind.ENDORSEMENT, value_xaf=200_000, guarantor_name="Mvondo")
    save_guarantee(guarantee=surety, by=analyst)
    application.refresh_from_db()
    assert (application.guarantees_value_xaf, application.real_security) == (200_000, False)

    pledge = Guarantee(**common, kind=GuaranteeKind.PLEDGE, value_xaf=350_000)
    save_guarantee(guarantee=pledge, by=analyst)
    application.refresh_from_db()
    assert (application.guarantees_value_xaf, application.real_security) == (550_000, True)
    assert (application.extra["nb_garanties"], application.extra["valeur_garanties"]) == (2, 550_000)

    release_guarantee(guarantee=pledge, by=analyst)
    release_guarantee(guarantee=pledge, by=analyst)
    application.refresh_from_db()
    assert (application.guarantees_value_xaf, application.real_security) == (200_000, False)
    assert actions_of(pledge) == ["guarantee.create", "guarantee.release"]


def test_what_was_typed_stays_without_guarantees_and_after_the_decision(analyst, application):
    save_guarantee(
        guarantee=Guarantee(client=application.client, kind=GuaranteeKind.MORTGAGE, value_xaf=9), by=analyst
    )
    CreditApplication.objects.filter(pk=application.pk).update(status="declined")
    late = Guarantee(
        client=application.client, application=application, kind=GuaranteeKind.MORTGAGE, value_xaf=9
    )
    save_guarantee(guarantee=late, by=analyst)

    application.refresh_from_db()
    assert (application.guarantees_value_xaf, application.real_security) == (123_000, False)


def test_a_personal_surety_names_its_guarantor(analyst, borrower):
    surety = Guarantee(client=borrower, kind=GuaranteeKind.JOINT_SURETY, value_xaf=1)

    with pytest.raises(InvalidValues) as refusal:
        save_guarantee(guarantee=surety, by=analyst)

    assert list(refusal.value.fields) == ["guarantor_name"]


@pytest.mark.parametrize(("field", "value"), [("value_xaf", -1), ("kind", "montre")])
def test_a_guarantee_with_a_wrong_value_is_refused(analyst, borrower, field, value):
    guarantee = Guarantee(client=borrower, kind=GuaranteeKind.PLEDGE, value_xaf=1)
    setattr(guarantee, field, value)

    with pytest.raises(InvalidValues) as refusal:
        save_guarantee(guarantee=guarantee, by=analyst)

    assert field in refusal.value.fields


def test_a_guarantee_does_not_serve_somebody_elses_application(analyst, borrower, application):
    stolen = Guarantee(client=borrower, application=application, kind=GuaranteeKind.PLEDGE, value_xaf=1)

    with pytest.raises(InvalidValues) as refusal:
        save_guarantee(guarantee=stolen, by=analyst)

    assert list(refusal.value.fields) == ["application"]


def test_a_guarantee_of_another_agency_is_unknown(world, analyst):
    agent = world.actor(world.agent)
    hidden = Guarantee.objects.exclude(client__agency_id__in=agent.agency_ids).first()

    assert get_visible_guarantee(analyst, hidden.uid) == hidden
    with pytest.raises(ObjectNotFound):
        get_visible_guarantee(agent, hidden.uid)


# --- credits elsewhere ----------------------------------------------------------------------------


def external(client, **changes):
    fields = {
        "client": client,
        "lender": "Banque des Lagunes",
        "outstanding_xaf": 300_000,
        "monthly_payment_xaf": 30_000,
        "source": ExternalSource.DECLARED,
        "as_of": localdate(),
    }
    return ExternalCredit(**{**fields, **changes})


def test_running_credits_elsewhere_are_known_debts_of_the_client(analyst, borrower):
    assert "mensualites_en_cours" not in client_values(borrower, on=localdate())
    first = save_external_credit(credit=external(borrower), by=analyst)
    save_external_credit(
        credit=external(borrower, outstanding_xaf=50_000, monthly_payment_xaf=5_000), by=analyst
    )
    both = client_values(borrower, on=localdate())
    close_external_credit(credit=first, by=analyst)
    one = client_values(borrower, on=localdate())

    assert (both["mensualites_en_cours"], both["encours_autres_dettes"]) == (35_000, 350_000)
    assert (one["mensualites_en_cours"], one["encours_autres_dettes"]) == (5_000, 50_000)
    stored = ExternalCredit.objects.get(pk=first.pk)
    assert (stored.status, stored.closed_on) == (ExternalStatus.CLOSED, localdate())
    assert actions_of(first) == ["external_credit.create", "external_credit.close"]


@pytest.mark.parametrize("source", [ExternalSource.CREMF, ExternalSource.BIC])
def test_a_register_is_read_with_the_clients_consent_only(analyst, borrower, source):
    bureau = {"client": borrower, "purpose": ConsentPurpose.BUREAU, "by": analyst}
    read = {"source": source}
    with pytest.raises(ConsentMissing):
        save_external_credit(credit=external(borrower, **read), by=analyst)

    give_consent(**bureau, method=ConsentMethod.WRITTEN)
    assert save_external_credit(credit=external(borrower, **read), by=analyst).pk
    too_early = external(borrower, **read, as_of=localdate() - dt.timedelta(days=1))
    with pytest.raises(ConsentMissing):
        save_external_credit(credit=too_early, by=analyst)

    withdraw_consent(**bureau)
    with pytest.raises(ConsentMissing):
        save_external_credit(credit=external(borrower, **read), by=analyst)
    assert save_external_credit(credit=external(borrower), by=analyst).pk


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outstanding_xaf", -1),
        ("monthly_payment_xaf", -1),
        ("lender", ""),
        ("as_of", localdate() + dt.timedelta(days=2)),
    ],
)
def test_an_external_credit_with_a_wrong_value_is_refused(analyst, borrower, field, value):
    with pytest.raises(InvalidValues) as refusal:
        save_external_credit(credit=external(borrower, **{field: value}), by=analyst)

    assert list(refusal.value.fields) == [field]


# --- settings and figures -------------------------------------------------------------------------


def test_data_grow_old_after_the_months_of_the_institution(analyst):
    assert (localdate() - stale_before()).days == 182
    set_setting(key="data_stale_months", value=3, by=analyst, reason="test")
    assert (localdate() - stale_before()).days == 91


def test_the_institution_may_write_its_own_notice(analyst):
    assert "2024/017" in privacy_notice()
    set_setting(key="privacy_notice", value={"fr": "Notre notice."}, by=analyst, reason="test")
    assert privacy_notice() == "Notre notice."


def test_applications_are_counted_by_what_became_of_them(analyst, borrower):
    client = borrower
    for number, (status, outcome) in enumerate(
        [("disbursed", "good"), ("disbursed", "default"), ("approved", ""), ("declined", ""), ("draft", "")]
    ):
        CreditApplication.objects.create(
            client=client,
            agency=client.agency,
            reference=f"T-{number}",
            status=status,
            outcome=outcome,
            outcome_date=localdate() if outcome else None,
            age=30,
            montant_credit=1,
            duree_mois=1,
            taux_interet=10,
            type_credit="scolaire",
        )

    counted = client_statistics(client)

    assert (counted.applications, counted.granted, counted.declined) == (5, 3, 1)
    assert (counted.repaid, counted.defaulted) == (1, 1)


def test_the_demonstration_agrees_with_its_applications(analyst):
    guarantee = Guarantee.objects.select_related("application").first()
    assert guarantee.application.guarantees_value_xaf == guarantee.value_xaf
    assert guarantee.application.real_security == guarantee.is_real
    assert Guarantee.objects.count() > 50
    assert ExternalCredit.objects.filter(source=ExternalSource.CREMF).exists()
    assert not ExternalCredit.objects.filter(
        source=ExternalSource.CREMF, client__bureau_consent_at=None
    ).exists()
