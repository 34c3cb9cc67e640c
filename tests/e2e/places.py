"""Every page of the site, as a person gets it: found in the URL configuration, asked with Django's client.

A new page without parameters is walked by itself. One that shows an object needs a line in ``EXAMPLES``,
unless ``TARGETS`` of tests/isolation/test_every_route.py names its model already.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import get_resolver, reverse

from apps.demo.cast import OPERATOR, PEOPLE
from apps.institutions.models import Institution
from apps.tenancy.catalogue import OPEN_ROUTES
from apps.tenancy.checks import routes
from apps.tenancy.roles import Verb, allows
from apps.users.models import IdentityProvider, Membership, User
from apps.users.services.invitations import _invitation_token
from apps.users.services.login import pending
from apps.users.services.passwords import reset_tokens
from tests.dictionary import own_variable
from tests.isolation.test_every_route import TARGETS

#: The institution whose people read each language.
INSTITUTION = {"fr": "horizon", "en": "ngwa"}
ROLE_OF = {local_part: role for local_part, role, _names in PEOPLE}
#: Who opens a page that several roles may open: the first that holds its verb.
PREFERRED = ("analyste", "risques", "auditeur", "comite", "admin", "agent", "commercial", "dpo")
#: Pages that differ so much by role that each role's is walked.
FOR_EVERY_ROLE = {"web:home"}
#: Pages of which the first who may open them sees little, or not all.
SHOWN_TO = dict.fromkeys(("web:portfolio", "web:consistency", "web:benchmarks"), "risques")

#: Addresses that answer a GET with something else than a page, each with its reason. What answers 405 to a
#: GET (a button's address) need not stand here.
NOT_PAGES = {
    "web:audit_export": "a CSV file",
    "web:batch_result": "the scored file",
    "web:client_scores_csv": "a CSV file",
    "web:import_rejects": "a CSV file",
    "web:import_template": "a CSV or XLSX file",
    "web:institution_logo": "a picture, or none",
    "web:import_report": "a CSV file",
    "web:model_export": "a zip",
    "web:model_monitoring_csv": "a CSV file",
    "web:model_scorecard": "a JSON file, or the page of a model without one",
    "web:portfolio_csv": "a CSV file",
    "web:benchmarks_csv": "a CSV file",
    "web:consistency_csv": "a CSV file",
    "web:prospects_csv": "a CSV file",
    "web:report_file": "a file",
    "web:training_numbers": "a CSV file",
}

#: Route -> values of its parameters, for an object of the institution whose scope is open.
EXAMPLES: dict[str, Callable[[], dict[str, Any]]] = {
    **dict.fromkeys(
        ("web:variable", "web:variable_edit", "web:variable_retire"), lambda: {"name": own_variable().name}
    ),
    **dict.fromkeys(("web:report_new", "web:report_schedule"), lambda: {"kind": "activite"}),
}

#: A form sent back untouched: a browser always sends the token.
EMPTY = {"csrfmiddlewaretoken": "x"}

#: What a place shows once more with these parameters: lists filtered, forms filled.
ALSO = {
    "web:application_new": ("?exemple=1",),
    "web:application_decide": ("?decision=accorde_sous_reserve", "?decision=refuse"),
    "web:comparison": ("?dossier_1=D-2023-000001&dossier_2=D-2023-000002", "?dossier_1=rien"),
    "web:duplicates": ("?critere=nom", "?critere=telephone"),
    "web:models": ("?day=21/11/2030&hour=10:00", "?day=hier"),
    "web:monitoring": ("?vue=population", "?vue=groupes", "?vue=decisions"),
    "web:portfolio": ("?par=mois", "?par=decideur", "?vue=distributions", "?du=2022-01&au=2022-01"),
    "web:benchmarks": ("?produit=agricole",),
    "web:scorecard_new": ("?variable=age&variable=secteur",),
    "web:audit": ("?date_from=2031-01-01", "?date_from=2026-02-01&date_to=2026-01-01"),
}


@dataclass(frozen=True)
class Shown:
    """One answer of the site: a page as it stands in front of a person."""

    name: str
    person: str
    address: str
    status: int
    headers: dict[str, str]
    html: str

    def __str__(self) -> str:
        return f"{self.name} {self.address} ({self.person or 'nobody'}, {self.status})"


def shown_pages(language: str) -> Iterator[Shown]:
    """Yield every page of the site in ``language``: as asked, with its form refused, and the errors'."""
    visitors = _Visitors(language)
    for name, path, rule in page_routes():
        for person in _people(name, rule):
            for address in _addresses(name, path, visitors):
                answer = visitors.get(person, address)
                if answer.status_code == 405:
                    continue
                yield from _with_refusal(visitors, name, person, address, answer)
    yield from _prepared(visitors)


