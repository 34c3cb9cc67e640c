"""What is asked of a training run, with what is usual filled in."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from apps.engine.training.candidates import KINDS
from apps.registry.queries import Standing
from apps.registry.services.training_runs import (
    FOLDS,
    MOST_SEARCH_SECONDS,
    MOST_SEED,
    SAMPLINGS,
    SEARCHES,
    SPLITS,
    USUAL,
)
from apps.web.fields import DayField
from apps.web.forms import ServiceForm
from apps.web.training import words


class TrainingForm(ServiceForm):
    """A run: what is compared, how it is judged, and what only experiments change."""

    candidates = forms.MultipleChoiceField(
        label=gettext_lazy("Candidates to compare"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "The usual choice: the standard model, and the two simple ones that it has to beat."
        ),
    )
    split = forms.ChoiceField(
        label=gettext_lazy("How they are judged"),
        help_text=gettext_lazy("Always on credits that the candidate has not seen."),
    )
    observed_on = DayField(
        label=gettext_lazy("Observation date"),
        help_text=gettext_lazy("Only the credits whose horizon was over on that day enter."),
    )
    file = forms.FileField(
        label=gettext_lazy("Learn from a file instead (CSV or Excel)"),
        required=False,
        help_text=gettext_lazy(
            "One line per credit: its variables and what became of it. Empty: your portfolio."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )
    search = forms.ChoiceField(label=gettext_lazy("Search for better parameters"))
    search_seconds = forms.IntegerField(
        label=gettext_lazy("Time of the search, by candidate (seconds)"),
        min_value=1,
        max_value=MOST_SEARCH_SECONDS,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    sampling = forms.ChoiceField(
        label=gettext_lazy("Balance of defaults and others"),
        help_text=gettext_lazy(
            "An experiment: it never helped once the threshold is set, and it spoils the probabilities."
        ),
    )
    folds = forms.IntegerField(
        label=gettext_lazy("Folds"),
        min_value=FOLDS[0],
        max_value=FOLDS[1],
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Seed"),
        min_value=0,
        max_value=MOST_SEED,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("The same seed on the same credits gives the same figures."),
    )
    experiments = ("file", "search", "search_seconds", "sampling", "folds", "seed")

    def __init__(self, data: Any = None, files: Any = None, *, standing: Standing) -> None:
        allowed = [kind for kind in words.IN_ORDER if standing.allows(kind)]
        super().__init__(
            data,
            files,
            initial={
                "candidates": [kind for kind in USUAL if kind in allowed],
                "observed_on": timezone.localdate(),
                "search_seconds": 120,
                "folds": 5,
                "seed": 42,
            },
        )
        self._offer("candidates", [(kind, words.kind_choice(KINDS[kind])) for kind in allowed])
        self._offer("split", [(code, words.split_label(code)) for code in SPLITS])
        self._offer("search", [(code, words.search_label(code)) for code in SEARCHES])
        self._offer("sampling", [(code, words.sampling_label(code)) for code in SAMPLINGS])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    @property
    def usual_fields(self) -> list[Any]:
        return [field for field in self.visible_fields() if field.name not in self.experiments]

    @property
    def experiment_fields(self) -> list[Any]:
        return [self[name] for name in self.experiments]

    @property
    def experiments_open(self) -> bool:
        return any(name in self.errors for name in self.experiments)

    def wish(self) -> dict[str, Any]:
        """Return what is asked, as the service takes it."""
        values = dict(self.cleaned_data)
        upload = values.pop("file")
        return {**values, "upload": upload}
