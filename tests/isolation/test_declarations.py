"""What forgets its declaration does not start: models, routes, back-office pages, tasks, inlines."""

import types

import pytest
from celery import current_app, shared_task
from django.contrib import admin
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import models
from django.test.utils import isolate_apps
from django.urls import include, path

from apps.api.v1.base import ApiView
from apps.credits.models import Client
from apps.tenancy.admin import RuledAdmin
from apps.tenancy.checks import own_tasks, tenant_models_are_locked
from apps.tenancy.models import TenantModel
from apps.tenancy.roles import Verb
from apps.web.access import MEMBER, PUBLIC, allow


def errors(*tags):
    return [(error.id, error.msg) for error in run_checks(tags=list(tags))]


def test_the_project_is_declared_whole():
    assert errors("tenancy", "urls") == []


def some_view(_request):
    return None


def urlconf(settings, *patterns):
    module = types.ModuleType("stray_urls")
    module.urlpatterns = [path("", include("config.urls")), *patterns]
    settings.ROOT_URLCONF = module


class Undeclared(ApiView):
    def get(self, request):
        return None


class HalfDeclared(ApiView):
    verbs = {"GET": Verb.SCORE}

    def get(self, request):
        return None

    def delete(self, request):
        return None


class Misdeclared(ApiView):
    verbs = {"GET": "anything"}

    def get(self, request):
        return None


@pytest.mark.parametrize(
    ("view", "fault"),
    [
        (some_view, "declares no rule"),
        (allow("everybody")(some_view), "declares no rule"),
        (Undeclared.as_view(), "declares no verb"),
        (HalfDeclared.as_view(), "declares no verb for DELETE"),
        (Misdeclared.as_view(), "declares no verb for GET"),
    ],
)
def test_an_undeclared_route_does_not_start(settings, view, fault):
    urlconf(settings, path("stray", view))

    [(identifier, message)] = errors("urls")

    assert identifier == "tenancy.E004"
    assert message.startswith(f"Route 'stray' {fault}")
    with pytest.raises(SystemCheckError):
        call_command("check")


def test_an_undeclared_route_is_found_inside_a_group(settings):
    urlconf(settings, path("group/", include([path("healthz", some_view)])))

    assert [message for _id, message in errors("urls")] == ["Route 'group/healthz' declares no rule"]


@pytest.mark.parametrize("rule", [PUBLIC, MEMBER, Verb.DECIDE])
def test_a_declared_route_starts(settings, rule):
    urlconf(settings, path("stray", allow(rule)(some_view)))

    assert errors("urls") == []


class PlainPage(admin.ModelAdmin):
    pass


class SilentPage(RuledAdmin):
    pass


class StrayInline(admin.TabularInline):
    model = Client


class PageWithInline(RuledAdmin):
    reads = ("operator",)
    inlines = (StrayInline,)


@pytest.mark.parametrize("page_class", [PlainPage, SilentPage, PageWithInline])
def test_a_back_office_page_without_a_rule_does_not_start(monkeypatch, page_class):
    monkeypatch.setitem(admin.site._registry, Client, page_class(Client, admin.site))

    assert errors("tenancy") == [("tenancy.E005", f"{page_class.__name__} declares no rule")]


def test_a_task_that_takes_unsigned_messages_does_not_start():
    @shared_task(name="apps.stray.tasks.leak")
    def leak(client_id):
        return client_id

    try:
        assert "apps.stray.tasks.leak" in own_tasks()
        assert errors("tenancy") == [("tenancy.E006", "Task apps.stray.tasks.leak is not a TenantTask")]
    finally:
        current_app.tasks.unregister("apps.stray.tasks.leak")
        forget_shared("leak")


def forget_shared(name):
    """Take a shared task back, so that the next finalisation does not bring it again."""
    from celery import _state

    for each in list(_state._on_app_finalizers):
        if name in str(getattr(each, "__closure__", None) and [c.cell_contents for c in each.__closure__]):
            _state._on_app_finalizers.discard(each)


def test_a_tenant_model_without_its_locks_does_not_start():
    with isolate_apps("apps.credits", "apps.institutions") as registry:

        class Stray(TenantModel):
            client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
            objects = models.Manager()

            class Meta:
                app_label = "credits"
                constraints = []

        found = tenant_models_are_locked(app_configs=[registry.get_app_config("credits")])

    assert {error.id for error in found} == {"tenancy.E001", "tenancy.E002", "tenancy.E003"}
