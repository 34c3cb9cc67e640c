"""What SQL can and cannot do as the application's role (attacks 35 to 41).

The role may set ``app.institution_id``, as every scope does: there, no SQL of a user ever runs.
Everything else that would widen its sight is refused by the database itself.
"""

import threading

import psycopg
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, IntegrityError, connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Subquery, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import RowNumber

from apps.credits.models import Client, CreditApplication
from apps.institutions.models import Agency
from apps.scoring.models import Prediction
from apps.scoring.services.batches import receive_batch, score_at_once
from apps.tenancy.constraints import TenantReference
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import NoTenantScope
from apps.users.models import Membership, MembershipAgency
from tests.isolation.loot import foreign_keys, foreign_uids, loot, tenant_models
from tests.predict import BODY

pytestmark = pytest.mark.django_db

TABLES = sorted(model._meta.db_table for model in tenant_models())
FIELDS = [
    (model, constraint.field)
    for model in tenant_models()
    for constraint in model._meta.constraints
    if isinstance(constraint, TenantReference)
]


#: What a row must also say for such a reference, or a check would refuse it before the key does.
SET_BESIDE = {
    ("credits_client", "merged_into"): ", merged_at = now()",
    ("registry_championship", "follows"): ", previous_started_at = started_at - interval '1 day'",
    ("decisions_overriderequest", "decision"): (
        ", status = 'confirmee', answered_at = now(),"
        " answered_by_id = (SELECT max(id) FROM users_user WHERE id <> requested_by_id)"
    ),
    ("decisions_reconsideration", "outcome"): (
        ", handled_at = now(),"
        " handled_by_id = (SELECT max(id) FROM users_user WHERE id <> coalesce(first_decider_id, 0))"
    ),
}


