"""The whole production, run for real: each service by the command of docker-compose.yml, over HTTPS.

One run for all: what stands still is looked at first, then it is killed and restarted under load.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from apps.demo.cast import PEOPLE
from config.serving import PREPARED_AFTER_S
from tests.operations.production import HOST, Platform, needs_programs
from tests.predict import BODY

ANALYST = {"email": f"{PEOPLE[0][0]}@horizon.demo", "password": "Demo-CrediSense-2026"}
#: On a slow machine that does other things too.
MANY = 5
LOAD_SECONDS = float(os.environ.get("PRODUCTION_SECONDS", "3"))

pytestmark = [
    needs_programs,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc to find workers"),
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="runs the embedded database only"),
]


@pytest.fixture(scope="module")
def platform():
    folder = Path(tempfile.mkdtemp(prefix="cs-"))
    folder.chmod(0o755)
    running = Platform(folder)
    try:
        running.prepare()
        running.start_all()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def token(platform):
    status, body, _headers = platform.ask("/api/v1/login", json.dumps(ANALYST).encode())
    assert status == 200, body
    return f"Bearer {json.loads(body)['access']}"


class Load:
    """Four clients that ask for scores until told to stop."""

    def __init__(self, platform: Platform, token: str) -> None:
        self.platform, self.token = platform, token
        self.answered: dict[str, float] = {}
        self.others: Counter[int] = Counter()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(4)]

    def _ask(self, number: int) -> None:
        body = json.dumps({**BODY, "age": 20 + number}).encode()
        while not self.stop.is_set():
            status, content, _headers = self.platform.ask("/api/v1/predict", body, Authorization=self.token)
            if status == 201:
                answer = json.loads(content)
                self.answered[answer["id"]] = answer["probabilite_defaut"]
            else:
                self.others[status] += 1
            time.sleep(0.01)

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        time.sleep(1)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def lost(self) -> dict[str, float]:
        """Return the answered scores that the database does not hold as they were answered."""
        stored = {str(uid): pd for uid, pd in self.platform.rows("SELECT uid, pd FROM scoring_prediction")}
        return {
            uid: probability
            for uid, probability in self.answered.items()
            if uid not in stored or round(stored[uid], 6) != round(probability, 6)
        }


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def peak(process: int) -> int:
    """Return the most memory that a process has held, in kB."""
    return int(Path(f"/proc/{process}/status").read_text().split("VmHWM:")[1].split()[0])


def at_rest(processes: list[int]) -> bool:
    """Say whether they have nothing to do: models loaded, the loops that score a row compiled."""

    def ticks() -> int:
        stats = (Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in processes)
        return sum(int(fields[11]) + int(fields[12]) for fields in stats)

    before = ticks()
    time.sleep(2)
    return ticks() - before < os.sysconf("SC_CLK_TCK") / 10


def test_pages_come_over_tls_with_what_a_browser_must_keep(platform):
    status, _body, headers = platform.ask("/connexion")

    assert status == 200
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["server"] == "nginx"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "__Host-csrf=" in headers["set-cookie"]
    assert "Secure" in headers["set-cookie"]


def test_plain_http_is_sent_to_https(platform):
    plain = http.client.HTTPConnection("127.0.0.1", platform.ports["http"], timeout=60)
    plain.request("GET", "/connexion?next=/", headers={"Host": HOST})
    answer = plain.getresponse()
    answer.close()
    plain.close()

    assert (answer.status, answer.headers["Location"]) == (308, f"https://{HOST}/connexion?next=/")


def test_old_tls_is_refused(platform):
    """By openssl: Python warns about the very mention of TLS 1.1."""
    address = f"127.0.0.1:{platform.ports['https']}"

    def handshake(version: str) -> int:
        command = ["openssl", "s_client", "-connect", address, version, "-cipher", "ALL:@SECLEVEL=0"]
        return subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False).returncode

    assert handshake("-tls1_2") == 0
    assert handshake("-tls1_1") != 0


def test_files_of_the_site_are_kept_for_a_year(platform):
    page = platform.ask("/connexion")[1].decode()
    path = page.split('rel="stylesheet"')[1].split('href="')[1].split('"')[0]

    status, _body, headers = platform.ask(path, Accept_Encoding="gzip")

    assert status == 200
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["content-encoding"] == "gzip"


def test_a_body_that_is_too_large_does_not_reach_the_site(platform):
    assert platform.ask("/api/v1/predict", b"x" * (6 * 1024 * 1024 + 1))[0] in {413, 0}


def test_slow_clients_do_not_hold_the_site(platform):
    """More clients that send one byte than the site has threads; somebody else is still answered at once."""
    slow = []
    for _ in range(40):
        plain = socket.create_connection(("127.0.0.1", platform.ports["https"]), 10)
        client = platform.context.wrap_socket(plain, server_hostname=HOST)
        client.sendall(b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        slow.append(client)
    began = time.monotonic()
    status = platform.ask("/connexion")[0]
    for client in slow:
        client.close()

    assert status == 200
    assert time.monotonic() - began < 5


def test_one_name_of_the_request_in_the_proxy_and_the_answer_and_no_query_in_any_log(platform):
    headers = platform.ask("/recherche?q=Awa-Secrete-Ngono")[2]
    log = platform.folder / "proxy.log"

    platform.until(lambda: headers["x-request-id"] in log.read_text(), 10)  # written after the answer
    for path in platform.folder.glob("*.log"):
        assert "Awa-Secrete" not in path.read_text(), path.name


def test_a_forged_address_is_not_believed(platform):
    """Behind the proxy the address is the connection's own, whatever the client wrote."""
    forged = json.dumps({"email": "nobody@example.cm", "password": "x" * 12}).encode()
    platform.ask("/api/v1/login", forged, X_Forwarded_For="203.0.113.99")

    addresses = {str(row[0]) for row in platform.rows("SELECT ip_address FROM axes_accessattempt")}
    assert any(address.startswith("127.0.0.1") for address in addresses)
    assert not any("203.0.113.99" in address for address in addresses)


