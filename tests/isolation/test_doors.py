"""Every page, API route, back-office page, task and command is tried with what belongs to horizon."""

import io
import json
from itertools import product

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command, get_commands
from django.urls import reverse

from apps.api.v1.base import etag_of
from apps.audit.models import AuditEntry
from apps.credits.models import Client, CreditApplication
from apps.institutions.models import Agency
from apps.jobs.models import Job
from apps.jobs.services import create_job
from apps.scoring.models import Prediction
from apps.scoring.tasks import RESCORE
from apps.tenancy.catalogue import PLATFORM_TASKS
from apps.tenancy.celery import HEADER, TenantTask, sign
from apps.tenancy.checks import own_tasks
from apps.tenancy.errors import UntrustedMessage
from apps.users.models import Membership, MembershipAgency
from tests.isolation.doors import (
    SCORE,
    TRIED,
    addresses,
    answered,
    attempts,
    body_of,
    filled,
    same,
    site_routes,
    unknown,
)
from tests.isolation.loot import foreign_keys, foreign_uids, loot, platform_reason, tenant_models
from tests.isolation.test_every_route import TARGETS
from tests.predict import BODY

pytestmark = pytest.mark.django_db

ROUTES = site_routes()
NAMES = [path for path, _pattern in ROUTES]
FOREIGN_HOSTS = {
    "HTTP_X_TENANT": "horizon",
    "HTTP_X_INSTITUTION": "horizon",
    "HTTP_X_FORWARDED_HOST": "horizon",
}


def made_for(path, pattern):
    """Return the label of the model whose objects a route is made for; nothing for a route without one."""
    model = TARGETS.get(f"{'api' if path.startswith('api/') else 'web'}:{pattern.name}")
    return "" if model is None else model._meta.label_lower


def queries():
    """Return query strings that name horizon's objects, by every way a list usually takes them."""
    keys, uids = foreign_keys(), foreign_uids()
    return [
        {"client__agency": keys["institutions.agency"], "agency": keys["institutions.agency"]},
        {"client__institution__name__startswith": "H", "institution": keys["institutions.institution"]},
        {"ordering": "client__institution__name", "o": "1", "sort": "institution__name"},
        {"search": "Horizon", "q": "Horizon", "recherche": "Horizon"},
        {"apres": f"9999999999999999-{uids['scoring.prediction']}"},
        {"avant": f"0-{uids['scoring.prediction']}", "cursor": uids[SCORE]},
        {
            "uid": uids[SCORE],
            "client": uids["credits.client"],
            "format": "csv",
            "facteurs": "tous",
        },
        {"exemple": "1", "client_id": uids["credits.client"], "branch": keys["institutions.agency"]},
    ]


def sent_by(query):
    return [str(value) for value in query.values()] + [
        str(value).partition("-")[2] for value in query.values()
    ]


@pytest.mark.parametrize(("path", "pattern"), ROUTES, ids=NAMES)
def test_every_route_every_method(attacker, path, pattern):
    """With what the route is made for and a score; every other kind is tried by the twins' test."""
    attacker.kind = "routes"
    for (address, value), method in product(
        addresses(path, pattern, made_for(path, pattern), SCORE), answered(attacker, path, pattern)
    ):
        data = {} if method in {"POST", "PUT", "PATCH", "DELETE"} else None
        attacker.strike(method, address, data, sent=[value, "horizon"], **FOREIGN_HOSTS)


@pytest.mark.parametrize(("path", "pattern"), ROUTES, ids=NAMES)
def test_every_route_every_query(attacker, path, pattern):
    attacker.kind = "queries"
    if "GET" not in answered(attacker, path, pattern):
        return
    uid = foreign_uids()[SCORE]
    for query in queries():
        told = attacker.strike(
            "GET", filled(path, pattern, uid), query, sent=[uid, *sent_by(query), "horizon"]
        )
        assert told.status_code != 200 or "<" not in path


@pytest.mark.parametrize(("path", "pattern"), ROUTES, ids=NAMES)
def test_a_fragment_is_no_other_door(attacker, path, pattern):
    attacker.kind = "fragments"
    if "GET" not in answered(attacker, path, pattern):
        return
    own = foreign_uids().get(made_for(path, pattern))
    for address, value in addresses(path, pattern, made_for(path, pattern), SCORE):
        targets = ("result", "client", "main", f"row-{value}") if value in {own, ""} else ("result",)
        for target in targets:
            headers = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": target, "HTTP_HX_CURRENT_URL": address}
            attacker.strike("GET", address, sent=[value], **headers)


