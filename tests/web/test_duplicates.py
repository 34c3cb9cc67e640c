"""The pages of duplicates: the list, two files side by side, merged, parted, told apart."""

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.models import Client as Borrower
from apps.credits.models import CreditApplication, DistinctClients
from apps.credits.services.clients import prepare_client
from apps.institutions.models import Agency
from tests.api.sending import send
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
LIST = "/clients/doublons"


@pytest.fixture
def elder(world):
    with world.scope():
        client = Borrower.objects.filter(credits__isnull=False, prohibition_date=None).order_by("pk").first()
        client.document_type, client.document_number = "cni", "ZZ 1234 Q"
        prepare_client(client, institution_id=client.institution_id).save()
        return client


@pytest.fixture
def twin(world, elder):
    with world.scope():
        names = ("agency", "last_name", "first_names", "birth_date", "document_type", "document_number")
        twin = Borrower(reference="X-TWIN", city="Mbalmayo", **{name: getattr(elder, name) for name in names})
        prepare_client(twin, institution_id=elder.institution_id).save()
        return twin


@pytest.fixture
def analyst(world, page):
    return page(world.analyst)


def address(name, client):
    return reverse(f"web:{name}", args=[client.uid])


def beside(client, other):
    return f"{address('client_duplicates', client)}?avec={other.uid}"


def merged(analyst, elder, twin):
    return analyst.post(address("client_merge", elder), {"autre": twin.uid, "garde": elder.uid})


def test_the_list_shows_pairs_by_what_they_share(analyst, elder, twin):
    for criterion in ("piece", "nom"):
        body = analyst.get(LIST, {"critere": criterion}).content.decode()
        assert beside(elder, twin).replace("&", "&amp;") in body
    assert beside(elder, twin) not in analyst.get(LIST, {"critere": "telephone"}).content.decode()


def test_the_list_needs_few_statements(analyst, elder, twin):
    with own_statements() as statements:
        assert analyst.get(LIST).status_code == 200

    assert len(statements) <= 5  # the bell asks one


@pytest.mark.parametrize("cursor", ["rien", "00000000-0000-4000-8000-000000000000"])
def test_a_cursor_that_no_page_gave_is_unknown(analyst, cursor):
    assert analyst.get(LIST, {"apres": cursor}).status_code == 404


def test_both_files_are_shown_with_their_differences_and_both_readings_are_known(world, analyst, elder, twin):
    answer = analyst.get(beside(elder, twin))

    rows = {row.label: row for row in answer.context["rows"]}
    assert [row.differs for row in rows.values()].count(True) >= 3
    assert not rows["Last name" if "Last name" in rows else "Nom"].differs
    assert answer.content.decode().count("row-differs") == sum(row.differs for row in rows.values())
    with world.scope():
        reads = AuditEntry.objects.filter(action="client.read").order_by("-pk")[:2]
        assert {entry.object_uid for entry in reads} == {elder.uid, twin.uid}


def test_a_file_is_compared_with_the_one_that_looks_like_it_or_with_one_that_is_named(
    world, analyst, elder, twin
):
    assert analyst.get(address("client_duplicates", elder)).context["other"] == twin
    with world.scope():
        stranger = Borrower.objects.exclude(pk__in=[elder.pk, twin.pk]).last()

    found = analyst.get(address("client_duplicates", elder), {"reference": stranger.reference})
    unknown = analyst.get(address("client_duplicates", elder), {"reference": "INCONNU"})
    same = analyst.get(address("client_duplicates", elder), {"reference": elder.reference})

    assert found.context["other"] == stranger
    assert (unknown.status_code, same.status_code) == (422, 422)


def test_merged_files_lead_to_the_one_that_was_kept(world, analyst, elder, twin):
    answer = merged(analyst, elder, twin)

    assert (answer.status_code, answer.url) == (302, address("client", elder))
    assert elder.reference in analyst.get(address("client", twin), follow=True).content.decode()
    assert analyst.get(address("client_edit", twin)).context["client"] == elder
    assert analyst.get(address("client", twin)).url == address("client", elder)
    assert twin.reference in analyst.get(address("client", elder)).content.decode()
    listed = analyst.get("/clients", {"q": elder.last_name}).content.decode()
    assert (elder.reference in listed, twin.reference in listed) == (True, False)
    form = analyst.get("/demandes/nouvelle", {"client": twin.reference}).content.decode()
    assert elder.reference in form


def test_either_file_may_be_the_one_kept_and_shows_the_others_history(world, analyst, elder, twin):
    analyst.post(address("client_merge", elder), {"autre": twin.uid, "garde": twin.uid})

    with world.scope():
        assert Borrower.objects.get(pk=elder.pk).merged_into_id == twin.pk
        made = [each.reference for each in CreditApplication.objects.filter(client=elder)]
    body = analyst.get(address("client", twin)).content.decode()
    assert all(reference in body for reference in made)


