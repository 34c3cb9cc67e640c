"""Webhooks: told, signed, told again until the partner answers, and never sent to a private address.

The receiver is a server of its own: it checks the signature as a partner would, with the standard library.
"""

import datetime as dt
import hashlib
import hmac
import http.server
import json
import re
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from apps.audit.models import AuditEntry
from apps.outbox import backends
from apps.outbox.enums import MessageKind, MessageStatus, WebhookEvent
from apps.outbox.errors import DeliveryFailed, ForbiddenAddress
from apps.outbox.models import OutboxMessage, Webhook, WebhookAttempt
from apps.outbox.rules import is_public, target_of
from apps.outbox.services import (
    WEBHOOK_ATTEMPTS,
    announce,
    create_webhook,
    delay_after,
    deliver_next,
    replay_delivery,
    switch_webhook,
)
from apps.scoring.services.scores import score_values
from apps.tenancy.errors import InvalidValues, NotAllowed
from tests.predict import BODY

pytestmark = pytest.mark.django_db
EVENT = WebhookEvent.PREDICTION_CREATED


class Receiver(http.server.ThreadingHTTPServer):
    """A partner's server: remembers what came, answers what ``answers`` says, then 204."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.received, self.answers, self.location, self.slow = [], [], "", 0.0

    @property
    def port(self):
        return self.server_address[1]

    def url(self, host="127.0.0.1", scheme="http"):
        return f"{scheme}://{host}:{self.port}/hooks?source=credisense"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        time.sleep(self.server.slow)
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    def log_message(self, *_args):
        """Say nothing."""


def genuine(headers, body, secret, *, now):
    """Check a signature as the documentation tells a partner to."""
    stamp, given = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["X-CrediSense-Signature"]).groups()
    expected = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, given) and abs(now - int(stamp)) < 300


@pytest.fixture
def receiver(settings):
    server = Receiver()
    settings.WEBHOOK_PORTS = (server.port,)
    settings.WEBHOOK_PLAIN_HTTP = True
    settings.WEBHOOK_NETWORKS = ["127.0.0.1/32"]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def admin(world):
    """Open horizon's scope, without other messages, as its administrator."""
    actor = world.actor(world.administrator)
    with world.scope():
        OutboxMessage.objects.update(status=MessageStatus.SENT)
        yield actor


def due_again():
    OutboxMessage.objects.filter(status=MessageStatus.PENDING).update(next_attempt_at=timezone.now())


def messages():
    return OutboxMessage.objects.filter(kind=MessageKind.WEBHOOK).order_by("pk")


def test_a_score_is_told_and_the_signature_holds(admin, world, receiver):
    webhook, secret = create_webhook(url=receiver.url(), events=[EVENT], by=admin)
    prediction, _created = score_values(raw=BODY, by=world.actor(world.analyst))

    assert deliver_next()

    [(path, headers, body)] = receiver.received
    told = json.loads(body)
    assert path == "/hooks?source=credisense"
    assert (told["event"], told["object"]) == ("prediction.created", str(prediction.uid))
    assert set(told) == {"id", "event", "at", "object"}
    assert headers["Content-Type"] == "application/json"
    assert headers["X-CrediSense-Event"] == "prediction.created"
    assert genuine(headers, body, secret, now=time.time())
    assert not genuine(headers, body + b" ", secret, now=time.time())
    assert not genuine(headers, body, secret + "x", now=time.time())
    attempt = WebhookAttempt.objects.get(webhook=webhook)
    assert (attempt.status, attempt.error, attempt.number) == (204, "", 1)
    assert messages().get().status == MessageStatus.SENT


def test_the_secret_is_encrypted_and_in_no_trail(admin, receiver):
    webhook, secret = create_webhook(url=receiver.url(), events=[EVENT], by=admin)

    raw = Webhook.objects.extra(select={"raw": "secret"}).get(pk=webhook.pk).raw
    entry = AuditEntry.objects.get(action="webhook.create", object_uid=webhook.uid)
    assert secret not in raw
    assert secret not in str(entry.after)
    assert len(secret) > 43


