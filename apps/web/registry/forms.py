"""What is typed of models: a file, an hour, a reason, and the points of a scorecard."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.engine.dictionary import STANDARD
from apps.engine.expert import SCORECARD_FORMAT, ExpertCard, ScorecardRefused, card_from
from apps.engine.variables import Variable
from apps.registry.enums import GENERAL_SEGMENT
from apps.registry.services.importing import scorecard_message
from apps.tenancy.language import current_lang
from apps.web.fields import DayField, LineField
from apps.web.forms import ServiceForm

#: Limits of a number that the editor shows; written in JSON a scorecard may have more.
ROWS = 5
#: What the editor opens with: limits that officers use, to be changed.
SUGGESTED: Mapping[str, tuple[float, ...]] = {
    "nb_retards_30j": (1, 3),
    "taux_endettement": (20, 33, 50),
    "revenu_mensuel": (75_000, 150_000, 300_000),
    "type_contrat_travail": (),
    "anciennete_travail_mois": (12, 36, 84),
    "age": (25, 35, 55),
    "duree_mois": (7, 13, 25),
    "nb_credits_anterieurs": (1, 3),
}
_HOUR = re.compile(r"([01]?\d|2[0-3])\s*[:hH]\s*([0-5]\d)(?:\s*[:mM]\s*([0-5]\d))?\Z")


class OfferedForm(forms.Form):
    model = forms.UUIDField()


class HourField(forms.Field):
    """An hour of the day: « 10:00 », « 10 h 30 » or « 10:30:15 »."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "placeholder": "10:00"})

    def to_python(self, value: Any) -> dt.time | None:
        if value in self.empty_values:
            return None
        found = _HOUR.match(str(value).strip())
        if found is None:
            raise ValidationError(_("Write the hour as 10:00."), code="invalid")
        return dt.time(int(found[1]), int(found[2]), int(found[3] or 0))