def test_a_header_that_resembles_the_proxys_own_goes_no_further(platform):
    """To the site X_Forwarded_For and X-Forwarded-For are one name: nginx drops the first."""
    body = json.dumps({"email": "nobody@example.cm", "password": "x" * 12}).encode()
    secure = http.client.HTTPSConnection(HOST, platform.ports["https"], timeout=60, context=platform.context)
    forged = {"Content-Type": "application/json", "X_Forwarded_For": "203.0.113.98"}
    secure.request("POST", "/api/v1/login", body, forged)
    answer = secure.getresponse()
    answer.close()
    secure.close()

    assert answer.status == 401
    addresses = {str(row[0]) for row in platform.rows("SELECT ip_address FROM axes_accessattempt")}
    assert "203.0.113.98" not in addresses


def test_a_file_of_200_mb_stays_out_of_the_memory_of_the_site(platform, token):
    """A larger one is refused in the site's own words."""
    workers = [each for web in ("web", "web2") for each in platform.children(web)]
    time.sleep(PREPARED_AFTER_S)
    platform.until(lambda: at_rest(workers), seconds=240)
    before = {each: peak(each) for each in workers}
    limit = 200 * 1024**2

    assert send_file(platform, token, limit - 1024**2)["code"] == "file_empty"
    assert send_file(platform, token, limit + 1024**2)["code"] == "file_too_large"
    assert all(peak(each) - before[each] < 64 * 1024 for each in workers)


