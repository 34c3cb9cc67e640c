"""The scoring contract: French field names that integrators already send."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from rest_framework import serializers

from apps.api.fields import StrictSerializer
from apps.api.v1.pages import PeriodSerializer
from apps.engine import reasons
from apps.engine.contracts import Lang
from apps.engine.dictionary import STANDARD, Variable
from apps.registry.models import ModelVersion
from apps.registry.renderers import mention_of
from apps.scoring.enums import Band, Source
from apps.scoring.models import Prediction
from apps.scoring.queries.factors import (
    Factor,
    RuleLine,
    factors_among,
    factors_of,
    rules_among,
    rules_of,
)
from apps.scoring.queries.policies import figures_of_policy
from apps.scoring.services.direct import DirectScore
from apps.tenancy.cursors import Order
from apps.tenancy.language import current_lang


def _field(variable: Variable) -> Any:
    options: dict[str, Any] = {
        "required": False,
        "allow_null": not variable.required,
        "help_text": variable.label("fr"),
    }
    if variable.type == "category":
        return serializers.ChoiceField(choices=list(variable.codes), **options)
    kind: Any = serializers.IntegerField if variable.type == "integer" else serializers.FloatField
    return kind(min_value=variable.minimum, max_value=variable.maximum, **options)


def dictionary_fields() -> dict[str, Any]:
    """Return what documents the variables of the dictionary."""
    return {name: _field(STANDARD[name]) for name in STANDARD.names}


class PredictSerializer(serializers.Serializer[dict[str, Any]]):
    """Les variables ; ou une demande ; ou un client et son crédit.

    `application_id`, `client_id` et `client_reference` s'excluent : une de ces références au plus. Les
    variables propres à l'institution (`features-names`, `own`) s'ajoutent à celles-ci.
    """

    application_id = serializers.UUIDField(
        required=False, help_text="Une demande enregistrée, sans rien d'autre dans le corps"
    )
    client_id = serializers.UUIDField(
        required=False, help_text="Un client enregistré ; les champs du crédit à côté"
    )
    client_reference = serializers.CharField(
        required=False, max_length=40, help_text="Le même, par sa référence chez vous"
    )

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **dictionary_fields()}


class PredictionListSerializer(PeriodSerializer):
    """Filters of the history of scores."""

    orders = {"-date": Order("created_at"), "date": Order("created_at", descending=False)}

    client = serializers.UUIDField(required=False, help_text="Identifiant du client")
    agency = serializers.UUIDField(required=False, help_text="Identifiant de l'agence")
    analyst = serializers.UUIDField(required=False, help_text="Identifiant de l'auteur du score")
    band = serializers.ChoiceField(choices=Band.choices, required=False, help_text="Niveau de risque")
    source = serializers.ChoiceField(choices=Source.choices, required=False, help_text="Origine")  # type: ignore[assignment]


class SimulateSerializer(StrictSerializer):
    """Un point de départ (`base` ou `prediction`) et les changements à essayer, 50 au plus."""

    base = serializers.DictField(required=False, help_text="Les variables, comme pour `predict`")
    prediction = serializers.UUIDField(required=False, help_text="Ou un score enregistré")
    changes = serializers.ListField(
        child=serializers.DictField(),
        min_length=1,
        max_length=50,
        help_text="Variables à remplacer ; `null` en rend une inconnue",
    )

    def validate(self, values: Any) -> Any:
        if ("base" in values) == ("prediction" in values):
            raise serializers.ValidationError({"base": [_("Give one of base and prediction.")]})
        return values


class RuleSerializer(serializers.Serializer[dict[str, Any]]):
    code = serializers.CharField()
    libelle = serializers.CharField()
    resultat = serializers.ChoiceField(choices=["respectee", "violee", "non_evaluable"])
    valeur = serializers.FloatField(allow_null=True)
    limite = serializers.FloatField(allow_null=True)
    gravite = serializers.ChoiceField(choices=["bloquante", "a_revoir"])


class FactorSerializer(serializers.Serializer[dict[str, Any]]):
    variable = serializers.CharField()
    libelle = serializers.CharField()
    valeur = serializers.JSONField()
    contribution = serializers.FloatField()
    points = serializers.IntegerField()
    sens = serializers.ChoiceField(choices=["favorable", "defavorable"])
    texte = serializers.CharField()


class ModelSerializer(serializers.Serializer[dict[str, Any]]):
    nom = serializers.CharField()
    version = serializers.CharField()
    statut = serializers.CharField()
    mention = serializers.CharField(
        required=False, help_text="« Grille experte, non étalonnée », quand c'en est une"
    )


class PolicySerializer(serializers.Serializer[dict[str, Any]]):
    version = serializers.IntegerField()


class PredictionSerializer(serializers.Serializer[dict[str, Any]]):
    """Un score. Les nombres ont toute leur précision ; arrondir est l'affaire des écrans."""

    id = serializers.UUIDField()
    prediction = serializers.IntegerField()
    probabilite_defaut = serializers.FloatField()
    seuil_utilise = serializers.FloatField()
    niveau_risque = serializers.ChoiceField(choices=["faible", "modere", "eleve"])
    score = serializers.IntegerField()
    classe = serializers.CharField()
    recommandation = serializers.ChoiceField(choices=["accorder", "etudier", "refuser"])
    perte_attendue = serializers.IntegerField()
    montant_max_conseille = serializers.IntegerField(allow_null=True)
    motif_montant_max = serializers.CharField(required=False)
    regles = RuleSerializer(many=True)
    facteurs = FactorSerializer(many=True)
    avertissements = serializers.ListField(child=serializers.CharField())
    modele = ModelSerializer()
    politique = PolicySerializer()
    date = serializers.DateTimeField()
    duree_ms = serializers.FloatField()


