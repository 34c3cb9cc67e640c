"""Three limits at once: of an account from an address, of an account, of an address."""

import json
import statistics
import time

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from apps.audit.models import AuditEntry
from apps.users.backends import count_failure, seconds_locked
from apps.users.errors import InvalidCredentials, LockedOut
from apps.users.services.login import check_credentials

pytestmark = pytest.mark.django_db
BRANCH, ELSEWHERE = "192.0.2.10", "198.51.100.7"


def fail(email, address, times):
    for _ in range(times):
        count_failure(email=email, address=address)


def api_log_in(email, address, password=settings.DEMO_PASSWORD):
    body = json.dumps({"email": email, "password": password})
    return Client(REMOTE_ADDR=address).post("/api/v1/login", body, content_type="application/json")


def test_the_api_is_locked_even_for_the_right_password(world):
    answers = [api_log_in(world.analyst, BRANCH, "faux").status_code for _ in range(5)]

    locked = api_log_in(world.analyst, BRANCH)

    assert answers == [401] * 5
    assert (locked.status_code, locked.json()["code"]) == (429, "locked_out")
    assert 0 < int(locked["Retry-After"]) <= 15 * 60 + 1
    with world.scope():
        trail = list(AuditEntry.objects.values_list("action", flat=True))
    assert (trail.count("login.failed"), trail.count("login.locked")) == (5, 1)


def test_the_page_says_so(world):
    client = Client(REMOTE_ADDR=BRANCH)
    fail(world.analyst, BRANCH, 5)

    answer = client.post("/connexion", {"email": world.analyst, "password": settings.DEMO_PASSWORD})

    assert answer.status_code == 429
    assert "15 minutes" in answer.content.decode()


def test_a_colleague_behind_the_same_address_is_not_locked(world):
    fail(world.analyst, BRANCH, 30)

    assert api_log_in(world.auditor, BRANCH).status_code == 200


def test_an_account_is_locked_from_everywhere_after_twenty(world):
    for number in range(19):
        fail(world.analyst, f"203.0.113.{number}", 1)
    assert seconds_locked(email=world.analyst, address=ELSEWHERE) == 0

    fail(world.analyst, BRANCH, 1)

    assert api_log_in(world.analyst, ELSEWHERE).status_code == 429


def test_an_address_is_locked_after_a_hundred(world):
    for number in range(25):
        fail(f"personne{number}@x.zz", BRANCH, 4)

    assert api_log_in(world.analyst, BRANCH).status_code == 429
    assert api_log_in(world.analyst, ELSEWHERE).status_code == 200


def test_a_log_in_forgets_the_failures_of_its_own_account_and_address_only(world):
    fail(world.analyst, BRANCH, 4)
    fail(world.analyst, ELSEWHERE, 4)

    api_log_in(world.analyst, BRANCH)
    fail(world.analyst, BRANCH, 4)

    assert seconds_locked(email=world.analyst, address=BRANCH) == 0
    fail(world.analyst, ELSEWHERE, 1)
    assert seconds_locked(email=world.analyst, address=ELSEWHERE) > 0


def test_the_limits_are_settings(world, settings):
    settings.LOGIN_LIMIT_PAIR = 2
    fail(world.analyst, BRANCH, 2)

    assert seconds_locked(email=world.analyst, address=BRANCH) > 0


@pytest.mark.parametrize("tries", [300, pytest.param(10_000, marks=pytest.mark.soak)])
def test_many_tries_lock_the_account_and_slow_nobody(world, tries):
    request = RequestFactory(REMOTE_ADDR=BRANCH).post("/connexion")

    def median(times=15):
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            assert seconds_locked(email=world.auditor, address=ELSEWHERE) == 0
            taken.append(time.perf_counter() - start)
        return statistics.median(taken)

    before = median()
    refusals = []
    for _ in range(tries):
        with pytest.raises((InvalidCredentials, LockedOut)) as refusal:
            check_credentials(request=request, email=world.analyst, password="faux")
        refusals.append(refusal.type)
    after = median()

    assert refusals == [InvalidCredentials] * 5 + [LockedOut] * (tries - 5)
    assert api_log_in(world.analyst, BRANCH).status_code == 429
    assert after < before * 5 + 0.01
