"""Lists of an institution with 200,000 clients and as many applications: indexes, a LIMIT, few statements."""

import pytest
from django.db import connections
from django.urls import reverse

from apps.credits.enums import ApplicationStatus
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.applications import ApplicationFilter, filtered_applications
from apps.credits.queries.clients import clients_named, find_clients, visible_clients
from apps.institutions.models import Agency
from tests.statements import faults, own_statements

ROWS = 200_000
CLIENTS = """
INSERT INTO credits_client (
  uid, institution_id, agency_id, reference, last_name, first_names, search_name, search_first_names,
  name_key, sex,
  birth_date, family_situation, phone, phone_index, city, residence_region, document_type, document_number,
  document_index, occupation, contract_type, consent_method, bureau_consent_method, prohibition_source,
  data_updated_on, is_active, created_at, updated_at)
SELECT
  gen_random_uuid(), %(institution)s, (%(agencies)s::bigint[])[1 + abs(hashint4(n)) %% %(count)s], 'M-' || n,
  'Nom' || n, '', 'nom ' || md5(n::text), 'nom ' || md5(n::text),
  'nom ' || md5(n::text) || '|1980-01-01', 'F', DATE '1980-01-01', '', '',
  md5('p' || n), '', '', '', '', md5('d' || n), '', '', '', '', '', DATE '2026-11-01' - (n %% 300),
  true, now(), now()
FROM generate_series(1, %(rows)s) n
"""
APPLICATIONS = """
INSERT INTO credits_creditapplication (
  uid, institution_id, agency_id, client_id, author_id, reference, status, applied_on, purpose, age, sexe,
  situation_familiale, type_contrat_travail, montant_credit, duree_mois, taux_interet, type_credit, extra,
  real_security, outcome, outcome_source, cancel_reason, created_at, updated_at)
SELECT
  gen_random_uuid(), c.institution_id, c.agency_id, c.id,
  (%(authors)s::bigint[])[1 + abs(hashint4(c.id::int)) %% 2],
  'L-' || c.id, (%(statuses)s::text[])[1 + abs(hashint4(c.id::int + 1)) %% %(kinds)s],
  DATE '2026-11-20' - (c.id %% 900)::int, '', 40, '', '', '', 500000, 12, 20, 'scolaire', '{}', false, '',
  '', '', now(), now()
FROM credits_client c WHERE c.institution_id = %(institution)s AND c.reference LIKE 'M-%%'
"""


@pytest.fixture
def many(world):
    """Fill horizon as the owner; the transactional test's template takes everything away again."""
    with world.scope():
        agencies = list(Agency.objects.values_list("id", flat=True))
    values = {
        "institution": world.institution_id("horizon"),
        "agencies": agencies,
        "count": len(agencies),
        "rows": ROWS,
        "authors": [world.user(world.analyst).pk, world.user(world.risk_manager).pk],
        "statuses": ApplicationStatus.values,
        "kinds": len(ApplicationStatus.values),
    }
    with connections["owner"].cursor() as cursor:
        cursor.execute(CLIENTS, values)
        cursor.execute(APPLICATIONS, values)
        cursor.execute("ANALYZE credits_client, credits_creditapplication")


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_long_lists_read_a_page_and_not_the_institution(world, page, many):
    analyst, agent, found = world.actor(world.analyst), world.actor(world.agent), {}
    with world.scope():
        assert Client.objects.count() > ROWS < CreditApplication.objects.count()
        agency = min(agent.agency_ids)
        for actor in (analyst, agent):
            for wish in (
                ApplicationFilter(),
                ApplicationFilter(status=ApplicationStatus.SUBMITTED),
                ApplicationFilter(agency_id=agency),
                ApplicationFilter(agency_id=agency, status=ApplicationStatus.DRAFT),
                ApplicationFilter(author_id=analyst.id),
            ):
                rows = filtered_applications(actor, wish).order_by("-applied_on", "-uid")[:26]
                found[actor.role, str(wish)] = faults(rows)
            by_name = visible_clients(actor).order_by("search_name", "uid")[:26]
            found[actor.role, "clients"] = faults(by_name)
        named = clients_named(analyst, "nom ab3").order_by("search_name", "uid")[:26]
        found["named"] = faults(named)
        assert len(named) == 26
        phone = find_clients(analyst, "677001122").explain()
        assert "Seq Scan on credits_client" not in phone
        assert "credits_client_phone" in phone
    assert {key: bad for key, bad in found.items() if bad} == {}

    client = page(world.analyst)
    for path in (
        reverse("web:applications"),
        f"{reverse('web:applications')}?status=draft&mine=on",
        reverse("web:inbox"),
        reverse("web:clients"),
        f"{reverse('web:clients')}?q=nom+ab",
        f"{reverse('web:search')}?q=nom+ab",
    ):
        client.get(path)
        with own_statements() as asked:
            answer = client.get(path)
        assert answer.status_code == 200
        assert 0 < len(asked) <= 6, (path, "\n".join(asked))
        assert not [sql for sql in asked if "OFFSET" in sql]
