"""Who decides up to which amount at the fictional institutions, and with which motives."""

from apps.credits.models import CreditApplication
from apps.decisions.models import DecisionLimit
from apps.decisions.services.limits import add_standard_motives
from apps.decisions.services.seeding import seed_limits
from apps.institutions.models import Institution
from apps.tenancy.context import tenant_scope
from apps.tenancy.roles import Role
from apps.users.queries import demo_memberships, member_actor

#: Fictional: beyond the analyst's a file goes to the risk manager.
LIMITS_XAF: dict[str, int] = {Role.ANALYSTE: 2_000_000, Role.RESPONSABLE_RISQUES: 25_000_000}


def seed_deciding(institution: Institution) -> None:
    """Give the institution limits since its first application, and motives, unless it has limits."""
    administrator = demo_memberships().filter(institution=institution, role=Role.ADMINISTRATEUR).first()
    assert administrator is not None  # the people were seeded before
    with tenant_scope(institution.pk):
        if DecisionLimit.objects.exists():
            return
        by = member_actor(administrator)
        first = CreditApplication.objects.order_by("applied_on").values_list("applied_on", flat=True).first()
        assert first is not None
        seed_limits(limits=LIMITS_XAF, starts_on=first, by=by)
        add_standard_motives(by=by)
