"""The books of a synthetic portfolio in the tables: one statement a table, whatever the rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from django.db import connection
from django.utils import timezone

from apps.credits.enums import EntrySource, RepaymentKind
from apps.credits.models import Credit, CreditApplication, CreditStatement, Installment, Repayment
from apps.demo.synthetic.books import Books
from apps.engine.ledger import add_months
from apps.tenancy.context import current_institution_id
from apps.tenancy.models import TenantModel

BALANCES = 13


def load_books(books: Books, applications: Sequence[CreditApplication]) -> None:
    """Insert every credit, instalment and repayment, and the latest monthly balances.

    ``applications`` stand in the order of the books' rows.
    """
    rows = books.credits["row"].tolist()
    numbers = dict(zip(rows, range(1, len(rows) + 1), strict=True))
    _load_credits(books.credits, [applications[row] for row in rows])
    known = dict(Credit.objects.values_list("application_id", "pk"))
    keys = {row: known[applications[row].pk] for row in rows}
    start = dict(zip(rows, books.credits["disbursed_on"].tolist(), strict=True))
    _load_installments(books.installments, keys, start)
    _load_repayments(books.repayments, keys, numbers)
    days = books.statements["date"]
    lines = books.statements[days >= add_months(days.max(), 1 - BALANCES)] if len(days) else books.statements
    _insert(
        CreditStatement,
        {
            "credit_id": lines["row"].map(keys).tolist(),
            "date": lines["date"].tolist(),
            "outstanding_xaf": lines["outstanding"].tolist(),
            "days_late": lines["days_late"].tolist(),
        },
        {"source": EntrySource.SYNTHETIC, "created_at": timezone.now()},
    )


def _load_credits(frame: pd.DataFrame, applications: list[CreditApplication]) -> None:
    names = ("pk", "client_id", "agency_id", "montant_credit", "taux_interet", "duree_mois", "author_id")
    columns = ("application_id", "client_id", "agency_id", "amount_xaf", "rate_percent", "duration_months")
    now = timezone.now()
    _insert(
        Credit,
        {
            **{
                column: [getattr(each, name) for each in applications]
                for column, name in zip((*columns, "author_id"), names, strict=True)
            },
            "reference": [f"P-{each.reference.removeprefix('D-')}" for each in applications],
            **{
                name: frame[name].tolist()
                for name in ("status", "disbursed_on", "closed_on", "written_off_on")
            },
        },
        {
            "repayment_kind": RepaymentKind.CONSTANT,
            "for_difficulty": False,
            "exclusion": "",
            "created_at": now,
            "updated_at": now,
        },
    )


def _load_installments(frame: pd.DataFrame, keys: Mapping[int, int], start: Mapping[int, Any]) -> None:
    _insert(
        Installment,
        {
            "credit_id": frame["row"].map(keys).tolist(),
            "schedule_from": [start[row] for row in frame["row"].tolist()],
            "number": frame["number"].tolist(),
            "due_on": frame["due_on"].tolist(),
            "principal_xaf": frame["principal"].tolist(),
            "interest_xaf": frame["interest"].tolist(),
        },
        {},
    )


def _load_repayments(frame: pd.DataFrame, keys: Mapping[int, int], numbers: Mapping[int, int]) -> None:
    receipts = zip(frame["row"].tolist(), frame["number"].tolist(), strict=True)
    _insert(
        Repayment,
        {
            "credit_id": frame["row"].map(keys).tolist(),
            "reference": [f"Q-{numbers[row]:06d}-{number:02d}" for row, number in receipts],
            "paid_on": frame["paid_on"].tolist(),
            "amount_xaf": frame["amount"].tolist(),
        },
        {"source": EntrySource.SYNTHETIC, "created_at": timezone.now()},
    )


def _insert(model: type[TenantModel], columns: Mapping[str, list[Any]], constants: Mapping[str, Any]) -> None:
    """Insert rows by one array a column: COPY is refused under row-level security."""
    types = {str(field.column): field.db_type(connection) for field in model._meta.local_concrete_fields}
    quote = connection.ops.quote_name
    given = {"institution_id": current_institution_id(), **constants}
    names = ", ".join(quote(name) for name in (*columns, *given))
    arrays = ", ".join(f"%s::{types[name]}[]" for name in columns)
    fixed = "".join(f", %s::{types[name]}" for name in given)
    table = quote(model._meta.db_table)
    sql = (
        f"INSERT INTO {table} (uid, {names}) "  # noqa: S608  names of the model
        f"SELECT gen_random_uuid(), rows.*{fixed} FROM unnest({arrays}) AS rows"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*given.values(), *columns.values()])
