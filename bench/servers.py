"""What is measured: product and peer, on one durable PostgreSQL, each in its own database."""

import contextlib
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
FOLDER = ROOT / "var" / "bench"
PEER_PYTHON = ROOT / "var" / "bench-venv" / "bin" / "python"
PEER_DATABASE = "peer"
PASSWORD = "Demo-CrediSense-2026"  # noqa: S105  the demonstration's, public
PATIENCE_S = 600
WORKERS = 2
#: A token lives ten minutes; a new one is asked for well before.
TOKEN_SECONDS = 300


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def database(folder: Path = FOLDER) -> Iterator[Any]:
    """Run the embedded server of the bench's own data folder, durable as in production."""
    from config import postgres

    folder.mkdir(parents=True, exist_ok=True)
    server = postgres.ensure_running(folder)
    try:
        yield server
    finally:
        postgres.stop(server)


class Server:
    """A group of processes that answers on a port."""

    port: int
    process: subprocess.Popen[bytes]

    def processor_seconds(self) -> float:
        """Return the processor time that the group has taken so far, user and system."""
        ticks = 0
        for file in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it ended meanwhile
                fields = file.read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12]) if int(fields[2]) == self.process.pid else 0
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        stop(self.process)


class Product(Server):
    """The site under the image's own command, on the demonstration's institutions."""

    def __init__(self, server: Any, folder: Path = FOLDER) -> None:
        self.port = free_port()
        self.folder = folder
        local = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "CREDISENSE_DATA_DIR": str(folder),
            "CREDISENSE_MODELS_DIR": str(folder / "models"),
        }
        self.seed({**local, "CREDISENSE_DEMO": "1", "DJANGO_SETTINGS_MODULE": "config.settings.local"})
        self.environment = {**local, **production(server, folder), "DJANGO_SETTINGS_MODULE": "bench.settings"}
        manage(["collectstatic", "--no-input"], self.environment)
        self.known: tuple[float, str] | None = None
        self.process = start(image_command(self.port), self.environment)
        wait_for(self.port, "/readyz")

    @staticmethod
    def seed(environment: dict[str, str]) -> None:
        manage(["migrate", "--database=owner", "--no-input"], environment)
        manage(["seed_demo"], environment)

    def login(self, email: str = "analyste@horizon.demo") -> str:
        """Return an access token, which lives ten minutes."""
        answer = ask(self.port, "/api/v1/login", {"email": email, "password": PASSWORD})
        return str(answer["access"])

    def headers(self) -> dict[str, str]:
        """Return what the proxy in front would say, and who asks; log-ins are few, as their limit wants."""
        if self.known is None or time.monotonic() - self.known[0] > TOKEN_SECONDS:
            self.known = time.monotonic(), self.login()
        return {"X-Forwarded-Proto": "https", "Authorization": f"Bearer {self.known[1]}"}


