"""The glossary beside a word: ``{% term "pd" %}``."""

from typing import Any

from django import template

from apps.web.glossary.terms import FIELD_TERMS, TERMS, Term

register = template.Library()


@register.inclusion_tag("components/term.html")
def term(key: str) -> dict[str, Any]:
    """Show a « ? » that opens the definition of a term: a native disclosure, for keyboard and phone alike.

    Put it after a label, never inside one. An unknown key is an error of the template.
    """
    return {"term": TERMS[key]}


@register.filter
def term_of_field(name: str) -> Term | None:
    """Return the term that explains a form's field, or ``None``."""
    return TERMS.get(FIELD_TERMS.get(name, ""))
