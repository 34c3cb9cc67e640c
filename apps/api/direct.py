"""The direct way to a score by values: two statements, or one, and no view between.

Of a caller who was here a moment ago, what the database said is still known: the score is computed on it, and
one statement asks again and stores it if nothing has changed. Requests of one caller that wait at the same
moment share their statements: the caller is asked for once, and their scores are committed together. Each has
its limits, its figures, its row and its entry as if it had come alone.

What partners ask thousands of times a minute is answered here when nothing stands against it: a partner
key or a person's token that holds, with the right to score, a limit and a quota that are not used up, values
that are all in order. Whatever else comes, this way answers nothing and leaves the request to the complete
one below, which knows every refusal; a test gives both the same requests and compares their answers, header
by header.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csp import ContentSecurityPolicyMiddleware
from django.middleware.security import SecurityMiddleware

from apps.api.fields import REFERENCES
from apps.api.gathering import Gathering
from apps.api.parsers import is_readable
from apps.api.throttling import announce_limits
from apps.api.v1.scoring.serializers import direct_body
from apps.engine.contracts import Lang
from apps.scoring.services.direct import DirectScore, keep_direct, row_of, score_direct, storing
from apps.scoring.terms import READING, Terms, terms_of
from apps.tenancy.errors import DomainError
from apps.tenancy.roles import Verb, allows
from apps.tenancy.tracing import request_id
from apps.users.backends import client_address
from apps.users.errors import InvalidToken
from apps.users.middleware import api_language, name_of
from apps.users.services.opening import Opening, Then, open_ahead, open_for_key
from apps.users.tokens import Claims, ShownKey, claims_of, shown_key

GetResponse = Callable[[HttpRequest], HttpResponse]
Caller = Claims | ShownKey
PATH = "/api/v1/predict"
JSON = "application/json"
UTF_8 = "utf-8"
KEY_SCHEME = "api-key"
SCHEMES = ("bearer", KEY_SCHEME)
ANYTHING = ("", "*/*", JSON)
#: Requests that bring one of these go the complete way.
ASKS_MORE = ("HTTP_IDEMPOTENCY_KEY", "HTTP_ORIGIN", "HTTP_CONTENT_ENCODING")
CREATED = 201


#: What the database last said of so many callers; each time it is asked whether it still is so.
KNOWN = 512
_known: dict[tuple[Caller, str], Opening] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that can go this way, its values and the language of its answer."""

    request: Any
    body: dict[str, Any]
    language: str


