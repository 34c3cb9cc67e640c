import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import apps.tenancy.constraints
import apps.tenancy.context
import apps.tenancy.encryption
import apps.tenancy.models


class Migration(migrations.Migration):

    dependencies = [
        ('institutions', '0001_initial'),
        ('users', '0006_api_opening'),
    ]

    operations = [
        migrations.CreateModel(
            name='BoundIdentity',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uid', models.UUIDField(default=apps.tenancy.models.new_uid, editable=False)),
                ('issuer', models.CharField(max_length=300, verbose_name='issuer')),
                ('subject_index', models.CharField(max_length=64)),
                ('bound_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='bound at')),
                ('last_used_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last used')),
                ('institution', models.ForeignKey(db_index=False, default=apps.tenancy.context.current_institution_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='institutions.institution')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'bound account',
                'verbose_name_plural': 'bound accounts',
                'constraints': [
                    apps.tenancy.constraints.TenantPrimaryKey(name='users_boundidentity_tenant_pk'),
                    apps.tenancy.constraints.RowLevelSecurity(name='users_boundidentity_rls'),
                    models.UniqueConstraint(fields=('institution', 'uid'), name='users_boundidentity_uid'),
                    models.UniqueConstraint(fields=('institution', 'user', 'issuer'), name='users_boundidentity_person'),
                    models.UniqueConstraint(fields=('institution', 'subject_index'), name='users_boundidentity_subject'),
                ],
            },
        ),
        migrations.CreateModel(
            name='IdentityProvider',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uid', models.UUIDField(default=apps.tenancy.models.new_uid, editable=False)),
                ('issuer', models.CharField(max_length=300, verbose_name='issuer')),
                ('client_id', models.CharField(max_length=200, verbose_name='client identifier')),
                ('client_secret', apps.tenancy.encryption.EncryptedTextField(verbose_name='client secret')),
                ('domains', models.JSONField(default=list, verbose_name='e-mail domains')),
                ('acr_values', models.JSONField(default=list, verbose_name='strong levels (acr)')),
                ('amr_values', models.JSONField(default=list, verbose_name='strong means (amr)')),
                ('password_allowed', models.BooleanField(default=True, verbose_name='passwords still open the site')),
                ('is_active', models.BooleanField(default=False, verbose_name='in service')),
                ('changed_at', models.DateTimeField(auto_now=True, verbose_name='changed at')),
                ('institution', models.ForeignKey(db_index=False, default=apps.tenancy.context.current_institution_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='institutions.institution')),
            ],
            options={
                'verbose_name': 'identity provider',
                'verbose_name_plural': 'identity providers',
                'constraints': [
                    apps.tenancy.constraints.TenantPrimaryKey(name='users_identityprovider_tenant_pk'),
                    apps.tenancy.constraints.RowLevelSecurity(name='users_identityprovider_rls'),
                    models.UniqueConstraint(fields=('institution', 'uid'), name='users_identityprovider_uid'),
                    models.UniqueConstraint(fields=('institution',), name='users_identityprovider_one'),
                ],
            },
        ),
    ]
