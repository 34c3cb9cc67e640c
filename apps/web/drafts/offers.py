"""What a form's page says of its drafts."""

import datetime as dt
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from apps.users.queries import own_drafts
from apps.users.services.drafts import drop_draft
from apps.web.access import ActorRequest

RESUME = "brouillon"
OFFERED = 3


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A draft that can be taken up or thrown away."""

    saved_at: dt.datetime
    resume_url: str
    discard_url: str


@dataclass(frozen=True, slots=True)
class DraftOffer:
    """Where this form is saved (``url``), what else was begun, and what it starts from.

    ``resumed_at`` is when the draft that fills the form was saved, if one does.
    """

    url: str
    offered: list[SavedDraft] = field(default_factory=list)
    resumed_at: dt.datetime | None = None
    initial: dict[str, Any] = field(default_factory=dict)


def offer_draft(request: ActorRequest, form: str, *, uid: object = None) -> DraftOffer:
    """Return what to show of the drafts of a form; ``?brouillon=`` names the one to fill in.

    ``form`` is one word (« demande », « client »). ``uid`` is the object that the form changes, or the hidden
    identifier that it sent back; without it the form enters a new object, and ``initial["uid"]`` is the
    identifier to hide in it: taken from the draft, so that one draft never becomes two objects.
    """
    if not form.isalpha():
        raise ValueError("The name of a form with drafts is one word.")
    drafts = [each for each in own_drafts(request.actor) if _is_of(each.key, form, uid)]
    wanted = request.GET.get(RESUME) if request.method == "GET" else None
    resumed = next((each for each in drafts if each.key == wanted), None)
    subject = resumed.key.removeprefix(f"{form}-") if resumed else str(uid or uuid.uuid4())
    return DraftOffer(
        url=_address(request, f"{form}-{subject}"),
        offered=[_saved(request, each) for each in drafts[:OFFERED] if not resumed],
        resumed_at=resumed.saved_at if resumed else None,
        initial={**(_initial(resumed.content) if resumed else {}), "uid": subject},
    )


def forget_draft(request: ActorRequest, form: str, *, uid: object) -> None:
    """Delete the draft of a form that was sent; in the transaction of what it wrote."""
    drop_draft(key=f"{form}-{uid}", by=request.actor)


def _is_of(key: str, form: str, uid: object) -> bool:
    return key.startswith(f"{form}-") if uid is None else key == f"{form}-{uid}"


def _address(request: ActorRequest, key: str, **more: str) -> str:
    return f"{reverse('web:draft')}?{urlencode({'cle': key, 'page': request.path, **more})}"


def _saved(request: ActorRequest, draft: Any) -> SavedDraft:
    return SavedDraft(
        saved_at=draft.saved_at,
        resume_url=f"{request.path}?{urlencode({RESUME: draft.key})}",
        discard_url=_address(request, draft.key, effacer="1"),
    )


def _initial(content: str) -> dict[str, Any]:
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in json.loads(content).items()}
