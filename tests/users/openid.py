"""A real OpenID Connect provider beside the tests: django-oauth-toolkit, in a process of its own."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from django.test import Client
from django.urls import reverse

from apps.users.services.providers import ProviderWish, set_provider

SERVE = Path(__file__).parent / "provider" / "serve.py"
SITE = "http://testserver"
SECRET = "secret-of-credisense"


@dataclass
class Provider:
    """The provider as tests speak with it, and the place that it has at horizon."""

    port: int
    world: Any = None
    browser: requests.Session = field(default_factory=requests.Session)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}/o"

    def link(self, route: str = "institution_log_in", code: str = "horizon") -> str:
        from apps.institutions.models import Institution

        return reverse(f"web:{route}", args=[Institution.objects.get(code=code).uid])

    def tell(self, **told: Any) -> None:
        answer = requests.post(f"http://127.0.0.1:{self.port}/tell", data=json.dumps(told), timeout=60)
        assert answer.status_code == 200, answer.text

    def person(self, name: str, email: str, *, verified: Any = True, **more: Any) -> str:
        """Make a person known to the provider, whose password there is the name."""
        self.tell(people={name: {"email": email, "email_verified": verified, **more}})
        return name

    def wish(self, **changes: Any) -> ProviderWish:
        wished = {"issuer": self.issuer, "client_id": "credisense", "client_secret": SECRET}
        return ProviderWish(**{**wished, "domains": ("horizon.demo",), "is_active": True, **changes})

    def set_up(self, code: str = "horizon", **changes: Any) -> Any:
        """Let the administrator of an institution set the provider up."""
        by = self.world.actor(f"admin@{code}.demo")
        with self.world.scope(code):
            return set_provider(wish=self.wish(**changes), by=by)

    def log_in_there(self, name: str, address: str) -> str:
        """Log in at the provider as a browser does; return the address to which it sends back."""
        answer = self.browser.get(address, allow_redirects=False, timeout=60)
        while answer.status_code == 302:
            where = answer.headers["Location"]
            if not where.startswith("/"):
                return where
            answer = self.browser.get(
                f"http://127.0.0.1:{self.port}{where}", allow_redirects=False, timeout=60
            )
            if "csrfmiddlewaretoken" in answer.text:
                token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.text)[1]
                form = {"csrfmiddlewaretoken": token, "username": name, "password": name}
                answer = self.browser.post(answer.url, form, allow_redirects=False, timeout=60)
        raise AssertionError(answer.text)

    def begin(self, client: Client, query: str = "") -> str:
        """Follow the button of the link's page; return the provider's address."""
        answer = client.get(f"{self.link('openid_start')}{query}")
        assert answer.status_code == 302, answer.content.decode()
        return answer["Location"]

    def come_back(self, client: Client, name: str, query: str = "", **changes: str) -> Any:
        """Log in at the provider and return the site's answer; ``changes`` alter what comes back."""
        self.browser = requests.Session()
        back = urlsplit(self.log_in_there(name, self.begin(client, query)))
        assert back.geturl().startswith(f"{SITE}{self.link('openid_return')}?")
        return client.get(back.path, dict(parse_qsl(back.query)) | changes)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_provider(folder: Path) -> Iterator[Provider]:
    """Run the provider, whose files stand in ``folder``."""
    provider = Provider(free_port())
    log = (folder / "log.txt").open("w")
    command = [sys.executable, str(SERVE), str(provider.port), str(folder)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "TEST"))}
    process = subprocess.Popen(command, stdout=log, stderr=log, env=clean)
    try:
        for _ in range(300):
            try:
                provider.tell()
                break
            except requests.ConnectionError:
                assert process.poll() is None, (folder / "log.txt").read_text()
                time.sleep(0.1)
        yield provider
    finally:
        process.terminate()
        process.wait(10)
        log.close()
