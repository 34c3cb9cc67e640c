from django.db import migrations

# A score by values and its audit entry, under row-level security like any statement of the application's role:
# the function sets the institution that it is told and gives the setting back; an error gives it back by itself.
# Columns that such a score leaves empty are not named.
STORE = """
CREATE FUNCTION scoring_store(
    p_institution bigint, p_uid uuid, p_model_version bigint, p_policy bigint, p_source text, p_author bigint,
    p_inputs jsonb, p_facts jsonb, p_input_hash text, p_pd double precision, p_base double precision,
    p_contributions jsonb, p_threshold double precision, p_predicted_default boolean, p_points smallint,
    p_grade text, p_band text, p_recommendation text, p_expected_loss bigint, p_max_amount bigint,
    p_max_amount_reason text, p_rules jsonb, p_warnings jsonb, p_duration double precision, p_at timestamptz,
    p_entry_uid uuid, p_actor_kind text, p_actor_id bigint, p_actor_name text, p_action text,
    p_object_type text, p_after jsonb, p_request_id text, p_address text
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    stored bigint;
    previous text := coalesce(current_setting('app.institution_id', true), '');
BEGIN
    PERFORM set_config('app.institution_id', p_institution::text, true);
    INSERT INTO scoring_prediction (
        uid, institution_id, model_version_id, policy_id, source, author_id, inputs, facts, input_hash, pd,
        base, contributions, threshold, predicted_default, points, grade, band, recommendation,
        expected_loss_xaf, max_amount_xaf, max_amount_reason, rules, warnings, duration_ms, created_at
    ) VALUES (
        p_uid, p_institution, p_model_version, p_policy, p_source, p_author, p_inputs, p_facts, p_input_hash,
        p_pd, p_base, p_contributions, p_threshold, p_predicted_default, p_points, p_grade, p_band,
        p_recommendation, p_expected_loss, p_max_amount, p_max_amount_reason, p_rules, p_warnings, p_duration,
        p_at
    ) RETURNING id INTO stored;
    INSERT INTO audit_auditentry (
        uid, institution_id, at, actor_kind, actor_id, actor_name, action, object_type, object_uid, after,
        request_id, address
    ) VALUES (
        p_entry_uid, p_institution, p_at, p_actor_kind, p_actor_id, p_actor_name, p_action, p_object_type,
        p_uid, p_after, p_request_id, p_address
    );
    PERFORM set_config('app.institution_id', previous, true);
    RETURN stored;
END $$;
REVOKE ALL ON FUNCTION scoring_store FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scoring_store TO credisense_app;
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0004_lean_indexes"), ("audit", "0003_file_reads")]

    operations = [
        migrations.RunSQL("DROP FUNCTION scoring_store(bigint, jsonb, jsonb)", migrations.RunSQL.noop),
        migrations.RunSQL(STORE, "DROP FUNCTION scoring_store"),
    ]
