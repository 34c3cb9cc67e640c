"""What each role may decide, and with which motives: written by the institution's administrator."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.decisions.enums import DecisionKind
from apps.decisions.errors import MotiveExists
from apps.decisions.models import DecisionLimit, DecisionMotive
from apps.decisions.rules import deciding_roles
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.roles import Verb

#: What an institution starts with: code, words in French, words in English, by kind of decision.
STANDARD_MOTIVES: dict[DecisionKind, tuple[tuple[str, str, str], ...]] = {
    DecisionKind.GRANT: (
        ("capacite_suffisante", "Capacité de remboursement suffisante", "Sufficient repayment capacity"),
        ("bons_remboursements", "Crédits précédents bien remboursés", "Earlier credits repaid well"),
        ("garantie_suffisante", "Garantie suffisante", "Sufficient guarantee"),
    ),
    DecisionKind.GRANT_CONDITIONALLY: (
        (
            "garantie_a_constituer",
            "Garantie à constituer avant le décaissement",
            "Guarantee to be given before the money leaves",
        ),
        (
            "piece_a_fournir",
            "Pièce à fournir avant le décaissement",
            "Document to be given before the money leaves",
        ),
    ),
    DecisionKind.REFUSE: (
        (
            "capacite_insuffisante",
            "Capacité de remboursement insuffisante",
            "Insufficient repayment capacity",
        ),
        ("retards_recents", "Retards de paiement récents", "Recent late payments"),
        ("endettement_eleve", "Endettement trop élevé", "Too much debt"),
        ("garantie_insuffisante", "Garantie insuffisante", "Insufficient guarantee"),
        ("hors_politique", "Demande hors de la politique de crédit", "Outside the credit policy"),
        ("non_verifiable", "Informations impossibles à vérifier", "Information that cannot be checked"),
    ),
    DecisionKind.DEFER: (
        ("complement_attendu", "Complément d'information attendu", "Further information awaited"),
        ("visite_a_faire", "Visite à faire", "Visit to be made"),
    ),
    DecisionKind.COUNTER_OFFER: (
        ("montant_plus_bas", "Montant plus bas", "Lower amount"),
        ("duree_adaptee", "Durée mieux adaptée", "More suitable term"),
    ),
}
LONGEST_LABEL = 120
HIGHEST_LIMIT_XAF = 100_000_000_000


def _require_administrator(by: Actor) -> None:
    if by.kind == "key" or not by.may(Verb.ADMINISTER):
        raise NotAllowed(_("Your role does not allow this."))


@transaction.atomic
def set_limit(*, role: str, amount_xaf: int, starts_on: dt.date, by: Actor) -> DecisionLimit:
    """Set the largest amount that a role decides from a day on; zero lets it decide nothing.

    The first limit of an institution brings the standard motives where it has none. Raises ``NotAllowed``,
    ``InvalidValues`` naming the fields at fault; a limit never starts in the past.
    """
    _require_administrator(by)
    wrong: dict[str, list[str]] = {}
    if role not in deciding_roles():
        wrong["role"] = [_("This role does not decide.")]
    if not 0 <= amount_xaf <= HIGHEST_LIMIT_XAF:
        wrong["amount_xaf"] = [_("From 0 to 100 000 000 000 FCFA.")]
    if starts_on < timezone.localdate():
        wrong["starts_on"] = [_("A limit starts today or later, never in the past.")]
    if wrong:
        raise InvalidValues(_("Some values cannot be used."), fields=wrong)
    limit = DecisionLimit.objects.create(
        role=role, amount_xaf=amount_xaf, starts_on=starts_on, written_by_id=by.person_id
    )
    after = {"role": role, "amount_xaf": amount_xaf, "starts_on": starts_on.isoformat()}
    record(by=by, action="decision_limit.set", target=limit, after=after)
    add_standard_motives(by=by)
    return limit


@transaction.atomic
def add_standard_motives(*, by: Actor) -> int:
    """Give an institution without any motive the standard ones; return how many were added."""
    _require_administrator(by)
    if DecisionMotive.objects.exists():
        return 0
    rows = [
        DecisionMotive(kind=kind, code=code, label_fr=french, label_en=english)
        for kind, motives in STANDARD_MOTIVES.items()
        for code, french, english in motives
    ]
    added = len(DecisionMotive.objects.bulk_create(rows, ignore_conflicts=True))
    record(by=by, action="decision_motive.standard", after={"count": added})
    return added


@transaction.atomic
def add_motive(*, kind: str, label_fr: str, label_en: str, by: Actor) -> DecisionMotive:
    """Add a motive to a kind of decision; its code is made from its French words.

    Raises ``NotAllowed``, ``InvalidValues`` naming the fields at fault, ``MotiveExists``.
    """
    _require_administrator(by)
    french, english = label_fr.strip(), label_en.strip() or label_fr.strip()
    code = slugify(french).replace("-", "_")[:40]
    wrong: dict[str, list[str]] = {}
    if kind not in DecisionKind.values:
        wrong["kind"] = [_("Choose a decision.")]
    for name, text in (("label_fr", french), ("label_en", english)):
        if len(text) > LONGEST_LABEL or not text.isprintable():
            wrong[name] = [_("Write one line of at most %(length)s characters.") % {"length": LONGEST_LABEL}]
    if not code:
        wrong["label_fr"] = [_("Write the motive in words.")]
    if wrong:
        raise InvalidValues(_("Some values cannot be used."), fields=wrong)
    try:
        with transaction.atomic():
            motive = DecisionMotive.objects.create(kind=kind, code=code, label_fr=french, label_en=english)
    except IntegrityError:
        raise MotiveExists(_("This motive exists already for this decision.")) from None
    record(by=by, action="decision_motive.add", target=motive, after={"kind": kind, "code": code})
    return motive


@transaction.atomic
def switch_motive(*, motive: DecisionMotive, in_use: bool, by: Actor) -> DecisionMotive:
    """Retire a motive, or offer it again; decisions that name it keep it. Raises ``NotAllowed``."""
    _require_administrator(by)
    motive.retired_at = None if in_use else timezone.now()
    motive.save(update_fields=["retired_at"])
    action = "decision_motive.restore" if in_use else "decision_motive.retire"
    record(by=by, action=action, target=motive, after={"code": motive.code})
    return motive