class SimulatedSerializer(PredictionSerializer):
    """Un score d'essai : rien n'est enregistré, il n'a pas d'identifiant."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        del fields["id"]
        return {"modifications": serializers.DictField(help_text="Le changement essayé"), **fields}


class SimulationSerializer(serializers.Serializer[dict[str, Any]]):
    resultats = SimulatedSerializer(many=True)


class PredictionLineSerializer(serializers.Serializer[dict[str, Any]]):
    """Un score dans l'historique."""

    id = serializers.UUIDField()
    date = serializers.DateTimeField()
    probabilite_defaut = serializers.FloatField()
    prediction = serializers.IntegerField()
    score = serializers.IntegerField()
    classe = serializers.CharField()
    niveau_risque = serializers.ChoiceField(choices=["faible", "modere", "eleve"])
    recommandation = serializers.ChoiceField(choices=["accorder", "etudier", "refuser"])
    montant_credit = serializers.IntegerField(allow_null=True)
    duree_mois = serializers.IntegerField(allow_null=True)
    origine = serializers.ChoiceField(choices=Source.choices)
    demande = serializers.UUIDField(allow_null=True)
    client = serializers.UUIDField(allow_null=True)
    agence = serializers.UUIDField(allow_null=True)
    analyste = serializers.UUIDField(allow_null=True)


class PredictionDetailSerializer(PredictionSerializer):
    entrees = serializers.DictField()
    base = serializers.FloatField(required=False)


class ReplaySerializer(serializers.Serializer[dict[str, Any]]):
    id = serializers.UUIDField()
    identique = serializers.BooleanField()
    enregistre = serializers.DictField()
    recalcule = serializers.DictField()


