"""Codes of a training run in words: candidates, choices, steps, figures, reasons."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.engine.training.candidates import CandidateKind
from apps.tenancy.language import current_lang
from apps.web.templatetags.formats import MISSING, percent

RATES = frozenset({"accuracy", "precision", "recall", "observed_rate", "predicted_rate"})
#: Candidates in the order in which people read them.
IN_ORDER = (
    *("default", "scorecard", "xgboost", "logistic"),
    *("gradient_boosting", "random_forest", "knn", "dummy"),
)


def kind_label(code: str) -> str:
    """Return the name of a candidate."""
    return {
        "default": _("Standard model"),
        "scorecard": _("WOE scorecard"),
        "xgboost": _("XGBoost alone"),
        "logistic": _("Logistic regression"),
        "gradient_boosting": _("Gradient boosting"),
        "random_forest": _("Random forest"),
        "knn": _("Nearest neighbours (KNN)"),
        "dummy": _("Mean rate for all"),
    }.get(code, code)


def kind_choice(kind: CandidateKind) -> str:
    """Return the name of a candidate and what may become of it."""
    label = kind_label(kind.code)
    return label if kind.deployable else _("%(kind)s (comparison only)") % {"kind": label}


def split_label(code: str) -> str:
    """Return how candidates are judged."""
    return {
        "auto": _("As the dates allow: on the latest credits from 18 months of history on"),
        "nested": _("Folds: each credit judged by a candidate that did not see it"),
        "out_of_time": _("Out of time: learnt on the first credits, judged on the latest"),
    }.get(code, code)


def search_label(code: str) -> str:
    """Return how parameters are looked for."""
    return {
        "none": _("None: the usual parameters"),
        "grid": _("Grid"),
        "random": _("Random"),
        "optuna": "Optuna",
    }.get(code, code)


def sampling_label(code: str) -> str:
    """Return how defaults and the others are balanced."""
    return {
        "none": _("As they are"),
        "smote": "SMOTE",
        "over": _("Defaults repeated"),
        "under": _("Some of the others left out"),
        "weights": _("Weights"),
    }.get(code, code)


def step_label(code: str) -> str:
    """Return what a run is doing."""
    step, _separator, kind = code.partition(":")
    told = {"kind": kind_label(kind)}
    return {
        "": _("Waiting for a worker."),
        "reading": _("The history is being read."),
        "checks": _("The data are being checked: duplicates, leaks, missing values."),
        "candidate": _("%(kind)s: trained and judged on credits that it has not seen.") % told,
        "final": _("%(kind)s: trained on all the credits.") % told,
        "gates": _("The gates are being measured."),
        "writing": _("%(kind)s: being written.") % told,
        "done": _("The result is being kept."),
    }.get(step, _("Under way."))


def excluded_label(code: str) -> str:
    """Return why applications were left out."""
    return {
        "young": _("Too young: their horizon is not over"),
        "cancelled": _("Cancelled before any money left"),
        "refused": _("Refused"),
        "not_disbursed": _("Not decided, or no money left yet"),
        "no_outcome": _("No outcome known"),
        "unreadable": _("Lines that cannot be read"),
        "staff": _("Loans to members of staff"),
        "overdraft": _("Overdrafts"),
        "fraud": _("Frauds"),
        "death": _("Death of the borrower"),
    }.get(code, code)


def warning_text(code: str) -> str:
    """Return what to know of the data before believing the figures."""
    return {
        "few_defaults": _(
            "Fewer than 150 matured defaults: every figure is uncertain, look at its interval."
        ),
        "few_outcomes": _("More credits have no outcome than have one: send repayments or balances first."),
    }.get(code, code)


def reason_text(recommended: Mapping[str, str]) -> str:
    """Return why a candidate is recommended."""
    told = {
        "kind": kind_label(recommended.get("kind", "")),
        "best": kind_label(recommended.get("best", "")),
    }
    texts = {
        "only": _("It is the only candidate of this run."),
        "best": _("It orders the risk better than every other candidate."),
        "as_good_and_simpler": _(
            "%(best)s is not better beyond chance: between equals, the simpler one is easier to explain."
        ),
        "best_calibrated": _(
            "Among those that tell the right level of risk it orders it best. "
            "%(best)s orders it better, at a wrong level."
        ),
        "none_calibrated": _("No candidate tells the right level of risk: recalibrate before any use."),
    }
    text = texts.get(recommended.get("reason", ""), "")
    return text % told if "%(" in text else text


def figure_label(name: str) -> str:
    """Return the name of a figure of quality."""
    return figure_labels().get(name, name)


def figure_labels() -> dict[str, str]:
    """Return the names of the figures of quality, in the order in which people read them."""
    return {
        "auc": "AUC",
        "gini": "Gini",
        "ks": "KS",
        "pr_auc": "PR-AUC",
        "brier": "Brier",
        "log_loss": _("Log loss"),
        "ece": _("Calibration error (ECE)"),
        "accuracy": _("Accuracy"),
        "precision": _("Precision"),
        "recall": _("Recall"),
        "f1": "F1",
        "f2": "F2",
        "business_score": _("Business score"),
        "profit_xaf": _("Expected profit (FCFA)"),
        "observed_rate": _("Observed default rate"),
        "predicted_rate": _("Predicted default rate"),
        "observed_over_predicted": _("Observed over predicted defaults"),
        "calibration_slope": _("Slope of the calibration"),
    }


def curve_label(code: str) -> str:
    """Return the title of a curve."""
    return {
        "roc": _("ROC curve"),
        "pr": _("Precision and recall"),
        "calibration": _("Calibration: predicted and observed defaults"),
        "gains": _("Defaults found, by share of files"),
        "distribution": _("Distribution of the probabilities"),
        "profit": _("Expected profit by threshold"),
        "business": _("Business score by threshold"),
        "groupes": _("By group"),
    }.get(code, code)


def level_text(code: str) -> str:
    """Return what a level of history allows."""
    return {
        "expert": _("An expert scorecard: the history does not hold enough defaults to learn from."),
        "recalibrated": _("An expert scorecard, or a platform model whose level is set on your history."),
        "scorecard": _("A WOE scorecard; the logistic regression serves the comparison."),
        "every": _("Every candidate."),
    }.get(code, code)


def figure_text(candidate: Mapping[str, Any], name: str) -> str:
    """Return a figure of a candidate with its interval, where it has one."""
    return " ".join(filter(None, figure_parts(candidate, name)))


def figure_parts(candidate: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Return a figure of a candidate and its interval, empty where it has none."""
    told = candidate["figures"].get(name)
    if not told or told["value"] is None:
        return MISSING, ""
    value, low, high = (_figure(name, told.get(part)) for part in ("value", "low", "high"))
    if told.get("low") is None or told.get("high") is None:
        return value, ""
    return value, f"[{low} ; {high}]"


def _figure(name: str, number: float | None) -> str:
    if number is None:
        return MISSING
    if name == "profit_xaf":
        return millions(number)
    if name in RATES:
        return percent(number, 1)
    return decimal(number, 2 if name == "business_score" else 3)


def millions(amount_xaf: float) -> str:
    """Return an amount in millions of FCFA: the uncertainty is larger than the rest."""
    return _("%(count)s M") % {"count": decimal(amount_xaf / 1_000_000, 1)}


def decimal(number: float, places: int = 3) -> str:
    """Return a number with the decimal mark of the reader's language."""
    text = f"{number:.{places}f}"
    return text.replace(".", ",") if current_lang() == "fr" else text
