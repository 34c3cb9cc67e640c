"""Clients: found by their reference, created or changed as their form would; probable duplicates are told."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import polars as pl
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.credits.enums import DocumentType
from apps.credits.importing.changes import Writing
from apps.credits.importing.findings import Findings, one_of, stored_rows
from apps.credits.importing.targets import Context, Judged, Verdict
from apps.credits.models import Client
from apps.credits.validators import (
    BETWEEN_DIGITS,
    PHONE,
    UNSEEN,
    document_index,
    name_key,
    phone_index,
    search_form,
)
from apps.engine.dictionary import STANDARD, fold
from apps.files.reading.fields import dictionary_fields
from apps.files.reading.mapping import Field
from apps.files.reading.rows import Chunk
from apps.files.reading.values import Typed
from apps.institutions.models import Agency

#: What a file may hold of a client, by column, with its type; phone and document are dealt with apart.
_PLAIN: Mapping[str, Any] = {
    "last_name": pl.String,
    "first_names": pl.String,
    "sex": pl.String,
    "birth_date": pl.Date,
    "family_situation": pl.String,
    "city": pl.String,
    "residence_region": pl.String,
    "document_type": pl.String,
    "document_expires_on": pl.Date,
    "occupation": pl.String,
    "contract_type": pl.String,
    "contract_start": pl.Date,
    "monthly_income_xaf": pl.Int64,
    "consent_at": pl.Date,
    "prohibition_source": pl.String,
    "prohibition_date": pl.Date,
    "data_updated_on": pl.Date,
    "is_active": pl.Boolean,
}
_STORED: Mapping[str, Any] = {
    "reference": pl.String,
    "id": pl.Int64,
    "agency_id": pl.Int64,
    "phone_index": pl.String,
    "document_index": pl.String,
    "merged_into_id": pl.Int64,
    **_PLAIN,
}
_LINES = (
    "reference", "last_name", "first_names", "city", "residence_region", "document_number", "occupation",
    "prohibition_source",
)  # fmt: skip
_YOUNGEST, _OLDEST = 18, 110
#: As Rust's expressions write it: they know no surrogate.
_UNSEEN = UNSEEN.pattern.replace(r"\ud800-\udfff", "")


class ClientsTarget:
    """One client a row. What a row leaves empty stays as it is in a file that is there already."""

    name = "clients"
    label = gettext_lazy("Clients")
    help_text = gettext_lazy("One client per line, found again by its reference.")
    needs: tuple[str, ...] = ()

    def fields(self) -> list[Field]:
        """Return the fields of a client's file, with the names that people give them."""
        return _fields()

    def judge(self, typed: Typed, chunk: Chunk, context: Context) -> Judged:
        """Judge a chunk by four queries: clients by reference, document, phone and name; agencies once."""
        found = Findings(typed, chunk, context)
        given = _given(found)
        _check_texts(found, given)
        _check_age(found, given)
        agency = _agencies(found)
        rows = _with_stored(found, given.with_columns(agency))
        _check_rights(found, rows)
        stored = rows["id"].is_not_null()
        changed = _changed(rows)
        _find_duplicates(found, rows)
        return found.judged(rows, found=stored, changed=changed)

    def write(self, judged: Judged, writing: Writing) -> None:
        """Create and change clients by the thousand, encrypted and indexed as their service does."""
        rows, lines = judged.those(Verdict.NEW)
        writing.insert(Client, _created(rows, writing), lines)
        rows, lines = judged.those(Verdict.UPDATED)
        # What the file leaves out keeps its ciphertext: the rows that change it are written apart.
        for phone in (False, True):
            for document in (False, True):
                kept = rows.select(
                    (pl.col("phone_changed") == phone) & (pl.col("document_changed") == document)
                ).to_series()
                names = ["phone"] * phone + ["document_number"] * document
                writing.update(Client, _updated(rows.filter(kept), names), lines.filter(kept))


