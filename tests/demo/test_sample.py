"""The file of the visit: what is committed is what the generator writes, and seven lines are refused."""

from django.conf import settings

from apps.demo.synthetic.sample import FAULTS, ROWS, sample_file
from apps.files.reading.dialects import detect
from apps.files.reading.mapping import propose
from apps.files.reading.rows import chunks, header
from apps.files.reading.values import refused_rows, typed_chunk
from apps.scoring.services.columns import scoring_fields

SAMPLE = settings.BASE_DIR / "static/demo/exemple_portefeuille.csv"


def test_the_committed_file_is_the_generators():
    assert SAMPLE.read_bytes() == sample_file()


def test_seven_lines_are_refused_each_for_its_own_reason(world):
    with world.scope():
        fields = scoring_fields()
    dialect = detect(SAMPLE)
    matches = [match for match in propose(header(SAMPLE, dialect), fields) if match.certain]
    (chunk,) = chunks(SAMPLE, dialect, size=1_000)
    found = typed_chunk(chunk, matches, fields, dialect)

    assert (dialect.encoding, dialect.separator, dialect.decimal) == ("cp1252", ";", ",")
    assert all(match.field is not None for match in matches)
    assert len(chunk) == ROWS
    assert refused_rows(found, ROWS).arg_true().to_list() == [row for row, _name, _text in FAULTS]
