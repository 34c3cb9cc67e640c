"""Money received for credits, a line a receipt; a credit of which all is paid is closed."""

import hashlib
from typing import Any

import polars as pl
from django.db.models import Count, F, Max, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits import rules
from apps.credits.enums import CreditStatus, EntrySource
from apps.credits.importing.changes import Writing
from apps.credits.importing.findings import one_of
from apps.credits.importing.judging import Judging
from apps.credits.importing.names import LONGEST_REFERENCE, credit_reference
from apps.credits.importing.references import find_credits
from apps.credits.importing.targets import Context, Judged, Verdict
from apps.credits.models import Credit, Installment, Repayment
from apps.credits.queries.ledger import terms_of
from apps.engine.ledger import schedule_of
from apps.files.reading.mapping import Field
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed

_MOST = 100_000_000_000
_HELD = {
    "reference": ("reference", pl.String),
    "held_id": ("pk", pl.Int64),
    "held_credit_id": ("credit_id", pl.Int64),
    "held_on": ("paid_on", pl.Date),
    "held_amount": ("amount_xaf", pl.Int64),
}


class RepaymentsTarget:
    """Receipts by their numbers. Without a number, credit, day and amount together name a receipt."""

    name = "repayments"
    label = gettext_lazy("Repayments")
    help_text = gettext_lazy(
        "What was paid for each credit, line by line. Delays, arrears and outcomes are computed from it."
    )
    needs: tuple[str, ...] = ("credits",)

    def fields(self) -> list[Field]:
        return [
            credit_reference(alone=False),
            Field(
                "reference",
                _("Receipt number"),
                "text",
                longest=LONGEST_REFERENCE,
                synonyms=(
                    *("numéro de reçu", "numéro reçu", "n° reçu", "reçu", "quittance", "n° quittance"),
                    *("numéro quittance", "pièce", "n° pièce", "numéro pièce", "numéro de pièce"),
                    *("référence paiement", "référence du paiement", "référence remboursement"),
                    *("référence transaction", "id transaction", "id paiement", "receipt", "payment id"),
                    *("transaction id", "payment reference", "receipt no"),
                ),
            ),
            Field(
                "paid_on",
                _("Paid on"),
                "date",
                required=True,
                past=True,
                common=True,
                synonyms=(
                    *("date", "date de paiement", "date paiement", "date du paiement", "payé le"),
                    *("date de remboursement", "date remboursement", "date versement", "date de versement"),
                    *("date opération", "date d'opération", "date valeur", "payment date", "paid date"),
                    *("repayment date", "transaction date", "value date"),
                ),
            ),
            Field(
                "amount_xaf",
                _("Amount paid (FCFA)"),
                "amount",
                unit="XAF",
                minimum=1,
                maximum=_MOST,
                required=True,
                synonyms=(
                    *("montant", "montant payé", "montant versé", "montant remboursé", "montant paiement"),
                    *("montant du paiement", "montant remboursement", "versement", "paiement", "payé"),
                    *("amount", "amount paid", "payment amount", "paid", "payment", "AMT_PAYMENT"),
                ),
            ),
        ]

    def judge(self, typed: Typed, chunk: Chunk, context: Context) -> Judged:
        judging = Judging(self.fields(), typed, chunk, context)
        judging.work_out(reference=pl.coalesce("reference", _made()))
        judging.rows = judging.rows.with_columns(_short(judging.rows["reference"]))
        find_credits(judging, lock=True)
        held = Repayment.objects.filter(reference__in=one_of(judging.rows["reference"]))
        judging.join(judging.stored(held, _HELD), "reference")
        same = (
            (pl.col("held_credit_id") == pl.col("credit_id"))
            & (pl.col("held_on") == pl.col("paid_on"))
            & (pl.col("held_amount") == pl.col("amount_xaf"))
        )
        judging.refuse(pl.col("held_id").is_not_null() & ~same, "receipt_used", field="reference")
        judging.refuse(
            pl.col("paid_on") < pl.col("credit_disbursed_on"),
            "before_disbursement",
            field="paid_on",
            date="credit_disbursed_on",
        )
        judging.refuse(
            pl.col("held_id").is_null() & (pl.col("paid_on") > pl.col("credit_closed_on")),
            "after_closing",
            field="paid_on",
            date="credit_closed_on",
        )
        judging.work_out(changed=pl.lit(value=False))
        return judging.judged(key="reference")

    def write(self, judged: Judged, writing: Writing) -> None:
        new, lines = judged.those(Verdict.NEW)
        rows = new.select(
            "credit_id", "reference", "paid_on", "amount_xaf", source=pl.lit(EntrySource.IMPORT.value)
        )
        writing.insert(Repayment, rows, lines)
        _close_paid(rows, lines, writing)


def _made() -> pl.Expr:
    day, amount = pl.col("paid_on").dt.to_string("%Y%m%d"), pl.col("amount_xaf").cast(pl.String)
    return pl.concat_str("credit_reference", day, amount, separator="-")


def _short(references: pl.Series) -> pl.Series:
    """Shorten what is too long for a reference, always to the same."""
    long = (references.str.len_chars() > LONGEST_REFERENCE).fill_null(value=False)
    if not long.any():
        return references
    texts = [f"R-{hashlib.sha256(text.encode()).hexdigest()[:32]}" for text in references.filter(long)]
    return references.scatter(long.arg_true(), texts)


def _close_paid(rows: pl.DataFrame, lines: pl.Series, writing: Writing) -> None:
    """Close the running credits among those just paid of which nothing is left to pay.

    A credit given another schedule is left to its institution: what it still owes is no plain sum.
    """
    last = rows.with_columns(line=lines).unique("credit_id", keep="last", maintain_order=True)
    running = Credit.objects.filter(id__in=one_of(last["credit_id"]), status__in=rules.RUNNING)
    received = running.annotate(received=Sum("repayments__amount_xaf"), last=Max("repayments__paid_on"))
    near: list[Any] = list(received.filter(received__gte=F("amount_xaf")).order_by("pk"))
    if not near:
        return
    asked = _asked(near)
    done = [
        (credit.pk, CreditStatus.CLOSED.value, credit.last)
        for credit in near
        if credit.pk in asked and credit.received >= asked[credit.pk]
    ]
    closed = pl.DataFrame(
        done, schema={"id": pl.Int64, "status": pl.String, "closed_on": pl.Date}, orient="row"
    )
    found = closed.join(last.select(id="credit_id", line="line"), on="id", maintain_order="left")
    writing.update(Credit, found.drop("line"), found["line"])


def _asked(rows: list[Any]) -> dict[int, int]:
    """Return all that the only schedule of each credit asks for."""
    totals = (
        Installment.objects.filter(credit__in=rows)
        .values("credit_id")
        .annotate(
            total=Sum(F("principal_xaf") + F("interest_xaf")),
            schedules=Count("schedule_from", distinct=True),
        )
    )
    planned = {row["credit_id"]: row for row in totals}
    asked = {key: row["total"] for key, row in planned.items() if row["schedules"] == 1}
    for credit in rows:
        if credit.pk not in planned:
            asked[credit.pk] = sum(due.total_xaf for due in schedule_of(terms_of(credit)))
    return asked
