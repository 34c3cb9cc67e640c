"""What back-office pages share: rules by role, changes through services, no deletion, our own audit."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.tenancy.actor import Actor
from apps.tenancy.context import PLATFORM_ALIAS, in_scope
from apps.tenancy.errors import DomainError
from apps.tenancy.models import TenantModel
from apps.tenancy.roles import Verb

#: Pages of a list go no further: whoever looks for more searches or filters.
LIST_CAP = 1_000
LAST = "\U0010ffff"


def admin_actor(request: HttpRequest) -> Actor | None:
    """Return who acts in the back-office, or ``None``."""
    actor: Actor | None = getattr(request, "actor", None)
    return actor


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts ``LIST_CAP`` rows at most, so that a list costs the same with a million rows behind it."""

    template_name = "admin/capped_pagination.html"

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[:LIST_CAP].count())

    @property
    def is_capped(self) -> bool:
        return self.count >= LIST_CAP


class ReasonForm(ActionForm):  # type: ignore[misc]
    """The form of a list's actions that asks why; kept beside the name of whoever acts."""

    reason = forms.CharField(
        label="",
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget(
            attrs={"placeholder": gettext_lazy("Reason"), "aria-label": gettext_lazy("Reason")}
        ),
    )


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose last check is the service itself: what it refuses is told on the form."""

    actor: Any = None
    written: Any = None

    def write(self) -> Any:
        """Call the service with the values of the form and return the row."""
        raise NotImplementedError

    def save(self, commit: bool = True) -> Any:
        return self.written

    def save_m2m(self) -> None:
        """Nothing is left: the service wrote everything."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            self.written = self.write()
        except DomainError as refusal:
            refused(self, refusal)


class RuledAdmin(ModelAdmin):  # type: ignore[misc]
    """A page declares who reads (``reads``) and who writes (``writes``): ``"operator"`` or a verb.

    The operator reads tenant tables through the platform's connection, which cannot write them. Search
    looks for the beginning of ``prefixes`` only, which the indexes serve under row-level security.
    """

    ordering: tuple[str, ...] = ("pk",)  # pages and autocompletes of an unordered list repeat and miss rows
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a count per choice of a filter
    list_per_page = 25
    list_max_show_all = 0
    list_disable_select_all = True
    list_filter_submit = True
    compressed_fields = True
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, (*self.reads, *self.writes))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._holds(request, self.writes)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, self.writes)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # nothing is deleted: rows are deactivated

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied  # before the search: else 403 or 302 would tell which rows exist
        return super().get_object(request, object_id, from_field)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        if issubclass(self.model, TenantModel) and not in_scope():
            shared: models.QuerySet[Any] = self.model.objects.db_manager(PLATFORM_ALIAS).all()
            return shared
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if issubclass(form, ServiceForm):
            form.actor = admin_actor(request)  # a class of this request's own: Django's factory made it
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing is left to a ``ServiceForm``; any other page calls its service here."""
        if not isinstance(form, ServiceForm):
            raise PermissionDenied

    def render_change_form(self, request: HttpRequest, context: Any, **kwargs: Any) -> Any:
        if kwargs.get("obj") is not None and request.method == "GET":
            self.shown(request, kwargs["obj"])
        return super().render_change_form(request, context, **kwargs)

    def shown(self, request: HttpRequest, obj: Any) -> None:
        """Note that a row was shown to a person, where that must be known."""

    def get_search_fields(self, request: HttpRequest) -> Any:
        return self.prefixes or super().get_search_fields(request)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        if not self.prefixes:
            found: tuple[models.QuerySet[Any], bool] = super().get_search_results(
                request, queryset, search_term
            )
            return found
        term = search_term.strip()
        return (queryset.filter(self.matches(request, term)) if term else queryset), False

    def matches(self, request: HttpRequest, term: str) -> models.Q:
        """Return the rows of which one of ``prefixes`` begins with ``term``."""
        found = models.Q()
        for name in self.prefixes:
            found |= begins(name, term)
        return found

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Our audit entry, written by the service, stands for Django's log."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Our audit entry, written by the service, stands for Django's log."""

    def _holds(self, request: HttpRequest, rules: tuple[str, ...]) -> bool:
        actor = admin_actor(request)
        if actor is None:
            return False
        if actor.kind == "operator":
            return "operator" in rules
        return any(actor.may(Verb(rule)) for rule in rules if rule != "operator")


def told(name: str, label: Any) -> Any:
    """Return a column that shows ``name`` under ``label``, for a field without words of its own."""

    @admin.display(description=label)
    def value(_page: Any, row: Any) -> Any:
        return getattr(row, name)

    return value


def begins(name: str, term: str) -> models.Q:
    """Return the rows whose text begins with ``term``, as a range: LIKE uses no index under row security."""
    return models.Q(**{f"{name}__gte": term, f"{name}__lt": term + LAST})


def act_on_each(
    request: HttpRequest, rows: Iterable[Any], verb: Callable[[Any], Any], *, done: Callable[[int], str]
) -> None:
    """Do ``verb`` to each row of a list's action, and tell what was done and what was refused."""
    count, refusals = 0, []
    for row in rows:
        try:
            verb(row)
        except DomainError as refusal:
            refusals.append(f"{row}: {refusal.message}")
        else:
            count += 1
    if count:
        messages.success(request, done(count))
    for refusal_text in refusals:
        messages.error(request, refusal_text)


def reason_of(request: HttpRequest) -> str:
    """Return the reason given with a list's action; tell when it is missing."""
    reason = request.POST.get("reason", "").strip()[:300]
    if not reason:
        messages.error(request, _("Write the reason beside the action."))
    return reason


def refused(form: Any, refusal: DomainError) -> None:
    """Put a service's refusal into a form, on the fields that it names where the form has them."""
    known = {name: texts for name, texts in refusal.fields.items() if name in form.fields and texts}
    for name, texts in known.items():
        form.add_error(name, ValidationError(list(texts)))
    if not known:
        form.add_error(None, refusal.message)
