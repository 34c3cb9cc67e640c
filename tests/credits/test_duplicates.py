"""Two files of one person: found by what they share, merged, parted again, told apart."""

import pytest
from django.db import connection

from apps.audit.models import AuditEntry
from apps.credits.enums import Likeness
from apps.credits.errors import ClientMerged
from apps.credits.features import case_facts
from apps.credits.models import Client, Credit, CreditApplication, DistinctClients, ExternalCredit
from apps.credits.queries import duplicates as queries
from apps.credits.queries.applications import ApplicationFilter, applications_of, filtered_applications
from apps.credits.queries.clients import (
    clients_found,
    duplicates_of,
    external_debts,
    find_clients,
    kept_file,
    merged_files,
)
from apps.credits.queries.duplicates import LARGEST, duplicate_pairs, holdings_of
from apps.credits.services.applications import Entry, enter_application
from apps.credits.services.clients import prepare_client, update_client, version_of
from apps.credits.services.duplicates import keep_apart, merge_clients, part_clients
from apps.credits.services.external_credits import save_external_credit
from apps.institutions.models import Agency
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound
from tests.statements import own_statements

pytestmark = pytest.mark.django_db
LOAN = {"montant_credit": 300_000, "duree_mois": 12, "taux_interet": 18, "type_credit": "consommation"}


@pytest.fixture
def scope(world):
    with world.scope():
        yield


@pytest.fixture
def analyst(world, scope):
    return world.actor(world.analyst)


def file_of(client, **changes):
    """Store another file of the same person, with some other values."""
    names = ("agency", "last_name", "first_names", "birth_date", "phone", "document_number")
    values = {name: getattr(client, name) for name in names} | changes
    other = prepare_client(Client(**values), institution_id=client.institution_id)
    other.reference = other.reference or f"X-{Client.objects.count()}"
    other.save()
    return other


@pytest.fixture
def elder(scope):
    """Return a client with applications, credits and scores."""
    rows = Client.objects.filter(credits__isnull=False, predictions__isnull=False, prohibition_date=None)
    client = rows.order_by("pk").first()
    client.document_number = "ZZ 1234 Q"
    prepare_client(client, institution_id=client.institution_id).save()
    return client


@pytest.fixture
def twin(elder):
    return file_of(elder, first_names=f"{elder.first_names} ", phone="+237 699 88 77 66")


def pairs_of(actor, likeness):
    return [(pair.first, pair.second) for pair in duplicate_pairs(actor, likeness).pairs]


# --- found -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("likeness", "changes"),
    [
        (Likeness.DOCUMENT, {"last_name": "AUTRE", "phone": "", "document_number": "zz-1234 q"}),
        (Likeness.PHONE, {"last_name": "AUTRE", "document_number": ""}),
        (Likeness.NAME, {"phone": "", "document_number": ""}),
    ],
)
def test_two_files_are_found_by_what_they_share(analyst, elder, likeness, changes):
    elder.phone = "699 11 22 33"
    prepare_client(elder, institution_id=elder.institution_id).save()
    other = file_of(elder, **changes)

    assert (elder, other) in pairs_of(analyst, likeness)
    for another in set(Likeness) - {likeness}:
        assert (elder, other) not in pairs_of(analyst, another)


def test_the_words_of_a_name_are_found_in_any_order_without_accents(analyst, elder):
    swapped = file_of(
        elder, last_name=elder.first_names.upper(), first_names=elder.last_name, phone="", document_number=""
    )

    assert (elder, swapped) in pairs_of(analyst, Likeness.NAME)
    (pair,) = [each for each in duplicate_pairs(analyst, Likeness.NAME).pairs if each.second == swapped]
    assert pair.alike == (Likeness.NAME,)


def test_a_number_of_many_files_is_no_persons(analyst, elder):
    for place in range(LARGEST):
        file_of(elder, last_name=f"NOM {chr(65 + place)}", phone="", document_number="PARTAGE 7")
    elder.document_number = "PARTAGE 7"
    prepare_client(elder, institution_id=elder.institution_id).save()

    assert [pair for pair in pairs_of(analyst, Likeness.DOCUMENT) if elder in pair] == []


