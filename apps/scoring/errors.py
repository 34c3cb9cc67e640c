from apps.tenancy.errors import DomainError


class NoPolicy(DomainError):
    """The institution has no scoring policy in force."""

    code = "no_policy"
