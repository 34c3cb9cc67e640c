"""Explanations by tables beside XGBoost's own `pred_contribs`, on the same boosters, one thread each (P5).

    python bench/explain.py [--rounds 5] [--rows 10000]

Rows are random, one value in ten missing. The exit code is 1 when a sum or a contribution differs by more
than 1e-5 or the goal is missed.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import xgboost

from apps.engine.tabulating import tabulate
from apps.engine.trees import booster_from

GOAL = 30.0
TOLERANCE = 1e-5
FEATURES = 15
MISSING = 0.1


def boosters_of(count: int, depth: int, trees: int = 300) -> list[xgboost.Booster]:
    """Fit ``count`` boosters on 20,000 random rows each."""
    fitted = []
    for seed in range(count):
        draw = np.random.default_rng(seed)
        x = rows_of(20_000, seed)
        logit = np.nan_to_num(x[:, :6]) @ draw.normal(0, 0.6, 6) + np.nan_to_num(x[:, 6] * x[:, 7]) - 1.5
        y = draw.random(len(x)) < 1 / (1 + np.exp(-logit))
        settings = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.05, "nthread": 1}
        fitted.append(xgboost.train(settings, xgboost.DMatrix(x, y), trees))
    return fitted


def rows_of(rows: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(10_000 + seed)
    x = draw.normal(size=(rows, FEATURES))
    x[draw.random(x.shape) < MISSING] = np.nan
    return x


def seconds_of(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def compared(name: str, boosters: list[xgboost.Booster], rows: int, rounds: int) -> dict[str, Any]:
    """Time both in turn on the same rows, and look for the largest difference."""
    started = time.perf_counter()
    tables = tabulate(
        [booster_from(json.loads(each.save_raw("json")), FEATURES) for each in boosters], FEATURES
    )
    built = time.perf_counter() - started
    x = rows_of(rows, 99)
    matrix = xgboost.DMatrix(x, nthread=1)

    def oracle() -> np.ndarray:
        return np.mean([each.predict(matrix, pred_contribs=True) for each in boosters], axis=0, dtype=float)

    expected, found = oracle(), tables.contributions(x)
    gap = max(np.abs(expected[:, :-1] - found).max(), np.abs(expected[:, -1] - tables.base).max())
    sums = np.abs(expected.sum(axis=1) - (tables.base + found.sum(axis=1))).max()
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(rows / seconds_of(lambda: tables.contributions(x)))
        theirs.append(rows / seconds_of(oracle))
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    one = [seconds_of(lambda: tables.contributions(x[:1])) for _ in range(200)]
    return {
        "name": name, "gap": float(max(gap, sums)), "ratios": ratios, "ours": ours, "theirs": theirs,
        "built": built, "megabytes": tables.table.nbytes / 1e6, "one_us": 1e6 * statistics.median(one),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    cases = {
        "300 trees of depth 5": (1, 5),
        "300 trees of depth 4": (1, 4),
        "five times 300 of depth 4": (5, 4),
    }
    good = True
    print("| boosters | tables rows/s | pred_contribs rows/s | ratio | largest gap | one row | tables |")
    print("|---|---|---|---|---|---|---|")
    for name, (count, depth) in cases.items():
        line = compared(name, boosters_of(count, depth), options.rows, options.rounds)
        ratio = statistics.median(line["ratios"])
        good &= ratio >= GOAL and line["gap"] <= TOLERANCE
        print(
            f"| {name} | {statistics.median(line['ours']):,.0f} | {statistics.median(line['theirs']):,.0f}"
            f" | {ratio:.1f} ({min(line['ratios']):.1f}-{max(line['ratios']):.1f}) | {line['gap']:.1e}"
            f" | {line['one_us']:.0f} µs | {line['megabytes']:.1f} MB in {line['built']:.1f} s |"
        )
    print(f"P5, goal {GOAL:g} with no gap above {TOLERANCE:g}: {'holds' if good else 'FAILS'}")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
