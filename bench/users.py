"""Fifty people at work at once: log-in, list, a client's file, a score; every reply checked (P11).

    python bench/users.py [--minutes 3] [--users 50]

Each person logs in, then opens the list of clients, a file of it and asks for that client's score, over and
over, with two to six seconds between two acts, as people who read do; they arrive during the first quarter.
Every page must name the person and the institution and hold clients of that institution only; at the end
every score must be in the database under the institution and the person who asked. P11 is the p95 of a page
(log-in apart) over that of one person alone.
"""

import argparse
import http.client
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

from load import percentile
from servers import PASSWORD, ROOT, Product, ask, database

GOAL = 6.0
INSTITUTIONS = {"horizon": "Horizon Microfinance S.A.", "ngwa": "Ngwa Microfinance Ltd"}
ALONE_S = 20.0
LINK = re.compile(rb'href="/clients/([0-9a-f-]{36})"')
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
PEOPLE = """
from apps.institutions.models import Institution
from apps.users.models import Membership, User
for code in {codes!r}:
    for number in range({count}):
        user, new = User.objects.get_or_create(
            email=f"banc-{{number}}@{{code}}.bench",
            defaults=dict(full_name=f"Banc {{code.title()}} {{number:02}}", language="fr"))
        if new:
            user.set_password({password!r})
            user.save()
            place = Institution.objects.get(code=code)
            Membership.objects.create(user=user, institution=place, role="analyste")
"""


@dataclass
class Person:
    """One person's browser: cookies, what it saw, what was wrong with it."""

    port: int
    code: str
    number: int
    clients: set[str]
    seed: int
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    scores: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.cookies: dict[str, str] = {}
        self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.email = f"banc-{self.number}@{self.code}.bench"
        self.name = f"Banc {self.code.title()} {self.number:02}"
        self.token = ""

    def work(self, until: float, *, pause: tuple[float, float], arrival: float = 0.0) -> None:
        """Log in, then go round until the time is up; what breaks is counted and does not stop the others."""
        try:
            time.sleep(arrival)
            self.log_in()
            while time.monotonic() < until:
                for act in (self.read_list, self.read_file, self.score):
                    self.wait(pause)
                    act()
        except (OSError, http.client.HTTPException, KeyError, ValueError, AttributeError) as error:
            self.wrong.append(f"{type(error).__name__}: {error}")

    def wait(self, pause: tuple[float, float]) -> None:
        time.sleep(self.draw.uniform(*pause))

    def log_in(self) -> None:
        _status, page = self.ask("log-in page", "GET", "/connexion")
        found = TOKEN.search(page)
        form = {
            "csrfmiddlewaretoken": found.group(1).decode() if found else "",
            "email": self.email,
            "password": PASSWORD,
        }
        self.ask("log-in", "POST", "/connexion", urlencode(form), expected=302)
        answer = ask(self.port, "/api/v1/login", {"email": self.email, "password": PASSWORD})
        self.token = str(answer["access"])

    def read_list(self) -> None:
        _status, page = self.ask("list", "GET", "/clients")
        self.check(page)
        self.links = sorted({link.decode() for link in LINK.findall(page)})
        self.expect(bool(self.links), "an empty list")
        self.expect(self.clients.issuperset(self.links), "a client of another institution in the list")

    def read_file(self) -> None:
        self.chosen = self.draw.choice(self.links)
        _status, page = self.ask("file", "GET", f"/clients/{self.chosen}")
        self.check(page)
        self.expect(self.chosen.encode() in page, "a file that is not the one asked for")

    def score(self) -> None:
        body = {
            "client_id": self.chosen, "montant_credit": 5_000 * self.draw.randint(20, 200),
            "duree_mois": self.draw.randint(3, 24), "taux_interet": 22.0, "type_credit": "consommation",
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        _status, answer = self.ask(
            "score", "POST", "/api/v1/predict", json.dumps(body), headers=headers, expected=201
        )
        self.scores.append(str(json.loads(answer)["id"]))

    def check(self, page: bytes) -> None:
        self.expect(escape(self.name).encode() in page, "a page that names somebody else")
        self.expect(INSTITUTIONS[self.code].encode() in page, "a page of another institution")

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)

    def ask(
        self,
        what: str,
        method: str,
        path: str,
        body: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        expected: int = 200,
    ) -> tuple[int, bytes]:
        """Time one exchange, body included; an unexpected status is an error."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {
            "Host": "127.0.0.1", "X-Forwarded-Proto": "https", "Referer": "https://127.0.0.1/connexion",
            "Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded", **(headers or {}),
        }  # fmt: skip
        started = time.perf_counter()
        try:
            self.line.request(method, path, body, sent)
            answer = self.line.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):  # the server closes idle lines
            self.line.close()
            started = time.perf_counter()
            self.line.request(method, path, body, sent)
            answer = self.line.getresponse()
        content = answer.read()
        self.times[what].append(1000 * (time.perf_counter() - started))
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookie, _separator, rest = value.partition("=")
                self.cookies[cookie] = rest.partition(";")[0]
        self.expect(answer.status == expected, f"{what}: status {answer.status}")
        return answer.status, content


def clients_of(server: Any) -> dict[str, set[str]]:
    """Return the identifiers of each institution's clients, as the owner reads them."""
    query = (
        "SELECT i.code, c.uid FROM credits_client c"
        " JOIN institutions_institution i ON i.id = c.institution_id"
    )
    rows = read(server, query)
    found: dict[str, set[str]] = {code: set() for code in INSTITUTIONS}
    for code, uid in rows:
        found[code].add(str(uid))
    return found


