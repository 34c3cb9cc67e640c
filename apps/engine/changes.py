"""What would change the advice: the smallest changes of what a client can act on, each verified by scoring.

Amount, term, other debts, guarantees, what a document would prove, consent, arrears: nothing else is ever
touched. Amounts are multiples of 5,000 XAF, terms those of a grid; every rule and cap of the policy is kept.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log2
from typing import Literal, Protocol

from apps.engine.contracts import (
    Advice,
    CaseFacts,
    PolicyFigures,
    RuleOutcome,
    ScoringInput,
    ScoringResult,
    Value,
)
from apps.engine.maximum import STEP_XAF, Column, ColumnScorer, applied, other_debts
from apps.engine.policy import SIX_MONTHS_IN_DAYS, SMALLEST_AMOUNT, advise, evaluate_rules, limit_of
from apps.engine.ratios import instalment_of

Lever = Literal["amount", "term", "debts", "guarantee", "document", "consent", "arrears", "confirmation"]
Reason = Literal["favorable", "regle_violee", "revenu_inconnu", "aucun"]

#: The terms an institution lends for, in months; the policy's own limit cuts them.
TERMS = (3, 6, 9, 12, 15, 18, 24, 30, 36, 48, 60, 84, 120)
MOST_SETS = 4
#: Less than this share of what was asked is another request, not a smaller one.
LEAST_SHARE = 0.3
#: A term of more than so many times the one asked, or less than one over that, is another request too.
TERM_FACTOR = 2.5
_SETTLED = (0.5, 1.0)
_SECURED = (0.5, 1.0)
#: What a missing document could prove, in XAF: tried from the least.
_PROVED: Mapping[str, tuple[int, ...]] = {
    "revenu_mensuel": (50_000, 75_000, 100_000, 150_000, 200_000, 300_000, 500_000),
    "revenu_complementaire": (25_000, 50_000, 100_000),
    "epargne_moyenne": (50_000, 100_000, 250_000),
}
_PROBES = 7
#: A second way with the same means is worth telling when it asks for clearly less of one of them.
_CLEARLY_LESS = 0.75
_ONE_MORE = 8.0
_MOST_PROOFS = 12

#: The only names a proposal may hold.
ACTIONABLE = frozenset(
    {"montant_credit", "duree_mois", "mensualites_en_cours", "encours_autres_dettes"}
    | {"nb_garanties", "valeur_garanties"}
    | _PROVED.keys()
)
_SETTLED_BY_CHANGES = frozenset(
    {"endettement_max", "montant_max", "duree_max", "age_fin", "consentement", "arrieres_en_cours"}
)


class Judge(ColumnScorer, Protocol):
    """What the search needs of a model: columns for the grid, one row for the proof."""

    @property
    def variables(self) -> tuple[str, ...]: ...

    def score(self, scoring_input: ScoringInput) -> ScoringResult: ...


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A set of changes that suffices together; ``values`` and ``facts`` are what replaces what is known.

    ``result`` and ``advice`` are those of the changed file, ``advice`` without a maximal amount.
    """

    levers: tuple[Lever, ...]
    values: Mapping[str, Value]
    facts: Mapping[str, bool | int | None]
    result: ScoringResult
    advice: Advice
    effort: float

    @property
    def pd(self) -> float:
        return self.result.pd


@dataclass(frozen=True, slots=True)
class Changes:
    """The sets found, least effort first; without any, ``reason`` says why and ``rules`` which rules."""

    sets: tuple[ChangeSet, ...] = ()
    reason: Reason | None = None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Way:
    """One way without the amount: what it replaces, and what each lever costs."""

    values: Mapping[str, Value] = field(default_factory=dict)
    efforts: Mapping[Lever, float] = field(default_factory=dict)

    def with_(self, other: "_Way") -> "_Way":
        return _Way({**self.values, **other.values}, {**self.efforts, **other.efforts})


@dataclass(frozen=True, slots=True)
class _Found:
    values: Mapping[str, Value]
    efforts: Mapping[Lever, float]

    @property
    def effort(self) -> float:
        return sum(self.efforts.values()) + _ONE_MORE * max(len(self.efforts) - 1, 0)


