"""What the rows of a file refer to: clients, applications and credits by their references."""

import polars as pl
from django.db.models import Model

from apps.credits.importing.findings import one_of
from apps.credits.importing.judging import Judging, seen, stored
from apps.credits.models import Client, Credit, ImportChange

CLIENT = {
    "client_reference": ("reference", pl.String),
    "client_id": ("pk", pl.Int64),
    "client_agency_id": ("agency_id", pl.Int64),
    "birth_date": ("birth_date", pl.Date),
    "client_sex": ("sex", pl.String),
    "client_merged": ("merged_into_id", pl.Int64),
}
CREDIT = {
    "credit_reference": ("reference", pl.String),
    "credit_id": ("pk", pl.Int64),
    "credit_agency_id": ("agency_id", pl.Int64),
    "credit_disbursed_on": ("disbursed_on", pl.Date),
    "credit_closed_on": ("closed_on", pl.Date),
}


def find_clients(judging: Judging) -> None:
    """Join the clients named; one that whoever asked does not see is unknown, a merged file is refused."""
    rows = Client.objects.filter(reference__in=one_of(judging.rows["client_reference"]))
    judging.join(stored(rows, CLIENT), "client_reference")
    unknown = ~(pl.col("client_id").is_not_null() & seen(judging.context.agencies, "client_agency_id"))
    judging.refuse(
        pl.col("client_reference").is_not_null() & unknown.fill_null(value=True),
        "unknown_client",
        field="client_reference",
    )
    judging.refuse(
        ~unknown.fill_null(value=True) & pl.col("client_merged").is_not_null(),
        "merged",
        field="client_reference",
    )


def find_credits(judging: Judging, *, lock: bool = False) -> None:
    """Join the credits named; a credit that whoever asked does not see is unknown.

    With ``lock`` their money does not move meanwhile.
    """
    rows = Credit.objects.filter(reference__in=one_of(judging.rows["credit_reference"]))
    judging.join(judging.stored(rows, CREDIT) if lock else stored(rows, CREDIT), "credit_reference")
    unknown = ~(pl.col("credit_id").is_not_null() & seen(judging.context.agencies, "credit_agency_id"))
    judging.refuse(
        pl.col("credit_reference").is_not_null() & unknown.fill_null(value=True),
        "unknown_credit",
        field="credit_reference",
    )


def brought_here(judging: Judging, model: type[Model], column: str, asked: pl.Expr) -> pl.Expr:
    """Return which rows of ``model``, by their keys in ``column``, an import created."""
    keys = judging.rows.filter(asked)[column]
    brought = ImportChange.objects.filter(
        model=model._meta.label_lower, object_id__in=one_of(keys), before__isnull=True
    )
    found = pl.Series(list(brought.values_list("object_id", flat=True)), dtype=pl.Int64)
    return pl.col(column).is_in(found.implode())


def refuse_kept_here(judging: Judging, model: type[Model], column: str, changed: pl.Expr) -> None:
    """Reject changes to what was entered on a page or by a partner: a file goes round no verb."""
    own = brought_here(judging, model, column, changed)
    judging.refuse(pl.col(column).is_not_null() & changed & ~own, "kept_here")
