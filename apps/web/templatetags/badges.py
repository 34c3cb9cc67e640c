"""From a code to the tone of its badge; the templates turn a tone into a colour and an icon."""

from django import template

register = template.Library()

NEUTRAL = "neutral"
TONES = {
    # risk bands
    "faible": "positive",
    "modere": "caution",
    "eleve": "negative",
    # recommendations
    "accorder": "positive",
    "etudier": "caution",
    "refuser": "negative",
    # status of an application
    "submitted": "info",
    "incomplete": "caution",
    "approved": "positive",
    "approved_conditionally": "positive",
    "disbursed": "positive",
    "declined": "negative",
    "deferred": "caution",
    "counter_offered": "info",
    # status of a credit
    "active": "info",
    "closed": "positive",
    "written_off": "negative",
    "restructured": "caution",
    # outcomes
    "good": "positive",
    "default": "negative",
    # background works
    "queued": "info",
    "running": "info",
    "done": "positive",
    "failed": "negative",
    "cancelled": "caution",
    # state of an import
    "checking": "info",
    "checked": "info",
    "importing": "info",
    "imported": "positive",
    "stopped": "caution",
    "undoing": "info",
    # models, their gates and promotions
    "champion": "positive",
    "challenger": "info",
    "candidate": "info",
    "passed": "positive",
    "explain": "caution",
    "unmeasured": "negative",
    "proposed": "info",
    "started": "positive",
    # policies
    "rejected": "negative",
    "scheduled": "info",
    "bloquante": "negative",
    "a_revoir": "caution",
    # rule verdicts
    "respectee": "positive",
    "violee": "negative",
    "non_evaluable": NEUTRAL,
}


@register.filter
def tone(code: str) -> str:
    """Give ``positive``, ``caution``, ``negative``, or ``neutral`` for a code that says neither."""
    return TONES.get(str(code), NEUTRAL)