def _fields() -> list[Field]:
    codes = {
        each.name: each.codes
        for each in dictionary_fields(
            STANDARD[name] for name in ("sexe", "situation_familiale", "type_contrat_travail")
        )
    }
    return [
        Field("reference", _("Reference"), "text", required=True, longest=40, synonyms=(
            "référence", "référence client", "code client", "numéro client", "n° client", "matricule",
            "identifiant", "id client", "client", "numéro de membre", "client reference", "client id",
            "member number",
        )),
        Field("agency", _("Agency"), "text", longest=120, common=True, synonyms=(
            "agence", "code agence", "nom agence", "point de vente", "guichet", "branch", "agency code",
        )),
        Field("last_name", _("Last name"), "text", required=True, longest=80, synonyms=(
            "nom", "nom de famille", "noms", "nom client", "nom du client", "raison sociale", "surname",
        )),
        Field("first_names", _("First names"), "text", longest=120, synonyms=(
            "prénom", "prénoms", "prénom(s)", "first name", "given names",
        )),
        Field("sex", _("Sex"), "code", codes=codes["sexe"], synonyms=("sexe", "genre", "gender", "civilité")),
        Field("birth_date", _("Date of birth"), "date", required=True, past=True, synonyms=(
            "date de naissance", "date naissance", "né le", "née le", "né(e) le", "naissance", "ddn",
            "birth date", "birthdate", "dob",
        )),
        Field("family_situation", _("Family situation"), "code", codes=codes["situation_familiale"],
            synonyms=("situation familiale", "situation de famille", "situation matrimoniale", "état civil",
            "statut matrimonial", "marital status",
        )),
        Field("phone", _("Phone"), "text", longest=24, synonyms=(
            "téléphone", "tél", "tel", "numéro de téléphone", "portable", "mobile", "contact", "gsm",
            "phone number",
        )),
        Field("city", _("City"), "text", longest=80, common=True, synonyms=(
            "ville", "localité", "quartier", "town",
        )),
        Field("residence_region", _("Region of residence"), "text", longest=40, common=True, synonyms=(
            "région", "région de résidence", "region",
        )),
        Field("document_type", _("Identity document"), "code", codes=_documents(), synonyms=(
            "type de pièce", "pièce d'identité", "nature de la pièce", "type pièce", "document type",
        )),
        Field("document_number", _("Document number"), "text", longest=40, synonyms=(
            "numéro de pièce", "numéro pièce", "n° pièce", "numéro de la pièce", "cni", "numéro cni",
            "n° cni", "id number",
        )),
        Field("document_expires_on", _("Document valid until"), "date", synonyms=(
            "validité de la pièce", "date d'expiration", "expiration pièce", "expire le", "expiry date",
        )),
        Field("occupation", _("Occupation"), "text", longest=120, synonyms=(
            "profession", "métier", "activité", "emploi", "job",
        )),
        Field("contract_type", _("Type of contract"), "code", codes=codes["type_contrat_travail"], synonyms=(
            "type de contrat", "contrat", "contrat de travail", "statut professionnel", "employment type",
        )),
        Field("contract_start", _("In this job since"), "date", past=True, synonyms=(
            "date d'embauche", "embauché le", "dans cet emploi depuis", "début du contrat", "hired on",
        )),
        Field("monthly_income_xaf", _("Monthly income (FCFA)"), "amount", unit="XAF_per_month", minimum=0,
            maximum=9_007_199_254_740_991, synonyms=(
            "revenu", "revenu mensuel", "revenus mensuels", "salaire", "salaire mensuel", "salaire net",
            "revenu net mensuel", "monthly income", "income", "salary",
        )),
        Field("consent_at", _("Consent given on"), "date", past=True, synonyms=(
            "consentement", "date du consentement", "consentement le", "consent date",
        )),
        Field("prohibition_source", _("Credit prohibition: source"), "text", longest=120, synonyms=(
            "interdiction", "interdiction de crédit", "source de l'interdiction",
        )),
        Field("prohibition_date", _("Credit prohibition: date"), "date", synonyms=(
            "date d'interdiction", "interdit depuis", "interdit depuis le",
        )),
        Field("data_updated_on", _("Data confirmed on"), "date", past=True, synonyms=(
            "données confirmées le", "mise à jour le", "date de mise à jour", "dernière mise à jour",
            "updated on",
        )),
        Field("is_active", _("Active"), "boolean", synonyms=("actif", "active", "client actif")),
    ]  # fmt: skip


def _documents() -> dict[str, str]:
    codes = {"cni": DocumentType.NATIONAL_ID, "carte nationale": DocumentType.NATIONAL_ID}
    for lang in ("en", "fr"):
        with translation.override(lang):
            for each in DocumentType:
                codes |= {fold(each.value): each, fold(str(each.label)): each}
    return {spelling: str(code.value) for spelling, code in codes.items()}


