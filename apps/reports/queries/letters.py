"""The letter that tells a client what was decided: plain words, four reasons at most, how to object."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.decisions.enums import DecisionKind
from apps.decisions.models import Decision
from apps.decisions.queries.decisions import visible_decisions
from apps.engine import plain
from apps.engine.contracts import Lang
from apps.engine.letters import phrase
from apps.institutions.queries import get_institution
from apps.reports.queries.documents import Document, Section, Wish
from apps.reports.queries.sheets import facts_for_client, rights
from apps.reports.queries.words import shown
from apps.tenancy.actor import Actor
from apps.tenancy.errors import ObjectNotFound

#: Decisions that owe their reasons.
_EXPLAINED = (DecisionKind.REFUSE, DecisionKind.DEFER, DecisionKind.COUNTER_OFFER)


def get_visible_decision(actor: Actor, uid: UUID) -> Decision:
    """Return one decision; raise ``ObjectNotFound`` when unknown or out of sight, alike."""
    rows = visible_decisions(actor).select_related(
        "application__client", "agency", "motive", "prediction__policy", "prediction__model_version"
    )
    decision = rows.filter(uid=uid).first()
    if decision is None:
        raise ObjectNotFound(_("No such decision."))
    return decision


def letter(wish: Wish) -> Document:
    """Return the letter of one decision, to the client."""
    if wish.subject is None:
        raise ObjectNotFound(_("No such decision."))
    decision = get_visible_decision(wish.actor, wish.subject)
    lang, agency = wish.lang, decision.agency
    institution = get_institution(wish.actor.institution)
    client = decision.application.client
    day = date_format(timezone.localtime(decision.decided_at), "d/m/Y")
    return Document(
        kind=wish.kind,
        title=phrase("letter_about", lang, reference=decision.application.reference),
        lang=lang,
        addressee=tuple(filter(None, (str(client), client.city))),
        place=phrase("place_day", lang, city=agency.city, day=day),
        sections=(
            Section(paragraphs=(phrase("dear", lang), *_answer(decision, lang))),
            *_reasons(decision, lang),
            Section(
                phrase("not_agree", lang), paragraphs=(phrase("not_agree_how", lang, agency=agency.name),)
            ),
            Section(phrase("rights", lang), items=rights(lang)[1:]),
            Section(paragraphs=(phrase("closing", lang),)),
        ),
        signature=phrase("signed", lang, institution=institution.name, agency=agency.name),
    )


def _answer(decision: Decision, lang: Lang) -> tuple[str, ...]:
    asked = phrase("asked", lang, amount=shown(decision.asked_xaf, "money", lang))
    told: dict[str, str] = {
        "amount": shown(decision.amount_xaf, "money", lang),
        "months": str(decision.duration_months),
        "agency": decision.agency.name,
    }
    words = _motive(decision, lang)
    match decision.kind:
        case DecisionKind.GRANT:
            lines = [phrase("granted", lang, **told), phrase("granted_come", lang, **told)]
        case DecisionKind.GRANT_CONDITIONALLY:
            code = "granted_if" if words else "granted_if_bare"
            lines = [phrase(code, lang, motive=words, **told)]
            if decision.comment:  # of this kind of decision alone, it is written for the client
                lines.append(phrase("condition", lang, comment=decision.comment))
            lines.append(phrase("granted_come", lang, **told))
        case DecisionKind.REFUSE:
            lines = [phrase("declined", lang)]
        case DecisionKind.DEFER:
            lines = [phrase("deferred", lang)]
        case _:
            lines = [phrase("offered", lang, **told), phrase("offered_say", lang)]
    return asked, *lines, phrase("decided_by_person", lang)


def _motive(decision: Decision, lang: Lang) -> str:
    """Return the motive in plain words: ours for the usual ones, else those of the institution."""
    motive: Any = decision.motive
    if motive is None:
        return ""
    label = motive.label_fr if lang == "fr" else motive.label_en or motive.label_fr
    return plain.motive_text(motive.code, lang) or label


def _reasons(decision: Decision, lang: Lang) -> list[Section]:
    """Return why: the motive first, then what counted in the score, unless the decision went against it."""
    if decision.kind not in _EXPLAINED:
        return []
    words = _motive(decision, lang)
    told = [words if words.endswith(".") else phrase("motive", lang, motive=words)] if words else []
    facts: tuple[plain.PlainFact, ...] = ()
    if decision.prediction is not None and not decision.is_override and not decision.is_retrospective:
        facts, _helped = facts_for_client(decision.prediction, lang)
    facts = facts[: plain.MOST_REASONS - len(told)]
    told += [each.text for each in facts]
    ways = plain.advice_of(facts) or (phrase("ask_us", lang),)
    why = Section(phrase("why", lang), items=tuple(told) or (phrase("no_reason", lang),))
    return [why, Section(phrase("can_do", lang), items=ways)]
