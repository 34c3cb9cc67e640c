"""Reads of the variable dictionary of the institution in scope: the standard one, its settings, its own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.credits.enums import Purpose
from apps.credits.models import DictionaryRevision, DictionaryVariable
from apps.engine.dictionary import PREDICT_VARIABLES, STANDARD, Dictionary, Variable
from apps.tenancy.errors import ObjectNotFound

#: What ratios, rules and columns of every application need: an institution cannot stop asking for it.
ALWAYS_ASKED = frozenset({*PREDICT_VARIABLES, "mensualites_en_cours", "encours_autres_dettes"})
#: What models learn from while the institution says nothing: the contract, but for what shows fairness.
LEARNT_BY_DEFAULT = frozenset(name for name in PREDICT_VARIABLES if not STANDARD[name].sensitivity)

_ARREARS = ("nb_retards_30j", "nb_retards_60j", "nb_retards_90j", "taux_retard_paiement")
#: Variable -> why it is asked, where the institution does not say it itself.
_PURPOSES = {
    **dict.fromkeys(("age",), Purpose.ELIGIBILITY),
    **dict.fromkeys(("sexe", "situation_familiale"), Purpose.FAIRNESS),
    **dict.fromkeys(
        (
            *("revenu_mensuel", "revenu_complementaire", "charges_mensuelles", "personnes_a_charge"),
            *("mensualites_en_cours", "encours_autres_dettes", "taux_endettement", "ratio_dette_revenu"),
        ),
        Purpose.MEANS,
    ),
    **dict.fromkeys(("type_contrat_travail", "anciennete_travail_mois", "secteur"), Purpose.STABILITY),
    **dict.fromkeys(("montant_credit", "duree_mois", "taux_interet", "type_credit"), Purpose.REQUEST),
    **dict.fromkeys(_ARREARS, Purpose.ARREARS),
    **dict.fromkeys(("nb_garanties", "valeur_garanties"), Purpose.SECURITY),
    **dict.fromkeys(("nb_visites_agent", "formation_credit"), Purpose.VISIT),
    **dict.fromkeys(
        ("bureau_consulte", "score_externe_moyen", "nb_credits_actifs_externes"), Purpose.ELSEWHERE
    ),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One variable of the dictionary with what the institution decided of it.

    ``row`` is absent for a standard variable of which the institution says nothing.
    """

    variable: Variable
    row: DictionaryVariable | None = None

    @property
    def name(self) -> str:
        return self.variable.name

    @property
    def own(self) -> bool:
        return self.name not in STANDARD

    @property
    def retired(self) -> bool:
        return self.row is not None and self.row.retired_at is not None

    @property
    def asked(self) -> bool:
        """Whether forms and imports ask for it."""
        if self.name in ALWAYS_ASKED:
            return True
        return self.row is None or self.row.asked

    @property
    def may_be_left_out(self) -> bool:
        return self.name not in ALWAYS_ASKED

    @property
    def in_models(self) -> bool:
        """Whether a model may learn from it."""
        return self.name in LEARNT_BY_DEFAULT if self.row is None else self.row.in_models

    @property
    def for_fairness(self) -> bool:
        return self.variable.sensitivity == "fairness"

    @property
    def set_by_officer(self) -> bool:
        return self.variable.source == "officer"

    @property
    def purpose(self) -> str:
        """Why it is asked: in the words of the institution, else in those of the product."""
        if self.row is not None and self.row.purpose:
            return self.row.purpose
        return "" if self.own else str(_PURPOSES.get(self.name, Purpose.RELATION).label)

    @property
    def model_use_reason(self) -> str:
        return self.row.model_use_reason if self.row is not None else ""


def dictionary_entries(*, retired: bool = False) -> list[Entry]:
    """Return every variable, the standard ones in their order, then the institution's; one query."""
    return list(_entries(_rows(), retired=retired))


def get_entry(name: str) -> Entry:
    """Return one variable, retired ones too; raise ``ObjectNotFound`` when it is not known here."""
    row = DictionaryVariable.objects.select_related("declared_by").filter(name=name).first()
    if row is None and name not in STANDARD:
        raise ObjectNotFound(_("No such variable."))
    return _entry(name, row)


def revisions_of(row: DictionaryVariable) -> QuerySet[DictionaryRevision]:
    """Return what a variable was and since when, the latest first."""
    rows = DictionaryRevision.objects.filter(variable=row).select_related("changed_by")
    return rows.order_by("-changed_at", "-pk")


def dictionary_in_force() -> Dictionary:
    """Return the standard variables and the institution's own ones in use; one query."""
    own = _own(DictionaryVariable.objects.own().in_use())
    return STANDARD.extended(*own) if own else STANDARD


def dictionary_for(names: Iterable[str]) -> Dictionary:
    """Return what checks values under these names: the standard variables alone need no query."""
    return STANDARD if all(name in STANDARD for name in names) else dictionary_in_force()


def known_variables(names: Iterable[str]) -> dict[str, Variable]:
    """Return each name's variable, retired ones too; a name nobody declared stands for itself.

    Standard names alone need no query.
    """
    names = list(names)
    others = {name for name in names if name not in STANDARD}
    own: Mapping[str, Variable] = {}
    if others:
        own = {each.name: each for each in _own(DictionaryVariable.objects.own().filter(name__in=others))}
    return {name: STANDARD.get(name) or own.get(name) or _bare(name) for name in names}


def asked_entries() -> list[Entry]:
    """Return what forms and files ask for, in order; one query."""
    return [entry for entry in dictionary_entries() if entry.asked]


def training_variables() -> tuple[Variable, ...]:
    """Return what a model of the institution may learn from, in order; one query.

    The variables of the contract but for those that serve fairness only, the optional ones that the
    institution switched on, its own ones. One that serves fairness is there only after a written reason.
    """
    return tuple(entry.variable for entry in dictionary_entries() if entry.in_models)


def model_dictionary() -> Dictionary:
    """Return what a model may name: every variable in use but those kept to fairness; one query."""
    entries = dictionary_entries()
    own = (entry.variable for entry in entries if entry.own)
    kept = {entry.name for entry in entries if entry.for_fairness and not entry.in_models}
    return STANDARD.extended(*own).without(kept)


def _rows() -> QuerySet[DictionaryVariable]:
    return DictionaryVariable.objects.order_by("pk")


def _entries(rows: Iterable[DictionaryVariable], *, retired: bool) -> Iterator[Entry]:
    by_name = {row.name: row for row in rows}
    for name in STANDARD:
        yield _entry(name, by_name.pop(name, None))
    for name, row in by_name.items():
        if retired or row.retired_at is None:
            yield _entry(name, row)


def _entry(name: str, row: DictionaryVariable | None) -> Entry:
    if name in STANDARD:
        return Entry(STANDARD[name], row)
    assert row is not None  # a variable that is not standard is a row
    return Entry(row.declared(), row)


def _own(rows: QuerySet[DictionaryVariable]) -> list[Variable]:
    return [row.declared() for row in rows.order_by("pk") if row.name not in STANDARD]


def _bare(name: str) -> Variable:
    return Variable(name, "decimal", name, name)