def test_an_event_is_told_again_with_growing_delay_until_the_partner_answers(admin, receiver):
    create_webhook(url=receiver.url(), events=[EVENT], by=admin)
    receiver.answers = [503, 500, 404]
    announce(event=EVENT, target=admin.uid)
    waits = []
    while messages().get().status == MessageStatus.PENDING:
        assert deliver_next()
        assert not deliver_next()  # nothing is due before its time
        message = messages().get()
        waits.append(round((message.next_attempt_at - timezone.now()).total_seconds()))
        due_again()

    assert waits[:3] == [30, 120, 480]
    assert messages().get().status == MessageStatus.SENT
    rows = WebhookAttempt.objects.order_by("pk").values_list("number", "status", "error")
    assert list(rows) == [(1, 503, "HTTP 503"), (2, 500, "HTTP 500"), (3, 404, "HTTP 404"), (4, 204, "")]
    assert len({json.loads(body)["id"] for _path, _headers, body in receiver.received}) == 1


def test_it_is_tried_for_a_day(admin, receiver):
    create_webhook(url=receiver.url(), events=[EVENT], by=admin)
    receiver.answers = [500] * 20
    announce(event=EVENT, target=admin.uid)
    for _ in range(WEBHOOK_ATTEMPTS):
        assert deliver_next()
        due_again()

    total = sum((delay_after(n) for n in range(1, WEBHOOK_ATTEMPTS)), dt.timedelta())
    assert dt.timedelta(hours=20) < total < dt.timedelta(hours=30)
    assert messages().get().status == MessageStatus.FAILED
    assert not deliver_next()


def test_an_old_event_is_given_up(admin, receiver):
    create_webhook(url=receiver.url(), events=[EVENT], by=admin)
    receiver.answers = [500]
    announce(event=EVENT, target=admin.uid)
    messages().update(created_at=timezone.now() - dt.timedelta(hours=25))

    deliver_next()

    assert messages().get().status == MessageStatus.FAILED


def test_a_server_that_is_away_holds_up_nothing_else(admin, receiver):
    create_webhook(url=receiver.url(), events=[EVENT], by=admin)
    receiver.answers = [500]
    for _ in range(5):
        announce(event=EVENT, target=admin.uid)

    tried = 0
    while deliver_next():
        tried += 1

    assert tried == 1
    assert messages().filter(status=MessageStatus.PENDING).count() == 5


def test_a_delivery_is_sent_again_with_its_own_identifier(admin, world, receiver):
    create_webhook(url=receiver.url(), events=[EVENT], by=admin)
    announce(event=EVENT, target=admin.uid)
    deliver_next()
    attempt = WebhookAttempt.objects.get()

    with pytest.raises(NotAllowed):
        replay_delivery(attempt=attempt, by=world.actor(world.analyst))
    replay_delivery(attempt=attempt, by=admin)
    deliver_next()

    first, second = (json.loads(body) for _path, _headers, body in receiver.received)
    assert first == second
    assert AuditEntry.objects.filter(action="webhook.replay").count() == 1


def test_only_active_webhooks_that_listen_are_told(admin, receiver):
    create_webhook(url=receiver.url(), events=[WebhookEvent.BATCH_FINISHED], by=admin)
    webhook, _secret = create_webhook(url=receiver.url(), events=[EVENT], by=admin)

    assert announce(event=EVENT, target=admin.uid) == 1
    switch_webhook(webhook=webhook, active=False, by=admin)
    assert announce(event=EVENT, target=admin.uid) == 0
    deliver_next()

    assert receiver.received == []
    assert messages().get().last_error == "webhook switched off"


@pytest.mark.parametrize(
    ("email", "wishes", "refusal"),
    [
        ("analyst", {}, NotAllowed),
        ("administrator", {"events": []}, InvalidValues),
        ("administrator", {"events": ["anything"]}, InvalidValues),
        ("administrator", {"url": "ftp://example.com/"}, InvalidValues),
        ("administrator", {"url": "https://10.1.2.3/"}, InvalidValues),
    ],
)
def test_a_webhook_that_cannot_be_is_refused(world, receiver, email, wishes, refusal):
    by = world.actor(getattr(world, email))
    with world.scope(), pytest.raises(refusal):
        create_webhook(**({"url": receiver.url(), "events": [EVENT], "by": by} | wishes))


