from django.db import models
from django.utils.translation import gettext_lazy as _


class MessageKind(models.TextChoices):
    EMAIL = "email", _("E-mail")
    ALERT = "alert", _("Alert")
    WEBHOOK = "webhook", _("Webhook")


class WebhookEvent(models.TextChoices):
    """What may be told to a partner's server."""

    PREDICTION_CREATED = "prediction.created", _("Score computed")
    BATCH_FINISHED = "batch.finished", _("File scored")
    APPLICATION_DECIDED = "application.decided", _("Application decided")
    MODEL_PROMOTED = "model.promoted", _("Model put in production")


#: Events that something announces; the others are offered when files and decisions do.
ANNOUNCED = (
    WebhookEvent.PREDICTION_CREATED,
    WebhookEvent.APPLICATION_DECIDED,
    WebhookEvent.MODEL_PROMOTED,
)


class MessageStatus(models.TextChoices):
    PENDING = "pending", _("To be sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
