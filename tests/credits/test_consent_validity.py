"""How long a consent holds: the day itself, no setting, a renewal, what the score says of it."""

import datetime as dt

import pytest
from django.utils.timezone import localdate

from apps.credits.enums import ConsentMethod, ConsentPurpose
from apps.credits.features import case_facts
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.clients import CONSENT_SETTING, consent_expiry, consent_months, oldest_consent
from apps.credits.services.clients import give_consent, withdraw_consent
from apps.engine.ledger import add_months
from apps.institutions.services import set_setting
from apps.scoring.services.scores import replay_prediction, score_application, score_values

pytestmark = pytest.mark.django_db

ONE_DAY = dt.timedelta(days=1)
DATA = {"purpose": ConsentPurpose.DATA, "method": ConsentMethod.WRITTEN}


@pytest.fixture
def by(world):
    """Return the risk manager, in the open scope of the institution."""
    with world.scope():
        yield world.actor(world.risk_manager)


@pytest.fixture
def file(by):
    """Return an application whose client gave a consent and nothing forbids a credit."""
    rows = CreditApplication.objects.select_related("client").filter(
        client__consent_at__isnull=False, client__prohibition_date=None, client__merged_into=None
    )
    return rows.latest("applied_on")


def holds_for(months, by, **more):
    set_setting(key=CONSENT_SETTING, value=months, by=by, reason="test", **more)


def given(client, on, by):
    give_consent(client=client, **DATA, by=by, on=on)


@pytest.mark.parametrize(
    ("given_on", "months", "expiry"),
    [
        (dt.date(2025, 3, 15), 12, dt.date(2026, 3, 15)),
        (dt.date(2025, 8, 31), 6, dt.date(2026, 2, 28)),
        (dt.date(2024, 2, 29), 12, dt.date(2025, 2, 28)),
        (dt.date(2025, 3, 15), 0, None),
        (None, 12, None),
    ],
)
def test_a_consent_ends_months_after_its_day(given_on, months, expiry):
    assert consent_expiry(given_on, months=months) == expiry


@pytest.mark.parametrize("months", [1, 6, 12, 36])
def test_the_oldest_that_holds_agrees_with_every_day_of_expiry(months):
    for number in range(800):
        on = dt.date(2023, 12, 1) + dt.timedelta(days=number)
        oldest = oldest_consent(on, months=months)
        assert consent_expiry(oldest, months=months) > on
        assert consent_expiry(oldest - ONE_DAY, months=months) <= on


def test_without_a_setting_a_consent_never_ends(by, file):
    given(file.client, dt.date(2001, 1, 1), by)

    assert consent_months() == 0
    assert case_facts(file.client, on=localdate()).consent_expired_on is None
    holds_for(0, by)
    assert case_facts(file.client, on=localdate()).consent_expired_on is None


@pytest.mark.parametrize(("late", "expired"), [(-1, False), (0, True), (1, True)])
def test_it_has_ended_on_the_day_itself(by, file, late, expired):
    file.client.consent_at = dt.date(2025, 3, 15)
    holds_for(12, by, effective_from=dt.date(2025, 1, 1))

    facts = case_facts(file.client, on=dt.date(2026, 3, 15) + late * ONE_DAY)

    assert facts.consent_given is True
    assert facts.consent_expired_on == ("2026-03-15" if expired else None)


def test_the_setting_counts_from_its_own_day(by, file):
    given(file.client, add_months(localdate(), -24), by)
    holds_for(12, by, effective_from=localdate() + ONE_DAY)

    assert case_facts(file.client, on=localdate()).consent_expired_on is None
    assert case_facts(file.client, on=localdate() + ONE_DAY).consent_expired_on is not None


def test_what_is_not_given_or_withdrawn_is_missing_and_not_expired(by, file):
    holds_for(12, by)
    given(file.client, add_months(localdate(), -24), by)
    withdraw_consent(client=file.client, purpose=ConsentPurpose.DATA, by=by)

    facts = case_facts(file.client, on=localdate())

    assert (facts.consent_given, facts.consent_expired_on) == (False, None)


def test_a_score_warns_until_the_consent_is_renewed_and_replays_alike(by, file):
    holds_for(12, by)
    given(file.client, add_months(localdate(), -12), by)
    expired, _created = score_application(application=file, by=by)
    given(file.client, localdate(), by)
    renewed, _created = score_application(application=file, by=by)

    assert "consentement_expire" in expired.warnings
    assert expired.facts["consent_expired_on"] == localdate().isoformat()
    assert expired.recommendation != "accorder"
    assert {rule["verdict"] for rule in expired.rules if rule["code"] == "consentement"} == {"respectee"}
    assert renewed.uid != expired.uid
    assert "consentement_expire" not in renewed.warnings
    assert renewed.pd == expired.pd
    assert replay_prediction(prediction=expired, by=by).identical


def test_a_stored_score_without_the_fact_still_replays(by, file):
    score, _created = score_application(application=file, by=by)
    score.facts = {name: value for name, value in score.facts.items() if name != "consent_expired_on"}

    assert replay_prediction(prediction=score, by=by).identical


def test_values_scored_for_a_client_are_warned_of_too(by, file):
    holds_for(6, by)
    given(file.client, add_months(localdate(), -7), by)
    raw = {"montant_credit": 300_000, "duree_mois": 12, "taux_interet": 22, "type_credit": "consommation"}

    score, _created = score_values(raw={**raw, "revenu_mensuel": 250_000}, by=by, client=file.client)

    assert "consentement_expire" in score.warnings


def test_the_page_says_since_when_and_what_to_do(world, page, by, file):
    holds_for(12, by)
    given(file.client, add_months(localdate(), -13), by)
    address = f"/clients/{file.client.uid}"
    client = page(world.analyst)
    day = f"{add_months(file.client.consent_at, 12):%d/%m/%Y}"

    before = client.get(address)
    client.post(f"{address}/consentement", {"purpose": "donnees", "method": "ecrit"})
    after = client.get(address)

    assert day in before.content.decode()
    assert [mark.label for mark in before.context["marks"] if day in mark.label]
    data = before.context["consents"][0]
    assert (data.expired_on, data.holds_until) == (add_months(data.given_on, 12), None)
    renewed = after.context["consents"][0]
    assert (renewed.given_on, renewed.expired_on) == (localdate(), None)
    assert renewed.holds_until == add_months(localdate(), 12) - ONE_DAY
    assert not [mark.label for mark in after.context["marks"] if day in mark.label]
    assert Client.objects.get(pk=file.client.pk).consent_at == localdate()
