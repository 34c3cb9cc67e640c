"""The dictionary of variables as columns that a file may hold, with the names that people give them."""

from collections.abc import Iterable

from apps.engine.dictionary import STANDARD, Variable, fold
from apps.files.reading.mapping import Field, Kind
from apps.tenancy.language import current_lang

#: Numbers that a product may give to all of its credits.
_COMMON = frozenset({"duree_mois", "taux_interet"})
#: Other headers of each variable; its name and its two labels are known already.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "age": ("âge client", "âge du client", "age (ans)", "âge en années", "age years", "client age"),
    "sexe": ("genre", "gender", "sex", "civilité"),
    "situation_familiale": (
        "situation de famille", "statut matrimonial", "état civil", "situation matrimoniale",
        "marital status", "family status", "civil status",
    ),
    "revenu_mensuel": (
        "revenu", "revenus", "salaire", "salaire mensuel", "salaire net", "revenu net mensuel",
        "revenus mensuels", "revenu mensuel net", "monthly income", "monthly salary", "income", "salary",
        "revenu mensuel fcfa", "revenu mensuel xaf", "net monthly income", "revenu annuel",
        "revenus annuels", "salaire annuel", "annual income", "yearly income",
    ),
    "type_contrat_travail": (
        "type de contrat", "type contrat", "contrat de travail", "contrat", "emploi", "type d'emploi",
        "statut professionnel", "situation professionnelle", "employment type", "employment status",
        "contract type",
    ),
    "anciennete_travail_mois": (
        "ancienneté", "ancienneté travail", "ancienneté emploi", "ancienneté professionnelle",
        "ancienneté dans l'emploi", "ancienneté en mois", "ancienneté (mois)", "job tenure",
        "months employed", "employment months", "time in job", "seniority",
    ),
    "montant_credit": (
        "montant", "montant du prêt", "montant prêt", "montant demandé", "crédit demandé", "capital",
        "capital emprunté", "loan amount", "credit amount", "amount", "montant crédit fcfa",
        "montant du crédit xaf", "principal",
    ),
    "duree_mois": (
        "durée", "durée du crédit", "durée du prêt", "durée en mois", "durée (mois)", "nombre d'échéances",
        "nb échéances", "nombre de mensualités", "loan term", "term", "term months", "duration", "maturité",
        "number of installments",
    ),
    "taux_interet": (
        "taux", "taux d'intérêt", "taux intérêt annuel", "taux annuel", "taux nominal", "taux (%)",
        "interest rate", "rate", "annual rate", "apr",
    ),
    "type_credit": (
        "type de prêt", "type prêt", "produit", "produit de crédit", "nature du crédit", "objet du crédit",
        "loan type", "credit type", "product", "loan product", "loan purpose",
    ),
    "nb_retards_30j": (
        "retards 30j", "retards 30 jours", "nombre de retards 30 jours", "retard 30", "arrears 30",
        "late 30 days", "delays 30 days", "nb retards 30",
    ),
    "nb_retards_60j": (
        "retards 60j", "retards 60 jours", "nombre de retards 60 jours", "retard 60", "arrears 60",
        "late 60 days", "delays 60 days", "nb retards 60",
    ),
    "nb_retards_90j": (
        "retards 90j", "retards 90 jours", "nombre de retards 90 jours", "retard 90", "arrears 90",
        "late 90 days", "delays 90 days", "nb retards 90", "NumberOfTimes90DaysLate",
    ),
    "taux_endettement": ("endettement", "taux d'endettement (%)", "dsr", "dti", "debt service ratio"),
    "ratio_dette_revenu": (
        "dette sur revenu", "ratio dette sur revenu", "debt to income", "debt income ratio",
    ),
    "mensualites_en_cours": (
        "mensualités", "charges de crédit", "autres mensualités", "mensualité autres crédits",
        "other repayments",
    ),
    "encours_autres_dettes": (
        "encours", "autres dettes", "dettes en cours", "encours total", "outstanding debt",
    ),
    "charges_mensuelles": ("charges", "charges du ménage", "dépenses mensuelles", "monthly expenses"),
    "personnes_a_charge": (
        "nb personnes à charge", "nombre de personnes à charge", "dependents", "number of dependents",
        "dependants", "NumberOfDependents",
    ),
    "revenu_complementaire": (
        "autres revenus", "revenus complémentaires", "other income", "additional income",
    ),
    "anciennete_membre_mois": (
        "ancienneté membre", "ancienneté adhésion", "ancienneté client", "membership months",
    ),
    "nb_credits_anterieurs": ("crédits antérieurs", "nombre de crédits antérieurs", "previous loans"),
    "mois_depuis_dernier_credit": ("mois depuis le dernier crédit", "months since last loan"),
    "epargne_moyenne": ("épargne", "solde moyen", "savings", "average balance"),
    "nb_garanties": ("garanties", "number of guarantees", "collaterals"),
    "valeur_garanties": ("valeur garantie", "valeur de la garantie", "collateral value"),
    "secteur": ("activité", "secteur activité", "sector", "industry", "activity"),
    "distance_agence_km": ("distance", "distance agence", "distance (km)", "distance km"),
    "nb_visites_agent": ("visites", "nombre de visites", "visits"),
    "formation_credit": ("formation", "formation crédit", "credit training"),
    "bureau_consulte": ("bureau", "bureau de crédit", "credit bureau"),
    "score_externe_moyen": ("score externe", "external score"),
    "nb_credits_actifs_externes": ("crédits actifs ailleurs", "active loans elsewhere"),
}  # fmt: skip

#: Values of Home Credit's files that are codes of ours under another name.
_FOREIGN_CODES = {
    "situation_familiale": {"civil marriage": "union_libre", "single not married": "celibataire"},
    "type_contrat_travail": {"informal": "Informel", "self employed": "Indépendant"},
}


def dictionary_fields(variables: Iterable[Variable] = tuple(STANDARD.values())) -> list[Field]:
    """Return one field per variable, in their order, worded in the language in force."""
    lang = current_lang()
    return [
        Field(
            name=variable.name,
            label=variable.label(lang),
            kind=_kind(variable),
            unit=variable.unit,
            minimum=variable.minimum,
            maximum=variable.maximum,
            codes=_codes(variable),
            required=variable.required,
            synonyms=(variable.label_fr, variable.label_en, *SYNONYMS.get(variable.name, ())),
            common=variable.type == "category" or variable.name in _COMMON,
            variable=variable,
        )
        for variable in variables
    ]


def _kind(variable: Variable) -> Kind:
    if variable.type == "category":
        return "code"
    if variable.type == "decimal":
        return "decimal"
    return "amount" if variable.unit.startswith("XAF") else "integer"


def _codes(variable: Variable) -> dict[str, str]:
    codes = dict(_FOREIGN_CODES.get(variable.name, {}))
    for category in reversed(variable.categories):  # the first that claims a spelling has it
        for spelling in (category.code, category.label_fr, category.label_en, *category.aliases):
            codes[fold(spelling)] = category.code
    return codes
