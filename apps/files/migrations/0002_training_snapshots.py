# What a training run learnt from is kept as Parquet.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('files', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='storedfile',
            name='kind',
            field=models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'Excel'), ('parquet', 'Parquet')], max_length=7, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='storedfile',
            name='purpose',
            field=models.CharField(choices=[('import', 'Import'), ('batch', 'File to score'), ('result', 'Result'), ('rejects', 'Rejected rows'), ('template', 'Template'), ('training', 'Training data')], max_length=10, verbose_name='purpose'),
        ),
    ]
