"""The monthly balance (balance âgée): a line a credit, from which outcomes are derived."""

import polars as pl
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits.enums import EntrySource
from apps.credits.importing.changes import Writing
from apps.credits.importing.findings import one_of
from apps.credits.importing.judging import Judging, differs
from apps.credits.importing.names import credit_reference
from apps.credits.importing.references import find_credits
from apps.credits.importing.targets import Context, Judged, Verdict
from apps.credits.models import CreditStatement
from apps.files.reading.mapping import Field
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed

_LATEST_DAY = 32_767
_MOST = 100_000_000_000
_HELD = {
    "credit_id": ("credit_id", pl.Int64),
    "held_id": ("pk", pl.Int64),
    "held_on": ("date", pl.Date),
    "held_outstanding": ("outstanding_xaf", pl.Int64),
    "held_days_late": ("days_late", pl.Int64),
    "held_source": ("source", pl.String),
}
_COMPARED = {
    "date": "held_on",
    "outstanding_xaf": "held_outstanding",
    "days_late": "held_days_late",
    "source": "held_source",
}


class StatementsTarget:
    """One file a month. The same month sent again updates its lines, whatever day of it they bear."""

    name = "statements"
    label = gettext_lazy("Monthly balance (balance âgée)")
    help_text = gettext_lazy(
        "One file a month, with every running credit. Sent again, the same month is updated; outcomes are"
        " derived from twelve months."
    )
    needs: tuple[str, ...] = ("credits",)

    def fields(self) -> list[Field]:
        return [
            credit_reference(),
            Field(
                "date",
                _("Date of the balance"),
                "date",
                required=True,
                past=True,
                common=True,
                synonyms=(
                    *("date de la balance", "date balance", "date arrêté", "date d'arrêté", "arrêté au"),
                    *("date de situation", "situation au", "date situation", "balance date", "as of"),
                    *("statement date", "report date", "reporting date", "mois", "month", "période"),
                ),
            ),
            Field(
                "outstanding_xaf",
                _("Outstanding balance (FCFA)"),
                "amount",
                unit="XAF",
                minimum=0,
                maximum=_MOST,
                required=True,
                synonyms=(
                    *("encours", "capital restant dû", "capital restant", "crd", "solde", "solde restant dû"),
                    *("encours total", "encours crédit", "reste dû", "outstanding", "outstanding balance"),
                    *("outstanding principal", "balance", "principal balance"),
                ),
            ),
            Field(
                "days_late",
                _("Days late"),
                "integer",
                minimum=0,
                maximum=_LATEST_DAY,
                synonyms=(
                    *("jours de retard", "nb jours de retard", "nombre de jours de retard", "retard"),
                    *("jours retard", "retard en jours", "retard (jours)", "nbre jours retard", "dpd"),
                    *("days past due", "days overdue", "days in arrears", "arrears days", "overdue days"),
                ),
            ),
        ]

    def judge(self, typed: Typed, chunk: Chunk, context: Context) -> Judged:
        judging = Judging(self.fields(), typed, chunk, context)
        if "days_late" not in typed.columns:
            judging.refuse(pl.lit(value=True), "no_days_late")
        find_credits(judging)
        judging.work_out(
            days_late=pl.col("days_late").fill_null(0),  # a credit in good order is often left blank
            source=pl.lit(EntrySource.IMPORT.value),
            month=pl.col("date").dt.month_start(),
            key=pl.concat_str("credit_reference", pl.col("date").dt.to_string("%m/%Y"), separator=", "),
        )
        _find_lines(judging)
        judging.refuse(
            pl.col("date") < pl.col("credit_disbursed_on"),
            "before_disbursement",
            field="date",
            date="credit_disbursed_on",
        )
        judging.work_out(changed=differs(_COMPARED))
        return judging.judged(key="key")

    def write(self, judged: Judged, writing: Writing) -> None:
        names = ("date", "outstanding_xaf", "days_late", "source")
        new, lines = judged.those(Verdict.NEW)
        writing.insert(CreditStatement, new.select("credit_id", *names), lines)
        changed, lines = judged.those(Verdict.UPDATED)
        writing.update(CreditStatement, changed.select(*names, id="held_id"), lines)


def _find_lines(judging: Judging) -> None:
    """Join the line of the same month: that of the same day, else the latest."""
    days = judging.rows["date"].drop_nulls()
    lines = CreditStatement.objects.filter(credit_id__in=one_of(judging.rows["credit_id"]))
    if days.len():
        lines = lines.filter(date__range=(days.dt.month_start().min(), days.dt.month_end().max()))
    held = judging.stored(lines, _HELD).with_columns(month=pl.col("held_on").dt.month_start())
    asked = judging.rows.select("row", "credit_id", "month", "date").drop_nulls()
    best = (
        asked.join(held, on=["credit_id", "month"])
        .with_columns(same=pl.col("held_on") == pl.col("date"))
        .sort("row", "same", "held_on", descending=[False, True, True])
        .unique("row", keep="first", maintain_order=True)
        .drop("credit_id", "month", "date", "same")
    )
    judging.join(best, "row")