def test_pages_follow_each_other_without_losing_a_pair(analyst, elder, monkeypatch):
    monkeypatch.setattr(queries, "GROUPS", 3)
    monkeypatch.setattr(queries, "READ", 4)
    expected = set()
    for place in range(8):
        one = file_of(elder, last_name=f"PAIRE {chr(65 + place)}", phone="", document_number=f"P{place}")
        expected.add((one, file_of(one, last_name="AUTRE", phone="")))

    found, after, pages = [], None, 0
    while True:
        page = duplicate_pairs(analyst, Likeness.DOCUMENT, after=after)
        found += [(pair.first, pair.second) for pair in page.pairs]
        pages, after = pages + 1, page.after
        if after is None:
            break

    assert set(found) == expected
    assert len(found) == len(expected)
    assert pages >= 3


def test_pages_of_pairs_all_told_apart_are_passed_over(analyst, elder, monkeypatch):
    monkeypatch.setattr(queries, "GROUPS", 1)
    monkeypatch.setattr(queries, "READ", 1)
    files = []
    for place in range(3):
        one = file_of(elder, last_name=f"PAIRE {place}", phone="", document_number=f"P{place}")
        files.append((one, file_of(one, last_name="AUTRE", phone="")))
    in_order = sorted(files, key=lambda pair: pair[0].document_index)
    for first, second in in_order[:2]:
        keep_apart(first=first, second=second, by=analyst)

    page = duplicate_pairs(analyst, Likeness.DOCUMENT)

    assert [(pair.first, pair.second) for pair in page.pairs] == [in_order[2]]


def test_a_page_looks_at_so_many_clients_and_the_next_goes_on(analyst, elder, monkeypatch):
    monkeypatch.setattr(queries, "LOOKED_AT", 40)
    expected = set()
    for place in range(5):
        one = file_of(elder, last_name=f"PAIRE {chr(65 + place)}", phone="", document_number=f"P{place}")
        expected.add((one, file_of(one, last_name="AUTRE", phone="")))

    found, after, pages = [], None, 0
    while pages == 0 or after is not None:
        page = duplicate_pairs(analyst, Likeness.DOCUMENT, after=after)
        found += [(pair.first, pair.second) for pair in page.pairs]
        pages, after = pages + 1, page.after

    assert set(found) == expected
    assert len(found) == len(expected)
    assert pages > 3


def test_a_page_takes_four_statements(analyst, twin):
    with own_statements() as statements:
        duplicate_pairs(analyst, Likeness.NAME)

    assert len(statements) == 4


@pytest.mark.parametrize(
    ("likeness", "index"),
    [
        (Likeness.DOCUMENT, "credits_client_document"),
        (Likeness.PHONE, "credits_client_phone"),
        (Likeness.NAME, "credits_client_same_name"),
    ],
)
@pytest.mark.parametrize("email", ["analyste@horizon.demo", "agent@horizon.demo"])
def test_shared_keys_are_read_from_an_index_alone(world, scope, likeness, index, email):
    actor, column = world.actor(email), queries.KEYS[likeness]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        groups = queries._shared_groups(actor, column, "a")
        plan = groups[: queries.READ].explain()

    assert "Index Only Scan" in plan
    assert index in plan
    assert f"{column} > 'a'::text" in plan.replace(f"({column})::text", column)
    assert "Sort" not in plan


def test_an_agent_is_shown_pairs_of_own_agencies_only(world, scope, elder):
    agent = world.actor(world.agent)
    hidden = Agency.objects.exclude(pk__in=agent.agency_ids).first()
    own = Agency.objects.get(pk=next(iter(agent.agency_ids)))
    mine = file_of(elder, agency=own, document_number="AGENT 1", phone="")
    theirs = file_of(mine, agency=hidden)

    assert [pair for pair in pairs_of(agent, Likeness.DOCUMENT) if mine in pair] == []
    assert [pair for pair in pairs_of(world.actor(world.analyst), Likeness.DOCUMENT) if mine in pair] != []
    with pytest.raises(ObjectNotFound):
        duplicate_pairs(agent, Likeness.DOCUMENT, after=theirs.uid)