MEANT = ("GET", "POST")
WITH_OBJECT = [(path, pattern) for path, pattern in ROUTES if "<" in path]


@pytest.mark.parametrize(("path", "pattern"), WITH_OBJECT, ids=[path for path, _ in WITH_OBJECT])
def test_a_foreign_object_looks_like_no_object(attacker, path, pattern):
    attacker.kind = "twins"
    methods = answered(attacker, path, pattern)
    nobody = {method: attacker.strike(method, filled(path, pattern, unknown())) for method in methods}
    looking = [method for method, told in nobody.items() if method in MEANT and told.status_code != 403]
    for method, address, value in attempts(path, pattern, made_for(path, pattern), methods, looking):
        foreign = attacker.strike(method, address, sent=[value])
        assert same(foreign, nobody[method]), (method, address)


WRITES = {"POST", "PUT", "PATCH", "DELETE"}
API_ROUTES = [(path, pattern) for path, pattern in ROUTES if path.startswith("api/")]


def bodies(world):
    """Return JSON bodies that carry horizon's identifiers, in every field that might be read."""
    uids, keys = foreign_uids(), foreign_keys()
    with world.scope("horizon"):
        prediction = Prediction.objects.select_related("client").exclude(client=None).first()
        reference = prediction.client.reference
    own = {
        "montant_credit": 500_000,
        "duree_mois": 12,
        "taux_interet": 20.0,
        "type_credit": "fonds_de_roulement",
    }
    yield {"application_id": uids["credits.creditapplication"]}
    yield {"client_id": uids["credits.client"], **own}
    yield {"client_reference": reference, **own}
    yield {"client_id": str(keys["credits.client"]), **own}
    yield {**BODY, "client": {"id": uids["credits.client"], "nom": "X"}}
    yield {**BODY, "institution_id": keys["institutions.institution"], "institution": "horizon"}
    yield {**BODY, "agency_id": keys["institutions.agency"], "agence": uids["institutions.agency"]}
    yield {**BODY, "id": uids[SCORE], "uid": uids[SCORE]}
    yield {"email": world.analyst, "password": "wrong", "institution": "horizon"}


def words(value):
    return [str(each) for each in value.values()] + ([] if "client" not in value else [value["client"]["id"]])


@pytest.mark.parametrize(("path", "pattern"), API_ROUTES, ids=[path for path, _ in API_ROUTES])
def test_every_api_route_with_foreign_references(attacker, world, path, pattern):
    attacker.kind = "API bodies"
    if path == "api/v1/login":
        bodies_sent = [each for each in bodies(world) if "password" not in each]  # a failure is in its trail
    else:
        bodies_sent = list(bodies(world))
    before = counts(world)
    for body, method in product(bodies_sent, sorted(WRITES.intersection(answered(attacker, path, pattern)))):
        for payload in (body, [body, body]):
            attacker.strike(
                method, filled(path, pattern, unknown()), json.dumps(payload), sent=[*words(body), "horizon"]
            )
    assert counts(world) == before


def test_a_foreign_reference_looks_like_none(attacker, world):
    attacker.kind = "twins"
    nobody = {"application_id": unknown(), "client_id": unknown(), "client_reference": "ZZZ-000"}
    for body in bodies(world):
        for name in nobody.keys() & body.keys():
            foreign = attacker.strike("POST", "/api/v1/predict", json.dumps(body), sent=words(body))
            invented = attacker.strike(
                "POST", "/api/v1/predict", json.dumps({**body, name: nobody[name]}), sent=words(body)
            )
            if name != "client_id" or len(str(body[name])) == 36:  # a number is no uid: refused as such
                assert same(foreign, invented)


WRITING = [
    (path, pattern)
    for path, pattern in API_ROUTES
    if hasattr(getattr(pattern.callback, "cls", None), "patch")
]


