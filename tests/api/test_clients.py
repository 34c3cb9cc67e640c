"""/api/v1/clients and /api/v1/external-credits: lists, files, changes, refusals."""

import pytest
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.credits.models import Client, ExternalCredit
from apps.institutions.models import Agency
from tests.api.sending import NOBODY, send
from tests.statements import own_statements

pytestmark = pytest.mark.django_db

URL = "/api/v1/clients"
EXTERNAL = "/api/v1/external-credits"


@pytest.fixture
def agency(world):
    with world.scope():
        return Agency.objects.order_by("code").first()


@pytest.fixture
def person(agency):
    return {"agency": str(agency.uid), "last_name": "Ngo Bassong", "birth_date": "1988-03-02"}


@pytest.fixture
def known(world):
    with world.scope():
        return Client.objects.exclude(phone="").select_related("agency").order_by("pk").first()


def reads_of(world, client):
    with world.scope():
        return AuditEntry.objects.filter(action="client.read", object_uid=client.uid).count()


def test_the_list_is_paged_by_cursor_without_gap_or_double(api, world):
    client = api(world.analyst)
    url, seen = f"{URL}?limit=100", []
    for _page in range(4):
        body = client.get(url).json()
        seen += [row["id"] for row in body["results"]]
        url = body["next"]

    with world.scope():
        first = Client.objects.order_by("search_name", "uid").values_list("uid", flat=True)[:400]
        assert seen == [str(uid) for uid in first]


def test_the_last_page_says_so(api, world, known):
    body = api(world.analyst).get(URL, {"reference": known.reference}).json()

    assert [row["reference"] for row in body["results"]] == [known.reference]
    assert (body["next"], body["next_cursor"]) == (None, None)


def test_the_list_costs_few_statements_and_shows_no_phone(api, world, known):
    client = api(world.analyst)
    with own_statements() as asked:
        answer = client.get(URL, {"limit": "100", "agency": str(known.agency.uid)})

    assert len(asked) <= 6, asked
    assert {"phone", "document_number"}.isdisjoint(answer.json()["results"][0])


@pytest.mark.parametrize("spelling", ["{}", " {}", "+237 {}"])
def test_a_phone_is_found_however_it_is_written(api, world, known, spelling):
    body = api(world.analyst).get(URL, {"phone": spelling.format(known.phone[-9:])}).json()

    assert str(known.uid) in [row["id"] for row in body["results"]]


def test_a_name_is_found_by_its_beginning(api, world, known):
    body = api(world.analyst).get(URL, {"q": known.last_name[:4].upper(), "limit": "100"}).json()

    assert body["results"]
    assert all(row["last_name"].lower().startswith(known.last_name[:4].lower()) for row in body["results"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "101"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": NOBODY}, "cursor"),
        ({"sort": "phone"}, "sort"),
        ({"agency": "7"}, "agency"),
        ({"agence": NOBODY}, "agence"),
        ({"q": "\x00"}, "q"),
    ],
)
def test_a_wrong_parameter_is_named(api, world, query, field):
    answer = api(world.analyst).get(URL, query)

    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == [field]


def test_an_agent_lists_their_agencies_only(api, world):
    allowed = world.actor(world.agent).agency_ids
    with world.scope():
        codes = set(Agency.objects.filter(pk__in=allowed).values_list("code", flat=True))
        other = Agency.objects.exclude(pk__in=allowed).first()

    rows = api(world.agent).get(URL, {"limit": "100"}).json()["results"]

    assert {row["agency"]["code"] for row in rows} <= codes
    assert api(world.agent).get(URL, {"agency": str(other.uid)}).json()["results"] == []


def test_a_file_is_read_whole_and_the_reading_recorded(api, world, known):
    before = reads_of(world, known)

    answer = api(world.analyst).get(f"{URL}/{known.uid}")

    assert answer.status_code == 200
    assert answer.json()["phone"] == known.phone
    assert answer["Cache-Control"] == "private, no-store"
    assert reads_of(world, known) == before + 1


def test_an_etag_that_still_holds_answers_304(api, world, known):
    client = api(world.analyst)
    tag = client.get(f"{URL}/{known.uid}")["ETag"]

    again = client.get(f"{URL}/{known.uid}", headers={"If-None-Match": f"W/{tag}"})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)


def test_a_client_is_created(api, world, person):
    answer = send(
        api(world.analyst),
        "post",
        URL,
        {**person, "phone": "6 77 00 11 22", "data_consent": True, "consent_method": "ecrit"},
    )

    body = answer.json()
    assert answer.status_code == 201
    assert body["data_consent"] == {
        "given_on": str(timezone.localdate()),
        "method": "ecrit",
        "withdrawn_on": None,
    }
    with world.scope():
        stored = Client.objects.get(uid=body["id"])
        assert (stored.search_name, stored.phone) == ("ngo bassong", "677001122")
        assert AuditEntry.objects.filter(object_uid=stored.uid, action="client.create").count() == 1


