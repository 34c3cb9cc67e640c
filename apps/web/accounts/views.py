from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.tenancy.errors import DomainError
from apps.users.errors import InvitationOver
from apps.users.queries import second_factor_of
from apps.users.services.invitations import accept_invitation, invited_membership
from apps.users.services.login import check_code, check_credentials, pending, person_of_pending
from apps.users.services.sessions import PASSWORD, enter, leave
from apps.web.access import PUBLIC, ActorRequest, allow
from apps.web.accounts.forms import CodeForm, InvitationForm, LoginForm
from apps.web.accounts.personas import demo_personas
from apps.web.accounts.places import known_place

PENDING = "second_step"
YEAR = 365 * 24 * 60 * 60


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password")
@allow(PUBLIC)
def log_in(request: HttpRequest) -> HttpResponse:
    form, status = LoginForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        try:
            user = check_credentials(request=request, **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, refusal.message)
            status = _status(refusal)
        else:
            return after_first_step(request, user, next_url=next_of(request))
    place = known_place(request)
    context = {"form": form, "personas": demo_personas(), "next": next_of(request), "place": place}
    return render(request, "users/login.html", context, status=_worse(form, status))


@require_http_methods(["GET", "POST"])
@never_cache
@allow(PUBLIC)
def log_in_code(request: HttpRequest) -> HttpResponse:
    """Take the second step, for a person with a second factor, within five minutes of the first."""
    user = person_of_pending(request.session.get(PENDING))
    if user is None:
        return redirect("web:login")
    form, status = CodeForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        try:
            check_code(request=request, user=user, **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, refusal.message)
            status = _status(refusal)
        else:
            kept = request.session.pop(PENDING)
            enter(request=request, user=user, way=kept.get("way", PASSWORD))
            return redirect(kept["next"] or _start(user))
    return render(request, "users/login_code.html", {"form": form}, status=_worse(form, status))


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password", "again")
@transaction.atomic
@allow(PUBLIC)
def invitation(request: HttpRequest) -> HttpResponse:
    """Let an invited administrator choose a name and a password; the link works once."""
    token, form = request.GET.get("jeton", ""), InvitationForm(request.POST or None)
    try:
        invited = invited_membership(token)
        if request.method == "POST" and form.is_valid():
            accept_invitation(
                token=token,
                full_name=form.cleaned_data["full_name"],
                password=form.cleaned_data["password"],
            )
            return redirect("web:login")
    except InvitationOver as refusal:
        return render(request, "users/invitation.html", {"refusal": refusal.message}, status=404)
    except ValidationError as error:
        form.add_error("password", error)
    context = {"form": form, "invited": invited}
    return render(request, "users/invitation.html", context, status=422 if form.errors else 200)


@require_POST
@allow(PUBLIC)
def log_out(request: ActorRequest) -> HttpResponse:
    leave(request=request)
    return redirect("web:login")


@require_POST
@allow(PUBLIC)
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language of this browser."""
    response = redirect(next_of(request) or "web:home")
    if check_for_language(language := request.POST.get("language", "")):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=YEAR,
            samesite="Lax",
            secure=request.is_secure(),
            httponly=True,
        )
    return response


def after_first_step(
    request: HttpRequest, user: Any, *, next_url: str, way: str = PASSWORD, strong: bool = False
) -> HttpResponse:
    """Ask for the code of whoever has a second factor, unless the first step was strong; else enter."""
    if second_factor_of(user.pk) and not strong:
        request.session.cycle_key()
        request.session[PENDING] = pending(user, next_url=next_url, way=way)
        return redirect("web:login_code")
    enter(request=request, user=user, way=way, strong=strong)
    return redirect(next_url or _start(user))


def _start(user: Any) -> str:
    return resolve_url("admin:index" if user.is_operator else "web:home")


def _status(refusal: DomainError) -> int:
    return 429 if refusal.code == "locked_out" else 422


def _worse(form: Any, status: int) -> int:
    return max(status, 422 if form.errors else 200)


def next_of(request: HttpRequest) -> str:
    """Return where the person wanted to go, an address of this site, or nothing."""
    wish = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wish, {request.get_host()}, require_https=request.is_secure())
    return wish if safe else ""