def test_a_merging_is_undone_from_the_kept_file(world, analyst, elder, twin):
    merged(analyst, elder, twin)
    body = analyst.get(address("client", elder)).content.decode()
    assert address("client_part", twin) in body

    answer = analyst.post(address("client_part", twin))

    assert answer.url == address("client", elder)
    assert analyst.get(address("client", twin)).status_code == 200
    with world.scope():
        assert Borrower.objects.get(pk=twin.pk).merged_into is None


def test_a_refusal_is_told_beside_both_files(world, analyst, elder, twin):
    with world.scope():
        Borrower.objects.filter(pk=twin.pk).update(
            prohibition_source="Jugement", prohibition_date=timezone.localdate()
        )

    answer = analyst.post(
        address("client_merge", elder), {"autre": twin.uid, "garde": elder.uid}, follow=True
    )

    assert answer.redirect_chain[0][0] == beside(elder, twin)
    assert twin.reference in " ".join(str(message) for message in answer.context["messages"])
    with world.scope():
        assert Borrower.objects.get(pk=twin.pk).merged_into is None


def test_files_told_apart_leave_the_list(world, analyst, elder, twin):
    answer = analyst.post(address("client_keep_apart", elder), {"autre": twin.uid})

    assert answer.url == LIST
    assert beside(elder, twin) not in analyst.get(LIST).content.decode()
    assert analyst.get(beside(elder, twin)).context["told_apart"]
    with world.scope():
        assert DistinctClients.objects.count() == 1


@pytest.mark.parametrize("other", ["", "rien", "00000000-0000-4000-8000-000000000000"])
@pytest.mark.parametrize("name", ["client_merge", "client_keep_apart"])
def test_another_file_that_is_none_is_unknown(analyst, elder, name, other):
    assert analyst.post(address(name, elder), {"autre": other}).status_code == 404


def test_a_file_that_went_to_another_agency_stays_to_be_read(world, page, analyst, elder, twin):
    agent = world.actor(world.agent)
    with world.scope():
        own = Agency.objects.get(pk=next(iter(agent.agency_ids)))
        hidden = Agency.objects.exclude(pk__in=agent.agency_ids).first()
        Borrower.objects.filter(pk=twin.pk).update(agency=own)
        Borrower.objects.filter(pk=elder.pk).update(agency=hidden)
    assert merged(analyst, elder, twin).status_code == 302

    shown = page(world.agent).get(address("client", twin))

    assert shown.status_code == 200
    assert (shown.context["may_edit"], shown.context["may_enter"]) == (False, False)
    assert page(world.agent).get(address("client_edit", twin)).status_code == 404
    assert page(world.agent).get(address("client", elder)).status_code == 404


def test_who_reads_only_finds_no_way_in(world, page, elder, twin):
    auditor = page(world.auditor)

    assert auditor.get(LIST).status_code == 403
    assert auditor.get(beside(elder, twin)).status_code == 403
    assert auditor.post(address("client_merge", elder), {"autre": twin.uid}).status_code == 403
    assert LIST not in auditor.get("/clients").content.decode()


# --- the API -----------------------------------------------------------------------------------------


def test_the_api_tells_what_was_merged_into_what(world, api, analyst, elder, twin):
    merged(analyst, elder, twin)
    partner = api(world.analyst)

    one = partner.get(f"/api/v1/clients/{twin.uid}").json()
    kept = partner.get(f"/api/v1/clients/{elder.uid}").json()
    listed = partner.get("/api/v1/clients", {"q": elder.last_name, "limit": 100}).json()["results"]
    gone = partner.get("/api/v1/clients", {"merged": "true"}).json()["results"]

    assert (one["merged_into"], kept["merged_into"]) == (str(elder.uid), None)
    assert str(twin.uid) not in {each["id"] for each in listed}
    assert [each["id"] for each in gone] == [str(twin.uid)]
    assert gone[0]["merged_into"] == str(elder.uid)


@pytest.mark.parametrize("path", ["applications", "predict"])
@pytest.mark.parametrize("reference", ["client_id", "client_reference"])
def test_a_partner_enters_nothing_on_a_merged_file(world, api, analyst, elder, twin, path, reference):
    merged(analyst, elder, twin)
    loan = {"montant_credit": 300_000, "duree_mois": 12, "taux_interet": 18, "type_credit": "consommation"}
    named = {"client_id": str(twin.uid), "client_reference": twin.reference}[reference]

    answer = send(api(world.analyst), "post", f"/api/v1/{path}", {reference: named, **loan})

    assert (answer.status_code, answer.json()["code"]) == (409, "merged")
    assert elder.reference in answer.json()["detail"]
