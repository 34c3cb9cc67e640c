"""Applications with the variables of the dictionary, the decision taken and what became of the credit."""

import dataclasses
from collections.abc import Iterable, Sequence

import polars as pl
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits import rules
from apps.credits.enums import ApplicationStatus, CancelReason, Outcome
from apps.credits.importing.arrears import warn_of_arrears
from apps.credits.importing.changes import Writing
from apps.credits.importing.findings import one_of
from apps.credits.importing.judging import Judging, coded, differs, spelled
from apps.credits.importing.names import LONGEST_REFERENCE, application_reference, client_reference
from apps.credits.importing.references import brought_here, find_clients
from apps.credits.importing.targets import Context, Judged, Verdict
from apps.credits.importing.variables import (
    HELD_VARIABLES,
    complete_variables,
    known_here,
    take_from_client,
    with_variables,
)
from apps.credits.models import VARIABLE_COLUMNS, CreditApplication
from apps.credits.queries.dictionary import Entry, dictionary_entries
from apps.credits.services.outcomes import DERIVED
from apps.files.reading.fields import dictionary_fields
from apps.files.reading.mapping import Field
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed

IMPORTED = "import"
GRANTED, LENT, REFUSED, WAITING = "accordée", "décaissée", "refusée", "en attente"
_DISBURSED = ApplicationStatus.DISBURSED.value
_DECLINED = ApplicationStatus.DECLINED.value
_CANCELLED = ApplicationStatus.CANCELLED.value
_DECISIONS = {
    GRANTED: ("accordé", "accord", "acceptée", "accepté", "approuvée", "approuvé", "favorable", "approved"),
    LENT: ("décaissé", "débloquée", "débloqué", "disbursed", "versée"),
    REFUSED: ("refusé", "refus", "rejetée", "rejeté", "rejet", "défavorable", "declined", "refused"),
    "ajournée": ("ajourné", "différée", "deferred"),
    "annulée": ("annulé", "cancelled", "canceled", "désistement"),
    "sans suite": ("classée sans suite", "closed", "unused offer", "non utilisée"),
    WAITING: ("en cours", "en instance", "pending", "brouillon", "draft"),
}
_STATUSES = {
    GRANTED: ApplicationStatus.APPROVED,
    LENT: ApplicationStatus.DISBURSED,
    REFUSED: ApplicationStatus.DECLINED,
    "ajournée": ApplicationStatus.DEFERRED,
    "annulée": ApplicationStatus.CANCELLED,
    "sans suite": ApplicationStatus.CLOSED_NO_ACTION,
    WAITING: ApplicationStatus.DRAFT,
}
GOOD, DEFAULT = "bon", "défaut"
_OUTCOMES = {
    GOOD: (
        *("bonne", "sain", "remboursé", "remboursée", "soldé", "repaid", "good", "non défaut", "sans défaut"),
        *("0", "0.0", "0,0", "non", "no", "faux", "false"),
    ),
    DEFAULT: (
        *("défaillant", "mauvais", "impayé", "en défaut", "default", "defaulted", "bad"),
        *("1", "1.0", "1,0", "oui", "yes", "vrai", "true"),
    ),
}
_OUTCOME_CODES = {GOOD: Outcome.GOOD, DEFAULT: Outcome.DEFAULT}
_HELD = {
    "reference": ("reference", pl.String),
    "held_id": ("pk", pl.Int64),
    "held_client_id": ("client_id", pl.Int64),
    "held_applied_on": ("applied_on", pl.Date),
    "held_submitted_at": ("submitted_at", pl.Datetime),
    "held_status": ("status", pl.String),
    "held_cancel_reason": ("cancel_reason", pl.String),
    "held_purpose": ("purpose", pl.String),
    "held_outcome": ("outcome", pl.String),
    "held_outcome_date": ("outcome_date", pl.Date),
    "held_outcome_source": ("outcome_source", pl.String),
}
_ISSUE = {name: f"held_{name}" for name in ("outcome", "outcome_date")}