def test_a_double_is_refused_with_the_references_in_sight(api, world, person):
    client = api(world.analyst)
    first = send(client, "post", URL, person).json()

    again = send(client, "post", URL, person)

    assert (again.status_code, again.json()["code"]) == (409, "possible_duplicate")
    assert again.json()["fields"] == {"despite_duplicates": [first["reference"]]}
    assert send(client, "post", URL, {**person, "despite_duplicates": True}).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"birth_date": "2999-01-01"}, "birth_date"),
        ({"birth_date": "0001-01-01"}, "birth_date"),
        ({"sex": "X"}, "sex"),
        ({"phone": "12"}, "phone"),
        ({"monthly_income_xaf": -1}, "monthly_income_xaf"),
        ({"monthly_income_xaf": 10**30}, "monthly_income_xaf"),
        ({"data_consent": True}, "consent_method"),
        ({"religion": "x"}, "religion"),
        ({"last_name": None}, "last_name"),
        ({"prohibition_date": "2024-01-01"}, "prohibition_source"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(api, world, person, change, field):
    with world.scope():
        before = Client.objects.count()

    answer = send(api(world.analyst), "post", URL, {**person, **change})

    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == [field]
    with world.scope():
        assert Client.objects.count() == before


def test_an_agency_out_of_sight_is_unknown(api, world, person):
    with world.scope("ngwa"):
        foreign = str(Agency.objects.first().uid)

    theirs = send(api(world.analyst), "post", URL, {**person, "agency": foreign})
    nobody = send(api(world.analyst), "post", URL, {**person, "agency": NOBODY})

    assert theirs.status_code == nobody.status_code == 404
    assert {**theirs.json(), "request_id": ""} == {**nobody.json(), "request_id": ""}


def test_a_change_needs_the_state_that_was_read(api, world, known):
    client, url = api(world.analyst), f"{URL}/{known.uid}"
    tag = client.get(url)["ETag"]

    missing = send(client, "patch", url, {"city": "Kribi"})
    done = send(client, "patch", url, {"city": "Kribi"}, **{"If-Match": tag})
    stale = send(client, "patch", url, {"city": "Edéa"}, **{"If-Match": tag})
    weak = send(client, "patch", url, {"city": "Limbé"}, **{"If-Match": f'"x", W/{done["ETag"]}'})

    assert (missing.status_code, missing.json()["code"]) == (428, "precondition_required")
    assert (done.status_code, done.json()["city"]) == (200, "Kribi")
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    assert (weak.status_code, weak.json()["city"]) == (200, "Limbé")
    assert done.json()["last_name"] == known.last_name


def test_nothing_is_deleted(api, world, known):
    assert api(world.analyst).delete(f"{URL}/{known.uid}").status_code == 405


def test_who_may_only_read_writes_nothing(api, world, known, person):
    auditor = api(world.auditor)

    assert auditor.get(f"{URL}/{known.uid}").status_code == 200
    assert send(auditor, "post", URL, person).status_code == 403
    assert send(auditor, "patch", f"{URL}/{known.uid}", {}).status_code == 403
    assert api("commercial@horizon.demo").get(URL).status_code == 403


# --- credits elsewhere ------------------------------------------------------------------------------


@pytest.fixture
def debt(known):
    return {
        "client": str(known.uid),
        "lender": "Crédit du Sahel",
        "outstanding_xaf": 150_000,
        "monthly_payment_xaf": 25_000,
        "source": "declare",
    }


def test_a_credit_elsewhere_is_noted_corrected_and_closed(api, world, known, debt):
    client = api(world.analyst)
    created = send(client, "post", EXTERNAL, debt)
    url = f"{EXTERNAL}/{created.json()['id']}"

    changed = send(client, "patch", url, {"outstanding_xaf": 90_000}, **{"If-Match": created["ETag"]})
    stale = send(client, "patch", url, {"outstanding_xaf": 1}, **{"If-Match": created["ETag"]})
    closed = send(client, "post", f"{url}/close")

    assert (created.status_code, changed.status_code, stale.status_code) == (201, 200, 412)
    assert changed.json()["outstanding_xaf"] == 90_000
    assert (closed.json()["status"], closed.json()["monthly_payment_xaf"]) == ("closed", 0)
    listed = client.get(EXTERNAL, {"client": str(known.uid), "status": "closed"}).json()["results"]
    assert created.json()["id"] in [row["id"] for row in listed]


def test_credits_elsewhere_are_listed_for_one_client_and_recorded(api, world, debt):
    with world.scope():
        credit = ExternalCredit.objects.select_related("client").first()
    before = reads_of(world, credit.client)
    client = api(world.analyst)

    with own_statements() as asked:
        answer = client.get(EXTERNAL, {"client": str(credit.client.uid)})

    assert str(credit.uid) in [row["id"] for row in answer.json()["results"]]
    assert len(asked) <= 6, asked
    assert reads_of(world, credit.client) == before + 1
    assert list(client.get(EXTERNAL).json()["fields"]) == ["client"]
    assert client.get(EXTERNAL, {"client": NOBODY}).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": "cremf", "as_of": "1999-01-01"}, "source"),
        ({"as_of": "2999-01-01"}, "as_of"),
        ({"kind": "yacht"}, "kind"),
        ({"status": "closed"}, "status"),
    ],
)
def test_a_wrong_credit_elsewhere_is_refused(api, world, debt, change, field):
    answer = send(api(world.analyst), "post", EXTERNAL, {**debt, **change})

    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])


def test_a_closing_is_not_dated_in_the_future(api, world, debt):
    client = api(world.analyst)
    url = f"{EXTERNAL}/{send(client, 'post', EXTERNAL, debt).json()['id']}/close"

    assert list(send(client, "post", url, {"on": "2999-01-01"}).json()["fields"]) == ["on"]
