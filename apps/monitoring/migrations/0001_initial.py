import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import apps.tenancy.constraints
import apps.tenancy.context
import apps.tenancy.models


def _institution():
    return models.ForeignKey(
        db_index=False,
        default=apps.tenancy.context.current_institution_id,
        editable=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="institutions.institution",
    )


def _version(related_name):
    return apps.tenancy.models.TenantForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to="registry.modelversion",
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [("institutions", "0001_initial"), ("registry", "0002_promotions")]

    operations = [
        migrations.CreateModel(
            name="MonitoringFigures",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=apps.tenancy.models.new_uid, editable=False)),
                ("day", models.DateField(verbose_name="day")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("state", "Periods compared"),
                            ("month", "Observed and predicted by month"),
                            ("cohort", "Rolling cohorts"),
                            ("band", "By risk band"),
                            ("agency", "By agency"),
                            ("officer", "By officer"),
                            ("score", "Distribution of scores"),
                            ("variable", "Variables"),
                            ("early", "Early signs"),
                            ("treatment", "Equal treatment of groups"),
                            ("volume", "Volumes"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("figures", models.JSONField(verbose_name="figures")),
                (
                    "computed_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="computed at"),
                ),
                ("institution", _institution()),
                ("model_version", _version("figures")),
            ],
            options={
                "verbose_name": "monitoring figures",
                "verbose_name_plural": "monitoring figures",
                "constraints": [
                    apps.tenancy.constraints.TenantPrimaryKey(name="monitoring_monitoringfigures_tenant_pk"),
                    apps.tenancy.constraints.RowLevelSecurity(name="monitoring_monitoringfigures_rls"),
                    models.UniqueConstraint(
                        fields=("institution", "uid"), name="monitoring_monitoringfigures_uid"
                    ),
                    apps.tenancy.constraints.TenantReference(
                        field="model_version", name="monitoring_monitoringfigures_model_version_tenant_fk"
                    ),
                    models.UniqueConstraint(
                        fields=("institution", "model_version", "day", "kind"),
                        name="monitoring_figures_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=apps.tenancy.models.new_uid, editable=False)),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("calibration", "More defaults than predicted"),
                            ("order", "The order of the risk is lost"),
                            ("late", "More credits late at three months"),
                            ("first_missed", "More first instalments missed"),
                            ("score_shift", "Scores have moved"),
                            ("variable_shift", "A variable has moved"),
                            ("missing", "A variable is missing more often"),
                            ("out_of_range", "Values outside what the model learnt"),
                            ("treatment", "Groups are treated unequally"),
                        ],
                        max_length=20,
                        verbose_name="code",
                    ),
                ),
                ("about", models.CharField(blank=True, max_length=60, verbose_name="about")),
                (
                    "severity",
                    models.CharField(
                        choices=[("alert", "Alert"), ("watch", "To watch")],
                        max_length=5,
                        verbose_name="severity",
                    ),
                ),
                (
                    "suggestion",
                    models.CharField(
                        choices=[
                            ("recalibrate", "Adjust the calibration"),
                            ("retrain", "Train a new model"),
                            ("look_closer", "Look at the outcomes before anything else"),
                            ("check_source", "Check where the values come from"),
                            ("prepare", "Prepare a stricter policy"),
                            ("review", "Bring it before the risk committee"),
                        ],
                        max_length=12,
                        verbose_name="suggestion",
                    ),
                ),
                ("figures", models.JSONField(verbose_name="figures")),
                (
                    "opened_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="opened at"),
                ),
                ("closed_at", models.DateTimeField(null=True, verbose_name="over since")),
                ("institution", _institution()),
                ("model_version", _version("alerts")),
            ],
            options={
                "verbose_name": "monitoring alert",
                "verbose_name_plural": "monitoring alerts",
                "indexes": [
                    models.Index(
                        fields=["institution", "model_version", "opened_at"], name="monitoring_alert_when"
                    )
                ],
                "constraints": [
                    apps.tenancy.constraints.TenantPrimaryKey(name="monitoring_alert_tenant_pk"),
                    apps.tenancy.constraints.RowLevelSecurity(name="monitoring_alert_rls"),
                    models.UniqueConstraint(fields=("institution", "uid"), name="monitoring_alert_uid"),
                    apps.tenancy.constraints.TenantReference(
                        field="model_version", name="monitoring_alert_model_version_tenant_fk"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("institution", "model_version", "code", "about"),
                        name="monitoring_alert_open_once",
                    ),
                ],
            },
        ),
    ]