# --- where it may lead ------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.1",
    "240.0.0.1",
    "0.0.0.0",  # noqa: S104  an address, nothing listens
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_none(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "196.202.232.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are(address):
    assert is_public(address)


#: Ways of writing a private address that some resolver or other reads as one.
SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0",
    "0x7f.1",
    "0X7F.0x0.0x0.0X1",
    "0x7f000001",
    "0X7F000001",
    "2130706433",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "127.0.0.1..",
    "10.0.0.1",
    "10.0.0.1.",
    "0xA9FEA9FE",
    "169.254.169.254",
    "2852039166",
    "0.0.0.0",  # noqa: S104  an address, nothing listens
    "100.64.0.1",
    "100.127.255.254",
    "0x64.0x40.0.1",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "LocalHost.",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7F00:1]",
    "[::ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "[fe80::1%25eth0]",
    "[64:ff9b::127.0.0.1]",
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "127。0。0。1",
    "ｌｏｃａｌｈｏｓｔ",
    "127.0.0.1%00.example.com",
    "127.0.0.1%2eexample.com",
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_a_private_host_is_not_asked(receiver, settings, host):
    settings.WEBHOOK_NETWORKS = []

    with pytest.raises(DeliveryFailed):
        backends.post(receiver.url(host), b"{}", {})

    assert receiver.received == []


@pytest.mark.parametrize("host", SPELLINGS)
def test_a_private_host_makes_no_webhook(admin, receiver, settings, host):
    settings.WEBHOOK_NETWORKS = []

    with pytest.raises(InvalidValues) as refusal:
        create_webhook(url=receiver.url(host), events=[EVENT], by=admin)

    assert list(refusal.value.fields) == ["url"]
    assert not Webhook.objects.filter(events__contains=[EVENT]).exists()


#: What a URL shows first is not always where it leads.
DISGUISES = [
    "https://example.com@127.0.0.1/",
    "https://example.com:443@127.0.0.1/",
    "https://@127.0.0.1/",
    "https://:@127.0.0.1/",
    "https://127.0.0.1\\@example.com/",
    "https://example.com\\@127.0.0.1/",
    "https:\\\\127.0.0.1/",
    "https:/127.0.0.1/",
    "https:127.0.0.1",
    "//127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://127.0.0.1?@example.com/",
    "https://[::1]@example.com/",
    "https://example.com\t@127.0.0.1/",
    "https://exam\nple.com/",
    " https://127.0.0.1/",
    "https://127.0.0.1:0/",
    "https://example.com:0/",
    "https://example.com:00443x/",
    "https://example.com:-1/",
    "https://example.com:+443/",
    "https://example.com:4_43/",
    "https://example.com:４４３/",
    "https://./",
    "https://.../",
    "https://.localhost/",
    "https://[v1.127]/",
    "https://[127.0.0.1]/",
    "https://-example.com/",
    "https://exa--.example-/",
    "https://%65xample.com/",
    f"https://{'a' * 64}.example.com/",
    f"https://{'a.' * 127}com/",
    "javascript:https://example.com/",
    "gopher://example.com/",
    "HTTP://example.com/",
]


@pytest.mark.parametrize("url", DISGUISES)
def test_a_disguised_address_makes_no_webhook(admin, settings, monkeypatch, url):
    settings.WEBHOOK_NETWORKS, settings.WEBHOOK_PORTS = [], (443,)
    names = Everywhere("1.1.1.1")
    monkeypatch.setattr(backends.socket, "getaddrinfo", names)

    with pytest.raises(InvalidValues):
        create_webhook(url=url, events=[EVENT], by=admin)


class Everywhere:
    """A ``getaddrinfo`` to which every name leads to one public address; addresses are themselves."""

    def __init__(self, address):
        self.address, self.real = address, socket.getaddrinfo

    def __call__(self, host, port, *_args, **_kwargs):
        try:
            return self.real(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except OSError:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.address, port))]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
