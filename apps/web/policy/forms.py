"""What is asked for a policy: the threshold to try, the figures to propose, the reason of a decision."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.engine.contracts import PolicyFigures, RuleSetting, Severity
from apps.engine.dictionary import STANDARD
from apps.engine.reasons import rule_label
from apps.engine.wording import typed_number
from apps.scoring.validators import (
    CREDIT_TYPES,
    RULE_UNITS,
    PolicyCosts,
    PolicyDraft,
    TypeCosts,
)
from apps.tenancy.language import current_lang
from apps.web.fields import AmountField, DayField, LineField
from apps.web.forms import ServiceForm

#: Thresholds that may be tried on the page, in percent.
LOWEST, HIGHEST, STEP = 1.0, 50.0, 0.5
#: Rules whose limit is asked for by credit type.
ASKED_BY_TYPE = ("montant_max", "duree_max")
LOSSES = ("lgd", "lgd_secured", "ead_amortised", "ead_in_fine")
DEFAULT, MANUAL, COMPUTED = "default", "manual", "computed"
OFF = "off"
_HUNDRED = 100


class NumberField(forms.FloatField):
    """A number as it is written here: « 8,43 », « 8.43 », « 8,43 % »."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        typed = re.sub(r"[\s%]", "", str(value or "")).replace(",", ".")
        return super().to_python(typed)

    def prepare_value(self, value: Any) -> Any:
        return typed_number(value, current_lang()) if isinstance(value, int | float) else value


class PercentField(NumberField):
    """A fraction, typed and shown in percent."""

    def to_python(self, value: Any) -> Any:
        percent = super().to_python(value)
        if percent is None:
            return None
        if not 0 <= percent <= _HUNDRED:
            raise ValidationError(_("A percentage between 0 and 100 is expected."))
        return round(percent / _HUNDRED, 12)

    def prepare_value(self, value: Any) -> Any:
        shown = value * _HUNDRED if isinstance(value, int | float) else value
        return super().prepare_value(shown)


def type_label(code: str) -> Any:
    """Return the words of a credit type in the reader's language, when they are shown."""
    labels = {each.code: each for each in STANDARD["type_credit"].categories}
    return lazy(lambda: labels[code].label(current_lang()), str)()


class TryForm(ServiceForm):
    """Which threshold to try, for which credit type."""

    type = forms.ChoiceField(
        label=gettext_lazy("Credit type"),
        required=False,
        choices=lambda: [("", _("All credit types")), *((code, type_label(code)) for code in CREDIT_TYPES)],
    )
    seuil = forms.FloatField(
        label=gettext_lazy("Decision threshold (in %)"),
        required=False,
        min_value=LOWEST,
        max_value=HIGHEST,
        widget=forms.NumberInput({"type": "range", "min": LOWEST, "max": HIGHEST, "step": STEP}),
    )


class DecisionForm(ServiceForm):
    """Why a proposed policy is rejected or withdrawn."""

    reason = LineField(label=gettext_lazy("Reason"), max_length=300)


class ApprovalForm(ServiceForm):
    """What may be noted with an approval."""

    reason = LineField(label=gettext_lazy("Remark (optional)"), max_length=300, required=False)


