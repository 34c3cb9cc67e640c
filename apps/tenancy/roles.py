"""The one role-by-verb table (DOMAIN.md): who may do what inside an institution."""

from enum import StrEnum


class Role(StrEnum):
    """Codes are the French words of the field; labels are in the catalogue."""

    OPERATEUR = "operateur"
    ADMINISTRATEUR = "administrateur"
    ANALYSTE = "analyste"
    AGENT = "agent"
    RESPONSABLE_RISQUES = "responsable_risques"
    COMITE = "comite"
    AUDITEUR = "auditeur"
    DIRECTEUR_COMMERCIAL = "directeur_commercial"
    DPO = "dpo"
    PARTENAIRE = "partenaire"


class Verb(StrEnum):
    READ_FILES = "read_files"
    EDIT_FILES = "edit_files"
    SCORE = "score"
    REPLAY = "replay"
    DECIDE = "decide"
    IMPORT = "import"
    PROPOSE_MODEL = "propose_model"
    APPROVE_MODEL = "approve_model"
    READ_REPORTS = "read_reports"
    CONTACT_PROSPECTS = "contact_prospects"
    DEFINE_VARIABLES = "define_variables"
    READ_AUDIT = "read_audit"
    ADMINISTER = "administer"


_TABLE: dict[Role, frozenset[Verb]] = {
    Role.OPERATEUR: frozenset(),
    Role.ADMINISTRATEUR: frozenset(
        {
            Verb.READ_FILES,
            Verb.IMPORT,
            Verb.APPROVE_MODEL,
            Verb.DEFINE_VARIABLES,
            Verb.READ_REPORTS,
            Verb.READ_AUDIT,
            Verb.ADMINISTER,
        }
    ),
    Role.ANALYSTE: frozenset(
        {
            Verb.READ_FILES,
            Verb.EDIT_FILES,
            Verb.SCORE,
            Verb.REPLAY,
            Verb.DECIDE,
            Verb.IMPORT,
            Verb.READ_REPORTS,
        }
    ),
    Role.AGENT: frozenset({Verb.READ_FILES, Verb.EDIT_FILES, Verb.SCORE, Verb.READ_REPORTS}),
    Role.RESPONSABLE_RISQUES: frozenset(
        {
            Verb.READ_FILES,
            Verb.EDIT_FILES,
            Verb.SCORE,
            Verb.REPLAY,
            Verb.DECIDE,
            Verb.IMPORT,
            Verb.PROPOSE_MODEL,
            Verb.APPROVE_MODEL,
            Verb.DEFINE_VARIABLES,
            Verb.READ_REPORTS,
        }
    ),
    Role.COMITE: frozenset({Verb.READ_FILES, Verb.SCORE, Verb.REPLAY, Verb.APPROVE_MODEL, Verb.READ_REPORTS}),
    Role.AUDITEUR: frozenset({Verb.READ_FILES, Verb.REPLAY, Verb.READ_REPORTS, Verb.READ_AUDIT}),
    Role.DIRECTEUR_COMMERCIAL: frozenset({Verb.READ_REPORTS, Verb.CONTACT_PROSPECTS}),
    Role.DPO: frozenset({Verb.READ_FILES, Verb.READ_REPORTS, Verb.READ_AUDIT}),
    Role.PARTENAIRE: frozenset(),  # a partner key carries its own scopes
}


#: What the administrator may put on a partner key; deciding and administering stay with people.
KEY_SCOPES = (Verb.READ_FILES, Verb.EDIT_FILES, Verb.SCORE, Verb.REPLAY, Verb.IMPORT)


def allows(role: str, verb: Verb) -> bool:
    """Say whether ``role`` holds ``verb``; an unknown role holds nothing."""
    return role in Role and verb in _TABLE[Role(role)]


def roles_with(verb: Verb) -> tuple[Role, ...]:
    """Return the roles that hold ``verb``, in the order of the table."""
    return tuple(role for role, verbs in _TABLE.items() if verb in verbs)