class CategorySerializer(serializers.Serializer[dict[str, Any]]):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class VariableSerializer(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField()
    unit = serializers.CharField()
    min = serializers.FloatField(allow_null=True)
    max = serializers.FloatField(allow_null=True)
    categories = CategorySerializer(many=True)
    required = serializers.BooleanField()  # type: ignore[assignment]
    direction = serializers.CharField(allow_null=True)
    source = serializers.CharField(help_text="« officer » : posée par l'agent")  # type: ignore[assignment]
    own = serializers.BooleanField(help_text="Propre à l'institution")
    used = serializers.BooleanField()


class FeaturesNamesSerializer(serializers.Serializer[dict[str, Any]]):
    modele = ModelSerializer()
    variables = VariableSerializer(many=True)


class LinksSerializer(serializers.Serializer[dict[str, Any]]):
    schema = serializers.CharField()
    login = serializers.CharField()
    features_names = serializers.CharField()
    predict = serializers.CharField()


class WelcomeSerializer(serializers.Serializer[dict[str, Any]]):
    product = serializers.CharField()
    version = serializers.CharField()
    variables = serializers.IntegerField(allow_null=True)
    links = LinksSerializer()


#: The figures of a score that its answer gives.
SHOWN = (
    "predicted_default", "pd", "threshold", "band", "points", "grade", "recommendation",
    "expected_loss_xaf", "max_amount_xaf", "max_amount_reason", "warnings",
)  # fmt: skip


def prediction_body(prediction: Prediction, *, every: bool = False) -> dict[str, Any]:
    """Return a score as the contract writes it, with texts in the caller's language."""
    lang = current_lang()
    return _body(
        {name: getattr(prediction, name) for name in SHOWN},
        prediction,
        version=prediction.model_version,
        rules=rules_of(prediction, lang=lang),
        factors=factors_of(prediction, lang=lang, every=every),
        lang=lang,
    )


def direct_body(score: DirectScore, *, lang: Lang) -> dict[str, Any]:
    """Return a score by values as ``prediction_body`` returns it once it is stored."""
    advice, figures = score.advice, figures_of_policy(score.policy)
    return _body(
        score.figures,
        score,
        version=score.version,
        rules=rules_among(advice.rules, lang=lang),
        factors=factors_among(score.result, advice.recommendation, figures, lang=lang),
        lang=lang,
    )


def _body(
    figures: Mapping[str, Any],
    score: Prediction | DirectScore,
    *,
    version: ModelVersion,
    rules: Iterable[RuleLine],
    factors: Iterable[Factor],
    lang: Lang,
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": str(score.uid),
        **contract_figures(figures),
        "regles": [_rule_body(line) for line in rules],
        "facteurs": [_factor_body(factor) for factor in factors],
        "avertissements": figures["warnings"],
        "modele": model_body(version, lang=lang),
        "politique": {"version": score.policy.version},
        "date": timezone.localtime(score.created_at).isoformat(timespec="seconds"),
        "duree_ms": round(score.duration_ms, 1),
    }
    if figures["max_amount_reason"]:
        body["motif_montant_max"] = reasons.amount_reason_text(figures["max_amount_reason"], lang)
    return body


def model_body(version: ModelVersion, *, lang: Lang) -> dict[str, str]:
    """Return which model answers; a scorecard written by people says that it is not calibrated."""
    body = {"nom": version.name, "version": version.version, "statut": version.status}
    if version.is_expert:
        with override(lang):
            body["mention"] = mention_of(version)
    return body


def simulated_body(prediction: Prediction, change: Any) -> dict[str, Any]:
    """Return a score that is not stored, after what was changed."""
    body = prediction_body(prediction)
    del body["id"]
    return {"modifications": change, **body}


def prediction_line(prediction: Prediction) -> dict[str, Any]:
    """Return a score as the history lists it."""
    return {
        "id": str(prediction.uid),
        "date": timezone.localtime(prediction.created_at).isoformat(timespec="seconds"),
        "probabilite_defaut": prediction.pd,
        "prediction": int(prediction.predicted_default),
        "score": prediction.points,
        "classe": prediction.grade,
        "niveau_risque": prediction.band,
        "recommandation": prediction.recommendation,
        "montant_credit": prediction.inputs.get("montant_credit"),
        "duree_mois": prediction.inputs.get("duree_mois"),
        "origine": prediction.source,
        "demande": _uid_of(prediction.application),
        "client": _uid_of(prediction.client),
        "agence": _uid_of(prediction.agency),
        "analyste": _uid_of(prediction.author),
    }


def _uid_of(row: Any) -> str | None:
    return None if row is None else str(row.uid)


def detail_body(prediction: Prediction, *, every: bool) -> dict[str, Any]:
    """Return a stored score with what it was computed from; every factor and the base value on demand."""
    body = prediction_body(prediction, every=every) | {"entrees": prediction.inputs}
    return body | {"base": prediction.base} if every else body


def variable_body(variable: Variable, *, used: bool) -> dict[str, Any]:
    """Return one entry of the dictionary."""
    lang = current_lang()
    return {
        "name": variable.name,
        "label": variable.label(lang),
        "type": variable.type,
        "unit": variable.unit,
        "min": variable.minimum,
        "max": variable.maximum,
        "categories": [{"code": each.code, "label": each.label(lang)} for each in variable.categories],
        "required": variable.required,
        "direction": variable.direction,
        "source": variable.source,
        "own": variable.name not in STANDARD,
        "used": used,
    }


def product() -> dict[str, str]:
    """Return the product's name and version."""
    return {"product": "CrediSense", "version": settings.VERSION}


def contract_figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a score under the contract's names."""
    return {
        "prediction": int(figures["predicted_default"]),
        "probabilite_defaut": figures["pd"],
        "seuil_utilise": figures["threshold"],
        "niveau_risque": figures["band"],
        "score": figures["points"],
        "classe": figures["grade"],
        "recommandation": figures["recommendation"],
        "perte_attendue": figures["expected_loss_xaf"],
        "montant_max_conseille": figures["max_amount_xaf"],
    }


def _rule_body(line: RuleLine) -> dict[str, Any]:
    return {
        "code": line.outcome.code,
        "libelle": line.label,
        "resultat": line.outcome.verdict,
        "valeur": line.outcome.value,
        "limite": line.outcome.limit,
        "gravite": line.outcome.severity,
    }


def _factor_body(factor: Factor) -> dict[str, Any]:
    return {
        "variable": factor.variable,
        "libelle": factor.label,
        "valeur": factor.value,
        "contribution": factor.log_odds,
        "points": factor.points,
        "sens": "defavorable" if factor.adverse else "favorable",
        "texte": factor.sentence,
    }
