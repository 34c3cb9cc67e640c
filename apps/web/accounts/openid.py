"""Logging in through the identity provider of one's institution, by the link that it gave."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.tenancy.errors import DomainError
from apps.users.services.openid import begin_openid, finish_openid, provider_of_link
from apps.users.services.sessions import OPENID
from apps.web.access import PUBLIC, allow
from apps.web.accounts.places import remember_place
from apps.web.accounts.views import after_first_step, next_of

#: What a refusal answers; any other is the person's to mend.
STATUSES = {"link": 404, "unreachable": 503}
REFUSED, LOCKED = 403, 429


@require_safe
@never_cache
@allow(PUBLIC)
def institution_log_in(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show the way in of one institution; an unknown one is told from none by nothing."""
    try:
        provider = provider_of_link(uid)
    except DomainError as refusal:
        return _refused(request, refusal)
    context = {"place": provider, "next": next_of(request)}
    return render(request, "users/institution_log_in.html", context)


@require_safe
@never_cache
@allow(PUBLIC)
def openid_start(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Lead the browser to the provider."""
    try:
        address = begin_openid(
            request=request,
            institution=uid,
            return_address=_return_address(request, uid),
            next_url=next_of(request),
        )
    except DomainError as refusal:
        return _refused(request, refusal, uid)
    return redirect(address)


@require_safe
@never_cache
@allow(PUBLIC)
def openid_return(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take the provider's answer: the person enters, or is asked for the second factor first."""
    try:
        arrival = finish_openid(
            request=request,
            institution=uid,
            return_address=_return_address(request, uid),
            told=request.GET.dict(),
        )
    except DomainError as refusal:
        return _refused(request, refusal, uid)
    entered = after_first_step(
        request, arrival.user, next_url=arrival.next_url, way=OPENID, strong=arrival.strong
    )
    return remember_place(request, entered, uid)


def _return_address(request: HttpRequest, uid: UUID) -> str:
    return request.build_absolute_uri(reverse("web:openid_return", args=[uid]))


def _refused(request: HttpRequest, refusal: DomainError, uid: UUID | None = None) -> HttpResponse:
    reason = getattr(refusal, "reason", "")
    status = LOCKED if refusal.code == "locked_out" else STATUSES.get(reason, REFUSED)
    again = reverse("web:institution_log_in", args=[uid]) if uid and reason != "link" else ""
    context = {"refusal": refusal.message, "again": again}
    return render(request, "users/institution_log_in.html", context, status=status)
