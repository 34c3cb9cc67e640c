from django.db import models
from django.utils.translation import gettext_lazy as _


class FigureKind(models.TextChoices):
    """What a night's figures are about."""

    STATE = "state", _("Periods compared")
    MONTH = "month", _("Observed and predicted by month")
    COHORT = "cohort", _("Rolling cohorts")
    BAND = "band", _("By risk band")
    AGENCY = "agency", _("By agency")
    OFFICER = "officer", _("By officer")
    SCORE = "score", _("Distribution of scores")
    VARIABLE = "variable", _("Variables")
    EARLY = "early", _("Early signs")
    TREATMENT = "treatment", _("Equal treatment of groups")
    VOLUME = "volume", _("Volumes")


class AlertCode(models.TextChoices):
    """Which limit is passed."""

    CALIBRATION = "calibration", _("More defaults than predicted")
    ORDER = "order", _("The order of the risk is lost")
    LATE = "late", _("More credits late at three months")
    FIRST_MISSED = "first_missed", _("More first instalments missed")
    SCORE_SHIFT = "score_shift", _("Scores have moved")
    VARIABLE_SHIFT = "variable_shift", _("A variable has moved")
    MISSING = "missing", _("A variable is missing more often")
    OUT_OF_RANGE = "out_of_range", _("Values outside what the model learnt")
    TREATMENT = "treatment", _("Groups are treated unequally")
    OVERRIDES = "overrides", _("Many decisions against the advice")


class Severity(models.TextChoices):
    """How much an alert weighs: what touches losses, and what is to be looked at."""

    ALERT = "alert", _("Alert")
    WATCH = "watch", _("To watch")


class Suggestion(models.TextChoices):
    """What to do about an alert."""

    RECALIBRATE = "recalibrate", _("Adjust the calibration")
    RETRAIN = "retrain", _("Train a new model")
    LOOK_CLOSER = "look_closer", _("Look at the outcomes before anything else")
    CHECK_SOURCE = "check_source", _("Check where the values come from")
    PREPARE = "prepare", _("Prepare a stricter policy")
    REVIEW = "review", _("Bring it before the risk committee")
