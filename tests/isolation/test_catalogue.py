"""One seeded defect per rule of the catalogue: each is caught, under the rule's own name."""

import pytest
from django.db import connections, models
from django.test.utils import isolate_apps

from apps.tenancy import catalogue
from tests.isolation.superuser import rolled_back_superuser

pytestmark = pytest.mark.django_db(databases=["default", "owner"])

CLIENT = "credits_client"
APPLICATION = "credits_creditapplication"
PAIRED = "FOREIGN KEY (institution_id, client_id) REFERENCES credits_client (institution_id, id)"

#: Rule -> (object that is named, SQL of the defect).
DEFECTS = {
    "row_level_security": (CLIENT, "ALTER TABLE credits_client NO FORCE ROW LEVEL SECURITY"),
    "tenant_column": ("stray", "CREATE TABLE stray (institution_id bigint, id bigint)"),
    "unique_keys": (CLIENT, "CREATE UNIQUE INDEX stray ON credits_client (uid)"),
    "exclusion_constraints": (
        CLIENT,
        "ALTER TABLE credits_client ADD CONSTRAINT stray EXCLUDE USING btree (uid WITH =)",
    ),
    "index_order": (CLIENT, "CREATE INDEX stray ON credits_client (agency_id)"),
    "paired_references": (
        APPLICATION,
        (
            "ALTER TABLE credits_client ADD CONSTRAINT stray UNIQUE (id);"
            "ALTER TABLE credits_creditapplication ADD CONSTRAINT stray"
            " FOREIGN KEY (client_id) REFERENCES credits_client (id)"
        ),
    ),
    "shared_to_tenant_references": (
        "stray",
        (
            "CREATE TABLE stray (a bigint, b bigint,"
            " FOREIGN KEY (a, b) REFERENCES credits_client (institution_id, id))"
        ),
    ),
    "set_null_on_institution": (
        APPLICATION,
        f"ALTER TABLE credits_creditapplication ADD CONSTRAINT stray {PAIRED} ON DELETE SET NULL",
    ),
    "validated_references": (
        APPLICATION,
        f"ALTER TABLE credits_creditapplication ADD CONSTRAINT stray {PAIRED} NOT VALID",
    ),
    "one_policy": (CLIENT, "CREATE POLICY stray ON credits_client TO credisense_app USING (true)"),
    "policy_text": (CLIENT, "ALTER POLICY tenant ON credits_client USING (true)"),
    "app_privileges": (CLIENT, "ALTER TABLE credits_client OWNER TO credisense_app"),
    "partitions": (
        "stray_1",
        (
            "CREATE TABLE stray (institution_id bigint NOT NULL) PARTITION BY LIST (institution_id);"
            "CREATE TABLE stray_1 PARTITION OF stray FOR VALUES IN (1);"
            "GRANT SELECT ON stray_1 TO credisense_app"
        ),
    ),
    "triggers": (
        CLIENT,
        (
            "CREATE FUNCTION stray() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';"
            "CREATE TRIGGER stray BEFORE INSERT ON credits_client FOR EACH ROW EXECUTE FUNCTION stray()"
        ),
    ),
    "stored_default": (CLIENT, "ALTER TABLE credits_client ALTER institution_id SET DEFAULT 1"),
    "views": (
        "stray",
        "CREATE VIEW stray AS SELECT * FROM credits_client; GRANT SELECT ON stray TO credisense_app",
    ),
    "materialised_views": (
        "stray",
        (
            "CREATE MATERIALIZED VIEW stray AS SELECT * FROM credits_client;"
            "GRANT SELECT ON stray TO credisense_app"
        ),
    ),
    "security_definer": (
        "stray",
        "CREATE FUNCTION stray() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1'",
    ),
    "role_attributes": ("credisense_app", "ALTER ROLE credisense_app BYPASSRLS"),
    "role_membership": ("credisense_platform", "GRANT credisense_platform TO credisense_app"),
}
#: More ways to the same harm, caught by a rule whose first defect stands above.
VARIANTS = [
    ("row_level_security", "ALTER TABLE audit_auditentry DISABLE ROW LEVEL SECURITY"),
    ("tenant_column", "CREATE TABLE stray (institution_id integer NOT NULL)"),
    ("one_policy", "DROP POLICY tenant ON credits_client"),
    ("one_policy", "CREATE POLICY stray ON credits_client TO PUBLIC USING (true)"),
    ("policy_text", "ALTER POLICY tenant ON credits_client WITH CHECK (true)"),
    ("app_privileges", "GRANT TRUNCATE ON credits_client TO credisense_app"),
    ("app_privileges", "GRANT REFERENCES ON credits_client TO PUBLIC"),
    ("index_order", "CREATE INDEX stray ON credits_client (lower(last_name))"),
    ("role_attributes", "ALTER ROLE credisense_app SUPERUSER"),
    ("role_attributes", "ALTER ROLE credisense_platform BYPASSRLS"),
]


def caught(defect):
    """Return ``{(rule, object)}`` of a defect; without one the catalogue is silent (test_tables)."""
    with rolled_back_superuser() as alias:
        with connections[alias].cursor() as cursor:
            cursor.execute(defect)
        return {(found.rule, found.subject) for found in catalogue.violations(alias)}


def test_every_rule_has_its_defect():
    assert set(DEFECTS) == set(catalogue.RULES)
    assert len(DEFECTS) == 20


@pytest.mark.parametrize("rule", catalogue.RULES)
def test_a_seeded_defect_is_caught(rule):
    subject, defect = DEFECTS[rule]

    assert (rule, subject) in caught(defect)


@pytest.mark.parametrize(("rule", "defect"), VARIANTS)
def test_a_variant_is_caught(rule, defect):
    assert rule in {name for name, _subject in caught(defect)}


def test_a_model_on_neither_list_is_caught(monkeypatch):
    with isolate_apps("apps.credits") as registry:

        class Stray(models.Model):
            class Meta:
                app_label = "credits"

        monkeypatch.setattr(catalogue, "apps", registry)

        found = [(each.rule, each.subject) for each in catalogue._unlisted_models()]

    assert found == [("model_lists", "credits.stray")]
