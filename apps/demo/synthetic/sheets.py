"""The spreadsheets of a synthetic institution, as people keep them: what imports are tried with."""

import csv
import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from apps.demo.synthetic.books import Books
from apps.demo.synthetic.portfolio import Portfolio

_DECISIONS = {"accorde": "Accordée", "refuse": "Refusée"}
_OUTCOMES = {"good": "Bon", "default": "Défaut"}
_STATUSES = {"active": "En cours", "closed": "Soldé", "written_off": "Passé en perte"}
#: What the generator calls otherwise than the dictionary.
_SECTORS = {"elevage": "Élevage et pêche", "sante": "Services", "securite": "Services"}
#: Columns of the dictionary as this institution calls them.
_VARIABLES = {
    "age": "Âge",
    "sexe": "Sexe",
    "situation_familiale": "Situation familiale",
    "revenu_mensuel": "Revenu mensuel (FCFA)",
    "type_contrat_travail": "Type de contrat",
    "anciennete_travail_mois": "Ancienneté (mois)",
    "montant_credit": "Montant demandé (FCFA)",
    "duree_mois": "Durée (mois)",
    "taux_interet": "Taux annuel (%)",
    "type_credit": "Type de crédit",
    "nb_retards_30j": "Retards 30 jours",
    "nb_retards_60j": "Retards 60 jours",
    "nb_retards_90j": "Retards 90 jours",
    "mensualites_en_cours": "Mensualités en cours",
    "encours_autres_dettes": "Encours autres dettes",
    "secteur": "Secteur d'activité",
}

Sheets = Mapping[str, pd.DataFrame]


def sheets_of(portfolio: Portfolio, books: Books, *, prefix: str = "") -> Sheets:
    """Return one table a file, texts ready to be written; references begin with ``prefix``.

    ``clients``, ``demandes``, ``credits``, ``echeances``, ``remboursements``, and ``balance_AAAA-MM`` for the
    end of each month.
    """
    names = _References(portfolio, prefix)
    return {
        "clients": _clients(portfolio, names),
        "demandes": _applications(portfolio, names),
        "credits": _credits(portfolio, books, names),
        "echeances": _installments(books, names),
        "remboursements": _repayments(books, names),
        **_balances(portfolio, books, names),
    }


