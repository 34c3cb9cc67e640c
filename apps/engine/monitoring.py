"""Watching a model: populations that move, defaults against predictions, early signs, equal treatment.

Every limit is made not to cry wolf: it asks for more than chance gives at the size at hand. Arrays only;
``pd`` are probabilities, ``y`` 1 for a default, ``months`` whole numbers that follow each other (year x 12 +
month).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from apps.engine.discrimination import Discrimination, discrimination
from apps.engine.encoding import Floats
from apps.engine.model import Range

Counts = npt.NDArray[np.int64]
Outcomes = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

BINS = 10
PSI_FLOOR, PSI_CHANCE = 0.10, 0.001
#: A test that chance passes less often than this raises an alert.
ALARM = 0.005
#: Months of a rolling cohort.
WINDOW = 3
#: Beyond so many rows the distribution of the number of defaults is approximated.
EXACT_ROWS = 20_000
#: A group or slice of fewer rows is not shown: a share of so few says nothing, and could say who.
SMALLEST_GROUP = 30
FOUR_FIFTHS = 0.8
_BLOCK = 64


# --- populations ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a population moved: PSI, the limit at this size, rows of each side, bins compared."""

    psi: float
    limit: float
    reference: int
    current: int
    bins: int

    @property
    def passed(self) -> bool:
        """Say whether the limit is passed."""
        return self.psi > self.limit


def edges_of(values: Floats, bins: int = BINS) -> Floats:
    """Return the inner edges, rising, that cut the known values of a reference into about equal parts."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.empty(0)
    return np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"))


def counts_of(values: Floats, edges: Floats) -> Counts:
    """Count the values up to each edge, beyond the last one, and last those that are missing (NaN)."""
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.append(counts, len(values) - len(known)).astype(np.int64)


def category_counts(codes: Floats, categories: int) -> Counts:
    """Count each of the ``categories`` codes 0, 1, …, and last those that are missing (NaN)."""
    known = codes[~np.isnan(codes)].astype(np.int64)
    counts = np.bincount(known, minlength=categories)
    return np.append(counts, len(codes) - len(known)).astype(np.int64)


def shift(reference: Counts, current: Counts, *, floor: float = PSI_FLOOR) -> Shift | None:
    """Compare two counts of the same bins by the population stability index; ``None`` when a side is empty.

    PSI = sum (q - p) ln(q / p) over the shares p of the reference and q of today (Siddiqi, Credit Risk
    Scorecards, 2006). A bin empty on both sides is left out; one empty on one side counts as half a row
    there. When nothing moved, PSI is about (1/n + 1/m) chi2(B - 1) (Yurdakul and Naranjo, Statistical
    properties of the population stability index, 2020): the limit is that at 0.999, and ``floor`` at least.
    """
    from scipy.special import chdtri

    n, m = int(reference.sum()), int(current.sum())
    if not n or not m:
        return None
    used = (reference + current) > 0
    before = np.maximum(reference[used], 0.5)
    now = np.maximum(current[used], 0.5)
    p, q = before / before.sum(), now / now.sum()
    psi = float(np.sum((q - p) * np.log(q / p)))
    bins = int(used.sum())
    chance = (1 / n + 1 / m) * float(chdtri(bins - 1, PSI_CHANCE)) if bins > 1 else 0.0
    return Shift(psi, max(floor, chance), n, m, bins)


def outside(values: Floats, seen: Range) -> Mask:
    """Say which encoded values lie outside what training saw; a missing one never does."""
    if seen.codes is not None:
        return ~np.isnan(values) & ~np.isin(values, seen.codes)
    return (values < seen.minimum) | (values > seen.maximum)


def rise(before: tuple[int, int], now: tuple[int, int]) -> float:
    """Return the chance of ``now`` or more, by Fisher's exact test (1935); pairs are (counted, of how many).

    One-sided: near 0 when the share rose by more than chance gives; 1 when a side is empty.
    """
    from scipy.special import gammaln

    (k, n), (x, m) = before, now
    if not n or not m:
        return 1.0
    total, marked = n + m, k + x
    places = np.arange(max(x, marked - n), min(marked, m) + 1)

    def choose(of: int, some: Floats) -> Floats:
        found: Floats = gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1)
        return found

    wholes = places.astype(np.float64)
    logs = choose(marked, wholes) + choose(total - marked, m - wholes)
    logs -= choose(total, np.array([float(m)]))[0]
    return min(1.0, float(np.exp(logs).sum()))


# --- defaults against predictions -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """Observed against predicted defaults of some matured credits.

    ``low`` and ``high`` bound the observed rate at 95 %; ``above`` and ``below`` are the chances of as many
    defaults or more, and of as many or fewer, were every prediction right.
    """

    rows: int
    defaults: int
    expected: float
    low: float
    high: float
    above: float
    below: float

    @property
    def observed_rate(self) -> float:
        return self.defaults / self.rows

    @property
    def predicted_rate(self) -> float:
        return self.expected / self.rows

    @property
    def ratio(self) -> float:
        """Observed over predicted defaults."""
        return self.defaults / self.expected if self.expected else math.inf

    @property
    def ratio_interval(self) -> tuple[float, float]:
        """The 95 % interval of the ratio: that of the observed rate over the predicted one."""
        rate = self.predicted_rate
        return (self.low / rate, self.high / rate) if rate else (0.0, math.inf)


def compare(pd: Floats, y: Outcomes) -> Comparison | None:
    """Compare outcomes with predictions; ``None`` without rows."""
    rows, defaults = len(y), int(y.sum())
    if not rows:
        return None
    low, high = share_interval(defaults, rows)
    above, below = tails(pd, defaults)
    return Comparison(rows, defaults, float(pd.sum()), low, high, above, below)


def share_interval(counted: int, rows: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share (Clopper and Pearson, 1934)."""
    from scipy.special import betaincinv

    low = float(betaincinv(counted, rows - counted + 1, 0.025)) if counted else 0.0
    high = float(betaincinv(counted + 1, rows - counted, 0.975)) if counted < rows else 1.0
    return low, high


