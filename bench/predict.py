"""The product's score beside the peer's: requests a second, p50, p99, and the ratios P1 to P4.

    python bench/predict.py [--rounds 5] [--seconds 4] [--json FILE]

Both run at once on one durable PostgreSQL and are driven in turn, by one connection and by fifty. The data
folder var/bench is kept for the next time; `python -m config.postgres remove` with CREDISENSE_DATA_DIR
deletes its rows.
"""

import argparse
import json
import os
import statistics
from dataclasses import asdict, replace
from pathlib import Path

from load import Load, drive, request_bytes
from servers import Peer, Product, bodies, database

#: name -> goal on a quiet machine, goal on a loaded one, what is divided
GOALS = {"P1": (10, 5), "P2": (3, 3), "P3": (5, 5), "P4": (6, 6)}
SAID = {
    "P1": "requests/s at 50 connections, product / peer with everything",
    "P2": "requests/s at 50 connections, product / peer that only scores",
    "P3": "p99 at 50 connections, peer with everything / product",
    "P4": "p50 alone, peer with everything / product",
}
#: What neighbours move less than the clock: the time of the processes that serve, database not counted.
COST = "processor ms a request at 50 connections"
MANY = 50
WARM_UP_S = 2.0


def rounds_of(product: Product, peer: Peer, *, rounds: int, seconds: float) -> list[dict[str, Load]]:
    """Drive each of the three in turn, alone and by fifty, ``rounds`` times."""
    made = bodies()
    measured = []
    for number in range(-1, rounds):
        targets = {
            "product": (product, "/api/v1/predict", product.headers(), 201),
            "peer full": (peer, "/predict_full", peer.headers(), 200),
            "peer score": (peer, "/predict", {}, 200),
        }
        seen = {}
        for connections in (1, MANY):
            for name, (server, path, headers, expected) in targets.items():
                requests = [request_bytes(path, body, headers) for body in made]
                span = WARM_UP_S if number < 0 else seconds
                before = server.processor_seconds()
                load = drive(server.port, requests, connections=connections, seconds=span, expected=expected)
                spent = 1000 * (server.processor_seconds() - before) / load.requests
                seen[f"{name} {connections}"] = replace(load, cost=spent)
        if number >= 0:  # the first round warms up
            measured.append(seen)
    return measured


def ratios_of(seen: dict[str, Load]) -> dict[str, float]:
    ours, full, score = (seen[f"{name} {MANY}"] for name in ("product", "peer full", "peer score"))
    return {
        "P1": ours.per_second / full.per_second,
        "P2": ours.per_second / score.per_second,
        "P3": full.p99 / ours.p99,
        "P4": seen["peer full 1"].p50 / seen["product 1"].p50,
    }


def spread(figures: list[float], digits: int = 1) -> str:
    """Write a median and, in brackets, the lowest and the highest."""
    middle = statistics.median(figures)
    return f"{middle:.{digits}f} ({min(figures):.{digits}f}-{max(figures):.{digits}f})"


def report(measured: list[dict[str, Load]]) -> bool:
    """Print both tables; say whether every goal of a quiet machine is reached."""
    print("\n| who, connections | requests/s | p50 ms | p99 ms | processor ms | errors |")
    print("|---|---|---|---|---|---|")
    for name in measured[0]:
        loads = [seen[name] for seen in measured]
        print(
            f"| {name} | {spread([load.per_second for load in loads], 0)}"
            f" | {spread([load.p50 for load in loads])}"
            f" | {spread([load.p99 for load in loads])} | {spread([load.cost for load in loads], 2)}"
            f" | {sum(load.errors for load in loads)} |"
        )
    print("\n| # | what | median of rounds | goal quiet (loaded) | |\n|---|---|---|---|---|")
    ratios = [ratios_of(seen) for seen in measured]
    reached = True
    for name, (quiet, loaded) in GOALS.items():
        figures = [each[name] for each in ratios]
        middle = statistics.median(figures)
        verdict = "holds" if middle >= quiet else "holds loaded" if middle >= loaded else "FAILS"
        reached &= verdict == "holds"
        print(f"| {name} | {SAID[name]} | {spread(figures)} | {quiet} ({loaded}) | {verdict} |")
    costs = [seen[f"peer full {MANY}"].cost / seen[f"product {MANY}"].cost for seen in measured]
    print(f"\n{COST}, peer with everything / product: {spread(costs)}")
    return reached and not any(load.errors for seen in measured for load in seen.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", type=Path, help="write every round here")
    options = parser.parse_args()
    before = os.getloadavg()[0]
    with database() as server:
        product = Product(server)
        try:
            peer = Peer(server)
            try:
                measured = rounds_of(product, peer, rounds=options.rounds, seconds=options.seconds)
            finally:
                peer.stop()
        finally:
            product.stop()
    print(f"load average before the start: {before:.1f}; {os.cpu_count()} processors")
    reached = report(measured)
    if options.json:
        options.json.write_text(
            json.dumps([{name: asdict(load) for name, load in seen.items()} for seen in measured], indent=1)
        )
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
