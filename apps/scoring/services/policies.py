"""The institution's scoring policy, and the opening of an institution with its first one."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from apps.audit.services import record
from apps.engine.contracts import PolicyFigures
from apps.engine.policy import default_rules
from apps.institutions.models import Institution
from apps.institutions.services import save_institution
from apps.scoring.models import ScoringPolicy
from apps.scoring.queries import policy_on
from apps.scoring.validators import figures_from_json, figures_to_json
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.users.services.invitations import invite_administrator


@transaction.atomic
def set_policy(
    *, figures: PolicyFigures, by: Actor, reason: str, effective_from: dt.date | None = None
) -> ScoringPolicy:
    """Add a version of the institution's scoring policy, in force from a date on."""
    latest = ScoringPolicy.objects.order_by("-version").first()
    policy = ScoringPolicy.objects.create(
        version=1 if latest is None else latest.version + 1,
        effective_from=effective_from or timezone.localdate(),
        figures=figures_to_json(figures),
        reason=reason,
        created_by=by.id,
    )
    record(by=by, action="policy.create", target=policy, after={"version": policy.version})
    return policy


@transaction.atomic
def open_institution(
    *,
    institution: Institution,
    administrator: str,
    by: Actor,
    reason: str,
    link: Callable[[str], str],
    threshold: float | None = None,
    copy_from: Institution | None = None,
) -> Institution:
    """Open an institution: its row, its first scoring policy, and the invitation of its administrator.

    The policy is the engine's standard one, or a copy of another institution's; ``threshold`` replaces the
    default threshold. Raises ``NoPolicy``, or ``InvalidValues`` when the e-mail cannot be used.
    """
    figures = PolicyFigures(rules=default_rules())
    if copy_from is not None:
        with tenant_scope(copy_from.pk):
            figures = figures_from_json(policy_on().figures)
    if threshold is not None:
        figures = replace(figures, default_threshold=threshold)
    save_institution(institution=institution, by=by, reason=reason)
    inside = replace(by, institution_id=institution.pk)
    with tenant_scope(institution.pk):
        set_policy(figures=figures, by=inside, reason=reason)
        invite_administrator(email=administrator, by=inside, institution=institution, link=link)
    return institution