class ApplicationsTarget:
    """Applications by reference. What was entered here, and is decided, no file changes."""

    name = "applications"
    label = gettext_lazy("Applications, with decision and outcome")
    help_text = gettext_lazy(
        "Past and present applications with the variables of scoring; where they are known, the decision"
        " and what became of the credit. This is what a model learns from."
    )
    needs: tuple[str, ...] = ("clients",)

    def fields(self) -> list[Field]:
        asked = (entry for entry in dictionary_entries() if entry.asked)
        return [*self._file_fields(), *_variable_fields(asked)]

    def _file_fields(self) -> list[Field]:
        return [
            client_reference(),
            application_reference(),
            Field(
                "applied_on",
                _("Date of the application"),
                "date",
                past=True,
                common=True,
                synonyms=(
                    *("date de la demande", "date demande", "date de demande", "date du dossier", "date"),
                    *("date dossier", "date de dépôt", "demandé le", "application date", "request date"),
                    *("applied on", "date de création", "created on"),
                ),
            ),
            Field(
                "decision",
                _("Decision"),
                "code",
                codes=spelled(_DECISIONS),
                common=True,
                synonyms=(
                    *("décision prise", "statut", "statut de la demande", "statut demande", "avis"),
                    *("statut dossier", "état de la demande", "résultat", "status", "decision taken"),
                    *("loan status", "application status"),
                ),
            ),
            Field(
                "outcome",
                _("What became of the credit"),
                "code",
                codes=spelled(_OUTCOMES),
                synonyms=(
                    *(
                        "défaut",
                        "défaut constaté",
                        "défaut de paiement",
                        "en défaut",
                        "issue",
                        "issue crédit",
                    ),
                    *("issue du crédit", "résultat du crédit", "target", "default", "outcome", "bad"),
                ),
            ),
            Field(
                "outcome_date",
                _("Outcome known on"),
                "date",
                past=True,
                common=True,
                synonyms=(
                    *("date de l'issue", "date issue", "date du défaut", "date de défaut", "date défaut"),
                    *("issue connue le", "default date", "outcome date"),
                ),
            ),
            Field(
                "purpose",
                _("Purpose"),
                "text",
                longest=200,
                common=True,
                synonyms=("motif", "objet", "objet de la demande", "motif de la demande", "purpose"),
            ),
        ]

    def judge(self, typed: Typed, chunk: Chunk, context: Context) -> Judged:
        entries = known_here(context)
        names = [entry.name for entry in entries]
        judging = Judging([*self._file_fields(), *_variable_fields(entries)], typed, chunk, context)
        find_clients(judging)
        judging.work_out(reference=_reference())
        too_long = pl.col("reference").str.len_chars() > LONGEST_REFERENCE
        judging.refuse(too_long, "reference_too_long", field="client_reference")
        _find_applications(judging, entries)
        judging.work_out(day=pl.coalesce("applied_on", "held_applied_on", pl.lit(context.today)))
        take_from_client(judging)
        _work_out_status(judging)
        facts = {name: f"held_{name}" for name in (*names, "applied_on", "purpose", "status")}
        judging.work_out(
            moved=pl.col("held_id").is_not_null() & differs(facts),
            changed=pl.col("held_id").is_not_null() & differs({**facts, **_ISSUE}),
        )
        _check_decision(judging)
        _check_outcome(judging)
        warn_of_arrears(judging, pl.col("held_id").is_null() | pl.col("changed"))
        _complete(judging, names)
        return judging.judged(key="reference")

    def write(self, judged: Judged, writing: Writing) -> None:
        names = sorted(VARIABLE_COLUMNS | {"extra", "purpose", "applied_on", "status", "cancel_reason"})
        names += ["outcome", "outcome_date", "outcome_source"]
        new, lines = judged.those(Verdict.NEW)
        rows = new.select(*names, "reference", "client_id", agency_id="client_agency_id")
        writing.insert(CreditApplication, rows, lines)
        changed, lines = judged.those(Verdict.UPDATED)
        writing.update(CreditApplication, changed.select(*names, id="held_id"), lines)


def _variable_fields(entries: Iterable[Entry]) -> list[Field]:
    return [_optional(each) for each in dictionary_fields(entry.variable for entry in entries)]


