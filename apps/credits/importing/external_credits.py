"""Credits with other lenders: found by client, lender, kind, source and amount; the newest news counts."""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
from django.db import models
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits.enums import REGISTERS, ExternalSource, ExternalStatus
from apps.credits.importing.changes import Writing
from apps.credits.importing.findings import Findings, frame_of, one_of, stored_rows
from apps.credits.importing.targets import Context, Judged, Verdict
from apps.credits.models import Client, ExternalCredit
from apps.credits.validators import UNSEEN
from apps.engine.dictionary import fold
from apps.files.reading.mapping import Field
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed

_VALUES: Mapping[str, Any] = {
    "lender": pl.String,
    "kind": pl.String,
    "amount_xaf": pl.Int64,
    "outstanding_xaf": pl.Int64,
    "monthly_payment_xaf": pl.Int64,
    "status": pl.String,
    "worst_late_days": pl.Int64,
    "source": pl.String,
    "as_of": pl.Date,
    "closed_on": pl.Date,
}
_STORED: Mapping[str, Any] = {"id": pl.Int64, "client_id": pl.Int64, **_VALUES}
_CLIENT: Mapping[str, Any] = {
    "reference": pl.String,
    "id": pl.Int64,
    "agency_id": pl.Int64,
    "bureau_consent_at": pl.Date,
}
#: What may change from one file to the next; the others say which credit it is.
_NEWS = ("outstanding_xaf", "monthly_payment_xaf", "status", "worst_late_days", "as_of", "closed_on")
_MOST = 9_007_199_254_740_991
_UNSEEN = UNSEEN.pattern.replace(r"\ud800-\udfff", "")


class ExternalCreditsTarget:
    """One credit elsewhere a row, of a client who is there already."""

    name = "external_credits"
    label = gettext_lazy("External credits")
    help_text = gettext_lazy("What your clients owe to other lenders: declared, CREMF or credit bureau.")
    needs: tuple[str, ...] = ("clients",)

    def fields(self) -> list[Field]:
        """Return the fields of a credit elsewhere, with the names that people give them."""
        return _fields()

    def judge(self, typed: Typed, chunk: Chunk, context: Context) -> Judged:
        """Judge a chunk by two queries: the clients, then what is known of their credits elsewhere."""
        found = Findings(typed, chunk, context)
        rows = _with_clients(found, _given(found))
        for name in ("lender", "kind"):
            found.refuse(rows[name].str.contains(_UNSEEN), "unseen", field=name)
        registers = rows["source"].is_in([str(each) for each in REGISTERS])
        consented = (rows["bureau_consent_at"] <= rows["as_of"]).fill_null(value=False)
        found.refuse(rows["client_id"].is_not_null() & registers & ~consented, "no_bureau_consent")
        rows = rows.with_columns(_key())
        wrong = typed.errors["row"].unique()
        keys = rows["key"].scatter(wrong, None) if wrong.len() else rows["key"]
        args = [json.dumps({"key": _("Credit")}, ensure_ascii=False)] * rows.height
        found.leave_out(context.repeated("credit", keys), "repeated", args=args)
        rows = _with_stored(rows, context)
        differs = [pl.col(name).ne_missing(pl.col(f"{name}_stored")) for name in _NEWS]
        changed = rows.select(pl.any_horizontal(differs)).to_series()
        found.leave_out((rows["as_of"] < rows["as_of_stored"]) & changed, "older")
        return found.judged(rows, found=rows["id"].is_not_null(), changed=changed)

    def write(self, judged: Judged, writing: Writing) -> None:
        """Create and change what is known of credits elsewhere."""
        rows, lines = judged.those(Verdict.NEW)
        writing.insert(ExternalCredit, rows.select("client_id", *_VALUES), lines)
        rows, lines = judged.those(Verdict.UPDATED)
        writing.update(ExternalCredit, rows.select("id", *_NEWS), lines)


