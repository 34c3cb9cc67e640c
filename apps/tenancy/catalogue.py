"""What the PostgreSQL catalogue must say for institutions to be kept apart: twenty rules.

Each rule is a query that returns ``(object, problem)`` per violation; no row means that it holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections, models

from apps.tenancy.constraints import TenantReference
from apps.tenancy.models import TenantModel

#: Tables with an ``institution_id`` that are shared on purpose; each is guarded by its queries.
SHARED_WITH_INSTITUTION = ("users_user", "users_membership", "users_partnerkey", "audit_platformentry")

#: Every model that is not a tenant model must stand here.
SHARED_MODELS = frozenset(
    {
        "institutions.institution",
        "users.user",
        "users.membership",
        "users.loginsession",
        "users.secondfactor",
        "users.recoverycode",
        "users.partnerkey",
        "users.requestcount",
        "axes.accessattempt",
        "axes.accessattemptexpiration",
        "axes.accessfailurelog",
        "axes.accesslog",
        "audit.platformentry",
        "audit.platformseal",
        "audit.platformhead",
        "registry.platformmodel",
        # Over five institutions at least, with no column that leads to one: no row belongs to anybody.
        "reports.benchmarkquartiles",
        "admin.logentry",
        "auth.group",
        "auth.permission",
        "contenttypes.contenttype",
        "sessions.session",
    }
)

#: Routes without a rule: machines ask them before anybody is known, and they hold no data of anybody.
#: ``metrics`` answers to declared addresses and to its token only.
OPEN_ROUTES = frozenset({"healthz", "health", "readyz", "metrics"})

#: Tasks that act for no institution: they take no argument and open one scope per institution themselves.
PLATFORM_TASKS = frozenset(
    {
        "apps.credits.tasks.derive_all_outcomes",
        "apps.files.tasks.purge_files",
        "apps.institutions.tasks.seal_audit_trails",
        "apps.jobs.tasks.requeue_lost_jobs",
        "apps.monitoring.tasks.watch_all_models",
        "apps.outbox.tasks.deliver_outbox",
        "apps.registry.tasks.purge_models",
        "apps.registry.tasks.start_due_promotions",
        "apps.reports.tasks.compute_benchmarks",
        "apps.reports.tasks.count_all_files",
        "apps.reports.tasks.write_due_reports",
        "apps.reports.tasks.write_weekly_letters",
        "apps.scoring.tasks.fold_all_scores",
        "apps.scoring.tasks.rescore_due",
        "apps.scoring.tasks.score_in_the_shadow",
        "apps.scoring.tasks.retrain_due",
        "apps.users.tasks.purge_drafts",
        "apps.users.tasks.purge_sessions",
        "apps.users.tasks.purge_requests",
    }
)

_TENANT_TABLES = """
WITH tt AS (
    SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,
           a.attnum, a.attnotnull, a.atttypid::regtype AS typ
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'institution_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
      AND c.relname <> ALL (%(shared)s)
)
"""

#: The only policy text of the site, as PostgreSQL writes it back.
POLICY = (
    "(institution_id = ( SELECT (current_setting('app.institution_id'::text))::bigint AS current_setting))"
)

RULES: dict[str, str] = {
    "row_level_security": """
        select relname, 'RLS not enabled+forced' problem from tt where not (relrowsecurity
        and relforcerowsecurity)
    """,
    "tenant_column": """
        select relname, 'institution_id nullable or not bigint' from tt where not attnotnull
        or typ<>'bigint'::regtype
    """,
    "unique_keys": """
        select t.relname, 'PK/unique index without institution_id: '||i.indexrelid::regclass from tt t
        join pg_index i on i.indrelid=t.oid where i.indisunique and not (t.attnum = any (i.indkey))
    """,
    "exclusion_constraints": """
        select t.relname, 'exclusion constraint without institution_id: '||k.conname from tt t
        join pg_constraint k on k.conrelid=t.oid where k.contype='x'
        and not (t.attnum = any (k.conkey))
    """,
    "index_order": """
        select t.relname, 'index does not lead with institution_id: '||i.indexrelid::regclass from tt t
        join pg_index i on i.indrelid=t.oid where i.indkey[0]<>t.attnum
    """,
    "paired_references": """
        select t.relname, 'FK to tenant table not paired on institution_id: '||k.conname from tt t
        join pg_constraint k on k.conrelid=t.oid and k.contype='f' join tt r on r.oid=k.confrelid
        where not exists (select 1 from generate_subscripts(k.conkey,1) s where k.conkey[s]=t.attnum
        and k.confkey[s]=r.attnum)
    """,
    "shared_to_tenant_references": """
        select c.relname, 'shared table has FK to tenant table: '||k.conname from pg_constraint k
        join pg_class c on c.oid=k.conrelid join tt r on r.oid=k.confrelid where k.contype='f'
        and k.conrelid not in (select oid from tt)
    """,
    "set_null_on_institution": """
        select t.relname, 'SET NULL/DEFAULT on institution_id: '||k.conname from tt t
        join pg_constraint k on k.conrelid=t.oid and k.contype='f' where k.confdeltype in ('n','d')
        and (k.confdelsetcols is null or t.attnum = any(k.confdelsetcols))
    """,
    "validated_references": """
        select t.relname, 'FK not validated: '||k.conname from tt t
        join pg_constraint k on k.conrelid=t.oid where not k.convalidated
    """,
    "one_policy": """
        select t.relname, 'credisense_app policies <> exactly one tenant policy: '||count(p.*)
        from tt t left join pg_policy p on p.polrelid=t.oid
        and (p.polroles && array['credisense_app'::regrole::oid, 0::oid]) group by 1
        having count(p.*)<>1
    """,
    "policy_text": """
        select t.relname,
        'credisense_app policy expr differs: '||coalesce(pg_get_expr(p.polqual,p.polrelid),'null')
        from tt t join pg_policy p on p.polrelid=t.oid
        and p.polroles && array['credisense_app'::regrole::oid, 0::oid]
        where p.polcmd<>'*'
        or pg_get_expr(p.polqual,p.polrelid) is distinct from %(policy)s
        or pg_get_expr(p.polwithcheck,p.polrelid) is distinct from %(policy)s
    """,
    "app_privileges": """
        select t.relname, 'credisense_app has TRUNCATE/REFERENCES/TRIGGER or ownership' from tt t
        where has_table_privilege('credisense_app',t.oid,'TRUNCATE')
        or has_table_privilege('credisense_app',t.oid,'REFERENCES')
        or has_table_privilege('credisense_app',t.oid,'TRIGGER')
    """,
    "partitions": """
        select t.relname, 'partition reachable directly' from tt t where t.relispartition
        and has_table_privilege('credisense_app',t.oid,'SELECT')
    """,
    "triggers": """
        select t.relname, 'user trigger (not Citus-safe, may be SECURITY DEFINER): '||g.tgname
        from tt t join pg_trigger g on g.tgrelid=t.oid and not g.tgisinternal
    """,
    "stored_default": """
        select t.relname, 'stored default not Citus-safe' from tt t
        join pg_attrdef d on d.adrelid=t.oid and d.adnum=t.attnum
    """,
    "views": """
        select c.relname, 'view without security_invoker readable by credisense_app' from pg_class c
        where c.relkind='v' and c.relnamespace='public'::regnamespace
        and has_table_privilege('credisense_app',c.oid,'SELECT')
        and not coalesce('security_invoker=true'=any(c.reloptions)
        or 'security_invoker=on'=any(c.reloptions), false)
    """,
    "materialised_views": """
        select c.relname, 'materialised view readable by credisense_app' from pg_class c
        where c.relkind='m' and has_table_privilege('credisense_app',c.oid,'SELECT')
        and c.relnamespace not in ('pg_catalog'::regnamespace)
    """,
    "security_definer": """
        select p.proname, 'SECURITY DEFINER function executable by credisense_app' from pg_proc p
        where p.prosecdef and has_function_privilege('credisense_app',p.oid,'EXECUTE')
        and p.pronamespace='public'::regnamespace
    """,
    "role_attributes": """
        select rolname, 'role attribute' from pg_roles
        where rolname in ('credisense_app','credisense_platform','credisense_owner') and (rolsuper
        or rolbypassrls or rolreplication)
    """,
    "role_membership": """
        select m.roleid::regrole::text, 'credisense_app is a member of a role' from pg_auth_members m
        where m.member='credisense_app'::regrole
    """,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken by one object of the catalogue or of the code."""

    rule: str
    subject: str
    problem: str