def send_file(platform, token, size):
    """Send a form whose file holds nothing but zeros; return the refusal."""
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    tail = b"\r\n--B--\r\n"

    def parts():
        yield head
        yield from [bytes(1024**2)] * (size // 1024**2)
        yield tail

    secure = http.client.HTTPSConnection(HOST, platform.ports["https"], timeout=120, context=platform.context)
    headers = {
        "Authorization": token,
        "Content-Type": "multipart/form-data; boundary=B",
        "Content-Length": str(len(head) + size + len(tail)),
    }
    secure.request("POST", "/api/v1/predict_file", parts(), headers)
    answer = json.loads(secure.getresponse().read())
    secure.close()
    return answer


def test_metrics_ask_for_the_token_and_count_all_processes(platform):
    refused = platform.ask("/metrics")[0]
    status, body, _headers = platform.ask("/metrics", Authorization="Bearer metrics-token-of-the-test")

    assert (refused, status) == (403, 200)
    for line in ("credisense_requests_total{", "credisense_broker_up 1.0", "credisense_database_up 1.0"):
        assert line in body.decode()


@pytest.mark.soak
def test_a_restart_of_workers_under_load_gives_no_error(platform, token):
    """Both sites at once: the worker that a new one replaces leaves a minute after it was started.

    Where the kernel does not hand on what a leaving worker had not taken yet, one request may be refused.
    """
    handed_on = Path("/proc/sys/net/ipv4/tcp_migrate_req").read_text().strip() == "1"
    before = {web: set(platform.children(web)) for web in ("web", "web2")}
    with Load(platform, token) as load:
        for web in before:
            platform.running[web].send_signal(signal.SIGHUP)
        for web, workers in before.items():
            platform.until(
                lambda web=web, workers=workers: not workers & set(platform.children(web)), seconds=200
            )

    assert load.others.total() <= (0 if handed_on else 1), load.others
    assert len(load.answered) > MANY
    assert load.lost() == {}


@pytest.mark.soak
def test_both_sites_are_replaced_under_load_without_an_error(platform, token):
    """The steps of deploy/roll.sh, whose programs are Docker's."""
    with Load(platform, token) as load:
        for web in ("web", "web2"):
            platform.tell_proxy(web, down=True)
            time.sleep(1)
            platform.end(web)
            platform.start(web)
            platform.wait_for(web)
            platform.tell_proxy(web, down=False)

    assert load.others == {}
    assert len(load.answered) > MANY
    assert load.lost() == {}


@pytest.mark.soak
def test_kills_under_load_lose_no_answered_score_and_everything_comes_back(platform, token):
    with Load(platform, token) as load:
        os.kill(platform.children("web")[0], signal.SIGKILL)
        os.kill(platform.children("web2")[0], signal.SIGKILL)
        platform.kill("worker")
        time.sleep(LOAD_SECONDS / 2)
        platform.kill("web")  # a whole container
        time.sleep(LOAD_SECONDS / 2)
        platform.start("web")
        platform.start("worker")
        platform.wait_for("web")
    last = platform.ask("/api/v1/predict", json.dumps(BODY).encode(), Authorization=token)[0]

    assert set(load.others) <= {0, 502, 504}  # in the hands of a killed process; never a made-up answer
    assert len(load.answered) > MANY
    assert load.lost() == {}
    assert last == 201


@pytest.mark.soak
def test_no_worker_outlives_a_server_that_was_killed(platform):
    workers = platform.children("web2")
    os.kill(platform.running["web2"].pid, signal.SIGKILL)
    platform.running["web2"].wait()

    platform.until(lambda: not any(runs(each) for each in workers), seconds=20)
    platform.start("web2")
    platform.wait_for("web2")


@pytest.mark.soak
@pytest.mark.parametrize("group", [False, True])
def test_a_site_ends_at_once_beside_connections_that_are_kept(platform, group):
    kept = [http.client.HTTPConnection(HOST, platform.ports["web2"], timeout=30) for _ in range(6)]
    for connection in kept:
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
    process = platform.running["web2"]
    (os.killpg if group else os.kill)(process.pid, signal.SIGTERM)

    assert process.wait(MANY) == 0
    for connection in kept:
        connection.close()
    platform.start("web2")
    platform.wait_for("web2")


def test_worker_and_clock_work_through_the_broker(platform):
    """The clock sends the sealing of trails every five seconds; the worker, killed before, does it."""
    unsealed = (
        "SELECT count(*) FROM audit_auditentry AS entry"
        " WHERE NOT EXISTS (SELECT 1 FROM audit_auditseal AS seal"
        " WHERE seal.entry_id = entry.id AND seal.institution_id = entry.institution_id)"
    )
    platform.until(lambda: platform.rows(unsealed)[0][0] == 0, seconds=60)
