"""One candidate of a run: fitted in every fold, scored on the rows held out, shuffled, and fitted on all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.engine.encoding import Floats
from apps.engine.training.candidates import CandidateKind
from apps.engine.training.dataset import TrainingSet
from apps.engine.training.estimators import Fitting, Predictor
from apps.engine.training.evaluate import Nested
from apps.engine.training.importance import by_permutation
from apps.engine.training.pipeline import DefaultModel, Fold
from apps.engine.training.sampling import resampler
from apps.engine.training.searching import Found, best_parameters
from apps.engine.training.settings import RunSettings
from apps.engine.training.splitting import fold_numbers
from apps.engine.training.working import Tick, work

#: Rows on which outcomes are shuffled: enough for an error of 0.02, and the time stays short.
_SHUFFLED_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of a candidate: scores of rows it had not seen, the model of all rows, the search.

    ``rows`` are the rows scored, in the order of ``nested``; ``unsampled`` is ``nested`` again without
    sampling, where the run samples; ``shuffled`` are scores learnt from outcomes shuffled within each part.
    """

    kind: CandidateKind
    rows: npt.NDArray[np.intp]
    nested: Nested
    unsampled: Nested | None
    shuffled: Nested | None
    fitted: DefaultModel | None
    found: Found
    search: Mapping[str, Any]
    importance: Sequence[Mapping[str, Any]]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Scored:
    """One job's answer: scores of the rows held out, or a model of all rows."""

    pd: Floats
    found: Found
    importance: Sequence[Mapping[str, Any]] = ()
    fitted: Predictor | None = None


def judge(
    kind: CandidateKind,
    data: TrainingSet,
    folds: Sequence[Fold],
    settings: RunSettings,
    told: Callable[[float], None],
) -> Judged:
    """Do all the work of one candidate on ``settings.threads`` threads; ``told`` hears the share done."""
    started = time.monotonic()
    bench = _Bench(kind, data, settings, len(folds))
    scoring = [bench.scoring(fold, first=number == 0) for number, fold in enumerate(folds)]
    unsampled = [bench.scoring(fold, sampled=False) for fold in folds] if settings.sampling != "none" else []
    shuffled = _shuffled(data, folds, settings.seed) if kind.deployable else None
    blind = [bench.of(shuffled.data, fold) for fold in shuffled.folds] if shuffled else []
    final = [bench.final()] if kind.deployable else []
    jobs = [*final, *scoring, *unsampled, *blind]
    answers = iter(work(jobs, settings.threads, lambda done: told(done / len(jobs))))
    whole = [next(answers) for _ in final]
    seen, without, lost = ([next(answers) for _ in part] for part in (scoring, unsampled, blind))
    fitted = whole[0].fitted if whole else None
    assert fitted is None or isinstance(fitted, DefaultModel)
    number = fold_numbers(data.rows, folds)
    return Judged(
        kind=kind,
        rows=np.flatnonzero(number >= 0),
        nested=_nested(data, folds, seen),
        unsampled=_nested(data, folds, without) if without else None,
        shuffled=_nested(shuffled.data, shuffled.folds, lost) if shuffled else None,
        fitted=fitted,
        found=(whole or seen)[0].found,
        search=_search(settings, [*whole, *seen]),
        importance=seen[0].importance,
        seconds=time.monotonic() - started,
    )


class _Bench:
    """Makes the jobs of one candidate."""

    def __init__(self, kind: CandidateKind, data: TrainingSet, settings: RunSettings, folds: int) -> None:
        self.kind, self.data, self.settings = kind, data, settings
        searches = folds + kind.deployable
        self.seconds = settings.search_seconds * settings.threads / searches
        self.plain = Fitting(settings.seed)
        self.sampled = replace(
            self.plain,
            resample=resampler(settings.sampling, settings.seed),
            balanced=settings.sampling == "weights",
        )

    def scoring(self, fold: Fold, *, first: bool = False, sampled: bool = True) -> Callable[[Tick], _Scored]:
        """Fit on one part and score the other; the first fold also says what a candidate looks at."""

        def job(tick: Tick) -> _Scored:
            train, held = fold
            how = replace(self.sampled if sampled else self.plain, tick=tick)
            part, unseen = self.data.take(train), self.data.take(held)
            found = best_parameters(self.kind, part, self.settings.search, self.seconds, how)
            fitted = self.kind.fit(part, found.params, how)
            looked: tuple[Mapping[str, Any], ...] = ()
            if first and not self.kind.deployable:
                looked = tuple(by_permutation(fitted, unseen, self.settings.seed))
            return _Scored(fitted.predict(unseen.x), found, looked)

        return job

    def of(self, data: TrainingSet, fold: Fold) -> Callable[[Tick], _Scored]:
        """Fit with the usual parameters on one part of other data and score the other part."""

        def job(tick: Tick) -> _Scored:
            train, held = fold
            how = replace(self.sampled, tick=tick)
            fitted = self.kind.fit(data.take(train), self.kind.params, how)
            return _Scored(fitted.predict(data.x[held]), Found({}))

        return job

    def final(self) -> Callable[[Tick], _Scored]:
        """Fit on all rows: the model that can be put in production."""

        def job(tick: Tick) -> _Scored:
            how = replace(self.sampled, tick=tick)
            found = best_parameters(self.kind, self.data, self.settings.search, self.seconds, how)
            return _Scored(np.empty(0), found, fitted=self.kind.fit(self.data, found.params, how))

        return job


def _nested(data: TrainingSet, folds: Sequence[Fold], scored: Sequence[_Scored]) -> Nested:
    pd = np.full(data.rows, np.nan)
    for (_, held), answer in zip(folds, scored, strict=True):
        pd[held] = answer.pd
    number = fold_numbers(data.rows, folds)
    rows = number >= 0
    return Nested(pd[rows], data.y[rows], number[rows])


def _search(settings: RunSettings, answers: Sequence[_Scored]) -> dict[str, Any]:
    return {
        "method": settings.search,
        "trials": sum(answer.found.trials for answer in answers),
        "cut_short": any(answer.found.cut_short for answer in answers),
    }


@dataclass(frozen=True, slots=True)
class _Shuffled:
    data: TrainingSet
    folds: Sequence[Fold]


def _shuffled(data: TrainingSet, folds: Sequence[Fold], seed: int) -> _Shuffled | None:
    """Shuffle the outcomes within each part of the split, so that every part keeps its default rate.

    On 10,000 rows at most, split as the run is; None when a part would lack an outcome.
    """
    draws = np.random.default_rng(seed)
    number = fold_numbers(data.rows, folds)
    kept = np.arange(data.rows)
    if data.rows > _SHUFFLED_ROWS:
        kept = np.sort(draws.choice(data.rows, _SHUFFLED_ROWS, replace=False))
    part, number = data.take(kept), number[kept]
    y = part.y.copy()
    for each in np.unique(number):
        rows = np.flatnonzero(number == each)
        y[rows] = draws.permutation(y[rows])
        if y[rows].min() == y[rows].max():
            return None
    split = [
        (np.flatnonzero(number != each), np.flatnonzero(number == each))
        for each in np.unique(number[number >= 0])
    ]
    return _Shuffled(TrainingSet(part.variables, part.x, y), split)
