"""The fictional log-ins that the demonstration offers as buttons."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from apps.users.queries import demo_memberships


@dataclass(frozen=True, slots=True)
class Persona:
    email: str
    label: str
    description: str
    institution: str
    password: str


def demo_personas() -> list[Persona]:
    """Return one persona per fictional account, in demonstration mode only."""
    if not settings.DEMO_MODE:
        return []
    words = _descriptions()
    return [
        Persona(
            email=membership.user.email,
            label=membership.get_role_display(),
            description=words.get(membership.role, ""),
            institution=membership.institution.name,
            password=settings.DEMO_PASSWORD,
        )
        for membership in demo_memberships()
    ]


def _descriptions() -> dict[str, str]:
    return {
        "analyste": _("Enters applications, reads scores"),
        "agent": _("Sees the files of one agency"),
        "responsable_risques": _("Watches risk and the model"),
        "comite": _("Decides the larger credits"),
        "administrateur": _("Manages people and agencies"),
        "auditeur": _("Checks, changes nothing"),
        "directeur_commercial": _("Follows activity"),
        "dpo": _("Watches over personal data"),
    }
