"""Speaking OpenID Connect with an institution's provider; who may come in is decided in ``openid``.

Every question to the provider goes to an address that was checked first, as webhooks do: the institution
chose it, and its discovery document chooses the next ones.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import jwt
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.utils.translation import gettext as _
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from apps.outbox.backends import Answer, Bounds, fetch
from apps.outbox.errors import DeliveryFailed
from apps.outbox.rules import target_of
from apps.users.errors import OpenIdRefused
from apps.users.models import IdentityProvider

SCOPE = "openid email"
#: Signatures by a key that the provider alone holds: neither ``none`` nor a secret that both sides know.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
REQUIRED_CLAIMS = ["iss", "sub", "aud", "exp", "iat"]
CLOCK_SECONDS = 60
MOST_BYTES = 512 * 1024
SECRET_LENGTH = 48
OK = 200
WELL_KNOWN = "/.well-known/openid-configuration"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
#: How we prove to be the client, the first that the provider takes.
AUTHENTICATION = ("client_secret_basic", "client_secret_post")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    authentication: str


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser is sent to log in, and what must come back with it."""

    address: str
    state: str
    nonce: str
    verifier: str


def openid_bounds() -> Bounds:
    """Return where a provider may stand."""
    return Bounds(settings.OPENID_PORTS, settings.OPENID_PLAIN_HTTP, settings.OPENID_NETWORKS)


def discover(issuer: str) -> Discovery:
    """Return what the provider says of itself; raise ``OpenIdRefused`` when that cannot be used."""
    document = _document(f"{issuer.rstrip('/')}{WELL_KNOWN}")
    if document.get("issuer") != issuer:
        raise OpenIdRefused(
            _("The identity provider bears another name than the one set up."), reason="issuer"
        )
    addresses = {name: _address(document, name) for name in ENDPOINTS}
    userinfo = _address(document, "userinfo_endpoint") if document.get("userinfo_endpoint") else ""
    offered = document.get("token_endpoint_auth_methods_supported") or AUTHENTICATION[:1]
    known = [each for each in AUTHENTICATION if each in offered]
    if not known:
        raise OpenIdRefused(_not_understood(), reason="authentication")
    return Discovery(issuer=issuer, userinfo_endpoint=userinfo, authentication=known[0], **addresses)


def depart(*, provider: IdentityProvider, return_address: str) -> Departure:
    """Return where to send a browser, with a fresh state, nonce and proof key."""
    discovery = discover(provider.issuer)
    nonce, verifier = generate_token(SECRET_LENGTH), generate_token(SECRET_LENGTH)
    wishes = {"acr_values": " ".join(provider.acr_values)} if provider.acr_values else {}
    address, state = _session(provider, discovery, return_address).create_authorization_url(
        discovery.authorization_endpoint,
        state=generate_token(SECRET_LENGTH),
        nonce=nonce,
        code_verifier=verifier,
        **wishes,
    )
    return Departure(str(address), str(state), nonce, verifier)


def redeem(
    *, provider: IdentityProvider, code: str, verifier: str, nonce: str, return_address: str
) -> dict[str, Any]:
    """Exchange a code for the claims of its person, each checked; raise ``OpenIdRefused``.

    Where the ID token holds no e-mail, the provider is asked for it, as the standard has it.
    """
    discovery = discover(provider.issuer)
    session = _session(provider, discovery, return_address)
    try:
        tokens = session.fetch_token(
            discovery.token_endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
        )
    except AuthlibBaseError as error:
        raise OpenIdRefused(
            _("The identity provider did not confirm this log-in. Begin again."), reason="code"
        ) from error
    except DeliveryFailed as error:
        raise _unreachable() from error
    except (ValueError, TypeError, AttributeError) as error:
        raise OpenIdRefused(_not_understood(), reason="token") from error
    claims = read_id_token(
        str(tokens.get("id_token") or ""),
        keys=_document(discovery.jwks_uri),
        issuer=discovery.issuer,
        client_id=provider.client_id,
        nonce=nonce,
    )
    if "email" not in claims and discovery.userinfo_endpoint:
        told = _document(
            discovery.userinfo_endpoint, {"Authorization": f"Bearer {tokens.get('access_token')}"}
        )
        if told.get("sub") != claims["sub"]:
            raise OpenIdRefused(_not_understood(), reason="userinfo")
        claims |= {name: told[name] for name in ("email", "email_verified") if name in told}
    return claims


