"""Many applications at once: figure by figure what one application gets, without a loop over Python objects.

Equal to ``Scorer.score`` followed by ``advise`` bit for bit, so that a stored line can be scored again and
compared. numpy's ``exp``, ``log`` and sums may differ from the standard library's in the last bit; what must
agree is therefore computed by the library itself, or where the last bit cannot matter.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import pow as power
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.engine.contracts import Band, PolicyFigures, Recommendation, RuleSetting, RuleVerdict
from apps.engine.dictionary import STANDARD, Variable
from apps.engine.encoding import Floats
from apps.engine.ratios import ROUNDING_PERCENT
from apps.engine.scorecard import points
from apps.engine.scorer import Scorer

Codes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
#: Values by name of the dictionary, float64 (rows); NaN is missing, a category is the place of its code.
Columns = Mapping[str, Floats]

BANDS: tuple[Band, ...] = ("faible", "modere", "eleve")
RECOMMENDATIONS: tuple[Recommendation, ...] = ("accorder", "etudier", "refuser")
VERDICTS: tuple[RuleVerdict, ...] = ("respectee", "violee", "non_evaluable")
#: In the order in which one application tells them.
WARNINGS = ("retards_incoherents", "ratio_incoherent", "hors_domaine")
_ARREARS = ("nb_retards_30j", "nb_retards_60j", "nb_retards_90j")
_TOP = 6
_NEAR_HALF = 1e-6


@dataclass(frozen=True, slots=True)
class Lines:
    """Figures of many applications, one row each; ``values`` are their columns with both ratios.

    ``band``, ``recommendation`` and ``verdicts`` (rows, rules) are places in ``BANDS``, ``RECOMMENDATIONS``
    and ``VERDICTS``; ``warnings`` (rows, 3) says which of ``WARNINGS`` hold; ``strongest`` (rows, 6) are the
    places of the strongest variables in the order in which they are told, -1 for none.
    """

    values: Columns
    pd: Floats
    base: float
    log_odds: Floats
    variables: tuple[str, ...]
    threshold: Floats
    points: npt.NDArray[np.int16]
    grade: Codes
    band: Codes
    recommendation: Codes
    expected_loss_xaf: npt.NDArray[np.int64]
    verdicts: Codes
    warnings: Flags
    strongest: npt.NDArray[np.int8]


def with_ratios(columns: Columns, rows: int) -> tuple[dict[str, Floats], Flags]:
    """Add both ratios where they were not sent and can be computed; say where the one sent is incoherent."""
    completed = dict(columns)
    income = _known(columns, "revenu_mensuel", rows)
    income = np.where(income == 0, np.nan, income)
    instalment = _instalments(columns, rows)
    amount = _known(columns, "montant_credit", rows)
    sent = _known(columns, "taux_endettement", rows)
    with np.errstate(invalid="ignore"):
        debts = np.nan_to_num(_known(columns, "mensualites_en_cours", rows))
        completed["taux_endettement"] = np.where(np.isnan(sent), 100 * (debts + instalment) / income, sent)
        ratio = _known(columns, "ratio_dette_revenu", rows)
        outstanding = np.nan_to_num(_known(columns, "encours_autres_dettes", rows))
        computed = (outstanding + amount) / (12 * income)
        completed["ratio_dette_revenu"] = np.where(np.isnan(ratio), computed, ratio)
        incoherent = 100 * instalment / income > sent + ROUNDING_PERCENT
    return completed, incoherent


def score_lines(scorer: Scorer, figures: PolicyFigures, columns: Columns, rows: int) -> Lines:
    """Score ``rows`` applications without a file behind them: no facts, no maximal amount.

    ``columns`` hold what was received, checked; the ratios are added here.
    """
    values, incoherent = with_ratios(columns, rows)
    x, unknown = _encoded(scorer, values, rows)
    log_odds = scorer.contributions(x)
    pd = _sigmoids(scorer.base + _exact_sum(log_odds))
    threshold = _thresholds(figures, values, rows)
    warnings = np.stack([_incoherent_arrears(values, rows), incoherent, scorer.leaves(x) | unknown], axis=1)
    verdicts = _verdicts(figures, values, rows)
    level = (pd >= threshold / 2).astype(np.uint8) + (pd >= threshold)
    advice = _recommended(figures, level, verdicts, warnings.any(axis=1))
    amount = np.nan_to_num(_known(values, "montant_credit", rows))
    loss = np.rint(pd * figures.lgd * figures.ead_amortised * amount)
    return Lines(
        values=values,
        pd=pd,
        base=scorer.base,
        log_odds=log_odds,
        variables=scorer.variables,
        threshold=threshold,
        points=_points(pd, figures),
        grade=np.searchsorted(figures.grade_limits, pd, side="right").astype(np.uint8),
        band=level,
        recommendation=advice,
        expected_loss_xaf=loss.astype(np.int64),
        verdicts=verdicts,
        warnings=warnings,
        strongest=_strongest(log_odds, advice),
    )


def rule_values(figures: PolicyFigures, columns: Columns, rows: int) -> list[Floats]:
    """Give what each rule of a policy looks at, NaN where it is not known."""
    return [
        _NUMERIC[rule.code](columns, rows) if rule.code in _NUMERIC else np.full(rows, np.nan)
        for rule in figures.rules
    ]


def rule_limits(rule: RuleSetting, columns: Columns, rows: int) -> Floats:
    """Give the limit of a rule for each row, by its credit type; NaN where there is none."""
    return _by_type(rule.limit_by_type, rule.limit, columns, rows)


def _known(columns: Columns, name: str, rows: int) -> Floats:
    found = columns.get(name)
    return np.full(rows, np.nan) if found is None else found


def _instalments(columns: Columns, rows: int) -> Floats:
    """As ``monthly_instalment``; the power is the standard library's."""
    amount, months = _known(columns, "montant_credit", rows), _known(columns, "duree_mois", rows)
    monthly = _known(columns, "taux_interet", rows) / 1200
    growth = np.array(list(map(power, (1 + monthly).tolist(), (-months).tolist())))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((monthly == 0) | (growth == 1), amount / months, amount * monthly / (1 - growth))


