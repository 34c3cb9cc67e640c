"""Gates in words: what each one asks, and what its verdict means."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.engine.dictionary import STANDARD
from apps.registry.enums import Verdict
from apps.registry.models import ModelFacts
from apps.tenancy.language import current_lang

#: Gates whose sentence leaves out what they are about.
_TELLING = frozenset({"stability", "duplicates"})
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
#: An interval has two ends.
INTERVAL = 2


def gate_label(code: str) -> str:
    """Return the name of a gate; an unknown code is its own name."""
    return {
        "loads": _("The model loads and replays its golden rows"),
        "declaration": _("The scorecard is readable"),
        "signs": _("Points follow the direction of each variable"),
        "lowest_score": _("Lowest possible score"),
        "highest_score": _("Highest possible score"),
        "spread": _("Spread of the points"),
        "declared_rate": _("Declared default rate"),
        "own_history": _("Matured credits to compare with"),
        "own_level": _("Observed defaults against predicted ones"),
        "own_auc": _("Order of the risk on your own credits (AUC)"),
        "auc": _("Order of the risk (AUC)"),
        "defaults": _("Matured defaults of the institution"),
        "calibration": _("Observed defaults against predicted ones, on unseen credits"),
        "calibration_slope": _("Slope of the calibration"),
        "ece": _("Calibration error (ECE)"),
        "single_variable": _("No variable predicts alone"),
        "missingness": _("No missing value predicts alone"),
        "permutation": _("Nothing is learnt from shuffled outcomes"),
        "duplicates": _("No row on both sides of a test"),
        "stability": _("Training data like today's applications"),
        "grades": _("Grades from A to E hold rising defaults"),
        "fairness": _("Equal treatment of groups"),
        "demonstration": _("Fictional data serve demonstrations only"),
        "profiles": _("Test profiles rank as an officer expects"),
        "two_people": _("Somebody else may approve"),
    }.get(code, code)


def gate_text(gate: Mapping[str, Any]) -> str:
    """Return what the verdict of a gate means, in a sentence or two."""
    if gate["verdict"] == Verdict.UNMEASURED and "run" in gate.get("about", ()):
        return _("The run could not measure it: its data lack what that needs.")
    if gate["verdict"] == Verdict.UNMEASURED:
        return _("Only a training run on this platform measures it: this version was trained elsewhere.")
    if gate["verdict"] in {Verdict.FAILED, Verdict.EXPLAIN}:
        about = _about_text(gate.get("about", ()))
        said = _wrong().get(gate["code"], "")
        said = said % {"about": about} if "%(about)s" in said else said
        shown = f"({about})" if about and gate["code"] in _TELLING else ""
        return " ".join(filter(None, (said, shown, _interval(gate))))
    said = _right().get(gate["code"], "")
    return " ".join(filter(None, (said, _interval(gate))))


def _interval(gate: Mapping[str, Any]) -> str:
    """Return the interval of a figure of calibration, which a run tells in what the gate is about."""
    if gate["code"] not in {"calibration", "calibration_slope"} or len(gate.get("about", ())) != INTERVAL:
        return ""
    low, high = (decimal_text(float(edge)) for edge in gate["about"])
    return _("Interval at 95 %%: %(low)s to %(high)s.") % {"low": low, "high": high}


def decimal_text(number: float) -> str:
    """Return a number with two decimals and the mark of the reader's language."""
    text = f"{number:.2f}"
    return text.replace(".", ",") if current_lang() == "fr" else text


