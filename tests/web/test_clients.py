"""The pages of clients: found in a long list, opened, written; who may what, and what is refused."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from django.utils.timezone import localdate

from apps.audit.models import AuditEntry
from apps.credits.models import Client as Borrower
from apps.credits.models import CreditApplication, ExternalCredit, Guarantee
from apps.credits.services.clients import version_of
from apps.institutions.models import Agency
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
FRENCH = {"headers": {"Accept-Language": "fr"}}


@pytest.fixture
def analyst(world, page):
    return page(world.analyst)


@pytest.fixture
def borrower(world):
    """Return a client with guarantees, debts and a score, as the demonstration made it."""
    with world.scope():
        rows = Borrower.objects.select_related("agency").filter(
            guarantees__isnull=False, external_credits__isnull=False, predictions__isnull=False
        )
        return rows.first()


@pytest.fixture
def hidden(world):
    """Return a client whose agency the agent does not see."""
    with world.scope():
        agent = world.actor(world.agent)
        return Borrower.objects.exclude(agency_id__in=agent.agency_ids).first()


@pytest.fixture
def typed(world):
    with world.scope():
        return {
            "agency": Agency.objects.first().pk,
            "last_name": "Zangué",
            "first_names": "Éloïse",
            "birth_date": "31/01/1990",
            "phone": "6 77 00 11 22",
            "document_type": "cni",
            "document_number": "ZZ 4471",
            "monthly_income_xaf": "285 000",
            "data_consent": "on",
            "consent_method": "ecrit",
        }


def text_of(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def names_in(answer):
    return re.findall(r'class="row-link"[^>]*>([^<]+)</a>', answer.content.decode())


# --- the list -------------------------------------------------------------------------------------


def test_names_are_listed_in_their_order_page_by_page(world, analyst):
    with world.scope():
        known = [str(each) for each in Borrower.objects.order_by("search_name", "uid")[:60]]

    first = analyst.get("/clients")
    second = analyst.get(f"/clients{first.context['next_url']}")
    back = analyst.get(f"/clients{second.context['previous_url']}")

    assert names_in(first) == known[:25]
    assert names_in(second) == known[25:50]
    assert names_in(back) == known[:25]
    assert first.context["previous_url"] is None
    assert back.context["previous_url"] is None


@pytest.mark.parametrize("cursor", ["apres=x", "avant=2026", "apres=00000000-0000-0000-0000-000000000000"])
def test_a_cursor_that_nothing_answers_to_is_unknown(analyst, cursor):
    assert analyst.get(f"/clients?{cursor}").status_code == 404


def test_a_client_is_searched_by_name_phone_document_and_reference(analyst, typed, world):
    analyst.post("/clients/nouveau", typed)
    with world.scope():
        reference = Borrower.objects.get(last_name="Zangué").reference

    for text in ("zangue el", "ZANG", "+237 677001122", "zz-4471", reference.lower()):
        assert names_in(analyst.get("/clients", {"q": text})) == ["Zangué Éloïse"], text
    nothing = analyst.get("/clients", {"q": "zangue x"}, **FRENCH)
    assert "Aucun client trouvé" in text_of(nothing) or "No client found" in text_of(nothing)


def test_the_list_is_limited_to_an_agency_and_to_data_to_confirm(world, analyst):
    with world.scope():
        agency = Agency.objects.order_by("id").last()
        own = {str(each) for each in Borrower.objects.filter(agency=agency)}
        fresh = Borrower.objects.filter(agency=agency).order_by("search_name").first()
        Borrower.objects.filter(agency=agency).update(data_updated_on=localdate() - dt.timedelta(days=400))
        Borrower.objects.filter(pk=fresh.pk).update(data_updated_on=localdate())

    assert set(names_in(analyst.get("/clients", {"agence": agency.code}))) <= own
    old = analyst.get("/clients", {"agence": agency.code, "a_confirmer": "on"})
    assert names_in(old)
    assert str(fresh.uid) not in old.content.decode()
    assert str(fresh.uid) in analyst.get("/clients", {"agence": agency.code}).content.decode()


def test_a_live_search_brings_the_list_alone_and_a_return_the_whole_page(analyst):
    part = analyst.get("/clients?q=a", headers={"HX-Request": "true"})
    whole = analyst.get("/clients?q=a", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})

    assert "<html" not in part.content.decode()
    assert 'id="client-list"' in part.content.decode()
    assert "<html" in whole.content.decode()


def test_an_agent_lists_the_own_agencies(world, page, hidden):
    answer = page(world.agent).get("/clients", {"q": hidden.reference})

    assert answer.status_code == 200
    assert names_in(answer) == []


@pytest.mark.parametrize("path", ["", "?q=a", "?q=677001122", "?a_confirmer=on"])
def test_the_list_takes_six_statements_at_most(analyst, path):
    analyst.get("/clients")
    with own_statements() as asked:
        analyst.get(f"/clients{path}")
    assert 0 < len(asked) <= 6, asked


# --- the file -------------------------------------------------------------------------------------


def test_a_file_shows_who_what_and_when_and_records_the_reading(world, analyst, borrower):
    with world.scope():
        guarantee = borrower.guarantees.first()
        debt = borrower.external_credits.first()
        application = borrower.applications.select_related("author").order_by("-applied_on").first()
        score = borrower.predictions.order_by("-created_at").first()

    answer = analyst.get(f"/clients/{borrower.uid}")
    text = text_of(answer)

    for shown in (
        str(borrower),
        borrower.reference,
        borrower.agency.name,
        debt.lender,
        application.reference,
        str(application.author),
        f"/scores/{score.uid}",
        f"/garanties/{guarantee.uid}/mainlevee",
        f"{score.points}",
        "2024/017",
        f"/demandes/nouvelle?client={borrower.reference}",
    ):
        assert shown in text, shown
    with world.scope():
        entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.object_uid) == ("client.read", borrower.uid)


def test_events_stand_the_latest_first(world, analyst, borrower):
    events = analyst.get(f"/clients/{borrower.uid}").context["events"]

    assert {event.kind for event in events} == {"application", "score"}
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)


def test_the_evolution_of_the_points_is_said(world, analyst, borrower):
    with world.scope():
        score = borrower.predictions.order_by("-created_at").first()
        score.pk, score.uid, score.input_hash = None, None, "0" * 64
        from uuid import uuid4

        score.uid, score.points, score.created_at = uuid4(), score.points - 24, timezone.now()
        score.save(force_insert=True)

    assert "24" in analyst.get(f"/clients/{borrower.uid}").context["evolution"]


def test_old_data_are_flagged_and_confirmed(world, analyst, borrower):
    with world.scope():
        Borrower.objects.filter(pk=borrower.pk).update(data_updated_on=localdate() - dt.timedelta(days=200))
    before = analyst.get(f"/clients/{borrower.uid}")
    answer = analyst.post(f"/clients/{borrower.uid}/confirmer")
    after = analyst.get(f"/clients/{borrower.uid}")

    assert 'id="stale"' in before.content.decode()
    assert answer.status_code == 302
    assert 'id="stale"' not in after.content.decode()


def test_data_of_this_month_are_not_flagged(world, analyst, borrower):
    with world.scope():
        Borrower.objects.filter(pk=borrower.pk).update(data_updated_on=localdate() - dt.timedelta(days=30))

    assert 'id="stale"' not in analyst.get(f"/clients/{borrower.uid}").content.decode()


def test_a_reader_sees_the_file_without_its_buttons(world, page, borrower):
    answer = page(world.auditor).get(f"/clients/{borrower.uid}")

    assert answer.status_code == 200
    for action in ("modifier", "consentement", "garanties", "demandes/nouvelle"):
        assert f"/{action}" not in answer.content.decode()


PAGES = ("", "/modifier", "/garanties/nouvelle", "/credits-externes/nouveau")
POSTS = ("/modifier", "/confirmer", "/consentement", "/garanties/nouvelle", "/credits-externes/nouveau")


@pytest.mark.parametrize("path", PAGES)
def test_a_client_of_another_agency_or_institution_is_unknown(world, page, hidden, path):
    assert page(world.agent).get(f"/clients/{hidden.uid}{path}").status_code == 404
    assert page(world.outsider).get(f"/clients/{hidden.uid}{path}").status_code == 404


@pytest.mark.parametrize("path", POSTS)
def test_nothing_is_written_in_a_hidden_file(world, page, hidden, path):
    data = {"purpose": "bureau", "method": "ecrit"}
    assert page(world.agent).post(f"/clients/{hidden.uid}{path}", data).status_code == 404
    assert page(world.outsider).post(f"/clients/{hidden.uid}{path}", data).status_code == 404


@pytest.mark.parametrize("path", POSTS)
def test_who_only_reads_writes_nothing(world, page, borrower, path):
    assert page(world.auditor).post(f"/clients/{borrower.uid}{path}").status_code == 403


# --- the form -------------------------------------------------------------------------------------


def test_a_client_is_opened_with_consents(world, analyst, typed):
    answer = analyst.post("/clients/nouveau", {**typed, "bureau_consent": "on"})

    with world.scope():
        client = Borrower.objects.get(last_name="Zangué")
    assert (answer.status_code, answer["Location"]) == (302, f"/clients/{client.uid}")
    assert client.birth_date == dt.date(1990, 1, 31)
    assert client.monthly_income_xaf == 285_000
    assert (client.consent_at, client.consent_method) == (localdate(), "ecrit")
    assert (client.bureau_consent_at, client.bureau_consent_method) == (localdate(), "ecrit")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("last_name", ""),
        ("birth_date", "31/02/1990"),
        ("birth_date", "01/01/2999"),
        ("phone", "6 77"),
        ("monthly_income_xaf", "1.5"),
        ("monthly_income_xaf", "-5"),
        ("agency", "0"),
        ("document_type", ""),
        ("consent_method", ""),
        ("contract_type", "Mercenaire"),
    ],
)
def test_a_wrong_value_is_shown_beside_its_field(world, analyst, typed, name, value):
    answer = analyst.post("/clients/nouveau", {**typed, name: value})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [name]
    assert f'href="#id_{name}"' in answer.content.decode()
    assert "Éloïse" in answer.content.decode()
    with world.scope():
        assert not Borrower.objects.filter(last_name="Zangué").exists()


def test_an_agent_opens_files_in_the_own_agencies_only(world, page, typed, hidden):
    refused = page(world.agent).post("/clients/nouveau", {**typed, "agency": hidden.agency_id})

    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["agency"]


def test_a_possible_duplicate_is_shown_then_created_all_the_same(world, analyst, typed):
    analyst.post("/clients/nouveau", typed)
    with world.scope():
        first = Borrower.objects.get(last_name="Zangué")

    warned = analyst.post("/clients/nouveau", {**typed, "last_name": "Zangue"})
    created = analyst.post("/clients/nouveau", {**typed, "last_name": "Zangue", "despite_duplicates": "1"})

    assert warned.status_code == 422
    assert f"/clients/{first.uid}" in warned.content.decode()
    assert 'name="despite_duplicates"' in warned.content.decode()
    assert created.status_code == 302


def test_of_another_agencys_file_nothing_but_its_document_is_told(world, page, analyst, typed, hidden):
    analyst.post("/clients/nouveau", {**typed, "agency": hidden.agency_id})
    with world.scope():
        own = min(world.actor(world.agent).agency_ids)
        first = Borrower.objects.get(last_name="Zangué")

    warned = page(world.agent).post(
        "/clients/nouveau", {**typed, "agency": own, "last_name": "Autre", "phone": ""}
    )

    assert warned.status_code == 422
    assert warned.context["found"].elsewhere
    for secret in (str(first.uid), first.reference, "Zangué"):
        assert secret not in warned.content.decode()


def edited(client, **changes):
    values = {
        "version": version_of(client),
        "agency": client.agency_id,
        "last_name": client.last_name,
        "birth_date": f"{client.birth_date:%d/%m/%Y}",
        "city": "Kribi",
    }
    return {**values, **changes}


def test_a_file_is_changed_and_keeps_its_consents(world, analyst, borrower):
    shown = analyst.get(f"/clients/{borrower.uid}/modifier").content.decode()
    answer = analyst.post(f"/clients/{borrower.uid}/modifier", edited(borrower))

    assert f'value="{borrower.birth_date:%d/%m/%Y}"' in shown
    assert answer.status_code == 302
    with world.scope():
        stored = Borrower.objects.get(pk=borrower.pk)
    assert (stored.city, stored.data_updated_on) == ("Kribi", localdate())
    assert stored.consent_at == borrower.consent_at


def test_a_file_changed_meanwhile_keeps_what_was_typed_until_saved_again(world, page, analyst, borrower):
    stale = edited(borrower)
    page(world.risk_manager).post(f"/clients/{borrower.uid}/modifier", edited(borrower, city="Buea"))

    refused = analyst.post(f"/clients/{borrower.uid}/modifier", stale)
    body = refused.content.decode()
    version = re.search(r'name="version" value="([^"]+)"', body)[1]
    saved = analyst.post(f"/clients/{borrower.uid}/modifier", {**stale, "version": version})

    assert refused.status_code == 422
    assert world.actor(world.risk_manager).display_name in body
    assert 'value="Kribi"' in body
    assert saved.status_code == 302
    with world.scope():
        assert Borrower.objects.get(pk=borrower.pk).city == "Kribi"


# --- consents, guarantees, credits elsewhere ------------------------------------------------------


def test_a_consent_is_withdrawn_and_noted_again(world, analyst, borrower):
    path = f"/clients/{borrower.uid}/consentement"
    assert analyst.post(path, {"purpose": "donnees"}).status_code == 302
    with world.scope():
        withdrawn = Borrower.objects.get(pk=borrower.pk)
    assert analyst.post(path, {"purpose": "donnees", "method": "oral"}).status_code == 302
    with world.scope():
        again = Borrower.objects.get(pk=borrower.pk)

    assert (withdrawn.consent_at, withdrawn.consent_withdrawn_on) == (None, localdate())
    assert (again.consent_at, again.consent_method) == (localdate(), "oral")


@pytest.mark.parametrize("data", [{}, {"purpose": "tout"}, {"purpose": "bureau", "method": "telepathie"}])
def test_a_consent_to_nothing_known_is_refused(analyst, borrower, data):
    assert analyst.post(f"/clients/{borrower.uid}/consentement", data).status_code == 400


def test_a_guarantee_is_added_for_an_application_and_released(world, analyst):
    with world.scope():
        application = CreditApplication.objects.undecided().filter(guarantees=None).first()
        client = application.client
    answer = analyst.post(
        f"/clients/{client.uid}/garanties/nouvelle",
        {"kind": "gage", "value_xaf": "350 000", "application": str(application.uid)},
    )
    assert answer.status_code == 302
    with world.scope():
        guarantee = Guarantee.objects.get(application=application)
        application.refresh_from_db()
    assert (application.guarantees_value_xaf, application.real_security) == (350_000, True)

    assert analyst.post(f"/garanties/{guarantee.uid}/mainlevee").status_code == 302
    with world.scope():
        assert Guarantee.objects.get(pk=guarantee.pk).released_on == localdate()


SURETY = {"kind": "aval", "value_xaf": "1", "guarantor_name": "Ewane"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("guarantor_name", {"kind": "aval", "value_xaf": "1"}),
        ("value_xaf", {"kind": "gage", "value_xaf": "beaucoup"}),
        ("kind", {"value_xaf": "1"}),
        (
            "application",
            {"kind": "gage", "value_xaf": "1", "application": "00000000-0000-0000-0000-000000000000"},
        ),
        (
            "guarantor_phone",
            {**SURETY, "guarantor_phone": "7"},
        ),
    ],
)
def test_a_wrong_guarantee_is_shown_beside_its_field(analyst, borrower, name, data):
    answer = analyst.post(f"/clients/{borrower.uid}/garanties/nouvelle", data)

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [name])


DEBT = {
    "lender": "Banque des Lagunes",
    "outstanding_xaf": "300 000",
    "monthly_payment_xaf": "30 000",
    "status": "active",
    "source": "declare",
    "as_of": f"{localdate():%d/%m/%Y}",
}


def test_an_external_credit_is_added_summed_and_closed(world, analyst, typed):
    analyst.post("/clients/nouveau", typed)
    with world.scope():
        client = Borrower.objects.get(last_name="Zangué")
    path = f"/clients/{client.uid}"
    assert analyst.post(f"{path}/credits-externes/nouveau", DEBT).status_code == 302

    debts = analyst.get(path).context["debts"]
    assert (debts.outstanding_xaf, debts.monthly_payment_xaf) == (300_000, 30_000)
    prefilled = analyst.get(f"/demandes/nouvelle?client={client.reference}").content.decode()
    for value in ("Zangué", "31/01/1990", "300 000", "30 000", "285 000"):
        assert f'value="{value}"' in prefilled, value

    with world.scope():
        debt = ExternalCredit.objects.get(client=client)
    assert analyst.post(f"/credits-externes/{debt.uid}/solde").status_code == 302
    assert analyst.get(path).context["debts"].outstanding_xaf == 0


def test_a_register_without_consent_is_refused_at_the_source(analyst, typed, world):
    analyst.post("/clients/nouveau", typed)
    with world.scope():
        client = Borrower.objects.get(last_name="Zangué")

    answer = analyst.post(f"/clients/{client.uid}/credits-externes/nouveau", {**DEBT, "source": "bic"})

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["source"])


def test_what_belongs_to_hidden_files_is_not_touched(world, page):
    with world.scope():
        agencies = world.actor(world.agent).agency_ids
        guarantee = Guarantee.objects.exclude(client__agency_id__in=agencies).first()
        debt = ExternalCredit.objects.exclude(client__agency_id__in=agencies).first()

    for email in (world.agent, world.outsider):
        assert page(email).post(f"/garanties/{guarantee.uid}/mainlevee").status_code == 404
        assert page(email).post(f"/credits-externes/{debt.uid}/solde").status_code == 404


def test_a_new_application_for_a_hidden_client_is_unknown(world, page, hidden):
    answer = page(world.agent).get("/demandes/nouvelle", {"client": hidden.reference})

    assert answer.status_code == 404