def _given(found: Findings) -> pl.DataFrame:
    """Return what the file says, phones compact; null where it says nothing."""
    columns = [found.column("reference", pl.String)]
    columns += [found.column(name, dtype) for name, dtype in _PLAIN.items()]
    phone = found.column("phone", pl.String).str.replace_all(BETWEEN_DIGITS.pattern, "")
    return pl.DataFrame([*columns, phone, found.column("document_number", pl.String)])


def _check_texts(found: Findings, given: pl.DataFrame) -> None:
    for name in _LINES:
        found.refuse(given[name].str.contains(_UNSEEN), "unseen", field=name)
    right = {text for text in given["phone"].drop_nulls().unique() if not text or PHONE.fullmatch(text)}
    found.refuse(~given["phone"].is_in(list(right)), "phone", field="phone")


def _check_age(found: Findings, given: pl.DataFrame) -> None:
    today = found.context.today
    birth = given["birth_date"]
    found.refuse(birth > _years_before(today, _YOUNGEST), "minor", field="birth_date")
    found.refuse(birth < _years_before(today, _OLDEST), "too_old", field="birth_date")


def _years_before(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year - years, day=28)


def _agencies(found: Findings) -> pl.Series:
    """Return the agency that each row names; the only one, when the file names none."""
    known: dict[str, int] = found.context.cache.setdefault("agencies", _known_agencies(found.context))
    texts = found.column("agency", pl.String).str.strip_chars()
    spelt = {text: known.get(fold(text)) for text in texts.drop_nulls().unique()}
    spelt = {text: key for text, key in spelt.items() if key is not None}
    agency = texts.replace_strict(list(spelt), list(spelt.values()), default=None, return_dtype=pl.Int64)
    found.refuse(agency.is_null() & texts.is_not_null(), "unknown_agency", field="agency")
    keys = set(known.values())
    if len(keys) == 1:
        agency = agency.fill_null(next(iter(keys)))
    return agency.alias("agency_given")


def _known_agencies(context: Context) -> dict[str, int]:
    agencies = Agency.objects.filter(is_active=True)
    if context.agencies is not None:
        agencies = agencies.filter(pk__in=context.agencies)
    known: dict[str, int] = {}
    for key, code, name in agencies.values_list("pk", "code", "name"):
        known.setdefault(fold(name), key)
        known[fold(code)] = key
    return known


def _with_stored(found: Findings, given: pl.DataFrame) -> pl.DataFrame:
    """Put beside each row the file that is stored under its reference (``_stored``), and the two as one."""
    repeated = found.context.repeated("reference", _keys(found, given["reference"]))
    found.leave_out(repeated, "repeated", field="reference", args=[_json(key=_("Reference"))] * given.height)
    same = Client.objects.filter(reference__in=one_of(given["reference"]))
    stored = stored_rows(same, _STORED, found.context)
    beside = given.join(
        stored.rename({name: f"{name}_stored" for name in stored.columns if name not in {"reference", "id"}}),
        on="reference",
        how="left",
        maintain_order="left",
    )
    one = [pl.coalesce(name, f"{name}_stored").alias(name) for name in _PLAIN]
    agency = pl.coalesce("agency_given", "agency_id_stored").alias("agency_id")
    return _with_indexes(beside.with_columns(*one, agency), found.context.institution_id)


def _with_indexes(rows: pl.DataFrame, institution: int) -> pl.DataFrame:
    phones = _mapped(rows["phone"], lambda text: phone_index(text, institution_id=institution))
    documents = _mapped(
        rows["document_number"], lambda text: document_index(text, institution_id=institution)
    )
    names = rows.select(last=pl.col("last_name").fill_null(""), first=pl.col("first_names").fill_null(""))
    rows = rows.with_columns(
        phone_index=phones,
        document_index=documents,
        search_name=_searched(names["last"], names["first"]),
        search_first_names=_searched(names["first"], names["last"]),
        name_key=_name_keys(names, rows["birth_date"]),
    )
    differs = [
        (pl.col(f"{name}_index").is_not_null() & (pl.col(f"{name}_index") != pl.col(f"{name}_index_stored")))
        .fill_null(value=False)
        .alias(f"{name}_changed")
        for name in ("phone", "document")
    ]
    return rows.with_columns(differs)


def _mapped(texts: pl.Series, work: Any) -> pl.Series:
    """Compute something of each text, once for each that is different."""
    known = {text: work(text) for text in texts.drop_nulls().unique()}
    values = texts.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)
    return values.set(values == "", None)


def _searched(first: pl.Series, second: pl.Series) -> pl.Series:
    together = [search_form(f"{one} {other}") for one, other in zip(first, second, strict=True)]
    return pl.Series(together, dtype=pl.String)


