"""The person's own page: language, password, open sessions, second factor; and the forgotten password."""

from uuid import UUID

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.tenancy.errors import DomainError
from apps.users.queries import own_sessions, second_factor_of
from apps.users.rules import provisioning_uri
from apps.users.services.login import check_code
from apps.users.services.members import set_language, set_theme
from apps.users.services.passwords import change_password, person_of_reset, reset_password, send_reset
from apps.users.services.second_factor import begin_second_factor, confirm_second_factor, remove_second_factor
from apps.users.services.sessions import close_other_sessions, close_own_session, enter
from apps.web.access import PERSON, PUBLIC, ActorRequest, allow
from apps.web.accounts.forms import (
    ChangePasswordForm,
    CodeForm,
    LanguageForm,
    NewPasswordForm,
    ResetRequestForm,
    ThemeForm,
)
from apps.web.accounts.presenters import refuse, session_lines
from apps.web.notices import say

RESET = "reset"


@require_safe
@never_cache
@allow(PERSON)
def profile(request: ActorRequest) -> HttpResponse:
    context = {
        "person": request.user,
        "sessions": session_lines(own_sessions(request.user.pk), current=request.login_session),
        "second_factor": second_factor_of(request.user.pk),
        "language_form": LanguageForm(initial={"language": request.user.language}),
        "theme_form": ThemeForm(initial={"theme": request.user.theme}),
    }
    return render(request, "users/profile.html", context)


@require_POST
@allow(PERSON)
def profile_language(request: ActorRequest) -> HttpResponse:
    form = LanguageForm(request.POST)
    if form.is_valid():
        set_language(user=request.user, **form.cleaned_data)
        messages.success(request, _("Language saved."))
    return redirect("web:profile")


@require_POST
@allow(PERSON)
def profile_theme(request: ActorRequest) -> HttpResponse:
    """Keep the theme; the button of the top bar (``?bouton``) needs no page in answer."""
    form = ThemeForm(request.POST)
    if form.is_valid():
        set_theme(user=request.user, **form.cleaned_data)
    if "bouton" in request.GET:
        return HttpResponse(status=204 if form.is_valid() else 422)
    if form.is_valid():
        say(request, _("Theme saved."))
    return redirect("web:profile")


@require_POST
@allow(PERSON)
def profile_sessions(request: ActorRequest) -> HttpResponse:
    """Close one session, or all but the one at hand."""
    try:
        if wish := request.POST.get("session"):
            close_own_session(uid=UUID(wish), by=request.actor)
        else:
            close_other_sessions(keep=request.login_session.uid, by=request.actor)
    except (DomainError, ValueError):
        messages.error(request, _("This session was closed already."))
    else:
        messages.success(request, _("Closed. Its tokens and pages no longer open anything."))
    return redirect("web:profile")


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters()
@allow(PERSON)
def password_change(request: ActorRequest) -> HttpResponse:
    form = ChangePasswordForm(request.POST or None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            change_password(user=request.user, current=given["current"], new=given["new"], request=request)
        except DomainError as refusal:
            refuse(form, refusal)
        else:
            enter(request=request, user=request.user)
            messages.success(request, _("Password changed. Your other sessions are closed."))
            return redirect("web:profile")
    return _form_page(request, "users/password_change.html", form)


@require_http_methods(["GET", "POST"])
@never_cache
@allow(PERSON)
def second_factor(request: ActorRequest) -> HttpResponse:
    """Set up the second factor, or show that it is on."""
    if second_factor_of(request.user.pk):
        return redirect("web:profile")
    secret = begin_second_factor(user=request.user)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            codes = confirm_second_factor(user=request.user, by=request.actor, **form.cleaned_data)
        except DomainError as refusal:
            refuse(form, refusal)
        else:
            return render(request, "users/recovery_codes.html", {"codes": codes})
    uri = provisioning_uri(secret, account=request.user.email)
    drawing = segno.make(uri, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff")
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    context = {"uri": uri, "secret": groups, "drawing": mark_safe(drawing)}  # noqa: S308  drawn by the library
    return _form_page(request, "users/second_factor.html", form, **context)


@require_http_methods(["GET", "POST"])
@never_cache
@allow(PERSON)
def second_factor_off(request: ActorRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            check_code(request=request, user=request.user, **form.cleaned_data)
            remove_second_factor(user=request.user, by=request.actor)
        except DomainError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The second factor is off."))
            return redirect("web:profile")
    return _form_page(request, "users/second_factor_off.html", form)


@require_http_methods(["GET", "POST"])
@allow(PUBLIC)
def password_forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link by e-mail; the answer is the same whether or not the e-mail is known."""
    form = ResetRequestForm(request.POST or None)
    if not form.is_valid():
        return _form_page(request, "users/password_forgotten.html", form)

    def link(uid: str, token: str) -> str:
        query = urlencode({"personne": uid, "jeton": token})
        return request.build_absolute_uri(f"{reverse('web:password_reset')}?{query}")

    send_reset(request=request, email=form.cleaned_data["email"], link=link)
    return render(request, "users/password_forgotten.html", {"sent": True})


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters()
@allow(PUBLIC)
def password_reset(request: HttpRequest) -> HttpResponse:
    """Keep the link's token in the session, so that no address holds it, then take the new password."""
    if token := request.GET.get("jeton"):
        request.session[RESET] = {"uid": request.GET.get("personne", ""), "token": token}
        return redirect("web:password_reset")
    link = request.session.get(RESET) or {"uid": "", "token": ""}
    form = NewPasswordForm(request.POST or None)
    try:
        person_of_reset(**link)
        if form.is_valid():
            reset_password(request=request, new=form.cleaned_data["new"], **link)
            request.session.flush()
            messages.success(request, _("Password changed. Log in with it."))
            return redirect("web:login")
    except DomainError as refusal:
        if not refusal.fields:
            return render(request, "users/password_reset.html", {"dead": True}, status=410)
        refuse(form, refusal)
    return _form_page(request, "users/password_reset.html", form)


def _form_page(request: HttpRequest, template: str, form: object, **context: object) -> HttpResponse:
    failed = bool(getattr(form, "errors", None))
    return render(request, template, {"form": form, **context}, status=422 if failed else 200)
