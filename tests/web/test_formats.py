"""Amounts, rates and points read as a banker writes them, in both languages."""

from decimal import Decimal

import pytest
from django.utils import translation

from apps.web.templatetags.formats import fcfa, percent, points


@pytest.mark.parametrize(
    ("language", "value", "text"),
    [
        ("fr", 1_500_000, "1\u202f500\u202f000\u00a0FCFA"),
        ("en", 1_500_000, "XAF\u00a01,500,000"),
        ("fr", Decimal("999.5"), "1\u202f000\u00a0FCFA"),
        ("fr", -13_699, "−13\u202f699\u00a0FCFA"),
        ("fr", None, "—"),
        ("fr", "", "—"),
    ],
)
def test_an_amount(language, value, text):
    with translation.override(language):
        assert fcfa(value) == text


@pytest.mark.parametrize(
    ("language", "value", "text"),
    [
        ("fr", 0.0843, "8,43\u00a0%"),
        ("en", 0.0843, "8.43%"),
        ("fr", 0.00005, "0,01\u00a0%"),
        ("fr", None, "—"),
    ],
)
def test_a_rate(language, value, text):
    with translation.override(language):
        assert percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (22, "+22\u00a0points"),
        (-38, "−38\u00a0points"),
        (-1, "−1\u00a0point"),
        (0, "0\u00a0point"),
        (None, "—"),
    ],
)
def test_points_of_a_factor(value, text):
    with translation.override("fr"):
        assert points(value) == text
