from django.db import models
from django.utils.translation import gettext_lazy as _


class ModelStatus(models.TextChoices):
    DRAFT = "draft", _("Draft (model)")
    CANDIDATE = "candidate", _("Candidate")
    CHALLENGER = "challenger", _("Challenger")
    CHAMPION = "champion", _("Champion")
    RETIRED = "retired", _("Retired")


class TrainingData(models.TextChoices):
    INSTITUTION = "institution", _("The institution's own history")
    POOLED = "pooled", _("Pooled history")
    EXPERT = "expert", _("Expert scorecard")
    SYNTHETIC = "synthetic", _("Synthetic data")


GENERAL_SEGMENT = "tous"
