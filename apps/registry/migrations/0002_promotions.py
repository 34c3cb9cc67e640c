# Who put what in production, and when: each time names the one before it and never changes.

import apps.tenancy.constraints
import apps.tenancy.context
import apps.tenancy.models
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


CHAIN = """
UPDATE registry_championship c SET follows_id = p.before_id, previous_started_at = p.before_at
FROM (
    SELECT institution_id, id,
        lag(id) OVER w AS before_id, lag(started_at) OVER w AS before_at
    FROM registry_championship
    WINDOW w AS (PARTITION BY institution_id, segment ORDER BY started_at, id)
) p
WHERE p.institution_id = c.institution_id AND p.id = c.id AND p.before_id IS NOT NULL
"""
ORIGINS = "UPDATE registry_modelversion SET origin = 'platform' WHERE platform_model_id IS NOT NULL"


class Migration(migrations.Migration):

    dependencies = [
        ('institutions', '0001_initial'),
        ('registry', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Promotion',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uid', models.UUIDField(default=apps.tenancy.models.new_uid, editable=False)),
                ('segment', models.CharField(max_length=40, verbose_name='segment')),
                ('status', models.CharField(choices=[('proposed', 'Waiting for another person'), ('approved', 'Approved, not started yet'), ('started', 'In production (promotion)'), ('declined', 'Declined (promotion)'), ('withdrawn', 'Withdrawn'), ('failed', 'Could not start')], default='proposed', max_length=9, verbose_name='status')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('explanation', models.CharField(blank=True, max_length=1000, verbose_name='explanation of the gates')),
                ('gates', models.JSONField(verbose_name='gates')),
                ('starts_at', models.DateTimeField(null=True, verbose_name='starts at')),
                ('proposed_at', models.DateTimeField(auto_now_add=True, verbose_name='proposed at')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided at')),
                ('decision_reason', models.CharField(blank=True, max_length=500, verbose_name='reason of the decision')),
                ('institution', models.ForeignKey(db_index=False, default=apps.tenancy.context.current_institution_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='institutions.institution')),
                ('model_version', apps.tenancy.models.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='promotions', to='registry.modelversion')),
                ('proposed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by')),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
            ],
            options={
                'verbose_name': 'promotion',
                'verbose_name_plural': 'promotions',
            },
        ),
        migrations.RemoveConstraint(
            model_name='championship',
            name='registry_championship_one_open',
        ),
        migrations.AddField(
            model_name='championship',
            name='follows',
            field=apps.tenancy.models.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='next', to='registry.championship'),
        ),
        migrations.AddField(
            model_name='championship',
            name='gates',
            field=models.JSONField(default=list, verbose_name='gates'),
        ),
        migrations.AddField(
            model_name='championship',
            name='origin',
            field=models.CharField(choices=[('installation', 'Installation'), ('promotion', 'Promotion'), ('rollback', 'Rollback')], default='installation', max_length=12, verbose_name='origin'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='championship',
            name='previous_started_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='championship',
            name='proposed_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by'),
        ),
        migrations.AddField(
            model_name='championship',
            name='reason',
            field=models.CharField(blank=True, max_length=500, verbose_name='reason'),
        ),
        migrations.AddField(
            model_name='modelversion',
            name='created_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='brought in by'),
        ),
        migrations.AddField(
            model_name='modelversion',
            name='origin',
            field=models.CharField(choices=[('trained', 'Trained here'), ('platform', 'Installed from the platform'), ('imported', 'Imported'), ('written', 'Written in the editor')], default='trained', max_length=10, verbose_name='origin'),
        ),
        migrations.AddField(
            model_name='modelversion',
            name='period',
            field=models.JSONField(default=dict, verbose_name='training period'),
        ),
        migrations.AddField(
            model_name='platformmodel',
            name='period',
            field=models.JSONField(default=dict, verbose_name='training period'),
        ),
        migrations.AlterField(
            model_name='championship',
            name='started_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='put in production by'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=apps.tenancy.constraints.Undeletable(name='registry_modelversion_kept'),
        ),
        migrations.AddField(
            model_name='championship',
            name='promotion',
            field=apps.tenancy.models.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='championships', to='registry.promotion'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=apps.tenancy.constraints.TenantPrimaryKey(name='registry_promotion_tenant_pk'),
        ),
        migrations.RunSQL(CHAIN, migrations.RunSQL.noop),
        migrations.RunSQL(ORIGINS, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='championship',
            index=models.Index(fields=['institution', 'started_at'], name='registry_championship_when'),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=apps.tenancy.constraints.TenantReference(field='promotion', name='registry_championship_promotion_tenant_fk'),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=apps.tenancy.constraints.TenantReference(field='follows', name='registry_championship_follows_tenant_fk'),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=apps.tenancy.constraints.AppendOnly(name='registry_championship_append_only'),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=models.UniqueConstraint(fields=('institution', 'id', 'segment', 'started_at'), name='registry_championship_link'),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=models.UniqueConstraint(fields=('institution', 'follows'), name='registry_championship_one_next'),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=models.UniqueConstraint(condition=models.Q(('follows', None)), fields=('institution', 'segment'), name='registry_championship_one_first'),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=apps.tenancy.constraints.ChainReference(columns=('follows_id', 'segment', 'previous_started_at'), name='registry_championship_chain', to='registry_championship', to_columns=('id', 'segment', 'started_at')),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('follows', None), ('previous_started_at', None)), models.Q(('follows__isnull', False), ('previous_started_at__isnull', False), ('previous_started_at__lt', models.F('started_at'))), _connector='OR'), name='registry_championship_in_order'),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('origin', 'promotion'), _negated=True), models.Q(('proposed_by__isnull', False), ('started_by__isnull', False), models.Q(('proposed_by', models.F('started_by')), _negated=True)), _connector='OR'), name='registry_championship_two_people'),
        ),
        migrations.AddConstraint(
            model_name='championship',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('origin', 'rollback'), _negated=True), models.Q(('follows__isnull', False), ('started_by__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='registry_championship_rollback_reason'),
        ),
        migrations.RemoveField(
            model_name='championship',
            name='ended_at',
        ),
        migrations.AddIndex(
            model_name='promotion',
            index=models.Index(fields=['institution', 'model_version'], name='registry_promotion_model'),
        ),
        migrations.AddIndex(
            model_name='promotion',
            index=models.Index(condition=models.Q(('status', 'approved')), fields=['institution', 'starts_at'], name='registry_promotion_due'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=apps.tenancy.constraints.RowLevelSecurity(name='registry_promotion_rls'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.UniqueConstraint(fields=('institution', 'uid'), name='registry_promotion_uid'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=apps.tenancy.constraints.TenantReference(field='model_version', name='registry_promotion_model_version_tenant_fk'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=apps.tenancy.constraints.Undeletable(name='registry_promotion_kept'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('proposed', 'approved'))), fields=('institution', 'segment'), name='registry_promotion_one_open'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ('approved', 'started')), _negated=True), models.Q(('decided_by__isnull', False), ('proposed_by__isnull', False), models.Q(('proposed_by', models.F('decided_by')), _negated=True)), _connector='OR'), name='registry_promotion_two_people'),
        ),
    ]
