"""From a probability to advice under an institution's policy; the probability itself never changes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from apps.engine.contracts import (
    Advice,
    Band,
    CaseFacts,
    PolicyFigures,
    Recommendation,
    RuleOutcome,
    RuleSetting,
    RuleVerdict,
    ScoringResult,
    Value,
)
from apps.engine.maximum import Column, ColumnScorer, LoanGrid, applied
from apps.engine.scorecard import band, grade, points

SIX_MONTHS_IN_DAYS = 183
SMALLEST_AMOUNT = 10_000

Finding = tuple[RuleVerdict, float | None]
_UNKNOWN: Finding = ("non_evaluable", None)


@dataclass(frozen=True, slots=True)
class CostThreshold:
    """Threshold of one credit type from its costs; ``profitable`` False means even without any default."""

    threshold: float
    profitable: bool
    margin_xaf: float
    loss_xaf: float


def default_rules() -> tuple[RuleSetting, ...]:
    """Give the rules of the demonstration policy; institutions set their own, dated and versioned."""
    return (
        RuleSetting("age_demande", "a_revoir", 21),
        RuleSetting("age_fin", "a_revoir", 70),
        RuleSetting("endettement_max", "a_revoir", 50.0),
        RuleSetting(
            "montant_max",
            "bloquante",
            10_000_000,
            {
                "consommation": 6_000_000,
                "scolaire": 3_000_000,
                "habitat": 30_000_000,
                "equipement": 15_000_000,
            },
        ),
        RuleSetting("duree_max", "bloquante", 36, {"scolaire": 24, "equipement": 60, "habitat": 120}),
        RuleSetting("interdiction_credit", "bloquante"),
        RuleSetting("arrieres_en_cours", "bloquante", 30),
        RuleSetting("doublon_probable", "a_revoir"),
        RuleSetting("consentement", "bloquante"),
    )


def advise(
    result: ScoringResult,
    values: Mapping[str, Value],
    facts: CaseFacts,
    figures: PolicyFigures,
    warnings: Sequence[str] = (),
    scorer: ColumnScorer | None = None,
    amount_cap: float | None = None,
) -> Advice:
    """Give the advice for one scored application.

    ``values`` are the canonical inputs with their ratios; ``warnings`` those of cleaning and ratios, to which
    the model's own, ``donnees_anciennes`` (data older than six months) and ``consentement_expire`` (a consent
    older than the institution lets it hold) are added. Without a ``scorer``
    no maximal amount is sought (reason ``non_calcule``); ``amount_cap`` replaces the model's own, the 99th
    percentile of the amounts it was trained on.
    """
    threshold = figures.threshold_for(str(values.get("type_credit")))
    rules = evaluate_rules(values, facts, figures)
    told = tuple(dict.fromkeys((*warnings, *result.warnings, *_of_the_file(facts))))
    level = band(result.pd, threshold)
    amount: int | None = None
    reason: str | None = "non_calcule"
    if scorer is not None:
        amount, reason = max_amount(values, facts, figures, scorer, amount_cap, rules)
    return Advice(
        threshold=threshold,
        prediction=int(level == "eleve"),
        band=level,
        points=points(result.pd, figures),
        grade=grade(result.pd, figures),
        recommendation=recommend(level, rules, told),
        expected_loss_xaf=expected_loss(result.pd, _number(values, "montant_credit") or 0, facts, figures),
        max_amount_xaf=amount,
        max_amount_reason=reason,
        rules=rules,
        warnings=told,
    )


def _of_the_file(facts: CaseFacts) -> Iterator[str]:
    if facts.data_age_days is not None and facts.data_age_days > SIX_MONTHS_IN_DAYS:
        yield "donnees_anciennes"
    if facts.consent_expired_on is not None:
        yield "consentement_expire"


def recommend(level: Band, rules: Sequence[RuleOutcome], warnings: Sequence[str]) -> Recommendation:
    """``refuser`` for a high risk or a blocking rule, ``accorder`` for a low one with nothing to look at."""
    violated = {rule.severity for rule in rules if rule.verdict == "violee"}
    if level == "eleve" or "bloquante" in violated:
        return "refuser"
    return "etudier" if level == "modere" or violated or warnings else "accorder"


def expected_loss(pd: float, amount_xaf: float, facts: CaseFacts, figures: PolicyFigures) -> int:
    """Give the expected loss in whole XAF: ``p * LGD * EAD``."""
    lgd = figures.lgd_secured if facts.real_security else figures.lgd
    share = figures.ead_in_fine if facts.in_fine else figures.ead_amortised
    return round(pd * lgd * share * amount_xaf)


def threshold_from_costs(  # noqa: PLR0913  one keyword a figure of the formula
    *,
    amount_xaf: float,
    rate_percent: float,
    cost_of_funds_percent: float,
    months: int,
    fee_percent: float,
    file_cost_xaf: float,
    lgd: float = 0.50,
    ead: float = 0.65,
    prudence_cap: float = 0.20,
) -> CostThreshold:
    """Threshold of a credit type at its median loan: ``t = min(M / (M + L), prudence_cap)`` (MODELS.md).

    ``M = amount * ((rate - cost of funds) * (n + 1) / 24 + fee) - file cost`` is what a repaid loan earns,
    ``L = LGD * EAD`` what a defaulted one loses. With ``M <= 0`` the product earns nothing even without
    default: ``profitable`` is False and the threshold is the cap, to be set by hand.
    """
    spread = (rate_percent - cost_of_funds_percent) / 100
    margin = amount_xaf * (spread * (months + 1) / 24 + fee_percent / 100) - file_cost_xaf
    loss = lgd * ead * amount_xaf
    if margin <= 0:
        return CostThreshold(prudence_cap, profitable=False, margin_xaf=margin, loss_xaf=loss)
    threshold = min(margin / (margin + loss), prudence_cap)
    return CostThreshold(threshold, profitable=True, margin_xaf=margin, loss_xaf=loss)


def evaluate_rules(
    values: Mapping[str, Value], facts: CaseFacts, figures: PolicyFigures
) -> tuple[RuleOutcome, ...]:
    """Say of every rule of the policy, in its order, whether it is kept; ValueError for an unknown code."""
    return tuple(_evaluate(rule, values, facts) for rule in figures.rules)


def max_amount(
    values: Mapping[str, Value],
    facts: CaseFacts,
    figures: PolicyFigures,
    scorer: ColumnScorer,
    cap: float | None = None,
    rules: Sequence[RuleOutcome] | None = None,
) -> tuple[int | None, str | None]:
    """Largest multiple of 5,000 XAF with ``p < t`` and every rule kept, or None and the reason's code.

    Looks up to the limit of ``montant_max`` for the type and ``cap`` (by default the 99th percentile of the
    amounts the model was trained on), whichever is lower, on the whole grid
    (the probability need not be monotone in the amount), both ratios recomputed for each amount.
    Reasons: ``regle_violee`` (by a rule that no amount changes), ``plafond_inconnu``, ``plafond_trop_bas``,
    ``revenu_inconnu`` (ratios were sent without the income they rest on), ``endettement``, ``risque``.
    """
    outcomes = evaluate_rules(values, facts, figures) if rules is None else rules
    if any(rule.verdict == "violee" and rule.code not in _BY_AMOUNT for rule in outcomes):
        return None, "regle_violee"
    cap = scorer.amount_p99 if cap is None else cap
    limits = [limit for limit in (limit_of(figures, "montant_max", values), cap) if limit is not None]
    if not limits:
        return None, "plafond_inconnu"
    if min(limits) < SMALLEST_AMOUNT:
        return None, "plafond_trop_bas"
    grid = LoanGrid.below(min(limits), values, smallest=SMALLEST_AMOUNT)
    if grid is None:
        return None, "revenu_inconnu"
    grid = grid.within_debt_ratio(limit_of(figures, "endettement_max", values))
    if not grid.amounts:
        return None, "endettement"
    best = grid.largest_below(figures.threshold_for(str(values.get("type_credit"))), scorer)
    return best, None if best is not None else "risque"


def amount_breaks(
    values: Mapping[str, Value],
    facts: CaseFacts,
    figures: PolicyFigures,
    scorer: ColumnScorer,
    amount_xaf: int,
    cap: float | None = None,
) -> str | None:
    """Say what an amount breaks: a rule's code, ``risque`` (the threshold), ``plafond_modele``, or None.

    Asked of the step after the maximal amount, it names what that amount is held back by. ``cap`` is by
    default the 99th percentile of the amounts trained on. Rules that no amount changes are not looked at.
    """
    changed = applied(values, {"montant_credit": amount_xaf})
    broken = [
        rule.code
        for rule in evaluate_rules(changed, facts, figures)
        if rule.code in _BY_AMOUNT and rule.verdict == "violee"
    ]
    if broken:
        return broken[0]
    columns: dict[str, Column] = {**changed, "montant_credit": [amount_xaf]}
    (chance,) = scorer.probabilities(columns, 1)
    if chance >= figures.threshold_for(str(values.get("type_credit"))):
        return "risque"
    cap = scorer.amount_p99 if cap is None else cap
    return "plafond_modele" if cap is not None and amount_xaf > cap else None


_BY_AMOUNT = frozenset({"montant_max", "endettement_max"})


def limit_of(figures: PolicyFigures, code: str, values: Mapping[str, Value]) -> float | None:
    """Return the limit that a rule sets for the application's credit type, None without one."""
    rule = next((rule for rule in figures.rules if rule.code == code), None)
    return None if rule is None else _limit_for(rule, values)