def _encoded(scorer: Scorer, values: Columns, rows: int) -> tuple[Floats, Flags]:
    """Give the matrix that the model reads, and where a code is one that it does not know."""
    x = np.full((rows, len(scorer.variables)), np.nan)
    unknown = np.zeros(rows, dtype=bool)
    for place, variable in enumerate(scorer.parts.variables):
        column = values.get(variable.name)
        if column is None:
            continue
        if variable.type == "category":
            known = STANDARD[variable.name].codes if variable.name in STANDARD else variable.codes
            its = {code: float(number) for number, code in enumerate(variable.codes)}
            table = np.array([*(its.get(code, math.nan) for code in known), math.nan])
            # an own code that the model has not learnt lies beyond: it is as good as none
            places = np.minimum(_places(column, len(known)), len(known))
            column, given = table[places], ~np.isnan(column)
            unknown |= given & np.isnan(column)
        x[:, place] = column
    return x, unknown


def _places(column: Floats, missing: int) -> npt.NDArray[np.intp]:
    return np.where(np.isnan(column), missing, column).astype(np.intp)


def _exact_sum(parts: Floats) -> Floats:
    """Sum each row as the ``sum`` of Python 3.12 does: Neumaier's compensated sum, from left to right."""
    total, lost = np.zeros(len(parts)), np.zeros(len(parts))
    for part in parts.T:
        reached = total + part
        larger = np.abs(total) >= np.abs(part)
        lost += np.where(larger, (total - reached) + part, (part - reached) + total)
        total = reached
    return total + lost


def _sigmoids(log_odds: Floats) -> Floats:
    """As ``sigmoid``; the exponential is the standard library's."""
    small = np.array(list(map(math.exp, (-np.abs(log_odds)).tolist())))
    chances: Floats = np.where(log_odds >= 0, 1.0, small) / (1 + small)
    return chances


def _by_type(given: Mapping[str, float], otherwise: float | None, columns: Columns, rows: int) -> Floats:
    missing = math.nan if otherwise is None else float(otherwise)
    codes = STANDARD["type_credit"].codes
    table = np.array(
        [*(float(given.get(code, missing)) for code in codes), float(given.get("None", missing))]
    )
    found: Floats = table[_places(_known(columns, "type_credit", rows), len(codes))]
    return found


def _thresholds(figures: PolicyFigures, columns: Columns, rows: int) -> Floats:
    return _by_type(figures.thresholds, figures.default_threshold, columns, rows)


def _incoherent_arrears(columns: Columns, rows: int) -> Flags:
    """Say where counts of longer delays exceed those of shorter ones, the unknown ones left out."""
    found = np.zeros(rows, dtype=bool)
    least = np.full(rows, np.inf)
    for name in _ARREARS:
        count = _known(columns, name, rows)
        found |= count > least
        least = np.fmin(least, count)
    return found


