from apps.tenancy.errors import DomainError


class BrokenTrail(DomainError):
    """The head of a chain is not what the key holder wrote: nothing is sealed upon it."""

    code = "broken_trail"
