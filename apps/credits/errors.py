from apps.tenancy.errors import DomainError


class ClientNotFound(DomainError):
    """Unknown client, or of another institution or agency."""

    code = "not_found"


class ApplicationMoved(DomainError):
    """The application is not, or no longer, in a state in which this can be done."""

    code = "moved"


class ChangedMeanwhile(DomainError):
    """Somebody else saved the row after it was read."""

    code = "changed_meanwhile"
