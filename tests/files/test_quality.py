"""The score of quality of a file, from what a dry run counted."""

import json

import pytest

from apps.files.reading.quality import FileCounts, FileQuality, file_quality


@pytest.mark.parametrize(
    ("counts", "score", "codes"),
    [
        (FileCounts(read=100, cells=800), 100, []),
        (FileCounts(read=100, rejected=100, cells=800), 50, ["rejected"]),
        (FileCounts(read=100, cells=800, missing=800), 75, ["missing"]),
        (FileCounts(read=100, duplicates=100), 85, ["duplicates"]),
        (FileCounts(read=100, units=1), 95, ["units"]),
        (FileCounts(read=100, units=9), 90, ["units"]),
        (FileCounts(read=100, rejected=10, cells=800, missing=80, duplicates=20, units=1), 85,
         ["rejected", "units", "duplicates", "missing"]),
        (FileCounts(read=1_000_000, rejected=1), 99, ["rejected"]),
        (FileCounts(read=10, rejected=10, cells=80, missing=80, duplicates=10, units=2), 0,
         ["rejected", "missing", "duplicates", "units"]),
        (FileCounts(read=0), 0, []),
    ],
)  # fmt: skip
def test_a_file_loses_points_by_what_is_wrong_with_it(counts, score, codes):
    found = file_quality(counts)

    assert found.score == score
    assert sorted(loss.code for loss in found.losses) == sorted(codes)
    assert [loss.points for loss in found.losses] == sorted(
        (loss.points for loss in found.losses), reverse=True
    )


def test_it_is_stored_and_read_back():
    found = file_quality(FileCounts(read=1_200, rejected=30, cells=9_600, missing=400))

    assert FileQuality.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert "1" in found.losses[0].text()