def violations(using: str = "owner") -> Iterator[Violation]:
    """Yield every violation of the catalogue rules and of the list of models; none means isolated."""
    yield from _unlisted_models()
    with connections[using].cursor() as cursor:
        for name, query in RULES.items():
            cursor.execute(
                _TENANT_TABLES + query, {"shared": list(SHARED_WITH_INSTITUTION), "policy": POLICY}
            )
            yield from (Violation(name, str(row[0]), str(row[1])) for row in cursor.fetchall())
        yield from _lost_references(cursor)


def _lost_references(cursor: Any) -> Iterator[Violation]:
    """Yield the paired keys that a model declares and the database does not hold."""
    cursor.execute("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f'")
    held = set(cursor.fetchall())
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, TenantReference):
                table = model._meta.db_table
                if (table, constraint.name) not in held:
                    yield Violation("declared_references", table, f"lost its key {constraint.name}")


def _unlisted_models() -> Iterator[Violation]:
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label_lower
        if label in SHARED_MODELS or issubclass(model, TenantModel) or _joins_shared(model):
            continue
        yield Violation("model_lists", label, "is neither a tenant model nor on the shared list")


def _joins_shared(model: type[models.Model]) -> bool:
    """Say whether an automatic many-to-many table links shared models only."""
    if not model._meta.auto_created:
        return False
    targets = {field.related_model for field in model._meta.local_fields if field.is_relation}
    return all(target._meta.label_lower in SHARED_MODELS for target in targets)  # type: ignore[union-attr]
