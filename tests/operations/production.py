"""The services of docker-compose.yml as programs of this machine: each by its own command.

Names and folders of containers become addresses and folders here (`Platform.translated`), nothing else.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import yaml

from config import postgres
from config.keys import local_keys
from config.postgres import roles, state

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
HOST = "localhost"
BROKER = shutil.which("valkey-server") or shutil.which("redis-server")
PROGRAMS = {"nginx": shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), "redis-server": BROKER}
MISSING = [name for name, path in PROGRAMS.items() if path is None] + (
    [] if shutil.which("openssl") else ["openssl"]
)

needs_programs = pytest.mark.skipif(bool(MISSING), reason=f"not installed here: {', '.join(MISSING)}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Platform:
    """Database, broker, two sites, worker, clock and proxy in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("web", "web2", "broker", "http", "https")}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.secrets = folder / "secrets"
        self.context = ssl.create_default_context()

    # ---- from containers to this machine

    def translated(self, text: str, service: str = "") -> str:
        """Replace what only exists between containers."""
        places = {
            "/run/secrets": str(self.secrets),
            "/etc/nginx/credisense.conf": str(self.folder / "nginx.conf"),
            "/srv/credisense/static-files": str(self.folder / "static-files"),
            "/srv/files": str(self.folder / "files"),
            "/data": str(self.folder / "data"),
            "/tmp/": f"{self.folder}/tmp-{service}/",  # noqa: S108  the containers' folders, to be replaced
            "--host=0.0.0.0": "--host=127.0.0.1",
            "--port=8000": f"--port={self.ports.get(service, 0)}",
            "web2:8000": f"127.0.0.1:{self.ports['web2']}",
            "web:8000": f"127.0.0.1:{self.ports['web']}",
            "broker:6379": f"127.0.0.1:{self.ports['broker']}",
            "172.31.250.2": "127.0.0.1",
            "listen 8080": f"listen 127.0.0.1:{self.ports['http']}",
            "listen 8443": f"listen 127.0.0.1:{self.ports['https']}",
        }
        names = sorted(places, key=len, reverse=True)
        pattern = "|".join(re.escape(name) + ("" if name.endswith("/") else r"(?!\w)") for name in names)
        return re.sub(pattern, lambda found: places[found.group()], text)

    def command(self, service: str) -> list[str]:
        """Return the service's own command; programs of Python are those of this environment."""
        words = [self.translated(word, service) for word in COMPOSE["services"][service]["command"]]
        if words[0] == "valkey-server":
            return [str(BROKER), *words[1:], "--port", str(self.ports["broker"]), "--dir", str(self.folder)]
        if words[0] == "nginx":
            return [
                str(PROGRAMS["nginx"]),
                *words[1:-1],
                f"{words[-1]} user root;" if os.geteuid() == 0 else words[-1],
            ]
        return words

    def environment(self, service: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CREDISENSE", "DATABASE", "CELERY"))
        }
        own = COMPOSE["services"][service].get("environment", {})
        return {
            **kept,
            **{name: self.translated(str(value), service) for name, value in own.items()},
            "CREDISENSE_STATIC_DIR": str(self.folder / "static-files"),
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "CREDISENSE_ALLOWED_HOSTS": HOST,
            "CREDISENSE_RATE_PREDICT": "1000/s",  # the default would hide other refusals
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    # ---- set-up

    def prepare(self, rows: int = 1200) -> None:
        """Make the database with a cast, the secrets, the certificate and the site's files."""
        server = postgres.ensure_running(self.folder / "data")
        for name in ("files/static", "static-files", "secrets", "tmp-proxy"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._write_secrets(server)
        config = self.translated((ROOT / "deploy/nginx.conf").read_text(), "proxy")
        (self.folder / "nginx.conf").write_text(config)
        self._certificate()
        self.manage("collectstatic", "--no-input", "-v0")
        self.finish("migrate")
        demo = {
            **self.environment("web"),
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "CREDISENSE_DEMO": "1",
        }
        command = [sys.executable, "manage.py", "seed_demo", "--rows", str(rows)]
        subprocess.run(command, cwd=ROOT, env=demo, check=True, stdout=subprocess.DEVNULL)
        with psycopg.connect(server.dsn(roles.OWNER)) as owner:
            owner.execute("UPDATE institutions_institution SET is_demo = false")
            owner.execute("ALTER TABLE registry_modelversion NO FORCE ROW LEVEL SECURITY")
            owner.execute("UPDATE registry_modelversion SET training_data = 'pooled'")
            owner.execute("ALTER TABLE registry_modelversion FORCE ROW LEVEL SECURITY")

    def _write_secrets(self, server: state.Server) -> None:
        keys = local_keys(self.folder / "data")

        def url(role: str, database: str = state.DATABASE) -> str:
            word = server.passwords.get(role, "")
            return f"postgresql://{role}:{word}@/{database}?host={server.socket_dir}&port={server.port}"

        values = {
            "database_superuser_url": url(state.SUPERUSER, "postgres"),
            "database_owner_url": url(roles.OWNER),
            "database_url": url(roles.APP),
            "database_platform_url": url(roles.PLATFORM),
            "owner_password": server.passwords[roles.OWNER],
            "app_password": server.passwords[roles.APP],
            "platform_password": server.passwords[roles.PLATFORM],
            "backup_password": server.passwords[roles.BACKUP],
            **{f"{name}_key": keys[name] for name in ("secret", "jwt", "index", "task", "audit")},
            "field_keys": keys["field"],
            "metrics_token": "metrics-token-of-the-test",
        }
        for name, value in values.items():
            (self.secrets / name).write_text(value)

    def _certificate(self) -> None:
        names = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
        files = ["-keyout", str(self.secrets / "tls_key"), "-out", str(self.secrets / "tls_certificate")]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files]
        subprocess.run(command, check=True, capture_output=True)
        self.context = ssl.create_default_context(cafile=str(self.secrets / "tls_certificate"))

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environment("web"), check=True, timeout=400)

    # ---- services

    def finish(self, service: str) -> None:
        """Run a service that ends."""
        command, environment = self.command(service), self.environment(service)
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, done.stderr

    def start(self, service: str) -> None:
        with (self.folder / f"{service}.log").open("ab") as log:
            self.running[service] = subprocess.Popen(
                self.command(service),
                cwd=ROOT,
                env=self.environment(service),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_all(self) -> None:
        for service in ("broker", "web", "web2", "worker", "beat"):
            self.start(service)
        self.wait_for("web")
        self.wait_for("web2")
        self.start("proxy")
        self.until(lambda: self.ask("/readyz")[0] == 200)

    def wait_for(self, web: str) -> None:
        """Wait as the service's own health check does."""
        environment = {**self.environment(web), "PORT": str(self.ports[web])}
        check = COMPOSE["services"][web]["healthcheck"]["test"][1:]
        self.until(lambda: subprocess.run(check, cwd=ROOT, env=environment, check=False).returncode == 0)

    def until(self, holds, seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail(
                    "\n".join(
                        f"{path.name}: {path.read_text()[-1500:]}" for path in self.folder.glob("*.log")
                    )
                )
            time.sleep(0.3)

    def children(self, service: str) -> list[int]:
        pid = self.running[service].pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def end(self, service: str, number: int = signal.SIGTERM) -> None:
        process = self.running[service]
        process.send_signal(number)
        process.wait(60)

    def tell_proxy(self, web: str, *, down: bool) -> None:
        """Take a site out of nginx's list, or put it back, as deploy/roll.sh does."""
        path, line = self.folder / "nginx.conf", f"server 127.0.0.1:{self.ports[web]} max_fails=0"
        states = (f"{line};", f"{line} down;")
        path.write_text(path.read_text().replace(states[not down], states[down]))
        self.running["proxy"].send_signal(signal.SIGHUP)
        time.sleep(0.5)

    def kill(self, service: str) -> None:
        """Kill a whole service, as the memory killer or a lost machine would."""
        process = self.running[service]
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for service in self.running:
            self.kill(service)
        postgres.remove(self.folder / "data")

    # ---- a client

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Ask over HTTPS with the certificate checked; status 0 when the connection failed."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"https://{HOST}:{self.ports['https']}{path}"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", **named})
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.context) as answer:
                return answer.status, answer.read(), {k.lower(): v for k, v in answer.headers.items()}
        except urllib.error.HTTPError as error:
            return error.code, error.read(), {k.lower(): v for k, v in error.headers.items()}
        except OSError:
            return 0, b"", {}

    def rows(self, query: str) -> list[tuple]:
        server = state.plan(self.folder / "data")
        with psycopg.connect(server.dsn(roles.BACKUP)) as connection:
            return connection.execute(query).fetchall()
