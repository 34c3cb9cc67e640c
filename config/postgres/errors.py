"""What stops the embedded server."""

from django.core.exceptions import ImproperlyConfigured


class PostgresError(ImproperlyConfigured):
    """The database server cannot be found, prepared, started or reached; the message says what to do."""