def test_nothing_is_found_across_institutions(world):
    with world.scope():
        known = Client.objects.first()
    outsider = world.actor(world.outsider)
    with world.scope("ngwa"):
        names = ("last_name", "first_names", "birth_date", "phone", "document_number")
        client = Client(agency=Agency.objects.first(), **{name: getattr(known, name) for name in names})
        prepare_client(client, institution_id=outsider.institution)

        assert not duplicates_of(outsider, client)


# --- merged ------------------------------------------------------------------------------------------


def test_the_kept_file_shows_the_history_of_both_and_nothing_is_rewritten(analyst, elder, twin):
    made = list(CreditApplication.objects.filter(client=elder).order_by("pk").values())
    lent = list(Credit.objects.filter(client=elder).order_by("pk").values())

    merge_clients(gone=elder, kept=twin, by=analyst)

    assert list(CreditApplication.objects.filter(client=elder).order_by("pk").values()) == made
    assert list(Credit.objects.filter(client=elder).order_by("pk").values()) == lent
    assert merged_files(twin) == [elder]
    assert applications_of(analyst, twin, *merged_files(twin)).count() == len(made)
    assert filtered_applications(analyst, ApplicationFilter(client_uid=twin.uid)).count() == len(made)
    entry = AuditEntry.objects.order_by("-pk").first()
    assert (entry.action, entry.object_uid) == ("client.merge", elder.uid)
    assert entry.after == {"into": str(twin.uid)}


def test_lists_and_searches_hide_the_merged_file_and_its_numbers_find_the_kept_one(analyst, elder, twin):
    twin = merge_clients(gone=twin, kept=elder, by=analyst)

    assert list(find_clients(analyst, twin.reference)) == [elder]
    assert list(find_clients(analyst, "699 88 77 66")) == [elder]
    assert twin not in find_clients(analyst, elder.last_name)
    assert twin not in clients_found(analyst, text=elder.last_name)
    assert list(clients_found(analyst, reference=twin.reference, merged=True)) == [twin]
    assert elder not in clients_found(analyst, merged=True)
    assert (elder, twin) not in pairs_of(analyst, Likeness.NAME)
    assert duplicates_of(analyst, elder).clients == ()
    assert kept_file(analyst, twin) == elder


def test_nothing_new_is_entered_on_a_merged_file(analyst, elder, twin):
    import uuid

    twin = merge_clients(gone=twin, kept=elder, by=analyst)

    with pytest.raises(ClientMerged) as refusal:
        enter_application(
            uid=uuid.uuid4(), entry=Entry(values=LOAN, client_reference=twin.reference), by=analyst
        )
    assert elder.reference in refusal.value.message
    with pytest.raises(ClientMerged):
        update_client(client=twin, version=version_of(twin), by=analyst)
    with pytest.raises(ClientMerged):
        save_external_credit(credit=ExternalCredit(client=twin), by=analyst)


def test_debts_elsewhere_of_both_files_count_for_the_kept_one(analyst, elder, twin):
    debt = ExternalCredit(
        client=twin, lender="Tontine", outstanding_xaf=90_000, monthly_payment_xaf=15_000, source="declare"
    )
    debt.save()
    before = external_debts(elder)

    merge_clients(gone=twin, kept=elder, by=analyst)

    after = external_debts(elder, *merged_files(elder))
    assert after.monthly_payment_xaf == before.monthly_payment_xaf + 15_000
    assert after.count == before.count + 1


def test_the_facts_of_a_merged_files_application_are_those_of_the_kept_file(analyst, elder, twin):
    twin.prohibition_source, twin.prohibition_date = "Jugement", elder.data_updated_on
    twin.save()
    gone = merge_clients(gone=elder, kept=twin, by=analyst)

    facts = case_facts(gone, on=twin.data_updated_on)

    assert facts.prohibited


def test_a_prohibition_is_not_lost_by_merging(analyst, elder, twin):
    twin.prohibition_source, twin.prohibition_date = "Jugement", elder.data_updated_on
    twin.save()

    with pytest.raises(InvalidValues):
        merge_clients(gone=twin, kept=elder, by=analyst)

    assert Client.objects.get(pk=twin.pk).merged_into is None


