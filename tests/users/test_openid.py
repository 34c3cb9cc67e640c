"""Logging in through an institution's own OpenID Connect provider: a real one, in a process of its own."""

import json
import time
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.conf import settings as site_settings
from django.test import Client
from jwcrypto import jwk

from apps.audit.models import AuditEntry
from apps.institutions.models import Institution
from apps.institutions.services import set_setting
from apps.outbox.models import OutboxMessage
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.users.backends import count_failure
from apps.users.errors import OpenIdRefused
from apps.users.models import BoundIdentity, IdentityProvider, LoginSession, Membership, User
from apps.users.queries import TOTP_ROLES_SETTING
from apps.users.rules import code_at
from apps.users.services.members import change_member
from apps.users.services.openid_client import ALGORITHMS, read_id_token
from apps.users.services.providers import forget_identity, set_provider
from apps.users.services.second_factor import begin_second_factor, confirm_second_factor

pytestmark = pytest.mark.django_db


def text_of(answer):
    return answer.content.decode().replace("&#x27;", "'")


def opened(email):
    return LoginSession.objects.filter(user__email=email, revoked_at=None).count()


def refused(answer, words, *, status=403):
    """Check a refusal: its page says why, and nobody is logged in."""
    assert answer.status_code == status, text_of(answer)
    assert words in text_of(answer)
    assert answer.wsgi_request.session.get("_auth_user_id") is None
    return True


@pytest.fixture
def horizon(provider, world):
    """Set the provider up at horizon; its analyst is known there."""
    provider.set_up()
    provider.person("awa", world.analyst)
    return provider


# --- coming in ------------------------------------------------------------------------------------------


def test_a_member_comes_in_through_the_institutions_provider(horizon, world):
    client = Client()
    door = client.get(horizon.link())
    assert "Se connecter avec" in text_of(door)
    assert "Horizon" in text_of(door)

    answer = horizon.come_back(client, "awa")

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    assert opened(world.analyst) == 1
    with world.scope():
        entry = AuditEntry.objects.get(action="login")
        assert entry.after == {"kind": "web", "way": "openid", "strong": False}
        assert entry.actor_id == world.user(world.analyst).pk
        bound = BoundIdentity.objects.get()
        assert (bound.user.email, bound.issuer) == (world.analyst, horizon.issuer)
        assert len(bound.subject_index) == 64
        [letter] = [m.letter for m in OutboxMessage.objects.filter(payload__identity=str(bound.uid))]
        assert json.loads(letter)["to"] == world.analyst


