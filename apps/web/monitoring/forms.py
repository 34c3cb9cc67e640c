from django.utils.translation import gettext_lazy

from apps.monitoring.services.reviews import MOST
from apps.web.fields import LineField
from apps.web.forms import ServiceForm


class ReviewForm(ServiceForm):
    """What is looked at because of an alert, or what that came to."""

    note = LineField(label=gettext_lazy("In a sentence"), max_length=MOST)