def what_would_change(
    values: Mapping[str, Value],
    facts: CaseFacts,
    figures: PolicyFigures,
    scorer: Judge,
    warnings: Sequence[str] = (),
) -> Changes:
    """Find at most four sets of changes by which an application gets better advice, least effort first.

    After an unfavourable advice the risk must fall under the threshold, after « to be reviewed » under half
    of it and without a warning; in both cases with every rule kept. ``values`` are canonical, with ratios.
    """
    result = scorer.score(ScoringInput(values))
    advice = advise(result, values, facts, figures, warnings)
    if advice.recommendation == "accorder":
        return Changes(reason="favorable")
    lasting = tuple(
        rule.code for rule in advice.rules if rule.verdict == "violee" and not _may_be_settled(rule)
    )
    if lasting:
        return Changes(reason="regle_violee", rules=lasting)
    if not values.get("revenu_mensuel") and {"taux_endettement", "ratio_dette_revenu"} & values.keys():
        return Changes(reason="revenu_inconnu")
    return _Search(values, facts, figures, scorer, tuple(warnings), advice).changes()


def _may_be_settled(rule: RuleOutcome) -> bool:
    return rule.code in _SETTLED_BY_CHANGES


@dataclass(frozen=True, slots=True)
class _Load:
    """What the ratios of one way need, to follow many amounts quickly; ``applied`` is the one that counts."""

    income: float | None
    instalments: float
    outstanding: float
    instalment_per_xaf: float | None

    @classmethod
    def of(cls, values: Mapping[str, Value], changes: Mapping[str, Value]) -> "_Load":
        changed = {**values, **changes}
        instalments, outstanding = other_debts(values)
        left = _number(changes, "mensualites_en_cours"), _number(changes, "encours_autres_dettes")
        return cls(
            _number(changed, "revenu_mensuel") or None,
            instalments if left[0] is None else left[0],
            outstanding if left[1] is None else left[1],
            instalment_of({**changed, "montant_credit": 1}),
        )

    def ratios(self, amount: int) -> tuple[float | None, float | None]:
        """Return ``(taux_endettement, ratio_dette_revenu)`` with a credit of ``amount`` XAF."""
        if self.income is None:
            return None, None
        per_xaf = self.instalment_per_xaf
        ratio = None if per_xaf is None else 100 * (self.instalments + amount * per_xaf) / self.income
        return ratio, (self.outstanding + amount) / (12 * self.income)


#: Warnings of the values and facts that changes settle: the advice on the changed file tells those that stay.
_TOLD_ANEW = frozenset({"ratio_incoherent", "donnees_anciennes", "consentement_expire"})