def test_what_is_asked_of_the_provider_holds_state_nonce_and_proof(horizon):
    first, second = (parse_qs(urlsplit(horizon.begin(Client())).query) for _ in range(2))

    assert first["response_type"] == ["code"]
    assert first["scope"] == ["openid email"]
    assert first["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]


def test_a_second_time_nothing_is_bound_again_and_one_goes_where_one_wanted(horizon, world):
    assert horizon.come_back(Client(), "awa").status_code == 302

    answer = horizon.come_back(Client(), "awa", "?next=/demandes")
    foreign = horizon.come_back(Client(), "awa", "?next=https://elsewhere.example/")

    assert (answer["Location"], foreign["Location"]) == ("/demandes", "/")
    with world.scope():
        bound = BoundIdentity.objects.get()
        assert bound.last_used_at > bound.bound_at
        assert AuditEntry.objects.filter(action="identity.bind").count() == 1


def test_an_email_that_stands_only_behind_the_token_is_asked_for(horizon, world):
    horizon.person("awa", world.analyst, silent=True)

    assert horizon.come_back(Client(), "awa").status_code == 302


def test_the_browser_finds_its_way_in_again_and_no_other_is_told_of_it(horizon):
    client = Client()
    assert "Se connecter avec" not in text_of(client.get("/connexion"))
    horizon.come_back(client, "awa")
    client.post("/deconnexion")

    assert f'{horizon.link("openid_start")}?next=%2Fdemandes"' in text_of(
        client.get("/connexion?next=/demandes")
    )
    assert "Horizon" not in text_of(Client().get("/connexion")).split("personas")[0]


# --- the link -------------------------------------------------------------------------------------------


def test_a_link_of_nobody_looks_like_one_that_is_closed(horizon, world):
    words = "Ce lien de connexion n'est pas en service"
    horizon.set_up(is_active=False)
    closed, ngwa = horizon.link(), horizon.link(code="ngwa")

    told = set()
    for path in (closed, ngwa, f"/connexion/{uuid4()}"):
        for suffix in ("", "/aller", "/retour?state=x&code=y"):
            answer = Client().get(path + suffix)
            assert refused(answer, words, status=404)
            told.add(text_of(answer).split("<main")[1].split("entrance-form")[1].split("csrf")[0])
    assert len(told) == 1


def test_a_suspended_institution_lets_nobody_in(horizon, world):
    client = Client()
    back = urlsplit(horizon.log_in_there("awa", horizon.begin(client)))
    Institution.objects.filter(code="horizon").update(status="suspended")

    assert refused(Client().get(horizon.link()), "n'est pas en service", status=404)
    assert refused(client.get(back.path, dict(parse_qsl(back.query))), "n'est pas en service", status=404)


# --- refusals ---------------------------------------------------------------------------------------------

NOT_FROM_HERE = "n'a pas été demandée depuis ce navigateur"
FAULTS = {
    "nonce": NOT_FROM_HERE,
    "audience": "destinée à un autre site",
    "audiences": "destinée à un autre site",
    "issuer": "vient d'un autre fournisseur d'identité",
    "expired": "a duré trop longtemps",
    "none": "signature de cette connexion",
    "altered": "signature de cette connexion",
    "another key": "signature de cette connexion",
    "shared secret": "signature de cette connexion",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_that_does_not_hold_opens_nothing(horizon, world, fault):
    horizon.person("awa", world.analyst, fault=fault)

    assert refused(horizon.come_back(Client(), "awa"), FAULTS[fault])
    assert opened(world.analyst) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "another"}, NOT_FROM_HERE),
        ({"state": ""}, NOT_FROM_HERE),
        ({"error": "access_denied"}, "abandonnée"),
        ({"iss": "https://another-provider.example"}, "vient d'un autre fournisseur"),
        ({"code": "invented"}, "n'a pas confirmé"),
    ],
)
def test_an_answer_that_was_altered_opens_nothing(horizon, world, changes, words):
    assert refused(horizon.come_back(Client(), "awa", **changes), words)
    assert opened(world.analyst) == 0


def test_an_answer_serves_once_and_in_its_own_browser(horizon):
    client, thief = Client(), Client()
    back = urlsplit(horizon.log_in_there("awa", horizon.begin(client)))
    told = dict(parse_qsl(back.query))
    horizon.begin(thief)

    assert refused(thief.get(back.path, told), NOT_FROM_HERE)
    assert client.get(back.path, told).status_code == 302
    again = client.get(back.path, told)
    assert again.status_code == 403
    assert NOT_FROM_HERE in text_of(again)


def test_an_answer_after_ten_minutes_is_late(horizon, monkeypatch):
    client = Client()
    back = urlsplit(horizon.log_in_there("awa", horizon.begin(client)))
    now = time.time()
    monkeypatch.setattr("apps.users.services.openid.time.time", lambda: now + 601)

    assert refused(client.get(back.path, dict(parse_qsl(back.query))), NOT_FROM_HERE)


def test_an_answer_for_one_institution_opens_no_other(horizon, world):
    horizon.set_up("ngwa", domains=("horizon.demo", "ngwa.demo"))
    client = Client()
    back = urlsplit(horizon.log_in_there("awa", horizon.begin(client)))

    answer = client.get(horizon.link("openid_return", "ngwa"), dict(parse_qsl(back.query)))

    assert refused(answer, NOT_FROM_HERE)


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_unverified_email_opens_nothing(horizon, world, verified):
    horizon.person("awa", world.analyst, verified=verified)

    assert refused(horizon.come_back(Client(), "awa"), "ne garantit pas votre e-mail")


def test_an_email_outside_the_domains_opens_nothing(horizon, world):
    horizon.person("awa", world.outsider)

    assert refused(horizon.come_back(Client(), "awa"), "domaine que votre institution accepte")


