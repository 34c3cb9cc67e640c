"""The peer's 15 variables."""

NUMBERS = (
    "age",
    "revenu_mensuel",
    "anciennete_travail_mois",
    "montant_credit",
    "duree_mois",
    "taux_interet",
    "nb_retards_30j",
    "nb_retards_60j",
    "nb_retards_90j",
    "taux_endettement",
    "ratio_dette_revenu",
)
CODES = {
    "sexe": ["F", "M"],
    "situation_familiale": ["celibataire", "marie", "union_libre", "divorce", "veuf"],
    "type_contrat_travail": ["CDI", "CDD", "Informel", "Indépendant"],
    "type_credit": ["fonds_de_roulement", "consommation", "scolaire", "agricole", "equipement", "habitat"],
}
