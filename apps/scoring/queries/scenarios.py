"""Scenarios kept beside a file."""

from uuid import UUID

from django.utils.translation import gettext as _

from apps.credits.models import CreditApplication
from apps.credits.queries.applications import visible_applications
from apps.scoring.models import Scenario
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound


def scenarios_of(application: CreditApplication) -> list[Scenario]:
    """Return the scenarios kept with an application, the oldest first."""
    kept = Scenario.objects.filter(application=application).select_related("author")
    return list(kept.order_by("created_at", "id"))


def get_visible_scenario(actor: Actor, uid: UUID) -> Scenario:
    """Return a scenario of an application that ``actor`` sees; raise ``ObjectNotFound``."""
    found = Scenario.objects.select_related("application").filter(uid=uid)
    scenario = found.filter(application__in=visible_applications(actor)).first()
    if scenario is None:
        raise ObjectNotFound(_("No such scenario."))
    return scenario
