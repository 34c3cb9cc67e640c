"""Keys of a local installation: made once with the system's randomness, kept in a private file.

Production never reads this: its keys come from the environment or from mounted files.
"""

import fcntl
import json
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

FILE = "keys.json"
_NAMES = frozenset({"secret", "jwt", "field", "index", "task", "audit"})


def local_keys(data_dir: Path) -> dict[str, str]:
    """Return the keys of ``data_dir``; what is missing is made (file mode 0600, written atomically)."""
    path = data_dir / FILE
    keys = _read(path)
    if keys.keys() >= _NAMES:
        return keys
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first of two concurrent starts makes them
        keys = {**_new_keys(), **_read(path)}
        _write(path, keys)
    return keys


def _new_keys() -> dict[str, str]:
    return {
        "field": Fernet.generate_key().decode(),
        **{name: secrets.token_urlsafe(50) for name in sorted(_NAMES - {"field"})},
    }


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    keys: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return keys


def _write(path: Path, keys: dict[str, str]) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(keys, file)
    draft.replace(path)
