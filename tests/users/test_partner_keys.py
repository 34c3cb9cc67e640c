"""Partner keys: what they open, what they do not, and how they end."""

import datetime as dt
import json
import re
from dataclasses import replace

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.institutions.models import Agency, Institution
from apps.scoring.models import Prediction
from apps.scoring.queries.scores import visible_predictions
from apps.scoring.services.scores import score_values
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.roles import KEY_SCOPES, Verb
from apps.users.enums import KeyScope
from apps.users.models import PartnerKey
from apps.users.queries import key_actor
from apps.users.services.keys import issue_key, revoke_key, rotate_key, seed_demo_key
from tests.predict import BODY

pytestmark = pytest.mark.django_db


def issued(world, *scopes, email=None, **wishes):
    """Return a key of an institution and its whole text."""
    by = world.actor(email or world.administrator)
    with world.scope("ngwa" if email else "horizon"):
        return issue_key(name="Essai", scopes=scopes or list(KeyScope.values), by=by, **wishes)


def partner(raw):
    return Client(headers={"Authorization": f"Api-Key {raw}"})


def predict(raw, **more):
    return partner(raw).post("/api/v1/predict", json.dumps(BODY | more), content_type="application/json")


def test_a_key_scores_and_reads_its_score_again(world):
    key, raw = issued(world)

    answer = predict(raw)

    assert answer.status_code == 201
    uid = answer.json()["id"]
    assert partner(raw).get(f"/api/v1/predictions/{uid}").status_code == 200
    assert partner(raw).post(f"/api/v1/predictions/{uid}/replay").json()["identique"] is True
    with world.scope():
        assert Prediction.objects.get(uid=uid).author_id is None
        entry = AuditEntry.objects.get(object_uid=uid, action="prediction.create")
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("key", key.pk, "Essai")


def test_only_the_hash_is_kept_and_the_secret_has_256_bits(world):
    key, raw = issued(world)

    stored = PartnerKey.objects.filter(pk=key.pk).values().get()
    prefix, _, secret = raw.partition(".")
    assert stored["prefix"] == prefix
    assert secret not in str(stored)
    assert len(secret) >= 43  # 32 bytes in base 64


@pytest.mark.parametrize("scope", KEY_SCOPES)
def test_a_key_may_what_its_scopes_say_and_nothing_else(world, scope):
    key, _raw = issued(world, scope.value)

    actor = key_actor(key)

    assert [verb for verb in Verb if actor.may(verb)] == [scope]


def test_a_key_never_decides_nor_administers_whatever_its_row_says(world):
    key, _raw = issued(world)
    key.scopes = [verb.value for verb in Verb]

    actor = key_actor(key)

    assert {verb for verb in Verb if actor.may(verb)} == set(KEY_SCOPES)


def test_a_route_outside_the_scopes_is_refused(world):
    _key, raw = issued(world, "read_files")

    assert predict(raw).status_code == 403
    assert partner(raw).get("/api/v1/features-names").status_code == 403


def test_every_dead_or_wrong_key_answers_alike(world):
    key, raw = issued(world)
    _expired, old = issued(world, expires_at=timezone.now() + dt.timedelta(seconds=60))
    PartnerKey.objects.filter(prefix=old.partition(".")[0]).update(expires_at=timezone.now())
    with world.scope():
        revoked, closed = issued(world)
        revoke_key(key=revoked, by=world.actor(world.administrator))
    wrong = [f"{key.prefix}.wrong", "csunknown.wrong", raw + "x", raw[:-1], "", ".", key.prefix, old, closed]

    answers = [partner(each).get("/api/v1/features-names") for each in wrong]

    assert partner(raw).get("/api/v1/features-names").status_code == 200
    assert {answer.status_code for answer in answers} == {401}
    assert len({str({**answer.json(), "request_id": ""}) for answer in answers}) == 1


def test_a_key_of_a_suspended_institution_opens_nothing(world):
    _key, raw = issued(world)
    Institution.objects.filter(code="horizon").update(status="suspended")

    assert predict(raw).status_code == 401


def test_a_key_opens_neither_pages_nor_the_back_office(world):
    _key, raw = issued(world)

    assert partner(raw).get("/scores").status_code == 302
    assert partner(raw).get("/admin/").status_code == 302


def test_a_key_knows_nothing_of_another_institution(world):
    _key, raw = issued(world, email=world.outsider_admin)
    with world.scope("horizon"):
        uid = Prediction.objects.first().uid

    assert partner(raw).get(f"/api/v1/predictions/{uid}").status_code == 404
    assert partner(raw).post(f"/api/v1/predictions/{uid}/replay").status_code == 404


def test_a_limited_key_sees_its_agencies_only(world):
    with world.scope():
        first, other = Agency.objects.order_by("pk")[:2]
        own = Prediction.objects.filter(agency=first).first().uid
        foreign = Prediction.objects.filter(agency=other).first().uid
    _key, raw = issued(world, agencies=[first])

    assert partner(raw).get(f"/api/v1/predictions/{own}").status_code == 200
    assert partner(raw).get(f"/api/v1/predictions/{foreign}").status_code == 404


def test_a_limited_key_does_not_take_the_scores_of_a_person_who_bears_its_number(world):
    person = world.actor(world.analyst)
    with world.scope():
        prediction, _created = score_values(raw=BODY, by=person)
        key, _raw = issued(world, agencies=[Agency.objects.first()])
        actor = replace(key_actor(key), id=person.id)

        assert not visible_predictions(actor).filter(pk=prediction.pk).exists()
        assert visible_predictions(person).filter(pk=prediction.pk).exists()