def write_sheets(sheets: Sheets, folder: Path) -> list[Path]:
    """Write the tables as French Excel saves them: semicolons, Windows-1252, a title above balances."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, frame in sheets.items():
        path = folder / f"{name}.csv"
        with path.open("w", encoding="cp1252", errors="replace", newline="") as opened:
            writer = csv.writer(opened, delimiter=";", lineterminator="\r\n")
            if name.startswith("balance_"):
                writer.writerows([[f"Balance âgée du mois {name.removeprefix('balance_')}"], []])
            writer.writerow(frame.columns)
            writer.writerows(frame.itertuples(index=False, name=None))
        written.append(path)
    return written


class _References:
    """How clients, applications and credits are called, by the keys and rows of the generator."""

    def __init__(self, portfolio: Portfolio, prefix: str) -> None:
        clients = portfolio.clients
        self.client = dict(zip(clients["client_key"], prefix + clients["reference"], strict=True))
        days = portfolio.applications["submitted_on"]
        self.application = {
            row: f"{prefix}D-{day:%Y}-{number:06d}" for number, (row, day) in enumerate(days.items(), start=1)
        }
        self.credit = {row: name.replace("D-", "P-", 1) for row, name in self.application.items()}


def _clients(portfolio: Portfolio, names: _References) -> pd.DataFrame:
    rows = portfolio.clients
    return pd.DataFrame(
        {
            "Code client": rows["client_key"].map(names.client),
            "Agence": rows["agency_city"],
            "Nom": rows["last_name"],
            "Prénoms": rows["first_names"].fillna(""),
            "Sexe": rows["sexe"].fillna(""),
            "Date de naissance": _days(rows["birth_date"]),
            "Situation familiale": rows["situation_familiale"].fillna(""),
            "Téléphone": rows["phone"].fillna(""),
            "Ville": rows["city"].fillna(""),
            "Région": rows["region"].fillna(""),
            "Type de pièce": rows["id_type"].fillna(""),
            "Numéro de pièce": rows["id_number"].fillna(""),
            "Profession": rows["job"].fillna(""),
            "Consentement le": _days(rows["consent_date"]),
        }
    )


def _applications(portfolio: Portfolio, names: _References) -> pd.DataFrame:
    rows = portfolio.applications
    rows = rows.assign(secteur=rows["secteur"].replace(_SECTORS))
    told = {label: _cells(rows[name]) for name, label in _VARIABLES.items()}
    return pd.DataFrame(
        {
            "N° dossier": rows.index.map(names.application),
            "Code client": rows["client_key"].map(names.client),
            "Date de la demande": _days(rows["submitted_on"]),
            **told,
            "Objet": rows["purpose"].fillna(""),
            "Décision": rows["decision"].map(_DECISIONS).fillna("En attente"),
        },
        index=rows.index,
    )


def with_outcomes(sheets: Sheets, portfolio: Portfolio) -> pd.DataFrame:
    """Return the applications with what became of them, for an institution that noted it."""
    rows = portfolio.applications
    told = sheets["demandes"].copy()
    told["Issue du crédit"] = rows["outcome"].map(_OUTCOMES).fillna("")
    told["Date de l'issue"] = _days(rows["outcome_date"].where(rows["outcome"].notna()))
    return told


def _credits(portfolio: Portfolio, books: Books, names: _References) -> pd.DataFrame:
    rows = books.credits
    agreed = portfolio.applications.loc[rows["row"]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "N° crédit": rows["row"].map(names.credit),
            "Code client": agreed["client_key"].map(names.client),
            "N° dossier": rows["row"].map(names.application),
            "Montant décaissé": _cells(agreed["montant_credit"]),
            "Date de décaissement": _days(rows["disbursed_on"]),
            "Taux annuel (%)": _cells(agreed["taux_interet"]),
            "Durée (mois)": _cells(agreed["duree_mois"]),
            "Type de crédit": agreed["type_credit"],
            "Statut": rows["status"].map(_STATUSES),
            "Date de clôture": _days(rows["closed_on"]),
            "Date de passage en perte": _days(rows["written_off_on"]),
        }
    )


def _installments(books: Books, names: _References) -> pd.DataFrame:
    rows = books.installments
    return pd.DataFrame(
        {
            "N° crédit": rows["row"].map(names.credit),
            "N° échéance": rows["number"],
            "Date d'échéance": _days(rows["due_on"]),
            "Capital": rows["principal"],
            "Intérêts": rows["interest"],
        }
    )


def _repayments(books: Books, names: _References) -> pd.DataFrame:
    rows = books.repayments
    numbers = rows["row"].map(names.credit) + "/" + rows["number"].map("{:02d}".format)
    return pd.DataFrame(
        {
            "N° reçu": numbers,
            "N° crédit": rows["row"].map(names.credit),
            "Date de paiement": _days(rows["paid_on"]),
            "Montant payé": _cells(rows["amount"]),
        }
    )


def _balances(portfolio: Portfolio, books: Books, names: _References) -> dict[str, pd.DataFrame]:
    found = {}
    clients = portfolio.applications["client_key"].map(names.client)
    for day, rows in books.statements.groupby("date"):
        assert isinstance(day, dt.date)
        found[f"balance_{day:%Y-%m}"] = pd.DataFrame(
            {
                "N° crédit": rows["row"].map(names.credit),
                "Code client": rows["row"].map(clients),
                "Encours": _cells(rows["outstanding"]),
                "Jours de retard": rows["days_late"].where(rows["days_late"] > 0, "").astype(str),
                "Date d'arrêté": f"{day:%d/%m/%Y}",
            }
        )
    return found


def _days(values: pd.Series) -> list[str]:
    return [f"{day:%d/%m/%Y}" if isinstance(day, dt.date) and not pd.isna(day) else "" for day in values]


def _cells(values: pd.Series) -> list[str]:
    return [_cell(value) for value in values]


def _cell(value: object) -> str:
    """Write a value as a French spreadsheet shows it: 1 500 000 and 22,5."""
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]
    if number.is_integer():
        return f"{int(number):,}".replace(",", " ")
    return f"{number}".replace(".", ",")
