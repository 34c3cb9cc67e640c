"""The variable dictionary, read by every model, form, import and API check.

To add a standard variable, add one ``Variable(...)`` entry to ``_ENTRIES``; nothing else lists them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from apps.engine.cleaning import Cleaned, Problem, clean, parse
from apps.engine.contracts import Value
from apps.engine.variables import (
    Category,
    Variable,
    VariableRefused,
    Wording,
    declare,
    fold,
    forbidden_subject,
    from_dict,
    refuse_forbidden_origin,
)

__all__ = [
    "PREDICT_VARIABLES",
    "STANDARD",
    "Category",
    "Cleaned",
    "Dictionary",
    "Problem",
    "Variable",
    "VariableRefused",
    "Wording",
    "declare",
    "fold",
    "forbidden_subject",
    "from_dict",
    "parse",
    "refuse_forbidden_origin",
]

PREDICT_VARIABLES = (
    "age",
    "sexe",
    "situation_familiale",
    "revenu_mensuel",
    "type_contrat_travail",
    "anciennete_travail_mois",
    "montant_credit",
    "duree_mois",
    "taux_interet",
    "type_credit",
    "nb_retards_30j",
    "nb_retards_60j",
    "nb_retards_90j",
    "taux_endettement",
    "ratio_dette_revenu",
)
"""The fifteen variables of the scoring contract, in its order; others are optional beside them."""


class Dictionary(Mapping[str, Variable]):
    """Variables by name, in order. Immutable: ``extended`` and ``with_categories`` give a new one."""

    def __init__(self, variables: Iterable[Variable]) -> None:
        """Declare ``variables``; raises VariableRefused for a malformed, forbidden or repeated one."""
        self._by_name: dict[str, Variable] = {}
        for variable in variables:
            if variable.name in self._by_name:
                raise VariableRefused(f"variable {variable.name!r} is declared twice")
            self._by_name[variable.name] = declare(variable)

    def __getitem__(self, name: str) -> Variable:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def modelling(self) -> tuple[Variable, ...]:
        """Variables a default model may use: all but those kept for fairness only."""
        return tuple(variable for variable in self.values() if variable.sensitivity != "fairness")

    def extended(self, *variables: Variable) -> "Dictionary":
        """Give this dictionary with an institution's own variables after the standard ones.

        Raises VariableRefused as the constructor does; those that are here already are not checked again.
        """
        added = Dictionary(variables)
        for name in added:
            if name in self:
                raise VariableRefused(f"variable {name!r} is declared twice")
        return self._of({**self._by_name, **added._by_name})

    def without(self, names: Collection[str]) -> "Dictionary":
        """Give this dictionary without some of its variables."""
        return self._of({name: variable for name, variable in self.items() if name not in names})

    @classmethod
    def _of(cls, declared: dict[str, Variable]) -> "Dictionary":
        """Give a dictionary of variables that were declared before."""
        dictionary = cls(())
        dictionary._by_name = declared
        return dictionary

    def with_categories(self, name: str, *categories: Category) -> "Dictionary":
        """Give this dictionary with more codes for one category (an institution's own credit types)."""
        return Dictionary(
            _with_codes(variable, categories) if variable.name == name else variable
            for variable in self.values()
        )

    def clean(self, raw: Mapping[str, object]) -> Cleaned:
        """Check what was sent: types, ranges, lists, required and unknown fields.

        Integers accept ``12``, ``12.0``, ``"12"`` and ``"1 500 000"``, never a boolean, a fraction, NaN or an
        infinity; codes are matched without case or accents and given back canonical. ``None`` and empty text
        are missing: such fields are absent from ``values``, which holds what is known, in dictionary order.
        Problems never raise; ``warnings`` may hold ``retards_incoherents``.
        """
        return clean(self._by_name, raw)

    def known(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Keep the non-missing ``values`` of this dictionary, in its order."""
        return {name: values[name] for name in self if values.get(name) is not None}


def _with_codes(variable: Variable, categories: tuple[Category, ...]) -> Variable:
    kept = {field: getattr(variable, field) for field in Variable.__dataclass_fields__}
    return Variable(**{**kept, "categories": (*variable.categories, *categories)})


_YES_NO = (
    Category("oui", "Oui", "Yes", ("true", "vrai", "o", "y")),
    Category("non", "Non", "No", ("false", "faux", "n")),
)


def _arrears(days: int) -> Variable:
    late = f"d'au moins {days} jours"
    return Variable(
        f"nb_retards_{days}j", "integer", f"Retards {late}", f"Delays of {days} days or more", "count",
        0, 200, direction="up",
        wording=Wording(
            f"Le nombre de retards {late}", "m",
            f"{{value}} retard{{s}} {late} sur les crédits précédents",
            f"{{value}} delay{{s}} of {days} days or more on previous loans",
            f"Aucun retard {late} sur les crédits précédents",
            f"No delay of {days} days or more on previous loans",
            f"Le nombre de retards {late} n'est pas connu, par exemple pour un premier crédit",
            f"The number of delays of {days} days or more is not known, as for a first loan",
        ),
    )  # fmt: skip


# One entry a variable, laid out by hand: name, type, labels, unit, range, then what is particular.
# fmt: off
_ENTRIES = (
    Variable(
        "age", "integer", "Âge", "Age", "years", 18, 80, required=True, missing="refused",
        wording=Wording("L'âge", "m", "L'âge est de {value}", "The age is {value}"),
    ),
    Variable(
        "sexe", "category", "Sexe", "Sex", sensitivity="fairness",
        categories=(
            Category("F", "Femme", "Female", ("féminin", "woman", "fille")),
            Category("M", "Homme", "Male", ("masculin", "man", "h")),
        ),
        wording=Wording("Le sexe", "m", "Le sexe déclaré est « {value} »", "The recorded sex is “{value}”"),
    ),
    Variable(
        "situation_familiale", "category", "Situation matrimoniale", "Marital status", sensitivity="fairness",
        categories=(
            Category("celibataire", "Célibataire", "Single", ("non marié", "non mariée", "unmarried")),
            Category("marie", "Marié(e)", "Married", ("mariée", "marié")),
            Category("union_libre", "Union libre", "Living together", ("concubinage", "en couple")),
            Category("divorce", "Divorcé(e)", "Divorced", ("divorcée", "séparé", "séparée", "separated")),
            Category("veuf", "Veuf ou veuve", "Widowed", ("veuve", "widow", "widower")),
        ),
        wording=Wording(
            "La situation familiale", "f",
            "La situation familiale est « {value} »", "The family situation is “{value}”",
        ),
    ),
    Variable(
        "revenu_mensuel", "integer", "Revenu mensuel", "Monthly income", "XAF_per_month", 0, 100_000_000,
        direction="down",
        wording=Wording(
            "Le revenu mensuel", "m",
            "Le revenu mensuel est de {value}", "The monthly income is {value}",
            "Aucun revenu mensuel n'est déclaré", "No monthly income is declared",
        ),
    ),
    Variable(
        "type_contrat_travail", "category", "Forme d'emploi", "Employment type",
        categories=(
            Category("CDI", "CDI", "Permanent contract", ("contrat à durée indéterminée", "permanent")),
            Category("CDD", "CDD", "Fixed-term contract", ("contrat à durée déterminée", "fixed term")),
            Category("Informel", "Informel", "Informal", ("informelle", "secteur informel", "informal work")),
            Category(
                "Indépendant", "Indépendant", "Self-employed",
                ("indépendante", "travailleur indépendant", "à son compte", "independent"),
            ),
        ),
        wording=Wording(
            "La forme d'emploi", "f",
            "La forme d'emploi est « {value} »", "The employment type is “{value}”",
        ),
    ),
    Variable(
        "anciennete_travail_mois", "integer", "Ancienneté dans le travail", "Time in current work", "months",
        0, 720, direction="down",
        wording=Wording(
            "L'ancienneté dans le travail", "f",
            "L'ancienneté dans le travail est de {value}", "The time in current work is {value}",
            "Le travail actuel vient de commencer", "The current work has just started",
        ),
    ),
    Variable(
        "montant_credit", "integer", "Montant du crédit", "Loan amount", "XAF", 10_000, 500_000_000,
        direction="up", required=True, missing="refused",
        wording=Wording(
            "Le montant du crédit", "m",
            "Le montant demandé est de {value}", "The amount requested is {value}",
        ),
    ),
    Variable(
        "duree_mois", "integer", "Durée du crédit", "Loan term", "months", 1, 120,
        direction="up", required=True, missing="refused",
        wording=Wording("La durée du crédit", "f", "Le crédit dure {value}", "The loan runs for {value}"),
    ),
    Variable(
        "taux_interet", "decimal", "Taux d'intérêt annuel", "Yearly interest rate", "percent_per_year",
        0, 120, direction="up", required=True, missing="refused",
        wording=Wording(
            "Le taux d'intérêt", "m",
            "Le taux d'intérêt est de {value} par an", "The interest rate is {value} a year",
            "Le crédit est sans intérêt", "The loan bears no interest",
        ),
    ),
    Variable(
        "type_credit", "category", "Type de crédit", "Loan type", required=True, missing="refused",
        categories=(
            Category("fonds_de_roulement", "Fonds de roulement", "Working capital", ("fdr", "trésorerie")),
            Category("consommation", "Consommation", "Consumer", ("crédit à la consommation", "consumption")),
            Category("scolaire", "Scolaire", "School fees", ("crédit scolaire", "school", "education")),
            Category("agricole", "Agricole", "Agricultural", ("crédit agricole", "agriculture", "farming")),
            Category("equipement", "Équipement", "Equipment", ("crédit équipement", "investissement")),
            Category("habitat", "Habitat", "Housing", ("crédit habitat", "logement", "immobilier")),
        ),
        wording=Wording(
            "Le type de crédit", "m",
            "Le crédit demandé est de type « {value} »", "The loan requested is of type “{value}”",
        ),
    ),
    _arrears(30),
    _arrears(60),
    _arrears(90),
    Variable(
        "taux_endettement", "decimal", "Taux d'endettement", "Debt service ratio", "percent", 0, 300,
        direction="up", missing="computed", source="computed",
        wording=Wording(
            "Le taux d'endettement", "m",
            "Avec ce crédit, {value} du revenu irait aux remboursements",
            "With this loan, {value} of income would go to repayments",
            "", "",
            "Le taux d'endettement ne peut pas être calculé sans le revenu",
            "The debt service ratio cannot be computed without the income",
        ),
    ),
    Variable(
        "ratio_dette_revenu", "decimal", "Dette rapportée au revenu annuel", "Debt to yearly income",
        "fraction", 0, 20, direction="up", missing="computed", source="computed",
        wording=Wording(
            "Le rapport entre dette et revenu annuel", "m",
            "Avec ce crédit, les dettes atteindraient {value} fois le revenu d'une année",
            "With this loan, debts would reach {value} times one year of income",
            "", "",
            "Le rapport entre dette et revenu ne peut pas être calculé sans le revenu",
            "The debt to income ratio cannot be computed without the income",
        ),
    ),
    Variable(
        "mensualites_en_cours", "integer", "Mensualités en cours", "Current monthly repayments",
        "XAF_per_month", 0, 100_000_000, direction="up",
        wording=Wording(
            "Les mensualités en cours", "fp",
            "Les autres crédits demandent {value} par mois", "Other loans take {value} a month",
            "Aucune mensualité d'un autre crédit n'est en cours", "No other loan is being repaid",
        ),
    ),
    Variable(
        "encours_autres_dettes", "integer", "Encours des autres dettes", "Outstanding other debts",
        "XAF", 0, 1_000_000_000, direction="up",
        wording=Wording(
            "L'encours des autres dettes", "m",
            "Les autres dettes s'élèvent à {value}", "Other debts amount to {value}",
            "Aucune autre dette n'est en cours", "There is no other outstanding debt",
        ),
    ),
    Variable(
        "charges_mensuelles", "integer", "Charges mensuelles", "Monthly household expenses",
        "XAF_per_month", 0, 100_000_000, direction="up",
        wording=Wording(
            "Les charges mensuelles", "fp",
            "Les charges du ménage sont de {value} par mois", "Household expenses are {value} a month",
            "Aucune charge mensuelle n'est déclarée", "No household expense is declared",
        ),
    ),
    Variable(
        "personnes_a_charge", "integer", "Personnes à charge", "Dependants", "count", 0, 40, direction="up",
        wording=Wording(
            "Le nombre de personnes à charge", "m",
            "Le ménage compte {value} personne{s} à charge", "The household has {value} dependant{s}",
            "Le ménage ne compte aucune personne à charge", "The household has no dependant",
        ),
    ),
    Variable(
        "revenu_complementaire", "integer", "Revenu complémentaire", "Complementary income",
        "XAF_per_month", 0, 100_000_000, direction="down",
        wording=Wording(
            "Le revenu complémentaire", "m",
            "Un revenu complémentaire de {value} par mois s'ajoute au revenu principal",
            "A complementary income of {value} a month adds to the main one",
            "Aucun revenu complémentaire n'est déclaré", "No complementary income is declared",
        ),
    ),
    Variable(
        "anciennete_membre_mois", "integer", "Ancienneté comme membre", "Membership time", "months", 0, 720,
        direction="down",
        wording=Wording(
            "L'ancienneté comme membre", "f",
            "Le client est membre depuis {value}", "The client has been a member for {value}",
            "Le client vient de devenir membre", "The client has just become a member",
        ),
    ),
    Variable(
        "nb_credits_anterieurs", "integer", "Crédits antérieurs chez nous", "Previous loans with us",
        "count", 0, 200, direction="down",
        wording=Wording(
            "Le nombre de crédits antérieurs", "m",
            "Le client a déjà eu {value} crédit{s} dans l'institution",
            "The client has already had {value} loan{s} with the institution",
            "C'est le premier crédit dans l'institution", "This is the first loan with the institution",
        ),
    ),
    Variable(
        "mois_depuis_dernier_credit", "integer", "Temps depuis le dernier crédit", "Time since the last loan",
        "months", 0, 720,
        wording=Wording(
            "Le temps depuis le dernier crédit", "m",
            "Le dernier crédit remonte à {value}", "The last loan was {value} ago",
            "Le dernier crédit date de moins d'un mois", "The last loan was less than a month ago",
        ),
    ),
    Variable(
        "epargne_moyenne", "integer", "Épargne moyenne", "Average savings", "XAF", 0, 1_000_000_000,
        direction="down",
        wording=Wording(
            "L'épargne moyenne", "f",
            "L'épargne moyenne est de {value}", "The average savings are {value}",
            "Aucune épargne n'est constatée", "There are no savings",
        ),
    ),
    Variable(
        "nb_garanties", "integer", "Nombre de garanties", "Number of guarantees", "count", 0, 50,
        direction="down",
        wording=Wording(
            "Le nombre de garanties", "m",
            "{value} garantie{s} accompagne{nt} la demande",
            "The application comes with {value} guarantee{s}",
            "Aucune garantie n'accompagne la demande", "The application comes without a guarantee",
        ),
    ),
    Variable(
        "valeur_garanties", "integer", "Valeur des garanties", "Value of guarantees", "XAF", 0, 5_000_000_000,
        direction="down",
        wording=Wording(
            "La valeur des garanties", "f",
            "Les garanties valent {value}", "Guarantees are worth {value}",
            "Les garanties n'ont pas de valeur retenue", "Guarantees have no retained value",
        ),
    ),
    Variable(
        "secteur", "category", "Secteur d'activité", "Line of business",
        categories=(
            Category("commerce", "Commerce", "Trade", ("commerçant", "commerçante", "vente")),
            Category("agriculture", "Agriculture", "Farming", ("agriculteur", "agricultrice", "cultivateur")),
            Category("elevage_peche", "Élevage et pêche", "Livestock and fishing", ("élevage", "pêche")),
            Category("moto_taxi", "Moto-taxi", "Motorbike taxi", ("bendskin", "moto")),
            Category("transport", "Transport", "Transport", ("taxi", "chauffeur")),
            Category("artisanat", "Artisanat", "Crafts", ("artisan", "couture", "menuiserie")),
            Category("restauration", "Restauration", "Food service", ("restaurant", "traiteur")),
            Category("btp", "Bâtiment et travaux publics", "Construction", ("bâtiment", "maçonnerie")),
            Category("enseignement", "Enseignement", "Teaching", ("enseignant", "enseignante")),
            Category("fonction_publique", "Fonction publique", "Public service", ("fonctionnaire",)),
            Category("industrie", "Industrie", "Manufacturing"),
            Category("services", "Services", "Services", ("prestation de services",)),
            Category("autre", "Autre", "Other", ("autres",)),
        ),
        wording=Wording(
            "Le secteur d'activité", "m",
            "Le secteur d'activité est « {value} »", "The line of business is “{value}”",
        ),
    ),
    Variable(
        "distance_agence_km", "decimal", "Distance à l'agence", "Distance to the branch", "km", 0, 2_000,
        direction="up",
        wording=Wording(
            "La distance à l'agence", "f",
            "L'agence est à {value}", "The branch is {value} away",
            "L'agence est sur place", "The branch is on the spot",
        ),
    ),
    Variable(
        "nb_visites_agent", "integer", "Visites de l'agent", "Officer visits", "count", 0, 200,
        source="officer",
        wording=Wording(
            "Le nombre de visites de l'agent", "m",
            "L'agent a fait {value} visite{s}", "The officer made {value} visit{s}",
            "L'agent n'a fait aucune visite", "The officer made no visit",
        ),
    ),
    Variable(
        "formation_credit", "category", "Formation au crédit suivie", "Credit training taken",
        categories=_YES_NO, source="officer",
        wording=Wording(
            "La formation au crédit", "f",
            "Pour la formation au crédit, la réponse est « {value} »",
            "For credit training, the answer is “{value}”",
        ),
    ),
    Variable(
        "bureau_consulte", "category", "Connu du bureau de crédit", "Known to the credit bureau",
        categories=_YES_NO, source="bureau",
        wording=Wording(
            "La présence au bureau de crédit", "f",
            "Pour la présence au bureau de crédit, la réponse est « {value} »",
            "For presence at the credit bureau, the answer is “{value}”",
        ),
    ),
    Variable(
        "score_externe_moyen", "decimal", "Score externe moyen", "Average external score", "", 0, 1_000,
        direction="down", source="bureau",
        wording=Wording(
            "Le score externe moyen", "m",
            "Le score externe moyen est de {value}", "The average external score is {value}",
        ),
    ),
    Variable(
        "nb_credits_actifs_externes", "integer", "Crédits actifs ailleurs", "Active loans elsewhere",
        "count", 0, 100, direction="up", source="bureau",
        wording=Wording(
            "Le nombre de crédits actifs ailleurs", "m",
            "Le client a {value} crédit{s} en cours ailleurs",
            "The client has {value} active loan{s} elsewhere",
            "Le client n'a aucun crédit en cours ailleurs", "The client has no active loan elsewhere",
        ),
    ),
    Variable(
        "moyenne_demandes_precedentes", "integer", "Moyenne des demandes précédentes",
        "Average of previous applications", "XAF", 0, 500_000_000,
        wording=Wording(
            "La moyenne des demandes précédentes", "f",
            "Les demandes précédentes étaient en moyenne de {value}",
            "Previous applications averaged {value}",
        ),
    ),
    Variable(
        "moyenne_credits_precedents", "integer", "Moyenne des crédits précédents",
        "Average of previous loans", "XAF", 0, 500_000_000,
        wording=Wording(
            "La moyenne des crédits précédents", "f",
            "Les crédits précédents étaient en moyenne de {value}", "Previous loans averaged {value}",
        ),
    ),
    Variable(
        "taux_retard_paiement", "decimal", "Part des échéances payées en retard", "Share of late payments",
        "percent", 0, 100, direction="up",
        wording=Wording(
            "La part des échéances payées en retard", "f",
            "{value} des échéances passées ont été payées en retard",
            "{value} of past instalments were paid late",
            "Aucune échéance passée n'a été payée en retard", "No past instalment was paid late",
        ),
    ),
)
# fmt: on

STANDARD = Dictionary(_ENTRIES)
"""The dictionary every institution starts from."""
