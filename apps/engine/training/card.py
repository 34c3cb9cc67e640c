"""The model card, in French: what the model is, how good it was measured to be, where it ends."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.engine.wording import FIRM, NARROW, number

_KINDS = {
    "institution": "historique de l'institution",
    "pooled": "historiques réunis de plusieurs institutions",
    "expert": "grille experte, non étalonnée",
    "synthetic": "données synthétiques, aucun emprunteur réel",
}
_FROM_AND_TO = 2
_DEMONSTRATION = "**Modèle de démonstration, données fictives.**"


def card_text(manifest: Mapping[str, Any]) -> str:
    """Write ``card.md`` from a manifest; figures that were not measured are said to be missing."""
    quality = _quality(manifest.get("metrics"))
    parts = [_title(manifest), _data(manifest), quality, _variables(manifest), _LIMITS]
    return "\n\n".join(parts) + "\n"


def _title(manifest: Mapping[str, Any]) -> str:
    title = f"# {manifest['name']}, version {manifest['version']}"
    return f"{title}\n\n{_DEMONSTRATION}" if manifest["training_data"] == "synthetic" else title


def _data(manifest: Mapping[str, Any]) -> str:
    data, period = manifest["data"], manifest.get("training_period")
    rows, defaults = number(data["rows"], "fr"), number(data["defaults"], "fr")
    share = _percent(data["defaults"] / data["rows"])
    lines = [
        f"Données : {_KINDS[manifest['training_data']]}.",
        *([f"Période : {_period(period)}."] if period else []),
        f"Crédits échus : {rows}, dont {defaults} en défaut ({share}).",
        _method(manifest),
        f"Graine : {manifest['seed']}. Empreinte des données : `{data['sha256'][:16]}…`.",
        *_moved(manifest.get("recalibration")),
    ]
    return _section("Apprentissage", lines)


def _method(manifest: Mapping[str, Any]) -> str:
    folds, trees = manifest["folds"], manifest["trees"]
    if manifest.get("kind") == "scorecard":
        return "Méthode : grille de poids d'évidence monotone, pesée par une régression logistique."
    if manifest.get("kind") == "xgboost":
        return f"Méthode : {trees} arbres XGBoost monotones."
    return (
        f"Méthode : {folds} plis, arbres XGBoost monotones ({trees} par pli) et grille de poids "
        "d'évidence, réunis par une régression logistique sur des scores hors pli."
    )


def _moved(recalibration: Mapping[str, Any] | None) -> list[str]:
    """Say when the level was moved to what was observed since."""
    if not recalibration:
        return []
    rows, defaults = number(recalibration["rows"], "fr"), number(recalibration["defaults"], "fr")
    shift = f"{recalibration['delta']:+.3f}".replace(".", ",")
    return [
        (
            f"Étalonnage recalé de {shift} sur {rows} crédits échus, dont {defaults} en défaut "
            f"(depuis la version {recalibration['from_version']}) ; l'ordre des risques est inchangé."
        ),
    ]


def _section(title: str, lines: Iterable[str]) -> str:
    listed = "\n".join(f"- {line}" for line in lines)
    text = f"## {title}\n\n{listed}"
    return text.replace(" :", f"{FIRM}:").replace(" ;", f"{FIRM};")


def _period(period: Any) -> str:
    """Write two ISO dates, as a pair or as ``from`` and ``to``; anything else as it is."""
    days = [period.get("from"), period.get("to")] if isinstance(period, Mapping) else period
    if not isinstance(days, (list, tuple)) or len(days) != _FROM_AND_TO:
        return str(period)
    first, last = ("/".join(reversed(str(day).split("-"))) for day in days)
    return f"du {first} au {last}"


def _quality(metrics: Mapping[str, Any] | None) -> str:
    title = "Qualité, mesurée par validation croisée imbriquée"
    if metrics and metrics.get("split") == "out_of_time":
        title = "Qualité, mesurée sur les derniers mois, que le modèle n'avait pas appris"
    if not metrics:
        return _section(title, ["Aucune mesure n'accompagne ce modèle."])
    auc, low, high = (_three(metrics[name]) for name in ("auc", "auc_low", "auc_high"))
    gini, ks, ece, brier = (_three(metrics[name]) for name in ("gini", "ks", "ece", "brier"))
    observed, predicted = _percent(metrics["observed_rate"]), _percent(metrics["predicted_rate"])
    lines = [
        f"AUC : {auc} (intervalle à 95{NARROW}% : {low} à {high}) ; Gini {gini} ; KS {ks}.",
        (
            f"Étalonnage : erreur moyenne (ECE) {ece} ; défaut observé {observed}, prévu {predicted} ; "
            f"score de Brier {brier}."
        ),
    ]
    return _section(title, lines)


def _three(figure: float) -> str:
    return f"{figure:.3f}".replace(".", ",")


def _percent(share: float) -> str:
    return f"{number(100 * share, 'fr', 1)}{NARROW}%"


def _variables(manifest: Mapping[str, Any]) -> str:
    return _section(
        "Variables", [f"{entry['label_fr']} (`{entry['name']}`)" for entry in manifest["variables"]]
    )


_LIMITS = _section(
    "Limites",
    (
        (
            "La probabilité vaut pour des crédits semblables à ceux de l'apprentissage ; l'avertissement "
            "`hors_domaine` signale une valeur jamais vue."
        ),
        "Le modèle a appris des crédits accordés : il connaît mal les profils toujours refusés.",
        (
            "Un choc (prix, récolte, insécurité) change le niveau du risque avant de changer son ordre : "
            "comparer chaque trimestre le défaut observé au défaut prévu."
        ),
        "Il conseille : la décision reste à une personne.",
    ),
)
