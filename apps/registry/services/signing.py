"""Signatures of exported model folders: Ed25519, so that others can check what they cannot sign.

What is signed are the bytes of ``manifest.json`` as they are without their ``signature``; the manifest
holds the hash of every other file. The keys follow from those that encrypt fields, and rotate with
them: the newest signs, all of them are known as this platform's.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from apps.registry.enums import ModelSignature
from apps.registry.errors import ModelRefused

FIELD = "signature"
ALGORITHM = "ed25519"
_PURPOSE = b"credisense model folder signature 1"
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed a manifest: this platform, another key, nobody; ``key`` is a fingerprint of 16 digits."""

    signature: ModelSignature
    key: str = ""


def sign(content: bytes) -> bytes:
    """Return a manifest with the signature of this platform; one that it cannot give back stays as it is."""
    manifest = json.loads(content)
    if FIELD in manifest or canonical(manifest) != content:
        return content
    key = _private_keys(tuple(settings.FIELD_ENCRYPTION_KEYS))[0]
    signature = {
        "algorithm": ALGORITHM,
        "public_key": _text(key.public_key().public_bytes_raw()),
        "value": _text(key.sign(content)),
    }
    return canonical({**manifest, FIELD: signature})


def check(manifest: Mapping[str, Any]) -> Signed:
    """Say who signed a manifest; raise ``ModelRefused`` for a signature that is not that of its contents."""
    if FIELD not in manifest:
        return Signed(ModelSignature.NONE)
    public, value = _parts(manifest[FIELD])
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, canonical(unsigned(manifest)))
    except (InvalidSignature, ValueError, RecursionError):
        raise ModelRefused(
            _("The signature is not that of this folder: it was changed after it was signed.")
        ) from None
    ours = public in _public_keys(tuple(settings.FIELD_ENCRYPTION_KEYS))
    return Signed(ModelSignature.PLATFORM if ours else ModelSignature.ELSEWHERE, fingerprint(public))


def unsigned(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest without its signature."""
    return {name: value for name, value in manifest.items() if name != FIELD}


def canonical(manifest: Mapping[str, Any]) -> bytes:
    """Return the bytes of a manifest as the engine writes them.

    Raises ``ValueError`` for infinite numbers and for text that is no Unicode.
    """
    return (json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def fingerprint(public: bytes) -> str:
    """Return what people compare of a public key: the first 16 digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def _parts(signature: Any) -> tuple[bytes, bytes]:
    told = signature if isinstance(signature, dict) else {}
    public, value = told.get("public_key"), told.get("value")
    if told.get("algorithm") == ALGORITHM and isinstance(public, str) and isinstance(value, str):
        with suppress(ValueError):
            return base64.b64decode(public, validate=True), base64.b64decode(value, validate=True)
    raise ModelRefused(
        _("The signature cannot be read: export the folder again, or remove it from manifest.json.")
    )


@lru_cache(maxsize=4)
def _private_keys(secrets: tuple[str, ...]) -> tuple[Ed25519PrivateKey, ...]:
    return tuple(Ed25519PrivateKey.from_private_bytes(_seed(secret)) for secret in secrets)


@lru_cache(maxsize=4)
def _public_keys(secrets: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(key.public_key().public_bytes_raw() for key in _private_keys(secrets))


def _seed(secret: str) -> bytes:
    """Derive a key of its own purpose (HKDF, RFC 5869): nothing of the other can be learnt from it."""
    return HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=_PURPOSE).derive(
        base64.urlsafe_b64decode(secret)
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
