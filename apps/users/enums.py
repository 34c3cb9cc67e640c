from django.db import models
from django.utils.translation import gettext_lazy as _


class RoleChoices(models.TextChoices):
    """Roles that a membership may hold (codes: tenancy.roles)."""

    ADMINISTRATEUR = "administrateur", _("Administrator")
    ANALYSTE = "analyste", _("Credit analyst")
    AGENT = "agent", _("Loan officer")
    RESPONSABLE_RISQUES = "responsable_risques", _("Risk manager")
    COMITE = "comite", _("Credit committee")
    AUDITEUR = "auditeur", _("Auditor")
    DIRECTEUR_COMMERCIAL = "directeur_commercial", _("Commercial director")
    DPO = "dpo", _("Data protection officer")


class SessionKind(models.TextChoices):
    """Where a session was opened."""

    WEB = "web", _("Browser")
    API = "api", _("API")
