"""Who opens which page of the back-office, at what cost, in which language; what its verbs leave behind."""

import re

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.models import AuditEntry, PlatformEntry
from apps.credits.models import Client
from apps.credits.queries.clients import STALE_SETTING
from apps.credits.queries.privacy import NOTICE_SETTING
from apps.institutions.models import Agency, DatedSetting, Institution
from apps.institutions.queries import setting_on
from apps.jobs.models import Job
from apps.jobs.services import create_job
from apps.outbox.models import OutboxMessage
from apps.scoring.tasks import RESCORE
from apps.users.backends import account_key, count_failure, seconds_locked
from apps.users.models import Membership
from apps.users.queries import TOTP_ROLES_SETTING
from apps.users.services.invitations import invite_administrator, invited_membership

pytestmark = pytest.mark.django_db(databases=["default", "platform"])

OPERATOR = (
    "institutions/institution",
    "institutions/agency",
    "users/user",
    "users/membership",
    "users/partnerkey",
    "registry/platformmodel",
    "registry/modelversion",
    "jobs/job",
    "outbox/outboxmessage",
    "axes/accessattempt",
    "audit/platformentry",
)
ADMINISTRATOR = (
    "institutions/agency",
    "institutions/datedsetting",
    "users/membership",
    "outbox/webhook",
    "outbox/webhookattempt",
    "users/partnerkey",
    "users/identityprovider",
    "users/boundidentity",
    "credits/client",
    "credits/creditapplication",
    "credits/dictionaryvariable",
    "scoring/prediction",
    "decisions/decision",
    "audit/auditentry",
)
#: What the session, the scope and the audit cost before a list begins.
AROUND = re.compile(
    r"SAVEPOINT|set_config|django_session|users_loginsession|users_membershipagency|users_user"
)
#: Words that a French page has no reason to hold.
ENGLISH = re.compile(
    r"\b(the|your|this|please|search|filters?|select|add|save|delete|log out|view|change|password|from|reset"
    r"|user|author|policy|model|home|welcome|apply|records?|results?|dashboard|settings?|submit|yes|none|unknown)\b",
    re.IGNORECASE,
)
FRENCH = re.compile(
    r"\b(les|des|une|rechercher|filtres?|choisir|ajouter|enregistrer|modifier)\b", re.IGNORECASE
)