def _points(pd: Floats, figures: PolicyFigures) -> npt.NDArray[np.int16]:
    """As ``points``; rows next to a half, where the last bit decides, and certain ones are asked there."""
    with np.errstate(divide="ignore"):
        good = np.log1p(-pd) - np.log(pd)
    raw = figures.points_at_base_odds + figures.pdo / math.log(2) * (good - math.log(figures.base_odds))
    bounded = np.clip(raw, figures.points_min - 1, figures.points_max + 1)
    rounded = np.clip(np.rint(bounded), figures.points_min, figures.points_max)
    close = np.abs(bounded - np.floor(bounded) - 0.5) < _NEAR_HALF
    for row in np.flatnonzero(close | ~np.isfinite(raw)):
        rounded[row] = points(float(pd[row]), figures)
    return rounded.astype(np.int16)


def _verdicts(figures: PolicyFigures, columns: Columns, rows: int) -> Codes:
    found = np.empty((rows, len(figures.rules)), dtype=np.uint8)
    for place, (rule, value) in enumerate(
        zip(figures.rules, rule_values(figures, columns, rows), strict=True)
    ):
        limit = rule_limits(rule, columns, rows)
        violated = value < limit if rule.code == "age_demande" else value > limit
        found[:, place] = np.where(np.isnan(value) | np.isnan(limit), 2, violated)
    return found


def _recommended(figures: PolicyFigures, level: Codes, verdicts: Codes, warned: Flags) -> Codes:
    blocking = np.array([rule.severity == "bloquante" for rule in figures.rules], dtype=bool)
    violated = verdicts == 1
    refused = (level == len(BANDS) - 1) | violated[:, blocking].any(axis=1)
    studied = (level == 1) | violated.any(axis=1) | warned
    found: Codes = np.where(refused, 2, studied).astype(np.uint8)
    return found


def _strongest(log_odds: Floats, advice: Codes) -> npt.NDArray[np.int8]:
    """As ``reasons.strongest``: by size, at most six, adverse ones first unless the advice is to grant."""
    order = _scattered(_ranks(-np.abs(log_odds.T)), np.arange(log_odds.shape[1]))[:_TOP]
    chosen = np.take_along_axis(log_odds, order.T, axis=1).T
    later = ((chosen <= 0) & (advice != 0)).astype(np.int8)
    later[chosen == 0] = 2
    order[chosen == 0] = -1  # moves nothing
    return _scattered(_ranks(later), order).astype(np.int8).T


def _ranks(columns: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Give (columns, rows): the place of each number among those of its row, the first of equals before.

    By pairs of columns, which for a few columns takes a tenth of the time of sorting many short rows.
    """
    columns = np.ascontiguousarray(columns)
    ranks = np.zeros(columns.shape, np.uint8)
    for second, column in enumerate(columns):
        for first in range(second):
            before = columns[first] <= column
            ranks[second] += before
            ranks[first] += ~before
    return ranks


def _scattered(ranks: npt.NDArray[np.uint8], values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Give (columns, rows): the ``values`` of a row in the order of its ranks."""
    found = np.empty(ranks.shape, np.intp)
    rows = np.arange(ranks.shape[1])
    for rank, value in zip(ranks, values, strict=True):
        found[rank, rows] = value
    return found


_NUMERIC: dict[str, Callable[[Columns, int], Floats]] = {
    "age_demande": lambda columns, rows: _known(columns, "age", rows),
    "age_fin": lambda columns, rows: _known(columns, "age", rows) + _known(columns, "duree_mois", rows) / 12,
    "endettement_max": lambda columns, rows: _known(columns, "taux_endettement", rows),
    "montant_max": lambda columns, rows: _known(columns, "montant_credit", rows),
    "duree_max": lambda columns, rows: _known(columns, "duree_mois", rows),
}


def decoded(
    names: Sequence[str], row: Sequence[float], variables: Mapping[str, Variable] = STANDARD
) -> dict[str, float | int | str]:
    """Give one row of ``Columns`` back as canonical values; missing ones are absent.

    ``variables`` hold each of ``names``.
    """
    found: dict[str, float | int | str] = {}
    for name, number in zip(names, row, strict=True):
        if number != number:  # noqa: PLR0124  NaN is missing
            continue
        variable = variables[name]
        if variable.type == "category":
            found[name] = variable.codes[int(number)]
        else:
            found[name] = int(number) if variable.type == "integer" else number
    return found