def tails(pd: Floats, defaults: int) -> tuple[float, float]:
    """Return the chances of ``defaults`` or more, and of as many or fewer, by the Poisson-binomial law.

    Exact up to 20,000 rows; beyond, the normal law refined by its skewness (Volkova, 1996).
    """
    if len(pd) > EXACT_ROWS:
        return 1.0 - _refined(pd, defaults - 0.5), _refined(pd, defaults + 0.5)
    law = poisson_binomial(pd)
    return min(1.0, float(law[defaults:].sum())), min(1.0, float(law[: defaults + 1].sum()))


def poisson_binomial(pd: Floats) -> Floats:
    """Return the chances of 0, 1, … len(pd) defaults when each has its own probability.

    By convolution (Hong, On computing the distribution function for the Poisson binomial distribution, 2013):
    every term is positive, so nothing cancels.
    """
    padded = np.zeros(max(1, math.ceil(len(pd) / _BLOCK)) * _BLOCK)
    padded[: len(pd)] = pd
    blocks = padded.reshape(-1, _BLOCK)
    laws = np.zeros((len(blocks), _BLOCK + 1))
    laws[:, 0] = 1.0
    for column in blocks.T:
        chance = column[:, None]
        laws[:, 1:] = laws[:, 1:] * (1 - chance) + laws[:, :-1] * chance
        laws[:, 0] *= 1 - column
    parts = list(laws)
    while len(parts) > 1:
        pairs = [np.convolve(one, two) for one, two in zip(parts[::2], parts[1::2], strict=False)]
        parts = [*pairs, parts[-1]] if len(parts) % 2 else pairs
    found: Floats = parts[0][: len(pd) + 1]
    return found


