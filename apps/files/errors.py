"""Why a file was refused."""

from apps.tenancy.errors import DomainError


class FileRefused(DomainError):
    """A file that is not read: ``code`` says why to machines, ``message`` to the person who sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
