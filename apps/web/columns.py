"""What is asked about a file before it is used: how it is read, what its columns hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.files.reading.dialects import Dialect, sheets
from apps.files.reading.layout import SEPARATORS
from apps.files.reading.mapping import Conversion, Field, Match, missing_fields
from apps.files.reading.previews import Preparation
from apps.files.reading.units import Suspicion
from apps.files.reading.wording import ENCODING_NAMES
from apps.web.forms import ServiceForm

#: More columns than this are not asked about one by one: the others are left alone.
MOST_COLUMNS = 60
_ARREARS = ("nb_retards_30j", "nb_retards_60j", "nb_retards_90j")


class ReadingForm(forms.Form):
    """How a file is read, where the detection is to be corrected."""

    use_required_attribute = False

    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"), choices=ENCODING_NAMES.items(), required=False
    )
    separator = forms.ChoiceField(label=gettext_lazy("Separator"), required=False)
    decimal = forms.ChoiceField(
        label=gettext_lazy("Decimal mark"), choices=[(",", "12,5"), (".", "12.5")], required=False
    )
    day_first = forms.ChoiceField(
        label=gettext_lazy("Order of dates"),
        choices=[("True", gettext_lazy("day, month, year")), ("False", gettext_lazy("month, day, year"))],
        required=False,
    )
    sheet = forms.ChoiceField(label=gettext_lazy("Sheet"), required=False)
    header_line = forms.IntegerField(
        label=gettext_lazy("Line of the headers"), min_value=1, max_value=100, required=False
    )

    def __init__(self, data: Any, *, found: Dialect, path: Path) -> None:
        self.found = found
        shown = {name: str(getattr(found, name) or "") for name in self.base_fields}
        shown["day_first"] = str(found.day_first)
        super().__init__({**shown, **{name: data[name] for name in self.base_fields if data.get(name)}})
        names = {"\t": _("Tab"), ";": ";", ",": ",", "|": "|"}
        self.fields["separator"].choices = [(mark, names[mark]) for mark in SEPARATORS]  # type: ignore[attr-defined]
        if found.kind == "xlsx":
            del self.fields["encoding"], self.fields["separator"]
            self.fields["sheet"].choices = [(name, name) for name in sheets(path)]  # type: ignore[attr-defined]
        else:
            del self.fields["sheet"]

    def clean_day_first(self) -> bool:
        return bool(self.cleaned_data["day_first"] != "False")

    def dialect(self) -> Dialect:
        """Return the dialect as corrected; what cannot be used is as it was found."""
        self.full_clean()
        changed = {
            name: value
            for name, value in self.cleaned_data.items()
            if value not in {"", None} and value != getattr(self.found, name)
        }
        return self.found.replaced(**changed) if changed else self.found


class ColumnsForm(ServiceForm):
    """What each column holds, and an answer to each question about a unit."""

    def __init__(self, data: Any, *, prepared: Preparation, known: Sequence[Field], **more: Any) -> None:
        super().__init__(data, **more)
        self.prepared = prepared
        self.known = known
        choices = [("", _("Left alone")), *((each.name, each.label) for each in self.known)]
        for place, match in enumerate(prepared.matches[:MOST_COLUMNS]):
            column = forms.ChoiceField(  # its label is in no language of ours
                label=match.header, choices=choices, required=False, initial=match.field or ""
            )
            column.of_the_file = True  # type: ignore[attr-defined]
            self.fields[f"column-{place}"] = column
        for suspicion in prepared.suspicions:
            self.fields[self._question(suspicion)] = forms.ChoiceField(
                label=suspicion.question(),
                choices=[("yes", _("Yes, convert")), ("no", _("No, keep the values"))],
                widget=forms.RadioSelect,
                error_messages={"required": _("Answer this question.")},
            )

        for place, match in self._kept():
            self.fields[f"unit-{place}"] = forms.ChoiceField(
                label=_("Convert the values of “%(header)s” as for your last file?")
                % {"header": match.header},
                choices=[("yes", _("Yes, convert")), ("no", _("No, keep the values"))],
                widget=forms.RadioSelect,
                initial="yes",
                error_messages={"required": _("Answer this question.")},
            )

    def _kept(self) -> list[tuple[int, Match]]:
        """Return the columns that were converted last time: the unit may have changed since."""
        usual = (Conversion.NONE, Conversion.ARREARS_CODES)
        matches = enumerate(self.prepared.matches[:MOST_COLUMNS])
        return [each for each in matches if each[1].why == "remembered" and each[1].conversion not in usual]

    def _question(self, suspicion: Suspicion) -> str:
        headers = [match.header for match in self.prepared.matches]
        return f"unit-{headers.index(suspicion.header)}"

    @property
    def columns(self) -> Sequence[tuple[Any, Match]]:
        """Each select with the match that was proposed."""
        return [
            (self[f"column-{place}"], match)
            for place, match in enumerate(self.prepared.matches[:MOST_COLUMNS])
        ]

    @property
    def questions(self) -> list[Any]:
        asked = [self._question(suspicion) for suspicion in self.prepared.suspicions]
        return [self[name] for name in (*asked, *(f"unit-{place}" for place, _match in self._kept()))]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        taken: dict[str, str] = {}
        for place, _match in enumerate(self.prepared.matches[:MOST_COLUMNS]):
            name = values.get(f"column-{place}")
            if name and name in taken:
                self.add_error(f"column-{place}", _("Another column holds this already."))
            taken.setdefault(name or "", "")
        if not self.errors:
            for each in missing_fields(self.matches(), self.known):
                self.refuse_missing(each)
        return values

    def refuse_missing(self, each: Field) -> None:
        """Say that no column holds a field that every row needs."""
        self.add_error(None, _("No column of the file holds: %(name)s.") % {"name": each.label})

    def matches(self) -> list[Match]:
        """Return the columns as they were settled; ask for it after ``is_valid()``."""
        asked = {suspicion.header: suspicion for suspicion in self.prepared.suspicions}
        return [
            self._settled(place, match, asked.get(match.header))
            for place, match in enumerate(self.prepared.matches[:MOST_COLUMNS])
        ]

    def _settled(self, place: int, match: Match, suspicion: Suspicion | None) -> Match:
        name = self.cleaned_data.get(f"column-{place}") or None
        conversion = match.conversion
        if name != match.field:
            conversion = Conversion.ARREARS_CODES if name in _ARREARS else Conversion.NONE
        elif suspicion is not None and self.cleaned_data.get(f"unit-{place}") == "yes":
            conversion = suspicion.conversion
        elif self.cleaned_data.get(f"unit-{place}") == "no":
            conversion = Conversion.NONE
        return match.replaced(field=name, conversion=conversion)
