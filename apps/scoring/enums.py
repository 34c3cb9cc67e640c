from django.db import models
from django.utils.translation import gettext_lazy as _


class Band(models.TextChoices):
    LOW = "faible", _("Low risk")
    MODERATE = "modere", _("Moderate risk")
    HIGH = "eleve", _("High risk")


class Recommendation(models.TextChoices):
    GRANT = "accorder", _("Favourable advice")
    STUDY = "etudier", _("To be studied")
    DECLINE = "refuser", _("Unfavourable advice")


class Source(models.TextChoices):
    PAGE = "page", _("Page")
    API = "api", _("API")
    BATCH = "batch", _("Batch")


class Output(models.TextChoices):
    """In which format a scored file is given back."""

    SAME = "source", _("As the file that was sent")
    EXCEL = "excel", _("CSV for Excel in French")
    XLSX = "xlsx", _("Excel workbook")


class ProposalStatus(models.TextChoices):
    """Where a proposed policy stands; what is decided stays so."""

    PROPOSED = "proposed", _("Proposed")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")
