from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.institutions.queries import get_institution, logo_of
from apps.institutions.services import remove_logo, set_logo
from apps.institutions.validators import picture_kind
from apps.tenancy.errors import DomainError
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.institution.forms import LogoForm
from apps.web.institution.presenters import facts_of, stamp_of


@require_http_methods(["GET", "POST"])
@allow(Verb.ADMINISTER)
def institution(request: ActorRequest) -> HttpResponse:
    """Show what the platform holds of the institution; its logo is changed here."""
    form = LogoForm(request.POST, request.FILES) if request.method == "POST" else LogoForm()
    if form.is_valid():
        try:
            set_logo(upload=form.cleaned_data["logo"], by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The logo is set: the next documents bear it."))
            return redirect("web:institution")
    found = get_institution(request.actor.institution)
    logo = logo_of(found)
    context = {"form": form, "facts": facts_of(found), "logo_stamp": stamp_of(logo) if logo else ""}
    return render(request, "institution/detail.html", context, status=422 if form.errors else 200)


@require_safe
@allow(Verb.ADMINISTER)
def institution_logo(request: ActorRequest) -> HttpResponse:
    """Send the logo of the person's own institution; there is no address of another one's."""
    logo = logo_of(get_institution(request.actor.institution))
    content = logo.read_bytes() if logo else b""
    kind = picture_kind(content)
    if not kind:
        raise Http404
    return HttpResponse(content, content_type=kind, headers={"Cache-Control": "private, no-store"})


@allow(Verb.ADMINISTER)
@require_POST
def institution_logo_remove(request: ActorRequest) -> HttpResponse:
    try:
        remove_logo(by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The logo is removed: the next documents bear the name alone."))
    return redirect("web:institution")