def _wrong() -> dict[str, str]:
    return {
        "loads": _("The folder is missing or altered: import it again."),
        "declaration": _("The folder holds no readable scorecard: write it again in the editor."),
        "signs": _("Points rise with the risk, or hiding a value pays: %(about)s."),
        "lowest_score": _("The scale begins at 300: files below it could not be told apart."),
        "highest_score": _("The scale ends at 850: files above it could not be told apart."),
        "spread": _("The best and the worst file would have nearly the same score."),
        "declared_rate": _("Expected: between one default in two hundred and four in ten."),
        "own_level": _("The level of the risk is not that of your matured credits: say why it is used so."),
        "own_auc": _("On your matured credits the score does not part defaults from the others well enough."),
        "auc": _("Too low to be of use, or too good to be true: a leak of the outcome is likely."),
        "defaults": _("Too few defaults for a model of this kind: use an expert scorecard meanwhile."),
        "calibration": _("The level of the risk is wrong on credits that it had not seen: recalibrate it."),
        "calibration_slope": _("High risks are told too high or too low: too few data, or too free a model."),
        "ece": _("Probabilities are further from what happened than chance explains."),
        "single_variable": _("A variable says the outcome by itself: %(about)s."),
        "missingness": _("That a value is missing says the outcome by itself: %(about)s."),
        "permutation": _("The model finds something where there is nothing: the outcome leaks."),
        "duplicates": _("The same rows were learnt and tested: the figures are too good."),
        "stability": _("The applications of the last three months do not look like the training data."),
        "grades": _("A better grade defaulted more than a worse one: %(about)s."),
        "fairness": _("Groups are treated differently: %(about)s."),
        "demonstration": _("This model was trained on fictional borrowers."),
        "profiles": _("Out of order: %(about)s."),
        "two_people": _("Nobody else of the institution holds the right to approve: invite somebody."),
    }


def _right() -> dict[str, str]:
    return {
        "signs": _("More risk never gives more points."),
        "own_history": _("From 50 matured credits on, the model is compared with what happened."),
        "calibration": _("Among unseen credits, as many default as the model says."),
        "ece": _("Probabilities are no further from what happened than chance explains."),
        "stability": _("Compared with the applications of the last three months."),
        "profiles": _("More arrears never lower the risk."),
        "two_people": _("Who proposes does not approve."),
    }


def _about_text(codes: Iterable[str]) -> str:
    """Return what a gate is about: variables by their labels, the institution's own ones too."""
    codes = list(codes)
    variables = known_variables(code for code in codes if _NAME.match(code) and code != "arrears")
    lang = current_lang()
    return ", ".join(variables[code].label(lang) if code in variables else _about(code) for code in codes)


def _about(code: str) -> str:
    """Return a pair of profiles or a group in words, anything else as it is."""
    if code == "arrears":
        return _("more arrears may lower the risk")
    dimension, colon, group = code.partition(":")
    if colon:
        return _of_run(dimension, group)
    lower, separator, higher = code.partition("<")
    if not separator:
        return code
    names = profile_labels()
    told = {"safer": names.get(lower, lower), "riskier": names.get(higher, higher)}
    return _("“%(riskier)s” should be riskier than “%(safer)s”") % told


def _of_run(name: str, value: str) -> str:
    """Return a group of people, or how many rows are there twice."""
    if name == "values":
        return _("%(count)s rows with the same values") % {"count": value}
    if name == "origins":
        return _("%(count)s rows of the same clients") % {"count": value}
    return f"{group_label(name)} {group_name(name, value)}"


def group_label(name: str) -> str:
    """Return what the groups of a dimension are."""
    labels = {"agency": _("agency"), "age_band": _("age"), "type_credit": _("type of credit")}
    return labels.get(name) or (STANDARD[name].label(current_lang()) if name in STANDARD else name)


def group_name(name: str, value: str) -> str:
    """Return a group by the words of its code."""
    category = STANDARD[name].category(value) if name in STANDARD else None
    return category.label(current_lang()) if category else value


def profile_labels() -> dict[str, str]:
    """Return the names of the test profiles."""
    return {
        "usual": _("Usual client"),
        "young_worker": _("Young worker"),
        "near_retirement": _("Near retirement"),
        "low_income_large_loan": _("Low income, large loan"),
        "faithful_client": _("Faithful client without a delay"),
        "heavy_arrears": _("Heavy arrears"),
    }


def mention_of(version: ModelFacts) -> str:
    """Return what must stand beside a model wherever it is shown; nothing of one that was calibrated."""
    if version.is_expert:
        return _("Expert scorecard, not calibrated")
    return _("Demonstration model, fictional data") if version.is_synthetic else ""
