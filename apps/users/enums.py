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


class KeyScope(models.TextChoices):
    """What a partner key may do: the verbs that tenancy.roles lets a key carry."""

    READ_FILES = "read_files", _("Read clients, applications and scores")
    EDIT_FILES = "edit_files", _("Create and change clients and applications")
    SCORE = "score", _("Compute scores and simulations")
    REPLAY = "replay", _("Compute stored scores again")
    IMPORT = "import", _("Send files")


#: Scopes that some route asks for; the other is offered with the files.
OFFERED_SCOPES = tuple(scope for scope in KeyScope if scope != KeyScope.IMPORT)


class SessionKind(models.TextChoices):
    """Where a session was opened."""

    WEB = "web", _("Browser")
    API = "api", _("API")


class Theme(models.TextChoices):
    """How the pages of a person look; none chosen means as the system does."""

    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class FeedbackKind(models.TextChoices):
    """What a person's opinion of the site is about."""

    PROBLEM = "problem", _("Problem")
    IDEA = "idea", _("Idea")
    QUESTION = "question", _("Question")
