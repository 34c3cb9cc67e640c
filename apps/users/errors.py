from apps.tenancy.errors import DomainError


class InvalidCredentials(DomainError):
    """Unknown e-mail, wrong password, inactive account: one generic message for all."""

    code = "invalid_credentials"


class InvalidToken(DomainError):
    """A token that is unreadable, expired, of somebody else or of another institution."""

    code = "invalid_token"


class InvitationOver(DomainError):
    """An invitation that was used, is too old, was altered, or whose institution is suspended."""

    code = "invitation_over"
