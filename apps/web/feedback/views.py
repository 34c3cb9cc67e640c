from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.outbox.queries import own_alerts
from apps.outbox.services import mark_alerts_read
from apps.tenancy.errors import DomainError
from apps.tenancy.roles import Verb
from apps.users.queries import received_feedback
from apps.users.services.feedback import mark_feedback, send_feedback
from apps.web.access import MEMBER, ActorRequest, allow
from apps.web.feedback.forms import FeedbackForm
from apps.web.feedback.presenters import address_of, alert_lines
from apps.web.notices import say
from apps.web.pages import cursor_page


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("text")
@allow(MEMBER)
def feedback(request: ActorRequest) -> HttpResponse:
    form = FeedbackForm(request.POST or None, initial={"page": request.GET.get("page", "")[:200]})
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            send_feedback(**form.cleaned_data, by=request.actor)
        except DomainError as refusal:
            form.add_error(None, refusal.message)
            status = 429
        else:
            say(request, _("Thank you. Your administrators have received your opinion."))
            return redirect("web:home")
    return render(
        request, "feedback/form.html", {"form": form}, status=max(status, 422 if form.errors else 200)
    )


@require_http_methods(["GET", "POST"])
@allow(Verb.ADMINISTER)
def feedback_received(request: ActorRequest) -> HttpResponse:
    """List what was written; a POST marks ``?avis=`` as handled, or takes that back (``&annuler=1``)."""
    if request.method == "POST":
        handled = "annuler" not in request.GET
        try:
            one = mark_feedback(uid=_uid(request, "avis"), handled=handled, by=request.actor)
        except DomainError:
            raise Http404 from None
        if handled:
            say(
                request,
                _("Marked as handled."),
                undo=f"{reverse('web:feedback_received')}?avis={one.uid}&annuler=1",
            )
        return redirect("web:feedback_received")
    page = cursor_page(request, received_feedback())
    context = {"opinions": page.rows, "next_url": page.next_url, "previous_url": page.previous_url}
    return render(request, "feedback/received.html", context)


@require_http_methods(["GET", "POST"])
@allow(MEMBER)
def alerts(request: ActorRequest) -> HttpResponse:
    """List one's own alerts; a POST marks ``?alerte=`` (``&ouvrir`` leads to its page) or all as read."""
    if request.method == "POST":
        one = _uid(request, "alerte") if "alerte" in request.GET else None
        count = mark_alerts_read(by=request.actor, uid=one)
        if one is not None and "ouvrir" in request.GET:
            return redirect(address_of(own_alerts(request.actor).filter(uid=one).first()))
        if count:
            say(
                request,
                ngettext("Marked as read.", "%(count)d alerts marked as read.", count) % {"count": count},
            )
        return redirect("web:alerts")
    page = cursor_page(request, own_alerts(request.actor))
    context = {
        "alerts": alert_lines(page.rows),
        "next_url": page.next_url,
        "previous_url": page.previous_url,
    }
    return render(request, "feedback/alerts.html", context)


def _uid(request: ActorRequest, name: str) -> UUID:
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        raise Http404 from None
