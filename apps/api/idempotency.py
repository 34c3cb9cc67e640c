"""``Idempotency-Key`` on every POST of the API but those of authentication.

The answer is stored in the transaction of the request itself: whoever was answered finds the same answer
again, whoever was not may simply try again. A failure of the server (5xx) is not stored.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.api.errors import problem_response
from apps.users.services.idempotency import content_of, hold_key, keep_reply, kept_reply, rights_of

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
#: What belongs to the answer itself; the rest is of each request.
KEPT_HEADERS = ("Content-Type", "Content-Disposition", "Content-Language", "Location", "ETag")
AUTHENTICATION = ("/api/v1/login", "/api/v1/logout", "/api/v1/token/")
SERVER_ERROR = 500


class IdempotencyMiddleware:
    """Stands inside ``ActorMiddleware``: the actor is known, the scope's transaction is open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _concerns(request):
            return self.get_response(request)
        key = request.headers[HEADER]
        if not KEY.fullmatch(key):
            message = _("1 to 255 visible characters without blanks are expected.")
            return problem_response(request, status=422, code="invalid_values", fields={HEADER: [message]})
        return self._once(request, key)

    def _once(self, request: Any, key: str) -> HttpResponse:
        by = request.actor
        if not hold_key(key=key, by=by):
            return problem_response(
                request,
                status=409,
                code="in_progress",
                detail=_("The first request with this key is still running."),
            )
        wanted = _hash_of(request)
        kept = kept_reply(key=key, by=by)
        if kept is not None and kept.request_hash != wanted:
            return problem_response(
                request,
                status=409,
                code="idempotency_conflict",
                detail=_("This key was already used for another request."),
            )
        if kept is not None:
            return HttpResponse(
                content_of(kept), status=kept.status, headers={**kept.headers, REPLAYED: "true"}
            )
        with transaction.atomic():  # a refusal undoes what the view wrote, not what is stored below
            response = self.get_response(request)
        if not request.failed and response.status_code < SERVER_ERROR and _fits(response):
            headers = {name: response[name] for name in KEPT_HEADERS if name in response}
            keep_reply(
                key=key,
                by=by,
                request_hash=wanted,
                status=response.status_code,
                headers=headers,
                content=response.content,
            )
        return response


def _concerns(request: Any) -> bool:
    return bool(
        request.method == "POST"
        and request.path.startswith("/api/")
        and HEADER in request.headers
        and request.actor is not None
        and request.actor.institution_id is not None
        and not request.path.startswith(AUTHENTICATION)
    )


def _fits(response: HttpResponse) -> bool:
    return not response.streaming and len(response.content) <= settings.IDEMPOTENCY_MAX_BYTES


def _hash_of(request: Any) -> str:
    digest = hashlib.sha256()
    for part in (request.get_full_path(), rights_of(request.actor), request.content_type or ""):
        digest.update(f"{len(part)}:{part}".encode())
    if request.content_type == "multipart/form-data":  # its boundary differs each time; a file is not kept
        for name, values in sorted(request.POST.lists()):
            digest.update(repr((name, values)).encode())
        for name, file in sorted(request.FILES.items()):
            digest.update(repr((name, file.name, file.size)).encode())
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    else:
        digest.update(request.body)
    return digest.hexdigest()
