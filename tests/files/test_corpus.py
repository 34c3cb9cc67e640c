"""Files as people really send them give the right rows, or the right message and nothing else."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation

from apps.files.errors import FileRefused
from apps.files.models import StoredFile
from apps.files.reading.fields import dictionary_fields
from apps.files.reading.mapping import Field, propose
from apps.files.reading.rows import chunks
from apps.files.reading.surveys import survey
from apps.files.reading.values import typed_chunk
from apps.files.services import part_path, store_upload
from tests.files.corpus import FIELDS, HEADERS, corpus, refusals, texts, workbooks

KNOWN = [
    Field("reference", "Référence", "text", synonyms=("SK_ID_CURR",)),
    Field("jour", "Date", "date", synonyms=("Date de la demande",)),
    *(field for field in dictionary_fields() if field.name in FIELDS),
]


def read(path, *, size=20_000):
    """Return what a file holds: the survey, its rows in the order of ``FIELDS``, their lines, its errors."""
    found = survey(path)
    matches = propose(found.headers, KNOWN)
    held = [name for name in FIELDS if name in {match.field for match in matches}]
    rows, lines, errors = [], [], []
    for chunk in chunks(path, found.dialect, size=size):
        values = typed_chunk(chunk, matches, KNOWN, found.dialect)
        rows += zip(*(values.columns[name].to_list() for name in held), strict=True)
        lines += chunk.lines.to_list()
        told = values.errors.filter(values.errors["code"] != "required")
        errors += [
            (chunk.lines[row], column, code)
            for row, column, code in told.select("row", "column", "code").rows()
        ]
    return found, rows, lines, errors


@pytest.mark.parametrize("awkward", [*texts(), *workbooks()], ids=lambda awkward: awkward.name)
def test_awkward_files_give_the_right_rows(awkward, tmp_path):
    path = tmp_path / awkward.name
    path.write_bytes(awkward.content())

    found, rows, lines, errors = read(path)

    told = {part: getattr(found.dialect, part) for part in awkward.dialect}
    assert (told, rows, lines, errors) == (awkward.dialect, awkward.rows, awkward.lines, awkward.errors)
    assert found.rows == len(rows)
    assert read(path, size=1)[1:] == (rows, lines, errors)


@pytest.mark.parametrize("awkward", refusals(), ids=lambda awkward: awkward.name)
def test_awkward_files_are_refused_with_a_message(awkward, tmp_path):
    path = tmp_path / awkward.name
    path.write_bytes(awkward.content())
    with pytest.raises(FileRefused) as refusal:
        survey(path)
    assert refusal.value.code == awkward.refused
    assert refusal.value.message.endswith(".")


@pytest.mark.parametrize("blank", [";", " ;\t", "\u00a0;\u202f", "\0\0", "\0;\0", ""])
def test_a_line_without_a_filled_cell_is_no_row(tmp_path, blank):
    path = tmp_path / "a.csv"
    path.write_text(f"age;montant_credit\n25;1\n{blank}\n-3;2\n{blank}", encoding="utf-8")

    found, rows, _lines, _errors = read(path)

    assert found.rows == len(rows) == 2


@pytest.mark.parametrize(
    "blank", [" ", "\t", "\x0b", "\x85", "\u00a0", "\u2003", "\u2028", "\u202f", "\u3000"]
)
def test_blanks_around_a_cell_are_none_of_it(tmp_path, blank):
    """Whatever the blank, whether the rest of the file holds one or not."""
    path = tmp_path / "a.csv"
    path.write_text(
        f"age;montant_credit\n25;100000\n{blank}30{blank};200000{blank}\n{blank};300000\n", encoding="utf-8"
    )

    found, rows, _lines, errors = read(path)

    names = [name for name in FIELDS if name in {"age", "montant_credit"}]
    assert [dict(zip(names, row, strict=True)) for row in rows] == [
        {"age": 25, "montant_credit": 100_000},
        {"age": 30, "montant_credit": 200_000},
        {"age": None, "montant_credit": 300_000},
    ]
    assert (found.rows, errors) == (3, [])


@pytest.mark.django_db
def test_nothing_is_stored_of_what_is_refused(world):
    by = world.actor(world.analyst)
    with world.scope():
        folder = part_path(world.user(world.analyst).uid).parent.parent
        before = StoredFile.objects.count(), len([path for path in folder.rglob("*") if path.is_file()])
        for awkward in refusals():
            upload = SimpleUploadedFile(awkward.name, awkward.content())
            with pytest.raises(FileRefused):
                store_upload(upload=upload, purpose="batch", by=by)
        after = StoredFile.objects.count(), len([path for path in folder.rglob("*") if path.is_file()])
    assert after == before


def test_the_corpus_is_large_and_its_names_differ():
    names = [awkward.name for awkward in corpus()]
    assert len(names) == len(set(names)) >= 25


def test_refusals_are_told_in_french(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"%PDF-1.7")
    with translation.override("fr"), pytest.raises(FileRefused) as refusal:
        survey(path)
    assert "PDF" in refusal.value.message


def test_every_choice_may_be_made_otherwise(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("titre\nAge,Revenu;Montant\n25,1;2\n".encode("cp1252"))
    found = survey(path).dialect
    assert found.separator in {",", ";"}
    chosen = found.replaced(separator="," if found.separator == ";" else ";", header_line=2)
    assert survey(path, dialect=chosen).headers != survey(path, dialect=found.replaced(header_line=2)).headers
    assert len(HEADERS) == len(FIELDS)
