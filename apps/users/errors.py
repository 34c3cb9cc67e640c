from apps.tenancy.errors import DomainError


class InvalidCredentials(DomainError):
    """Unknown e-mail, wrong password, inactive account: one generic message for all."""

    code = "invalid_credentials"


class InvalidToken(DomainError):
    """A token that is unreadable, expired, of somebody else or of another institution."""

    code = "invalid_token"


class LockedOut(DomainError):
    """Too many failures of this account or address; ``wait`` is in seconds."""

    code = "locked_out"

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait


class OtpRequired(DomainError):
    """The password is right and the account also asks for a one-time code."""

    code = "otp_required"


class InvalidOtp(DomainError):
    """A wrong, used or foreign one-time code or recovery code."""

    code = "invalid_otp"


class SecondFactorMissing(DomainError):
    """The institution requires a second factor of this role, and this person has set none up."""

    code = "totp_setup_required"


class SecondFactorRequired(DomainError):
    """The institution requires a second factor of this role: it cannot be switched off."""

    code = "totp_required"


class InvitationOver(DomainError):
    """An invitation that was used, is too old, was altered, or whose institution is suspended."""

    code = "invitation_over"


class PasswordClosed(DomainError):
    """The institution lets its members in through its own provider only."""

    code = "password_closed"


class OpenIdRefused(DomainError):
    """A log-in through an institution's provider that does not hold; ``reason`` is a code for the trail."""

    code = "openid_refused"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class DraftTooLarge(DomainError):
    """A draft larger than a form can be."""

    code = "draft_too_large"


class TooManyOpinions(DomainError):
    """A person has written as many opinions as one day takes."""

    code = "too_many_opinions"
