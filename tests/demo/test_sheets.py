"""The spreadsheets of a fictional portfolio: written as people keep them, the same for the same seed."""

import datetime as dt

import pytest
from django.core.management import CommandError, call_command

from apps.files.reading.rows import chunks, header
from apps.files.reading.surveys import survey

AS_OF = dt.date(2026, 11, 21)


def write(folder, **options):
    call_command("demo_files", folder, rows=60, as_of=AS_OF, verbosity=0, **options)
    return {path.stem: path for path in folder.iterdir()}


def test_a_folder_holds_one_file_a_table_and_a_month(tmp_path):
    files = write(tmp_path)
    months = sorted(name for name in files if name.startswith("balance_"))
    assert set(files) - set(months) == {"clients", "demandes", "credits", "echeances", "remboursements"}
    assert months[-1] == "balance_2026-10"
    assert len(months) > 24


def test_a_balance_is_read_under_its_title(tmp_path):
    path = write(tmp_path)["balance_2026-10"]
    found = survey(path).dialect
    assert (found.encoding, found.separator, found.header_line) == ("cp1252", ";", 3)
    assert header(path, found) == ["N° crédit", "Code client", "Encours", "Jours de retard", "Date d'arrêté"]
    chunk = next(chunks(path, found))
    assert set(chunk.frame["Date d'arrêté"]) == {"31/10/2026"}
    assert chunk.frame["N° crédit"].str.starts_with("X-P-").all()


def test_the_same_seed_writes_the_same_files(tmp_path):
    first, second = write(tmp_path / "1"), write(tmp_path / "2")
    other = write(tmp_path / "3", seed=12)
    assert first["credits"].read_bytes() == second["credits"].read_bytes()
    assert first["credits"].read_bytes() != other["credits"].read_bytes()


def test_no_rows_is_refused(tmp_path):
    with pytest.raises(CommandError, match="at least 1"):
        call_command("demo_files", tmp_path, rows=0)
