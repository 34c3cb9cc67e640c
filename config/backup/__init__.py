"""Backup and restore: the whole platform by pg_dump, or one institution's own rows, each in one tar file.

Keys are never in it: who finds the file cannot read phones and document numbers.
"""

import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

FORMAT = 1
MANIFEST = "manifest.json"


class BackupRefused(Exception):
    """The backup or the restoration cannot be done as asked; nothing was changed."""


@contextmanager
def new_archive(target: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[tarfile.TarFile, Path]]:
    """Yield ``(tar, working folder)``; the file appears under its name only once it is complete.

    Raises ``BackupRefused`` when there is a file of that name.
    """
    if target.exists():
        raise BackupRefused(f"{target} exists already: a backup never replaces another.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as name:
        folder = Path(name)
        draft = folder / "archive.tar"
        with draft.open("xb") as file, tarfile.open(fileobj=file, mode="w") as tar:
            head = folder / MANIFEST
            head.write_text(json.dumps({"format": FORMAT, **manifest}, indent=1), encoding="utf-8")
            tar.add(head, MANIFEST)
            yield tar, folder
        draft.chmod(0o600)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        try:
            os.link(draft, target)
        except FileExistsError:
            raise BackupRefused(f"{target} exists already: a backup never replaces another.") from None


@contextmanager
def opened_archive(source: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """Yield ``(manifest, folder)`` of an unpacked backup; raise ``BackupRefused`` when it is none."""
    with tempfile.TemporaryDirectory(prefix="credisense-restore-") as name:
        folder = Path(name)
        try:
            with tarfile.open(source, mode="r:") as tar:
                tar.extractall(folder, filter="data")
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, tarfile.TarError, ValueError) as error:
            raise BackupRefused(
                f"{source} is not a backup of CrediSense ({type(error).__name__})."
            ) from error
        if manifest.get("format") != FORMAT:
            raise BackupRefused(f"{source} has another format than {FORMAT}.")
        yield manifest, folder


def add_folder(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    """Add a folder to an archive, when there is one."""
    if folder.is_dir():
        tar.add(folder, name)


def place_files(unpacked: Path, target: Path) -> int:
    """Move a backup's files into place and return how many.

    A file that stands there already is kept when it is the same; ``BackupRefused`` when it differs,
    before anything is moved.
    """
    files = [path for path in sorted(unpacked.rglob("*")) if path.is_file()]
    wanted = {path: target / path.relative_to(unpacked) for path in files}
    for source, place in wanted.items():
        if place.exists() and place.read_bytes() != source.read_bytes():
            raise BackupRefused(f"{place} exists already with another content.")
    missing = {source: place for source, place in wanted.items() if not place.exists()}
    for source, place in missing.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(source.read_bytes())
    return len(missing)


def applied_migrations(alias: str = "default") -> list[str]:
    """Return ``app.name`` of every migration of the database, sorted: its structure in short."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied)
