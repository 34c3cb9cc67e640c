from django.db import migrations

# Who asks, from which agencies, and how often: what ``apps.users.queries.api_session``, ``member_actor`` and
# ``apps.users.services.limits.count`` ask one by one, for routes that must answer quickly. It runs as whoever
# calls it; the setting of the institution is given back, and an error gives it back by itself.
OPENING = """
CREATE FUNCTION users_api_opening(
    p_session uuid, p_user uuid, p_institution uuid, p_role text, p_oldest timestamptz, p_fictional boolean,
    p_limit text, p_address text, p_window bigint, p_moment timestamptz,
    OUT session_id bigint, OUT last_seen_at timestamptz, OUT user_id bigint, OUT full_name text,
    OUT institution_id bigint, OUT agencies bigint[], OUT used integer
) LANGUAGE plpgsql AS $$
DECLARE
    membership bigint;
    previous text := coalesce(current_setting('app.institution_id', true), '');
BEGIN
    SELECT s.id, s.last_seen_at, u.id, coalesce(nullif(u.full_name, ''), u.email), m.institution_id, m.id
    INTO session_id, last_seen_at, user_id, full_name, institution_id, membership
    FROM users_loginsession s
    JOIN users_membership m ON m.id = s.membership_id
    JOIN users_user u ON u.id = m.user_id
    JOIN institutions_institution i ON i.id = m.institution_id
    WHERE s.uid = p_session AND s.kind = 'api' AND s.revoked_at IS NULL AND s.created_at > p_oldest
      AND NOT s.must_set_totp AND s.role = p_role AND m.role = p_role AND s.auth_version = u.auth_version
      AND m.is_active AND u.is_active AND u.uid = p_user
      AND i.uid = p_institution AND i.status = 'active' AND (p_fictional OR NOT i.is_demo);
    IF membership IS NOT NULL THEN
        PERFORM set_config('app.institution_id', institution_id::text, true);
        agencies := ARRAY(
            SELECT l.agency_id FROM users_membershipagency l
            WHERE l.institution_id = users_api_opening.institution_id AND l.membership_id = membership
        );
        PERFORM set_config('app.institution_id', previous, true);
    END IF;
    IF p_limit IS NOT NULL THEN
        INSERT INTO users_requestcount AS known (bucket, "window", count, touched_at)
        VALUES (
            p_limit || coalesce(':user:' || user_id, ':address:' || p_address), p_window, 1, p_moment
        )
        ON CONFLICT (bucket) DO UPDATE SET
            count = CASE WHEN known."window" = EXCLUDED."window" THEN known.count + 1 ELSE 1 END,
            "window" = EXCLUDED."window", touched_at = EXCLUDED.touched_at
        RETURNING count INTO used;
    END IF;
END $$;
REVOKE ALL ON FUNCTION users_api_opening FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users_api_opening TO credisense_app;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0005_idempotent_replies"),
        ("institutions", "0001_initial"),
    ]

    operations = [migrations.RunSQL(OPENING, "DROP FUNCTION users_api_opening")]