class DirectMiddleware:
    """Stands above all that a page needs and a score does not."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._standing: dict[bool, dict[str, str]] = {}
        self._together = Gathering(_answers)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        caller = _caller(request) if request.path_info == PATH else None
        body = None if caller is None else _body(request)
        if caller is None or body is None:
            return self.get_response(request)
        return self._answer(request, caller, body) or self.get_response(request)

    def _answer(self, request: Any, caller: Caller, body: dict[str, Any]) -> HttpResponse | None:
        request.request_id = name_of(request)
        token = request_id.set(request.request_id)
        language = api_language(request)
        try:
            content = self._together((caller, client_address(request)), Asked(request, body, language))
        except (DatabaseError, InterfaceError):
            connection = connections[DEFAULT_DB_ALIAS]
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            return None
        finally:
            request_id.reset(token)
        if content is None:
            return None
        return self._whole(request, HttpResponse(content, status=CREATED, content_type=JSON), language)

    def _whole(self, request: Any, answer: HttpResponse, language: str) -> HttpResponse:
        secure = request.is_secure()
        if secure not in self._standing:
            self._standing[secure] = _standing_headers(request)
        for name, value in self._standing[secure].items():
            answer[name] = value
        answer["Content-Language"] = language
        answer["Content-Length"] = str(len(answer.content))
        answer["X-Request-Id"] = request.request_id
        announce_limits(answer, request.limits)
        return answer


def _answers(
    who: tuple[Caller, str], asked: Sequence[Asked], hand_over: Callable[[], None]
) -> Sequence[bytes | None]:
    """Answer requests of one caller from one address; ``None`` leaves one to the complete way."""
    opening = None
    if len(asked) == 1 and (known := _known.get(who)) is not None:
        opening, content = _answered_at_once(who[0], asked[0], known, hand_over)
        if content is not None:
            return [content]
    if opening is None:
        opening = _opened(asked[0].request, who[0], count=len(asked))
        for later, each in enumerate(reversed(asked)):
            each.request.limits = opening.limits_before(later)  # counted once, whoever answers
    if not _may_go_on(opening):
        _known.pop(who, None)
        return [None] * len(asked)
    if len(_known) >= KNOWN:
        _known.clear()
    _known[who] = opening
    return _answered(opening, asked, hand_over)


def _answered_at_once(
    caller: Caller, asked: Asked, known: Opening, hand_over: Callable[[], None]
) -> tuple[Opening | None, bytes | None]:
    """Score on what was known of the caller a moment ago; one statement stores it if all is still so.

    Return what that statement said, and the answer if the score is stored; nothing where values are refused.
    """
    score = _score(asked, terms_of(known.ahead))
    content = None if score is None else _content(score, asked.language)
    if score is None or content is None or known.actor is None:
        return None, None
    hand_over()
    row = row_of(score, asked.request.request_id, by=known.actor)
    opening = _opened(asked.request, caller, then=Then(storing, row, known))
    asked.request.limits = opening.limits
    return opening, content if opening.done else None


def _may_go_on(opening: Opening) -> bool:
    """Say whether this way may answer; webhooks are written with their score by the complete one."""
    return opening.actor is not None and opening.actor.may(Verb.SCORE) and not terms_of(opening.ahead).told


def _answered(opening: Opening, asked: Sequence[Asked], hand_over: Callable[[], None]) -> list[bytes | None]:
    contents: list[bytes | None] = [None] * len(asked)
    terms = terms_of(opening.ahead)
    scores = [
        None if any(limit.refused for limit in each.request.limits) else _score(each, terms) for each in asked
    ]
    kept = []
    for place, (each, score) in enumerate(zip(asked, scores, strict=True)):
        if score is not None and (content := _content(score, each.language)) is not None:
            contents[place] = content
            kept.append((score, each.request.request_id))
    hand_over()
    if kept and opening.actor is not None:
        keep_direct(kept, by=opening.actor)  # last: a score is kept once its answer can be given
    return contents


def _score(asked: Asked, terms: Terms) -> DirectScore | None:
    try:
        return score_direct(raw=asked.body, terms=terms)
    except DomainError:
        return None


def _content(score: DirectScore, language: str) -> bytes | None:
    lang: Lang = "en" if language.startswith("en") else "fr"
    try:
        return orjson.dumps(direct_body(score, lang=lang))
    except DomainError:
        return None


def _opened(request: HttpRequest, caller: Caller, *, count: int = 1, then: Then | None = None) -> Opening:
    if isinstance(caller, ShownKey):
        return open_for_key(request, caller, reading=READING, count=count, then=then)
    return open_ahead(request, caller, reading=READING, count=count, then=then)


def _caller(request: HttpRequest) -> Caller | None:
    """Return what the token or the key says of a request that can go this way."""
    meta = request.META
    scheme, _separator, raw = meta.get("HTTP_AUTHORIZATION", "").partition(" ")
    plain = (
        request.method == "POST"
        and scheme.lower() in SCHEMES
        and request.content_type == JSON
        and (request.encoding or UTF_8).lower() == UTF_8
        and meta.get("HTTP_ACCEPT", "").strip() in ANYTHING
        and not meta.get("QUERY_STRING")
        and not any(name in meta for name in ASKS_MORE)
    )
    if not plain or (settings.SECURE_SSL_REDIRECT and not request.is_secure()):
        return None
    try:
        request.get_host()
        if scheme.lower() == KEY_SCHEME:
            return shown_key(raw.strip())
        claims = claims_of(raw.strip())
    except (DisallowedHost, InvalidToken):
        return None
    return claims if allows(claims.role, Verb.SCORE) else None


def _body(request: HttpRequest) -> dict[str, Any] | None:
    """Return the values; ``None`` for anything but an object of plain values, without a reference."""
    try:
        text = request.body.decode(UTF_8)
        body = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError, RequestDataTooBig, UnreadablePostError):
        return None
    if not isinstance(body, dict) or any(name in body for name in REFERENCES):
        return None
    # no UTF-8 holds half a character, no JSON a bare NUL: only an escape can bring one
    return None if "\\u" in text and not is_readable(body) else body


def _refused(name: str) -> None:
    raise ValueError(name)


def _standing_headers(request: HttpRequest) -> dict[str, str]:
    """Return the headers that the complete way gives every answer of this route."""
    empty = HttpResponse(content_type=JSON)
    for layer in (SecurityMiddleware, ContentSecurityPolicyMiddleware, XFrameOptionsMiddleware):
        layer(lambda _request: empty)(request)
    standing = {"Allow": "POST, OPTIONS", "Cache-Control": "private, no-store", "Vary": "origin"}
    return {**dict(empty.headers.items()), **standing}