def misplaced(server: Any, people: list[Person]) -> int:
    """Count the scores that are not under the institution and the person who asked."""
    query = (
        "SELECT p.uid, i.code, u.email FROM scoring_prediction p JOIN users_user u ON u.id = p.author_id"
        " JOIN institutions_institution i ON i.id = p.institution_id WHERE u.email LIKE '%.bench'"
    )
    stored = {str(uid): (code, email) for uid, code, email in read(server, query)}
    return sum(stored.get(uid) != (each.code, each.email) for each in people for uid in each.scores)


def read(server: Any, query: str) -> list[tuple[Any, ...]]:
    import psycopg

    from config.postgres.roles import OWNER

    with psycopg.connect(server.dsn(OWNER)) as connection:
        return connection.execute(query).fetchall()


def pages(people: list[Person]) -> list[float]:
    return sorted(time for each in people for what in ("list", "file") for time in each.times[what])


def together(product: Product, clients: dict[str, set[str]], options: argparse.Namespace) -> list[Person]:
    codes = list(INSTITUTIONS)
    people = [
        Person(product.port, codes[place % 2], place // 2, clients[codes[place % 2]], seed=place)
        for place in range(options.users)
    ]
    until = time.monotonic() + 60 * options.minutes
    arriving = 60 * options.minutes / 4 / len(people)  # all are there after a quarter of the time
    threads = [
        threading.Thread(
            target=each.work, args=(until,), kwargs={"pause": (2, 6), "arrival": place * arriving}
        )
        for place, each in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return people


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--users", type=int, default=50)
    options = parser.parse_args()
    with database() as server:
        product = Product(server)
        try:
            script = PEOPLE.format(codes=list(INSTITUTIONS), count=options.users // 2 + 1, password=PASSWORD)
            subprocess.run(
                [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", script],
                cwd=ROOT, env=product.environment, check=True,
            )  # fmt: skip
            clients = clients_of(server)
            alone = Person(product.port, "horizon", 0, clients["horizon"], seed=1)
            alone.work(time.monotonic() + ALONE_S, pause=(0.05, 0.1))
            people = together(product, clients, options)
        finally:
            product.stop()
        lost = misplaced(server, [alone, *people])
    wrong = [f"{each.email}: {what}" for each in [alone, *people] for what in each.wrong]
    print(f"{options.users} people, {options.minutes:g} minutes, load average {os.getloadavg()[0]:.1f}")
    print("| act | times | p50 ms | p95 ms | p95 alone ms |\n|---|---|---|---|---|")
    for what in alone.times:
        ours = sorted(time for each in people for time in each.times[what]) or [float("nan")]
        one = sorted(alone.times[what])
        print(
            f"| {what} | {len(ours)} | {percentile(ours, 0.5):.0f} | {percentile(ours, 0.95):.0f}"
            f" | {percentile(one, 0.95):.0f} |"
        )
    ratio = percentile(pages(people), 0.95) / percentile(pages([alone]), 0.95)
    asked = sum(len(each.scores) for each in people)
    print(f"errors: {len(wrong)}; scores not where they belong: {lost} of {asked}")
    for line in wrong[:10]:
        print(f"  {line}")
    good = ratio <= GOAL and not wrong and not lost
    print(f"P11, p95 of a page / alone: {ratio:.1f} (goal {GOAL:g}): {'holds' if good else 'FAILS'}")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
