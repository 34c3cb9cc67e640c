"""Some files returned for missing pieces, so that an analyst finds work to do."""

from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication, PieceRequest
from apps.credits.services.lifecycle import request_pieces
from apps.demo.cast import DemoInstitution
from apps.institutions.models import Institution
from apps.tenancy.context import tenant_scope
from apps.tenancy.roles import Role
from apps.users.models import Membership
from apps.users.queries import member_actor

ASKED = (
    (
        ("identite",),
        {"fr": "La carte d'identité a expiré en septembre.", "en": "The card expired in September."},
    ),
    (("revenu", "localisation"), {"fr": "", "en": ""}),
    (("autre",), {"fr": "Accord écrit du bailleur.", "en": "The landlord's written consent."}),
)


def seed_returned(demo: DemoInstitution, institution: Institution) -> int:
    """Return the latest files of the analyst to be completed, once; return how many wait."""
    with tenant_scope(institution.pk):
        if not PieceRequest.objects.exists():
            people = Membership.objects.select_related("user", "institution").filter(institution=institution)
            analyst = people.get(role=Role.ANALYSTE, agency_links=None)
            asker = member_actor(people.filter(role=Role.RESPONSABLE_RISQUES).order_by("id")[0])
            files = CreditApplication.objects.filter(
                status=ApplicationStatus.SUBMITTED, author_id=analyst.user_id
            ).order_by("-applied_on", "-id")
            for file, (pieces, notes) in zip(files[: len(ASKED)], ASKED, strict=False):
                request_pieces(uid=file.uid, pieces=pieces, note=notes[demo.language], by=asker)
        return PieceRequest.objects.filter(answered_at=None).count()
