# Reports are kept as PDF, CSV or Excel.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('files', '0002_training_snapshots'),
    ]

    operations = [
        migrations.AlterField(
            model_name='storedfile',
            name='kind',
            field=models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'Excel'), ('parquet', 'Parquet'), ('pdf', 'PDF')], max_length=7, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='storedfile',
            name='purpose',
            field=models.CharField(choices=[('import', 'Import'), ('batch', 'File to score'), ('result', 'Result'), ('rejects', 'Rejected rows'), ('template', 'Template'), ('training', 'Training data'), ('report', 'Report')], max_length=10, verbose_name='purpose'),
        ),
    ]
