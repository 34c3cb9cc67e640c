"""A score told to the person it concerns: short words, facts only, what can be done.

What nobody may be told as a reason (sex, age, family, line of business, agency) has no words here, so that it
cannot be said at all. A fact is the same sentence whether it helped or not: the list it stands in says which.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.engine.contracts import Contribution, Lang, RuleOutcome, Value
from apps.engine.variables import Variable
from apps.engine.wording import FIRM, NARROW, format_value, is_plural, number

MOST_REASONS = 4
MOST_STRENGTHS = 3

#: Words that a client need not know; none of them may stand in a sheet or a letter (tested).
JARGON: Mapping[Lang, tuple[str, ...]] = {
    "fr": (
        "algorithme", "amortissement", "assiette", "aval", "avaliste", "calibration", "champion",
        "contribution",
        "créance", "défaillance", "défaut", "dérogation", "échéance", "éligible", "éligibilité", "encours",
        "endettement", "exposition", "gini", "impayé", "indicateur", "kyc", "log-odds", "mensualité",
        "modèle",
        "nantissement", "pd", "performance", "politique", "portefeuille", "prédiction", "pré-score",
        "probabilité", "profil", "provision", "quotité", "ratio", "recouvrement", "risque", "scoring",
        "segment",
        "seuil", "solvabilité", "statistique", "sûreté", "taux", "teg", "variable",
    ),
    "en": (
        "algorithm", "amortisation", "calibration", "champion", "collateral", "contribution", "counterparty",
        "creditworthiness", "default", "delinquency", "eligibility", "eligible", "exposure", "gini",
        "indebtedness",
        "instalment", "kyc", "log-odds", "model", "outstanding", "override", "pd", "performance", "portfolio",
        "prediction", "probability", "profile", "provision", "ratio", "risk", "scoring", "segment",
        "solvency",
        "statistic", "surety", "threshold", "underwriting", "variable",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """How one variable is told: the fact, that of a value of nothing, of an unknown one, and a way on."""

    fact: str
    none: str = ""
    missing: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class PlainFact:
    """One fact for the client, and what the client can do about it, empty where nothing can be done."""

    code: str
    text: str
    advice: str = ""


def plain_reasons(
    contributions: Iterable[Contribution],
    rules: Iterable[RuleOutcome],
    variables: Mapping[str, Variable],
    lang: Lang,
) -> tuple[PlainFact, ...]:
    """Return at most four facts that counted against the application: broken rules first, then the strongest.

    Facts about one subject are told once. A variable without words of its own is told by its label when the
    institution declared it, and not at all when it may never be a reason.
    """
    broken = [_rule(rule, lang) for rule in rules if rule.verdict == "violee"]
    adverse = sorted((each for each in contributions if each.log_odds > 0), key=lambda each: -each.log_odds)
    told = [*broken, *(_fact(each, variables, lang) for each in adverse)]
    return _distinct(told, MOST_REASONS)


def plain_strengths(
    contributions: Iterable[Contribution], variables: Mapping[str, Variable], lang: Lang
) -> tuple[PlainFact, ...]:
    """Return at most three known facts that spoke for the application, the strongest first."""
    good = sorted((each for each in contributions if each.log_odds < 0), key=lambda each: each.log_odds)
    told = [_fact(each, variables, lang) for each in good if each.value is not None]
    return _distinct(told, MOST_STRENGTHS)


def advice_of(facts: Sequence[PlainFact]) -> tuple[str, ...]:
    """Return what can be done about some facts, each once, in their order."""
    found = dict.fromkeys(fact.advice for fact in facts if fact.advice)
    if any(more in found for more in _ASK_LESS.values()):  # it says the smaller sum already
        found = {each: None for each in found if each not in _SMALLER.values()}
    return tuple(found)


def _distinct(told: Iterable[PlainFact | None], limit: int) -> tuple[PlainFact, ...]:
    subjects: dict[str, PlainFact] = {}
    for fact in told:
        if fact is not None:
            subjects.setdefault(_SUBJECTS.get(fact.code, fact.code), fact)
    return tuple(subjects.values())[:limit]


def _fact(each: Contribution, variables: Mapping[str, Variable], lang: Lang) -> PlainFact | None:
    variable = variables.get(each.variable)
    if each.variable in NEVER_SAID or variable is None or variable.sensitivity:
        return None
    if each.variable in _SAID:
        said = _SAID[each.variable][lang]
        text = _sentence(said, variable, each.value, lang)
        return PlainFact(each.variable, text, said.advice) if text else None
    if variable.source == "officer" or each.value is None:
        return None
    shown = format_value(variable, each.value, lang)
    label = variable.label(lang)
    return PlainFact(each.variable, f"{label}{FIRM}: {shown}." if lang == "fr" else f"{label}: {shown}.")


def _sentence(said: Said, variable: Variable, value: Value, lang: Lang) -> str:
    if value is None:
        return said.missing
    if value == 0 and said.none:
        return said.none
    if variable.type == "category" and (own := _CODES.get((variable.name, str(value)))):
        return own[lang]
    many = isinstance(value, (int, float)) and is_plural(value, lang)
    text = said.fact.replace("{s}", "s" if many else "")
    return text.replace("{value}", format_value(variable, value, lang))


def _rule(rule: RuleOutcome, lang: Lang) -> PlainFact | None:
    if rule.code not in _RULES:
        return None  # the rules on age, which are never a reason that is told
    said = _RULES[rule.code][lang]
    text = said.fact
    for name, figure in (("{value}", rule.value), ("{limit}", rule.limit)):
        text = text.replace(name, _figure(rule.code, figure, lang))
    return PlainFact(rule.code, text, said.advice)


def _figure(code: str, figure: float | None, lang: Lang) -> str:
    if figure is None:
        return ""
    text = number(figure, lang, 1)
    if code == "montant_max":
        return f"{text}{NARROW}FCFA" if lang == "fr" else f"XAF {text}"
    if code == "endettement_max":
        return f"{text}{NARROW}%" if lang == "fr" else f"{text}%"
    return text


#: Never a reason that a client is given: they say nothing of what the client did or can do.
NEVER_SAID = frozenset(
    {
        *("age", "sexe", "situation_familiale", "personnes_a_charge", "secteur"),
        *("distance_agence_km", "nb_visites_agent"),
    }
)
#: Facts that say the same thing twice are told once, under one subject.
_SUBJECTS = {
    **dict.fromkeys(
        ("nb_retards_30j", "nb_retards_60j", "nb_retards_90j", "taux_retard_paiement"), "retards"
    ),
    **dict.fromkeys(("taux_endettement", "endettement_max", "ratio_dette_revenu"), "remboursements"),
    **dict.fromkeys(
        ("mensualites_en_cours", "encours_autres_dettes", "nb_credits_actifs_externes"), "dettes"
    ),
    **dict.fromkeys(("nb_garanties", "valeur_garanties"), "garanties"),
    **dict.fromkeys(("montant_credit", "montant_max"), "montant"),
    **dict.fromkeys(("duree_mois", "duree_max"), "duree"),
    **dict.fromkeys(("moyenne_demandes_precedentes", "moyenne_credits_precedents"), "passe"),
}
_PAY_ON_TIME: dict[Lang, str] = {
    "fr": "Payez vos prêts en cours au jour prévu.",
    "en": "Pay your current loans on the agreed day.",
}
_ASK_LESS: dict[Lang, str] = {
    "fr": "Demandez une somme plus petite, ou finissez d'abord de payer un autre prêt.",
    "en": "Ask for a smaller sum, or first finish paying another loan.",
}
_SMALLER: dict[Lang, str] = {
    "fr": "Vous pouvez demander une somme plus petite.",
    "en": "You can ask for a smaller sum.",
}
_BRING_GUARANTEE: dict[Lang, str] = {
    "fr": "Apportez une garantie, ou une personne qui s'engage avec vous.",
    "en": "Bring a guarantee, or a person who stands with you.",
}
_CHECK_DATA: dict[Lang, str] = {
    "fr": "Demandez à voir ces données. Si elles sont fausses, faites-les changer.",
    "en": "Ask to see these data. If they are wrong, have them changed.",
}


def _late(days: int) -> dict[Lang, Said]:
    return {
        "fr": Said(
            f"Vous avez payé {{value}} fois avec {days} jours de retard ou plus.",
            f"Vous n'avez jamais payé avec {days} jours de retard.",
            "Nous ne savons pas comment vous avez payé vos prêts passés.",
            _PAY_ON_TIME["fr"],
        ),
        "en": Said(
            f"You paid {days} days late or more, {{value}} time{{s}}.",
            f"You never paid {days} days late.",
            "We do not know how you paid your past loans.",
            _PAY_ON_TIME["en"],
        ),
    }


# fmt: off
_SAID: dict[str, dict[Lang, Said]] = {
    "revenu_mensuel": {
        "fr": Said("Votre revenu est de {value} par mois.", "Vous n'avez pas déclaré de revenu.",
                   "Nous ne connaissons pas votre revenu.", "Apportez une preuve de tous vos revenus."),
        "en": Said("You earn {value} a month.", "You did not tell us what you earn.",
                   "We do not know what you earn.", "Bring a proof of all that you earn."),
    },
    "revenu_complementaire": {
        "fr": Said("Vous avez un autre revenu de {value} par mois.", "Vous n'avez pas déclaré d'autre"
          " revenu.",
                   "", "Si vous avez un autre revenu, apportez une preuve."),
        "en": Said("You have another income of {value} a month.", "You did not tell us of another income.",
                   "", "If you have another income, bring a proof of it."),
    },
    "type_contrat_travail": {
        "fr": Said("Votre forme de travail : {value}.", "", "Nous ne savons pas comment vous travaillez.",
                   "Apportez votre contrat, ou votre cahier de recettes et de dépenses."),
        "en": Said("How you work: {value}.", "", "We do not know how you work.",
                   "Bring your contract, or your book of sales and costs."),
    },
    "anciennete_travail_mois": {
        "fr": Said("Vous faites ce travail depuis {value}.", "Vous venez de commencer ce travail.",
                   "Nous ne savons pas depuis quand vous faites ce travail.",
                   "Montrez-nous depuis quand vous faites ce travail."),
        "en": Said("You have done this work for {value}.", "You have just started this work.",
                   "We do not know when you started this work.", "Show us when you started this work."),
    },
    "montant_credit": {
        "fr": Said("Vous demandez {value}.", "", "", _SMALLER["fr"]),
        "en": Said("You ask for {value}.", "", "", _SMALLER["en"]),
    },
    "duree_mois": {
        "fr": Said("Vous voulez rendre l'argent en {value}.", "", "",
                   "Parlez d'une autre durée avec votre agent."),
        "en": Said("You want to pay back in {value}.", "", "", "Talk with your officer about another"
          " length."),
    },
    "taux_interet": {
        "fr": Said("Le prêt coûte {value} d'intérêt par an.", "Le prêt est sans intérêt."),
        "en": Said("The loan costs {value} of interest a year.", "The loan bears no interest."),
    },
    "type_credit": {
        "fr": Said("Vous demandez un prêt de ce type : {value}."),
        "en": Said("You ask for a loan of this kind: {value}."),
    },
    "nb_retards_30j": _late(30),
    "nb_retards_60j": _late(60),
    "nb_retards_90j": _late(90),
    "taux_retard_paiement": {
        "fr": Said("Vous avez payé en retard {value} de vos remboursements passés.",
                   "Vous avez payé tous vos prêts passés à temps.",
                   "Nous ne savons pas comment vous avez payé vos prêts passés.", _PAY_ON_TIME["fr"]),
        "en": Said("You paid {value} of your past payments late.", "You paid all your past loans on time.",
                   "We do not know how you paid your past loans.", _PAY_ON_TIME["en"]),
    },
    "taux_endettement": {
        "fr": Said("Avec ce prêt, {value} de votre revenu irait à vos prêts.", "",
                   "Sans votre revenu, nous ne savons pas ce que vous pouvez payer.", _ASK_LESS["fr"]),
        "en": Said("With this loan, {value} of what you earn would go to your loans.", "",
                   "We do not know what you earn, so we cannot tell what you can pay.", _ASK_LESS["en"]),
    },
    "ratio_dette_revenu": {
        "fr": Said("Avec ce prêt, vous devriez {value} fois votre revenu d'une année.", "",
                   "Sans votre revenu, nous ne savons pas ce que vous pouvez payer.", _ASK_LESS["fr"]),
        "en": Said("With this loan, you would owe {value} times what you earn in a year.", "",
                   "We do not know what you earn, so we cannot tell what you can pay.", _ASK_LESS["en"]),
    },
    "mensualites_en_cours": {
        "fr": Said("Vous payez déjà {value} par mois pour d'autres prêts.", "Vous ne payez aucun autre prêt.",
                   "Nous ne savons pas ce que vous payez pour d'autres prêts.", _ASK_LESS["fr"]),
        "en": Said("You already pay {value} a month for other loans.", "You pay for no other loan.",
                   "We do not know what you pay for other loans.", _ASK_LESS["en"]),
    },
    "encours_autres_dettes": {
        "fr": Said("Vous devez encore {value} ailleurs.", "Vous n'avez pas d'autre dette.",
                   "Nous ne savons pas ce que vous devez ailleurs.", _ASK_LESS["fr"]),
        "en": Said("You still owe {value} elsewhere.", "You have no other debt.",
                   "We do not know what you owe elsewhere.", _ASK_LESS["en"]),
    },
    "nb_credits_actifs_externes": {
        "fr": Said("Vous avez {value} prêt{s} en cours ailleurs.", "Vous n'avez aucun prêt ailleurs.",
                   "", _ASK_LESS["fr"]),
        "en": Said("You have {value} loan{s} elsewhere.", "You have no loan elsewhere.", "", _ASK_LESS["en"]),
    },
    "charges_mensuelles": {
        "fr": Said("Vos dépenses sont de {value} par mois.", "Vous n'avez pas déclaré de dépense.",
                   "Nous ne connaissons pas vos dépenses du mois.", "Notez vos dépenses et"
                     " montrez-les-nous."),
        "en": Said("You spend {value} a month.", "You did not tell us what you spend.",
                   "We do not know what you spend in a month.", "Write down what you spend and show it to"
                     " us."),
    },
    "anciennete_membre_mois": {
        "fr": Said("Vous êtes membre chez nous depuis {value}.", "Vous venez de devenir membre chez nous."),
        "en": Said("You have been a member here for {value}.", "You have just become a member here."),
    },
    "nb_credits_anterieurs": {
        "fr": Said("Vous avez déjà eu {value} prêt{s} chez nous.", "C'est votre premier prêt chez nous.",
                   "", "Un petit prêt bien payé vous aidera pour la suite."),
        "en": Said("You have already had {value} loan{s} with us.", "This is your first loan with us.",
                   "", "A small loan paid well will help you later."),
    },
    "mois_depuis_dernier_credit": {
        "fr": Said("Votre dernier prêt date d'il y a {value}.", "Votre dernier prêt est tout récent.",
                   "Nous ne voyons pas de prêt passé chez nous."),
        "en": Said("Your last loan was {value} ago.", "Your last loan is very recent.",
                   "We see no past loan with us."),
    },
    "epargne_moyenne": {
        "fr": Said("Vous avez en moyenne {value} d'épargne chez nous.", "Vous n'avez pas d'épargne chez"
          " nous.",
                   "Nous ne connaissons pas votre épargne.", "Mettez un peu de côté chaque mois."),
        "en": Said("You have savings of {value} with us on average.", "You have no savings with us.",
                   "We do not know your savings.", "Put a little aside each month."),
    },
    "nb_garanties": {
        "fr": Said("Vous apportez {value} garantie{s}.", "Vous n'apportez pas de garantie.",
                   "Nous ne connaissons pas vos garanties.", _BRING_GUARANTEE["fr"]),
        "en": Said("You bring {value} guarantee{s}.", "You bring no guarantee.",
                   "We do not know your guarantees.", _BRING_GUARANTEE["en"]),
    },
    "valeur_garanties": {
        "fr": Said("Vos garanties valent {value}.", "Vos garanties n'ont pas encore de valeur connue.",
                   "Nous ne connaissons pas vos garanties.", _BRING_GUARANTEE["fr"]),
        "en": Said("Your guarantees are worth {value}.", "Your guarantees have no known worth yet.",
                   "We do not know your guarantees.", _BRING_GUARANTEE["en"]),
    },
    "formation_credit": {
        "fr": Said("", "", "", "Demandez le jour de la prochaine formation."),
        "en": Said("", "", "", "Ask for the day of the next training."),
    },
    "bureau_consulte": {
        "fr": Said("", "", "", _CHECK_DATA["fr"]),
        "en": Said("", "", "", _CHECK_DATA["en"]),
    },
    "score_externe_moyen": {
        "fr": Said("D'autres prêteurs vous donnent la note de {value}.", "", "", _CHECK_DATA["fr"]),
        "en": Said("Other lenders give you the mark of {value}.", "", "", _CHECK_DATA["en"]),
    },
    "moyenne_demandes_precedentes": {
        "fr": Said("Vos demandes passées étaient de {value} en moyenne."),
        "en": Said("Your past requests were for {value} on average."),
    },
    "moyenne_credits_precedents": {
        "fr": Said("Vos prêts passés étaient de {value} en moyenne."),
        "en": Said("Your past loans were of {value} on average."),
    },
}
#: Codes of lists that have their own sentence.
_CODES: dict[tuple[str, str], dict[Lang, str]] = {
    ("type_contrat_travail", "CDI"): {
        "fr": "Votre contrat de travail n'a pas de date de fin.", "en": "Your work contract has no end"
          " date."},
    ("type_contrat_travail", "CDD"): {
        "fr": "Votre contrat de travail a une date de fin.", "en": "Your work contract has an end date."},
    ("type_contrat_travail", "Informel"): {
        "fr": "Vous travaillez sans contrat écrit.", "en": "You work without a written contract."},
    ("type_contrat_travail", "Indépendant"): {
        "fr": "Vous travaillez à votre compte.", "en": "You work for yourself."},
    ("formation_credit", "oui"): {
        "fr": "Vous avez suivi notre formation sur le prêt.", "en": "You took our training on loans."},
    ("formation_credit", "non"): {
        "fr": "Vous n'avez pas suivi notre formation sur le prêt.", "en": "You did not take our training"
          " on loans."},
    ("bureau_consulte", "oui"): {
        "fr": "D'autres prêteurs nous ont parlé de vos prêts.", "en": "Other lenders told us of your loans."},
    ("bureau_consulte", "non"): {
        "fr": "Aucun autre prêteur ne nous a parlé de vos prêts.", "en": "No other lender told us of your"
          " loans."},
}
_RULES: dict[str, dict[Lang, Said]] = {
    "endettement_max": {
        "fr": Said("Avec ce prêt, {value} de votre revenu irait à vos prêts. Notre limite est de {limit}.",
                   advice=_ASK_LESS["fr"]),
        "en": Said("With this loan, {value} of what you earn would go to your loans. Our limit is {limit}.",
                   advice=_ASK_LESS["en"]),
    },
    "montant_max": {
        "fr": Said("Vous demandez {value}. Pour ce type de prêt, notre limite est de {limit}.",
                   advice=_SMALLER["fr"]),
        "en": Said("You ask for {value}. For this kind of loan, our limit is {limit}.",
                   advice=_SMALLER["en"]),
    },
    "duree_max": {
        "fr": Said("Vous voulez rendre l'argent en {value} mois. Pour ce type de prêt, notre limite est de"
                   " {limit} mois.", advice="Vous pouvez choisir une durée plus courte."),
        "en": Said("You want to pay back in {value} months. For this kind of loan, our limit is {limit}"
          " months.",
                   advice="You can choose a shorter length."),
    },
    "interdiction_credit": {
        "fr": Said("Une note de votre dossier nous interdit de vous prêter pour le moment.",
                   advice=_CHECK_DATA["fr"]),
        "en": Said("A note in your file forbids us to lend to you for now.", advice=_CHECK_DATA["en"]),
    },
    "arrieres_en_cours": {
        "fr": Said("Un de vos prêts a {value} jours de retard. Notre limite est de {limit} jours.",
                   advice=_PAY_ON_TIME["fr"]),
        "en": Said("One of your loans is {value} days late. Our limit is {limit} days.",
                   advice=_PAY_ON_TIME["en"]),
    },
    "doublon_probable": {
        "fr": Said("Votre dossier ressemble à un autre. Nous devons le vérifier.",
                   advice="Venez avec votre pièce d'identité."),
        "en": Said("Your file looks like another one. We have to check it.", advice="Come with your"
          " identity card."),
    },
    "consentement": {
        "fr": Said("Nous n'avons pas votre accord pour lire vos données.",
                   advice="Venez signer votre accord à l'agence."),
        "en": Said("We do not have your consent to read your data.", advice="Come to the branch to sign it."),
    },
}
# fmt: on

#: The usual motives of a decision, by their codes: what they mean for a client. A full stop ends a sentence;
#: those without one end the sentence that a letter begins.
_MOTIVES: dict[str, dict[Lang, str]] = {
    "capacite_insuffisante": {
        "fr": "Après vos dépenses et vos prêts, il vous reste trop peu pour payer celui-ci.",
        "en": "After what you spend and your loans, too little is left to pay this one.",
    },
    "retards_recents": {
        "fr": "Vous avez payé en retard il y a peu.",
        "en": "You paid late not long ago.",
    },
    "endettement_eleve": {
        "fr": "Vous avez déjà trop de dettes à payer.",
        "en": "You already have too many debts to pay.",
    },
    "garantie_insuffisante": {
        "fr": "Votre garantie ne suffit pas pour ce prêt.",
        "en": "Your guarantee is not enough for this loan.",
    },
    "hors_politique": {
        "fr": "Votre demande sort de nos règles de prêt.",
        "en": "Your request is outside our rules for loans.",
    },
    "non_verifiable": {
        "fr": "Nous n'avons pas pu vérifier tout ce que vous nous avez dit.",
        "en": "We could not check all that you told us.",
    },
    "garantie_a_constituer": {
        "fr": "une garantie à donner avant de toucher l'argent",
        "en": "a guarantee to give before you get the money",
    },
    "piece_a_fournir": {
        "fr": "une pièce à donner avant de toucher l'argent",
        "en": "a paper to give before you get the money",
    },
    "complement_attendu": {
        "fr": "Nous attendons encore une réponse ou une pièce de vous.",
        "en": "We still wait for an answer or a paper from you.",
    },
    "visite_a_faire": {
        "fr": "Un agent doit encore vous rendre visite.",
        "en": "An officer still has to visit you.",
    },
    "montant_plus_bas": {
        "fr": "Une somme plus petite sera plus facile à rendre.",
        "en": "A smaller sum will be easier to pay back.",
    },
    "duree_adaptee": {
        "fr": "Une autre durée vous laissera plus d'argent chaque mois.",
        "en": "Another length will leave you more money each month.",
    },
}


def motive_text(code: str, lang: Lang) -> str:
    """Return a usual motive in plain words; empty for a motive that an institution added."""
    return _MOTIVES[code][lang] if code in _MOTIVES else ""
