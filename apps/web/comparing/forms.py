"""Which clients or files to put side by side."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from apps.scoring.queries.comparison import MOST_COMPARED, ComparedFile, compared_files
from apps.tenancy.actor import Actor


class ComparisonForm(forms.Form):
    """Two to four references of applications or of clients."""

    use_required_attribute = False

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.found: list[ComparedFile] = []
        for place in range(1, MOST_COMPARED + 1):
            label = _("File or client %(number)s") % {"number": place}
            self.fields[f"dossier_{place}"] = forms.CharField(label=label, required=False, max_length=40)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        asked = {name: text.strip() for name, text in values.items() if text and text.strip()}
        found = compared_files(self.actor, list(asked.values()))
        for name, text in asked.items():
            if text not in found:
                self.add_error(name, _("No such client or file."))
        self.found = list(found.values())
        return values
