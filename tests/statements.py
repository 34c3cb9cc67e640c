"""What a page asks of the database by itself, and how the database answers."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

#: What every page asks: who is there, in which scope (a transaction), and the entry of the trail.
AROUND = re.compile(
    r'FROM "(?:django_session|users_loginsession|users_membershipagency)"'
    r'|FROM "users_user" WHERE "users_user"\."id" = '
    r'|set_config|SAVEPOINT|^BEGIN$|^COMMIT$|INSERT INTO "audit_'
)
#: Rows that a page of 25 may read: a plan that reads the institution's or an agency's all is far above.
FEW = 4_000


@contextmanager
def own_statements() -> Iterator[list[str]]:
    """Yield a list, filled at the end with the statements that are not asked by every page."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [each["sql"] for each in captured if not AROUND.search(each["sql"])]


def faults(page: Any) -> list[str]:
    """Return what is wrong in the plan by which a page (a sliced queryset) is really read."""
    plan = json.loads(page.explain(format="json", analyze=True))[0]["Plan"]
    table = page.model._meta.db_table
    scans = [node for node in _nodes(plan) if node.get("Relation Name") == table]
    read = sum(
        node["Actual Loops"]
        * (
            node["Actual Rows"]
            + node.get("Rows Removed by Filter", 0)
            + node.get("Rows Removed by Index Recheck", 0)
        )
        for node in scans
    )
    bad = {node["Node Type"] for node in scans} & {"Seq Scan"}
    bad |= {node["Node Type"] for node in _nodes(plan)} & {"Sort"}
    return sorted(bad) + ([f"{read} rows read"] if read > FEW else []) + ([] if scans else ["no scan"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)