def _optional(each: Field) -> Field:
    """Let the age follow from the birth date of the client where the file does not tell it."""
    return dataclasses.replace(each, required=False) if each.name == "age" else each


def _reference() -> pl.Expr:
    """Without a reference of its own, an application is named by its client and its day."""
    day = pl.concat_str(pl.lit("-"), pl.col("applied_on").dt.to_string("%Y%m%d")).fill_null("")
    return pl.coalesce("application_reference", pl.concat_str(pl.lit("D-"), "client_reference", day))


def _find_applications(judging: Judging, entries: Sequence[Entry]) -> None:
    rows = CreditApplication.objects.filter(reference__in=one_of(judging.rows["reference"]))
    held = with_variables(judging.stored(rows, {**_HELD, **HELD_VARIABLES}), entries)
    judging.join(held, "reference")
    other = pl.col("held_client_id").ne_missing(pl.col("client_id"))
    judging.refuse(pl.col("held_id").is_not_null() & other, "other_client", field="client_reference")


def _work_out_status(judging: Judging) -> None:
    """Tell the status by the decision and the outcome; null where they tell nothing new."""
    held, decision = pl.col("held_status").fill_null(""), pl.col("decision").fill_null("")
    outcome, told = coded("outcome", _OUTCOME_CODES), coded("decision", _STATUSES)
    known = outcome.is_not_null() & decision.is_in(["", GRANTED]) & ~held.is_in([_DECLINED])
    granted = held.is_in([_DISBURSED, *map(str, rules.GRANTED)])
    same = (granted & (decision == GRANTED)) | (
        held.is_in(list(map(str, rules.NOT_DECIDED))) & (decision == WAITING)
    )
    lent = pl.lit(_DISBURSED)
    judging.work_out(outcome=outcome, status=pl.when(known).then(lent).when(~same).then(told))


def _check_decision(judging: Judging) -> None:
    """Let a file change what an import brought or what is still open; the rest is decided here."""
    brought = brought_here(judging, CreditApplication, "held_id", pl.col("moved"))
    own = brought & pl.col("held_submitted_at").is_null()
    is_open = pl.col("held_status").is_in(list(map(str, rules.OPEN_TO_CHANGE)))
    decided = pl.col("status").is_not_null() & (pl.col("status") != pl.col("held_status"))
    judging.refuse(pl.col("moved") & ~own & (~is_open | decided), "kept_here")
    declined = pl.coalesce("status", "held_status") == _DECLINED
    judging.refuse(pl.col("outcome").is_not_null() & declined, "outcome_of_refused", field="outcome")


def _check_outcome(judging: Judging) -> None:
    """Keep an outcome that was told here; one derived or imported is replaced."""
    told, ours = (
        pl.col("held_outcome"),
        pl.col("held_outcome_source").fill_null("").is_in([*DERIVED, IMPORTED]),
    )
    judging.refuse((told != pl.col("outcome")) & ~ours, "outcome_known", field="outcome")
    early = pl.col("outcome_date") < pl.col("day")
    judging.refuse(early, "outcome_too_early", field="outcome_date", date="day")


def _complete(judging: Judging, names: Sequence[str]) -> None:
    """Fill in what the file does not tell: as it is stored, else as a new application begins."""
    complete_variables(judging, names)
    today = pl.lit(judging.context.today)
    source = pl.when(differs(_ISSUE)).then(pl.lit(IMPORTED)).otherwise(pl.col("held_outcome_source"))
    judging.work_out(
        outcome=pl.coalesce("outcome", "held_outcome", pl.lit("")),
        outcome_source=source.fill_null(""),
        status=pl.coalesce("status", "held_status", pl.lit(ApplicationStatus.DRAFT.value)),
        purpose=pl.coalesce("purpose", "held_purpose", pl.lit("")),
        applied_on=pl.col("day"),
    )
    reason = pl.col("held_cancel_reason").fill_null(CancelReason.OTHER.value)
    judging.work_out(
        outcome_date=pl.when(pl.col("outcome") != "").then(
            pl.coalesce("outcome_date", "held_outcome_date", today)
        ),
        cancel_reason=pl.when(pl.col("status") == _CANCELLED).then(reason).otherwise(pl.lit("")),
    )
