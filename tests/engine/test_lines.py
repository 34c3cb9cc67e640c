"""Many lines at once give what each gives alone, bit for bit."""

import math
import random

import numpy as np
import pytest

from apps.engine import reasons
from apps.engine.contracts import CaseFacts, PolicyFigures, RuleSetting, ScoringInput
from apps.engine.dictionary import STANDARD
from apps.engine.lines import (
    BANDS,
    RECOMMENDATIONS,
    VERDICTS,
    WARNINGS,
    _strongest,
    decoded,
    score_lines,
    with_ratios,
)
from apps.engine.policy import advise, default_rules
from apps.engine.ratios import with_ratios as ratios_of_one
from apps.engine.scorecard import GRADES

FIGURES = PolicyFigures(
    thresholds={"scolaire": 0.08, "habitat": 0.2},
    rules=(*default_rules(), RuleSetting("age_fin", "bloquante", None, {"scolaire": 60})),
)
EDGES = {"taux_interet": [0, 1e-13, 18.5, 120], "revenu_mensuel": [0, 1], "montant_credit": [10_000]}


def random_values(draw: random.Random) -> dict[str, float | int | str]:
    """Return values within the dictionary's limits, many of them missing, some on an edge."""
    values: dict[str, float | int | str] = {}
    for name, variable in STANDARD.items():
        if draw.random() < (0.1 if variable.required else 0.35):
            continue
        if variable.type == "category":
            values[name] = draw.choice(variable.codes)
        elif name in EDGES and draw.random() < 0.2:
            values[name] = draw.choice(EDGES[name])
        else:
            number = draw.uniform(variable.minimum, min(variable.maximum, 3_000_000))
            values[name] = round(number) if variable.type == "integer" else number
    return values


def columns_of(rows):
    """Return rows of canonical values as the columns that a file gives."""

    def code(name, value):
        if value is None:
            return math.nan
        variable = STANDARD[name]
        return float(variable.codes.index(value)) if variable.type == "category" else float(value)

    return {name: np.array([code(name, row.get(name)) for row in rows]) for name in STANDARD.names}


@pytest.fixture(scope="module")
def rows():
    draw = random.Random(20_261_121)  # noqa: S311  drawn again each run
    return [random_values(draw) for _ in range(4_000)]


def test_every_figure_of_every_row_is_that_of_the_row_alone(scorer, rows):
    lines = score_lines(scorer, FIGURES, columns_of(rows), len(rows))

    for number, row in enumerate(rows):
        values, warnings = ratios_of_one(row)
        cleaned = STANDARD.clean(row)
        result = scorer.score(ScoringInput(values))
        advice = advise(result, values, CaseFacts(), FIGURES, (*cleaned.warnings, *warnings))
        alone = (
            result.pd,
            [each.log_odds for each in result.contributions],
            advice.threshold,
            advice.points,
            advice.grade,
            advice.band,
            advice.recommendation,
            advice.expected_loss_xaf,
            [rule.verdict for rule in advice.rules],
            advice.warnings,
            [each.variable for each in reasons.strongest(result, advice.recommendation)],
        )
        together = (
            lines.pd[number],
            lines.log_odds[number].tolist(),
            lines.threshold[number],
            lines.points[number],
            GRADES[lines.grade[number]],
            BANDS[lines.band[number]],
            RECOMMENDATIONS[lines.recommendation[number]],
            lines.expected_loss_xaf[number],
            [VERDICTS[verdict] for verdict in lines.verdicts[number]],
            tuple(name for name, holds in zip(WARNINGS, lines.warnings[number], strict=True) if holds),
            [lines.variables[place] for place in lines.strongest[number] if place >= 0],
        )
        assert together == alone, row


def test_ratios_are_those_of_the_row_alone(rows):
    completed, _incoherent = with_ratios(columns_of(rows), len(rows))
    names = STANDARD.names

    for number, row in enumerate(rows):
        values, _warnings = ratios_of_one(row)
        assert decoded(names, [completed[name][number] for name in names]) == values


def test_few_rows_and_many_rows_agree(scorer, rows):
    """A handful is explained row by row, a file by machine code: the last bit is the same."""
    many = columns_of([*rows, *rows, *rows])
    all_at_once = score_lines(scorer, FIGURES, many, 3 * len(rows))
    few = score_lines(scorer, FIGURES, columns_of(rows[:20]), 20)

    assert all_at_once.pd[:20].tolist() == few.pd.tolist()
    assert all_at_once.log_odds[:20].tolist() == few.log_odds.tolist()


def test_no_row_gives_no_line(scorer):
    assert score_lines(scorer, FIGURES, columns_of([]), 0).pd.tolist() == []


def test_the_strongest_are_told_as_by_sorting_each_row():
    """By size, the first of equals before; adverse ones first unless the advice is to grant; no zeros."""
    draw = np.random.default_rng(5)
    log_odds = draw.integers(-3, 4, (3_000, 13)) / 4
    advice = draw.integers(0, 3, 3_000).astype(np.uint8)
    told = _strongest(log_odds, advice)
    for row, granted, found in zip(log_odds.tolist(), (advice == 0).tolist(), told.tolist(), strict=True):
        largest = sorted(range(13), key=lambda place: -abs(row[place]))[:6]
        moving = [place for place in largest if row[place]]
        moving.sort(key=lambda place: not granted and row[place] < 0)
        assert found == moving + [-1] * (6 - len(moving))


def test_fewer_variables_than_are_told_are_all_told():
    assert _strongest(np.array([[0.0, -2.0, 1.0]]), np.array([2], np.uint8)).tolist() == [[2, 1, -1]]
    assert _strongest(np.empty((0, 3)), np.empty(0, np.uint8)).shape == (0, 3)
