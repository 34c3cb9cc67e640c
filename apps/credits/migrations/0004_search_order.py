"""Names that begin with a text become a range of an index, whichever name comes first."""

import re
import unicodedata

from django.db import migrations, models

CHUNK = 2_000


def search_form(name):
    """Return the searched form as it was defined when this migration was written."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.sub(r"\s+", " ", plain).strip()[:200]


def fill_first_names(apps, schema_editor):
    """Compute the new column of the rows that exist; the owner's policy shows every institution."""
    rows = apps.get_model("credits", "Client").objects.using(schema_editor.connection.alias)
    after = 0
    while chunk := list(rows.filter(pk__gt=after).order_by("pk").only("first_names", "last_name")[:CHUNK]):
        for client in chunk:
            client.search_first_names = search_form(f"{client.first_names} {client.last_name}")
        rows.bulk_update(chunk, ["search_first_names"], batch_size=500)
        after = chunk[-1].pk


class Migration(migrations.Migration):
    dependencies = [("credits", "0003_client_file"), ("institutions", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="client",
            name="search_first_names",
            field=models.CharField(db_collation="C", default="", editable=False, max_length=200),
        ),
        migrations.AlterField(
            model_name="client",
            name="search_name",
            field=models.CharField(db_collation="C", editable=False, max_length=200),
        ),
        migrations.RunPython(fill_first_names, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(
                fields=["institution", "search_first_names"], name="credits_client_first_names"
            ),
        ),
    ]
