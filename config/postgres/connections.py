"""Django's DATABASES: the same three aliases over the embedded server or addresses of one's own."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from config import env
from config.postgres.errors import PostgresError
from config.postgres.roles import APP, OWNER, PLATFORM
from config.postgres.state import DATABASE, Server

type Connection = dict[str, Any]
#: Alias -> role. `default` serves requests and tasks, `owner` migrates, `platform` reads for the operator.
ALIASES = {"default": APP, "owner": OWNER, "platform": PLATFORM}
CONNECT_SECONDS = 5


def for_server(
    server: Server, *, name: str = DATABASE, conn_max_age: int | None = 0
) -> dict[str, Connection]:
    """Return DATABASES for an embedded server, which may not have been started yet."""
    return {
        alias: _connection(
            NAME=name,
            USER=role,
            PASSWORD=server.passwords[role],
            HOST=str(server.socket_dir),
            PORT=str(server.port),
            CONN_MAX_AGE=conn_max_age,
            OPTIONS=_options(alias),
        )
        for alias, role in ALIASES.items()
    }


def from_environment(*, conn_max_age: int | None = 0) -> dict[str, Connection]:
    """Return DATABASES for DATABASE_URL (application role), DATABASE_PLATFORM_URL and DATABASE_OWNER_URL.

    The owner's address may be left out where no migration runs: the alias is then absent, so that a web
    server need not know that password.
    """
    addresses = {
        "default": env.secret("DATABASE_URL"),
        "owner": env.secret("DATABASE_OWNER_URL", ""),
        "platform": env.secret("DATABASE_PLATFORM_URL"),
    }
    return {
        alias: from_url(address, alias=alias, conn_max_age=conn_max_age)
        for alias, address in addresses.items()
        if address
    }


def from_url(url: str, *, alias: str = "default", conn_max_age: int | None = 0) -> Connection:
    """Return one Django connection of `postgresql://user:password@host:port/name?option=value`.

    Parts are percent-decoded; `?host=/folder` gives a unix socket; other options (sslmode ...) go to libpq.
    Raises `PostgresError`, which never repeats the address: it holds a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise PostgresError(f"The address of database {alias!r} cannot be read.") from None
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    port_text = options.pop("port", "") or str(port or "")
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in {"postgres", "postgresql"} or not name or not host or not parts.username:
        form = "postgresql://user:password@host:port/name"
        raise PostgresError(f"The address of database {alias!r} must be {form}.")
    return _connection(
        NAME=name,
        USER=unquote(parts.username),
        PASSWORD=unquote(parts.password or ""),
        HOST=host,
        PORT=port_text,
        CONN_MAX_AGE=conn_max_age,
        OPTIONS=_options(alias) | options,
    )


def _connection(**settings: Any) -> Connection:
    return {"ENGINE": "django.db.backends.postgresql", "CONN_HEALTH_CHECKS": True, **settings}


def _options(alias: str) -> dict[str, Any]:
    return {"connect_timeout": CONNECT_SECONDS, "application_name": f"credisense-{alias}"}
