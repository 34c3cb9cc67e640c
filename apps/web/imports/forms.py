"""What is asked of an import: the file and what it holds, its columns, what is to be imported."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits.enums import ImportMode
from apps.credits.importing.registry import TARGETS
from apps.credits.importing.shared_values import LONGEST, open_to_one_value
from apps.files.reading.mapping import Field
from apps.files.reading.previews import Preparation
from apps.tenancy.language import current_lang
from apps.web.columns import ColumnsForm
from apps.web.fields import LineField
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


class ImportColumnsForm(ColumnsForm):
    """What each column holds, and one value for every row of what none of them does."""

    def __init__(
        self, data: Any, *, prepared: Preparation, known: Sequence[Field], told: Mapping[str, str]
    ) -> None:
        """``told`` gives the values that were settled before, by field."""
        super().__init__(data, prepared=prepared, known=known)
        held = [field.value() for field, _match in self.columns]
        offered = open_to_one_value(known, held)
        self.places = {each.name: f"common-{each.name}" for each in offered}
        for each in offered:
            self.fields[self.places[each.name]] = _one_value(each, told.get(each.name, ""))
        self.asked = [self[self.places[each.name]] for each in offered if each.required]
        self.others = [self[self.places[each.name]] for each in offered if not each.required]

    @property
    def others_told(self) -> bool:
        """Whether a value that need not be given was given, or refused."""
        return any(field.value() or field.errors for field in self.others)

    def refuse_missing(self, each: Field) -> None:
        place = self.places.get(each.name)
        if place is None:
            super().refuse_missing(each)
        elif not self.cleaned_data.get(place):
            said = _("No column of the file holds this: choose one, or give one value for all the rows.")
            self.add_error(place, said)

    def common(self) -> dict[str, str]:
        """Return the values of every row by field, empty where none is given; ask after ``is_valid()``."""
        return {name: self.cleaned_data.get(place, "") for name, place in self.places.items()}


def _one_value(each: Field, told: str) -> forms.Field:
    shown: dict[str, Any] = {"label": each.label, "required": False, "initial": told}
    if each.codes:
        return forms.ChoiceField(choices=[("", "–"), *_codes(each)], **shown)
    widget = forms.DateInput({"type": "date"}) if each.kind == "date" else forms.TextInput
    return LineField(max_length=LONGEST, widget=widget, **shown)


def _codes(each: Field) -> list[tuple[str, str]]:
    if each.variable is None:
        return [(code, code) for code in dict.fromkeys(each.codes.values())]
    return [(category.code, category.label(current_lang())) for category in each.variable.categories]


class ConfirmForm(ServiceForm):
    """Which rows are imported."""

    mode = forms.ChoiceField(
        label=gettext_lazy("Rows to import"), choices=ImportMode.choices, widget=forms.RadioSelect
    )
    keep_duplicates = forms.BooleanField(label=gettext_lazy("Import probable duplicates too"), required=False)
