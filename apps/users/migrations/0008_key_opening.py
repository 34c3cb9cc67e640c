from django.db import migrations

# What ``users_api_opening`` does for a person's token, for a partner key: what ``apps.users.queries.live_keys``,
# ``key_actor`` and ``apps.users.services.limits.count`` ask one by one. A key that does not hold is counted by
# address, as on the complete way, which then refuses it.
OPENING = """
CREATE FUNCTION users_key_opening(
    p_prefix text, p_hash text, p_fictional boolean,
    p_limit text, p_address text, p_window bigint, p_day bigint, p_moment timestamptz,
    OUT key_id bigint, OUT key_uid uuid, OUT key_name text, OUT last_used_at timestamptz,
    OUT institution_id bigint, OUT scopes text, OUT limited boolean, OUT agencies bigint[],
    OUT quota integer, OUT used integer, OUT used_today integer
) LANGUAGE plpgsql AS $$
DECLARE
    previous text := coalesce(current_setting('app.institution_id', true), '');
BEGIN
    SELECT k.id, k.uid, k.name, k.last_used_at, k.institution_id, k.scopes::text, k.is_limited, k.daily_quota
    INTO key_id, key_uid, key_name, last_used_at, institution_id, scopes, limited, quota
    FROM users_partnerkey k
    JOIN institutions_institution i ON i.id = k.institution_id
    WHERE k.prefix = p_prefix AND k.secret_hash = p_hash AND k.revoked_at IS NULL
      AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
      AND i.status = 'active' AND (p_fictional OR NOT i.is_demo);
    IF limited THEN
        PERFORM set_config('app.institution_id', institution_id::text, true);
        agencies := ARRAY(
            SELECT l.agency_id FROM users_partnerkeyagency l
            WHERE l.institution_id = users_key_opening.institution_id AND l.key_id = users_key_opening.key_id
        );
        PERFORM set_config('app.institution_id', previous, true);
    END IF;
    IF p_limit IS NOT NULL THEN
        INSERT INTO users_requestcount AS known (bucket, "window", count, touched_at)
        VALUES (p_limit || coalesce(':key:' || key_id, ':address:' || p_address), p_window, 1, p_moment)
        ON CONFLICT (bucket) DO UPDATE SET
            count = CASE WHEN known."window" = EXCLUDED."window" THEN known.count + 1 ELSE 1 END,
            "window" = EXCLUDED."window", touched_at = EXCLUDED.touched_at
        RETURNING count INTO used;
    END IF;
    IF quota IS NOT NULL THEN
        INSERT INTO users_requestcount AS known (bucket, "window", count, touched_at)
        VALUES ('quota:key:' || key_id, p_day, 1, p_moment)
        ON CONFLICT (bucket) DO UPDATE SET
            count = CASE WHEN known."window" = EXCLUDED."window" THEN known.count + 1 ELSE 1 END,
            "window" = EXCLUDED."window", touched_at = EXCLUDED.touched_at
        RETURNING count INTO used_today;
    END IF;
END $$;
REVOKE ALL ON FUNCTION users_key_opening FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users_key_opening TO credisense_app;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0007_openid"),
        ("institutions", "0001_initial"),
    ]

    operations = [migrations.RunSQL(OPENING, "DROP FUNCTION users_key_opening")]
