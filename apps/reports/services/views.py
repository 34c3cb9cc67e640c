"""Views of the portfolio that people name."""

from urllib.parse import parse_qsl, urlencode

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.reports.models import SavedView
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues

#: What an address of the portfolio is made of; anything else is left out of a view.
PARAMETERS = ("vue", "du", "au", "agence", "produit", "par")
MOST_OWN, LONGEST_QUERY = 20, 300


@transaction.atomic
def save_view(*, name: str, query: str, shared: bool, by: Actor) -> SavedView:
    """Keep an address under a name; one of the same name is replaced. Raises ``InvalidValues``."""
    kept = urlencode([(key, value) for key, value in parse_qsl(query) if key in PARAMETERS])
    if len(kept) > LONGEST_QUERY:
        raise InvalidValues(_("This view is too long to be saved."), fields={})
    own = SavedView.objects.filter(owner_id=by.person_id)
    if not own.filter(name=name).exists() and own.count() >= MOST_OWN:
        message = _("You have %(count)d views: delete one first.") % {"count": MOST_OWN}
        raise InvalidValues(message, fields={"name": [message]})
    view, _created = SavedView.objects.update_or_create(
        owner_id=by.person_id, name=name, defaults={"query": kept, "shared": shared}
    )
    record(by=by, action="view.save", target=view, after={"shared": shared})
    return view


@transaction.atomic
def delete_view(*, view: SavedView, by: Actor) -> None:
    """Remove a view that ``by`` named."""
    record(by=by, action="view.delete", target=view)
    view.delete()
