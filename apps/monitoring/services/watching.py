"""The end of a night: what was gathered becomes figures and alerts, in one transaction."""

import datetime as dt

from django.db import transaction

from apps.credits.queries.early import early_signs
from apps.monitoring.enums import FigureKind
from apps.monitoring.models import MonitoringFigures
from apps.monitoring.queries import agency_names, officer_names, volumes
from apps.monitoring.services.alerts import findings, sync_alerts
from apps.monitoring.services.gathering import MATURED_MONTHS, Gathered, Plan, rows_of
from apps.monitoring.services.measuring import Around, measure
from apps.registry.enums import GENERAL_SEGMENT, ModelStatus
from apps.registry.models import ModelVersion
from apps.scoring.queries.policies import figures_of_policy, policy_in_force
from apps.scoring.services.rereading import variables_read
from apps.tenancy.actor import Actor

#: Nights that are kept.
KEPT = dt.timedelta(days=400)


@transaction.atomic
def store_watch(*, gathered: Gathered, plan: Plan, by: Actor) -> list[MonitoringFigures]:
    """Store the figures of a night in place of those of an earlier run of the day, and open or close alerts.

    A challenger has figures and no alert. Raises ``NoApprovedModel`` when the version does not load.
    """
    version = ModelVersion.objects.select_for_update(no_key=True).get(pk=plan.version.pk)
    variables = variables_read(version)
    figures = measure(rows_of(gathered, variables=len(variables)), plan, _around(gathered, plan), variables)
    nights = MonitoringFigures.objects.filter(model_version=version)
    nights.filter(day=plan.on).delete()
    nights.filter(day__lt=plan.on - KEPT).delete()
    stored = MonitoringFigures.objects.bulk_create(
        MonitoringFigures(model_version=version, day=plan.on, kind=kind, figures=document)
        for kind, document in figures.items()
        if document is not None or kind == FigureKind.STATE
    )
    if version.status == ModelStatus.CHAMPION:
        sync_alerts(version=version, found=findings(figures, version), by=by)
    return stored


def _around(gathered: Gathered, plan: Plan) -> Around:
    policy = policy_in_force(plan.on)
    segment = "" if plan.version.segment == GENERAL_SEGMENT else plan.version.segment
    return Around(
        agencies=agency_names(),
        officers=officer_names(set(gathered.officer)),
        early=early_signs(start=plan.start.replace(day=1), on=plan.on, credit_type=segment),
        volumes=volumes(plan.version, start=_volumes_from(plan.on), on=plan.on),
        policy=None if policy is None else figures_of_policy(policy),
    )


def _volumes_from(on: dt.date) -> dt.date:
    months = on.year * 12 + on.month - MATURED_MONTHS
    return dt.date(months // 12, months % 12 + 1, 1)
