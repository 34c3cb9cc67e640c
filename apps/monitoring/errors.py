from apps.tenancy.errors import DomainError


class ReviewRefused(DomainError):
    """The alert is over, or its review stands elsewhere by now."""

    code = "review_refused"
