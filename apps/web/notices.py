"""What a page says after an act, with a way back where there is one."""

from django.contrib import messages
from django.http import HttpRequest


def say(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Show ``text`` above the next page; ``undo`` is an address of this site that takes the act back.

    The notice then has a button « Annuler » that posts to ``undo`` and nothing else, so the address must
    say all (``?effacer=1``); it never vanishes by itself. Prefer this to asking beforehand whether the
    person is sure. ``text`` must hold no personal data: it travels in a cookie.
    """
    if undo and not undo.startswith("/"):
        raise ValueError("An undo address is a path of this site.")
    messages.success(request, text, extra_tags=undo)
