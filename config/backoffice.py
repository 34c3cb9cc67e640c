"""The back-office: one log-in door for all, a menu of what each may open, and the policy its theme needs."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.templatetags.static import static
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.csp import csp_override
from unfold.sites import UnfoldAdminSite

from apps.tenancy.admin import admin_actor
from apps.tenancy.roles import Verb
from apps.users.services.sessions import leave


class BackOffice(UnfoldAdminSite):  # type: ignore[misc]
    index_title = ""  # set per request: the site is made before any language is known

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        wrapped: Callable[..., Any] = csp_override(cast("dict[str, list[str]]", settings.BACK_OFFICE_CSP))(
            super().admin_view(view, cacheable)
        )
        return wrapped

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect_to_login(request.GET.get("next", resolve_url("admin:index")))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "POST":  # a link of another site must not log out
            leave(request=request)
        return redirect("web:login")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("web:password_change")

    def index(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        answer: HttpResponse = super().index(request, {"title": _("Dashboard"), **(extra_context or {})})
        return answer

    def search(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Find pages of the menu by name; the theme's own search keeps results longer than a role lasts."""
        term = request.GET.get("s", "").strip().casefold()
        entries = [entry for group in navigation(request) for entry in group["items"]] if term else []
        found = [entry for entry in entries if term in str(entry["title"]).casefold()]
        return render_results(request, found)


def render_results(request: HttpRequest, entries: list[dict[str, Any]]) -> HttpResponse:
    from django.core.paginator import Paginator
    from django.template.response import TemplateResponse
    from unfold.dataclasses import SearchResult

    results = [
        SearchResult(title=entry["title"], description="", link=entry["link"], icon=entry["icon"])
        for entry in entries
    ]
    pages = Paginator(results, max(len(results), 1))
    context = {"page_obj": pages, "results": pages.page(1), "page_counter": 0, "execution_time": 0}
    return TemplateResponse(
        request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"}
    )


#: Groups of the menu: title, then (model's label, icon). Who may open what is asked of each page.
MENU: list[tuple[Callable[[], str], list[tuple[str, str]]]] = [
    (
        lambda: _("Organisation"),
        [
            ("institutions.institution", "account_balance"),
            ("institutions.agency", "store"),
            ("users.user", "person"),
            ("users.membership", "group"),
            ("users.identityprovider", "login"),
            ("users.boundidentity", "link"),
            ("users.partnerkey", "key"),
            ("outbox.webhook", "webhook"),
            ("outbox.webhookattempt", "outgoing_mail"),
            ("institutions.datedsetting", "tune"),
        ],
    ),
    (
        lambda: _("Credit"),
        [
            ("credits.client", "contacts"),
            ("credits.creditapplication", "description"),
            ("credits.dictionaryvariable", "menu_book"),
            ("scoring.prediction", "speed"),
            ("decisions.decision", "gavel"),
        ],
    ),
    (
        lambda: _("Models"),
        [("registry.platformmodel", "inventory_2"), ("registry.modelversion", "model_training")],
    ),
    (
        lambda: _("Supervision"),
        [
            ("jobs.job", "schedule"),
            ("outbox.outboxmessage", "mail"),
            ("axes.accessattempt", "lock"),
            ("audit.auditentry", "history"),
            ("audit.platformentry", "menu_book"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu of what this person may open."""
    pages = {model._meta.label_lower: page for model, page in admin.site._registry.items()}  # noqa: SLF001
    groups: list[dict[str, Any]] = [{"items": [_entry(_("Dashboard"), "admin:index", "dashboard")]}]
    for title, entries in MENU:
        items = [
            _entry(capfirst(str(page.model._meta.verbose_name_plural)), _list_of(page), icon)
            for label, icon in entries
            if (page := pages.get(label)) is not None and page.has_view_permission(request)
        ]
        if items:
            groups.append({"title": title(), "items": items})
    if getattr(request, "membership", None) is not None:
        links = [_entry(_("Back to the application"), "web:home", "arrow_back")]
        if (actor := admin_actor(request)) is not None and actor.may(Verb.ADMINISTER):
            links.insert(0, _entry(_("Institution and logo"), "web:institution", "image"))
        groups.append({"separator": True, "items": [link | {"active": False} for link in links]})
    return groups


def _entry(title: str, route: str, icon: str) -> dict[str, Any]:
    return {"title": title, "link": reverse(route), "icon": icon}


def _list_of(page: Any) -> str:
    return f"admin:{page.model._meta.app_label}_{page.model._meta.model_name}_changelist"


def account_links(request: HttpRequest) -> list[dict[str, str]]:
    """Return the links under the person's name."""
    links = [{"title": _("Change password"), "link": reverse("web:password_change")}]
    if getattr(request, "membership", None) is not None:
        links.insert(0, {"title": _("Back to the application"), "link": reverse("web:home")})
    return links


def place(request: HttpRequest) -> str:
    """Return where one is: the institution, or the platform."""
    membership = getattr(request, "membership", None)
    if membership is not None:
        return str(membership.institution.name)
    return _("Platform") if admin_actor(request) else ""


def environment(_request: HttpRequest) -> tuple[str, str] | None:
    """Return the mark of the demonstration, beside the title."""
    return (_("Demonstration"), "warning") if settings.DEMO_MODE else None


def logo(_request: HttpRequest) -> str:
    return static("img/logo.svg")


def favicon(*_arguments: Any) -> str:
    return static("img/favicon.svg")


def stylesheet(_request: HttpRequest) -> str:
    return static("css/backoffice.css")
