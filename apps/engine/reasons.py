"""What people read about a score: sentences for factors, rules and warnings, in French and English."""

import datetime as dt
from collections.abc import Mapping

from apps.engine.contracts import Band, Contribution, Lang, Recommendation, RuleOutcome, ScoringResult, Value
from apps.engine.dictionary import STANDARD, Variable
from apps.engine.wording import (
    FIRM,
    NARROW,
    agree,
    format_value,
    is_plural,
    number,
    plural_subject,
    quoted,
    subject,
)

_EFFECT = {
    "fr": {1: f"{FIRM}: cela augmente le risque.", -1: f"{FIRM}: cela réduit le risque."},
    "en": {1: ": this raises the risk.", -1: ": this lowers the risk."},
}
_NO_EFFECT = {"fr": f"{FIRM}: cela ne change pas le risque.", "en": ": this does not change the risk."}


def strongest(
    result: ScoringResult, recommendation: Recommendation, limit: int = 6
) -> tuple[Contribution, ...]:
    """Give at most ``limit`` factors, strongest first; adverse ones first when the advice is not to grant."""
    moving = [contribution for contribution in result.contributions if contribution.log_odds]
    chosen = sorted(moving, key=lambda c: -abs(c.log_odds))[:limit]
    if recommendation != "accorder":
        chosen.sort(key=lambda c: c.log_odds <= 0)
    return tuple(chosen)


def adverse_reasons(result: ScoringResult, limit: int = 4) -> tuple[Contribution, ...]:
    """Give what counted against the application, strongest first: the reasons owed to who is refused."""
    adverse = [contribution for contribution in result.contributions if contribution.log_odds > 0]
    return tuple(sorted(adverse, key=lambda c: -c.log_odds)[:limit])


def sentence(variable: Variable, value: Value, log_odds: float, lang: Lang) -> str:
    """Say one factor in a sentence: the fact, then which way it moves the risk (positive = more risk).

    A variable without its own wording (an institution's own, or one read from a model folder) borrows that
    of the standard variable of the same name, else gets a generic sentence from its label.
    """
    standard = STANDARD.get(variable.name)
    if not variable.wording.fact_fr and standard is not None and standard.type == variable.type:
        variable = standard
    fact = _missing(variable, lang) if value is None else _fact(variable, value, lang)
    if log_odds == 0:
        return fact + _NO_EFFECT[lang]
    return fact + _EFFECT[lang][1 if log_odds > 0 else -1]


def _fact(variable: Variable, value: Value, lang: Lang) -> str:
    wording = variable.wording
    none = wording.none_fr if lang == "fr" else wording.none_en
    if value == 0 and none:
        return none
    template = (wording.fact_fr if lang == "fr" else wording.fact_en) or _generic(variable, lang)
    return _filled(template, variable, value, lang)


def _generic(variable: Variable, lang: Lang) -> str:
    shown = quoted("{value}", lang) if variable.type == "category" else "{value}"
    if lang == "fr":
        return f"{subject(variable, 'fr')} est {shown if variable.type == 'category' else 'de ' + shown}"
    return f"The value of {quoted(variable.label_en, 'en')} is {shown}"


def _filled(template: str, variable: Variable, value: Value, lang: Lang) -> str:
    """Fill a template by plain replacement: ``str.format`` would let a template reach into objects."""
    many = isinstance(value, (int, float)) and is_plural(value, lang)
    text = template.replace("« ", f"«{FIRM}").replace(" »", f"{FIRM}»")
    text = text.replace("{s}", "s" if many else "").replace("{nt}", "nt" if many else "")
    return text.replace("{value}", format_value(variable, value, lang))


def _missing(variable: Variable, lang: Lang) -> str:
    wording = variable.wording
    if lang == "en":
        return wording.missing_en or f"No value is known for {quoted(variable.label_en, 'en')}"
    verb = "ne sont pas" if plural_subject(variable) else "n'est pas"
    return wording.missing_fr or f"{subject(variable, 'fr')} {verb} {agree(variable, 'connu')}"


def band_label(band: Band, lang: Lang) -> str:
    return _pick(_BANDS, band, lang)


def recommendation_label(recommendation: Recommendation, lang: Lang) -> str:
    return _pick(_RECOMMENDATIONS, recommendation, lang)


def warning_text(code: str, lang: Lang, facts: Mapping[str, object] | None = None) -> str:
    """Say a warning, with its day where ``facts`` of the score hold one; an unknown code is given back."""
    day = (facts or {}).get("consent_expired_on")
    if code == "consentement_expire" and day:
        return _EXPIRED_ON[lang].format(day=dt.date.fromisoformat(str(day)))
    return _pick(_WARNINGS, code, lang)


def warning_check(code: str, lang: Lang) -> str:
    """Say what to check after a warning; nothing for an unknown code."""
    return _pick(_CHECKS, code, lang) if code in _CHECKS else ""


