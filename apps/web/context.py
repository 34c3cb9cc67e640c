"""What every page shows around its content."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.outbox.queries import unread_alerts
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Verb

MOST_SHOWN = 99


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Return the person, the menu of what this role may open, and the demonstration mark."""
    actor: Actor | None = getattr(request, "actor", None)
    membership = getattr(request, "membership", None)
    return {
        "demo_mode": settings.DEMO_MODE,
        "actor": _person(actor, membership),
        "theme": getattr(request.user, "theme", "") if actor is not None else "",
        "may_search": actor is not None and membership is not None and actor.may(Verb.READ_FILES),
        "alerts_unread": _unread(actor) if actor is not None and membership is not None else 0,
        "nav": _menu(request, actor) if actor is not None and membership is not None else [],
    }


def _unread(actor: Actor) -> Callable[[], int]:
    """Count the alerts not read yet when the page shows them, up to 99: a fragment asks for nothing."""
    return cache(unread_alerts(actor)[:MOST_SHOWN].count)


def _person(actor: Actor | None, membership: Any) -> dict[str, str] | None:
    if actor is None:
        return None
    return {
        "uid": str(actor.uid),
        "display_name": actor.display_name,
        "role_label": membership.get_role_display() if membership else _("Platform operator"),
        "institution_name": membership.institution.name if membership else "",
    }


def _menu(request: HttpRequest, actor: Actor) -> list[dict[str, Any]]:
    may_see_policy = Verb.APPROVE_MODEL if actor.may(Verb.APPROVE_MODEL) else Verb.READ_AUDIT
    entries = [
        (None, "web:home", _("Home")),
        (Verb.DECIDE if actor.may(Verb.DECIDE) else Verb.EDIT_FILES, "web:inbox", _("To do")),
        (Verb.EDIT_FILES, "web:application_new", _("New application")),
        (Verb.SCORE, "web:credit_simulation", _("Simulate a credit")),
        (Verb.READ_FILES, "web:applications", _("Applications")),
        (Verb.READ_FILES, "web:clients", _("Clients")),
        (Verb.READ_FILES, "web:scores", _("Score history")),
        (Verb.IMPORT, "web:batches", _("File scoring")),
        (Verb.IMPORT, "web:imports", _("Imports")),
        (_models_verb(actor), "web:models", _("Models")),
        (_models_verb(actor), "web:trainings", _("Training")),
        (_models_verb(actor), "web:monitoring", _("Model monitoring")),
        (may_see_policy, "web:policy", _("Scoring policy")),
        (Verb.READ_REPORTS, "web:portfolio", _("Portfolio")),
        (Verb.CONTACT_PROSPECTS, "web:prospects", _("Prospects to contact")),
        (Verb.READ_REPORTS, "web:reports", _("Reports")),
        (_dictionary_verb(actor), "web:dictionary", _("Variable dictionary")),
        (Verb.READ_AUDIT, "web:limits", _("Powers to decide")),
        (Verb.READ_AUDIT, "web:audit", _("Audit trail")),
    ]
    if not actor.may(Verb.READ_FILES):  # the others find it on the page of clients
        entries.append((Verb.READ_REPORTS, "web:quality", _("Data quality")))
    if actor.may(Verb.ADMINISTER):
        entries.append((Verb.ADMINISTER, "admin:index", _("Administration")))
    return [
        {"label": label, "url": reverse(name), "current": request.path == reverse(name)}
        for verb, name, label in entries
        if verb is None or actor.may(verb)
    ]


def _models_verb(actor: Actor) -> Verb:
    """Return the verb by which this person has to do with models; everybody else needs no entry for them."""
    verbs = (Verb.PROPOSE_MODEL, Verb.APPROVE_MODEL, Verb.READ_AUDIT)
    return next((verb for verb in verbs if actor.may(verb)), Verb.PROPOSE_MODEL)


def _dictionary_verb(actor: Actor) -> Verb:
    """Return the verb by which this person watches over variables; the others find them in the glossary."""
    return Verb.DEFINE_VARIABLES if actor.may(Verb.DEFINE_VARIABLES) else Verb.READ_AUDIT
