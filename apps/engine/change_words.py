"""A set of changes as people read it, in French and English: one sentence for each thing to do."""

from collections.abc import Callable, Mapping

from apps.engine.changes import Changes, ChangeSet, Lever
from apps.engine.contracts import Lang, Value
from apps.engine.dictionary import STANDARD
from apps.engine.reasons import rule_label
from apps.engine.wording import FIRM, format_value


def change_sentences(found: ChangeSet, values: Mapping[str, Value], lang: Lang) -> tuple[str, ...]:
    """Say what to do, one sentence a lever; ``values`` are those of the file before the changes."""
    return tuple(_WORDS[lever](found, values, lang) for lever in found.levers)


def no_change_text(changes: Changes, lang: Lang) -> str:
    """Say why there is no set of changes."""
    text = _NONE[changes.reason or "aucun"][lang]
    rules = ", ".join(rule_label(code, lang) for code in changes.rules)
    return (f"{text} ({rules})." if rules else f"{text}.").replace(" :", f"{FIRM}:")


def amount_limit_text(code: str, lang: Lang) -> str:
    """Say what 5,000 XAF above the maximal amount would break; nothing for an unknown code."""
    texts = _HELD_BACK.get(code)
    return "" if texts is None else _filled(texts[lang], more=_shown("montant_credit", 5_000, lang))


def _amount(found: ChangeSet, values: Mapping[str, Value], lang: Lang) -> str:
    asked, new = values.get("montant_credit"), found.values["montant_credit"]
    less = int(float(asked or 0)) - int(float(new or 0))
    texts = {
        "fr": "Demander {new} au lieu de {asked}, par exemple avec un apport de {less}.",
        "en": "Ask for {new} instead of {asked}, for example by contributing {less}.",
    }
    return _filled(
        texts[lang],
        new=_shown("montant_credit", new, lang),
        asked=_shown("montant_credit", asked, lang),
        less=_shown("montant_credit", less, lang),
    )


def _term(found: ChangeSet, values: Mapping[str, Value], lang: Lang) -> str:
    texts = {"fr": "Rembourser en {new} au lieu de {asked}.", "en": "Repay in {new} instead of {asked}."}
    new, asked = found.values["duree_mois"], values.get("duree_mois")
    return _filled(texts[lang], new=_shown("duree_mois", new, lang), asked=_shown("duree_mois", asked, lang))


def _debts(found: ChangeSet, _values: Mapping[str, Value], lang: Lang) -> str:
    left = {
        name: found.values[name]
        for name in ("mensualites_en_cours", "encours_autres_dettes")
        if name in found.values
    }
    if not any(left.values()):
        return {"fr": "Solder les autres dettes.", "en": "Pay off the other debts."}[lang]
    name, value = next(iter(left.items()))
    texts = {
        "mensualites_en_cours": {
            "fr": "Réduire les autres dettes : {left} de mensualités au plus.",
            "en": "Reduce the other debts to {left} of monthly repayments at most.",
        },
        "encours_autres_dettes": {
            "fr": "Réduire les autres dettes à {left} au plus.",
            "en": "Reduce the other debts to {left} at most.",
        },
    }
    return _filled(texts[name][lang], left=_shown(name, value, lang)).replace(" :", f"{FIRM}:")


def _guarantee(found: ChangeSet, values: Mapping[str, Value], lang: Lang) -> str:
    if "valeur_garanties" not in found.values:
        return {"fr": "Apporter une garantie de plus.", "en": "Bring one more guarantee."}[lang]
    added = float(found.values["valeur_garanties"] or 0) - float(values.get("valeur_garanties") or 0)
    texts = {"fr": "Apporter une garantie de {added} de plus.", "en": "Bring a further guarantee of {added}."}
    return _filled(texts[lang], added=_shown("valeur_garanties", int(added), lang))


def _document(found: ChangeSet, _values: Mapping[str, Value], lang: Lang) -> str:
    texts = {
        "revenu_mensuel": {
            "fr": "Fournir un justificatif d'un revenu de {value} par mois.",
            "en": "Supply proof of an income of {value} a month.",
        },
        "revenu_complementaire": {
            "fr": "Fournir un justificatif d'un revenu complémentaire de {value} par mois.",
            "en": "Supply proof of a complementary income of {value} a month.",
        },
        "epargne_moyenne": {
            "fr": "Fournir un relevé d'une épargne moyenne de {value}.",
            "en": "Supply a statement of average savings of {value}.",
        },
    }
    name = next(name for name in texts if name in found.values)
    return _filled(texts[name][lang], value=_shown(name, found.values[name], lang))


def _plain(fr: str, en: str) -> Callable[[ChangeSet, Mapping[str, Value], Lang], str]:
    return lambda _found, _values, lang: {"fr": fr, "en": en}[lang]


_WORDS: dict[Lever, Callable[[ChangeSet, Mapping[str, Value], Lang], str]] = {
    "amount": _amount,
    "term": _term,
    "debts": _debts,
    "guarantee": _guarantee,
    "document": _document,
    "consent": _plain("Donner son consentement écrit.", "Give a written consent."),
    "arrears": _plain("Régler les arriérés en cours.", "Pay the current arrears."),
    "confirmation": _plain(
        "Confirmer les données du dossier, vieilles de plus de six mois.",
        "Confirm the data of the file, which are more than six months old.",
    ),
}
_NONE: dict[str, dict[Lang, str]] = {
    "favorable": {"fr": "L'avis est déjà favorable", "en": "The advice is favourable already"},
    "regle_violee": {
        "fr": "Une règle que le client ne peut pas changer n'est pas respectée",
        "en": "A rule that the client cannot change is broken",
    },
    "revenu_inconnu": {
        "fr": "Sans le revenu, l'endettement ne peut pas être recalculé : complétez-le d'abord",
        "en": "Without the income the debt ratios cannot be computed again: complete it first",
    },
    "aucun": {
        "fr": "Aucun changement réaliste du montant, de la durée, des dettes, des garanties ou des pièces "
        "ne suffit",
        "en": "No realistic change of amount, term, debts, guarantees or documents is enough",
    },
}
_HELD_BACK: dict[str, dict[Lang, str]] = {
    "risque": {
        "fr": "{more} de plus feraient atteindre le seuil de décision.",
        "en": "{more} more would reach the decision threshold.",
    },
    "montant_max": {
        "fr": "{more} de plus dépasseraient le montant maximal de ce type de crédit.",
        "en": "{more} more would exceed the maximal amount for this type of loan.",
    },
    "endettement_max": {
        "fr": "{more} de plus dépasseraient le taux d'endettement maximal.",
        "en": "{more} more would exceed the maximal debt service ratio.",
    },
    "plafond_modele": {
        "fr": "{more} de plus dépasseraient les montants que le modèle connaît.",
        "en": "{more} more would exceed the amounts that the model knows.",
    },
}


def _shown(name: str, value: Value, lang: Lang) -> str:
    return format_value(STANDARD[name], value, lang)


def _filled(template: str, **parts: str) -> str:
    for name, text in parts.items():
        template = template.replace(f"{{{name}}}", text)
    return template