def test_a_name_that_leads_to_a_private_address_is_not_asked(receiver, settings, monkeypatch, address):
    settings.WEBHOOK_NETWORKS = []
    names = {
        "partner.example": [address],
        "last.example": ["1.1.1.1", "2606:4700::1111", address],
        "first.example": [address, "1.1.1.1"],
    }
    monkeypatch.setattr(backends.socket, "getaddrinfo", resolver(names))

    for host in names:
        with pytest.raises(ForbiddenAddress):
            backends.post(receiver.url(host), b"{}", {})

    assert receiver.received == []


def resolver(names, asked=None):
    """Return a ``getaddrinfo`` that knows ``names``: a list of addresses, or of answers one after another."""

    def getaddrinfo(host, port, *_args, **_kwargs):
        if asked is not None:
            asked.append(host)
        found = names[host]
        addresses = found.pop(0) if isinstance(found[0], list) else found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    return getaddrinfo


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:{port}/private",
        "//127.0.0.1:{port}/private",
        "/private",
        "http://0x7f.1:{port}/private",
        "http://2130706433:{port}/private",
        "http://[::ffff:127.0.0.1]:{port}/private",
        "http://localhost.:{port}/private",
        "http://user@127.0.0.1:{port}/private",
        "file:///etc/passwd",
        "",
    ],
)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_a_redirect_is_not_followed(receiver, status, target):
    receiver.answers, receiver.location = [status], target.format(port=receiver.port)

    with pytest.raises(DeliveryFailed) as refusal:
        backends.post(receiver.url(), b"{}", {})

    assert (refusal.value.status, refusal.value.told) == (status, "redirects are not followed")
    assert [path for path, _headers, _body in receiver.received] == ["/hooks?source=credisense"]


def test_a_changed_dns_answer_changes_nothing(receiver, monkeypatch):
    """The first answer is allowed, the second would not be: the name is asked once, the address is kept."""
    asked = []
    names = {"partner.example": [["127.0.0.1"], ["10.0.0.1"]]}
    real = socket.create_connection
    reached = []

    def connect(address, *args, **kwargs):
        reached.append(address)
        return real(address, *args, **kwargs)

    monkeypatch.setattr(backends.socket, "create_connection", connect)
    guarded = resolver(names, asked)
    real_lookup = socket.getaddrinfo
    monkeypatch.setattr(
        backends.socket,
        "getaddrinfo",
        lambda host, *args, **kwargs: (
            guarded(host, *args) if host in names else real_lookup(host, *args, **kwargs)
        ),
    )

    assert backends.post(receiver.url("partner.example"), b"{}", {}) == 204

    assert asked == ["partner.example"]
    assert reached == [("127.0.0.1", receiver.port)]
    assert receiver.received[0][1]["Host"] == f"partner.example:{receiver.port}"
    with pytest.raises(ForbiddenAddress):  # the next delivery gets the other answer, and stops there
        backends.post(receiver.url("partner.example"), b"{}", {})
    assert len(receiver.received) == 1


def test_a_webhook_whose_name_moved_inside_is_refused_at_delivery(admin, receiver, monkeypatch):
    names = {"partner.example": [["127.0.0.1"], ["10.0.0.1"]]}
    monkeypatch.setattr(backends.socket, "getaddrinfo", resolver(names))
    create_webhook(url=receiver.url("partner.example"), events=[EVENT], by=admin)
    announce(event=EVENT, target=admin.uid)

    deliver_next()

    assert messages().get().last_error == "private address"
    assert receiver.received == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user:secret@example.com/",
        "https://example.com:22/",
        "https://example.com:99999/",
        "https:///nowhere",
        "https://exa mple.com/",
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com/#part",
        "https://[::1/",
    ],
)
def test_an_address_of_another_form_is_refused(url):
    with pytest.raises(ForbiddenAddress):
        target_of(url, ports=(443, 8443))


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://partenaire.exemple.cm/hooks", "partenaire.exemple.cm", 443),
        ("https://EXAMPLE.com:8443", "example.com", 8443),
        ("https://xn--caf-dma.example/", "xn--caf-dma.example", 443),
        ("https://3com.example/", "3com.example", 443),
        ("https://1.1.1.1/", "1.1.1.1", 443),
        ("https://[2606:4700::1111]/", "2606:4700::1111", 443),
        ("https://partner:443/", "partner", 443),
        ("https://example.com:/", "example.com", 443),
    ],
)
def test_an_address_of_the_right_form_is_taken_apart(url, host, port):
    target = target_of(url, ports=(443, 8443))

    assert (target.secure, target.host, target.port) == (True, host, port)