def amount_reason_text(code: str, lang: Lang) -> str:
    """Say why no maximal amount is advised; an unknown code is given back as it is."""
    return _pick(_AMOUNT_REASONS, code, lang)


def rule_label(code: str, lang: Lang) -> str:
    return _pick(_RULES, code, lang)


def rule_text(outcome: RuleOutcome, lang: Lang) -> str:
    """Say what one rule found, with the value and the limit."""
    if outcome.verdict == "non_evaluable":
        return _pick(_NOT_CHECKED, "non_evaluable", lang)
    kept, broken = _RULE_TEXTS[outcome.code][lang]
    template = kept if outcome.verdict == "respectee" else broken
    for name, figure in (("{value}", outcome.value), ("{limit}", outcome.limit)):
        template = template.replace(name, _figure(outcome.code, figure, lang))
    return template.replace(" :", f"{FIRM}:")


def _figure(code: str, figure: float | None, lang: Lang) -> str:
    if figure is None:
        return ""
    if code == "montant_max":
        return f"{number(figure, lang)}{NARROW}FCFA" if lang == "fr" else f"XAF {number(figure, lang)}"
    text = number(figure, lang, 1)
    if code == "endettement_max":
        return f"{text}{NARROW}%" if lang == "fr" else f"{text}%"
    return text


def _pick(texts: dict[str, dict[Lang, str]], code: str, lang: Lang) -> str:
    return texts[code][lang].replace(" :", f"{FIRM}:") if code in texts else code