def test_merging_is_undone_as_if_it_had_not_been(analyst, elder, twin):
    before = Client.objects.filter(pk=twin.pk).values().get()
    gone = merge_clients(gone=twin, kept=elder, by=analyst)

    part_clients(client=gone, by=analyst)
    part_clients(client=gone, by=analyst)

    after = Client.objects.filter(pk=twin.pk).values().get()
    assert {**after, "updated_at": None} == {**before, "updated_at": None}
    assert (elder, twin) in pairs_of(analyst, Likeness.NAME)
    assert AuditEntry.objects.filter(action="client.part").count() == 1


def test_a_file_that_others_were_merged_into_may_itself_go(analyst, elder, twin):
    third = file_of(elder)
    merge_clients(gone=twin, kept=elder, by=analyst)
    merge_clients(gone=elder, kept=third, by=analyst)

    assert merged_files(third) == [elder, twin]
    assert kept_file(analyst, Client.objects.get(pk=twin.pk)) == third
    part_clients(client=elder, by=analyst)
    assert merged_files(Client.objects.get(pk=elder.pk)) == [twin]
    assert merged_files(third) == []


def test_a_merged_file_is_not_merged_again_nor_kept(analyst, elder, twin):
    third = file_of(elder)
    gone = merge_clients(gone=twin, kept=elder, by=analyst)

    with pytest.raises(ClientMerged):
        merge_clients(gone=third, kept=gone, by=analyst)
    with pytest.raises(ClientMerged):
        merge_clients(gone=gone, kept=third, by=analyst)
    with pytest.raises(InvalidValues):
        merge_clients(gone=elder, kept=elder, by=analyst)


def test_files_of_two_agencies_are_for_who_sees_every_agency(world, analyst, elder, twin):
    agent = world.actor(world.agent)
    own = [Agency.objects.get(pk=key) for key in agent.agency_ids]
    hidden = Agency.objects.exclude(pk__in=agent.agency_ids).first()
    Client.objects.filter(pk=elder.pk).update(agency=own[0])
    Client.objects.filter(pk=twin.pk).update(agency=hidden)

    with pytest.raises(ObjectNotFound):
        merge_clients(gone=twin, kept=elder, by=agent)
    assert merge_clients(gone=twin, kept=elder, by=analyst).merged_into == elder


def test_an_agent_of_two_agencies_does_not_merge_across_them(world, elder, twin):
    from dataclasses import replace

    first, second = Agency.objects.order_by("pk")[:2]
    agent = replace(world.actor(world.agent), agency_ids=frozenset({first.pk, second.pk}))
    Client.objects.filter(pk=elder.pk).update(agency=first)
    Client.objects.filter(pk=twin.pk).update(agency=second)

    with pytest.raises(NotAllowed):
        merge_clients(gone=twin, kept=elder, by=agent)
    Client.objects.filter(pk=twin.pk).update(agency=first)
    assert merge_clients(gone=twin, kept=elder, by=agent).merged_into == elder


@pytest.mark.parametrize("email", ["auditeur@horizon.demo", "admin@horizon.demo", "comite@horizon.demo"])
def test_who_does_not_change_files_settles_no_duplicate(world, elder, twin, email):
    actor = world.actor(email)

    with pytest.raises(NotAllowed):
        merge_clients(gone=twin, kept=elder, by=actor)
    with pytest.raises(NotAllowed):
        keep_apart(first=twin, second=elder, by=actor)


# --- told apart --------------------------------------------------------------------------------------


def test_two_files_told_apart_are_not_shown_again(analyst, elder, twin):
    keep_apart(first=twin, second=elder, by=analyst)
    keep_apart(first=elder, second=twin, by=analyst)

    assert DistinctClients.objects.count() == 1
    assert AuditEntry.objects.filter(action="client.keep_apart").count() == 1
    assert (elder, twin) not in pairs_of(analyst, Likeness.NAME)
    assert duplicates_of(analyst, elder).clients == ()
    third = file_of(elder)
    assert duplicates_of(analyst, elder).clients == (third,)


def test_what_each_file_holds_is_counted(elder, twin):
    held = holdings_of(elder, twin)

    assert held[elder.pk].applications == CreditApplication.objects.filter(client=elder).count()
    assert held[elder.pk].credits == Credit.objects.filter(client=elder).count() > 0
    assert (held[twin.pk].applications, held[twin.pk].credits, held[twin.pk].last_on) == (0, 0, None)
