import re

from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from apps.tenancy.errors import DomainError
from apps.users.services.drafts import discard_draft, restore_draft, save_draft
from apps.web.access import MEMBER, ActorRequest, allow
from apps.web.drafts.offers import RESUME
from apps.web.notices import say

KEY = re.compile(r"[a-z0-9-]{1,80}")
#: What a browser sends beside the fields of the form.
NOT_TYPED = {"csrfmiddlewaretoken", "enregistrer"}


@require_POST
@sensitive_post_parameters()
@allow(MEMBER)
def draft(request: ActorRequest) -> HttpResponse:
    """Keep, throw away (``?effacer``) or take back (``?annuler``) what was typed in the form ``?cle=``.

    A script that saves gets one line of text; a form without script is led back to its page.
    """
    key = request.GET.get("cle", "")
    if not KEY.fullmatch(key):
        return HttpResponseBadRequest()
    if "effacer" in request.GET:
        return _discard(request, key)
    if "annuler" in request.GET:
        restore_draft(key=key, by=request.actor)
        return redirect(_page(request))
    content = {name: texts for name, texts in request.POST.lists() if name not in NOT_TYPED}
    try:
        saved = save_draft(key=key, content=content, by=request.actor)
    except DomainError as refusal:
        return HttpResponse(refusal.message, status=413, content_type="text/plain")
    told = _("Draft saved at %(time)s") % {"time": time_format(timezone.localtime(saved.saved_at), "H:i")}
    if "enregistrer" not in request.POST:
        return HttpResponse(told, content_type="text/plain")
    say(request, told)
    return redirect(f"{_page(request)}?{urlencode({RESUME: key})}")


def _discard(request: ActorRequest, key: str) -> HttpResponse:
    if discard_draft(key=key, by=request.actor):
        undo = request.get_full_path().replace("effacer=1", "annuler=1")
        say(request, _("Draft deleted."), undo=undo)
    return redirect(_page(request))


def _page(request: ActorRequest) -> str:
    wish = request.GET.get("page", "")
    own = url_has_allowed_host_and_scheme(wish, {request.get_host()}, require_https=request.is_secure())
    return wish if own else "/"
