"""Better parameters for one candidate, looked for inside a training part only."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import Any

import numpy as np

from apps.engine.discrimination import auc
from apps.engine.training.candidates import CandidateKind, Choice, Span
from apps.engine.training.dataset import TrainingSet
from apps.engine.training.estimators import Fitting
from apps.engine.training.pipeline import stratified_folds
from apps.engine.training.settings import Search

_TRIALS = 24
_FOLDS = 3
_POINTS = 3

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The parameters of the best mean AUC over inner folds; ``cut_short`` when time ended the search."""

    params: Params
    trials: int = 0
    cut_short: bool = False


def best_parameters(
    kind: CandidateKind, data: TrainingSet, method: Search, seconds: float, how: Fitting
) -> Found:
    """Try the usual parameters, then others of the kind's space, 24 at most and for ``seconds`` at most.

    The usual ones are always tried whole, so that a search never does worse than none on its own folds.
    """
    usual = dict(kind.params)
    rare = int(min(data.y.sum(), (1 - data.y).sum()))
    if method == "none" or not kind.space or rare < _FOLDS * _FOLDS:
        return Found(usual)
    clock = _Clock(seconds)
    trials = _Trials(kind, data, how)
    best, score = usual, trials.worth(usual)
    for params in islice(_ways(method)(kind, how.seed, trials), _TRIALS):
        if clock.over():
            return Found(best, trials.made, cut_short=True)
        worth = trials.worth(params)
        if worth > score:
            best, score = params, worth
    return Found(best, trials.made)


class _Clock:
    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def over(self) -> bool:
        return time.monotonic() >= self._end


class _Trials:
    """Mean AUC of a kind over three inner folds, by parameters."""

    def __init__(self, kind: CandidateKind, data: TrainingSet, how: Fitting) -> None:
        self.kind, self.data, self.how = kind, data, how
        self.folds = stratified_folds(data, _FOLDS, how.seed)
        self.made = 0
        self.last = 0.0

    def worth(self, params: Mapping[str, Any]) -> float:
        found = []
        for train, held in self.folds:
            self.how.tick()
            fitted = self.kind.fit(self.data.take(train), params, self.how)
            found.append(auc(fitted.predict(self.data.x[held]), self.data.y[held]))
        self.made += 1
        self.last = float(np.mean(found))
        return self.last


def _ways(method: Search) -> Any:
    return {"grid": _grid, "random": _random, "optuna": _optuna}[method]


def _grid(kind: CandidateKind, _seed: int, _trials: _Trials) -> Iterator[Params]:
    from sklearn.model_selection import ParameterGrid

    listed = {name: list(_points(choice)) for name, choice in kind.space.items()}
    for params in ParameterGrid(listed):
        yield {**kind.params, **params}


def _random(kind: CandidateKind, seed: int, _trials: _Trials) -> Iterator[Params]:
    from scipy.stats import loguniform
    from sklearn.model_selection import ParameterSampler

    drawn = {
        name: loguniform(choice.low, choice.high) if isinstance(choice, Span) else list(choice)
        for name, choice in kind.space.items()
    }
    lists = [len(choice) for choice in kind.space.values() if not isinstance(choice, Span)]
    most = min(_TRIALS, prod(lists)) if len(lists) == len(kind.space) else _TRIALS
    for params in ParameterSampler(drawn, most, random_state=seed):
        yield {**kind.params, **{name: _plain(value) for name, value in params.items()}}


def _optuna(kind: CandidateKind, seed: int, trials: _Trials) -> Iterator[Params]:
    """Ask Optuna's TPE sampler; what the trial before was worth tells it where to look next."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    for _ in range(_TRIALS):
        trial = study.ask()
        params = {name: _suggested(trial, name, choice) for name, choice in kind.space.items()}
        yield {**kind.params, **params}
        study.tell(trial, trials.last)


def _suggested(trial: Any, name: str, choice: Choice) -> Any:
    if isinstance(choice, Span):
        return trial.suggest_float(name, choice.low, choice.high, log=True)
    return trial.suggest_categorical(name, list(choice))


def _points(choice: Choice) -> tuple[Any, ...]:
    if isinstance(choice, Span):
        return tuple(np.geomspace(choice.low, choice.high, _POINTS).tolist())
    return choice


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
