"""Every route declares who may use it."""

from django.urls import URLPattern, URLResolver, get_resolver

from apps.tenancy.catalogue import OPEN_ROUTES
from apps.tenancy.roles import Verb


def routes(resolver=None, prefix=""):
    """Yield ``(path, pattern)`` of every route outside Django's admin."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if entry.app_name != "admin":
                yield from routes(entry, path)
        elif isinstance(entry, URLPattern):
            yield path, entry


def declared(callback):
    view_class = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    return getattr(view_class, "verbs", None) if view_class else getattr(callback, "rule", None)


def test_every_route_declares_its_rule():
    undeclared = [
        path
        for path, pattern in routes()
        if pattern.name not in OPEN_ROUTES and not declared(pattern.callback)
    ]

    assert undeclared == []


def test_rules_are_verbs_of_the_role_table():
    for path, pattern in routes():
        rule = declared(pattern.callback)
        for verb in rule.values() if isinstance(rule, dict) else []:
            assert verb in Verb, path


def test_addresses_have_no_trailing_slash_outside_the_admin():
    assert [path for path, _ in routes() if path.endswith("/") and path != "api/v1/"] == []