def page_routes() -> Iterator[tuple[str, str, Any]]:
    """Yield ``(name, path, rule)`` of the routes that may be pages."""
    for path, pattern in routes(get_resolver()):
        name = f"web:{pattern.name}"
        if not path.startswith("api/") and path not in OPEN_ROUTES and name not in NOT_PAGES:
            yield name, path, getattr(pattern.callback, "rule", None)


def back_office_pages(language: str) -> Iterator[Shown]:
    """Yield list, add and change page of every model of the back-office, for who may open them."""
    visitors = _Visitors(language)
    for person in ("admin", OPERATOR[0]):
        yield from _answers(visitors, "admin:index", person, reverse("admin:index"))
        for model in admin.site._registry:
            label = f"{model._meta.app_label}_{model._meta.model_name}"
            yield from _answers(visitors, f"admin:{label}", person, reverse(f"admin:{label}_changelist"))
            yield from _answers(visitors, f"admin:{label}_add", person, reverse(f"admin:{label}_add"))
            row = _row_in_list(visitors, person, reverse(f"admin:{label}_changelist"))
            if row:
                yield from _answers(visitors, f"admin:{label}_change", person, row)


class _Visitors:
    """One logged-in test client for each person of an institution; nobody is the empty name."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.institution = INSTITUTION[language]
        self.clients: dict[str, Client] = {}

    def get(self, person: str, address: str) -> Any:
        return self.client(person).get(address)

    def client(self, person: str) -> Client:
        if person not in self.clients:
            self.clients[person] = self.fresh(person)
        return self.clients[person]

    def fresh(self, person: str) -> Client:
        client = Client(raise_request_exception=False)
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = self.language
        if person:
            client.force_login(User.objects.get(email=self.email(person)))
        return client

    def email(self, person: str) -> str:
        return person if "@" in person else f"{person}@{self.institution}.demo"

    def scope(self) -> Any:
        from apps.tenancy.context import tenant_scope

        return tenant_scope(Institution.objects.get(code=self.institution).pk)


def _people(name: str, rule: Any) -> tuple[str, ...]:
    if name in FOR_EVERY_ROLE:
        return PREFERRED
    if name in SHOWN_TO:
        return (SHOWN_TO[name],)
    if rule == "public":
        return ("",)
    if not isinstance(rule, Verb):
        return PREFERRED[:1]
    return (next(person for person in PREFERRED if allows(ROLE_OF[person], rule)),)


def _addresses(name: str, path: str, visitors: _Visitors) -> list[str]:
    if "<" not in path:
        return [f"/{path}", *(f"/{path}{query}" for query in ALSO.get(name, ()))]
    with visitors.scope():
        values = _example(name)
    assert values, f"{name}: say in tests/e2e/places.py which object this page shows (EXAMPLES)"
    return ["/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), path)]


def _example(name: str) -> dict[str, Any]:
    if name in EXAMPLES:
        return EXAMPLES[name]()
    row = TARGETS[name].objects.first() if name in TARGETS else None
    return {} if row is None else {"uid": row.uid}


def _with_refusal(visitors: _Visitors, name: str, person: str, address: str, answer: Any) -> Iterator[Shown]:
    """Yield a page, and what it shows when its own form comes back empty."""
    if answer.status_code == 302:  # it leads elsewhere unless prepared: see _prepared
        return
    shown = _shown(name, person, address, answer)
    yield shown
    if "?" not in address and _asks_for_something(shown):
        refused = visitors.client(person).post(address, EMPTY)
        assert refused.status_code == 422, f"{shown}: an empty form answers {refused.status_code}"
        yield _shown(f"{name}, refused", person, address, refused)


def _asks_for_something(shown: Shown) -> bool:
    """Say whether a page has a form that posts to the page itself and must not be empty."""
    for form in re.findall(r"<form\b(.*?)>(.*?)</form>", shown.html, re.DOTALL):
        action = re.search(r'\baction="([^"]*)"', form[0])
        own = action is None or action[1] in {"", shown.address}
        if own and 'method="post"' in form[0] and 'class="required"' in form[1]:
            return True
    return False


def _answers(visitors: _Visitors, name: str, person: str, address: str) -> Iterator[Shown]:
    """Yield the page, unless this person may not open it."""
    answer = visitors.get(person, address)
    if answer.status_code not in {302, 403}:
        yield _shown(name, person, address, answer)


def _row_in_list(visitors: _Visitors, person: str, address: str) -> str | None:
    """Return the address of the first row of a back-office list."""
    body = visitors.get(person, address).content.decode()
    found = re.search(rf'href="({re.escape(address)}[^"/]+/change/)', body)
    return found[1] if found else None


def _prepared(visitors: _Visitors) -> Iterator[Shown]:
    """Yield the pages that one reaches only through another: by a link, a code, a refusal, an error."""
    analyst = User.objects.get(email=visitors.email("analyste"))
    client = visitors.fresh("")
    session = client.session
    session["second_step"] = pending(analyst)
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    address = reverse("web:login_code")
    yield _shown("web:login_code", "", address, client.get(address))
    yield _shown("web:login_code, refused", "", address, client.post(address, EMPTY))

    client = visitors.fresh("")
    address = reverse("web:password_reset")
    client.get(address, {"personne": str(analyst.uid), "jeton": reset_tokens.make_token(analyst)})
    yield _shown("web:password_reset, by link", "", address, client.get(address))
    yield _shown("web:password_reset, refused", "", address, client.post(address, EMPTY))

    token = _invitation(visitors)
    address = f"{reverse('web:invitation')}?jeton={token}"
    yield _shown("web:invitation, by link", "", address, visitors.get("", address))
    yield _shown("web:invitation, refused", "", address, visitors.client("").post(address, EMPTY))

    client = visitors.client("")
    address = reverse("web:password_forgotten")
    yield _shown("web:password_forgotten, sent", "", address, client.post(address, {"email": "x@y.demo"}))
    yield from _openid(visitors)
    yield from _second_factor(visitors)
    yield from _errors(visitors)


def _openid(visitors: _Visitors) -> Iterator[Shown]:
    """Yield the way in of an institution that has a provider, and the page of a log-in that failed."""
    with visitors.scope():
        IdentityProvider.objects.create(
            issuer="https://id.example.cm", client_id="x", client_secret="y", is_active=True
        )
    address = reverse("web:institution_log_in", args=[Institution.objects.get(code=visitors.institution).uid])
    yield _shown("web:institution_log_in, by link", "", address, visitors.get("", address))
    refused = visitors.get("", f"{address}/retour?state=x")
    yield Shown(
        "web:openid_return, refused",
        "",
        address,
        refused.status_code,
        dict(refused.headers),
        refused.content.decode(),
    )


def _invitation(visitors: _Visitors) -> str:
    user = User.objects.create_user(f"invited@{visitors.institution}.demo", None)
    institution = Institution.objects.get(code=visitors.institution)
    membership = Membership.objects.create(
        user=user, institution=institution, role="administrateur", is_active=False
    )
    return _invitation_token(membership)


def _second_factor(visitors: _Visitors) -> Iterator[Shown]:
    """Yield the recovery codes, the profile with a second factor and the page that takes it off."""
    import time

    from apps.users.rules import code_at

    client = visitors.fresh("comite")
    address = reverse("web:second_factor")
    page = client.get(address)
    secret = page.context["secret"].replace(" ", "")
    codes = client.post(address, {"code": code_at(secret, int(time.time()) // 30)})
    yield _shown("web:second_factor, codes", "comite", address, codes)
    for name in ("web:profile", "web:second_factor_off"):
        address = reverse(name)
        yield from _with_refusal(visitors, f"{name}, with codes", "comite", address, client.get(address))


def _errors(visitors: _Visitors) -> Iterator[Shown]:
    from django.test import RequestFactory
    from django.utils import translation

    from config import errors

    yield _shown("404", "analyste", "/rien", visitors.get("analyste", "/rien"))
    yield _shown("403", "analyste", "/audit", visitors.get("analyste", "/audit"))
    for handler in (errors.bad_request, errors.server_error):
        with translation.override(visitors.language):
            answer = handler(RequestFactory().get("/"))
        yield _shown(str(answer.status_code), "", "/", answer)


def _shown(name: str, person: str, address: str, answer: Any) -> Shown:
    kind = answer.headers.get("Content-Type", "")
    hint = f"{name} is no page ({kind}): say so in NOT_PAGES of tests/e2e/places.py"
    assert kind.startswith("text/html"), hint
    assert name[:3].isdigit() or answer.status_code in {200, 422} or _says_it_is_over(name, answer), (
        f"{name} answers {answer.status_code} to {person or 'nobody'} at {address}: "
        "say in tests/e2e/places.py which object this page shows"
    )
    return Shown(name, person, address, answer.status_code, dict(answer.headers), answer.content.decode())


def _says_it_is_over(name: str, answer: Any) -> bool:
    """Say whether the page, opened without its link's token, explains instead of asking."""
    return (name, answer.status_code) in {
        ("web:invitation", 404),
        ("web:password_reset", 410),
        *((f"web:{name}", 404) for name in ("institution_log_in", "openid_start", "openid_return")),
    }
