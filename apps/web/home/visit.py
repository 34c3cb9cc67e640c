"""The visit of the demonstration: seven places that show something, told on the home page."""

from dataclasses import dataclass

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.institutions.queries import setting_on
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Verb

#: Where the demonstration says what it shows: public identifiers by name.
VISIT = "demo_visit"
SAMPLE = "demo/exemple_portefeuille.csv"


@dataclass(frozen=True, slots=True)
class Stop:
    """One link of the visit; ``file`` is what to download first."""

    text: str
    url: str
    file: str = ""


def visit_of(actor: Actor) -> list[Stop]:
    """Return the stops that somebody may open; none outside the demonstration."""
    if not settings.DEMO_MODE or not (actor.may(Verb.READ_FILES) and actor.agency_ids is None):
        return []
    shown = setting_on(VISIT)
    if not shown:
        return []
    scores = {
        "approval": _("A favourable advice, and what speaks for it"),
        "unfavourable": _("An unfavourable file, and what to change"),
        "first_credit": _("A first credit"),
        "too_large": _("Too large an amount, and the one advised"),
        "expired_consent": _("A consent that has expired, and what to do"),
    }
    stops = [
        Stop(text, reverse("web:score", args=[shown[name]])) for name, text in scores.items() if name in shown
    ]
    if "override" in shown:
        url = reverse("web:application", args=[shown["override"]])
        stops.append(Stop(_("A decision against the advice that went wrong"), url))
    if actor.may(Verb.IMPORT):
        stops.append(Stop(_("Scoring a file with seven errors"), reverse("web:batches"), static(SAMPLE)))
    return stops
