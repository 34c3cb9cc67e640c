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


class ModelOrigin(models.TextChoices):
    """How a version came into the registry."""

    TRAINED = "trained", _("Trained here")
    PLATFORM = "platform", _("Installed from the platform")
    IMPORTED = "imported", _("Imported")
    WRITTEN = "written", _("Written in the editor")


class ModelSignature(models.TextChoices):
    """Who signed the folder that an imported version came in."""

    NONE = "none", _("Not signed")
    PLATFORM = "platform", _("Signed by this platform")
    ELSEWHERE = "elsewhere", _("Signed with a key that is not this platform's")


class PromotionStatus(models.TextChoices):
    PROPOSED = "proposed", _("Waiting for another person")
    APPROVED = "approved", _("Approved, not started yet")
    STARTED = "started", _("In production (promotion)")
    DECLINED = "declined", _("Declined (promotion)")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    FAILED = "failed", _("Could not start")


#: A segment has one of these at most.
OPEN_PROMOTIONS = (PromotionStatus.PROPOSED, PromotionStatus.APPROVED)


class StartOrigin(models.TextChoices):
    """Why a version came into production."""

    INSTALLATION = "installation", _("Installation")
    PROMOTION = "promotion", _("Promotion")
    ROLLBACK = "rollback", _("Rollback")


class Verdict(models.TextChoices):
    """What a gate says of a version."""

    PASSED = "passed", _("Passed")
    FAILED = "failed", _("Failed (gate)")
    EXPLAIN = "explain", _("To be explained")
    UNMEASURED = "unmeasured", _("Not measured")
    SHOWN = "shown", _("For information")


#: With one of these nothing goes into production.
BLOCKING = (Verdict.FAILED, Verdict.UNMEASURED)

GENERAL_SEGMENT = "tous"


class TrainingOrigin(models.TextChoices):
    """Who asked for a training run."""

    ASKED = "asked", _("Asked by a person")
    SCHEDULED = "scheduled", _("Scheduled (training)")


class HistoryLevel(models.TextChoices):
    """What the matured defaults of an institution allow (MODELS.md)."""

    EXPERT = "expert", _("Expert scorecard")
    RECALIBRATED = "recalibrated", _("Expert scorecard, or platform model recalibrated")
    SCORECARD = "scorecard", _("WOE scorecard or logistic regression")
    EVERY = "every", _("Every candidate")