@pytest.mark.parametrize("email", ["analyste@ngwa.demo", "nobody@ngwa.demo", "operateur@credisense.demo"])
def test_nobody_but_a_member_of_that_institution_comes_in(horizon, world, email):
    """Three alike: whoever has an account elsewhere is told from nobody by nothing, nor locked, nor noted."""
    horizon.set_up(domains=("horizon.demo", "ngwa.demo", "credisense.demo"))
    horizon.person("awa", email)
    people = User.objects.count()

    for _ in range(6):
        assert refused(
            horizon.come_back(Client(), "awa"), "n'a pas d'accès à CrediSense dans cette institution"
        )

    assert User.objects.count() == people
    assert opened(email) == 0
    with world.scope("ngwa"):
        assert not AuditEntry.objects.filter(action__startswith="login").exists()
    form = {"email": email, "password": site_settings.DEMO_PASSWORD}
    assert Client().post("/connexion", form).status_code == (422 if email.startswith("nobody") else 302)


def test_a_suspended_member_is_told_so(horizon, world):
    with world.scope():
        member = Membership.objects.select_related("user").get(user__email=world.analyst)
        change_member(membership=member, is_active=False, by=world.actor(world.administrator))

    assert refused(horizon.come_back(Client(), "awa"), "Votre accès à CrediSense est fermé")
    with world.scope():
        entry = AuditEntry.objects.get(action="login.failed")
    assert entry.after == {"step": "openid", "reason": "suspended"}


def test_another_account_of_the_provider_does_not_take_a_place(horizon, world):
    assert horizon.come_back(Client(), "awa").status_code == 302
    horizon.person("awa-again", world.analyst)  # the e-mail was given to somebody else

    assert refused(horizon.come_back(Client(), "awa-again"), "n'est pas celui avec lequel vous êtes venu")
    with world.scope():
        assert AuditEntry.objects.get(action="login.failed").after == {"step": "openid", "reason": "subject"}
        identity = BoundIdentity.objects.select_related("user").get()
        forget_identity(identity=identity, by=world.actor(world.administrator))
        assert AuditEntry.objects.filter(action="identity.forget").count() == 1
    assert horizon.come_back(Client(), "awa-again").status_code == 302


def test_one_account_of_the_provider_opens_one_place(horizon, world):
    assert horizon.come_back(Client(), "awa").status_code == 302
    horizon.person("awa", world.auditor)

    assert refused(horizon.come_back(Client(), "awa"), "n'est pas celui avec lequel vous êtes venu")
    assert opened(world.auditor) == 0


def test_a_provider_that_is_away_is_told(horizon, settings):
    client = Client()
    back = urlsplit(horizon.log_in_there("awa", horizon.begin(client)))
    settings.OPENID_NETWORKS = []  # now a private address, which is not asked

    assert refused(client.get(back.path, dict(parse_qsl(back.query))), "ne répond pas", status=503)
    assert refused(Client().get(horizon.link("openid_start")), "ne répond pas", status=503)


def key_pair(algorithm):
    if algorithm.startswith("ES"):
        curves = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
        return ec.generate_private_key(curves[algorithm]())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def published(key, **more):
    kind = jwk.JWK.from_pyca(key.public_key())
    return json.loads(kind.export_public()) | {"kid": None} | more


