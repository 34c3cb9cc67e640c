"""A complete body of POST /api/v1/predict."""

BODY = {
    "age": 38,
    "sexe": "F",
    "situation_familiale": "marie",
    "revenu_mensuel": 285_000,
    "type_contrat_travail": "Indépendant",
    "anciennete_travail_mois": 62,
    "montant_credit": 600_000,
    "duree_mois": 12,
    "taux_interet": 22.0,
    "type_credit": "fonds_de_roulement",
    "nb_retards_30j": 0,
    "nb_retards_60j": 0,
    "nb_retards_90j": 0,
    "taux_endettement": 28.5,
    "ratio_dette_revenu": 0.22,
}
