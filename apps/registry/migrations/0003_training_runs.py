# Training runs: what was asked, on which credits, and what came out of it.

import apps.tenancy.constraints
import apps.tenancy.context
import apps.tenancy.models
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('files', '0002_training_snapshots'),
        ('institutions', '0001_initial'),
        ('jobs', '0002_claims'),
        ('registry', '0002_promotions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='TrainingRun',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uid', models.UUIDField(default=apps.tenancy.models.new_uid, editable=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('origin', models.CharField(choices=[('asked', 'Asked by a person'), ('scheduled', 'Scheduled (training)')], default='asked', max_length=9, verbose_name='origin')),
                ('asked', models.JSONField(verbose_name='settings')),
                ('observed_on', models.DateField(verbose_name='observation date')),
                ('horizon_months', models.PositiveSmallIntegerField(verbose_name='horizon (months)')),
                ('step', models.CharField(blank=True, max_length=60, verbose_name='step')),
                ('data', models.JSONField(null=True, verbose_name='training data')),
                ('result', models.JSONField(null=True, verbose_name='result')),
                ('written', models.JSONField(default=dict, verbose_name='models written')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('asked_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
                ('institution', models.ForeignKey(db_index=False, default=apps.tenancy.context.current_institution_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='institutions.institution')),
                ('job', apps.tenancy.models.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='training_runs', to='jobs.job', verbose_name='job')),
                ('snapshot', apps.tenancy.models.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='files.storedfile', verbose_name='snapshot')),
                ('source', apps.tenancy.models.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='files.storedfile', verbose_name='file')),
            ],
            options={
                'verbose_name': 'training run',
                'verbose_name_plural': 'training runs',
                'indexes': [models.Index(fields=['institution', 'created_at', 'uid'], name='registry_trainingrun_when')],
                'constraints': [apps.tenancy.constraints.TenantPrimaryKey(name='registry_trainingrun_tenant_pk'), apps.tenancy.constraints.RowLevelSecurity(name='registry_trainingrun_rls'), models.UniqueConstraint(fields=('institution', 'uid'), name='registry_trainingrun_uid'), apps.tenancy.constraints.TenantReference(field='job', name='registry_trainingrun_job_tenant_fk'), apps.tenancy.constraints.TenantReference(field='source', name='registry_trainingrun_source_tenant_fk'), apps.tenancy.constraints.TenantReference(field='snapshot', name='registry_trainingrun_snapshot_tenant_fk'), apps.tenancy.constraints.Undeletable(name='registry_trainingrun_kept'), models.UniqueConstraint(fields=('institution', 'number'), name='registry_trainingrun_number'), models.UniqueConstraint(fields=('institution', 'job'), name='registry_trainingrun_job')],
            },
        ),
    ]
