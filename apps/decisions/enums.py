from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.credits.enums import ApplicationStatus
from apps.scoring.enums import Recommendation


class DecisionKind(models.TextChoices):
    """What is decided on an application; labels say it of the application."""

    GRANT = "accorde", _("Approved")
    GRANT_CONDITIONALLY = "accorde_sous_reserve", _("Approved conditionally")
    REFUSE = "refuse", _("Declined")
    DEFER = "ajourne", _("Deferred")
    COUNTER_OFFER = "contre_proposition", _("Counter-offer")


#: What each decision makes of the application.
STATUS_AFTER = {
    DecisionKind.GRANT: ApplicationStatus.APPROVED,
    DecisionKind.GRANT_CONDITIONALLY: ApplicationStatus.APPROVED_CONDITIONALLY,
    DecisionKind.REFUSE: ApplicationStatus.DECLINED,
    DecisionKind.DEFER: ApplicationStatus.DEFERRED,
    DecisionKind.COUNTER_OFFER: ApplicationStatus.COUNTER_OFFERED,
}
GRANTING = (DecisionKind.GRANT, DecisionKind.GRANT_CONDITIONALLY)


class OverrideReason(models.TextChoices):
    """Why a decision may go against the advice; a typing error is no reason: it is corrected and rescored."""

    GUARANTEE = "garantie_forte", _("Strong guarantee")
    RELATION = "relation_ancienne", _("Long-standing relation")
    INFORMATION = "information_nouvelle", _("New information, checked")
    COMMERCIAL = "decision_commerciale", _("Commercial decision")


class Direction(models.TextChoices):
    """On which side of the advice a decision lies."""

    MILDER = "plus_favorable", _("Granted against an unfavourable advice")
    STRICTER = "plus_severe", _("Refused against a favourable advice")


class OverrideStatus(models.TextChoices):
    """Where the wish to go against the advice stands; what is answered stays so."""

    PENDING = "en_attente", _("Awaiting a second person")
    CONFIRMED = "confirmee", _("Confirmed")
    REFUSED = "refusee", _("Refused (override)")
    WITHDRAWN = "retiree", _("Withdrawn")
    LAPSED = "caduque", _("Lapsed: the file or its score changed")


class Channel(models.TextChoices):
    """How a client asked."""

    COUNTER = "guichet", _("At the counter")
    PHONE = "telephone", _("By telephone")
    LETTER = "courrier", _("By letter")
    EMAIL = "courriel", _("By e-mail")


#: Advice that a decision can go against: « to be studied » is none.
FIRM_ADVICE = (Recommendation.GRANT, Recommendation.DECLINE)