class _Search:
    """The grid of one application: ways by amounts, narrowed down for all ways at once."""

    def __init__(
        self,
        values: Mapping[str, Value],
        facts: CaseFacts,
        figures: PolicyFigures,
        scorer: Judge,
        warnings: tuple[str, ...],
        advice: Advice,
    ) -> None:
        self.values, self.facts, self.figures, self.scorer = values, facts, figures, scorer
        self.warnings = tuple(code for code in warnings if code not in _TOLD_ANEW)
        self.refused = advice.recommendation == "refuser"
        self.limit = advice.threshold if self.refused else advice.threshold / 2
        self.largest = limit_of(figures, "montant_max", values)
        self.heaviest = limit_of(figures, "endettement_max", values)
        self.asked = int(_number(values, "montant_credit") or 0)
        self.debts = other_debts(values)
        self.repaired, self.needed = self._facts()
        self.after = replace(facts, **self.repaired)  # type: ignore[arg-type]
        self._loads: dict[int, _Load] = {}

    def changes(self) -> Changes:
        found = sorted(self._found(), key=lambda each: each.effort)
        sets: list[tuple[_Found, ChangeSet]] = []
        tried = 0
        for each in found:
            if len(sets) == MOST_SETS or tried == _MOST_PROOFS:
                break
            if any(_no_better(each, kept) for kept, _set in sets):
                continue
            tried += 1
            if (proved := self._proved(each)) is not None:
                sets.append((each, proved))
        return Changes(tuple(proved for _each, proved in sets), None if sets else "aucun")

    def _facts(self) -> tuple[dict[str, bool | int | None], dict[Lever, float]]:
        """Say what the client can settle beside the values: consent, arrears, data to confirm."""
        repaired: dict[str, bool | int | None] = {}
        needed: dict[Lever, float] = {}
        broken = {
            rule.code
            for rule in evaluate_rules(self.values, self.facts, self.figures)
            if rule.verdict == "violee"
        }
        if "consentement" in broken:
            repaired["consent_given"], needed["consent"] = True, 2.0
        if "arrieres_en_cours" in broken:
            repaired["current_arrears_days"], needed["arrears"] = 0, 25.0
        age = self.facts.data_age_days
        if not self.refused and age is not None and age > SIX_MONTHS_IN_DAYS:
            repaired["data_age_days"], needed["confirmation"] = 0, 2.0
        if not self.refused and self.facts.consent_expired_on is not None:
            repaired["consent_expired_on"], needed["consent"] = None, 2.0
        return repaired, needed

    def _ways(self) -> list[_Way]:
        """Give every way without the amount: nothing, one lever, or two."""
        kinds = [list(self._terms()), list(self._debts()), list(self._guarantees()), list(self._documents())]
        ways = [_Way(), *(way for kind in kinds for way in kind)]
        for place, kind in enumerate(kinds):
            for other in kinds[place + 1 :]:
                ways += [one.with_(two) for one in kind for two in other]
        return [way for way in ways if self._keeps(way)]

    def _keeps(self, way: _Way) -> bool:
        """Say whether the rules that no amount changes are kept."""
        changed = {**self.values, **way.values}
        outcomes = evaluate_rules(changed, self.after, self.figures)
        return not any(
            rule.verdict == "violee" and rule.code not in {"montant_max", "endettement_max"}
            for rule in outcomes
        )

    def _terms(self) -> Iterator[_Way]:
        asked = int(_number(self.values, "duree_mois") or 0)
        longest = limit_of(self.figures, "duree_max", self.values)
        for months in TERMS:
            allowed = longest is None or months <= longest
            near = asked / TERM_FACTOR <= months <= asked * TERM_FACTOR
            if asked and months != asked and allowed and (near or (longest and asked > longest)):
                yield _Way({"duree_mois": months}, {"term": 30 * abs(log2(months / asked))})

    def _debts(self) -> Iterator[_Way]:
        instalments, outstanding = self.debts
        if not instalments and not outstanding:
            return
        for share in _SETTLED:
            left: dict[str, Value] = {}
            if instalments:
                left["mensualites_en_cours"] = round(instalments * (1 - share))
            if outstanding:
                left["encours_autres_dettes"] = round(outstanding * (1 - share))
            yield _Way(left, {"debts": 15 + 30 * share})

    def _guarantees(self) -> Iterator[_Way]:
        used = {"nb_garanties", "valeur_garanties"} & set(self.scorer.variables)
        if not used:
            return
        value, count = _number(self.values, "valeur_garanties"), _number(self.values, "nb_garanties")
        for share in _SECURED:
            added: dict[str, Value] = {}
            if "valeur_garanties" in used:
                step = -(-share * self.asked // STEP_XAF) * STEP_XAF
                added["valeur_garanties"] = int((value or 0) + step)
            if "nb_garanties" in used:
                added["nb_garanties"] = int(count or 0) + 1
            yield _Way(added, {"guarantee": 20 + 20 * share})

    def _documents(self) -> Iterator[_Way]:
        for name, amounts in _PROVED.items():
            counts = name in self.scorer.variables or name == "revenu_mensuel"
            if self.values.get(name) is None and counts:
                for place, amount in enumerate(amounts):
                    yield _Way({name: amount}, {"document": 12.0 + 4 * place})

    def _amounts(self) -> list[int]:
        """Give what is asked, then the multiples of 5,000 XAF below, the largest first."""
        least = max(SMALLEST_AMOUNT, -(-self.asked * LEAST_SHARE // STEP_XAF) * STEP_XAF)
        below = range((self.asked - 1) // STEP_XAF * STEP_XAF, int(least) - 1, -STEP_XAF)
        return [self.asked, *below]

    def _found(self) -> Iterator[_Found]:
        ways, amounts = self._ways(), self._amounts()
        # what exceeds the policy's cap need not be scored
        start = 0 if self.largest is None else bisect_left(amounts, -self.largest, key=lambda each: -each)
        self._loads = {id(way): _Load.of(self.values, way.values) for way in ways}
        places = self._largest(ways, amounts, start)
        for way, place in zip(ways, places, strict=True):
            if place is None:
                continue
            values, efforts = dict(way.values), {**self.needed, **way.efforts}
            if place:
                values["montant_credit"] = amounts[place]
                efforts["amount"] = 100 * (1 - amounts[place] / self.asked)
            if efforts:
                yield _Found(values, efforts)

    def _largest(self, ways: Sequence[_Way], amounts: Sequence[int], start: int) -> list[int | None]:
        """Find for each way the place of an amount that passes, the largest where risk rises with it.

        A model whose risk does not rise with the amount may pass at a larger one still: what is found passes
        all the same.
        """
        end = len(amounts)
        ranges = [(start, end)] * len(ways)
        while True:
            probes = [
                (number, place)
                for number, (first, last) in enumerate(ranges)
                for place in _probes(first, last, whole=last == end)
            ]
            if not probes:
                return [last if last < end else None for _first, last in ranges]
            passed = self._passes([(ways[number], amounts[place]) for number, place in probes])
            closed = set[int]()
            for (number, place), passes in zip(probes, passed, strict=True):
                first, last = ranges[number]
                if number in closed:
                    continue
                if passes:
                    ranges[number] = first, place
                    closed.add(number)
                else:
                    ranges[number] = place + 1, last

    def _passes(self, tried: Sequence[tuple[_Way, int]]) -> list[bool]:
        varying = {name for way, _amount in tried for name in way.values}
        columns: dict[str, Column] = {**self.values, "montant_credit": [amount for _way, amount in tried]}
        for name in varying:
            columns[name] = [way.values.get(name, self.values.get(name)) for way, _amount in tried]
        ratios = [self._loads[id(way)].ratios(amount) for way, amount in tried]
        columns["taux_endettement"] = [ratio for ratio, _debt in ratios]
        columns["ratio_dette_revenu"] = [debt for _ratio, debt in ratios]
        chances = self.scorer.probabilities(columns, len(tried))
        return [
            chance < self.limit and (ratio is None or self.heaviest is None or ratio <= self.heaviest)
            for chance, (ratio, _debt) in zip(chances, ratios, strict=True)
        ]

    def _proved(self, found: _Found) -> ChangeSet | None:
        """Score the changed file as any file is scored; None when it does not get the better advice."""
        changed = applied(self.values, found.values)
        result = self.scorer.score(ScoringInput(changed))
        advice = advise(result, changed, self.after, self.figures, self.warnings)
        kept = not any(rule.verdict == "violee" for rule in advice.rules)
        better = advice.recommendation != "refuser" if self.refused else advice.recommendation == "accorder"
        if not (kept and better and result.pd < self.limit):
            return None
        order: tuple[Lever, ...] = tuple(found.efforts)
        return ChangeSet(order, found.values, self.repaired, result, advice, found.effort)


def _probes(first: int, last: int, *, whole: bool) -> list[int]:
    """Give a few places of a range still to look at, its first among them, its last while none passed."""
    if first >= last:
        return []
    step = max((last - first) / _PROBES, 1)
    places = {int(first + step * number) for number in range(_PROBES)}
    return sorted(place for place in ({*places, last - 1} if whole else places) if place < last)


def _no_better(each: _Found, kept: _Found) -> bool:
    """Say whether a set asks for all that a kept one asks for, and hardly less of any of it."""
    if each.efforts.keys() == kept.efforts.keys():
        return True
    return kept.efforts.keys() <= each.efforts.keys() and all(
        each.efforts[lever] >= _CLEARLY_LESS * effort for lever, effort in kept.efforts.items()
    )


def _number(values: Mapping[str, Value], name: str) -> float | None:
    value = values.get(name)
    return None if value is None or isinstance(value, str) else float(value)
