"""Keys of a local installation: made once with the system's randomness, kept in a private file.

Production never reads this: its keys come from the environment or from mounted files.
"""

import json
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

FILE = "keys.json"


def local_keys(data_dir: Path) -> dict[str, str]:
    """Return the keys of ``data_dir``, made at the first call (file mode 0600, written atomically)."""
    path = data_dir / FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        _write_once(
            path,
            {
                "secret": secrets.token_urlsafe(50),
                "jwt": secrets.token_urlsafe(50),
                "field": Fernet.generate_key().decode(),
                "index": secrets.token_urlsafe(50),
                "task": secrets.token_urlsafe(50),
            },
        )
    keys: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return keys


def _write_once(path: Path, keys: dict[str, str]) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(keys, file)
    try:
        os.link(draft, path)  # the first of two concurrent starts wins
    except FileExistsError:
        pass
    finally:
        draft.unlink()