class Peer(Server):
    """FastAPI under uvicorn: two workers, one thread for numbers."""

    def __init__(self, server: Any, folder: Path = FOLDER) -> None:
        if not PEER_PYTHON.exists():
            raise SystemExit(
                "The peer's packages are missing: see bench/peer/README.md (`make benchapi` installs them)."
            )
        self.port = free_port()
        self.secret = "peer-" + "p" * 40
        model = folder / "peer.joblib"
        if not model.exists():
            subprocess.run([str(PEER_PYTHON), "bench/peer/train.py", str(model)], cwd=ROOT, check=True)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PEER_MODEL": str(model),
            "PEER_SECRET": self.secret,
            "PEER_DATABASE": self.create_database(server),
        }
        code = (
            "import sys; sys.path.insert(0, 'bench/peer'); import app;"
            "app.Base.metadata.create_all(app.engine);"
            "from sqlalchemy.dialects.postgresql import insert;"
            "c = app.engine.connect(); c.execute(insert(app.User).values(id=1, email='a@peer.demo',"
            " role='analyst', active=True).on_conflict_do_nothing()); c.commit()"
        )
        subprocess.run([str(PEER_PYTHON), "-c", code], cwd=ROOT, env=environment, check=True)
        command = [
            str(PEER_PYTHON), "-m", "uvicorn", "app:app", "--app-dir", "bench/peer", "--port", str(self.port),
            "--workers", str(WORKERS), "--log-level", "warning", "--no-access-log",
        ]  # fmt: skip
        self.process = start(command, environment)
        wait_for(self.port, "/openapi.json")

    @staticmethod
    def create_database(server: Any) -> str:
        import psycopg

        from config.postgres.roles import OWNER

        with psycopg.connect(server.dsn(OWNER, "postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [PEER_DATABASE])
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {PEER_DATABASE}")
        return address(server, OWNER, PEER_DATABASE, scheme="postgresql+psycopg")

    def headers(self) -> dict[str, str]:
        """Return a token signed as the peer signs it."""
        code = f"import jwt; print(jwt.encode({{'sub': '1'}}, {self.secret!r}, algorithm='HS256'))"
        done = subprocess.run([str(PEER_PYTHON), "-c", code], capture_output=True, text=True, check=True)
        return {"Authorization": f"Bearer {done.stdout.strip()}"}


def bodies(count: int = 200, seed: int = 2026) -> list[bytes]:
    """Return different complete applications of 15 variables, the same for both."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        income = draw.randrange(60_000, 600_000, 5_000)
        amount = draw.randrange(50_000, 2_000_000, 10_000)
        months = draw.randint(3, 30)
        body = {
            "age": draw.randint(21, 64),
            "sexe": draw.choice("FM"),
            "situation_familiale": draw.choice(["celibataire", "marie", "union_libre", "divorce", "veuf"]),
            "revenu_mensuel": income,
            "type_contrat_travail": draw.choice(["CDI", "CDD", "Informel", "Indépendant"]),
            "anciennete_travail_mois": draw.randint(0, 200),
            "montant_credit": amount,
            "duree_mois": months,
            "taux_interet": round(draw.uniform(12, 34), 1),
            "type_credit": draw.choice(["fonds_de_roulement", "consommation", "scolaire", "equipement"]),
            "nb_retards_30j": (late := draw.choice([0, 0, 0, 1, 2])),
            "nb_retards_60j": late // 2,
            "nb_retards_90j": 0,
            "taux_endettement": round(min(130 * amount / months / income, 290), 1),
            "ratio_dette_revenu": round(amount / income / 12, 3),
        }
        made.append(json.dumps(body).encode())
    return made


def image_command(port: int) -> list[str]:
    """Return the command of the Dockerfile, on this environment's Python and a port of ours."""
    line = next(
        line
        for line in reversed((ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines())
        if line.startswith("CMD ")
    )
    command = json.loads(line.removeprefix("CMD "))
    command += ["--host=127.0.0.1", f"--port={port}", "--log-level=warning"]  # the last one said holds
    print(f"product: {shlex.join(command)}", file=sys.stderr)
    return [sys.executable, "-m", *command]


def production(server: Any, folder: Path) -> dict[str, str]:
    """Return what an operator would put in production's environment."""
    from config.keys import local_keys
    from config.postgres.roles import APP, OWNER, PLATFORM

    keys = local_keys(folder)
    return {
        "CREDISENSE_ALLOWED_HOSTS": "127.0.0.1",
        "CREDISENSE_SECRET_KEY": keys["secret"],
        "CREDISENSE_JWT_KEY": keys["jwt"],
        "CREDISENSE_FIELD_KEYS": keys["field"],
        "CREDISENSE_INDEX_KEY": keys["index"],
        "CREDISENSE_TASK_KEY": keys["task"],
        "CREDISENSE_AUDIT_KEY": keys["audit"],
        "CREDISENSE_RATE_PREDICT": "1000000/s",  # counted as ever, and never reached
        "CREDISENSE_RATE_DEFAULT": "1000000/min",
        "CREDISENSE_RATE_FILES": "1000000/min",
        "DATABASE_URL": address(server, APP),
        "DATABASE_OWNER_URL": address(server, OWNER),
        "DATABASE_PLATFORM_URL": address(server, PLATFORM),
    }


def address(server: Any, role: str, name: str = "", *, scheme: str = "postgresql") -> str:
    """Return the URL of a role's database over the server's own socket."""
    from config.postgres.state import DATABASE

    host = quote(str(server.socket_dir), safe="")
    user = f"{role}:{quote(server.passwords[role], safe='')}"
    return f"{scheme}://{user}@/{name or DATABASE}?host={host}&port={server.port}"


def manage(arguments: list[str], environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_for(port: int, path: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            ask(port, path)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"nothing answers on port {port}")


def ask(port: int, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """Return the JSON that one request answers."""
    given = {"Content-Type": "application/json", "X-Forwarded-Proto": "https", **(headers or {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, given)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
