"""`python3 deploy/make_secrets.py [folder]`: make the files of ./secrets that docker-compose.yml asks for.

What exists is never replaced. Needs Python alone. The certificate (`tls_certificate`, with its chain) and
its key (`tls_key`) come from whoever issues them.
"""

import base64
import secrets
import sys
from pathlib import Path

PASSWORDS = ("postgres_password", "owner_password", "app_password", "platform_password", "backup_password")
KEYS = ("secret_key", "jwt_key", "index_key", "task_key", "audit_key", "metrics_token")
URLS = {
    "database_superuser_url": ("postgres", "postgres_password", "postgres"),
    "database_owner_url": ("credisense_owner", "owner_password", "credisense"),
    "database_url": ("credisense_app", "app_password", "credisense"),
    "database_platform_url": ("credisense_platform", "platform_password", "credisense"),
}


def main(folder: Path) -> list[str]:
    """Make the missing files and return their names. Only the folder's owner may enter it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    made: list[str] = []

    def keep(name: str, value: str) -> str:
        path = folder / name
        if not path.exists():
            path.write_text(value)
            path.chmod(0o444)  # the containers' account reads it; the folder keeps everybody else out
            made.append(name)
        return path.read_text()

    passwords = {name: keep(name, secrets.token_hex(32)) for name in PASSWORDS}
    for name in KEYS:
        keep(name, secrets.token_urlsafe(50))
    keep("field_keys", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    for name, (role, password, database) in URLS.items():
        keep(name, f"postgresql://{role}:{passwords[password]}@database:5432/{database}")
    return made


if __name__ == "__main__":
    names = main(Path(sys.argv[1] if len(sys.argv) > 1 else "secrets"))
    print("\n".join(names) or "Nothing was missing.")  # noqa: T201  a command speaks on the terminal