@pytest.mark.parametrize(("path", "pattern"), WRITING, ids=[path for path, _ in WRITING])
def test_a_change_of_a_foreign_object_looks_like_a_change_of_none(attacker, world, path, pattern):
    """With every condition that may be sent: the state of the record tells nothing either."""
    attacker.kind = "API changes"
    before = rows_of(world)
    for label, uid in foreign_uids().items():
        for condition in ("*", '"0"', *etags(world, label)):
            for body in ({"last_name": "Pris", "name": "Pris"}, [{"uid": uid}, {"uid": unknown()}]):
                payload, headers = json.dumps(body), {"HTTP_IF_MATCH": condition}
                foreign = attacker.strike("PATCH", filled(path, pattern, uid), payload, sent=[uid], **headers)
                nobody = attacker.strike(
                    "PATCH", filled(path, pattern, unknown()), payload, sent=[uid], **headers
                )
                assert same(foreign, nobody), (label, condition, body)
                assert foreign.status_code in {400, 403, 404, 422}
    assert rows_of(world) == before


@pytest.mark.parametrize(("path", "pattern"), WRITING, ids=[path for path, _ in WRITING])
def test_a_list_of_changes_changes_nothing(attacker, world, path, pattern):
    """One address changes one record: own and foreign ones in one body are refused whole."""
    attacker.kind = "API changes"
    before, own = rows_of(world, "horizon"), rows_of(world, "ngwa")
    foreign = list(foreign_uids().values())
    for uid in own_uids(world):
        body = json.dumps([{"uid": uid, "last_name": "Pris"}, *({"uid": each} for each in foreign)])
        answer = attacker.strike(
            "PATCH", filled(path, pattern, uid), body, sent=[uid, *foreign], HTTP_IF_MATCH="*"
        )
        assert answer.status_code in {400, 403, 404, 422}
    assert (rows_of(world, "horizon"), rows_of(world, "ngwa")) == (before, own)


def etags(world, label):
    """Return the condition under which horizon's own people would change the record."""
    model = apps.get_model(label)
    with world.scope("horizon"):
        row = model.objects.get(uid=foreign_uids()[label])
        return [etag_of(row)] if hasattr(row, "version") or hasattr(row, "updated_at") else []


def own_uids(world):
    with world.scope("ngwa"):
        found = [model.objects.first() for model in tenant_models()]
    return [str(row.uid) for row in found if row is not None]


def rows_of(world, code="horizon"):
    """Return all that an institution's changeable records hold."""
    with world.scope(code):
        records = {
            model: list(model.objects.order_by("pk").values())
            for model in (Client, CreditApplication, Agency)
        }
    users = Membership.objects.filter(institution__code=code).order_by("pk")
    return records, list(users.values("pk", "role", "is_active", "user__full_name"))


def counts(world):
    """Return how many rows of each kind horizon has, the trail included."""
    with world.scope("horizon"):
        return {model._meta.label: model.objects.count() for model in tenant_models()}


# --- the back-office ------------------------------------------------------------------------------

PAGES = sorted(admin.site._registry, key=lambda model: model._meta.label)
LABELS = [model._meta.label_lower for model in PAGES]


