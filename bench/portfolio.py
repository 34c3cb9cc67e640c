"""P9 and P10: the portfolio's pages at 3,000,000 scores of one institution, row-level security on and off.

Scores and applications are made by SQL in a database of the bench's own, kept for the next run; the product
counts the totals. Each page runs its own statements; their times are added up. P9 is the slowest page's
median, P10 the ratio of the medians of all pages with row-level security on and off, in turns.

    OMP_NUM_THREADS=1 .venv/bin/python bench/portfolio.py [--scores 3000000] [--rounds 7]
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from servers import FOLDER, Product, database

DATA = FOLDER.parent / "bench-portfolio"
CODE = "horizon"
AGENCIES, COPIES, MONTHS, CHUNK, CALLS = 20, 20, 36, 250_000, 20
GOALS = {"P9": 10.0, "P10": 1.15}
TABLES = ("scoring_scoretotal", "reports_filetotal", "scoring_scoretotalshead", "reports_portfoliostate")
TABLES += ("reports_creditstatistics", "reports_savedview", "institutions_agency")
SCORES = """
    INSERT INTO scoring_prediction (uid, institution_id, agency_id, model_version_id, policy_id, source,
        author_id, inputs, facts, input_hash, pd, base, contributions, threshold, predicted_default, points,
        grade, band, recommendation, expected_loss_xaf, max_amount_reason, rules, warnings, duration_ms,
        created_at)
    SELECT gen_random_uuid(), %(institution)s, (%(agencies)s::bigint[])[1 + (random() * %(last)s)::int],
        %(version)s, %(policy)s, (ARRAY['page', 'api', 'batch'])[1 + (random() * 2)::int],
        (%(authors)s::bigint[])[1 + (random() * %(last_author)s)::int],
        jsonb_build_object(
            'type_credit', (%(types)s::text[])[1 + (random() * %(last_type)s)::int],
            'type_contrat_travail', (%(contracts)s::text[])[1 + (random() * %(last_contract)s)::int],
            'secteur', (%(sectors)s::text[])[1 + (random() * %(last_sector)s)::int]),
        '{}', md5(random()::text) || md5(random()::text), pd, -2.0, '[]', 0.15, pd >= 0.15,
        (680 - 500 * pd)::int, (ARRAY['A', 'B', 'C', 'D', 'E'])[1 + least(4, floor(pd * 20))::int],
        (ARRAY['faible', 'modere', 'eleve'])[1 + (pd >= 0.075)::int + (pd >= 0.15)::int],
        (ARRAY['accorder', 'etudier', 'refuser'])[1 + (pd >= 0.075)::int + (pd >= 0.15)::int],
        (pd * 200000)::bigint, '', '[]', '[]', 4.0, now() - random() * interval '1 month' * %(months)s
    FROM (SELECT random() ^ 3 * 0.6 AS pd FROM generate_series(1, %(count)s)) AS drawn
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    os.environ |= {
        "CREDISENSE_DATA_DIR": str(DATA),
        "CREDISENSE_MODELS_DIR": str(DATA / "models"),
        "CREDISENSE_DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
    }
    with database(DATA):
        Product.seed({**os.environ})
        import django

        django.setup()
        measure(asked.scores, asked.rounds)


def measure(scores: int, rounds: int) -> None:
    """Fill what is missing, count the totals, time the pages; exit code 1 when a goal is missed."""
    from apps.institutions.models import Institution
    from apps.tenancy.context import tenant_scope

    institution = Institution.objects.get(code=CODE)
    with tenant_scope(institution.pk):
        _agencies_and_applications()
    fill(institution.pk, scores)
    counted = count_totals(institution.pk)
    found: dict[str, dict[bool, list[float]]] = {}
    for _round in range(rounds):
        for secured in (True, False):
            with security(on=secured):
                for page, milliseconds in timed_pages(institution.pk).items():
                    found.setdefault(page, {True: [], False: []})[secured].append(milliseconds)
    report(found, counted)


def _agencies_and_applications() -> None:
    """Make agencies up to ``AGENCIES`` and copy the demonstration's applications over them and the months."""
    from django.db import connection

    from apps.credits.models import CreditApplication
    from apps.institutions.models import Agency

    missing = AGENCIES - Agency.objects.count()
    if missing <= 0:
        return
    Agency.objects.bulk_create(
        Agency(code=f"bench-{place}", name=f"Agence {place}", city="Douala") for place in range(missing)
    )
    changed = {"id", "uid", "agency", "reference", "applied_on"}
    kept = ", ".join(
        field.column for field in CreditApplication._meta.concrete_fields if field.name not in changed
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO credits_creditapplication (uid, agency_id, reference, applied_on, {kept})"  # noqa: S608  columns of the model
            " SELECT gen_random_uuid(), (%s::bigint[])[1 + (random() * %s)::int],"
            f" reference || '-' || copy, current_date - (random() * 30 * %s)::int, {kept}"
            " FROM credits_creditapplication CROSS JOIN generate_series(1, %s) AS copies (copy)",
            [list(Agency.objects.values_list("pk", flat=True)), AGENCIES - 1, MONTHS, COPIES],
        )