class NumberField(forms.Field):
    """A limit of a bin: spaces of every kind, a comma or a point for the decimals."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def to_python(self, value: Any) -> float | None:
        if value in self.empty_values:
            return None
        typed = re.sub(r"\s", "", str(value)).replace(",", ".")
        if not re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", typed):
            raise ValidationError(_("Enter a number."), code="invalid")
        return float(typed)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            return f"{int(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        return str(value).replace(".", ",") if isinstance(value, float) and current_lang() == "fr" else value


class ImportForm(ServiceForm):
    """A model folder as a zip, or a scorecard in JSON."""

    file = forms.FileField(
        label=gettext_lazy("Zip of a model folder, or scorecard in JSON"),
        help_text=gettext_lazy("16 MB at most. Nothing is kept of a file that is refused."),
        widget=forms.FileInput(attrs={"accept": ".zip,.json"}),
    )
    segment = forms.ChoiceField(label=gettext_lazy("Applies to"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["segment"].choices = segment_choices()  # type: ignore[attr-defined]


class MomentForm(forms.Form):
    """An instant of the past."""

    use_required_attribute = False

    day = DayField(label=gettext_lazy("Day"))
    hour = HourField(label=gettext_lazy("Hour"), required=False)

    def moment(self) -> dt.datetime:
        """Return the instant; without an hour, the end of the day."""
        hour = self.cleaned_data["hour"] or dt.time(23, 59, 59)
        return timezone.make_aware(dt.datetime.combine(self.cleaned_data["day"], hour))


class ProposalForm(ServiceForm):
    """Why a version should go into production, and when."""

    reason = LineField(
        label=gettext_lazy("Why this version?"),
        max_length=500,
        help_text=gettext_lazy("Kept with the history, and shown to who approves."),
    )
    explanation = LineField(
        label=gettext_lazy("Explanation of the gates to be explained"), max_length=1000, required=False
    )
    day = DayField(
        label=gettext_lazy("Start on"),
        required=False,
        help_text=gettext_lazy("Empty: as soon as somebody approves."),
    )
    hour = HourField(label=gettext_lazy("At"), required=False)
    places = {"starts_at": "day"}

    def starts_at(self) -> dt.datetime | None:
        """Return the hour of the start, midnight without one; ask for it after ``is_valid()``."""
        day = self.cleaned_data["day"]
        if day is None:
            return None
        return timezone.make_aware(dt.datetime.combine(day, self.cleaned_data["hour"] or dt.time.min))

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("hour") and not values.get("day") and "day" not in self.errors:
            self.add_error("day", _("Say which day too."))
        return values


class ReasonForm(ServiceForm):
    """A reason in a line."""

    reason = LineField(label=gettext_lazy("Reason"), max_length=500)


def segment_choices() -> list[tuple[str, str]]:
    """Return all loans, then each type of loan."""
    lang = current_lang()
    types = [(each.code, each.label(lang)) for each in STANDARD["type_credit"].categories]
    return [(GENERAL_SEGMENT, _("All loans")), *types]


def variable_choices() -> list[Variable]:
    """Return what a scorecard may use."""
    return [variable for variable in STANDARD.modelling if variable.name != "type_credit"]


def chosen_variables(names: Iterable[str]) -> list[Variable]:
    """Return the known variables among ``names``, in the order of the dictionary; the usual ones for none."""
    wanted = set(names) or set(SUGGESTED)
    return [variable for variable in variable_choices() if variable.name in wanted]


class ScorecardForm(ServiceForm):
    """A scorecard: what it is called, the declared rate, then the points of each variable."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("Small letters, digits and hyphens."),
    )
    version = forms.CharField(label=gettext_lazy("Version"), max_length=16)
    segment = forms.ChoiceField(label=gettext_lazy("Applies to"))
    rate = NumberField(
        label=gettext_lazy("Declared defaults among 100 credits"),
        help_text=gettext_lazy("Of a file without points: what your institution sees or expects."),
    )
    places = {"declared_rate": "rate", "name": "name", "version": "version"}

    def __init__(
        self,
        data: Any = None,
        *,
        variables: Iterable[Variable],
        initial: Any = None,
        card: ExpertCard | None = None,
    ) -> None:
        super().__init__(data, initial={**(initial or {}), **_initial(card)})
        self.variables = list(variables)
        self.fields["segment"].choices = segment_choices()  # type: ignore[attr-defined]
        for variable in self.variables:
            self._add(variable)

    def _add(self, variable: Variable) -> None:
        label = variable.label(current_lang())
        if variable.type == "category":
            for place, category in enumerate(variable.categories):
                told = f"{label}, {category.label(current_lang())}"
                self.fields[f"{variable.name}-points-{place}"] = _points(told)
        else:
            cuts = SUGGESTED.get(variable.name, ())
            for row in range(ROWS):
                if row:
                    initial = float(cuts[row - 1]) if row <= len(cuts) else None
                    self.fields[f"{variable.name}-cut-{row}"] = NumberField(
                        label=_("%(name)s, from") % {"name": label}, required=False, initial=initial
                    )
                self.fields[f"{variable.name}-points-{row}"] = _points(
                    _("%(name)s, points of row %(row)s") % {"name": label, "row": row + 1}
                )
        self.fields[f"{variable.name}-missing"] = _points(_("%(name)s, not known") % {"name": label})

    def document(self) -> dict[str, Any]:
        """Return the declaration as JSON has it; ask for it after ``is_valid()``."""
        return {
            "format": SCORECARD_FORMAT,
            "name": self.cleaned_data["name"],
            "version": self.cleaned_data["version"],
            "declared_default_rate": round(self.cleaned_data["rate"] / 100, 8),
            "variables": [self._entry(variable) for variable in self.variables],
        }

    def _entry(self, variable: Variable) -> dict[str, Any]:
        values, name = self.cleaned_data, variable.name
        entry: dict[str, Any] = {"name": name, "missing": values[f"{name}-missing"] or 0}
        if variable.type == "category":
            given = [values[f"{name}-points-{place}"] or 0 for place in range(len(variable.codes))]
            return {**entry, "points": dict(zip(variable.codes, given, strict=True))}
        used = [row for row in range(1, ROWS) if values[f"{name}-cut-{row}"] is not None]
        points = [values[f"{name}-points-{row}"] or 0 for row in (0, *used)]
        return {**entry, "cuts": [values[f"{name}-cut-{row}"] for row in used], "points": points}

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        self.card: ExpertCard | None = None
        if not self.errors:
            try:
                self.card = card_from(self.document())
            except ScorecardRefused as refusal:
                self.add_error(self._place(refusal), scorecard_message(refusal))
        return values

    def _place(self, refusal: ScorecardRefused) -> str | None:
        place = self.places.get(refusal.code)
        if place is None and f"{refusal.about}-points-0" in self.fields:
            return f"{refusal.about}-points-0"
        return place

    @property
    def groups(self) -> list[dict[str, Any]]:
        """Return, variable by variable, its rows: where each begins, and its points."""
        return [self._group(variable) for variable in self.variables]

    def _group(self, variable: Variable) -> dict[str, Any]:
        lang, name = current_lang(), variable.name
        if variable.type == "category":
            rows = [
                {"label": category.label(lang), "points": self[f"{name}-points-{place}"]}
                for place, category in enumerate(variable.categories)
            ]
        else:
            rows = [
                {
                    "label": _("Below the first limit") if row == 0 else _("From this value on"),
                    "cut": self[f"{name}-cut-{row}"] if row else None,
                    "points": self[f"{name}-points-{row}"],
                }
                for row in range(ROWS)
            ]
        return {
            "name": name,
            "label": variable.label(lang),
            "hint": _direction(variable),
            "rows": [*rows, {"label": _("Not known"), "points": self[f"{name}-missing"]}],
        }


def _points(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=-400,
        max_value=400,
        widget=forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off", "size": "5"}),
    )


def _direction(variable: Variable) -> str:
    texts = {
        "up": _("The higher, the riskier: points must not rise."),
        "down": _("The higher, the safer: points must not fall."),
    }
    return texts.get(variable.direction or "", "")


def _initial(card: ExpertCard | None) -> dict[str, Any]:
    """Return what the fields hold for a scorecard that is taken up again."""
    if card is None:
        return {}
    found: dict[str, Any] = {"name": card.name, "rate": round(card.declared_rate * 100, 6)}
    for bins in card.variables:
        found |= {f"{bins.name}-points-{place}": points for place, points in enumerate(bins.points)}
        found[f"{bins.name}-missing"] = bins.missing
        if STANDARD[bins.name].type != "category":
            cuts: dict[str, float | None] = {f"{bins.name}-cut-{row}": None for row in range(1, ROWS)}
            found |= cuts | {f"{bins.name}-cut-{row}": cut for row, cut in enumerate(bins.cuts, 1)}
    return found
