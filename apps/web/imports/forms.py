"""What is asked of an import: the file and what it holds, its columns, what is to be imported."""

from django import forms
from django.utils.translation import gettext_lazy

from apps.credits.enums import ImportMode
from apps.credits.importing.registry import TARGETS
from apps.web.forms import ServiceForm


class UploadForm(ServiceForm):
    """The file and what it holds; it is checked by its content."""

    target = forms.ChoiceField(label=gettext_lazy("What the file holds"))
    file = forms.FileField(
        label=gettext_lazy("CSV or Excel file"),
        help_text=gettext_lazy("One line of headers, then one line per row; 200 MB at most."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )

    field_order = ("target", "file")

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.fields["target"].choices = [(each.name, each.label) for each in TARGETS]  # type: ignore[attr-defined]


class ConfirmForm(ServiceForm):
    """Which rows are imported."""

    mode = forms.ChoiceField(
        label=gettext_lazy("Rows to import"), choices=ImportMode.choices, widget=forms.RadioSelect
    )
    keep_duplicates = forms.BooleanField(label=gettext_lazy("Import probable duplicates too"), required=False)