def words_of(body):
    """Return what a reader meets: texts, titles and placeholders; icons, names of rows and codes left out."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", body, flags=re.DOTALL)
    body = re.sub(r"<span[^>]*material-symbols-outlined[^>]*>[^<]*</span>", " ", body)
    told = re.findall(r'(?:title|placeholder|aria-label|alt)="([^"]*)"', body)
    return " ".join([re.sub(r"<[^>]*>", " ", body), *told])


def first_sheet(browser, body):
    """Return the sheet of the first row of a list."""
    link = re.search(r'href="(/admin/[a-z/]+/\d+/change/)', body)
    return browser.get(link[1]).content.decode() if link else ""


@pytest.mark.parametrize("page_path", OPERATOR)
def test_the_operator_reads_each_list_in_few_queries(world, page, page_path):
    browser = page(world.operator)

    with (
        CaptureQueriesContext(connections["default"]) as own,
        CaptureQueriesContext(connections["platform"]) as shared,
    ):
        answer = browser.get(f"/admin/{page_path}/")

    assert answer.status_code == 200
    queries = [each["sql"] for each in (*own, *shared) if not AROUND.search(each["sql"])]
    assert len(queries) <= 6, queries


@pytest.mark.parametrize("page_path", ADMINISTRATOR)
def test_an_administrator_reads_each_list_in_few_queries(world, page, page_path):
    browser = page(world.administrator)

    with CaptureQueriesContext(connections["default"]) as own:
        answer = browser.get(f"/admin/{page_path}/")

    assert answer.status_code == 200
    queries = [each["sql"] for each in own if not AROUND.search(each["sql"])]
    assert len(queries) <= 6, queries
    counts = [sql for sql in queries if "COUNT(" in sql]
    assert all("LIMIT 1000" in sql for sql in counts), counts


def test_each_sees_only_the_own_pages_and_menu(world, page):
    menus = {}
    for who, own, others in (
        (world.operator, OPERATOR, set(ADMINISTRATOR) - set(OPERATOR)),
        (world.administrator, ADMINISTRATOR, set(OPERATOR) - set(ADMINISTRATOR)),
    ):
        browser = page(who)
        menus[who] = browser.get("/admin/").content.decode()
        for path in own:
            assert f'href="/admin/{path}/"' in menus[who], path
        for path in others:
            assert f'href="/admin/{path}/' not in menus[who], path
            assert browser.get(f"/admin/{path}/").status_code == 403
    assert page(world.analyst).get("/admin/").status_code == 302


@pytest.mark.parametrize("suffix", ["", "add/"])
@pytest.mark.parametrize(("who", "paths"), [("operator", OPERATOR), ("administrator", ADMINISTRATOR)])
@pytest.mark.parametrize(("language", "stranger"), [("fr", ENGLISH), ("en", FRENCH)])
def test_a_page_speaks_one_language(world, page, who, paths, language, stranger, suffix):
    browser = page(getattr(world, who))
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    for path in ("", *(f"{each}/{suffix}" for each in paths)):
        answer = browser.get(f"/admin/{path}")
        if answer.status_code == 200:
            body = answer.content.decode()
            body += first_sheet(browser, body) if "audit" not in path else ""  # its changes are field names
            rows = re.sub(r"<tbody.*?</tbody>", " ", body, flags=re.DOTALL)
            found = {match[0].lower() for match in stranger.finditer(words_of(rows))}
            assert found == set(), path


def test_the_strict_policy_stands_outside_the_back_office(world, page):
    browser = page(world.administrator)

    inside = browser.get("/admin/")["Content-Security-Policy"]
    outside = browser.get("/")["Content-Security-Policy"]

    assert "'unsafe-eval'" in inside
    assert "'unsafe-inline'" not in inside.partition("script-src")[2].partition(";")[0]
    assert "unsafe" not in outside


def test_reading_a_file_is_known(world, page):
    with world.scope():
        client = Client.objects.first()

    assert page(world.administrator).get(f"/admin/credits/client/{client.pk}/change/").status_code == 200

    with world.scope():
        assert AuditEntry.objects.get(action="client.read").object_uid == client.uid


def test_a_file_is_not_changed_here(world, page):
    with world.scope():
        client = Client.objects.first()

    answer = page(world.administrator).post(
        f"/admin/credits/client/{client.pk}/change/", {"last_name": "Autre"}
    )

    assert answer.status_code == 403
    assert page(world.administrator).get("/admin/credits/client/add/").status_code == 403


@pytest.mark.parametrize("term", ["name", "reference", "phone"])
def test_a_client_is_found_by_the_beginning_of_a_name_or_by_the_whole_phone(world, page, term):
    with world.scope():
        client = Client.objects.exclude(phone="").first()
    terms = {"name": client.last_name[:4].upper(), "reference": client.reference, "phone": client.phone}

    answer = page(world.administrator).get("/admin/credits/client/", {"q": terms[term]})

    assert client.reference in answer.content.decode()


def test_a_setting_is_dated_and_has_a_reason(world, page):
    browser, path = page(world.administrator), "/admin/institutions/datedsetting/add/"
    data = {
        "key": TOTP_ROLES_SETTING,
        f"value_{TOTP_ROLES_SETTING}": ["auditeur"],
        "effective_from": f"{timezone.localdate():%d/%m/%Y}",
        "reason": "Décision du conseil",
    }

    assert browser.post(path, data | {"reason": ""}).status_code == 200
    assert browser.post(path, data | {"effective_from": "01/01/2020"}).status_code == 200
    with world.scope():
        assert not DatedSetting.objects.filter(reason="Décision du conseil").exists()
    assert browser.post(path, data).status_code == 302

    with world.scope():
        assert setting_on(TOTP_ROLES_SETTING) == ["auditeur"]
        assert AuditEntry.objects.filter(action="setting.set").latest("pk").after["value"] == ["auditeur"]


def test_only_the_chosen_setting_is_asked_and_changed(world, page):
    browser, path = page(world.administrator), "/admin/institutions/datedsetting/add/"
    data = {
        "key": STALE_SETTING,
        f"value_{STALE_SETTING}": "",
        "effective_from": f"{timezone.localdate():%d/%m/%Y}",
        "reason": "Politique de crédit",
    }

    assert "Donnez la nouvelle valeur" in browser.post(path, data).content.decode()
    assert browser.post(path, data | {f"value_{STALE_SETTING}": "90"}).status_code == 200
    assert browser.post(path, data | {f"value_{STALE_SETTING}": "3"}).status_code == 302

    with world.scope():
        assert setting_on(STALE_SETTING) == 3
        assert setting_on(NOTICE_SETTING) is None
    assert "3 mois" in browser.get("/admin/institutions/datedsetting/").content.decode()


def test_a_taken_code_of_an_agency_is_told_on_the_form(world, page):
    with world.scope():
        code = Agency.objects.first().code

    answer = page(world.administrator).post(
        "/admin/institutions/agency/add/", {"code": code, "name": "N", "city": "V"}
    )

    assert answer.status_code == 200
    assert "déjà utilisé" in answer.content.decode()


def test_a_member_gets_a_role_and_agencies_but_nobody_closes_the_own_access(world, page):
    browser = page(world.administrator)
    member = Membership.objects.get(user__email=world.analyst)
    own = Membership.objects.get(user__email=world.administrator)
    with world.scope():
        agency = Agency.objects.first()
    path = "/admin/users/membership/{}/change/"

    no_agency = browser.post(path.format(member.pk), {"role": "agent", "is_active": "on"})
    done = browser.post(path.format(member.pk), {"role": "agent", "is_active": "on", "agencies": [agency.pk]})
    closing = browser.post(path.format(own.pk), {"role": "administrateur"})

    assert (no_agency.status_code, done.status_code, closing.status_code) == (200, 302, 200)
    member.refresh_from_db()
    own.refresh_from_db()
    assert (member.role, own.is_active) == ("agent", True)
    with world.scope():
        assert AuditEntry.objects.filter(action="member.change").latest("pk").after["agencies"] == [
            agency.code
        ]


def test_an_invitation_is_sent_again_and_the_link_before_dies(world, page):
    links = []
    with world.scope():
        membership = invite_administrator(
            email="invitee@horizon.example",
            by=world.actor(world.administrator),
            institution=Institution.objects.get(code="horizon"),
            link=lambda token: links.append(token) or token,
        )
    row = {"action": "invite_once_more", "index": "0", "_selected_action": [membership.pk]}

    page(world.administrator).post("/admin/users/membership/", row)
    page(world.administrator).post(
        "/admin/users/membership/",
        row | {"_selected_action": [Membership.objects.get(user__email=world.analyst).pk]},
    )

    with world.scope():
        letters = OutboxMessage.objects.filter(payload={"membership": str(membership.uid)})
        assert letters.count() == 2
        assert AuditEntry.objects.filter(action="member.invite").count() == 2
    with pytest.raises(Exception, match="invitation"):
        invited_membership(links[0])


def test_a_lock_is_lifted_with_a_reason(world, page):
    for _attempt in range(settings.LOGIN_LIMIT_PAIR):
        count_failure(email=world.analyst, address="10.0.0.9")
    browser, path = page(world.operator), "/admin/axes/accessattempt/"
    found = browser.get(path, {"q": world.analyst}).content.decode()
    assert account_key(world.analyst)[:12] in found
    key = re.search(r'name="_selected_action" value="(\d+)"', found) or re.search(
        r'value="(\d+)"[^>]*_selected', found
    )
    row = {"action": "let_in", "index": "0", "_selected_action": [key[1]]}

    browser.post(path, row)
    assert seconds_locked(email=world.analyst, address="10.0.0.9") > 0
    browser.post(path, row | {"reason": "Appel de l'intéressée"})

    assert seconds_locked(email=world.analyst, address="10.0.0.9") == 0
    entry = PlatformEntry.objects.latest("pk")
    assert (entry.action, entry.reason) == ("login.unlock", "Appel de l'intéressée")
    assert page(world.administrator).get(path).status_code == 403


def test_nothing_of_an_attempt_is_shown_beside_its_counters(world, page):
    count_failure(email=world.analyst, address="10.0.0.9")
    key = AccessAttempt.objects.get(ip_address="10.0.0.9").pk

    assert page(world.operator).get(f"/admin/axes/accessattempt/{key}/change/").status_code == 403


@pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"])
def test_the_operator_cancels_and_retries_a_job_with_a_reason(world, page):
    with world.scope():
        job = create_job(kind=RESCORE, by=world.actor(world.risk_manager))
    browser, path = page(world.operator), "/admin/jobs/job/"
    row = {"index": "0", "_selected_action": [job.pk], "reason": "Demandé deux fois"}

    assert RESCORE in browser.get(path).content.decode()
    browser.post(path, row | {"action": "cancel", "reason": ""})
    with world.scope():
        assert Job.objects.get(pk=job.pk).status == "queued"
    browser.post(path, row | {"action": "cancel"})
    with world.scope():
        assert Job.objects.get(pk=job.pk).status == "cancelled"
        assert AuditEntry.objects.get(action="job.cancel").actor_kind == "operator"
    browser.post(path, row | {"action": "try_again"})

    with world.scope():
        assert Job.objects.get(pk=job.pk).status == "queued"
    told = PlatformEntry.objects.order_by("-pk").values_list("action", "reason")[:2]
    assert list(told) == [("job.retry", "Demandé deux fois"), ("job.cancel", "Demandé deux fois")]


def test_the_first_page_gives_the_figures_of_each_role(world, page):
    operator = page(world.operator).get("/admin/").content.decode()
    administrator = page(world.administrator).get("/admin/").content.decode()

    assert "Institutions actives" in operator
    assert "Échecs de connexion en 24 heures" in operator
    assert "Membres sans double authentification" in administrator
    assert "Scores du mois" in administrator
    with world.scope():
        assert AuditEntry.objects.filter(action="client.read").count() == 0


@pytest.mark.parametrize("who", ["operator", "administrator"])
def test_the_first_page_costs_few_queries(world, page, who):
    browser = page(getattr(world, who))
    with (
        CaptureQueriesContext(connections["default"]) as own,
        CaptureQueriesContext(connections["platform"]) as shared,
    ):
        browser.get("/admin/")

    assert len(own) + len(shared) <= 24


def test_the_search_of_pages_finds_what_one_may_open_and_breaks_on_nothing(world, page):
    browser = page(world.administrator)

    assert "/admin/credits/client/" in browser.get("/admin/search/", {"s": "clie"}).content.decode()
    assert "/admin/jobs/job/" not in browser.get("/admin/search/", {"s": "tâch"}).content.decode()
    assert browser.get("/admin/search/", {"s": "a", "page": "x"}).status_code == 200
