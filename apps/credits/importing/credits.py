"""Credits disbursed, each upon an application: one that is here, or one made of what its line tells."""

import polars as pl
from django.utils.translation import gettext_lazy

from apps.credits import rules
from apps.credits.enums import ApplicationStatus, CreditStatus, RepaymentKind
from apps.credits.importing.changes import Writing
from apps.credits.importing.course import EXCLUSIONS, KINDS, STATUSES, course_fields, terms_fields
from apps.credits.importing.findings import one_of
from apps.credits.importing.judging import Judging, coded, differs, merged, seen, stored
from apps.credits.importing.names import (
    LONGEST_REFERENCE,
    application_reference,
    client_reference,
    credit_reference,
)
from apps.credits.importing.references import find_clients, refuse_kept_here
from apps.credits.importing.refinancing import find_refinanced, remember_credits, write_in_turn
from apps.credits.importing.targets import Context, Judged, Verdict
from apps.credits.importing.variables import age_on, age_refused
from apps.credits.models import Credit, CreditApplication
from apps.files.reading.mapping import Field
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed

_HELD = {
    "credit_reference": ("reference", pl.String),
    "held_id": ("pk", pl.Int64),
    "held_application_id": ("application_id", pl.Int64),
    "held_client_id": ("client_id", pl.Int64),
    "held_agency_id": ("agency_id", pl.Int64),
    "held_amount_xaf": ("amount_xaf", pl.Int64),
    "held_disbursed_on": ("disbursed_on", pl.Date),
    "held_rate_percent": ("rate_percent", pl.Float64),
    "held_duration_months": ("duration_months", pl.Int64),
    "held_repayment_kind": ("repayment_kind", pl.String),
    "held_status": ("status", pl.String),
    "held_closed_on": ("closed_on", pl.Date),
    "held_written_off_on": ("written_off_on", pl.Date),
    "held_restructured_on": ("restructured_on", pl.Date),
    "held_for_difficulty": ("for_difficulty", pl.Boolean),
    "held_exclusion": ("exclusion", pl.String),
    "held_refinances_id": ("refinances_id", pl.Int64),
}
_WRITTEN = (
    *("amount_xaf", "disbursed_on", "rate_percent", "duration_months", "repayment_kind", "status"),
    *("closed_on", "written_off_on", "restructured_on", "for_difficulty", "exclusion", "refinances_id"),
)
_COMPARED = {name: f"held_{name}" for name in _WRITTEN}
_APPLICATION = {
    "application_named": ("reference", pl.String),
    "application_id": ("pk", pl.Int64),
    "application_client_id": ("client_id", pl.Int64),
    "application_agency_id": ("agency_id", pl.Int64),
    "application_status": ("status", pl.String),
    "applied_on": ("applied_on", pl.Date),
    "granted_xaf": ("montant_credit", pl.Int64),
    "application_credit": ("credits__reference", pl.String),
}
_DISBURSED = ApplicationStatus.DISBURSED.value


class CreditsTarget:
    """Credits by reference. What was disbursed here, or given another schedule here, no file changes."""

    name = "credits"
    label = gettext_lazy("Credits")
    help_text = gettext_lazy(
        "Credits disbursed, running or ended, each with its client or its application. Without an"
        " application here, one is made of what the line tells."
    )
    needs: tuple[str, ...] = ("clients",)

    def fields(self) -> list[Field]:
        names = [credit_reference(), client_reference(required=False), application_reference()]
        return [*names, *terms_fields(), *course_fields()]

    def judge(self, typed: Typed, chunk: Chunk, context: Context) -> Judged:
        judging = Judging(self.fields(), typed, chunk, context)
        find_clients(judging)
        _find_credits(judging)
        _find_applications(judging)
        _check_links(judging)
        _check_terms(judging)
        _work_out_course(judging)
        _check_course(judging)
        find_refinanced(judging)
        judging.work_out(changed=pl.col("held_id").is_not_null() & differs(_COMPARED))
        refuse_kept_here(judging, Credit, "held_id", pl.col("changed"))
        _complete(judging)
        found = judging.judged(key="credit_reference")
        remember_credits(judging, found)
        return found

    def write(self, judged: Judged, writing: Writing) -> None:
        new, lines = judged.those(Verdict.NEW)
        _grant(new, lines, writing)
        new = _with_applications(new, lines, writing)
        write_in_turn(new, lines, writing)
        changed, lines = judged.those(Verdict.UPDATED)
        writing.update(Credit, changed.select(*_WRITTEN, id="held_id"), lines)