def admin_url(model, view, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def list_queries(model):
    keys = foreign_keys()
    own = keys.get(model._meta.label_lower, 1)
    yield from (
        {},
        {"q": "Horizon"},
        {"q": "horizon.demo"},
        {"q": "Douala"},
        {"e": "1"},
        {"_popup": "1"},
        {"_popup": "1", "_to_field": "id"},
        {"_to_field": "uid"},
        {"_to_field": "institution"},
        {"id__exact": own},
        {"pk__in": f"{own},1,2,3"},
        {"o": "1.-2.3"},
        {"all": "1"},
        {"p": "0"},
        {"_facets": "True"},
    )
    for lookup in (
        "institution",
        "institution__id__exact",
        "institution__name__startswith",
        "institution__code",
    ):
        yield {lookup: keys["institutions.institution"]}
    for field in model._meta.get_fields():
        if field.is_relation:
            target = field.related_model._meta.label_lower if field.related_model else ""
            yield {f"{field.name}__id__exact": keys.get(target, 1)}
            yield {f"{field.name}__institution__name__startswith": "H"}
        else:
            yield {f"{field.name}__startswith": "H"}
            yield {f"{field.name}__year": "2026"}


@pytest.mark.parametrize("model", PAGES, ids=LABELS)
def test_every_back_office_list(attacker, model):
    attacker.kind = "back-office lists"
    for query in list_queries(model):
        attacker.strike("GET", admin_url(model, "changelist"), query, sent=map(str, query.values()))


@pytest.mark.parametrize("model", PAGES, ids=LABELS)
def test_every_back_office_object(attacker, world, model):
    attacker.kind = "back-office objects"
    before, key = counts(world), foreign_keys().get(model._meta.label_lower, 1)
    payload = {"_save": "1", "id": key, "code": "x", "name": "x", "role": "analyste"}
    for view, method, extra in product(
        ("change", "history", "delete"),
        ("GET", "POST"),
        ({}, {"_popup": "1", "_to_field": "id"}, {"_saveasnew": "1"}),
    ):
        address = admin_url(model, view, key)
        answer = attacker.strike(method, address, {**payload, **extra} if method == "POST" else extra)
        nobody = attacker.strike(
            method, admin_url(model, view, 987_654), {**payload, **extra} if method == "POST" else extra
        )
        refusals = {302, 403, 400, 404} | ({200} if "_saveasnew" in extra else set())  # an empty new form
        assert answer.status_code == nobody.status_code in refusals, (view, method, extra)
    assert counts(world) == before


@pytest.mark.parametrize("model", PAGES, ids=LABELS)
def test_every_back_office_action(attacker, world, model):
    attacker.kind = "back-office actions"
    keys = [foreign_keys().get(model._meta.label_lower, 1), 1, 2, 3]
    before = counts(world)
    page = admin.site._registry[model]
    actions = {
        "delete_selected",
        *(action if isinstance(action, str) else action.__name__ for action in page.actions),
    }
    for action, across in product(sorted(actions), ("0", "1")):
        for post in ("yes", ""):
            data = {
                "action": action,
                "select_across": across,
                "index": "0",
                "_selected_action": keys,
                "post": post,
            }
            attacker.strike("POST", admin_url(model, "changelist"), data)
    assert counts(world) == before


def inventory_of_autocomplete():
    for model in {
        *PAGES,
        *tenant_models(),
    }:  # a reverse relation is a crash of Django's own, and tells nothing
        for field in model._meta.local_fields:
            if field.is_relation:
                yield {
                    "app_label": model._meta.app_label,
                    "model_name": model._meta.model_name,
                    "field_name": field.name,
                }


def test_every_autocomplete(attacker):
    attacker.kind = "autocompletes"
    for query, term in product(inventory_of_autocomplete(), ("", "Horizon", "Douala", "horizon.demo")):
        attacker.strike("GET", reverse("admin:autocomplete"), {**query, "term": term})


def back_office_patterns():
    from django.urls import get_resolver

    for entry in get_resolver().url_patterns:
        if getattr(entry, "app_name", None) == "admin":
            yield from _flat(entry, str(entry.pattern))


def _flat(resolver, prefix):
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from _flat(entry, path)
        else:
            yield path, entry


def test_every_other_back_office_address(attacker):
    attacker.kind = "back-office addresses"
    key, content_types = foreign_keys()["institutions.agency"], 3
    for path, pattern in back_office_patterns():
        if "logout" in path or "(?P<" in path:
            continue
        for value in (key, content_types):
            address = filled(path, pattern, value)
            for method in ("GET", "POST", "OPTIONS"):
                attacker.strike(method, address)
    for content_type in range(1, 40):
        attacker.strike("GET", f"/admin/r/{content_type}/{key}/")


def test_forms_neither_offer_nor_take_foreign_choices(world, attacker):
    attacker.kind = "form choices"
    agency = foreign_keys()["institutions.agency"]
    for model in PAGES:
        attacker.strike("GET", admin_url(model, "add"))
    data = {
        "email": "nouveau@ngwa.demo",
        "full_name": "N",
        "password": "Un-mot-de-passe-2026",
        "role": "agent",
        "agencies": [agency],
        "institution": world.institution_id("horizon"),
    }
    answer = attacker.strike("POST", "/admin/users/membership/add/", data)
    assert answer.status_code == (200 if "admin" in attacker.name else 302)  # refused in the form, or closed
    with world.scope("ngwa"):
        assert not MembershipAgency.objects.filter(agency_id=agency).exists()
    attacker.strike(
        "POST",
        "/admin/institutions/agency/add/",
        {"code": "douala", "name": "D", "city": "D", "institution": world.institution_id("horizon")},
        sent=["douala"],
    )
    with world.scope("horizon"):
        assert not Agency.objects.filter(name="D").exists()


def test_a_taken_email_is_refused_alike_wherever_it_is_taken(world, attacker):
    attacker.kind = "form choices"
    told = []
    for email in (world.analyst, world.outsider):
        data = {"email": email, "full_name": "N", "password": "Un-mot-de-passe-2026", "role": "auditeur"}
        answer = attacker.strike("POST", "/admin/users/membership/add/", data, sent=[email])
        told.append((answer.status_code, body_of(answer).replace(email.encode(), b"").count(b"errorlist")))
    assert told[0] == told[1]


def test_reasons_of_the_platform_stay_with_the_platform(attacker):
    attacker.kind = "routes"
    reason = platform_reason()
    with_list = [filled(path, pattern, unknown()) for path, pattern in ROUTES]
    with_list += [admin_url(model, "changelist") for model in PAGES] + ["/admin/"]
    for address in with_list:
        assert reason not in body_of(attacker.strike("GET", address)).decode()


# --- tasks ----------------------------------------------------------------------------------------


def forged(world, task):
    """Return name -> headers of a message that must not run."""
    horizon, ngwa = world.institution_id("horizon"), world.institution_id("ngwa")
    valid = sign("one", task.name, ngwa)
    return {
        "no stamp": {},
        "empty stamp": {HEADER: ""},
        "invented stamp": {HEADER: f"{horizon}:{'0' * 64}"},
        "other institution": {HEADER: valid.replace(f"{ngwa}:", f"{horizon}:", 1)},
        "stamp of another message": {HEADER: sign("two", task.name, horizon)},
        "stamp of another task": {HEADER: sign("one", "another.task", horizon)},
        "no number": {HEADER: "horizon:" + valid.partition(":")[2]},
    }


@pytest.mark.parametrize("name", sorted(own_tasks()))
def test_every_task_refuses_a_message_without_its_own_stamp(world, name):
    task = own_tasks()[name]
    if name in PLATFORM_TASKS:
        assert not isinstance(task, TenantTask)
        return
    for argument, headers in product(foreign_uids().values(), forged(world, task).values()):
        TRIED["tasks"] += 1
        done = task.apply(args=[argument], task_id="one", headers=headers, throw=False)
        assert isinstance(done.result, UntrustedMessage)


@pytest.mark.parametrize("name", sorted(set(own_tasks()) - PLATFORM_TASKS))
def test_every_task_knows_nothing_of_foreign_objects(world, name, caplog):
    task = own_tasks()[name]
    with world.scope("horizon"):
        foreign = str(create_job(kind=RESCORE, by=world.actor(world.risk_manager)).uid)
    before = counts(world)
    for argument in (foreign, *foreign_uids().values()):
        TRIED["tasks"] += 1
        headers = {HEADER: sign("one", task.name, world.institution_id("ngwa"))}
        done = task.apply(args=[argument], task_id="one", headers=headers, throw=False)
        assert loot().found_in(f"{done.result!r} {done.traceback} {caplog.text}", sent=[argument]) == []
    assert counts(world) == before
    with world.scope("horizon"):
        assert Job.objects.get(uid=foreign).status == "queued"


def test_platform_tasks_take_no_arguments():
    for name in PLATFORM_TASKS:
        with pytest.raises(TypeError):
            own_tasks()[name]("horizon")


# --- commands -------------------------------------------------------------------------------------

#: Command -> the arguments that name ngwa, or the reason why it is not run here.
COMMANDS = {
    "check_isolation": ["--skip-checks"],
    "demo_files": "writes files of fictional people, reads nothing stored (tests/demo)",
    "reindex_clients": [],
    "rotate_keys": ["--check"],
    "verify_audit": "seals what is not sealed yet; its findings name entries by number (tests/audit)",
    "rebuild_totals": ["ngwa"],
    "rescore": ["ngwa"],
    "seed_demo": "writes both fictional institutions and prints their log-ins, on purpose",
}


def test_every_command_is_known():
    ours = {name for name, app in get_commands().items() if app.startswith("apps.")}

    assert ours == set(COMMANDS)


@pytest.mark.django_db(databases=["default", "owner"])
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_for_ngwa_tells_nothing_of_horizon(world, name, monkeypatch):
    if isinstance(COMMANDS[name], str):
        return
    TRIED["commands"] += 1
    before, out = counts(world), io.StringIO()

    call_command(name, *COMMANDS[name], stdout=out, stderr=out)

    assert loot().found_in(out.getvalue()) == []
    assert counts(world) == before


def test_a_refused_attack_is_not_in_the_victims_trail(world, attacker):
    with world.scope("horizon"):
        before = AuditEntry.objects.count()
    for address, value in addresses("api/v1/predictions/<uuid:uid>", None):
        attacker.strike("GET", address, sent=[value])
    with world.scope("horizon"):
        assert AuditEntry.objects.count() == before
