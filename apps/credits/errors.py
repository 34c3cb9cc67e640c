from typing import Any

from apps.tenancy.errors import DomainError


class ClientChanged(DomainError):
    """The file was changed by somebody else since it was shown."""

    code = "changed"


class ConsentMissing(DomainError):
    """What is asked needs a consent that the client has not given, or has withdrawn."""

    code = "consent_missing"


class PossibleDuplicate(DomainError):
    """A client with the same phone, document, or name and birth date exists; ``found`` says which."""

    code = "possible_duplicate"

    def __init__(self, message: str, *, found: Any) -> None:
        super().__init__(message)
        self.found = found
