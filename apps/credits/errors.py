from apps.tenancy.errors import DomainError


class ClientNotFound(DomainError):
    """Unknown client, or of another institution or agency."""

    code = "not_found"