def read(token, *keys):
    return read_id_token(
        token, keys={"keys": list(keys)}, issuer="https://id.cm", client_id="credisense", nonce="n"
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_signature_of_a_key_of_ones_own_is_read(algorithm):
    now, key = int(time.time()), key_pair(algorithm)
    claims = {
        "iss": "https://id.cm",
        "aud": "credisense",
        "sub": "1",
        "iat": now,
        "exp": now + 60,
        "nonce": "n",
    }
    token = jwt.encode(claims, key, algorithm=algorithm)
    other = key_pair("RS256")

    assert read(token, published(key), published(key_pair("RS256"), use="enc"))["sub"] == "1"
    for keys in (
        [],
        [published(other)],
        [published(key), published(key)],  # which one?
        [published(key, use="enc")],
        [published(key, alg="RS1")],
        ["no key"],
    ):
        with pytest.raises(OpenIdRefused):
            read(token, *keys)
    for missing in ("sub", "exp", "iat", "nonce"):
        short = {name: value for name, value in claims.items() if name != missing}
        with pytest.raises(OpenIdRefused):
            read(jwt.encode(short, key, algorithm=algorithm), published(key))


# --- as for a password ------------------------------------------------------------------------------------


def test_a_locked_account_waits_here_too(horizon, world):
    for _ in range(5):
        count_failure(email=world.analyst, address="127.0.0.1")

    assert refused(horizon.come_back(Client(), "awa"), "Trop d'essais", status=429)


def test_an_address_that_fails_too_often_is_refused_before_anything_is_asked(horizon, settings):
    settings.LOGIN_LIMIT_ADDRESS = 3
    for _ in range(3):
        assert Client().get(horizon.link("openid_return"), {"state": "x", "code": "y"}).status_code == 403

    assert refused(Client().get(horizon.link("openid_start")), "Trop d'essais", status=429)
    assert Client().post("/connexion", {"email": "a@b.cm", "password": "x"}).status_code == 429


def with_second_factor(world, email):
    user = world.user(email)
    secret = begin_second_factor(user=user)
    with world.scope():
        codes = confirm_second_factor(
            user=user, code=code_at(secret, int(time.time()) // 30), by=world.actor(email)
        )
    return codes[0]


def test_our_second_factor_is_asked_as_ever(horizon, world):
    code = with_second_factor(world, world.analyst)
    client = Client()

    answer = horizon.come_back(client, "awa", "?next=/demandes")

    assert answer["Location"] == "/connexion/code"
    assert client.get("/").status_code == 302
    assert client.post("/connexion/code", {"code": code})["Location"] == "/demandes"
    assert client.get("/").status_code == 200
    with world.scope():
        assert AuditEntry.objects.get(action="login").after["way"] == "openid"


@pytest.mark.parametrize(("said", "counts"), [({"amr": ["pwd", "otp"]}, True), ({"acr": "silver"}, False)])
def test_the_providers_second_factor_counts_where_the_institution_said_so(horizon, world, said, counts):
    horizon.set_up(amr_values=("otp",), acr_values=("gold",))
    with_second_factor(world, world.analyst)
    horizon.person("awa", world.analyst, **said)
    client = Client()

    answer = horizon.come_back(client, "awa")

    assert answer["Location"] == ("/" if counts else "/connexion/code")
    assert client.get("/").status_code == (200 if counts else 302)


@pytest.mark.parametrize("amr", [["otp"], ["pwd"]])
def test_a_role_that_must_have_a_second_factor_has_it_there_or_sets_one_up_here(horizon, world, amr):
    horizon.set_up(amr_values=("otp",))
    with world.scope():
        set_setting(
            key=TOTP_ROLES_SETTING, value=["analyste"], by=world.actor(world.administrator), reason="Essai"
        )
    horizon.person("awa", world.analyst, amr=amr)
    client = Client()
    horizon.come_back(client, "awa")

    answer = client.get("/")

    assert answer.status_code == (200 if amr == ["otp"] else 302)


def test_a_closed_password_way_is_closed_but_to_administrators(horizon, world):
    horizon.set_up(password_allowed=False)
    password = site_settings.DEMO_PASSWORD

    page = Client().post("/connexion", {"email": world.analyst, "password": password})
    wrong = Client().post("/connexion", {"email": world.analyst, "password": "autre"})
    api = Client().post(
        "/api/v1/login",
        json.dumps({"email": world.analyst, "password": password}),
        content_type="application/json",
    )

    assert page.status_code == 422
    assert "avec le compte de votre institution" in text_of(page)
    assert "avec le compte" not in text_of(wrong)
    assert (api.status_code, api.json()["code"]) == (403, "password_closed")
    for email in (world.administrator, world.outsider):
        assert Client().post("/connexion", {"email": email, "password": password}).status_code == 302
    assert horizon.come_back(Client(), "awa").status_code == 302
    horizon.set_up(password_allowed=False, is_active=False)
    assert Client().post("/connexion", {"email": world.analyst, "password": password}).status_code == 302


# --- setting it up ----------------------------------------------------------------------------------------


def test_the_administrator_sets_it_up_in_the_back_office(provider, world, page):
    browser = page(world.administrator)
    form = browser.get("/admin/users/identityprovider/add/")
    assert f"http://testserver{provider.link('openid_return')}" in text_of(form)
    values = {
        "issuer": provider.issuer, "client_id": "credisense", "client_secret": "secret-of-credisense",
        "domains": "horizon.demo, horizon.cm", "password_allowed": "on", "is_active": "on",
    }  # fmt: skip

    answer = browser.post("/admin/users/identityprovider/add/", values)

    assert answer.status_code == 302, text_of(answer)
    with world.scope():
        stored = IdentityProvider.objects.get()
        assert stored.domains == ["horizon.cm", "horizon.demo"]
        raw = IdentityProvider.objects.extra(select={"raw": "client_secret"}).get().raw
        entry = AuditEntry.objects.get(action="provider.set")
    assert stored.client_secret == "secret-of-credisense"
    assert "secret-of" not in raw
    assert "secret-of" not in str((entry.before, entry.after))
    assert entry.after["issuer"] == provider.issuer

    again = f"/admin/users/identityprovider/{stored.pk}/change/"
    assert "secret-of" not in text_of(browser.get(again))
    values |= {"client_secret": "", "domains": "horizon.demo", "is_active": ""}
    assert browser.post(again, values).status_code == 302
    with world.scope():
        stored.refresh_from_db()
    assert (stored.client_secret, stored.is_active) == ("secret-of-credisense", False)
    assert browser.get("/admin/users/identityprovider/add/").status_code == 403
    assert page(world.outsider_admin).get(again).status_code in {302, 404}
    assert page(world.analyst).get("/admin/users/identityprovider/").status_code == 302


def test_bound_accounts_are_listed_and_forgotten_in_the_back_office(horizon, world, page):
    horizon.come_back(Client(), "awa")
    browser = page(world.administrator)
    with world.scope():
        bound = BoundIdentity.objects.select_related("user").get()

    shown = browser.get("/admin/users/boundidentity/")
    foreign = page(world.outsider_admin).get("/admin/users/boundidentity/")
    answer = browser.post(
        "/admin/users/boundidentity/", {"action": "forget", "_selected_action": [bound.pk]}, follow=True
    )

    assert bound.user.full_name in text_of(shown)
    assert bound.user.full_name not in text_of(foreign)
    assert answer.status_code == 200
    with world.scope():
        assert not BoundIdentity.objects.exists()


def test_the_other_administrators_are_told(provider, world):
    with world.scope():
        member = Membership.objects.select_related("user").get(user__email=world.auditor)
        change_member(membership=member, role="administrateur", by=world.actor(world.administrator))

    provider.set_up()

    with world.scope():
        letters = [
            json.loads(m.letter)["to"] for m in OutboxMessage.objects.filter(payload__has_key="provider")
        ]
    assert letters == [world.auditor]


PRIVATE = (
    "https://localhost",
    "https://127.0.0.1",
    "https://10.0.0.5",
    "https://169.254.169.254",
    "https://[::1]",
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("issuer", address) for address in PRIVATE),
        ("issuer", "http://id.example.cm"),
        ("issuer", "https://id.example.cm:22"),
        ("issuer", "https://id.example.cm/?x=1"),
        ("issuer", "https://user:word@id.example.cm"),
        ("issuer", "javascript:alert(1)"),
        ("domains", ()),
        ("domains", ("cm",)),
        ("domains", ("@horizon.cm",)),
        ("domains", ("horizon.cm\n",)),
        ("client_id", "a\nb"),
        ("client_id", ""),
        ("client_secret", ""),
        ("acr_values", ("a b",)),
        ("amr_values", ("é",)),
    ],
)
def test_what_cannot_be_used_is_refused_beside_its_field(world, field, value, monkeypatch):
    from tests.users.openid import Provider

    answers = [(2, 1, 6, "", ("93.184.216.34", 443))]
    if field != "issuer":
        monkeypatch.setattr("apps.outbox.backends.socket.getaddrinfo", lambda *_a, **_k: answers)
    wish = Provider(1).wish(issuer="https://id.example.cm", is_active=False)
    with world.scope(), pytest.raises(InvalidValues) as refusal:
        set_provider(wish=replace(wish, **{field: value}), by=world.actor(world.administrator))

    assert set(refusal.value.fields) == {field}


def test_a_provider_in_service_must_be_there_and_bear_its_name(provider, world):
    for issuer in (f"{provider.issuer}/", provider.issuer.replace("/o", "/elsewhere")):
        with pytest.raises(InvalidValues) as refusal:
            provider.set_up(issuer=issuer)
        assert set(refusal.value.fields) == {"issuer"}


def test_a_stored_secret_is_not_sent_to_another_server(horizon):
    with pytest.raises(InvalidValues) as refusal:
        horizon.set_up(issuer=f"{horizon.issuer}/2", client_secret="", is_active=False)

    assert set(refusal.value.fields) == {"client_secret"}


def test_only_an_administrator_sets_it_up(horizon, world):
    with world.scope(), pytest.raises(NotAllowed):
        set_provider(wish=horizon.wish(), by=world.actor(world.analyst))
