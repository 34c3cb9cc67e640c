"""What may go wrong, as facts. Doors turn them into a page, an API problem or a log line."""

from collections.abc import Mapping, Sequence


class ScopeError(RuntimeError):
    """A programming error of isolation: never shown to a person, never caught to continue."""


class NoTenantScope(ScopeError):
    """Tenant data was touched outside ``tenant_scope``."""


class ScopeConflict(ScopeError):
    """A scope was opened inside the scope of another institution."""


class UntrustedMessage(ScopeError):
    """A task message without a valid institution signature."""


class DomainError(Exception):
    """A refusal with a stable code and a message in the caller's language.

    ``fields`` maps field names to messages when the refusal concerns some of them.
    """

    code = "refused"

    def __init__(self, message: str, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class ObjectNotFound(DomainError):
    """Unknown, or of another institution or agency: the caller cannot tell which."""

    code = "not_found"


class InvalidValues(DomainError):
    """Values out of type, range or list; ``fields`` says which."""

    code = "invalid_values"


class NotAllowed(DomainError):
    """The actor's role does not hold the verb."""

    code = "not_allowed"


class ChangedMeanwhile(DomainError):
    """Somebody else saved the row after it was read."""

    code = "changed_meanwhile"
