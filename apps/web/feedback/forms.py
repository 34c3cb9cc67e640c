from django import forms
from django.utils.translation import gettext_lazy as _

from apps.users.enums import FeedbackKind

LONGEST = 2_000


class FeedbackForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What is it about?"), choices=FeedbackKind, widget=forms.RadioSelect, initial="problem"
    )
    text = forms.CharField(
        label=_("Your message"),
        max_length=LONGEST,
        help_text=_("2,000 characters at most. No client's name or number, please: a reference is enough."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    page = forms.CharField(label=_("Page concerned"), required=False, max_length=200)