def _find_credits(judging: Judging) -> None:
    rows = Credit.objects.filter(reference__in=one_of(judging.rows["credit_reference"]))
    judging.join(judging.stored(rows, _HELD), "credit_reference")
    held = pl.col("held_id").is_not_null()
    hidden = held & ~seen(judging.context.agencies, "held_agency_id")
    judging.refuse(hidden, "unknown_credit", field="credit_reference")
    judging.refuse(
        held & (pl.col("client_id") != pl.col("held_client_id")), "other_client", field="client_reference"
    )


def _find_applications(judging: Judging) -> None:
    """Join the application named; without one, that which an earlier import made for this credit."""
    made = pl.concat_str(pl.lit("C-"), "credit_reference")
    judging.work_out(application_named=pl.coalesce("application_reference", made))
    rows = CreditApplication.objects.filter(reference__in=one_of(judging.rows["application_named"]))
    judging.join(judging.stored(rows, _APPLICATION), "application_named")
    judging.work_out(new=pl.col("held_id").is_null())
    named, known = pl.col("application_reference").is_not_null(), pl.col("application_id").is_not_null()
    hidden = ~seen(judging.context.agencies, "application_agency_id")
    judging.refuse(
        named & (~known | hidden).fill_null(value=True), "unknown_application", field="application_reference"
    )


def _check_links(judging: Judging) -> None:
    """Hold each credit to one application that was granted, and each application to one credit."""
    new, known = pl.col("new"), pl.col("application_id").is_not_null()
    credit = {"field": "credit_reference"}
    judging.refuse(
        known & (pl.col("client_id") != pl.col("application_client_id")),
        "other_client",
        field="client_reference",
    )
    taken = known & pl.col("application_credit").is_not_null()
    judging.refuse(
        taken & (pl.col("application_credit") != pl.col("credit_reference")),
        "has_credit",
        field="application_reference",
        credit="application_credit",
    )
    judging.refuse(
        new & judging.repeated("application_reference"),
        "has_credit",
        field="application_reference",
        credit="credit_reference",
    )
    granted = pl.col("application_status").is_in([_DISBURSED, *map(str, rules.GRANTED)])
    judging.refuse(new & known & ~granted, "not_granted", field="application_reference")
    judging.refuse(new & ~known & pl.col("client_reference").is_null(), "no_client", **credit)
    judging.refuse(new & ~known & pl.col("type_credit").is_null(), "no_type", field="type_credit")
    too_long = new & ~known & (pl.col("application_named").str.len_chars() > LONGEST_REFERENCE)
    judging.refuse(too_long, "reference_too_long", **credit)
    other = pl.col("application_reference").is_not_null() & (
        pl.col("application_id") != pl.col("held_application_id")
    )
    judging.refuse(~new & other, "other_application", field="application_reference")


def _check_terms(judging: Judging) -> None:
    new = pl.col("new")
    small = pl.col("amount_xaf") < pl.col("duration_months")
    judging.refuse(small, "amount_too_small", field="amount_xaf")
    more = new & (pl.col("amount_xaf") > pl.col("granted_xaf"))
    judging.refuse(more, "more_than_granted", field="amount_xaf", granted="granted_xaf")
    early = new & (pl.col("disbursed_on") < pl.col("applied_on"))
    judging.refuse(early, "before_application", field="disbursed_on", date="applied_on")
    judging.work_out(age=age_on("birth_date", "disbursed_on"))
    judging.refuse(
        new & pl.col("application_id").is_null() & age_refused("age"),
        "age_on_the_day",
        field="disbursed_on",
        age="age",
    )


