"""What a file may tell of a credit: how it was lent, and how far it has come."""

from dataclasses import replace

from django.utils.translation import gettext as _

from apps.credits.enums import CreditStatus, Exclusion, RepaymentKind
from apps.credits.importing.judging import spelled
from apps.credits.importing.names import LONGEST_REFERENCE
from apps.credits.services.ledger import HIGHEST_RATE, LONGEST_MONTHS
from apps.files.reading.fields import SYNONYMS, dictionary_fields
from apps.files.reading.mapping import Field

_MOST = 500_000_000_000
_ACTIVE, _CLOSED, _RESTRUCTURED, _WRITTEN_OFF = "en cours", "soldé", "restructuré", "passé en perte"
STATUSES = {
    _ACTIVE: CreditStatus.ACTIVE,
    _CLOSED: CreditStatus.CLOSED,
    _RESTRUCTURED: CreditStatus.RESTRUCTURED,
    _WRITTEN_OFF: CreditStatus.WRITTEN_OFF,
}
_STATUS_CODES = {
    _ACTIVE: ("actif", "vivant", "sain", "courant", "active", "current", "open", "running"),
    _CLOSED: ("soldée", "remboursé", "clos", "clôturé", "terminé", "closed", "paid off", "repaid", "paid"),
    _RESTRUCTURED: ("rééchelonné", "restructured", "rescheduled"),
    _WRITTEN_OFF: ("perte", "radié", "abandonné", "irrécouvrable", "written off", "write off", "charged off"),
}
KINDS = {
    "constant": RepaymentKind.CONSTANT,
    "in fine": RepaymentKind.IN_FINE,
    "fin de saison": RepaymentKind.SEASONAL,
}
_KIND_CODES = {
    "constant": ("constante", "échéances constantes", "mensuel", "annuités constantes", "monthly"),
    "in fine": ("capital à la fin", "bullet"),
    "fin de saison": ("saisonnier", "seasonal", "campagne", "échéance unique"),
}
EXCLUSIONS = {
    "personnel": Exclusion.STAFF,
    "découvert": Exclusion.OVERDRAFT,
    "fraude": Exclusion.FRAUD,
    "décès": Exclusion.DEATH,
}
_EXCLUSION_CODES = {
    "personnel": ("staff", "employé", "crédit au personnel"),
    "découvert": ("overdraft",),
    "fraude": ("fraud",),
    "décès": ("death", "décédé"),
}


def terms_fields() -> list[Field]:
    """Return the fields of what was agreed."""
    return [
        Field(
            "amount_xaf",
            _("Amount disbursed (FCFA)"),
            "amount",
            unit="XAF",
            minimum=1,
            maximum=_MOST,
            required=True,
            synonyms=(
                *("montant décaissé", "montant débloqué", "montant accordé", "montant octroyé"),
                *("montant déboursé", "disbursed amount", "amount disbursed", "montant_credit"),
                *SYNONYMS["montant_credit"],
            ),
        ),
        Field(
            "disbursed_on",
            _("Disbursed on"),
            "date",
            required=True,
            past=True,
            common=True,
            synonyms=(
                *("date de décaissement", "date décaissement", "date de déblocage", "date déblocage"),
                *("décaissé le", "débloqué le", "date d'octroi", "date octroi", "date du crédit"),
                *("date crédit", "date de mise en place", "mise en place", "date prêt", "date"),
                *("disbursement date", "disbursed on", "loan date", "start date"),
            ),
        ),
        Field(
            "rate_percent",
            _("Nominal annual rate (%)"),
            "decimal",
            unit="percent_per_year",
            minimum=0,
            maximum=HIGHEST_RATE,
            required=True,
            common=True,
            synonyms=("taux_interet", *SYNONYMS["taux_interet"]),
        ),
        Field(
            "duration_months",
            _("Term (months)"),
            "integer",
            unit="months",
            minimum=1,
            maximum=LONGEST_MONTHS,
            required=True,
            common=True,
            synonyms=("duree_mois", *SYNONYMS["duree_mois"]),
        ),
        next(each for each in _optional_variables() if each.name == "type_credit"),
        Field(
            "repayment_kind",
            _("Repayment"),
            "code",
            codes=spelled(_KIND_CODES),
            common=True,
            synonyms=(
                *("mode de remboursement", "type de remboursement", "remboursement", "périodicité"),
                *("type d'échéancier", "repayment type", "repayment", "repayment method"),
            ),
        ),
    ]


def course_fields() -> list[Field]:
    """Return the fields of what became of a credit."""
    return [
        Field(
            "status",
            _("Status of the credit"),
            "code",
            codes=spelled(_STATUS_CODES),
            synonyms=("statut", "statut du crédit", "statut crédit", "état", "situation", "loan status"),
        ),
        _day("closed_on", _("Closed on"), "date de clôture", "date clôture", "soldé le", "date de solde",
             "date solde", "clôturé le", "closing date", "closed date", "payoff date"),
        _day("written_off_on", _("Written off on"), "date de passage en perte", "passage en perte",
             "date perte", "passé en perte le", "date radiation", "write off date", "written off date"),
        _day("restructured_on", _("Restructured on"), "date de restructuration", "restructuré le",
             "date de rééchelonnement", "rééchelonné le", "restructuring date"),
        Field(
            "for_difficulty",
            _("Restructured for difficulty"),
            "boolean",
            synonyms=("pour difficulté", "difficulté", "restructuré pour difficulté", "for difficulty"),
        ),
        Field(
            "refinances",
            _("Reference of the credit that it repays"),
            "text",
            longest=LONGEST_REFERENCE,
            synonyms=("rachète", "crédit racheté", "crédit remboursé", "rembourse", "refinances"),
        ),
        Field(
            "exclusion",
            _("Left out of outcomes"),
            "code",
            codes=spelled(_EXCLUSION_CODES),
            synonyms=("exclusion", "motif d'exclusion", "hors cohorte", "excluded"),
        ),
    ]  # fmt: skip


def _day(name: str, label: str, *synonyms: str) -> Field:
    return Field(name, label, "date", past=True, synonyms=synonyms)


def _optional_variables() -> list[Field]:
    return [replace(each, required=False) for each in dictionary_fields()]
