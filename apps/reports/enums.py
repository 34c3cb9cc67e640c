from django.db import models
from django.utils.translation import gettext_lazy as _

#: How many days a report and its file are kept.
KEPT_DAYS = 30


class ReportKind(models.TextChoices):
    """What a report tells; the code is also its place in addresses."""

    ACTIVITY = "activite", _("Activity of the month")
    SCORES = "scores", _("Scores of the period, line by line")
    ANALYSTS = "analystes", _("Activity by analyst")
    AGENCIES = "agences", _("Activity by agency")
    CONSISTENCY = "coherence", _("Consistency and overrides")
    AUDIT = "audit", _("Audit report")
    MODEL = "modele", _("Model report")
    ANALYSIS_SHEET = "fiche-analyse", _("Analysis sheet")
    CLIENT_SHEET = "fiche-client", _("Client's sheet")
    DECISION_FILE = "dossier-decision", _("File for decision")
    LETTER = "courrier", _("Decision letter")


#: Kinds over a period: they have dates, an agency, every format, and may be scheduled.
OF_PERIOD = (
    ReportKind.ACTIVITY,
    ReportKind.SCORES,
    ReportKind.ANALYSTS,
    ReportKind.AGENCIES,
    ReportKind.CONSISTENCY,
    ReportKind.AUDIT,
)
#: Kinds about one score, application or decision, and about one version of a model: PDF only.
OF_ONE = (
    ReportKind.MODEL,
    ReportKind.ANALYSIS_SHEET,
    ReportKind.CLIENT_SHEET,
    ReportKind.DECISION_FILE,
    ReportKind.LETTER,
)


class ReportFormat(models.TextChoices):
    PDF = "pdf", "PDF"
    XLSX = "xlsx", "Excel"
    CSV = "csv", "CSV"


class BenchmarkFigure(models.TextChoices):
    """What institutions compare; each stands in the totals of the portfolio already."""

    ACCEPTANCE = "acceptance", _("Acceptance")
    MEAN_PD = "mean_pd", _("Mean probability of default")
    OBSERVED_DEFAULT = "observed_default", _("Defaults observed")
    OVERRIDES = "overrides", _("Against the advice")
    MEAN_AMOUNT = "mean_amount", _("Mean amount asked for")
    MEAN_DELAY = "mean_delay", _("Mean delay of decision")


class Frequency(models.TextChoices):
    WEEKLY = "weekly", _("Every Monday, on the week before")
    MONTHLY = "monthly", _("On the first of the month, on the month before")