def _refined(pd: Floats, upto: float) -> float:
    spread = pd * (1 - pd)
    sigma = math.sqrt(float(spread.sum()))
    if not sigma:
        return float(upto >= float(pd.sum()))
    x = (upto - float(pd.sum())) / sigma
    skewness = float((spread * (1 - 2 * pd)).sum()) / sigma**3
    normal = NormalDist()
    return min(1.0, max(0.0, normal.cdf(x) + skewness * (1 - x * x) * normal.pdf(x) / 6))


@dataclass(frozen=True, slots=True)
class Cohort:
    """Matured credits applied for from one month to another, both included."""

    first: int
    last: int
    compared: Comparison
    discrimination: Discrimination | None

    @property
    def alarming(self) -> bool:
        """Say whether more defaulted than the predictions allow, by more than chance gives."""
        return self.compared.above < ALARM


def cohorts(months: Counts, pd: Floats, y: Outcomes, window: int = 1) -> list[Cohort]:
    """Return the cohorts of ``window`` months, one ending in each month that has so many behind it.

    The first month is that of the first row; months without a row are part of the windows around them.
    """
    return list(_cohorts(months, pd, y, window)) if len(months) else []


def _cohorts(months: Counts, pd: Floats, y: Outcomes, window: int) -> Iterator[Cohort]:
    for last in range(int(months.min()) + window - 1, int(months.max()) + 1):
        first = last - window + 1
        inside = (months >= first) & (months <= last)
        compared = compare(pd[inside], y[inside])
        if compared is not None:
            yield Cohort(first, last, compared, discrimination(pd[inside], y[inside]))


# --- equal treatment ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """One group: how many, the share with the favourable end, and that share over the best group's."""

    code: str
    rows: int
    favourable: int
    ratio: float
    unequal: bool

    @property
    def share(self) -> float:
        return self.favourable / self.rows


@dataclass(frozen=True, slots=True)
class Treatment:
    """The groups large enough to be shown, the most favoured first; ``hidden`` counts the others."""

    groups: tuple[Group, ...]
    hidden: int

    @property
    def unequal(self) -> bool:
        return any(group.unequal for group in self.groups)

    @property
    def gap(self) -> float:
        """The largest difference between two shares."""
        return self.groups[0].share - self.groups[-1].share if self.groups else 0.0


def treatment(codes: npt.NDArray[np.str_], favourable: Mask) -> Treatment:
    """Compare groups by the four-fifths rule; rows with the code "" belong to no group.

    A group is unequal when its share is under 4/5 of the best one's (EEOC, Uniform Guidelines, 1978, 29 CFR
    1607.4 D) and chance would give that less than once in 200, by Fisher's test. Groups under 30 are hidden.
    Given the good payers only, it is the gap of true rates (equal opportunity; Hardt and others, 2016).
    """
    names, places = np.unique(codes, return_inverse=True)
    rows = np.bincount(places, minlength=len(names))
    kept = np.bincount(places, weights=favourable, minlength=len(names)).astype(np.int64)
    named = [
        (str(name), int(size), int(count))
        for name, size, count in zip(names, rows, kept, strict=True)
        if name
    ]
    large = sorted(
        (each for each in named if each[1] >= SMALLEST_GROUP), key=lambda each: (-each[2] / each[1], each[0])
    )
    if not large:
        return Treatment((), len(named))
    _name, best_rows, best = large[0]
    groups = tuple(_group(*each, best=best, of=best_rows) for each in large)
    return Treatment(groups, len(named) - len(large))


def _group(code: str, rows: int, favourable: int, *, best: int, of: int) -> Group:
    highest = best / of
    ratio = favourable / rows / highest if highest else 1.0
    # fewer favourable ends is more of the others
    chance = rise((of - best, of), (rows - favourable, rows))
    return Group(code, rows, favourable, ratio, ratio < FOUR_FIFTHS and chance < ALARM)
