"""The gauge runs from the lowest score on the left to the highest on the right."""

import pytest

from apps.web.gauge import dial

LEFT, TOP, RIGHT = "28.00 116.00", "120.00 24.00", "212.00 116.00"


@pytest.mark.parametrize(("score", "end"), [(575, TOP), (850, RIGHT), (900, RIGHT)])
def test_the_arc_ends_at_the_score(score, end):
    assert dial(score).value == f"M{LEFT} A92 92 0 0 1 {end}"


def test_a_score_below_the_scale_still_shows_as_a_dot():
    assert dial(100).value == dial(300).value != f"M{LEFT} A92 92 0 0 1 {LEFT}"


@pytest.mark.parametrize(("points", "anchor"), [(559, "middle"), (400, "end"), (700, "start")])
def test_the_threshold_is_labelled_on_its_own_side(points, anchor):
    assert dial(606, points).threshold.anchor == anchor


def test_without_a_threshold_there_is_no_mark():
    assert dial(606).threshold is None
