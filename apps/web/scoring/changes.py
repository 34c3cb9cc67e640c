"""What would change the advice, in words and as terms to try."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.http import urlencode

from apps.engine import reasons
from apps.engine.change_words import change_sentences, no_change_text
from apps.engine.changes import Changes, ChangeSet
from apps.engine.contracts import Value
from apps.tenancy.language import current_lang
from apps.web.templatetags.formats import percent

#: Levers that the form of a simulation has a field for.
_TYPED = frozenset({"amount", "term"})


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One set of changes: what to do, and what it would give."""

    sentences: tuple[str, ...]
    pd_text: str
    points: int
    recommendation: str
    recommendation_label: str
    query: str


@dataclass(frozen=True, slots=True)
class ChangesView:
    sets: list[ChangeView]
    none_text: str


def changes_view(changes: Changes, values: Mapping[str, Value]) -> ChangesView:
    """Return what would change the advice, in words; ``values`` are those of the file as it is."""
    lang = current_lang()
    if not changes.sets:
        return ChangesView([], no_change_text(changes, lang))
    return ChangesView([_change_view(each, values) for each in changes.sets], "")


def _change_view(found: ChangeSet, values: Mapping[str, Value]) -> ChangeView:
    lang = current_lang()
    tried = {
        "montant": found.values.get("montant_credit"),
        "duree": found.values.get("duree_mois"),
    }
    known = {name: str(value) for name, value in tried.items() if value is not None}
    return ChangeView(
        sentences=change_sentences(found, values, lang),
        pd_text=percent(found.pd),
        points=found.advice.points,
        recommendation=found.advice.recommendation,
        recommendation_label=reasons.recommendation_label(found.advice.recommendation, lang),
        query=f"?{urlencode(known)}" if set(found.levers) <= _TYPED else "",
    )