def test_a_server_that_drips_is_cut(receiver, monkeypatch):
    monkeypatch.setattr(backends, "TOTAL_SECONDS", 0.2)
    receiver.slow = 1.5
    began = time.monotonic()

    with pytest.raises(DeliveryFailed):
        backends.post(receiver.url(), b"{}", {})

    assert time.monotonic() - began < 1.2


# --- TLS: the certificate must be that of the name, though the address is given ---------------------


def certificate(folder, name):
    """Write a self-signed certificate for ``name``; return the files of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_the_certificate_is_checked_against_the_name(receiver, tmp_path, monkeypatch):
    cert, key = certificate(tmp_path, "partner.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
    names = {"partner.example": ["127.0.0.1"], "other.example": ["127.0.0.1"], "127.0.0.1": ["127.0.0.1"]}
    monkeypatch.setattr(backends.socket, "getaddrinfo", resolver(names))

    with pytest.raises(DeliveryFailed, match="TLS refused"):  # nobody vouches for it
        backends.post(receiver.url("partner.example", "https"), b"{}", {})
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    assert backends.post(receiver.url("partner.example", "https"), b"{}", {}) == 204
    with pytest.raises(DeliveryFailed, match="TLS refused"):
        backends.post(receiver.url("other.example", "https"), b"{}", {})


# --- the administrators' pages ----------------------------------------------------------------------


def test_an_administrator_creates_switches_and_replays(world, page, receiver):
    browser = page(world.administrator)

    answer = browser.post(
        "/admin/outbox/webhook/add/", {"url": receiver.url(), "events": ["prediction.created"]}
    )
    secret = re.search(r"whsec_[\w-]+", answer.content.decode())[0]
    with world.scope():
        OutboxMessage.objects.update(status=MessageStatus.SENT)
        webhook = Webhook.objects.get(url=receiver.url())
        announce(event=EVENT, target=webhook.uid)
        deliver_next()
        attempt = WebhookAttempt.objects.get()
    browser.post("/admin/outbox/webhookattempt/", {"action": "replay", "_selected_action": [attempt.pk]})
    with world.scope():
        assert deliver_next()
    browser.post("/admin/outbox/webhook/", {"action": "switch_off", "_selected_action": [webhook.pk]})

    assert all(genuine(headers, body, secret, now=time.time()) for _path, headers, body in receiver.received)
    assert len(receiver.received) == 2
    with world.scope():
        assert not Webhook.objects.get(pk=webhook.pk).is_active
    for path in ("webhook/", f"webhook/{webhook.pk}/change/", "webhookattempt/"):
        shown = browser.get(f"/admin/outbox/{path}")
        assert shown.status_code == 200
        assert secret not in shown.content.decode()


def test_another_institution_sees_no_webhook_of_this_one(world, page, receiver):
    page(world.administrator).post(
        "/admin/outbox/webhook/add/", {"url": receiver.url(), "events": ["prediction.created"]}
    )
    with world.scope():
        webhook = Webhook.objects.get(url=receiver.url())
    other = page(world.outsider_admin)

    assert receiver.url() not in other.get("/admin/outbox/webhook/").content.decode()
    assert other.get(f"/admin/outbox/webhook/{webhook.pk}/change/").status_code == 302
    other.post("/admin/outbox/webhook/", {"action": "switch_off", "_selected_action": [webhook.pk]})
    with world.scope("ngwa"):
        assert announce(event=EVENT, target=webhook.uid) == 0
    with world.scope():
        assert Webhook.objects.get(pk=webhook.pk).is_active


def test_the_form_tells_that_an_address_is_private(world, page):
    answer = page(world.administrator).post(
        "/admin/outbox/webhook/add/", {"url": "https://10.0.0.1/", "events": ["prediction.created"]}
    )

    assert answer.status_code == 200
    with world.scope():
        assert not Webhook.objects.filter(url="https://10.0.0.1/").exists()
