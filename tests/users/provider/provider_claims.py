"""What the provider says of a person; for the tests of refusals it can be made to lie, or to sign badly."""

import base64
import json
import time

from cryptography.hazmat.primitives.asymmetric import rsa
from jwcrypto import jwk, jws
from oauth2_provider.oauth2_validators import OAuth2Validator

#: User name -> what is said of the person: email, email_verified, and more (acr, amr, fault, silent).
PEOPLE = {}

LIES = {
    "nonce": {"nonce": "of-another-browser"},
    "audience": {"aud": "another-site"},
    "audiences": {"aud": ["another-site", "credisense"], "azp": "another-site"},
    "issuer": {"iss": "https://another-provider.example"},
    "subject": {"sub": "somebody-else"},
}


class Validator(OAuth2Validator):
    oidc_claim_scope = None

    def get_additional_claims(self, request):
        told = PEOPLE[request.user.username]
        names = ("email", "email_verified", "acr", "amr")
        return {name: told[name] for name in names if name in told}

    def get_id_token_dictionary(self, token, token_handler, request):
        claims, ends = super().get_id_token_dictionary(token, token_handler, request)
        told = PEOPLE[request.user.username]
        if told.get("silent"):  # as the standard has it: claims of a scope come from the userinfo endpoint
            claims = {name: value for name, value in claims.items() if not name.startswith("email")}
        if told.get("fault") == "expired":
            claims["iat"], claims["exp"] = int(time.time()) - 7200, int(time.time()) - 3600
        return claims | LIES.get(told.get("fault"), {}), ends

    def finalize_id_token(self, id_token, token, token_handler, request):
        signed = super().finalize_id_token(id_token, token, token_handler, request)
        fault = PEOPLE[request.user.username].get("fault")
        header, payload, signature = signed.split(".")
        if fault == "none":
            return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{payload}."
        if fault == "altered":
            claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
            return f"{header}.{_encoded(claims | {'email': 'admin@horizon.demo'})}.{signature}"
        if fault == "another key":
            return _signed(payload, jwk.JWK.from_pyca(rsa.generate_private_key(65537, 2048)), "RS256", header)
        if fault == "shared secret":  # the public key taken for a secret
            public = request.client.jwk_key.export_to_pem()
            key = jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(public).decode().rstrip("="))
            return _signed(payload, key, "HS256", header)
        return signed


def _encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _signed(payload, key, algorithm, header):
    kid = json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
    token = jws.JWS(base64.urlsafe_b64decode(payload + "=="))
    token.add_signature(key, None, json.dumps({"alg": algorithm, "kid": kid}))
    return token.serialize(compact=True)
