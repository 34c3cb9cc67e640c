from importlib import import_module

from django.db import migrations

# Both openings may count several requests of one caller at once. The number comes last and is one by default,
# so that processes of the release before go on calling them while this one is brought in.
BEFORE = {
    "users_api_opening": import_module("apps.users.migrations.0006_api_opening").OPENING,
    "users_key_opening": import_module("apps.users.migrations.0008_key_opening").OPENING,
}


def _counting(sql: str) -> str:
    for once, several in (
        ("p_moment timestamptz,", "p_moment timestamptz, p_count integer DEFAULT 1,"),
        (", 1, p_moment", ", p_count, p_moment"),
        ("known.count + 1 ELSE 1 END", "known.count + p_count ELSE p_count END"),
    ):
        assert once in sql
        sql = sql.replace(once, several)
    return sql


class Migration(migrations.Migration):
    dependencies = [("users", "0008_key_opening")]

    operations = [
        operation
        for name, sql in BEFORE.items()
        for operation in (
            migrations.RunSQL(f"DROP FUNCTION {name}", migrations.RunSQL.noop),
            migrations.RunSQL(_counting(sql), f"DROP FUNCTION {name}; {sql}"),
        )
    ]
