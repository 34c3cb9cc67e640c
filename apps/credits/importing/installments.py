"""The schedules of credits, a line an instalment. A credit without one has that of its terms."""

import polars as pl
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits.importing.changes import Writing
from apps.credits.importing.findings import one_of
from apps.credits.importing.judging import Judging, differs
from apps.credits.importing.names import credit_reference
from apps.credits.importing.references import find_credits, refuse_kept_here
from apps.credits.importing.targets import Context, Judged, Verdict
from apps.credits.models import Credit, Installment
from apps.files.reading.mapping import Field
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed

_MOST = 100_000_000_000
_MOST_INSTALMENTS = 600
_KEY = ("credit_id", "schedule_from", "number")
_HELD = {
    "credit_id": ("credit_id", pl.Int64),
    "schedule_from": ("schedule_from", pl.Date),
    "number": ("number", pl.Int64),
    "held_id": ("pk", pl.Int64),
    "held_due_on": ("due_on", pl.Date),
    "held_principal": ("principal_xaf", pl.Int64),
    "held_interest": ("interest_xaf", pl.Int64),
}
_COMPARED = {"due_on": "held_due_on", "principal_xaf": "held_principal", "interest_xaf": "held_interest"}


class InstallmentsTarget:
    """Instalments by credit, schedule and number."""

    name = "installments"
    label = gettext_lazy("Repayment schedules")
    help_text = gettext_lazy(
        "The instalments of each credit. Leave this out for credits repaid by constant instalments: their"
        " schedule follows from the amount, the rate and the term."
    )
    needs: tuple[str, ...] = ("credits",)

    def fields(self) -> list[Field]:
        return [
            credit_reference(),
            Field(
                "number",
                _("Number of the instalment"),
                "integer",
                minimum=1,
                maximum=_MOST_INSTALMENTS,
                required=True,
                synonyms=(
                    *("numéro", "n°", "rang", "n° échéance", "numéro échéance", "numéro d'échéance"),
                    *("numéro de l'échéance", "échéance n°", "installment number", "instalment number"),
                    *("installment no", "NUM_INSTALMENT_NUMBER"),
                ),
            ),
            Field(
                "due_on",
                _("Due on"),
                "date",
                required=True,
                synonyms=(
                    *("date d'échéance", "date échéance", "date de l'échéance", "échéance", "exigible le"),
                    *("date exigibilité", "date d'exigibilité", "due date", "installment date", "date"),
                ),
            ),
            _amount(
                "principal_xaf",
                _("Principal (FCFA)"),
                *("capital", "principal", "amortissement", "part capital", "capital à rembourser"),
                *("capital échéance", "montant capital", "principal due", "principal amount"),
            ),
            _amount(
                "interest_xaf",
                _("Interest (FCFA)"),
                *("intérêts", "intérêt", "part intérêts", "montant intérêts", "intérêts échéance"),
                *("interest", "interest due", "interest amount"),
            ),
            _amount(
                "total_xaf",
                _("Total of the instalment (FCFA)"),
                *("montant", "montant échéance", "montant de l'échéance", "total échéance", "total"),
                *("mensualité", "annuité", "montant dû", "installment amount", "instalment amount"),
                *("total due", "amount due", "AMT_INSTALMENT"),
            ),
            Field(
                "schedule_from",
                _("Schedule in force from"),
                "date",
                synonyms=(
                    *("échéancier du", "date échéancier", "date de l'échéancier", "en vigueur le"),
                    *("date de restructuration", "schedule date", "schedule from"),
                ),
            ),
        ]

    def judge(self, typed: Typed, chunk: Chunk, context: Context) -> Judged:
        judging = Judging(self.fields(), typed, chunk, context)
        find_credits(judging, lock=True)
        given = pl.col("schedule_from").dt.to_string("%d/%m/%Y").fill_null("")
        judging.work_out(
            key=pl.concat_str("credit_reference", given, "number", separator=" "),
            schedule_from=pl.coalesce("schedule_from", "credit_disbursed_on"),
            principal_xaf=pl.coalesce("principal_xaf", pl.col("total_xaf") - pl.col("interest_xaf")),
        )
        judging.work_out(
            interest_xaf=pl.coalesce("interest_xaf", pl.col("total_xaf") - pl.col("principal_xaf"), 0)
        )
        _check_amounts(judging)
        judging.refuse(
            pl.col("schedule_from") < pl.col("credit_disbursed_on"),
            "before_disbursement",
            field="schedule_from",
            date="credit_disbursed_on",
        )
        judging.refuse(
            pl.col("due_on") < pl.col("schedule_from"), "due_too_early", field="due_on", date="schedule_from"
        )
        held = Installment.objects.filter(credit_id__in=one_of(judging.rows["credit_id"]))
        judging.join(judging.stored(held, _HELD), *_KEY)
        judging.work_out(changed=pl.col("held_id").is_null() | differs(_COMPARED))
        refuse_kept_here(judging, Credit, "credit_id", pl.col("changed"))
        return judging.judged(key="key")

    def write(self, judged: Judged, writing: Writing) -> None:
        new, lines = judged.those(Verdict.NEW)
        writing.insert(Installment, new.select(*_KEY, *_COMPARED), lines)
        changed, lines = judged.those(Verdict.UPDATED)
        writing.update(Installment, changed.select(*_COMPARED, id="held_id"), lines)


def _amount(name: str, label: str, *synonyms: str) -> Field:
    return Field(name, label, "amount", unit="XAF", minimum=0, maximum=_MOST, synonyms=synonyms)


def _check_amounts(judging: Judging) -> None:
    judging.refuse(pl.col("principal_xaf").is_null(), "no_principal", field="principal_xaf")
    judging.refuse(
        (pl.col("principal_xaf") < 0)
        | (pl.col("interest_xaf") < 0)
        | (pl.col("total_xaf") != pl.col("principal_xaf") + pl.col("interest_xaf")),
        "parts_and_total",
        field="total_xaf",
    )
