"""Each route declares the verb of each method; a route that declares none answers nobody."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

PUBLIC = "public"


class HoldsVerb(BasePermission):
    """Reads ``view.verbs``: method -> Verb, or ``PUBLIC`` as the whole declaration."""

    def has_permission(self, request: Request, view: Any) -> bool:
        verbs = getattr(view, "verbs", {})
        if verbs == PUBLIC:
            return True
        actor: Any = request.auth
        if actor is None:
            return False
        verb = verbs.get(request.method)
        # A method that the route lacks is refused by 405 later, to those who may use the route at all.
        return actor.may(verb) if verb else any(actor.may(each) for each in verbs.values())
