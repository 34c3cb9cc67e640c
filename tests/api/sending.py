"""What the tests of resources send."""

import json

NOBODY = "00000000-0000-4000-8000-000000000000"


def send(client, method, url, body=None, **headers):
    """Send a JSON body (an empty object where none is given)."""
    raw = json.dumps({} if body is None else body)
    return getattr(client, method)(url, raw, content_type="application/json", headers=headers)