def _name_keys(names: pl.DataFrame, days: pl.Series) -> pl.Series:
    both = zip(names["last"], names["first"], days, strict=True)
    return pl.Series([name_key(f"{last} {first}", day) or None for last, first, day in both], dtype=pl.String)


def _check_rights(found: Findings, rows: pl.DataFrame) -> None:
    seen, stored = found.context.agencies, rows["agency_id_stored"]
    if seen is not None:
        found.refuse(stored.is_not_null() & ~stored.is_in(list(seen)), "client_elsewhere", field="reference")
    found.refuse(rows["merged_into_id_stored"].is_not_null(), "merged", field="reference")
    found.refuse(rows["agency_id"].is_null() & found.column("agency", pl.String).is_null(), "agency_missing")
    source = rows["prohibition_source"].fill_null("")
    found.refuse(
        rows["prohibition_date"].is_not_null() & (source == ""), "no_source", field="prohibition_date"
    )


def _changed(rows: pl.DataFrame) -> pl.Series:
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_stored")) for name in _PLAIN]
    differs += [pl.col("agency_id").ne_missing(pl.col("agency_id_stored"))]
    return rows.select(pl.any_horizontal(*differs, "phone_changed", "document_changed")).to_series()


def _find_duplicates(found: Findings, rows: pl.DataFrame) -> None:
    """Doubt the new rows that share a document, a phone, or a name with the day of birth."""
    fresh = rows["id"].is_null() & ~found.refused & ~found.left_out
    for what, keys, stored in (
        (
            "document",
            rows["document_index"],
            _holders("document_index", rows.filter(fresh)["document_index"]),
        ),
        ("phone", rows["phone_index"], _holders("phone_index", rows.filter(fresh)["phone_index"])),
        ("name", rows["name_key"], _holders("name_key", rows.filter(fresh)["name_key"])),
    ):
        again = found.context.repeated(what, _keys(found, keys))
        holder = keys.replace_strict(
            list(stored), [f"{reference}|{agency}" for reference, agency in stored.values()],
            default=None, return_dtype=pl.String,
        )  # fmt: skip
        args = _said(holder, found.context)
        found.doubt(fresh & holder.is_not_null(), f"same_{what}", args=args)
        found.doubt(fresh & again, f"same_{what}_above")


def _said(holder: pl.Series, context: Context) -> list[str]:
    """Name the client that is there already, to who sees it."""
    told = []
    for each in holder:
        reference, _mark, agency = (each or "|").rpartition("|")
        seen = context.agencies is None or (agency.isdigit() and int(agency) in context.agencies)
        told.append(_json(client=reference if seen else _("of another agency")))
    return told


def _holders(column: str, keys: pl.Series) -> dict[str, tuple[str, int]]:
    rows = Client.objects.standing().filter(**{f"{column}__in": one_of(keys)})
    found = rows.order_by("-pk").values_list(column, "reference", "agency_id")
    return {key: (reference, agency) for key, reference, agency in found}


def _keys(found: Findings, keys: pl.Series) -> pl.Series:
    """Return keys by which rows repeat others; what reading refused has none."""
    wrong = found.typed.errors["row"].unique()
    return keys.scatter(wrong, None) if wrong.len() else keys


def _json(**args: str) -> str:
    return json.dumps(args, ensure_ascii=False)


_DERIVED = ("search_name", "search_first_names", "name_key", "phone_index", "document_index")


def _created(rows: pl.DataFrame, writing: Writing) -> pl.DataFrame:
    texts = [name for name, dtype in _PLAIN.items() if dtype == pl.String]
    texts += [*_DERIVED, "phone", "document_number"]
    today = writing.now.date()
    return rows.select(
        "reference",
        "agency_id",
        *(pl.col(name).fill_null("") for name in texts),
        *(name for name, dtype in _PLAIN.items() if dtype != pl.String and name not in _FILLED),
        pl.col("data_updated_on").fill_null(today),
        pl.col("is_active").fill_null(value=True),
    )


_FILLED = ("data_updated_on", "is_active")


def _updated(rows: pl.DataFrame, encrypted: list[str]) -> pl.DataFrame:
    derived = ["search_name", "search_first_names", "name_key"]
    derived += ["phone_index"] * ("phone" in encrypted) + ["document_index"] * (
        "document_number" in encrypted
    )
    return rows.select("id", "agency_id", *_PLAIN, *derived, *encrypted)
