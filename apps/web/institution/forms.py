"""The picture that an administrator sends."""

from django import forms
from django.utils.translation import gettext_lazy

from apps.web.forms import ServiceForm


class LogoForm(ServiceForm):
    """The picture itself; it is judged by its content."""

    logo = forms.FileField(
        label=gettext_lazy("PNG or JPEG picture"),
        help_text=gettext_lazy(
            "2 MB and 4,000 pixels a side at most. It is kept within 900 by 300 pixels, without what the "
            "file says of its maker or place. A wide picture on a white or transparent ground prints best."
        ),
        error_messages={
            "required": gettext_lazy("Choose a picture."),
            "empty": gettext_lazy("This file is empty."),
        },
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
    )