class PolicyForm(ServiceForm):
    """Every figure of a policy, filled with those of the policy in force."""

    default_threshold = PercentField(label=gettext_lazy("Default threshold (%)"))
    prudence_cap = PercentField(
        label=gettext_lazy("Prudence cap (%)"),
        help_text=gettext_lazy("No threshold computed from costs is above it."),
    )
    lgd = PercentField(label=gettext_lazy("Loss given default (%)"))
    lgd_secured = PercentField(label=gettext_lazy("Loss given default, with a real security (%)"))
    ead_amortised = PercentField(label=gettext_lazy("Exposure at default, amortised credit (%)"))
    ead_in_fine = PercentField(label=gettext_lazy("Exposure at default, credit repaid at the end (%)"))
    effective_from = DayField(label=gettext_lazy("In force from"))
    reason = LineField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("Why these figures change: it stays in the history."),
    )

    def __init__(self, data: Any, *, base: PolicyDraft) -> None:
        self.base = base
        super().__init__(data, initial={"effective_from": timezone.localdate()})
        figures = base.figures
        self.initial.update({name: getattr(figures, name) for name in ("default_threshold", *LOSSES)})
        self.initial["prudence_cap"] = base.costs.prudence_cap
        for code in CREDIT_TYPES:
            self._add_type(code)
        for place, limit in enumerate(figures.grade_limits):
            letter = "ABCD"[place]
            label = _("Grade %(letter)s below (%%)") % {"letter": letter}
            self._add(f"grade_{place}", PercentField(label=label), limit)
        for code in RULE_UNITS:
            self._add_rule(code)
        self.places = _places()

    def _add(self, name: str, field: forms.Field, initial: Any) -> None:
        self.fields[name] = field
        self.initial[name] = initial

    def _add_type(self, code: str) -> None:
        costs = self.base.costs.by_type.get(code)
        threshold = self.base.figures.thresholds.get(code)
        computed = costs is not None and costs.computed
        modes = [
            (DEFAULT, _("Default threshold")),
            (MANUAL, _("Set by hand")),
            (COMPUTED, _("From the costs")),
        ]
        mode = COMPUTED if computed else DEFAULT if threshold is None else MANUAL
        self._add(f"mode_{code}", forms.ChoiceField(label=_("Threshold"), choices=modes), mode)
        self._add(
            f"threshold_{code}",
            PercentField(label=_("Threshold set by hand (%)"), required=False),
            None if computed else threshold,
        )
        fields: dict[str, forms.Field] = {
            "amount_xaf": AmountField(label=_("Median loan (FCFA)"), help_text="", required=False),
            "months": forms.IntegerField(
                label=_("Median term (months)"),
                required=False,
                min_value=1,
                max_value=600,
                widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            ),
            "rate_percent": NumberField(label=_("Rate (% a year)"), required=False),
            "cost_of_funds_percent": NumberField(label=_("Cost of funds (% a year)"), required=False),
            "fee_percent": NumberField(label=_("Fee (% of the amount)"), required=False),
            "file_cost_xaf": AmountField(label=_("Cost of a file (FCFA)"), help_text="", required=False),
        }
        for name, field in fields.items():
            self._add(f"{name}_{code}", field, None if costs is None else getattr(costs, name))

    def _add_rule(self, code: str) -> None:
        rule = next((each for each in self.base.figures.rules if each.code == code), None)
        severities = [
            (OFF, _("Not applied")),
            ("a_revoir", _("To be reviewed")),
            ("bloquante", _("Blocking")),
        ]
        severity = OFF if rule is None else rule.severity
        label = rule_label(code, current_lang())
        self._add(f"severity_{code}", forms.ChoiceField(label=label, choices=severities), severity)
        unit = RULE_UNITS[code]
        if unit is None:
            return
        self._add(
            f"limit_{code}", _limit_field(unit, _limit_label(unit)), None if rule is None else rule.limit
        )
        for name in self._types_of(code):
            limit = None if rule is None else rule.limit_by_type.get(name)
            self._add(f"limit_{code}_{name}", _limit_field(unit, type_label(name)), limit)

    def _types_of(self, code: str) -> tuple[str, ...]:
        rule = next((each for each in self.base.figures.rules if each.code == code), None)
        return CREDIT_TYPES if code in ASKED_BY_TYPE or (rule and rule.limit_by_type) else ()

    @property
    def types(self) -> list[dict[str, Any]]:
        """The fields of each credit type: how its threshold is set, then its costs."""
        names = (
            "amount_xaf",
            "months",
            "rate_percent",
            "cost_of_funds_percent",
            "fee_percent",
            "file_cost_xaf",
        )
        return [
            {
                "code": code,
                "label": type_label(code),
                "mode": self[f"mode_{code}"],
                "threshold": self[f"threshold_{code}"],
                "costs": [self[f"{name}_{code}"] for name in names],
                "open": any(f"{name}_{code}" in self.errors for name in ("mode", "threshold", *names)),
            }
            for code in CREDIT_TYPES
        ]

    @property
    def grades(self) -> list[Any]:
        return [self[f"grade_{place}"] for place in range(len(self.base.figures.grade_limits))]

    @property
    def losses(self) -> list[Any]:
        return [self[name] for name in LOSSES]

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The fields of each rule: what a violation means, the limit, its exceptions by credit type."""
        return [
            {
                "severity": self[f"severity_{code}"],
                "limit": self[f"limit_{code}"] if f"limit_{code}" in self.fields else None,
                "by_type": [self[f"limit_{code}_{name}"] for name in self._types_of(code)],
            }
            for code in RULE_UNITS
        ]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        for code in CREDIT_TYPES:
            if values.get(f"mode_{code}") == MANUAL and values.get(f"threshold_{code}") is None:
                self._require(f"threshold_{code}")
            if not self._costs_asked(code, values):
                continue
            for name in ("amount_xaf", "months", "rate_percent", "cost_of_funds_percent"):
                if values.get(f"{name}_{code}") is None:
                    self._require(f"{name}_{code}")
        for code, unit in RULE_UNITS.items():
            if unit and values.get(f"severity_{code}") != OFF and values.get(f"limit_{code}") is None:
                self._require(f"limit_{code}")
        return values

    def _require(self, name: str) -> None:
        if name not in self.errors:
            self.add_error(name, _("This field is required."))

    def _costs_asked(self, code: str, values: Mapping[str, Any]) -> bool:
        typed = any(
            values.get(f"{name}_{code}") is not None for name in ("amount_xaf", "months", "rate_percent")
        )
        return typed or values.get(f"mode_{code}") == COMPUTED

    def draft(self) -> PolicyDraft:
        """Return the policy as typed; ask for it after ``is_valid()``."""
        values = {name: self._kept(name, value) for name, value in self.cleaned_data.items()}
        by_type = {
            code: TypeCosts(
                amount_xaf=values[f"amount_xaf_{code}"],
                months=values[f"months_{code}"],
                rate_percent=values[f"rate_percent_{code}"],
                cost_of_funds_percent=values[f"cost_of_funds_percent_{code}"],
                fee_percent=values[f"fee_percent_{code}"] or 0.0,
                file_cost_xaf=values[f"file_cost_xaf_{code}"] or 0,
                computed=values[f"mode_{code}"] == COMPUTED,
            )
            for code in CREDIT_TYPES
            if self._costs_asked(code, values)
        }
        return PolicyDraft(self._figures(values), PolicyCosts(values["prudence_cap"], by_type))

    def _figures(self, values: Mapping[str, Any]) -> PolicyFigures:
        limits = [values[f"grade_{place}"] for place in range(len(self.base.figures.grade_limits))]
        return replace(
            self.base.figures,
            default_threshold=values["default_threshold"],
            thresholds={
                code: values[f"threshold_{code}"] for code in CREDIT_TYPES if values[f"mode_{code}"] == MANUAL
            },
            grade_limits=cast("tuple[float, float, float, float]", tuple(limits)),
            rules=tuple(self._rule(code, values) for code in RULE_UNITS if values[f"severity_{code}"] != OFF),
            **{name: values[name] for name in LOSSES},
        )

    def _rule(self, code: str, values: Mapping[str, Any]) -> RuleSetting:
        by_type = {name: values[f"limit_{code}_{name}"] for name in self._types_of(code)}
        return RuleSetting(
            code=code,
            severity=cast("Severity", values[f"severity_{code}"]),
            limit=values.get(f"limit_{code}"),
            limit_by_type={name: limit for name, limit in by_type.items() if limit is not None},
        )

    def _kept(self, name: str, value: Any) -> Any:
        """Return the stored figure where what is shown of it, rounded, came back untouched."""
        field, before = self.fields[name], self.initial.get(name)
        if isinstance(field, NumberField) and isinstance(before, int | float):
            return before if field.clean(field.prepare_value(before)) == value else value
        return value


def _limit_field(unit: str, label: Any) -> forms.Field:
    if unit == "xaf":
        return AmountField(label=label, help_text="", required=False)
    return NumberField(label=label, required=False, min_value=0)


def _limit_label(unit: str) -> str:
    words = {
        "xaf": _("Limit (FCFA)"),
        "years": _("Limit (years)"),
        "months": _("Limit (months)"),
        "days": _("Limit (days)"),
        "percent": _("Limit (%)"),
    }
    return words[unit]


def _places() -> dict[str, str]:
    """Return where the form shows each figure that the service may refuse."""
    found = {"grade_limits": "grade_0"}
    for code in CREDIT_TYPES:
        found[f"thresholds.{code}"] = f"threshold_{code}"
        for name in TypeCosts.__dataclass_fields__:
            found[f"costs.{code}.{name}"] = f"{name}_{code}"
    return found | {f"rules.{code}.limit": f"limit_{code}" for code in RULE_UNITS}
