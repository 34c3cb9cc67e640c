"""What a client's sheet and a decision letter say around the facts: short sentences, in French and English.

They stand here and not in the catalogue, beside the facts they frame, so that one test reads them together.
"""

from apps.engine.contracts import Lang
from apps.engine.wording import FIRM


def phrase(code: str, lang: Lang, **values: str) -> str:
    """Return one phrase with its values; raise ``KeyError`` for an unknown code."""
    text = _PHRASES[code][lang]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return _firm(text) if lang == "fr" else text


def _firm(text: str) -> str:
    for mark in (":", "?", "!", "»"):
        text = text.replace(f" {mark}", f"{FIRM}{mark}")
    return text.replace("« ", f"«{FIRM}")


# fmt: off
_PHRASES: dict[str, dict[Lang, str]] = {
    # the client's sheet
    "sheet_title": {"fr": "Pourquoi ai-je obtenu ce score ?", "en": "Why did I get this score?"},
    "your_request": {"fr": "Votre demande", "en": "Your request"},
    "your_score": {"fr": "Votre score", "en": "Your score"},
    "name": {"fr": "Nom", "en": "Name"},
    "file": {"fr": "Dossier", "en": "File"},
    "sum": {"fr": "Somme demandée", "en": "Sum asked for"},
    "length": {"fr": "Durée", "en": "Length"},
    "day": {"fr": "Date du score", "en": "Day of the score"},
    "score": {"fr": "Score", "en": "Score"},
    "score_is": {"fr": "Votre score est de {points} points.", "en": "Your score is {points} points."},
    "score_scale": {
        "fr": "Le plus bas est {low}, le plus haut est {high}. Plus il est haut, plus nous pensons que le"
          " prêt"
              " sera bien payé.",
        "en": "The lowest is {low}, the highest is {high}. The higher it is, the more we think that the"
          " loan will"
              " be paid well.",
    },
    "score_helps": {
        "fr": "Le score aide notre équipe. Il ne décide pas seul : une personne lit votre dossier et décide.",
        "en": "The score helps our team. It does not decide alone: a person reads your file and decides.",
    },
    "against": {"fr": "Ce qui a joué contre vous", "en": "What counted against you"},
    "for": {"fr": "Ce qui vous a aidé", "en": "What helped you"},
    "nothing_against": {
        "fr": "Rien de votre dossier n'a joué contre vous de façon notable.",
        "en": "Nothing in your file counted much against you.",
    },
    "can_do": {"fr": "Ce que vous pouvez faire", "en": "What you can do"},
    "ask_us": {
        "fr": "Venez nous voir. Nous chercherons avec vous ce qui peut changer.",
        "en": "Come and see us. We will look with you for what can change.",
    },
    "whom": {"fr": "À qui parler", "en": "Whom to talk to"},
    "talk_to": {
        "fr": "Parlez à {person}, à l'agence {agency}. Montrez cette feuille.",
        "en": "Talk to {person}, at the branch {agency}. Show this sheet.",
    },
    "talk_to_branch": {
        "fr": "Parlez à nos agents, à l'agence {agency}. Montrez cette feuille.",
        "en": "Talk to our staff, at the branch {agency}. Show this sheet.",
    },
    "talk_to_house": {
        "fr": "Parlez à nos agents, dans une agence de {institution}. Montrez cette feuille.",
        "en": "Talk to our staff, in a branch of {institution}. Show this sheet.",
    },
    "rights": {"fr": "Vos droits", "en": "Your rights"},
    "right_review": {
        "fr": "Vous pouvez demander qu'une personne étudie à nouveau votre dossier. C'est gratuit.",
        "en": "You can ask that a person look at your file again. It is free.",
    },
    "right_data": {
        "fr": "Vous pouvez voir vos données. Si elles sont fausses, nous devons les changer.",
        "en": "You can see your data. If they are wrong, we have to change them.",
    },
    "right_why": {
        "fr": "Vous pouvez nous demander pourquoi. Nous devons vous répondre.",
        "en": "You can ask us why. We have to answer you.",
    },
    # the decision letter
    "letter_about": {"fr": "Votre demande de prêt {reference}", "en": "Your request for a loan {reference}"},
    "place_day": {"fr": "{city}, le {day}", "en": "{city}, {day}"},
    "dear": {"fr": "Bonjour,", "en": "Hello,"},
    "asked": {
        "fr": "Vous nous avez demandé un prêt de {amount}. Nous avons étudié votre dossier.",
        "en": "You asked us for a loan of {amount}. We have studied your file.",
    },
    "granted": {
        "fr": "Nous vous accordons un prêt de {amount}, à rendre en {months} mois.",
        "en": "We grant you a loan of {amount}, to pay back in {months} months.",
    },
    "granted_come": {
        "fr": "Venez à l'agence {agency} avec votre pièce d'identité. Nous lirons le contrat avec vous. Vous"
              " pourrez poser toutes vos questions avant de signer.",
        "en": "Come to the branch {agency} with your identity card. We will read the contract with you."
          " You can"
              " ask all your questions before you sign.",
    },
    "granted_if": {
        "fr": "Nous voulons vous accorder un prêt de {amount}, à rendre en {months} mois. Il nous manque"
          " encore"
              " une chose : {motive}.",
        "en": "We want to grant you a loan of {amount}, to pay back in {months} months. One thing is still"
              " missing: {motive}.",
    },
    "condition": {"fr": "Voici ce que nous attendons : {comment}", "en": "This is what we wait for:"
      " {comment}"},
    "granted_if_bare": {
        "fr": "Nous voulons vous accorder un prêt de {amount}, à rendre en {months} mois. Il nous manque"
          " encore"
              " une pièce. Votre agent vous dira laquelle.",
        "en": "We want to grant you a loan of {amount}, to pay back in {months} months. One paper is still"
              " missing. Your officer will tell you which.",
    },
    "declined": {
        "fr": "Nous ne pouvons pas vous accorder ce prêt aujourd'hui.",
        "en": "We cannot grant you this loan today.",
    },
    "deferred": {
        "fr": "Nous ne pouvons pas encore vous répondre. Votre demande reste ouverte.",
        "en": "We cannot answer you yet. Your request stays open.",
    },
    "offered": {
        "fr": "Nous ne pouvons pas vous prêter cette somme. Nous vous proposons {amount}, à rendre en"
          " {months} mois.",
        "en": "We cannot lend you this sum. We offer you {amount}, to pay back in {months} months.",
    },
    "offered_say": {
        "fr": "Dites-nous si cette offre vous va. Rien n'est fait sans votre accord.",
        "en": "Tell us if this offer suits you. Nothing is done without your consent.",
    },
    "decided_by_person": {
        "fr": "Une personne a pris cette décision, après avoir lu votre dossier. Un score l'a aidée.",
        "en": "A person took this decision, after reading your file. A score helped.",
    },
    "why": {"fr": "Pourquoi", "en": "Why"},
    "motive": {"fr": "Notre motif : {motive}.", "en": "Our ground: {motive}."},
    "no_reason": {
        "fr": "Demandez-nous ce qui a compté. Nous devons vous répondre.",
        "en": "Ask us what counted. We have to answer you.",
    },
    "not_agree": {"fr": "Vous n'êtes pas d'accord ?", "en": "You do not agree?"},
    "not_agree_how": {
        "fr": "Demandez qu'une autre personne étudie votre dossier. C'est gratuit. Dites-le à l'agence"
          " {agency}, par"
              " lettre ou par téléphone. Elle lira tout ce que vous ajoutez.",
        "en": "Ask that another person look at your file. It is free. Tell the branch {agency}, by letter"
          " or by"
              " telephone. That person will read all that you add.",
    },
    "closing": {"fr": "Merci de votre confiance.", "en": "Thank you for your trust."},
    "signed": {"fr": "Pour {institution}, l'agence {agency}", "en": "For {institution}, the branch {agency}"},
}
# fmt: on