def read_id_token(token: str, *, keys: Document, issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """Return the claims of an ID token whose signature, issuer, audience, times and nonce hold.

    Raises ``OpenIdRefused`` with the reason.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_of(token, keys),
            algorithms=list(ALGORITHMS),
            audience=client_id,
            issuer=issuer,
            leeway=CLOCK_SECONDS,
            options={"require": REQUIRED_CLAIMS},
        )
    except jwt.ExpiredSignatureError as error:
        raise OpenIdRefused(_("This log-in took too long. Begin again."), reason="expired") from error
    except jwt.InvalidAudienceError as error:
        raise OpenIdRefused(_("This log-in was meant for another site."), reason="audience") from error
    except jwt.InvalidIssuerError as error:
        raise OpenIdRefused(
            _("This log-in comes from another identity provider."), reason="issuer"
        ) from error
    except (jwt.InvalidAlgorithmError, jwt.InvalidSignatureError) as error:
        raise OpenIdRefused(_("The signature of this log-in does not hold."), reason="signature") from error
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
        raise OpenIdRefused(_not_understood(), reason="token") from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != client_id:
        raise OpenIdRefused(_("This log-in was meant for another site."), reason="audience")
    if claims.get("nonce") != nonce:
        raise OpenIdRefused(_("This log-in was not asked from this browser. Begin again."), reason="nonce")
    return claims


def _key_of(token: str, keys: Document) -> jwt.PyJWK:
    """Return the provider's key that a token names; without a name there must be one only that fits."""
    header = jwt.get_unverified_header(token)
    algorithm, name = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError
    found = []
    for key in keys.get("keys") or []:
        if _serves(key, algorithm, name):
            with suppress(jwt.PyJWTError):  # of another kind than the algorithm
                found.append(jwt.PyJWK(key, algorithm))
    if len(found) != 1:
        raise jwt.InvalidSignatureError
    return found[0]


def _serves(key: Document, algorithm: str, name: str | None) -> bool:
    fits = key.get("use") in {None, "sig"} and key.get("alg") in {None, algorithm}
    return fits and key.get("kty") != "oct" and name in {None, key.get("kid")}


class _CheckedAdapter(BaseAdapter):
    """Lets a session of ``requests`` speak to checked addresses only, without redirects."""

    def send(self, request: PreparedRequest, *_args: Any, **_kwargs: Any) -> Response:
        body = request.body or b""
        answer = fetch(
            request.method or "GET",
            request.url or "",
            bounds=openid_bounds(),
            most=MOST_BYTES,
            body=body if isinstance(body, bytes) else str(body).encode(),
            headers=request.headers,
        )
        return _response(request, answer)

    def close(self) -> None:
        """Nothing stays open."""


def _response(request: PreparedRequest, answer: Answer) -> Response:
    response = Response()
    response.status_code, response.url, response.request = answer.status, request.url or "", request
    response.headers = CaseInsensitiveDict(answer.headers)
    response._content = answer.content  # noqa: SLF001  requests has no other way to give a response its body
    return response


def _session(provider: IdentityProvider, discovery: Discovery, return_address: str) -> OAuth2Session:
    session = OAuth2Session(
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        token_endpoint_auth_method=discovery.authentication,
        scope=SCOPE,
        redirect_uri=return_address,
        code_challenge_method="S256",
    )
    session.headers["Accept-Encoding"] = "identity"  # nothing unpacks what comes through the adapter
    session.trust_env = False  # neither a proxy nor a password of the machine's user
    session.adapters.clear()
    session.mount("https://", _CheckedAdapter())
    session.mount("http://", _CheckedAdapter())
    return session


def _document(url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    wanted = {"Accept": "application/json", **(headers or {})}
    try:
        answer = fetch("GET", url, bounds=openid_bounds(), most=MOST_BYTES, headers=wanted)
        document = json.loads(answer.content) if answer.status == OK else None
    except DeliveryFailed as error:
        raise _unreachable() from error
    except ValueError as error:
        raise OpenIdRefused(_not_understood(), reason="document") from error
    if not isinstance(document, dict):
        raise OpenIdRefused(_not_understood(), reason="document")
    return document


def _address(document: Document, name: str) -> str:
    """Return an address that the discovery document names, of a form that we may follow."""
    url, bounds = document.get(name), openid_bounds()
    try:
        target_of(str(url), ports=bounds.ports, plain=bounds.plain)
    except DeliveryFailed as error:
        raise OpenIdRefused(_not_understood(), reason="endpoint") from error
    return str(url)


def _unreachable() -> OpenIdRefused:
    return OpenIdRefused(_("The identity provider does not answer. Try again later."), reason="unreachable")


def _not_understood() -> str:
    return _("The identity provider answered something that cannot be used. Tell your administrator.")
