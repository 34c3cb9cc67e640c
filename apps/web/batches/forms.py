"""What is asked before a file is scored: the file, what its columns are, how it comes back."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.files.reading.previews import Preparation
from apps.scoring.enums import Output
from apps.scoring.services.columns import scoring_fields
from apps.web.columns import ColumnsForm
from apps.web.forms import ServiceForm


class UploadForm(ServiceForm):
    """The file itself; it is checked by its content."""

    file = forms.FileField(
        label=gettext_lazy("CSV or Excel file"),
        help_text=gettext_lazy("One line of headers, then one line per application; 200 MB at most."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )


class MappingForm(ColumnsForm):
    """What each column holds, an answer to each question about a unit, and the format of the result."""

    output = forms.ChoiceField(label=gettext_lazy("Format of the result"), choices=Output.choices)

    def __init__(self, data: Any, *, prepared: Preparation) -> None:
        super().__init__(data, prepared=prepared, known=scoring_fields(), initial={"output": Output.SAME})