def _work_out_course(judging: Judging) -> None:
    """Tell how far a credit has come by its status, else by the dates given."""
    dated = (
        pl.when(pl.col("written_off_on").is_not_null())
        .then(pl.lit(CreditStatus.WRITTEN_OFF.value))
        .when(pl.col("closed_on").is_not_null())
        .then(pl.lit(CreditStatus.CLOSED.value))
        .when(pl.col("restructured_on").is_not_null())
        .then(pl.lit(CreditStatus.RESTRUCTURED.value))
    )
    told = pl.coalesce(coded("status", STATUSES), dated)
    judging.work_out(
        status=told,
        repayment_kind=coded("repayment_kind", KINDS),
        exclusion=coded("exclusion", EXCLUSIONS),
    )


def _check_course(judging: Judging) -> None:
    for status, day, code in (
        (CreditStatus.CLOSED, "closed_on", "closed_when"),
        (CreditStatus.WRITTEN_OFF, "written_off_on", "written_off_when"),
    ):
        undated = pl.coalesce(day, f"held_{day}").is_null()
        judging.refuse((pl.col("status") == status.value) & undated, code, field=day)
    for day in ("closed_on", "written_off_on", "restructured_on"):
        early = pl.col(day) < pl.col("disbursed_on")
        judging.refuse(early, "before_disbursement", field=day, date="disbursed_on")
    running, ended = (
        list(map(str, rules.RUNNING)),
        [CreditStatus.CLOSED.value, CreditStatus.WRITTEN_OFF.value],
    )
    back = pl.col("status").is_in(running) & pl.col("held_status").is_in(ended)
    judging.refuse(back, "ended_already", field="status")


def _complete(judging: Judging) -> None:
    judging.work_out(**merged(_COMPARED))
    judging.work_out(
        repayment_kind=pl.col("repayment_kind").fill_null(RepaymentKind.CONSTANT.value),
        status=pl.col("status").fill_null(CreditStatus.ACTIVE.value),
        for_difficulty=pl.col("for_difficulty").fill_null(value=False),
        exclusion=pl.col("exclusion").fill_null(""),
        client_id=pl.coalesce("application_client_id", "client_id"),
        agency_id=pl.coalesce("application_agency_id", "client_agency_id"),
    )


def _grant(new: pl.DataFrame, lines: pl.Series, writing: Writing) -> None:
    """Note the applications that are here as disbursed."""
    kept = (new["application_id"].is_not_null() & (new["application_status"] != _DISBURSED)).fill_null(
        value=False
    )
    rows = new.filter(kept).select(id="application_id", status=pl.lit(_DISBURSED))
    writing.update(CreditApplication, rows, lines.filter(kept))


def _with_applications(new: pl.DataFrame, lines: pl.Series, writing: Writing) -> pl.DataFrame:
    """Make the applications that are not here, as far as the lines of their credits tell them."""
    kept = new["application_id"].is_null()
    rows = new.filter(kept).select(
        "client_id",
        "agency_id",
        "age",
        "type_credit",
        sexe=pl.col("client_sex").fill_null(""),
        reference="application_named",
        applied_on="disbursed_on",
        montant_credit="amount_xaf",
        duree_mois="duration_months",
        taux_interet="rate_percent",
        status=pl.lit(_DISBURSED),
    )
    if not rows.height:
        return new
    writing.insert(CreditApplication, rows, lines.filter(kept))
    found = CreditApplication.objects.filter(reference__in=one_of(rows["reference"]))
    made = stored(found, {"application_named": ("reference", pl.String), "made_id": ("pk", pl.Int64)})
    return new.join(made, on="application_named", how="left", maintain_order="left").with_columns(
        application_id=pl.coalesce("application_id", "made_id")
    )
