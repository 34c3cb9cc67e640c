from django.db import models
from django.utils.translation import gettext_lazy as _


class InstitutionCategory(models.TextChoices):
    """Legal categories of microfinance institutions in the CEMAC."""

    FIRST = "1", _("1st category (members only)")
    SECOND = "2", _("2nd category (the public)")
    THIRD = "3", _("3rd category (credit only)")


class InstitutionStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