def test_replacing_a_key_leaves_the_old_one_its_hours(world):
    by = world.actor(world.administrator)
    key, old = issued(world, "score", daily_quota=9)
    with world.scope():
        successor, new = rotate_key(key=key, by=by, overlap=dt.timedelta(hours=2))

    assert (successor.scopes, successor.daily_quota, successor.name) == (["score"], 9, "Essai")
    assert predict(new).status_code == predict(old).status_code == 201
    key.refresh_from_db()
    assert dt.timedelta(hours=1) < key.expires_at - timezone.now() <= dt.timedelta(hours=2)
    PartnerKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert (predict(new).status_code, predict(old).status_code) == (201, 401)


def test_issuing_and_ending_are_in_the_trail_without_the_secret(world):
    by = world.actor(world.administrator)
    with world.scope():
        key, raw = issue_key(name="Essai", scopes=["score"], by=by)
        successor, other = rotate_key(key=key, by=by)
        revoke_key(key=successor, by=by)
        entries = list(AuditEntry.objects.filter(object_uid__in=[key.uid, successor.uid]).order_by("pk"))

    assert [entry.action for entry in entries] == ["key.issue", "key.rotate", "key.revoke"]
    told = json.dumps([[entry.before, entry.after] for entry in entries])
    assert raw.partition(".")[2] not in told
    assert other.partition(".")[2] not in told


def test_only_an_administrator_issues_keys(world):
    by = world.actor(world.risk_manager)

    with world.scope(), pytest.raises(NotAllowed):
        issue_key(name="Essai", scopes=["score"], by=by)


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["administer"]}, "scopes"),
        ({"expires_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "expires_at"),
        ({"daily_quota": 0}, "daily_quota"),
    ],
)
def test_wishes_that_cannot_be_are_refused(world, wishes, field):
    by = world.actor(world.administrator)

    with world.scope(), pytest.raises(InvalidValues) as refusal:
        issue_key(**({"name": "Essai", "scopes": ["score"], "by": by} | wishes))

    assert set(refusal.value.fields) == {field}


def test_a_key_of_another_institution_is_not_touched(world):
    key, raw = issued(world)
    by = world.actor(world.outsider_admin)

    with world.scope("ngwa"):
        for verb in (revoke_key, rotate_key):
            with pytest.raises(InvalidValues):
                verb(key=key, by=by)

    assert predict(raw).status_code == 201


def test_the_sandbox_key_serves_in_demonstration_only(world, settings):
    by = world.actor(world.administrator)
    assert predict(settings.DEMO_API_KEY).status_code == 201
    settings.DEMO_MODE = False
    assert predict(settings.DEMO_API_KEY).status_code == 401
    with world.scope(), pytest.raises(NotAllowed):
        seed_demo_key(raw="a.b", name="Essai", by=by)


# --- the administrators' page ---------------------------------------------------------------------

LIST = "/admin/users/partnerkey/"
WISH = {"name": "Essai", "scopes": ["score", "read_files"], "daily_quota": "", "last_day": ""}


def test_an_administrator_issues_a_key_and_sees_it_once(world, page):
    browser = page(world.administrator)

    answer = browser.post(f"{LIST}add/", WISH)

    raw = re.search(r"Api-Key (\S+)</code>", answer.content.decode())[1]
    assert "no-store" in answer["Cache-Control"]
    assert predict(raw).status_code == 201
    key = PartnerKey.objects.get(prefix=raw.partition(".")[0])
    assert key.created_by == world.user(world.administrator)
    for path in (LIST, f"{LIST}{key.pk}/change/"):
        told = browser.get(path).content.decode()
        assert key.prefix in told
        assert raw.partition(".")[2] not in told
    assert browser.post(f"{LIST}{key.pk}/change/", WISH).status_code == 403


def test_an_administrator_replaces_and_revokes_from_the_list(world, page):
    browser = page(world.administrator)
    key, raw = issued(world)

    answer = browser.post(LIST, {"action": "replace", "_selected_action": [key.pk]})
    new = re.search(r"Api-Key (\S+)</code>", answer.content.decode())[1]
    browser.post(LIST, {"action": "revoke", "_selected_action": [key.pk]})

    assert (predict(new).status_code, predict(raw).status_code) == (201, 401)


def test_a_wrong_day_is_told_on_the_form(world, page):
    answer = page(world.administrator).post(f"{LIST}add/", WISH | {"last_day": "01/01/2020"})

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode() or "error" in answer.content.decode()
    assert not PartnerKey.objects.filter(name="Essai").exists()


def test_the_page_shows_no_key_of_another_institution(world, page):
    key, _raw = issued(world)
    browser = page(world.outsider_admin)

    assert key.prefix not in browser.get(LIST).content.decode()
    assert browser.get(f"{LIST}{key.pk}/change/").status_code == 302
    browser.post(LIST, {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.is_live


def test_the_page_is_closed_to_the_others(world, page):
    assert page(world.analyst).get(LIST).status_code == 302
    assert page(world.operator).get(LIST).status_code == 200
    assert page(world.operator).get(f"{LIST}add/").status_code == 403


def test_the_public_key_is_that_of_the_settings():
    assert PartnerKey.objects.filter(prefix=settings.DEMO_API_KEY.partition(".")[0]).exists()
