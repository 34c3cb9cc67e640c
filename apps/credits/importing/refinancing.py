"""Credits that repay an earlier one of the same client: here, or on an earlier line of the file."""

import polars as pl

from apps.credits.importing.changes import Writing
from apps.credits.importing.findings import one_of
from apps.credits.importing.judging import Judging, stored
from apps.credits.importing.targets import Judged, Verdict
from apps.credits.models import Credit

_REFINANCED = {
    "refinances": ("reference", pl.String),
    "refinances_id": ("pk", pl.Int64),
    "refinanced_client_id": ("client_id", pl.Int64),
    "refinanced_on": ("disbursed_on", pl.Date),
}
_WRITTEN = (
    *("credit_reference", "client_id", "agency_id", "application_id", "amount_xaf", "disbursed_on"),
    *("rate_percent", "duration_months", "repayment_kind", "status", "closed_on", "written_off_on"),
    *("restructured_on", "for_difficulty", "exclusion", "refinances_id"),
)
_FIELD = "refinances"


def find_refinanced(judging: Judging) -> None:
    """Join the credits that others repay; one that comes in the same file has no key yet.

    A credit that is rejected repays nothing and cannot be repaid: what names it is rejected in its turn.
    """
    rows = Credit.objects.filter(reference__in=one_of(judging.rows[_FIELD]))
    judging.join(stored(rows, _REFINANCED), _FIELD)
    if _FIELD not in judging.context.headers:
        return
    client = pl.coalesce("application_client_id", "held_client_id", "client_id")
    names = pl.col(_FIELD).is_not_null() & pl.col("refinances_id").is_null()
    while True:
        known = _coming(judging)
        found = judging.rows.select("row", _FIELD).join(known, on=_FIELD, how="left", maintain_order="left")
        judging.work_out(
            coming_client=pl.coalesce("refinanced_client_id", pl.lit(found["coming_client"])),
            coming_on=pl.coalesce("refinanced_on", pl.lit(found["coming_on"])),
        )
        wrong = pl.col("coming_client").ne_missing(client) | ~(pl.col("coming_on") < pl.col("disbursed_on"))
        refused = judging.refused
        judging.refuse(
            pl.col(_FIELD).is_not_null() & wrong & ~pl.lit(refused), "no_such_earlier", field=_FIELD
        )
        if (judging.refused == refused).all() or not judging.rows.select(names.any()).item():
            return


def _coming(judging: Judging) -> pl.DataFrame:
    """Return the credits of earlier chunks, and those of this one that are not rejected."""
    earlier: pl.DataFrame | None = judging.context.cache.get("credits")
    here = judging.rows.filter(~pl.lit(judging.refused) & pl.col("credit_reference").is_not_null()).select(
        pl.col("credit_reference").alias(_FIELD),
        pl.coalesce("application_client_id", "held_client_id", "client_id").alias("coming_client"),
        pl.col("disbursed_on").alias("coming_on"),
    )
    return pl.concat([here] if earlier is None else [earlier, here]).unique(_FIELD, keep="first")


def remember_credits(judging: Judging, judged: Judged) -> None:
    """Keep what a later chunk may name; before the import is confirmed no table has it."""
    if _FIELD not in judging.context.headers:
        return
    rows, _lines = judged.those(Verdict.NEW)
    here = rows.select(
        pl.col("credit_reference").alias(_FIELD),
        pl.col("client_id").alias("coming_client"),
        pl.col("disbursed_on").alias("coming_on"),
    )
    earlier = judging.context.cache.get("credits")
    judging.context.cache["credits"] = here if earlier is None else pl.concat([earlier, here])


def write_in_turn(new: pl.DataFrame, lines: pl.Series, writing: Writing) -> None:
    """Create the credits, those that are repaid before those that repay them."""
    left = new.select(*_WRITTEN, _FIELD, line=pl.lit(lines))
    while left.height:
        waits = left[_FIELD].is_in(left["credit_reference"].implode()).fill_null(value=False)
        if waits.all():
            raise ValueError("credits that repay each other")
        _insert(left.filter(~waits), writing)
        left = left.filter(waits)


def _insert(rows: pl.DataFrame, writing: Writing) -> None:
    asked = rows.filter(pl.col("refinances_id").is_null())[_FIELD].drop_nulls()
    if asked.len():
        names = {_FIELD: ("reference", pl.String), "written_id": ("pk", pl.Int64)}
        written = stored(Credit.objects.filter(reference__in=one_of(asked)), names)
        rows = rows.join(written, on=_FIELD, how="left", maintain_order="left").with_columns(
            refinances_id=pl.coalesce("refinances_id", "written_id")
        )
    writing.insert(Credit, rows.select(*_WRITTEN).rename({"credit_reference": "reference"}), rows["line"])
