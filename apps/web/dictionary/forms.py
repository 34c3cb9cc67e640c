"""What is typed of a variable: its declaration, what changes of it, why it is retired."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from apps.credits.enums import RiskDirection, Sensitivity, ValueSource, ValueType, ValueUnit
from apps.credits.queries.dictionary import Entry
from apps.credits.services.declarations import Code, VariableDraft
from apps.credits.services.dictionary import VariableUpdate
from apps.engine.dictionary import Variable
from apps.engine.wording import typed_number
from apps.tenancy.language import current_lang
from apps.web.fields import LineField
from apps.web.forms import ServiceForm
from apps.web.policy.forms import NumberField

SEPARATOR = ";"
CODES_HELP = gettext_lazy(
    "One code a line: the code, then its label in French and in English if they differ, between semicolons."
    " Example: « tontine ; Tontine ; Savings club »."
)


def _label_fields() -> dict[str, forms.Field]:
    return {
        "label_fr": LineField(label=gettext_lazy("Label in French"), max_length=80),
        "label_en": LineField(label=gettext_lazy("Label in English"), max_length=80),
    }


def _range_fields() -> dict[str, forms.Field]:
    return {
        "minimum": NumberField(label=gettext_lazy("Least value accepted"), required=False),
        "maximum": NumberField(label=gettext_lazy("Largest value accepted"), required=False),
    }


def _codes_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Codes of the list"),
        required=False,
        max_length=12_000,
        widget=forms.Textarea({"rows": 4}),
        help_text=CODES_HELP,
    )


def _purpose_field(*, required: bool) -> forms.CharField:
    return LineField(
        label=gettext_lazy("Why it is asked"),
        required=required,
        max_length=300,
        help_text=gettext_lazy("What the answer changes for the client or for the institution."),
    )


def _reason_field(*, required: bool) -> forms.CharField:
    return LineField(
        label=gettext_lazy("Reason of the change"),
        required=required,
        max_length=300,
        help_text=gettext_lazy("It stays in the history, beside your name."),
    )


class DeclareForm(ServiceForm):
    """A variable of the institution's own."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=40,
        help_text=gettext_lazy(
            "Small letters, digits and underscores: files and programs use it. It never changes."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=lambda: ValueType.choices)
    unit = forms.ChoiceField(
        label=gettext_lazy("Unit of a number"), required=False, choices=lambda: ValueUnit.choices
    )
    direction = forms.ChoiceField(
        label=gettext_lazy("Direction"),
        required=False,
        choices=lambda: RiskDirection.choices,
        help_text=gettext_lazy("A model never goes against the direction that you give."),
    )
    source = forms.ChoiceField(
        label=gettext_lazy("Where it comes from"),
        choices=lambda: [each for each in ValueSource.choices if each[0] != ValueSource.COMPUTED],
        help_text=gettext_lazy("What the officer judges is marked wherever it is shown."),
    )
    fairness = forms.BooleanField(
        label=gettext_lazy("It serves to check fairness only: no model reads it"), required=False
    )
    innocent = forms.BooleanField(
        label=gettext_lazy(
            "I state that this variable says nothing, directly or in disguise, of ethnic origin, language,"
            " region of origin, religion, health, political or union opinions"
        ),
        required=False,
    )
    field_order = (
        *("name", "label_fr", "label_en", "type", "unit", "minimum", "maximum", "codes"),
        *("direction", "source", "purpose", "fairness", "innocent"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= {
            **_label_fields(),
            **_range_fields(),
            "codes": _codes_field(),
            "purpose": _purpose_field(required=True),
        }
        self.order_fields(self.field_order)

    def draft(self) -> VariableDraft:
        """Return what the service takes; ask for it after ``is_valid()``."""
        values = self.cleaned_data
        plain = ("name", "label_fr", "label_en", "type", "unit", "minimum", "maximum", "direction")
        return VariableDraft(
            **{name: values[name] for name in (*plain, "source", "purpose", "innocent")},
            codes=codes_of(values["codes"]),
            sensitivity=Sensitivity.FAIRNESS.value if values["fairness"] else "",
        )


class UpdateForm(ServiceForm):
    """What may change of one variable: what an own one is called and holds, what is done with any."""

    def __init__(self, data: Any = None, *, entry: Entry) -> None:
        super().__init__(data, initial=_initial(entry))
        self.entry = entry
        if entry.own:
            self.fields |= _label_fields()
            is_list = entry.variable.type == "category"
            self.fields |= {"codes": _codes_field()} if is_list else _range_fields()
        self.fields["purpose"] = _purpose_field(required=entry.own)
        if entry.may_be_left_out:
            self.fields["asked"] = forms.BooleanField(
                label=gettext_lazy("Forms and files ask for it"), required=False
            )
        self.fields["in_models"] = forms.BooleanField(
            label=gettext_lazy("Models may learn from it"),
            required=False,
            help_text=gettext_lazy(
                "This variable serves to check fairness: giving it to models needs a reason that you would"
                " defend in front of the client and the regulator."
            )
            if entry.for_fairness
            else "",
        )
        self.fields["reason"] = _reason_field(required=False)

    def update(self) -> VariableUpdate:
        """Return what the service takes; ask for it after ``is_valid()``."""
        values = dict(self.cleaned_data)
        if "codes" in values:
            values["codes"] = codes_of(values["codes"])
        if not self.entry.own and values["purpose"] in {"", self.entry.purpose}:
            del values["purpose"]  # the product's own words stay where nothing else is said
        return VariableUpdate(**values)


class RetireForm(ServiceForm):
    """Why a variable is retired."""

    reason = LineField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("It stays in the history, beside your name."),
    )


def codes_of(text: str) -> tuple[Code, ...]:
    """Return the codes of a list as they are typed, one a line."""
    lines = [[part.strip() for part in line.split(SEPARATOR)][:3] for line in text.splitlines()]
    return tuple(Code(*parts) for parts in lines if any(parts))


def _initial(entry: Entry) -> dict[str, Any]:
    variable, lang = entry.variable, current_lang()
    found: dict[str, Any] = {"purpose": entry.purpose, "asked": entry.asked, "in_models": entry.in_models}
    if entry.own:
        found |= {"label_fr": variable.label_fr, "label_en": variable.label_en, "codes": _typed(variable)}
        found |= {name: typed_number(getattr(variable, name), lang) for name in ("minimum", "maximum")}
    return found


def _typed(variable: Variable) -> str:
    rows = ((each.code, each.label_fr, each.label_en) for each in variable.categories)
    return "\n".join(f" {SEPARATOR} ".join(row) for row in rows)
