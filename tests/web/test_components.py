"""Charts, amounts and the page that shows every component."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils import translation

from apps.web.charts import bars, histogram, lines
from apps.web.fields import AmountField

NARROW, NO_BREAK = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    "typed",
    ["1500000", "1 500 000", f"1{NARROW}500{NARROW}000", f"1{NO_BREAK}500{NO_BREAK}000", " 1500 000\t"],
)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_an_amount_may_hold_spaces_of_every_kind(typed, language):
    with translation.override(language):
        assert AmountField().clean(typed) == 1_500_000


def test_english_readers_may_type_their_commas():
    with translation.override("en"):
        assert AmountField().clean("1,500,000") == 1_500_000


@pytest.mark.parametrize("typed", ["1.5", "1,5", "1.0", "12,50", "-3", "beaucoup", "1e6", "²", "9" * 20])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_is_no_whole_amount_is_refused(typed, language):
    with translation.override(language), pytest.raises(ValidationError):
        AmountField().clean(typed)


@pytest.mark.parametrize(("language", "shown"), [("fr", f"1{NARROW}500{NARROW}000"), ("en", "1,500,000")])
def test_an_amount_is_shown_in_groups(language, shown):
    with translation.override(language):
        assert AmountField().prepare_value(1_500_000) == shown
        assert AmountField().clean(shown) == 1_500_000
        assert AmountField().prepare_value("1.5") == "1.5"


def test_an_empty_amount_is_unknown_not_zero():
    assert AmountField(required=False).clean("") is None


def test_a_curve_runs_from_corner_to_corner_of_round_axes():
    chart = lines([("a", [(0.0, 0.0), (1.0, 1.0)])], x="x", y_words=lambda value: f"{value:.1f}")

    assert chart.strokes[0].path == "M56.0 234.0 L452.0 12.0"
    assert [tick.label for tick in chart.y_ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert chart.rows == [["0.0", "0.0"], ["1.0", "1.0"]]


def test_curves_share_their_table_and_say_what_is_missing():
    chart = lines([("a", [(1, 10)]), ("b", [(1, 20), (2, 30)])], x="Month")

    assert chart.header == ["Month", "a", "b"]
    assert chart.rows == [["1", "10", "20"], ["2", "—", "30"]]


def test_bars_are_as_high_as_their_values():
    low, high = bars([("a", 5), ("b", 10)], x="x", y="y").bars

    assert float(high.height) == pytest.approx(2 * float(low.height))
    assert float(high.y) + float(high.height) == pytest.approx(234.0)


def test_the_bars_of_a_histogram_touch():
    first, second = histogram([3, 1], start=300, step=50, x="Score").bars

    assert float(first.x) + float(first.width) == pytest.approx(float(second.x))


@pytest.mark.parametrize("values", [[], [("a", 0)], [("a", -4), ("b", 2)]])
def test_nothing_zeros_and_losses_are_drawn_too(values):
    chart = bars(values, x="x", y="y")

    assert len(chart.bars) == len(values)
    assert all(float(bar.height) >= 0 for bar in chart.bars)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_language_changes_the_coordinates(language):
    chart = lines([("a", [(0, 1234.5), (1, 99.25)]), ("b", [(0, 3)])], x="x")
    with translation.override(language):
        html = render_to_string(
            "components/chart.html", {"chart": chart, "id": "c", "title": "t", "finding": "It falls."}
        )

    numbers = re.findall(r'\s(?:d|x|y|width|height|viewBox)="([^"]*)"', html)
    assert len(numbers) > 10
    assert not [each for each in numbers if not re.fullmatch(r"[MLHV0-9. ]+", each)]
    assert 'role="img"' in html
    assert 'aria-label="It falls."' in html
    assert html.count("<tr>") == 3


@pytest.mark.parametrize(("finished", "asks"), [(False, True), (True, False)])
def test_progress_asks_again_only_while_unfinished(finished, asks):
    with translation.override("fr"):
        html = render_to_string(
            "components/progress.html",
            {"id": "p", "url": "/x", "percent": 42.5, "label": "l", "text": "t", "finished": finished},
        )

    assert ('hx-get="/x"' in html) is asks
    assert 'value="42.5"' in html


@pytest.mark.django_db
def test_the_components_are_shown_where_one_develops_only(page, world, settings):
    client = page(world.analyst)
    assert client.get("/style").status_code == 200

    settings.STYLE_PAGE = False

    assert client.get("/style").status_code == 404


def test_production_does_not_show_them():
    from config.settings import base

    assert base.STYLE_PAGE is False
