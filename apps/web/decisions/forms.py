"""What is asked of who decides, of who registers a client's request, of who sets limits."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.credits.models import CreditApplication
from apps.decisions.enums import GRANTING, Channel, DecisionKind, OverrideReason
from apps.decisions.models import LONGEST_TEXT
from apps.decisions.queries.limits import motives_of
from apps.decisions.rules import deciding_roles
from apps.decisions.services.deciding import LONGEST_MONTHS, Choice
from apps.decisions.services.limits import LONGEST_LABEL
from apps.decisions.services.reviews import ClientRequest
from apps.users.enums import RoleChoices
from apps.web.decisions.presenters import motive_label
from apps.web.fields import AmountField, DayField, LineField
from apps.web.forms import ServiceForm


def _text(label: Any, *, rows: int = 3, required: bool = False, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea({"rows": rows}),
        help_text=help_text,
    )


class DecideForm(ServiceForm):
    """One kind of decision on one file, with what that kind asks for and no more."""

    motive = forms.ChoiceField(label=_("Motive"), error_messages={"required": _("Choose a motive.")})
    amount_xaf = AmountField(label=_("Amount decided"), min_value=1)
    duration_months = forms.IntegerField(
        label=_("Term (months)"),
        min_value=1,
        max_value=LONGEST_MONTHS,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    comment = _text(_("Comment"), help_text=_("Kept in the history of the file."))
    override_reason = forms.ChoiceField(
        label=_("Why go against the advice?"),
        choices=lambda: OverrideReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the reason.")},
    )
    override_text = _text(
        _("Explain it to the second person"),
        required=True,
        help_text=_("What you checked, and where it can be seen. A typing error is corrected and rescored."),
    )

    def __init__(
        self, data: Any = None, *, kind: DecisionKind, application: CreditApplication, against: bool
    ) -> None:
        asked = {"amount_xaf": application.montant_credit, "duration_months": application.duree_mois}
        super().__init__(data, initial=asked)
        self.kind = kind
        motive: Any = self.fields["motive"]
        motive.choices = [("", "—"), *((each.code, motive_label(each)) for each in motives_of(kind))]
        if kind not in (*GRANTING, DecisionKind.COUNTER_OFFER):
            del self.fields["amount_xaf"]
        if kind != DecisionKind.COUNTER_OFFER:
            del self.fields["duration_months"]
        if kind == DecisionKind.GRANT_CONDITIONALLY:
            self.fields["comment"].label = _("What must be met before the money leaves")
            self.fields["comment"].required = True
        if not against:
            del self.fields["override_reason"]
            del self.fields["override_text"]

    def choice(self) -> Choice:
        """Return what the service takes; ask for it after ``is_valid()``."""
        return Choice(kind=self.kind, **self.cleaned_data)


class AnswerForm(ServiceForm):
    """The second person's remark, or reason."""

    remark = _text(_("Your remark"), rows=2)


class RefusalForm(ServiceForm):
    """Why the second person says no."""

    remark = _text(_("Why not?"), rows=2, required=True)


class KeepForm(ServiceForm):
    """What the client is answered when the decision is kept."""

    answer = _text(
        _("Answer to the client"),
        required=True,
        help_text=_("In plain words: what was looked at again, and why the decision is kept."),
    )


class ReviewForm(ServiceForm):
    """What a client asks, and how."""

    asked_on = DayField(label=_("Asked on"), initial=timezone.localdate)
    channel = forms.ChoiceField(
        label=_("How did the client ask?"),
        choices=lambda: Channel.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how the client asked.")},
    )
    text = _text(
        _("What the client says"),
        rows=4,
        required=True,
        help_text=_("What the client contests, or what is new. Another person will look at the file."),
    )

    def asked(self) -> ClientRequest:
        """Return what the service takes; ask for it after ``is_valid()``."""
        return ClientRequest(**self.cleaned_data)


class LimitForm(ServiceForm):
    """Up to which amount a role decides, from when."""

    role = forms.ChoiceField(
        label=_("Role"), choices=lambda: [(role, RoleChoices(role).label) for role in deciding_roles()]
    )
    amount_xaf = AmountField(label=_("Largest amount"), help_text=_("In FCFA; 0: decides nothing"))
    starts_on = DayField(label=_("From"), initial=timezone.localdate)


class MotiveForm(ServiceForm):
    """A motive to add."""

    kind = forms.ChoiceField(label=_("Decision"), choices=lambda: DecisionKind.choices)
    label_fr = LineField(label=_("Words in French"), max_length=LONGEST_LABEL)
    label_en = LineField(
        label=_("Words in English"),
        max_length=LONGEST_LABEL,
        required=False,
        help_text=_("Left empty: the French words"),
    )
