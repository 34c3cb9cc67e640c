"""P6 to P8: files scored by the product and by the peer of `bench/peer`, in turn, in one run.

500, 10,000 and 100,000 rows against the peer's route that checks, explains and stores every row as the
product does (P6); then 1,000,000 against its route that only scores (P7). Each is timed from the sending of
the file to the last byte of the file that comes back. P8 is the worker's peak memory at 1,000,000 rows.

    make benchfiles        .venv/bin/python bench/batch.py --rounds 3
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from servers import FOLDER, PEER_PYTHON, ROOT, Peer, Product, Server, ask, database, start, stop

SIZES = (500, 10_000, 100_000)
MILLION = 1_000_000
#: Files above are scored in the background.
INLINE = 20_000
GOALS = {"P6": 25.0, "P7": 0.5, "P8": 1.4}
MOST_MB = 600
BOUNDARY = "bench-batch-boundary"
WORKER = ["-m", "celery", "--app", "config.celery", "worker", "--loglevel", "warning", "--concurrency", "1"]


def made_file(rows: int) -> Path:
    """Write once a portfolio of the peer's synthetic applications."""
    target = FOLDER / f"portfolio-{rows}.csv"
    if not target.exists():
        code = (
            "import sys; sys.path.insert(0, 'bench/peer'); from train import synthetic;"
            f"f, _ = synthetic({rows}, seed=7);"
            "f = f.astype({'revenu_mensuel': int, 'montant_credit': int});"
            "f['taux_endettement'] = f['taux_endettement'].clip(upper=300).round(1);"
            "f['ratio_dette_revenu'] = f['ratio_dette_revenu'].clip(upper=20).round(3);"
            "f['montant_credit'] = f['montant_credit'].clip(lower=10000);"
            f"f.to_csv({str(target)!r}, index=False)"
        )
        subprocess.run([str(PEER_PYTHON), "-c", code], cwd=ROOT, check=True)
    return target


def send(server: Server, path: str, file: Path, headers: dict[str, str]) -> tuple[int, bytes]:
    """Post a file as a form; return the status and the whole answer."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    size = len(head) + file.stat().st_size + len(tail)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=1_800)
    connection.putrequest("POST", path)
    sent = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(size)}
    for name, value in {**sent, "Connection": "close", **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(head)
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            connection.send(block)
    connection.send(tail)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def by_product(product: Product, file: Path, rows: int) -> float:
    """Return the seconds until the scored file is here."""
    headers = product.headers()
    started = time.perf_counter()
    status, body = send(product, "/api/v1/predict_file_download", file, headers)
    if status == 202:  # noqa: PLR2004  accepted
        body = _followed(product, json.loads(body)["links"], headers)
    elif status != 200:  # noqa: PLR2004  done
        raise SystemExit(f"the product answers {status}: {body[:500]!r}")
    seconds = time.perf_counter() - started
    _check(body, rows)
    return seconds


def _followed(product: Product, links: dict[str, str], headers: dict[str, str]) -> bytes:
    while (state := ask(product.port, links["self"], headers=headers))["status"] != "done":
        if state["status"] in {"failed", "cancelled"}:
            raise SystemExit(f"the job ended as {state}")
        time.sleep(0.1)
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=600)
    connection.request("GET", links["result"], headers=headers)
    body = connection.getresponse().read()
    connection.close()
    return body


def by_peer(peer: Peer, path: str, file: Path, rows: int) -> float:
    headers = peer.headers()
    started = time.perf_counter()
    status, body = send(peer, path, file, headers)
    seconds = time.perf_counter() - started
    if status != 200:  # noqa: PLR2004  done
        raise SystemExit(f"the peer answers {status}: {body[:500]!r}")
    _check(body, rows)
    return seconds


def _check(body: bytes, rows: int) -> None:
    found = body.count(b"\n") - 1
    if found != rows:
        raise SystemExit(f"{found} lines came back instead of {rows}")


class Worker:
    """The product's worker, started anew for each size so that its peak memory is that of the size."""

    def __init__(self, product: Product) -> None:
        self.process = start([sys.executable, *WORKER], product.environment)

    def peak_mb(self) -> float:
        """Return the largest peak among the worker's processes (VmHWM)."""
        found = 0
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                group = int((status.parent / "stat").read_text().rpartition(")")[2].split()[2])
                if group == self.process.pid:
                    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
                    found = max(found, int(line.split()[1]))
            except (OSError, StopIteration):
                continue
        return found / 1024

    def stop(self) -> None:
        stop(self.process)


def in_turn(rounds: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Measure one after the other, ``rounds`` times; the first round of all warms up and is not kept."""
    kept: list[list[float]] = [[] for _ in measures]
    for number in range(rounds + 1):
        for place, measure in enumerate(measures):
            seconds = measure()
            if number:
                kept[place].append(seconds)
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--million", type=int, default=MILLION, help="rows of the last file; 0 leaves it out")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with database() as server:
        product = Product(server)
        peer = Peer(server)
        try:
            full = "/predict_file_download_full"
            rows = [_measured(product, peer, full, size, options.rounds) for size in options.sizes]
            if options.million:
                rows.append(_measured(product, peer, "/predict_file_download", options.million, 1))
        finally:
            peer.stop()
            product.stop()
    reached = report(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return 0 if reached else 1


def _measured(product: Product, peer: Peer, route: str, size: int, rounds: int) -> dict[str, Any]:
    file, worker = made_file(size), Worker(product)
    try:
        ours, theirs = in_turn(
            rounds, lambda: by_product(product, file, size), lambda: by_peer(peer, route, file, size)
        )
        peak = worker.peak_mb() if size > INLINE else None
    finally:
        worker.stop()
    ratios = [other / own for own, other in zip(ours, theirs, strict=True)]
    print(f"{size}: product {ours}, peer {route} {theirs}, peak {peak}", file=sys.stderr, flush=True)
    return {
        "rows": size,
        "route": route,
        "product": statistics.median(ours),
        "peer": statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "peak_mb": peak,
    }


def report(rows: list[dict[str, Any]]) -> bool:
    """Print the table and the goals; say whether each is reached."""
    print("\n| rows | peer's route | product s (rows/s) | peer s (rows/s) | peer / product | worker MB |")
    print("|---|---|---|---|---|---|")
    for each in rows:
        speed = [f"{each[name]:.2f} ({each['rows'] / each[name]:,.0f})" for name in ("product", "peer")]
        peak = "" if each["peak_mb"] is None else f"{each['peak_mb']:.0f}"
        print(
            f"| {each['rows']:,} | {each['route']} | {speed[0]} | {speed[1]} | {each['ratio']:.2f} | {peak} |"
        )
    by_size = {each["rows"]: each for each in rows}
    verdicts: dict[str, tuple[float, bool]] = {}
    largest, million = by_size.get(SIZES[-1]), by_size.get(MILLION)
    if largest:
        verdicts["P6"] = largest["ratio"], largest["ratio"] >= GOALS["P6"]
    if million:
        verdicts["P7"] = million["ratio"], million["ratio"] >= GOALS["P7"]
    if largest and million:
        growth = million["peak_mb"] / largest["peak_mb"]
        verdicts["P8"] = growth, growth <= GOALS["P8"] and million["peak_mb"] < MOST_MB
    for name, (figure, held) in verdicts.items():
        print(f"{name}: {figure:.2f}, goal {GOALS[name]}: {'holds' if held else 'FAILS'}")
    return all(held for _figure, held in verdicts.values())


if __name__ == "__main__":
    raise SystemExit(main())