def _fields() -> list[Field]:
    return [
        Field("client_reference", _("Client's reference"), "text", required=True, longest=40, synonyms=(
            "référence client", "référence du client", "code client", "numéro client", "client", "matricule",
            "client id", "client reference",
        )),
        Field("lender", _("Lender"), "text", required=True, longest=120, common=True, synonyms=(
            "prêteur", "établissement", "établissement prêteur", "institution", "banque", "créancier", "bank",
        )),
        Field("kind", _("Type of credit"), "text", longest=40, synonyms=(
            "type de crédit", "nature du crédit", "type", "credit type",
        )),
        Field("amount_xaf", _("Amount (FCFA)"), "amount", minimum=0, maximum=_MOST, synonyms=(
            "montant", "montant du crédit", "montant accordé", "montant initial", "amount",
        )),
        Field("outstanding_xaf", _("Outstanding balance (FCFA)"), "amount", required=True, minimum=0,
            maximum=_MOST, synonyms=("encours", "capital restant dû", "solde", "reste dû", "outstanding",
        )),
        Field("monthly_payment_xaf", _("Monthly payment (FCFA)"), "amount", required=True, minimum=0,
            maximum=_MOST, synonyms=("mensualité", "échéance", "remboursement mensuel", "instalment",
        )),
        Field("status", _("Status"), "code", codes=_codes(ExternalStatus, {
            "actif": "active", "ouvert": "active", "en cours": "active", "open": "active", "solde": "closed",
            "clos": "closed", "cloture": "closed", "ferme": "closed", "rembourse": "closed",
        }), synonyms=("statut", "état", "situation")),
        Field("worst_late_days", _("Longest delay (days)"), "integer", minimum=0, maximum=32_767, synonyms=(
            "retard maximal", "plus long retard", "jours de retard", "retard max", "days late",
        )),
        Field("source", _("Source"), "code", codes=_codes(ExternalSource, {
            "declaration": "declare", "client": "declare", "bureau": "bic", "bureau de credit": "bic",
            "centrale des risques": "cremf",
        }), synonyms=("origine", "provenance")),
        Field("as_of", _("As known on"), "date", past=True, common=True, synonyms=(
            "à la date du", "date", "date de la situation", "situation au", "date de consultation", "as of",
        )),
        Field("closed_on", _("Closed on"), "date", past=True, synonyms=(
            "soldé le", "date de clôture", "clôturé le", "date de fin",
        )),
    ]  # fmt: skip


def _codes(choices: type[models.TextChoices], more: Mapping[str, str]) -> dict[str, str]:
    codes = dict(more)
    for lang in ("en", "fr"):
        with translation.override(lang):
            for each in choices:
                codes |= {fold(each.value): str(each.value), fold(str(each.label)): str(each.value)}
    return codes


def _given(found: Findings) -> pl.DataFrame:
    """Return what the file says, with what is meant where it says nothing."""
    usual: dict[str, Any] = {
        "kind": "",
        "status": str(ExternalStatus.ACTIVE),
        "source": str(ExternalSource.DECLARED),
        "as_of": found.context.today,
    }
    columns = [found.column("client_reference", pl.String)]
    columns += [found.column(name, dtype) for name, dtype in _VALUES.items()]
    return pl.DataFrame(columns).with_columns(
        pl.col(name).fill_null(pl.lit(value)) for name, value in usual.items()
    )


def _with_clients(found: Findings, given: pl.DataFrame) -> pl.DataFrame:
    clients = Client.objects.standing().filter(reference__in=one_of(given["client_reference"]))
    if found.context.agencies is not None:
        clients = clients.filter(agency_id__in=found.context.agencies)
    known = frame_of(clients.values_list(*_CLIENT), _CLIENT).rename(
        {"reference": "client_reference", "id": "client_id"}
    )
    rows = given.join(known, on="client_reference", how="left", maintain_order="left")
    unknown = rows["client_id"].is_null() & rows["client_reference"].is_not_null()
    found.refuse(unknown, "unknown_client", field="client_reference")
    return rows


def _key() -> pl.Expr:
    names = ("client_id", "kind", "source")
    amount = pl.col("amount_xaf").cast(pl.String).fill_null("-")
    lender = pl.col("lender").map_elements(fold, return_dtype=pl.String)
    return pl.concat_str(*names, lender, amount, separator="|").alias("key")


def _with_stored(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Put beside each row what is known of the same credit, the newest first when it was noted twice."""
    same = ExternalCredit.objects.filter(client_id__in=one_of(rows["client_id"]))
    stored = stored_rows(same, _STORED, context)
    newest = (
        stored.with_columns(_key())
        .sort("as_of", "id", descending=True)
        .unique("key", keep="first", maintain_order=True)
        .select("key", "id", *(pl.col(name).alias(f"{name}_stored") for name in _NEWS))
    )
    rows = rows.join(newest, on="key", how="left", maintain_order="left")
    kept = [pl.coalesce(name, f"{name}_stored").alias(name) for name in ("worst_late_days", "closed_on")]
    return rows.with_columns(kept)
