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


class Dimension(models.TextChoices):
    """By what totals are broken down further, beside month, agency and credit type."""

    WHOLE = "", _("All together")
    CONTRACT = "contrat", _("Type of contract")
    SECTOR = "secteur", _("Line of business")
    GRADE = "note", _("Grade")
    AUTHOR = "auteur", _("Author")
    POINTS = "points", _("Points")
    SOURCE = "source", _("Source")


class Breakdown(models.TextChoices):
    """By what the figures of the portfolio are broken down; the codes stand in addresses."""

    MONTH = "mois", _("Month")
    AGENCY = "agence", _("Agency")
    CREDIT_TYPE = "produit", _("Type of credit")
    CONTRACT = "contrat", _("Type of contract")
    SECTOR = "secteur", _("Line of business")
    GRADE = "note", _("Grade")
    AUTHOR = "auteur", _("Author")
    DECIDER = "decideur", _("Who decided")


#: Those that tell people apart.
OF_PEOPLE = (Breakdown.AUTHOR, Breakdown.DECIDER)
