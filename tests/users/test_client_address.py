"""Whose address a request has: the connection's, or what a declared proxy says of it."""

import ipaddress

import pytest
from django.test import Client, RequestFactory

from apps.users.backends import client_address

PROXY, OTHER_PROXY, CLIENT = "10.0.0.2", "10.0.0.3", "198.51.100.7"
NAME = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def proxies(settings):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/29")]


def address(peer, forwarded=None):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory(REMOTE_ADDR=peer, headers=headers).get("/"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (CLIENT, None, CLIENT),
        (CLIENT, "203.0.113.9", CLIENT),  # nobody's proxy
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"203.0.113.9, {CLIENT}", CLIENT),  # the left part is the client's own invention
        (PROXY, f"{CLIENT}, {OTHER_PROXY}", CLIENT),
        (PROXY, "2001:db8::5", "2001:db8::5"),
        (PROXY, None, PROXY),
        (PROXY, "", PROXY),
        (PROXY, "not-an-address", PROXY),
        (PROXY, f"{CLIENT}, <script>", PROXY),
        (PROXY, OTHER_PROXY, OTHER_PROXY),
        ("", CLIENT, "::"),
    ],
)
def test_the_address(peer, forwarded, expected):
    assert address(peer, forwarded) == expected


def test_without_a_declared_proxy_nobody_is_believed(settings):
    settings.TRUSTED_PROXIES = []
    assert address(PROXY, CLIENT) == PROXY


@pytest.mark.parametrize(
    ("peer", "given", "kept"),
    [
        (PROXY, NAME, True),
        (CLIENT, NAME, False),
        (PROXY, "x" * 32, False),
        (PROXY, NAME + "0", False),
        (PROXY, "", False),
    ],
)
def test_a_request_keeps_the_name_that_our_proxy_gave_only(peer, given, kept):
    answer = Client(REMOTE_ADDR=peer, headers={"X-Request-Id": given}).get("/healthz")

    assert (answer["X-Request-Id"] == given) is kept
    assert len(answer["X-Request-Id"]) == 32
