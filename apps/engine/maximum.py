"""The maximal advised amount: the same application with every amount of a grid, scored together."""

import math
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from apps.engine.contracts import Value
from apps.engine.ratios import FOLLOWING, instalment_of, monthly_instalment, without_ratios

STEP_XAF = 5_000
_BLOCK = 512
#: How many amounts are tried at once where the probability is known to rise with the amount.
_PROBES = 6
_SAME_DEBT_XAF = 1.0

Column = Value | Sequence[Value]


class ColumnScorer(Protocol):
    """What the search needs of a model: probabilities for columns, a lone value standing for all rows."""

    @property
    def amount_p99(self) -> float | None: ...

    def probabilities(self, columns: Mapping[str, Column], rows: int) -> Sequence[float]: ...

    def never_falls_with(self, names: Collection[str]) -> bool: ...

    def first_below(
        self, values: Mapping[str, Value], steps: Sequence[float], limit: float
    ) -> int | None: ...


@dataclass(frozen=True, slots=True)
class LoanGrid:
    """Amounts in XAF, largest first, and what the ratios of one application need to follow them."""

    amounts: range
    values: Mapping[str, Value]
    income: float | None
    other_instalments: float
    other_debts: float
    instalment_per_xaf: float

    @classmethod
    def below(cls, cap: float, values: Mapping[str, Value], smallest: int) -> "LoanGrid | None":
        """Multiples of 5,000 XAF up to ``cap``; None where the ratios rest on an unknown income."""
        income = _number(values, "revenu_mensuel")
        if not income and {"taux_endettement", "ratio_dette_revenu"} & values.keys():
            return None
        instalments, outstanding = other_debts(values)
        return cls(
            range(int(cap // STEP_XAF) * STEP_XAF, smallest - 1, -STEP_XAF),
            values,
            income or None,
            instalments,
            outstanding,
            _instalment_per_xaf(values),
        )

    def debt_ratio(self, amount: int) -> float | None:
        """``taux_endettement`` in % for ``amount``, None without an income."""
        if self.income is None:
            return None
        return 100 * (self.other_instalments + amount * self.instalment_per_xaf) / self.income

    def within_debt_ratio(self, limit: float | None) -> "LoanGrid":
        """Keep the amounts whose ``taux_endettement`` stays within ``limit`` %; all when one is unknown."""
        if limit is None or self.income is None:
            return self
        # The ratio rises with the amount, so it falls along the grid.
        first = bisect_left(self.amounts, -limit, key=lambda amount: -(self.debt_ratio(amount) or 0))
        return replace(self, amounts=self.amounts[first:])

    def largest_below(self, threshold: float, scorer: ColumnScorer) -> int | None:
        """Find the largest amount with a probability under ``threshold``.

        A model that never answers a larger loan with less risk is searched like a telephone book; of any
        other, every amount is looked at, from the largest down.
        """
        if scorer.never_falls_with(FOLLOWING):
            return self._search(threshold, scorer)
        for start in range(0, len(self.amounts), _BLOCK):
            block = self.amounts[start : start + _BLOCK]
            chances = scorer.probabilities(self.columns(block), len(block))
            found = next((amount for amount, pd in zip(block, chances, strict=True) if pd < threshold), None)
            if found is not None:
                return found
        return None

    def _search(self, threshold: float, scorer: ColumnScorer) -> int | None:
        """Narrow down where the probability passes the threshold, a few amounts at a time."""
        if (place := scorer.first_below(self.values, self._steps(), threshold)) is not None:
            return self.amounts[place] if place < len(self.amounts) else None
        first, last = 0, len(self.amounts)  # the answer's place; ``last`` itself is « none »
        probes = [0, last - 1]  # most searches end at one of the two
        while first < last:
            chances = scorer.probabilities(self.columns([self.amounts[at] for at in probes]), len(probes))
            for at, pd in zip(probes, chances, strict=True):
                if pd < threshold:
                    last = at
                    break
                first = at + 1
            step = max((last - first) / (_PROBES + 1), 1)
            probes = sorted(
                {int(first + step * number) for number in range(_PROBES) if first + step * number < last}
            )
        return self.amounts[first] if first < len(self.amounts) else None

    def _steps(self) -> tuple[float, ...]:
        largest = float(self.amounts[0]) if self.amounts else 0.0
        income = math.nan if self.income is None else self.income
        debts = self.other_instalments, self.instalment_per_xaf, income, self.other_debts
        return (largest, float(STEP_XAF), float(len(self.amounts)), *debts)

    def columns(self, amounts: Sequence[int]) -> dict[str, Column]:
        changed: dict[str, Column] = {**self.values, "montant_credit": amounts}
        if self.income is not None:
            yearly = 12 * self.income
            changed["taux_endettement"] = [self.debt_ratio(amount) for amount in amounts]
            changed["ratio_dette_revenu"] = [(self.other_debts + amount) / yearly for amount in amounts]
        return changed


def other_debts(values: Mapping[str, Value]) -> tuple[float, float]:
    """Return ``(monthly instalments, outstanding)`` of other debts in XAF: declared, or as ratios imply."""
    income = _number(values, "revenu_mensuel") or 0.0
    asked = _number(values, "montant_credit") or 0.0
    own = asked * _instalment_per_xaf(values)
    return (
        _others(values, "mensualites_en_cours", "taux_endettement", income / 100, own),
        _others(values, "encours_autres_dettes", "ratio_dette_revenu", 12 * income, asked),
    )


def applied(values: Mapping[str, Value], changes: Mapping[str, Value]) -> dict[str, Value]:
    """Return an application's values with some of them replaced, both ratios following.

    Debts that a ratio sent implies count beside this credit. Without an income the ratios become unknown.
    """
    changed = without_ratios({**values, **changes})
    income, amount = _number(changed, "revenu_mensuel"), _number(changed, "montant_credit")
    if not income or amount is None:
        return changed
    instalments, outstanding = other_debts(values)
    if changes.get("mensualites_en_cours") is not None:
        instalments = _number(changes, "mensualites_en_cours") or 0.0
    if changes.get("encours_autres_dettes") is not None:
        outstanding = _number(changes, "encours_autres_dettes") or 0.0
    if (own := instalment_of(changed)) is not None:
        changed["taux_endettement"] = 100 * (instalments + own) / income
    changed["ratio_dette_revenu"] = (outstanding + amount) / (12 * income)
    return changed


def _instalment_per_xaf(values: Mapping[str, Value]) -> float:
    months = int(_number(values, "duree_mois") or 1)
    return monthly_instalment(1.0, _number(values, "taux_interet") or 0.0, months)


def _others(values: Mapping[str, Value], name: str, ratio: str, unit: float, own: float) -> float:
    """Other debts behind a ratio: as declared where they agree with it, else what the ratio sent implies."""
    declared = _number(values, name) or 0.0
    sent = _number(values, ratio)
    if sent is None:
        return declared
    implied = max(sent * unit - own, 0.0)
    return declared if abs(implied - declared) < _SAME_DEBT_XAF else implied


def _number(values: Mapping[str, Value], name: str) -> float | None:
    value = values.get(name)
    return None if value is None or isinstance(value, str) else float(value)
