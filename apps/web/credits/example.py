"""The form's example: a plausible file that shows what a score looks like."""

import datetime as dt
from typing import Any

from django.utils import timezone

from apps.institutions.queries import visible_agencies
from apps.tenancy.actor import Actor

YEARS = 38


def example_values(actor: Actor) -> dict[str, Any]:
    """Return initial values of a fictional application in the first agency that ``actor`` sees."""
    today = timezone.localdate()
    return {
        "agency": visible_agencies(actor).first(),
        "last_name": "Ngo Bassong",
        "first_names": "Marie-Claire",
        "birth_date": dt.date(today.year - YEARS, 1, 15),
        "sexe": "F",
        "situation_familiale": "marie",
        "phone": "+237 6 77 12 34 56",
        "consent": True,
        "type_contrat_travail": "Indépendant",
        "anciennete_travail_mois": "62",
        "revenu_mensuel": "285 000",
        "charges_mensuelles": "140 000",
        "personnes_a_charge": "4",
        "mensualites_en_cours": "25 000",
        "encours_autres_dettes": "150 000",
        "montant_credit": "600 000",
        "duree_mois": "12",
        "taux_interet": "22",
        "type_credit": "fonds_de_roulement",
        "purpose": "Stock de tissus pour la boutique",
        "first_credit": "no",
        "nb_retards_30j": "0",
        "nb_retards_60j": "0",
        "nb_retards_90j": "0",
    }
