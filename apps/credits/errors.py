from typing import Any

from apps.tenancy.errors import DomainError


class ApplicationMoved(DomainError):
    """The application is not, or no longer, in a state in which this can be done."""

    code = "moved"


class ConsentMissing(DomainError):
    """What is asked needs a consent that the client has not given, or has withdrawn."""

    code = "consent_missing"


class PossibleDuplicate(DomainError):
    """A client with the same phone, document, or name and birth date exists; ``found`` says which."""

    code = "possible_duplicate"

    def __init__(self, message: str, *, found: Any) -> None:
        super().__init__(message)
        self.found = found


class ClientMerged(DomainError):
    """The file was merged into another one, which stands for the person; this one only holds history."""

    code = "merged"


class CreditMoved(DomainError):
    """The credit is not, or no longer, in a state in which this can be done."""

    code = "moved"


class ImportMoved(DomainError):
    """The import is not, or no longer, at the step that this follows."""

    code = "moved"


class ImportRefused(DomainError):
    """Nothing is imported: rows are refused and the choice was all or nothing."""

    code = "rows_refused"


class ImportBuiltOn(DomainError):
    """The import cannot be undone: ``found`` says what is built on it, or was changed since."""

    code = "built_on"

    def __init__(self, message: str, *, found: Any) -> None:
        super().__init__(message)
        self.found = found


class VariableInUse(DomainError):
    """A model in production reads the variable: it cannot stop being asked."""

    code = "variable_in_use"