def rows(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def refused(sql, *parameters):
    with pytest.raises(Error), transaction.atomic():
        rows(sql, *parameters)


@pytest.fixture
def ngwa(world):
    """Hold a scope of ngwa; yield its number."""
    foreign_keys(), foreign_uids(), loot()  # read before the scope, which does not nest
    with world.scope("ngwa"):
        yield world.institution_id("ngwa")


# --- 35 and 37: reading without a filter ----------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_a_table_read_raw_shows_one_institution(ngwa, table):
    assert {found for (found,) in rows(f"SELECT DISTINCT institution_id FROM {table}")} <= {ngwa}
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
        assert loot().found_in(b"".join(bytes(each) for each in copy).decode()) == []


@pytest.mark.parametrize("table", TABLES)
def test_a_table_read_without_a_scope_is_an_error(world, table):
    """Whatever the table holds: read row by row, an empty one has no row whose rule could fail."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    refused(f"SELECT * FROM {table}")
    refused(f"COPY {table} TO STDOUT")
    refused(f"SELECT count(*) FROM {table}")


def test_raw_queries_of_the_orm_show_one_institution(ngwa):
    assert {each.institution_id for each in Client.objects.raw("SELECT * FROM credits_client")} == {ngwa}
    everything = RawSQL("SELECT count(DISTINCT institution_id) FROM credits_client", ())
    assert set(Client.objects.annotate(n=everything).values_list("n", flat=True)) == {1}
    anything = Client.objects.extra(where=["true OR credits_client.institution_id > 0"])
    assert {each.institution_id for each in anything} == {ngwa}


def test_managers_without_the_filter_meet_the_lock(ngwa):
    for model in tenant_models():
        unfiltered = model._base_manager.values_list("institution_id", flat=True).distinct()
        assert set(unfiltered) <= {ngwa}


# --- 36: widening one's sight ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SET ROLE credisense_platform",
        "SET ROLE credisense_owner",
        "SET SESSION AUTHORIZATION credisense_owner",
        "SET session_replication_role = replica",
        "ALTER ROLE credisense_app BYPASSRLS",
        "ALTER TABLE credits_client DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON credits_client",
        "CREATE POLICY mine ON credits_client USING (true)",
        "GRANT credisense_platform TO credisense_app",
        "TRUNCATE credits_client",
        "CREATE TABLE public.mine (id int)",
        "CREATE VIEW public.mine AS SELECT 1",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'select 1'",
        "ALTER SYSTEM SET row_security = off",
        "COPY credits_client FROM STDIN",
        "COPY (SELECT 1) TO '/tmp/x'",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT * FROM pg_authid",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
        "SELECT lo_import('/etc/passwd')",
        "CREATE EXTENSION dblink",
        "UPDATE audit_auditentry SET action = 'x'",
        "DELETE FROM audit_auditentry",
        "UPDATE scoring_prediction SET pd = 0",
    ],
)
def test_a_statement_that_would_widen_its_sight_is_refused(ngwa, sql):
    refused(sql)


def test_reset_role_changes_nothing(ngwa):
    rows("RESET ROLE")
    rows("SET ROLE NONE")
    assert rows("SELECT DISTINCT institution_id FROM credits_client") == [(ngwa,)]
    assert rows("SELECT current_user, session_user") == [("credisense_app", "credisense_app")]


def test_row_security_off_is_an_error_not_a_wider_answer(ngwa):
    rows("SET LOCAL row_security = off")
    refused("SELECT count(*) FROM credits_client")


def test_an_unreadable_setting_is_an_error(ngwa):
    for value in ("", "1 OR true", "1;2", "-", "null"):
        with transaction.atomic():
            rows("SELECT set_config('app.institution_id', %s, true)", value)
            refused("SELECT count(*) FROM credits_client")
            transaction.set_rollback(True)


def test_a_set_config_cannot_reach_both_institutions_in_one_statement(world, ngwa):
    """The documented limit: one who runs SQL chooses an institution, and still never sees two."""
    other = world.institution_id("horizon")
    injected = (
        "SELECT DISTINCT institution_id FROM credits_client, set_config('app.institution_id', %s, true)"
    )
    with transaction.atomic():
        seen = {found for (found,) in rows(injected, str(other))}
        transaction.set_rollback(True)
    assert len(seen) == 1


def test_a_leaky_predicate_of_a_temporary_function_sees_own_rows_only(ngwa):
    rows(
        "CREATE FUNCTION pg_temp.peek(bigint, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$BEGIN IF $1 <> %s THEN RAISE EXCEPTION 'saw %%', $2; END IF; RETURN true; END$$",
        ngwa,
    )
    assert rows("SELECT count(*) FROM credits_client WHERE pg_temp.peek(institution_id, last_name)")[0][0] > 0


def test_an_error_in_a_predicate_does_not_quote_foreign_rows(ngwa):
    for predicate in ("1 / (institution_id - %s) > 0", "(last_name || %s)::int > 0"):
        with pytest.raises(Error) as told, transaction.atomic():
            rows(f"SELECT count(*) FROM credits_client WHERE {predicate}", ngwa)
        assert loot().found_in(str(told.value)) == []


def test_statistics_show_no_value_of_a_tenant_table(ngwa):
    assert rows("SELECT * FROM pg_stats WHERE tablename = ANY(%s)", TABLES) == []
    assert rows("SELECT * FROM pg_stats_ext WHERE tablename = ANY(%s)", TABLES) == []
    refused("SELECT * FROM pg_statistic")


def test_plans_and_sizes_tell_no_value(ngwa):
    """Planner totals (``reltuples``, sizes) are of the whole platform: a volume, of nobody in particular."""
    plan = rows("EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM credits_client WHERE last_name > 'A'")
    sizes = rows(
        "SELECT relname, reltuples, pg_total_relation_size(oid) FROM pg_class WHERE relname = ANY(%s)", TABLES
    )
    assert loot().found_in(f"{plan} {sizes}") == []


def test_others_statements_are_not_read(ngwa):
    seen = rows(
        "SELECT query FROM pg_stat_activity WHERE usename NOT IN ('credisense_app') AND usename IS NOT NULL"
    )
    assert all(query in {"<insufficient privilege>", ""} for (query,) in seen)


# --- 38: writing for another ----------------------------------------------------------------------


def foreign_agency(world, **values):
    return Agency(institution_id=world.institution_id("horizon"), code="zz", name="zz", city="zz", **values)


@pytest.mark.parametrize(
    "write",
    [
        lambda row: row.save(),
        lambda row: row.save(force_insert=True),
        lambda row: Agency.objects.bulk_create([row]),
        lambda row: Agency.objects.bulk_create([row], ignore_conflicts=True),
        lambda row: Agency.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["institution", "code"], update_fields=["name"]
        ),
        lambda row: Agency.objects.update_or_create(
            institution_id=row.institution_id, code="douala", defaults={"name": "taken"}
        ),
        lambda row: Agency.objects.update(institution_id=row.institution_id),
        lambda row: Agency.objects.bulk_update([_moved(row)], ["institution"]),
        lambda row: rows(
            "INSERT INTO institutions_agency SELECT * FROM json_populate_record(null::institutions_agency,"
            " (SELECT row_to_json(a)::jsonb || jsonb_build_object('institution_id', %s::bigint, 'id', 99999)"
            " FROM institutions_agency a LIMIT 1)::json)",
            row.institution_id,
        ),
    ],
    ids=["save", "insert", "bulk", "ignore", "upsert", "update_or_create", "update", "bulk_update", "raw"],
)
def test_a_row_of_another_institution_is_not_written(world, ngwa, write):
    with pytest.raises(Error), transaction.atomic():
        write(foreign_agency(world))


def _moved(row):
    own = Agency.objects.first()
    own.institution_id = row.institution_id
    return own


def test_a_row_of_another_institution_is_not_touched_by_its_key(world, ngwa):
    key = foreign_keys()["credits.client"]
    assert Client.objects.filter(pk=key).update(last_name="x") == 0
    assert Client._base_manager.filter(pk=key).update(last_name="x") == 0
    assert Client._base_manager.filter(pk=key).delete()[0] == 0
    with pytest.raises(Client.DoesNotExist):
        Client.objects.get(uid=foreign_uids()["credits.client"])
    assert rows("UPDATE credits_client SET last_name = 'x' WHERE id = %s RETURNING id", key) == []
    assert rows("SELECT id FROM credits_client WHERE id = %s FOR UPDATE", key) == []


def test_a_fixture_of_another_institution_is_not_loaded(world, ngwa):
    from django.core import serializers

    written = serializers.serialize("json", [foreign_agency(world, id=99_999)])
    [row] = serializers.deserialize("json", written)
    with pytest.raises(Error), transaction.atomic():
        row.save()


# --- 39: pointing at another ----------------------------------------------------------------------


@pytest.mark.parametrize(("model", "field"), FIELDS, ids=[f"{m.__name__}.{f}" for m, f in FIELDS])
def test_a_reference_to_another_institution_is_refused(world, model, field):
    """Written by the owner, whom no policy stops: the key alone refuses."""
    target = model._meta.get_field(field).related_model
    values = foreign_keys()
    label = target._meta.label_lower
    assert label in values, f"the world holds no {label} at horizon"
    source = _row_of_ngwa(world, model)
    if source is None:
        pytest.skip(f"the world holds no {model.__name__} at ngwa")
    column = model._meta.get_field(field).column
    beside = SET_BESIDE.get((model._meta.db_table, field), "")
    with psycopg.connect(_owner_dsn()) as owner:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            owner.execute(
                f"UPDATE {model._meta.db_table} SET {column} = %s{beside} WHERE id = %s",
                [values[label], source],
            )
            owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
        owner.rollback()


def _row_of_ngwa(world, model):
    with world.scope("ngwa"):
        row = model.objects.first()
    return None if row is None else row.pk


def _owner_dsn():
    from tests.conftest import _owner_dsn as dsn

    return dsn(connection.settings_dict["NAME"])


def test_a_missing_and_a_foreign_reference_fail_alike(world, ngwa):
    told = []
    for key in (foreign_keys()["institutions.agency"], 98_765_432):
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            Client.objects.filter(pk=Client.objects.first().pk).update(agency_id=key)
            rows("SET CONSTRAINTS ALL IMMEDIATE")
        told.append(str(refusal.value).replace(str(key), "<key>"))
    assert told[0] == told[1]


# --- 40: joining across ---------------------------------------------------------------------------


def test_joins_and_unions_stay_inside(ngwa):
    everything = Client._base_manager.all()
    answers = [
        Client.objects.prefetch_related(
            "applications", Prefetch("predictions", Prediction._base_manager.all())
        ),
        CreditApplication.objects.select_related("client__agency__institution", "client__institution"),
        Client.objects.annotate(
            n=Subquery(everything.values("agency_id").annotate(n=Count("*")).values("n")[:1])
        ),
        Client.objects.annotate(
            other=Subquery(everything.exclude(pk=OuterRef("pk")).values("reference")[:1]),
            near=Exists(everything),
        ),
        Client.objects.all().union(everything, all=True),
        Client.objects.filter(pk__in=everything.values("pk"))
        | Client.objects.filter(agency__name__startswith="D"),
        Client.objects.annotate(place=Window(RowNumber(), order_by=F("id").asc())),
        everything.order_by("-institution__name", "agency__name"),
    ]
    for queryset in answers:
        found = list(queryset)
        assert {each.institution_id for each in found} == {ngwa}
        assert loot().found_in(" ".join(str(vars(each)) for each in found)) == []


def test_shared_tables_lead_to_no_foreign_tenant_row(ngwa):
    links = MembershipAgency.objects.select_related("agency", "membership")
    assert {each.institution_id for each in links} <= {ngwa}
    for membership in Membership.objects.prefetch_related("agency_links__agency"):
        assert {each.institution_id for each in membership.agency_links.all()} <= {ngwa}


def test_no_generic_or_many_to_many_door_exists():
    from django.contrib.contenttypes.fields import GenericForeignKey

    for model in tenant_models():
        assert model._meta.local_many_to_many == []
        assert not [field for field in model._meta.private_fields if isinstance(field, GenericForeignKey)]
    assert apps.get_model("users.membership")._meta.local_many_to_many == []


# --- 41: after an error ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_connection_used_again_after_an_error_has_no_scope(world):
    horizon = world.institution_id("horizon")
    with pytest.raises(Error), tenant_scope(horizon):
        rows("SELECT 1/0")
    refused("SELECT count(*) FROM credits_client")
    with pytest.raises(ZeroDivisionError), tenant_scope(horizon):
        raise ZeroDivisionError
    refused("SELECT count(*) FROM credits_client")
    with pytest.raises(NoTenantScope):
        Client.objects.count()
    with world.scope("ngwa"):
        assert rows("SELECT DISTINCT institution_id FROM credits_client") == [(world.institution_id("ngwa"),)]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_savepoint_keeps_the_scope(world):
    ngwa = world.institution_id("ngwa")
    with tenant_scope(ngwa):
        for failure in ("SELECT 1/0", "SELECT set_config('app.institution_id', '', true) || 1/0"):
            refused(failure)
            assert rows("SELECT DISTINCT institution_id FROM credits_client") == [(ngwa,)]
        inner = transaction.savepoint()
        rows("SELECT set_config('app.institution_id', %s, true)", str(world.institution_id("horizon")))
        transaction.savepoint_rollback(inner)
        assert rows("SELECT DISTINCT institution_id FROM credits_client") == [(ngwa,)]


# --- 44: threads and callbacks --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_thread_of_a_scope_has_none_of_its_own(world):
    caught = []

    def count():
        try:
            Client.objects.count()
        except NoTenantScope as refusal:
            caught.append(refusal)
        finally:
            connection.close()

    with world.scope("horizon"):
        thread = threading.Thread(target=count)
        thread.start()
        thread.join()
    assert len(caught) == 1


@pytest.mark.django_db(transaction=True)
def test_a_callback_on_commit_runs_outside_the_scope(world):
    caught = []

    def count():
        with pytest.raises(NoTenantScope) as refusal:
            Client.objects.count()
        with pytest.raises(Error):
            rows("SELECT count(*) FROM credits_client")
        caught.append(refusal)

    with world.scope("horizon"):
        transaction.on_commit(count)
    assert len(caught) == 1


def test_a_lazy_answer_read_after_its_scope_fails_loudly(world):
    with world.scope("horizon"):
        late, streamed = Client.objects.all(), Client.objects.iterator()
    with pytest.raises(Error), transaction.atomic():
        list(late)
    with pytest.raises(Error), transaction.atomic():
        list(streamed)


def test_a_streamed_answer_asks_the_database_nothing(
    world, page, settings, tmp_path, django_assert_num_queries
):
    """It is read after its scope was closed: all that it holds is in the file that was opened inside."""
    settings.INSTITUTION_FILES_DIR = tmp_path / "institutions"
    sent = SimpleUploadedFile(
        "lot.csv", "\n".join([",".join(BODY), ",".join(map(str, BODY.values()))]).encode()
    )
    with world.scope("horizon"):
        batch = receive_batch(upload=sent, by=world.actor(world.analyst))
        score_at_once(batch=batch)
    answers = [
        browser.get(f"/scoring-par-lot/{batch.uid}/resultat")
        for browser in map(page, (world.analyst, world.outsider))
    ]

    with django_assert_num_queries(0):
        content = b"".join(answers[0].streaming_content)

    assert content.count(b"\n") == 2
    assert [answer.status_code for answer in answers] == [200, 404]