def fill(institution_id: int, scores: int) -> None:
    """Insert scores until there are as many as asked for, a transaction a chunk."""
    from django.db import connection

    from apps.engine.dictionary import STANDARD
    from apps.institutions.models import Agency
    from apps.registry.queries import champion_for
    from apps.scoring.models import Prediction
    from apps.scoring.queries.policies import policy_on
    from apps.tenancy.context import tenant_scope
    from apps.users.models import Membership

    while True:
        with tenant_scope(institution_id):
            missing = scores - Prediction.objects.count()
            if missing <= 0:
                return
            lists = {
                "agencies": list(Agency.objects.values_list("pk", flat=True)),
                "authors": list(
                    Membership.objects.filter(institution_id=institution_id).values_list("user_id", flat=True)
                ),
                "types": list(STANDARD["type_credit"].codes),
                "contracts": list(STANDARD["type_contrat_travail"].codes),
                "sectors": list(STANDARD["secteur"].codes),
            }
            lasts = {"agencies": "last", "authors": "last_author", "types": "last_type"}
            lasts |= {"contracts": "last_contract", "sectors": "last_sector"}
            given = {
                **lists,
                **{lasts[name]: len(values) - 1 for name, values in lists.items()},
                "institution": institution_id,
                "version": champion_for().pk,
                "policy": policy_on().pk,
                "months": MONTHS,
                "count": min(missing, CHUNK),
            }
            with connection.cursor() as cursor:
                cursor.execute(SCORES, given)
            print(f"{missing - given['count']} scores to make", file=sys.stderr)


def count_totals(institution_id: int) -> dict[str, float]:
    """Count the totals as the product does; return the seconds it took and what they hold."""
    from django.db import connections

    from apps.reports.models import FileTotal
    from apps.reports.services.portfolio import count_files
    from apps.scoring.models import ScoreTotal
    from apps.scoring.services.totals import rebuild_totals
    from apps.tenancy.context import tenant_scope

    found = {}
    for name, count in (
        ("rebuild_scores_s", rebuild_totals),
        ("count_files_s", lambda: count_files(everything=True)),
    ):
        started = time.perf_counter()
        with tenant_scope(institution_id):
            found[name.removesuffix("_s")] = count()
        found[name] = round(time.perf_counter() - started, 1)
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    with tenant_scope(institution_id):
        found |= {"score_totals": ScoreTotal.objects.count(), "file_totals": FileTotal.objects.count()}
    return found


@contextmanager
def security(*, on: bool) -> Iterator[None]:
    """Run with row-level security as it is, or without it on every table of the pages."""
    if on:
        yield
        return
    _alter("DISABLE")
    try:
        yield
    finally:
        _alter("ENABLE")


def _alter(verb: str) -> None:
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} {verb} ROW LEVEL SECURITY")


def timed_pages(institution_id: int) -> dict[str, float]:
    """Return the milliseconds of SQL of each page, the median of some calls."""
    from django.db import connection

    from apps.tenancy.context import tenant_scope

    spent = 0.0

    def clocked(execute: Any, *arguments: Any) -> Any:
        nonlocal spent
        started = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            spent += time.perf_counter() - started

    found = {}
    with tenant_scope(institution_id), connection.execute_wrapper(clocked):
        for name, page in pages(institution_id).items():
            times = []
            for _call in range(CALLS):
                spent = 0.0
                page()
                times.append(spent * 1000)
            found[name] = statistics.median(times)
    return found


def pages(institution_id: int) -> dict[str, Callable[[], Any]]:
    """Return what each page asks of the database, over the last twelve months and over all of them."""
    from django.utils import timezone

    from apps.institutions.models import Agency
    from apps.institutions.queries import known_agencies
    from apps.reports.queries.portfolio import (
        PortfolioWish,
        distribution_of,
        freshness,
        portfolio_of,
        saved_views,
        statistics_of,
    )
    from apps.scoring.enums import Breakdown, Dimension
    from apps.tenancy.actor import Actor
    from apps.users.models import Membership

    member = Membership.objects.get(institution_id=institution_id, user__email=f"risques@{CODE}.demo")
    one = Agency.objects.order_by("pk").values_list("pk", flat=True)[0]
    whole = Actor("user", member.user_id, None, institution_id, member.role)
    limited = Actor("user", member.user_id, None, institution_id, "agent", frozenset({one}))
    today = timezone.localdate()
    last = today.replace(day=1)
    year, always = last.replace(year=last.year - 1), last.replace(year=last.year - 5)

    def overview(actor: Actor, first: Any, by: Breakdown) -> Callable[[], Any]:
        def page() -> None:
            list(known_agencies(actor))
            freshness()
            saved_views(actor)
            portfolio_of(actor, PortfolioWish(first, last), by=by)

        return page

    def distributions() -> None:
        list(known_agencies(whole))
        freshness()
        saved_views(whole)
        distribution_of(whole, PortfolioWish(year, last), Dimension.POINTS)
        statistics_of(whole, None)

    found = {f"{by.value}, 12 months": overview(whole, year, by) for by in Breakdown}
    found["secteur, 36 months"] = overview(whole, always, Breakdown.SECTOR)
    found["secteur, 12 months, one agency"] = overview(limited, year, Breakdown.SECTOR)
    found["distributions, 12 months"] = distributions
    return found


def report(found: dict[str, dict[bool, list[float]]], counted: dict[str, float]) -> None:
    """Print one line a page, then the goals as JSON."""
    medians = {
        page: (statistics.median(times[True]), statistics.median(times[False]))
        for page, times in found.items()
    }
    for page, (on, off) in medians.items():
        spread = f"{min(found[page][True]):.2f}-{max(found[page][True]):.2f}"
        print(f"{page:36} {on:7.2f} ms ({spread}), without row-level security {off:7.2f} ms, {on / off:.2f}x")
    figures = {
        "P9": max(on for on, _off in medians.values()),
        "P10": statistics.median(on / off for on, off in medians.values()),
    }
    passed = {name: figures[name] <= goal for name, goal in GOALS.items()}
    print(json.dumps({**counted, **{name: round(each, 3) for name, each in figures.items()}, "held": passed}))
    raise SystemExit(not all(passed.values()))


if __name__ == "__main__":
    main()
