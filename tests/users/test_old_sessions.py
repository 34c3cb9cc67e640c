"""Log-ins that ended long ago are deleted; those that may still be asked about stay."""

import datetime as dt

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from apps.users.enums import SessionKind
from apps.users.models import LoginSession
from apps.users.tasks import purge_sessions

pytestmark = pytest.mark.django_db


def test_only_what_ended_over_ninety_days_ago_goes(world):
    now = timezone.now()
    user = world.user(world.analyst)

    def row(opened, closed=None):
        return LoginSession.objects.create(
            kind=SessionKind.WEB,
            user=user,
            auth_version=user.auth_version,
            created_at=now - dt.timedelta(days=opened),
            revoked_at=None if closed is None else now - dt.timedelta(days=closed),
        )

    gone = {row(92).pk, row(200, 91).pk}
    kept = {row(0).pk, row(90).pk, row(90, 89).pk, row(1, 0).pk}
    Session.objects.create(session_key="old", session_data="", expire_date=now - dt.timedelta(days=1))

    purge_sessions()

    left = set(LoginSession.objects.values_list("pk", flat=True))
    assert left & gone == set()
    assert kept <= left
    assert not Session.objects.filter(session_key="old").exists()
