"""Who may ask for which report (DOMAIN.md, row « reports »)."""

from apps.reports.enums import OF_PERIOD, ReportKind
from apps.tenancy.actor import Actor
from apps.tenancy.roles import Role, Verb, allows

#: Their figures are those of their own work.
OWN_WORK = frozenset({Role.ANALYSTE, Role.AGENT})
_EVERYTHING = frozenset({Role.ADMINISTRATEUR, Role.RESPONSABLE_RISQUES, Role.COMITE, Role.AUDITEUR})
_FIGURES = _EVERYTHING | {Role.DIRECTEUR_COMMERCIAL}
_COMMITTING = frozenset({Role.ADMINISTRATEUR, Role.RESPONSABLE_RISQUES})

_ROLES: dict[ReportKind, frozenset[Role]] = {
    ReportKind.ACTIVITY: _FIGURES | OWN_WORK,
    ReportKind.SCORES: _EVERYTHING | OWN_WORK,
    ReportKind.ANALYSTS: _FIGURES,
    ReportKind.AGENCIES: _FIGURES,
    ReportKind.CONSISTENCY: _EVERYTHING,
}
_VERBS: dict[ReportKind, Verb] = {
    ReportKind.AUDIT: Verb.READ_AUDIT,
    ReportKind.MODEL: Verb.READ_REPORTS,
    ReportKind.ANALYSIS_SHEET: Verb.READ_FILES,
    ReportKind.CLIENT_SHEET: Verb.READ_FILES,
    ReportKind.DECISION_FILE: Verb.READ_FILES,
    ReportKind.LETTER: Verb.READ_FILES,
}


def may_ask(kind: str, actor: Actor) -> bool:
    """Say whether ``actor`` may ask for a kind of report; a report is a person's, never a key's."""
    return actor.person_id is not None and role_may_ask(kind, actor.role)


def role_may_ask(kind: str, role: str) -> bool:
    """Say whether people of a role may ask for a kind of report."""
    if not allows(role, Verb.READ_REPORTS):
        return False
    known = ReportKind(kind)
    return allows(role, _VERBS[known]) if known in _VERBS else role in _ROLES[known]


def kinds_of(actor: Actor) -> list[ReportKind]:
    """Return the reports over a period that ``actor`` may ask for, in their order."""
    return [kind for kind in OF_PERIOD if may_ask(kind, actor)]


def can_read_benchmarks(actor: Actor) -> bool:
    """Say whether ``actor`` may compare the institution with others: who sees the whole of its figures."""
    return actor.person_id is not None and actor.role in _FIGURES and actor.agency_ids is None


def can_join_benchmarks(actor: Actor) -> bool:
    """Say whether ``actor`` may commit the institution to share its figures, and take that back."""
    return can_read_benchmarks(actor) and actor.role in _COMMITTING


def tells_own_work(actor: Actor) -> bool:
    """Say whether reports tell this person's own work only."""
    return actor.role in OWN_WORK
