"""One-time codes (RFC 6238: HMAC-SHA1, 6 digits, 30 seconds) and recovery codes: pure rules."""

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
DRIFT = 1  # steps of a telephone's clock before or after ours
SECRET_BYTES = 20
RECOVERY_CODES = 10
KEY_PREFIX_BYTES = 6
KEY_BYTES = 32  # 256 bits, so that a plain hash cannot be searched
RECOVERY_BYTES = 10  # 80 bits: a plain hash of it cannot be searched


def new_secret() -> str:
    """Return a fresh secret, base32 as authenticator applications read it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """Return the six digits of ``secret`` at a 30-second step since the epoch (RFC 4226, section 5.3)."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: str, code: str, *, now: float) -> int | None:
    """Return the step whose code was given, within one step of ``now`` (epoch seconds), or ``None``."""
    given = "".join(code.split())
    current = int(now) // STEP_SECONDS
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), given.encode()):
            return step
    return None


def provisioning_uri(secret: str, *, account: str, issuer: str = "CrediSense") -> str:
    """Return the ``otpauth://`` address that an authenticator application reads."""
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"


def new_recovery_codes() -> list[str]:
    """Return ten codes in four groups of four, to be shown once."""
    raw = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in raw]


def recovery_hash(code: str, *, owner: str) -> str:
    """Return what is stored of a recovery code; bound to its owner, so another user's code never fits."""
    plain = "".join(code.upper().split()).replace("-", "")
    return hashlib.sha256(f"{owner}:{plain}".encode()).hexdigest()


def new_partner_key() -> tuple[str, str]:
    """Return prefix and secret of a fresh partner key; together, ``<prefix>.<secret>``, shown once."""
    return f"cs{secrets.token_hex(KEY_PREFIX_BYTES)}", secrets.token_urlsafe(KEY_BYTES)


def partner_key_hash(prefix: str, secret: str) -> str:
    """Return what is stored of a partner key: SHA-256 in hexadecimal, bound to its prefix."""
    return hashlib.sha256(f"{prefix}.{secret}".encode()).hexdigest()


def same_hash(one: str, other: str) -> bool:
    """Compare two hexadecimal hashes in a time that tells nothing."""
    return hmac.compare_digest(one.encode(), other.encode())
