from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

#: How many days a file is kept when the institution says nothing (dated setting ``files_kept_days``).
KEPT_DAYS = 30


class FilePurpose(models.TextChoices):
    """Why a file is here."""

    IMPORT = "import", _("Import")
    BATCH = "batch", _("File to score")
    RESULT = "result", _("Result")
    REJECTS = "rejects", _("Rejected rows")
    TEMPLATE = "template", _("Template")
    TRAINING = "training", _("Training data")
    REPORT = "report", pgettext_lazy("file", "Report")


class FileKind(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel"
    PARQUET = "parquet", "Parquet"
    PDF = "pdf", "PDF"
