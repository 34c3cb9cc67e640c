"""Delays that a file tells of, against those that the ledgers here tell of."""

import datetime as dt
from collections import defaultdict

import polars as pl

from apps.credits.importing.findings import one_of
from apps.credits.importing.judging import Judging
from apps.credits.models import Credit
from apps.credits.queries.ledger import earlier_delays, histories_of
from apps.engine.ledger import DELAY_CLASSES

_DECLARED = tuple(f"nb_retards_{days}j" for days in DELAY_CLASSES)


def warn_of_arrears(judging: Judging, written: pl.Expr) -> None:
    """Tell of the applications that declare fewer delays than the credits here had before them.

    More is no fault: a file may know of delays elsewhere.
    """
    asked = judging.rows.filter(written & pl.col("client_id").is_not_null())
    clients = asked["client_id"]
    rows = _before(list(Credit.objects.filter(client_id__in=one_of(clients)).order_by("pk")), asked)
    if not rows:
        return
    histories = histories_of(rows)
    of_client = defaultdict(list)
    for credit in rows:
        of_client[credit.client_id].append(histories[credit.pk])
    found = []
    for row, client, day, *declared in asked.select("row", "client_id", "day", *_DECLARED).iter_rows():
        if client in of_client:
            known = earlier_delays(of_client[client], on=day)
            counts = (known.thirty, known.sixty, known.ninety)
            if any((told or 0) < count for told, count in zip(declared, counts, strict=True)):
                found.append((row, "/".join(map(str, counts))))
    if found:
        frame = pl.DataFrame(found, schema={"row": pl.UInt32, "computed": pl.String}, orient="row")
        judging.join(frame, "row")
        judging.warn(
            pl.col("computed").is_not_null(), "arrears_understated", field=_DECLARED[0], computed="computed"
        )


def _before(rows: list[Credit], asked: pl.DataFrame) -> list[Credit]:
    """Leave the credits disbursed before the last application of their client in the file."""
    last: dict[int, dt.date] = dict(asked.group_by("client_id").agg(pl.col("day").max()).iter_rows())
    return [credit for credit in rows if credit.disbursed_on < last[credit.client_id]]
