"""The trails in the back-office. The words of actions stand in this app, hence these pages too."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.audit.models import AuditEntry, PlatformEntry
from apps.institutions.models import Institution
from apps.tenancy.admin import RuledAdmin
from apps.tenancy.roles import Verb
from apps.web.audit.presenters import action_labels, changes_of, object_labels


class TrailAdmin(RuledAdmin):
    ordering = ("-pk",)
    sortable_by = ()

    @display(description=gettext_lazy("action"))
    def shown_action(self, entry: Any) -> str:
        return action_labels().get(entry.action, str(entry.action))


class ActionFilter(admin.SimpleListFilter):
    title = gettext_lazy("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(action_labels().items(), key=lambda item: item[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(TrailAdmin):
    reads = (Verb.READ_AUDIT,)
    list_display = ("at", "actor_name", "shown_action", "shown_object", "address")
    list_filter = (ActionFilter, ("at", RangeDateTimeFilter))
    prefixes = ("object_uid",)
    search_help_text = gettext_lazy("Identifier of an object")
    fields = (
        "at",
        "actor_name",
        "shown_action",
        "shown_object",
        "object_uid",
        "changes",
        "request_id",
        "address",
    )

    def matches(self, request: HttpRequest, term: str) -> Q:
        try:
            return Q(object_uid=UUID(term))
        except ValueError:
            return Q(pk__in=())

    @display(description=gettext_lazy("type of object"))
    def shown_object(self, entry: AuditEntry) -> str:
        return object_labels().get(entry.object_type, entry.object_type)

    @display(description=gettext_lazy("changes"))
    def changes(self, entry: AuditEntry) -> str:
        lines = [
            f"{each.name}: {each.before} → {each.after}" for each in changes_of(entry.before, entry.after)
        ]
        return "\n".join(lines) or "—"


@admin.register(PlatformEntry)
class PlatformEntryAdmin(TrailAdmin):
    """What the operator did across institutions, with the reasons given."""

    reads = ("operator",)
    list_display = ("at", "actor_name", "shown_action", "institution", "reason")
    list_filter = (ActionFilter,)
    prefixes = ("actor_name",)
    fields = ("at", "actor_name", "shown_action", "institution", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        name = Institution.objects.filter(pk=OuterRef("institution_id")).values("name")[:1]
        entries: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[Any] = entries.annotate(institution_name=Subquery(name))
        return named

    @display(description=gettext_lazy("institution"))
    def institution(self, entry: Any) -> str:
        return entry.institution_name or _("Platform")
