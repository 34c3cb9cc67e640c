"""Fields that several targets share, with the names that people give them."""

from django.utils.translation import gettext as _

from apps.files.reading.mapping import Field

LONGEST_REFERENCE = 40


def credit_reference(*, alone: bool = True) -> Field:
    """Return the field that names a credit; ``alone`` when no other field of the file is a reference."""
    return Field(
        "credit_reference",
        _("Reference of the credit"),
        "text",
        required=True,
        longest=LONGEST_REFERENCE,
        synonyms=(
            *("référence du crédit", "référence crédit", "réf crédit", "n° crédit", "numéro crédit"),
            *("numéro du crédit", "numéro de crédit", "num crédit", "id crédit", "code crédit"),
            *("référence du prêt", "référence prêt", "n° prêt", "numéro de prêt", "numéro du prêt"),
            *("id prêt", "compte de crédit", "compte de prêt", "compte prêt", "n° compte crédit"),
            *("credit id", "credit number", "loan id", "loan number", "loan reference", "loan account"),
            "account number",
            *(("référence", "reference", "réf") if alone else ()),
        ),
    )


def client_reference(*, required: bool = True) -> Field:
    """Return the field that names a client."""
    return Field(
        "client_reference",
        _("Reference of the client"),
        "text",
        required=required,
        longest=LONGEST_REFERENCE,
        synonyms=(
            *("référence du client", "référence client", "réf client", "n° client", "numéro client"),
            *("numéro du client", "code client", "id client", "matricule", "matricule client", "client"),
            *("n° membre", "numéro membre", "numéro de membre", "code membre", "client id", "client number"),
            *("customer id", "customer number", "member id", "member number", "borrower id"),
        ),
    )


def application_reference() -> Field:
    """Return the field that names an application."""
    return Field(
        "application_reference",
        _("Reference of the application"),
        "text",
        longest=LONGEST_REFERENCE,
        synonyms=(
            *("référence de la demande", "référence demande", "réf demande", "n° demande", "id demande"),
            *("numéro demande", "numéro de demande", "numéro de la demande", "dossier", "n° dossier"),
            *("numéro dossier", "numéro de dossier", "numéro du dossier", "référence dossier"),
            *("référence du dossier", "réf dossier", "code dossier", "id dossier", "application id"),
            *("application number", "file number", "request number"),
        ),
    )
