"""Decisions, read only: taken on the pages and through the API, never here."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from apps.credits.admin import FileAdmin
from apps.decisions.models import Decision
from apps.decisions.queries.decisions import visible_decisions
from apps.institutions.admin import AgencyFilter
from apps.tenancy.admin import admin_actor, begins, told


@admin.register(Decision)
class DecisionAdmin(FileAdmin):
    """What was decided, in the agencies that the administrator sees."""

    list_display = (
        "decided_at",
        "shown_application",
        "kind",
        "recommendation",
        "is_override",
        "shown_decider",
    )
    list_filter = ("kind", "is_override", AgencyFilter, ("decided_at", RangeDateTimeFilter))
    list_select_related = ("application", "decided_by")
    prefixes = ("application__reference",)
    search_help_text = _("Beginning of the reference")
    fields = (
        "decided_at",
        "shown_application",
        "kind",
        "shown_motive",
        "comment",
        "asked_xaf",
        "asked_months",
        "amount_xaf",
        "duration_months",
        "recommendation",
        "pd",
        "threshold",
        "is_override",
        "override_direction",
        "override_reason",
        "override_text",
        "shown_requester",
        "shown_decider",
        "role",
        "limit_xaf",
        "is_retrospective",
    )

    shown_application = told("application", _("credit application"))
    shown_motive = told("motive", _("motive"))
    shown_requester = told("requested_by", _("override asked for by"))
    shown_decider = told("decided_by", _("decided by"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        actor = admin_actor(request)
        found = visible_decisions(actor) if actor else Decision.objects.none()
        return found.order_by(*self.ordering)

    def matches(self, request: HttpRequest, term: str) -> Q:
        return begins("application__reference", term.upper())
