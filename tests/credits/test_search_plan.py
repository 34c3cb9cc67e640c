"""A search by name reads a range of an index, under row-level security as the application role sees it."""

import pytest
from django.db import connection

from apps.credits import queries

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("column", "index"),
    [("search_name", "credits_client_name"), ("search_first_names", "credits_client_first_names")],
)
def test_the_beginning_of_a_name_is_a_range_of_the_index(world, column, index):
    actor = world.actor(world.risk_manager)
    with world.scope(), connection.cursor() as cursor:
        # The few rows of a test would be read whole: the question is whether the lock lets the index serve.
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = queries._names_from(actor, column, "ng").explain()

    condition = next(line for line in plan.splitlines() if "Index Cond" in line and column in line)
    assert index in plan
    assert f"(({column})::text >= 'ng'::text)" in condition
    assert f"(({column})::text < " in condition
