"""`python -m config.alive`: exit code 0 when the site answers on this machine; for health checks."""

import http.client
import sys

from config import env

SECONDS = 3


def main() -> int:
    """Ask `/healthz` by the first allowed host name, as the proxy would."""
    host = (env.items("CREDISENSE_ALLOWED_HOSTS") or ["localhost"])[0]
    connection = http.client.HTTPConnection(
        "127.0.0.1", env.integer("PORT", 8000, minimum=1), timeout=SECONDS
    )
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return int(connection.getresponse().status != http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