_BANDS: dict[str, dict[Lang, str]] = {
    "faible": {"fr": "Risque faible", "en": "Low risk"},
    "modere": {"fr": "Risque modéré", "en": "Moderate risk"},
    "eleve": {"fr": "Risque élevé", "en": "High risk"},
}
_RECOMMENDATIONS: dict[str, dict[Lang, str]] = {
    "accorder": {"fr": "Avis favorable", "en": "Favourable advice"},
    "etudier": {"fr": "À étudier", "en": "To be reviewed"},
    "refuser": {"fr": "Avis défavorable", "en": "Unfavourable advice"},
}
_WARNINGS: dict[str, dict[Lang, str]] = {
    "ratio_incoherent": {
        "fr": "Le taux d'endettement fourni est inférieur à ce que demande la seule mensualité de ce crédit.",
        "en": "The debt service ratio sent is below what the instalment of this loan alone takes.",
    },
    "retards_incoherents": {
        "fr": "Les nombres de retards se contredisent : 30 jours doit compter aussi 60 et 90 jours.",
        "en": "The numbers of delays disagree: those of 30 days include those of 60 and 90 days.",
    },
    "donnees_anciennes": {
        "fr": "Les données du client datent de plus de six mois.",
        "en": "The client's data are more than six months old.",
    },
    "consentement_expire": {
        "fr": "Le consentement du client est expiré.",
        "en": "The client's consent has expired.",
    },
    "hors_domaine": {
        "fr": "Une valeur sort de ce que le modèle a déjà vu : la probabilité est moins sûre.",
        "en": "A value lies outside what the model has seen: the probability is less certain.",
    },
}
_EXPIRED_ON: dict[Lang, str] = {
    "fr": "Consentement expiré le {day:%d/%m/%Y}.",
    "en": "Consent expired on {day:%d/%m/%Y}.",
}
_CHECKS: dict[str, dict[Lang, str]] = {
    "ratio_incoherent": {
        "fr": "Vérifiez les revenus, les mensualités en cours et le taux d'endettement.",
        "en": "Check the income, the current repayments and the debt service ratio.",
    },
    "retards_incoherents": {
        "fr": "Vérifiez les retards sur les relevés du client.",
        "en": "Check the delays against the client's statements.",
    },
    "donnees_anciennes": {
        "fr": "Faites confirmer les données par le client avant de décider.",
        "en": "Have the client confirm the data before deciding.",
    },
    "consentement_expire": {
        "fr": "Faites renouveler le consentement et notez-le sur la fiche du client.",
        "en": "Have the consent renewed and note it on the client's page.",
    },
    "hors_domaine": {
        "fr": "Vérifiez la saisie. Si la valeur est juste, fiez-vous d'abord à l'étude du dossier.",
        "en": "Check the entry; if the value is right, rely first on the study of the file.",
    },
}
_AMOUNT_REASONS: dict[str, dict[Lang, str]] = {
    "non_calcule": {"fr": "Montant non calculé.", "en": "Amount not computed."},
    "regle_violee": {
        "fr": "Une règle n'est pas respectée, quel que soit le montant.",
        "en": "A rule is broken whatever the amount.",
    },
    "plafond_inconnu": {
        "fr": "Aucun plafond n'est fixé pour ce type de crédit.",
        "en": "No cap is set for this type of loan.",
    },
    "plafond_trop_bas": {
        "fr": "Le plafond de ce type de crédit est inférieur au plus petit montant.",
        "en": "The cap of this type of loan is below the smallest amount.",
    },
    "revenu_inconnu": {
        "fr": "Sans le revenu, l'endettement ne peut pas être recalculé pour un autre montant.",
        "en": "Without the income, the debt ratios cannot be computed for another amount.",
    },
    "endettement": {
        "fr": "Même le plus petit montant dépasse le taux d'endettement maximal.",
        "en": "Even the smallest amount exceeds the maximal debt service ratio.",
    },
    "risque": {
        "fr": "Le risque reste au-dessus du seuil quel que soit le montant.",
        "en": "The risk stays above the threshold whatever the amount.",
    },
}
_NOT_CHECKED: dict[str, dict[Lang, str]] = {
    "non_evaluable": {
        "fr": "Règle non évaluée : donnée non connue.",
        "en": "Rule not checked: data not known.",
    },
}
_RULES: dict[str, dict[Lang, str]] = {
    "age_demande": {"fr": "Âge minimal à la demande", "en": "Minimal age at the application"},
    "age_fin": {"fr": "Âge maximal à la fin du crédit", "en": "Maximal age at the end of the loan"},
    "endettement_max": {"fr": "Taux d'endettement maximal", "en": "Maximal debt service ratio"},
    "montant_max": {"fr": "Montant maximal du type de crédit", "en": "Maximal amount for the loan type"},
    "duree_max": {"fr": "Durée maximale du type de crédit", "en": "Maximal term for the loan type"},
    "interdiction_credit": {"fr": "Interdiction de crédit", "en": "Credit prohibition"},
    "arrieres_en_cours": {"fr": "Arriérés en cours", "en": "Current arrears"},
    "doublon_probable": {"fr": "Doublon probable", "en": "Probable duplicate"},
    "consentement": {"fr": "Consentement du client", "en": "Client's consent"},
}
_RULE_TEXTS: dict[str, dict[Lang, tuple[str, str]]] = {
    "age_demande": {
        "fr": ("L'âge de {value} ans atteint le minimum de {limit} ans.",
               "L'âge de {value} ans est inférieur au minimum de {limit} ans."),
        "en": ("The age of {value} reaches the minimum of {limit} years.",
               "The age of {value} is below the minimum of {limit} years."),
    },
    "age_fin": {
        "fr": ("L'âge à la fin du crédit, {value} ans, reste dans la limite de {limit} ans.",
               "L'âge à la fin du crédit, {value} ans, dépasse la limite de {limit} ans."),
        "en": ("The age at the end of the loan, {value}, stays within the limit of {limit} years.",
               "The age at the end of the loan, {value}, exceeds the limit of {limit} years."),
    },
    "endettement_max": {
        "fr": ("Le taux d'endettement de {value} reste dans la limite de {limit}.",
               "Le taux d'endettement de {value} dépasse la limite de {limit}."),
        "en": ("The debt service ratio of {value} stays within the limit of {limit}.",
               "The debt service ratio of {value} exceeds the limit of {limit}."),
    },
    "montant_max": {
        "fr": ("Le montant de {value} reste dans la limite de {limit}.",
               "Le montant de {value} dépasse la limite de {limit}."),
        "en": ("The amount of {value} stays within the limit of {limit}.",
               "The amount of {value} exceeds the limit of {limit}."),
    },
    "duree_max": {
        "fr": ("La durée de {value} mois reste dans la limite de {limit} mois.",
               "La durée de {value} mois dépasse la limite de {limit} mois."),
        "en": ("The term of {value} months stays within the limit of {limit} months.",
               "The term of {value} months exceeds the limit of {limit} months."),
    },
    "interdiction_credit": {
        "fr": ("Aucune interdiction de crédit n'est enregistrée.",
               "Une interdiction de crédit est enregistrée pour ce client."),
        "en": ("No credit prohibition is recorded.", "A credit prohibition is recorded for this client."),
    },
    "arrieres_en_cours": {
        "fr": ("Jours d'arriérés en cours : {value}, sous la limite de {limit}.",
               "Jours d'arriérés en cours : {value}, pour une limite de {limit}."),
        "en": ("Days of arrears now: {value}, under the limit of {limit}.",
               "Days of arrears now: {value}, for a limit of {limit}."),
    },
    "doublon_probable": {
        "fr": ("Aucun doublon de ce client n'est connu.",
               "Ce client ressemble à un autre client enregistré."),
        "en": ("No duplicate of this client is known.", "This client looks like another recorded client."),
    },
    "consentement": {
        "fr": ("Le client a donné son consentement.", "Le consentement du client n'est pas enregistré."),
        "en": ("The client has given consent.", "The client's consent is not recorded."),
    },
}  # fmt: skip
