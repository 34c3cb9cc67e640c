"""The file that a visitor scores: 200 applications as an institution would send them, seven lines at fault.

Windows-1252, semicolons, amounts with spaces, decimal commas; headers in French as people write them.
"""

import datetime as dt
from typing import Any

import pandas as pd

from apps.demo.synthetic.portfolio import generate

ROWS = 200
SEED = 77
AS_OF = dt.date(2026, 11, 1)
HEADERS = {
    "reference": "Référence client",
    "age": "Âge",
    "revenu_mensuel": "Revenu mensuel",
    "montant_credit": "Montant du crédit",
    "duree_mois": "Durée (mois)",
    "taux_interet": "Taux d'intérêt",
    "anciennete_travail_mois": "Ancienneté (mois)",
    "encours_autres_dettes": "Encours des autres dettes",
    "mensualites_en_cours": "Mensualités en cours",
    "nb_retards_30j": "Retards de 30 jours",
    "nb_retards_60j": "Retards de 60 jours",
    "nb_retards_90j": "Retards de 90 jours",
    "type_contrat_travail": "Type de contrat",
    "type_credit": "Type de crédit",
}
#: Row (from 0), column, what somebody typed there: one fault a line.
FAULTS: tuple[tuple[int, str, str], ...] = (
    (11, "age", "quarante"),
    (37, "age", "131"),
    (58, "montant_credit", ""),
    (90, "duree_mois", "0"),
    (123, "revenu_mensuel", "-85 000"),
    (151, "type_contrat_travail", "Matelot"),
    (178, "taux_interet", "vingt"),
)


def sample_file() -> bytes:
    """Return the file; the same bytes at every call."""
    drawn = generate(rows=ROWS, as_of=AS_OF, seed=SEED).applications
    lines = [";".join(HEADERS.values())]
    faults = {(row, name): text for row, name, text in FAULTS}
    for row, values in enumerate(drawn.to_dict("records")):
        cells = {name: _text(name, values.get(name)) for name in HEADERS}
        cells["reference"] = f"EX-{row + 1:04d}"
        lines.append(";".join(faults.get((row, name), cells[name]) for name in HEADERS))
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")


def _text(name: str, value: Any) -> str:
    if value is None or pd.isna(value):
        return ""
    if name == "taux_interet":
        return f"{value:.2f}".replace(".", ",")
    return f"{int(value):,}".replace(",", " ") if isinstance(value, (int, float)) else str(value)
