"""One envelope for every error: ``application/problem+json`` (RFC 9457), never a trace."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from apps.tenancy.context import undo_writes
from apps.tenancy.errors import DomainError

MEDIA_TYPE = "application/problem+json"

STATUS_OF_CODE = {
    "not_found": 404,
    "not_allowed": 403,
    "same_person": 403,
    "own_file": 403,
    "own_decision": 403,
    "above_limit": 403,
    "score_missing": 409,
    "score_outdated": 409,
    "override_pending": 409,
    "review_open": 409,
    "motive_exists": 409,
    "invalid_values": 422,
    "invalid_credentials": 401,
    "invalid_token": 401,
    "otp_required": 401,
    "invalid_otp": 401,
    "totp_setup_required": 403,
    "password_closed": 403,
    "locked_out": 429,
    "no_approved_model": 503,
    "no_policy": 503,
    "model_not_allowed": 409,
    "model_refused": 422,
    "gate_failed": 409,
    "training_refused": 409,
    "training_interrupted": 409,
    "promotion_closed": 409,
    "moved": 409,
    "merged": 409,
    "rows_refused": 409,
    "built_on": 409,
    "already_decided": 409,
    "proposal_pending": 409,
    "unfinished": 409,
    "variable_in_use": 409,
    "job_not_changeable": 409,
    "file_too_large": 413,
    "too_many_rows": 413,
    "possible_duplicate": 409,
    "changed_meanwhile": 412,
    "precondition_required": 428,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal as the envelope needs it."""

    status: int
    code: str
    detail: str | None = None
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)


class TooLarge(exceptions.APIException):
    """A body beyond ``DATA_UPLOAD_MAX_MEMORY_SIZE``."""

    status_code = 413


def problem_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn a refusal into a problem and undo what the view wrote; anything else goes to handler500."""
    exc = _from_django(exc)
    if isinstance(exc, DomainError):
        problem = Problem(STATUS_OF_CODE.get(exc.code, 422), exc.code, exc.message, exc.fields)
    elif isinstance(exc, exceptions.APIException):
        problem = _of_drf(exc)
    else:
        return None
    undo_writes()
    request = context["request"]
    body = problem_body(request, **asdict(problem))
    return Response(body, status=problem.status, headers=_headers(exc), content_type=MEDIA_TYPE)


def problem_response(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    detail: str | None = None,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> JsonResponse:
    """Return a problem outside DRF (unknown route, limit, failure of the server)."""
    body = problem_body(request, status=status, code=code, detail=detail, fields=fields)
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def problem_body(
    request: Any,
    *,
    status: int,
    code: str,
    detail: str | None = None,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    title = title_of(status)
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "fields": dict(fields or {}),
        "request_id": getattr(request, "request_id", ""),
    }


def title_of(status: int) -> str:
    """Return the title of a status in the caller's language."""
    titles = {
        400: _("Unreadable request"),
        401: _("Log-in required"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Method not allowed"),
        406: _("No acceptable representation"),
        409: _("Conflict"),
        412: _("Changed meanwhile"),
        413: _("Request too large"),
        415: _("Unsupported content type"),
        422: _("Invalid values"),
        428: _("Precondition required"),
        429: _("Too many requests"),
        503: _("Service unavailable"),
    }
    return titles.get(status, _("Internal error"))


def _from_django(exc: Exception) -> Exception:
    if isinstance(exc, Http404):
        return exceptions.NotFound()
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(exc, RequestDataTooBig):
        return TooLarge()
    return exc


def _of_drf(exc: exceptions.APIException) -> Problem:
    if isinstance(exc, exceptions.ValidationError):
        return Problem(422, "invalid_values", _("Some values cannot be used."), _flatten(exc.detail))
    codes = {
        400: "bad_request",
        401: "not_authenticated",
        403: "not_allowed",
        404: "not_found",
        405: "method_not_allowed",
        406: "not_acceptable",
        413: "too_large",
        415: "unsupported_media_type",
        429: "throttled",
    }
    return Problem(exc.status_code, codes.get(exc.status_code, "refused"))


def _flatten(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Return the messages by field; what lies deeper is named ``field.place``."""
    inner: Mapping[Any, Any] = detail if isinstance(detail, dict) else dict(enumerate(detail))
    if not isinstance(detail, dict) and not any(isinstance(each, dict) for each in detail):
        return {path: [str(message) for message in detail]}
    found: dict[str, list[str]] = {}
    for name, messages in inner.items():
        place = f"{path}.{name}" if path else str(name)
        found |= _flatten(messages if isinstance(messages, list | dict) else [messages], place)
    return found


def _headers(exc: Exception) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers
