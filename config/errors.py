"""The last handlers: a page for people, a problem document for machines, never a trace."""

import sys

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.api.errors import problem_response

API_PREFIX = "/api/"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig) and request.path.startswith(API_PREFIX):
        return _answer(request, 413, "too_large")
    return _answer(request, 400, "bad_request")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403, "not_allowed")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, "not_allowed")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404, "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    """500; 503 when the database is what failed."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _answer(request, 503, "unavailable")
    return _answer(request, 500, "server_error")


def _answer(request: HttpRequest, status: int, code: str) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return problem_response(request, status=status, code=code)
    context = {"request_id": getattr(request, "request_id", "")}
    return render(request, f"errors/{status}.html", context, status=status)
