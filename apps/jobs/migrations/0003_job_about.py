from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_claims"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="about",
            field=models.UUIDField(editable=False, null=True),
        ),
    ]
