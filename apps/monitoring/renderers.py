"""Alerts in words: what is passed, what to do and why; figures are written by who shows them."""

from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.monitoring.enums import AlertCode, Suggestion
from apps.tenancy.language import current_lang


def alert_title(code: str, about: str = "") -> str:
    """Return which limit is passed, and of what; an unknown code is its own name."""
    title = str(dict(AlertCode.choices).get(code, code))
    if not about:
        return title
    return _("%(title)s: %(about)s") % {"title": title, "about": about_label(about)}


def about_label(about: str) -> str:
    """Return a variable by its label, a kind of group in words."""
    groups = {
        "sexe": _("Sex"),
        "age": _("Age"),
        "agence": _("Agency"),
        "region": _("Region of the agency"),
    }
    if about in groups:
        return groups[about]
    return known_variables([about])[about].label(current_lang())


def suggestion_reason(code: str, suggestion: str) -> str:
    """Return why this is suggested, in a sentence or two."""
    if code == AlertCode.OVERRIDES:
        return _(
            "Either the advice misses something that people see, or it is set aside too easily: read the "
            "reasons given, and how these files ended."
        )
    if suggestion == Suggestion.RETRAIN:
        if code == AlertCode.ORDER:
            return _("Defaults are not told from the others as in training: only other data mend that.")
        return _("Level and order of the risk have both moved: adjusting the level would not be enough.")
    return {
        Suggestion.RECALIBRATE: _(
            "The order of the risk holds and its level is too low: moving the level is enough, and keeps "
            "explanations as they are."
        ),
        Suggestion.LOOK_CLOSER: _(
            "Other applicants are no fault of the model. As long as observed defaults follow predictions, "
            "nothing has to change."
        ),
        Suggestion.CHECK_SOURCE: _(
            "Such a change mostly comes from a form, an import or a unit: see there first, the model after."
        ),
        Suggestion.PREPARE: _(
            "These signs come nine months before the outcomes. Try a lower threshold on past files, and keep "
            "a training ready."
        ),
        Suggestion.REVIEW: _(
            "A difference has reasons or has none: the committee says which, in writing. Variables set aside "
            "for fairness never enter the model."
        ),
    }.get(Suggestion(suggestion), "")
