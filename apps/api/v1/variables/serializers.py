import math
from collections.abc import Collection, Mapping
from typing import Any

from rest_framework import serializers

from apps.api.fields import PlainBoolean, StrictSerializer, line
from apps.credits.enums import RiskDirection, Sensitivity, ValueSource, ValueType, ValueUnit
from apps.credits.queries.dictionary import Entry
from apps.credits.services.declarations import MOST_CODES, Code, VariableDraft
from apps.credits.services.dictionary import VariableUpdate

#: « computed » is what the product computes: nobody declares it.
_SOURCES = [each for each in ValueSource.choices if each[0] != ValueSource.COMPUTED]


class LimitField(serializers.FloatField):
    """A number, and a finite one."""

    def to_internal_value(self, data: Any) -> float:
        number = super().to_internal_value(data)
        if isinstance(data, bool | str) or not math.isfinite(number):
            self.fail("invalid")
        return number


class NewCodeSerializer(StrictSerializer):
    """Un code de la liste ; sans libellé, le code lui-même."""

    code = line(40, help_text="Code enregistré")
    label_fr = line(80, help_text="Libellé français")
    label_en = line(80, help_text="Libellé anglais")


def _codes() -> Any:
    return serializers.ListField(
        child=NewCodeSerializer(), required=False, max_length=MOST_CODES, help_text="Codes d'une liste"
    )


class NewVariableSerializer(StrictSerializer):
    """Une variable propre à l'institution.

    Refusées par leur nom et par leurs libellés : origine ethnique, langue, région d'origine, religion, santé,
    opinions politiques ou syndicales. `innocent` déclare que la variable n'en dit rien.
    """

    name = serializers.CharField(
        max_length=40, help_text="Minuscules, chiffres et tirets bas ; ne change pas"
    )
    label_fr = serializers.CharField(max_length=80, help_text="Libellé français")
    label_en = serializers.CharField(max_length=80, help_text="Libellé anglais")
    type = serializers.ChoiceField(choices=ValueType.choices, help_text="Type")
    unit = serializers.ChoiceField(
        choices=ValueUnit.choices, required=False, allow_blank=True, help_text="Unité d'un nombre"
    )
    minimum = LimitField(required=False, allow_null=True, help_text="Plus petite valeur acceptée")
    maximum = LimitField(required=False, allow_null=True, help_text="Plus grande valeur acceptée")
    codes = _codes()
    direction = serializers.ChoiceField(
        choices=RiskDirection.choices,
        required=False,
        allow_blank=True,
        help_text="Sens du risque quand la valeur monte",
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=_SOURCES, required=False, help_text="D'où vient la valeur ; « officer » : posée par l'agent"
    )
    sensitivity = serializers.ChoiceField(
        choices=Sensitivity.choices,
        required=False,
        allow_blank=True,
        help_text="« fairness » : sert au contrôle d'équité, aucun modèle ne la lit",
    )
    purpose = serializers.CharField(max_length=300, help_text="Pourquoi elle est demandée")
    innocent = PlainBoolean(help_text="« true » : la variable ne dit rien de ces origines")


class VariableChangeSerializer(StrictSerializer):
    """Ce qui change ; le reste demeure.

    Libellés, bornes et codes : d'une variable propre seulement, et aucun code ne disparaît. `retired` la
    retire pour toujours. `reason` est demandé dès que `asked`, `in_models` ou `retired` change.
    """

    label_fr = line(80, help_text="Libellé français")
    label_en = line(80, help_text="Libellé anglais")
    minimum = LimitField(required=False, help_text="Plus petite valeur acceptée")
    maximum = LimitField(required=False, help_text="Plus grande valeur acceptée")
    codes = _codes()
    purpose = line(300, help_text="Pourquoi elle est demandée")
    asked = PlainBoolean(required=False, help_text="Les formulaires et les fichiers la demandent")
    in_models = PlainBoolean(required=False, help_text="Les modèles peuvent apprendre d'elle")
    retired = PlainBoolean(required=False, help_text="« true » : retirée")
    reason = line(300, help_text="Motif, gardé dans l'historique")


class VariableCodeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    label_fr = serializers.CharField()
    label_en = serializers.CharField()


class DictionaryVariableSerializer(serializers.Serializer[Any]):
    """Une variable du dictionnaire, avec ce que l'institution en a décidé."""

    name = serializers.CharField()
    own = serializers.BooleanField(help_text="Déclarée par l'institution")
    label_fr = serializers.CharField()
    label_en = serializers.CharField()
    type = serializers.ChoiceField(choices=ValueType.choices)
    unit = serializers.ChoiceField(choices=ValueUnit.choices, allow_blank=True)
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    codes = VariableCodeSerializer(many=True)
    required = serializers.BooleanField()  # type: ignore[assignment]
    direction = serializers.ChoiceField(choices=RiskDirection.choices, allow_blank=True)
    source = serializers.ChoiceField(choices=ValueSource.choices)  # type: ignore[assignment]
    sensitivity = serializers.ChoiceField(choices=Sensitivity.choices, allow_blank=True)
    purpose = serializers.CharField()
    asked = serializers.BooleanField(help_text="Les formulaires et les fichiers la demandent")
    in_models = serializers.BooleanField(help_text="Les modèles peuvent apprendre d'elle")
    model_use_reason = serializers.CharField(
        allow_blank=True, help_text="Pourquoi une variable d'équité est donnée aux modèles"
    )
    used = serializers.BooleanField(help_text="Un modèle en production la lit")
    declared_at = serializers.DateTimeField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)


class VariablesSerializer(serializers.Serializer[Any]):
    results = DictionaryVariableSerializer(many=True)


def entry_body(entry: Entry, used: Collection[str]) -> dict[str, Any]:
    """Return one variable; ``used`` names those that models in production read."""
    variable, row = entry.variable, entry.row
    plain = ("name", "label_fr", "label_en", "type", "unit", "minimum", "maximum", "required")
    return {
        **{name: getattr(variable, name) for name in plain},
        "own": entry.own,
        "codes": [
            {"code": each.code, "label_fr": each.label_fr, "label_en": each.label_en}
            for each in variable.categories
        ],
        "direction": variable.direction or "",
        "source": variable.source,
        "sensitivity": variable.sensitivity,
        "purpose": entry.purpose,
        "asked": entry.asked,
        "in_models": entry.in_models,
        "model_use_reason": entry.model_use_reason,
        "used": entry.name in used,
        "declared_at": row.declared_at.isoformat() if row is not None and entry.own else None,
        "retired_at": row.retired_at.isoformat() if row is not None and row.retired_at else None,
    }


def draft_asked(given: Mapping[str, Any]) -> VariableDraft:
    """Return what the service declares."""
    return VariableDraft(**{**given, "codes": _codes_given(given.get("codes", ()))})


def update_asked(given: Mapping[str, Any]) -> VariableUpdate:
    """Return what the service changes."""
    found = {name: value for name, value in given.items() if name != "retired"}
    if "codes" in found:
        found["codes"] = _codes_given(found["codes"])
    return VariableUpdate(**found)


def _codes_given(codes: Any) -> tuple[Code, ...]:
    return tuple(Code(**{"code": "", **each}) for each in codes)
