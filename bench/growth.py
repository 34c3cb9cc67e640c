"""How a score's cost grows with trees, with connections and with the rows of the institution.

    OMP_NUM_THREADS=1 .venv/bin/python bench/growth.py [--rounds 5] [--scores 10000 100000 1000000] [--keep]

Trees: the default pipeline is trained on the demonstration's history at different rates of learning, so that
it stops at different numbers of trees by itself; each model in turn answers whole requests inside this
process. Rows and connections: the site as in production, with scores made by SQL between the rounds. The
database is the bench's own and is deleted first, since an institution only grows.
"""

import argparse
import io
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))

from load import Load, drive, get_bytes, request_bytes
from portfolio import CODE, fill
from predict import spread
from servers import FOLDER, Product, ask, bodies, database

DATA = FOLDER.parent / "bench-growth"
#: The product's own rate lies between.
RATES = (0.16, 0.04, 0.01)
CONNECTIONS = (1, 5, 10, 50, 200)
CALLS = 200
CHAMPION = "apps.registry.loader._load"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--scores", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--keep", action="store_true", help="go on with the database of the last time")
    asked = parser.parse_args()
    from config import postgres

    if not asked.keep:
        postgres.remove(DATA)
    print(f"load average before the start: {os.getloadavg()[0]:.1f}; {os.cpu_count()} processors")
    with database(DATA) as server:
        product = Product(server, DATA)
        try:
            os.environ |= product.environment
            import django

            django.setup()
            by_connections(product, asked.rounds, asked.seconds)
            by_rows(product, asked.scores, asked.rounds, asked.seconds)
            by_trees(product, asked.rounds)
        finally:
            product.stop()


def by_connections(product: Product, rounds: int, seconds: float) -> None:
    """Drive the site by more and more connections, in turn."""
    seen: dict[int, list[Load]] = {number: [] for number in CONNECTIONS}
    for turn in range(-1, rounds):
        for number, loads in seen.items():
            load = scores(product, number, seconds)
            if turn >= 0:  # the first warms up
                loads.append(load)
    print("\n| connections | requests/s | p50 ms | p99 ms | errors |\n|---|---|---|---|---|")
    for number, loads in seen.items():
        print(
            f"| {number} | {spread([each.per_second for each in loads], 0)}"
            f" | {spread([each.p50 for each in loads])} | {spread([each.p99 for each in loads])}"
            f" | {sum(each.errors for each in loads)} |"
        )


def by_rows(product: Product, sizes: list[int], rounds: int, seconds: float) -> None:
    """Ask for scores and for lists of them while the institution holds more and more."""
    from django.db import connections

    from apps.institutions.models import Institution
    from apps.scoring.models import Prediction
    from apps.tenancy.context import tenant_scope

    institution = Institution.objects.get(code=CODE)
    print("\n| scores stored | a score, p50 ms | at 50, requests/s | first page of scores | filtered | one |")
    print("|---|---|---|---|---|---|")
    for size in (0, *sorted(sizes)):
        fill(institution.pk, size)
        with connections["owner"].cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        with tenant_scope(institution.pk):
            held = Prediction.objects.count()
        listed = "/api/v1/predictions"
        one = ask(product.port, f"{listed}?limit=1", None, product.headers())["results"][0]["id"]
        places = listed, f"{listed}?band=eleve&limit=100", f"{listed}/{one}"
        alone, many = [], []
        pages: dict[str, list[float]] = {place: [] for place in places}
        for turn in range(-1, rounds):
            found = scores(product, 1, seconds), scores(product, CONNECTIONS[-2], seconds)
            read = {place: reading(product, place, seconds / 2) for place in places}
            if turn >= 0:
                alone.append(found[0].p50)
                many.append(found[1].per_second)
                for place, load in read.items():
                    pages[place].append(load.p50)
        told = " | ".join(spread(pages[place]) for place in places)
        print(f"| {held:,} | {spread(alone)} | {spread(many, 0)} | {told} |", flush=True)


def scores(product: Product, connections: int, seconds: float) -> Load:
    headers = product.headers()
    requests = [request_bytes("/api/v1/predict", body, headers) for body in bodies()]
    return drive(product.port, requests, connections=connections, seconds=seconds, expected=201)


def reading(product: Product, place: str, seconds: float) -> Load:
    return drive(product.port, [get_bytes(place, product.headers())], connections=1, seconds=seconds)


def by_trees(product: Product, rounds: int) -> None:
    """Let models of different size answer whole requests in turn, and tell what each costs."""
    from config.wsgi import application

    headers = {f"HTTP_{name.upper().replace('-', '_')}": each for name, each in product.headers().items()}
    made = bodies()
    with trained() as scorers:
        spent: dict[str, list[float]] = {name: [] for name in scorers}
        for turn in range(-1, rounds):
            for name, scorer in scorers.items():
                with mock.patch(CHAMPION, lambda _folder, _sha256, found=scorer: found):
                    times = [
                        milliseconds(lambda body=body: post(application, body, headers))
                        for body in (made * CALLS)[:CALLS]
                    ]
                if turn >= 0:
                    spent[name].append(statistics.median(times))
        print("\n| trees | tables | a whole request, processor ms |\n|---|---|---|")
        for name, times in spent.items():
            tables = scorers[name].parts.trees.table.nbytes / 1e6
            print(f"| {name} | {tables:.1f} MB | {spread(times, 2)} |")


@contextmanager
def trained() -> Iterator[dict[str, Any]]:
    """Train and write the default pipeline at each rate; give the scorers as a worker loads them."""
    from apps.engine.artifacts import read
    from apps.engine.dictionary import STANDARD
    from apps.engine.scorer import Scorer
    from apps.engine.training.dataset import training_set
    from apps.engine.training.pipeline import Settings, fit
    from apps.engine.training.writing import write_model
    from apps.institutions.models import Institution
    from apps.registry.services.training import pooled_history

    history = pooled_history([each.pk for each in Institution.objects.order_by("pk")])
    data = training_set([STANDARD[name] for name in history.columns], history.columns, history.outcomes)
    folder = Path(tempfile.mkdtemp())
    try:
        found = {}
        for rate in RATES:
            usual = Settings()
            model = fit(data, Settings(booster={**usual.booster, "learning_rate": rate}))
            identity = {"name": "growth", "version": str(rate), "training_data": "synthetic"}
            sha256 = write_model(folder / str(rate), model, identity)
            scorer = Scorer(read(folder / str(rate), expected_sha256=sha256))
            found[f"{usual.folds} x {model.trees}"] = scorer
        yield found
    finally:
        shutil.rmtree(folder)


def post(application: Callable[..., Any], body: bytes, headers: dict[str, str]) -> None:
    """Send one request through the site's WSGI application; stop at any answer but a stored score."""
    told = []
    environment = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/predict", "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, **headers,
    }  # fmt: skip
    answer = application(environment, lambda status, _headers, _error=None: told.append(status))
    content = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    if not told[0].startswith("201"):
        raise SystemExit(f"{told[0]}: {json.loads(content)}")


def milliseconds(call: Callable[[], Any]) -> float:
    """Return the processor time of this process that a call takes."""
    started = time.process_time()
    call()
    return 1000 * (time.process_time() - started)


if __name__ == "__main__":
    main()