def _limit_for(rule: RuleSetting, values: Mapping[str, Value]) -> float | None:
    return rule.limit_by_type.get(str(values.get("type_credit")), rule.limit)


def _evaluate(rule: RuleSetting, values: Mapping[str, Value], facts: CaseFacts) -> RuleOutcome:
    limit = _limit_for(rule, values)
    if rule.code in _NUMERIC:
        verdict, value = _compare(rule.code, values, limit)
    elif rule.code in _FACTS:
        verdict, value = _FACTS[rule.code](facts, limit)
    else:
        raise ValueError(f"unknown rule {rule.code!r}")
    return RuleOutcome(rule.code, verdict, value, limit, rule.severity)


def _compare(code: str, values: Mapping[str, Value], limit: float | None) -> Finding:
    value = _NUMERIC[code](values)
    if value is None or limit is None:
        return "non_evaluable", value
    violated = value < limit if code == "age_demande" else value > limit
    return ("violee" if violated else "respectee"), value


def _age_at_end(values: Mapping[str, Value]) -> float | None:
    age, months = _number(values, "age"), _number(values, "duree_mois")
    return None if age is None or months is None else age + months / 12


_NUMERIC: dict[str, Callable[[Mapping[str, Value]], float | None]] = {
    "age_demande": lambda values: _number(values, "age"),
    "age_fin": _age_at_end,
    "endettement_max": lambda values: _number(values, "taux_endettement"),
    "montant_max": lambda values: _number(values, "montant_credit"),
    "duree_max": lambda values: _number(values, "duree_mois"),
}


def _arrears_now(facts: CaseFacts, limit: float | None) -> Finding:
    days = facts.current_arrears_days
    if days is None or limit is None:
        return _UNKNOWN
    return ("violee" if days >= limit else "respectee"), float(days)


def _must_be(state: bool | None, *, wanted: bool) -> Finding:
    if state is None:
        return _UNKNOWN
    return ("respectee" if state is wanted else "violee"), float(state)


_FACTS: dict[str, Callable[[CaseFacts, float | None], Finding]] = {
    "interdiction_credit": lambda facts, _: _must_be(facts.prohibited, wanted=False),
    "arrieres_en_cours": _arrears_now,
    "doublon_probable": lambda facts, _: _must_be(facts.probable_duplicate, wanted=False),
    "consentement": lambda facts, _: _must_be(facts.consent_given, wanted=True),
}


def _number(values: Mapping[str, Value], name: str) -> float | None:
    value = values.get(name)
    return None if value is None or isinstance(value, str) else float(value)
