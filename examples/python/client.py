"""A client of CrediSense's API in one file, with Python's own library only.

As a module::

    api = CrediSense("https://credisense.example", key="prefix.secret")
    score = api.predict({"age": 38, "montant_credit": 600_000, ...}, once="demande-4711")
    for client in api.listed("clients", q="Ngo"):
        ...

As a command, it logs in, asks for one score and lists the last ones::

    python client.py http://127.0.0.1:8000 analyste@horizon.demo Demo-CrediSense-2026
"""

import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

EXAMPLE = {
    "age": 38,
    "sexe": "F",
    "revenu_mensuel": 285_000,
    "type_contrat_travail": "Indépendant",
    "montant_credit": 600_000,
    "duree_mois": 12,
    "taux_interet": 22.0,
    "type_credit": "fonds_de_roulement",
}
TIMEOUT, TRIES = 30, 3
TOO_MANY = 429
OLDEST = 300  # seconds that a webhook may have travelled


class Refused(Exception):
    """A refusal: ``status``, and ``problem`` as RFC 9457 writes it (``code``, ``detail``, ``fields``)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(
            f"{status} {problem.get('code')}: {problem.get('detail')} {problem.get('fields') or ''}"
        )
        self.status, self.problem = status, problem


class CrediSense:
    """One institution's door, opened by a partner key or by a person's log-in."""

    def __init__(self, site: str, *, key: str = "", email: str = "", password: str = "") -> None:
        self.site, self.headers = site.rstrip("/"), {"Accept-Language": "fr"}
        if key:
            self.headers["Authorization"] = f"Api-Key {key}"
        if email:
            tokens = self.ask("POST", "login", {"email": email, "password": password})
            self.headers["Authorization"] = f"Bearer {tokens['access']}"

    def predict(self, values: dict[str, Any], *, once: str = "") -> dict[str, Any]:
        """Ask for a score; ``once`` is your own key of this request: sent again, it is not scored again."""
        return self.ask("POST", "predict", values, {"Idempotency-Key": once} if once else {})

    def listed(self, name: str, **filters: Any) -> Iterator[dict[str, Any]]:
        """Yield every row of a list, page after page."""
        cursor: dict[str, Any] = {}
        while True:
            page = self.ask("GET", f"{name}?{urllib.parse.urlencode({**filters, **cursor})}")
            yield from page["results"]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Send one request, waiting where the site says so; raise ``Refused``."""
        sent = {**self.headers, **(headers or {}), "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.site}/api/v1/{path}", data, sent, method=method)
        for attempt in range(1, TRIES + 1):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as refusal:
                if refusal.code == TOO_MANY and attempt < TRIES and "Retry-After" in refusal.headers:
                    time.sleep(int(refusal.headers["Retry-After"]))
                    continue
                raise Refused(refusal.code, json.load(refusal)) from None
        raise AssertionError("unreachable")


def is_ours(signature: str, body: bytes, secret: str, *, now: float | None = None) -> bool:
    """Say whether a webhook is CrediSense's: ``signature`` is its header ``X-CrediSense-Signature``."""
    parts = dict(part.partition("=")[::2] for part in signature.split(","))
    stamp, given = parts.get("t", ""), parts.get("v1", "")
    if not stamp.isdigit() or abs((time.time() if now is None else now) - int(stamp)) > OLDEST:
        return False
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, given)


def main() -> None:
    site, email, password = sys.argv[1:4]
    api = CrediSense(site, email=email, password=password)
    score = api.predict(EXAMPLE)
    print(f"{score['score']} points ({score['classe']}), {score['recommandation']}: {score['id']}")
    for row, _number in zip(api.listed("predictions", source="api"), range(3), strict=False):
        print(f"{row['date']}  {row['score']}  {row['classe']}  {row['recommandation']}")


if __name__ == "__main__":
    main()
