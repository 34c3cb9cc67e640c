# The institution's variable dictionary: settings of standard variables, its own ones, and their dated states.

import apps.tenancy.constraints
import apps.tenancy.context
import apps.tenancy.models
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('credits', '0007_duplicates'),
        ('institutions', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DictionaryVariable',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uid', models.UUIDField(default=apps.tenancy.models.new_uid, editable=False)),
                ('name', models.CharField(max_length=63, verbose_name='name')),
                ('kind', models.CharField(choices=[('standard', 'Standard'), ('own', 'Of the institution')], max_length=8, verbose_name='kind')),
                ('label_fr', models.CharField(blank=True, max_length=80, verbose_name='label in French')),
                ('label_en', models.CharField(blank=True, max_length=80, verbose_name='label in English')),
                ('type', models.CharField(blank=True, choices=[('integer', 'Whole number'), ('decimal', 'Decimal number'), ('category', 'List of codes')], max_length=8, verbose_name='type')),
                ('unit', models.CharField(blank=True, choices=[('', 'No unit'), ('count', 'Count'), ('XAF', 'FCFA'), ('XAF_per_month', 'FCFA a month'), ('years', 'Years'), ('months', 'Months'), ('percent', 'Percent'), ('percent_per_year', 'Percent a year'), ('fraction', 'Fraction'), ('km', 'Kilometres')], max_length=16, verbose_name='unit')),
                ('minimum', models.FloatField(null=True, verbose_name='minimum')),
                ('maximum', models.FloatField(null=True, verbose_name='maximum')),
                ('codes', models.JSONField(default=list, verbose_name='codes')),
                ('direction', models.CharField(blank=True, choices=[('', 'No direction: the data say'), ('up', 'More of it raises the risk'), ('down', 'More of it lowers the risk')], max_length=4, verbose_name='direction')),
                ('source', models.CharField(blank=True, choices=[('typed', 'Declared by the client, typed'), ('officer', 'Set by the officer'), ('bureau', 'Credit bureau or another lender'), ('computed', 'Computed')], max_length=8, verbose_name='source')),
                ('sensitivity', models.CharField(blank=True, choices=[('', 'None'), ('fairness', 'To check fairness only')], max_length=8, verbose_name='sensitivity')),
                ('purpose', models.CharField(blank=True, max_length=300, verbose_name='why it is asked')),
                ('asked', models.BooleanField(default=True, verbose_name='asked for')),
                ('in_models', models.BooleanField(verbose_name='models may learn from it')),
                ('model_use_reason', models.CharField(blank=True, max_length=300, verbose_name='reason why models may learn from it')),
                ('declared_at', models.DateTimeField(auto_now_add=True, verbose_name='declared on')),
                ('retired_at', models.DateTimeField(null=True, verbose_name='retired on')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated at')),
                ('declared_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='declared by')),
                ('institution', models.ForeignKey(db_index=False, default=apps.tenancy.context.current_institution_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='institutions.institution')),
            ],
            options={
                'verbose_name': 'variable of the dictionary',
                'verbose_name_plural': 'variables of the dictionary',
                'constraints': [
                    apps.tenancy.constraints.TenantPrimaryKey(name='credits_dictionaryvariable_tenant_pk'),
                    apps.tenancy.constraints.RowLevelSecurity(name='credits_dictionaryvariable_rls'),
                    models.UniqueConstraint(fields=('institution', 'uid'), name='credits_dictionaryvariable_uid'),
                    apps.tenancy.constraints.Undeletable(name='credits_dictionaryvariable_kept'),
                    models.UniqueConstraint(fields=('institution', 'name'), name='credits_variable_name'),
                    models.CheckConstraint(condition=models.Q(models.Q(('kind', 'standard'), ('retired_at', None)), models.Q(models.Q(('label_fr', ''), _negated=True), models.Q(('label_en', ''), _negated=True), models.Q(('type', ''), _negated=True)), _connector='OR'), name='credits_variable_described'),
                    models.CheckConstraint(condition=models.Q(('retired_at', None), models.Q(('asked', False), ('in_models', False)), _connector='OR'), name='credits_variable_retired_unused'),
                    models.CheckConstraint(condition=models.Q(('sensitivity', ''), ('in_models', False), models.Q(('model_use_reason', ''), _negated=True), _connector='OR'), name='credits_variable_sensitive_reason'),
                ],
            },
        ),
        migrations.CreateModel(
            name='DictionaryRevision',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uid', models.UUIDField(default=apps.tenancy.models.new_uid, editable=False)),
                ('change', models.CharField(choices=[('declared', 'Declared'), ('changed', 'Changed'), ('retired', 'Retired (variable)')], max_length=8, verbose_name='change')),
                ('state', models.JSONField(verbose_name='state')),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason')),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='changed on')),
                ('changed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='changed by')),
                ('institution', models.ForeignKey(db_index=False, default=apps.tenancy.context.current_institution_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='institutions.institution')),
                ('variable', apps.tenancy.models.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='credits.dictionaryvariable', verbose_name='variable')),
            ],
            options={
                'verbose_name': 'state of a variable',
                'verbose_name_plural': 'states of a variable',
                'indexes': [
                    models.Index(fields=['institution', 'variable', 'changed_at'], name='credits_revision_variable'),
                ],
                'constraints': [
                    apps.tenancy.constraints.TenantPrimaryKey(name='credits_dictionaryrevision_tenant_pk'),
                    apps.tenancy.constraints.RowLevelSecurity(name='credits_dictionaryrevision_rls'),
                    models.UniqueConstraint(fields=('institution', 'uid'), name='credits_dictionaryrevision_uid'),
                    apps.tenancy.constraints.TenantReference(field='variable', name='credits_dictionaryrevision_variable_tenant_fk'),
                    apps.tenancy.constraints.AppendOnly(name='credits_dictionaryrevision_append_only'),
                ],
            },
        ),
    ]
