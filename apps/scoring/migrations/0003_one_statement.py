from django.db import migrations

# Functions of the application's role, under row-level security like any statement: each sets the institution
# that it is told, and gives the setting back; an error gives it back by itself.

# What a score depends on today, as text: whoever has read the same text before need not read it again.
TERMS = """
CREATE FUNCTION scoring_terms(p_institution bigint, p_date date) RETURNS text
LANGUAGE plpgsql STRICT AS $$
DECLARE
    said text;
    previous text := coalesce(current_setting('app.institution_id', true), '');
BEGIN
    PERFORM set_config('app.institution_id', p_institution::text, true);
    said := json_build_object(
        'champions', (
            SELECT coalesce(json_agg(json_build_object(
                'id', m.id, 'uid', m.uid, 'institution_id', m.institution_id, 'name', m.name,
                'version', m.version, 'sha256', m.sha256, 'training_data', m.training_data,
                'platform_model_id', m.platform_model_id, 'segment', m.segment, 'status', m.status
            ) ORDER BY m.id), '[]')
            FROM registry_modelversion m WHERE m.institution_id = p_institution AND m.status = 'champion'
        ),
        'policy', (
            SELECT json_build_object(
                'id', y.id, 'uid', y.uid, 'institution_id', y.institution_id, 'version', y.version,
                'figures', y.figures
            )
            FROM scoring_scoringpolicy y
            WHERE y.institution_id = p_institution AND y.effective_from <= p_date
            ORDER BY y.effective_from DESC, y.version DESC LIMIT 1
        ),
        'told', EXISTS (
            SELECT FROM outbox_webhook w
            WHERE w.institution_id = p_institution AND w.is_active AND w.events @> '["prediction.created"]'
        )
    )::text;
    PERFORM set_config('app.institution_id', previous, true);
    RETURN said;
END $$;
REVOKE ALL ON FUNCTION scoring_terms FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scoring_terms TO credisense_app;
"""

# A score and its audit entry, each given as its row; every column but the number is named by both.
STORE = """
CREATE FUNCTION scoring_store(p_institution bigint, p_score jsonb, p_entry jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    stored bigint;
    previous text := coalesce(current_setting('app.institution_id', true), '');
BEGIN
    PERFORM set_config('app.institution_id', p_institution::text, true);
    INSERT INTO scoring_prediction (
        uid, institution_id, application_id, client_id, agency_id, model_version_id, policy_id, source,
        author_id, inputs, facts, input_hash, pd, base, contributions, threshold, predicted_default, points,
        grade, band, recommendation, expected_loss_xaf, max_amount_xaf, max_amount_reason, rules, warnings,
        duration_ms, created_at
    )
    SELECT
        uid, institution_id, application_id, client_id, agency_id, model_version_id, policy_id, source,
        author_id, inputs, facts, input_hash, pd, base, contributions, threshold, predicted_default, points,
        grade, band, recommendation, expected_loss_xaf, max_amount_xaf, max_amount_reason, rules, warnings,
        duration_ms, created_at
    FROM jsonb_populate_record(NULL::scoring_prediction, p_score)
    RETURNING id INTO stored;
    INSERT INTO audit_auditentry (
        uid, institution_id, at, actor_kind, actor_id, actor_name, action, object_type, object_uid, before,
        after, request_id, address
    )
    SELECT
        uid, institution_id, at, actor_kind, actor_id, actor_name, action, object_type, object_uid, before,
        after, request_id, address
    FROM jsonb_populate_record(NULL::audit_auditentry, p_entry);
    PERFORM set_config('app.institution_id', previous, true);
    RETURN stored;
END $$;
REVOKE ALL ON FUNCTION scoring_store FROM PUBLIC;
GRANT EXECUTE ON FUNCTION scoring_store TO credisense_app;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_file_reads"),
        ("outbox", "0002_webhooks"),
        ("registry", "0001_initial"),
        ("scoring", "0002_score_history"),
    ]

    operations = [
        migrations.RunSQL(TERMS, "DROP FUNCTION scoring_terms"),
        migrations.RunSQL(STORE, "DROP FUNCTION scoring_store"),
    ]
