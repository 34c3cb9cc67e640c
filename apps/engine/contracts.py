"""What the engine takes and gives back: standard library only, cheap to import, never changed once made.

What a score has many of is a named tuple, which is made in a third of a frozen dataclass's time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Lang = Literal["fr", "en"]
Value = float | int | str | None
Band = Literal["faible", "modere", "eleve"]
Recommendation = Literal["accorder", "etudier", "refuser"]
Severity = Literal["bloquante", "a_revoir"]
RuleVerdict = Literal["respectee", "violee", "non_evaluable"]


@dataclass(frozen=True, slots=True)
class ScoringInput:
    """Canonical values of one application by dictionary name; absent or ``None`` means missing."""

    values: Mapping[str, Value]


class Contribution(NamedTuple):
    """What one variable adds to the log-odds of default; positive means more risk."""

    variable: str
    value: Value
    log_odds: float


@dataclass(frozen=True, slots=True)
class ScoringResult:
    """One score: ``logit(pd) == base + sum(log_odds)``, in float64.

    ``contributions`` holds every variable of the model, in the model's order.
    ``warnings`` holds codes found by the model itself (``hors_domaine``).
    """

    pd: float
    base: float
    contributions: tuple[Contribution, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """One rule of a policy: its limit, by credit type where given, and what a violation means."""

    code: str
    severity: Severity
    limit: float | None = None
    limit_by_type: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """The dated figures of an institution's scoring policy, as the engine needs them.

    Thresholds, grade limits, LGD and EAD are fractions; amounts are whole XAF; the points scale is
    ``points_at_base_odds + pdo / ln 2 * (ln((1 - p) / p) - ln base_odds)`` clipped to the two limits.
    """

    thresholds: Mapping[str, float] = field(default_factory=dict)
    default_threshold: float = 0.15
    grade_limits: tuple[float, float, float, float] = (0.02, 0.05, 0.10, 0.20)
    points_at_base_odds: int = 600
    base_odds: float = 10.0
    pdo: float = 50.0
    points_min: int = 300
    points_max: int = 850
    lgd: float = 0.50
    lgd_secured: float = 0.35
    ead_amortised: float = 0.65
    ead_in_fine: float = 1.0
    rules: tuple[RuleSetting, ...] = ()

    def threshold_for(self, credit_type: str) -> float:
        return self.thresholds.get(credit_type, self.default_threshold)


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What rules and expected loss need beside the dictionary; ``None`` is « not known yet ».

    ``consent_expired_on`` is the day (ISO) since which the consent given is too old, ``None`` while it holds.
    """

    prohibited: bool | None = None
    current_arrears_days: int | None = None
    probable_duplicate: bool | None = None
    consent_given: bool | None = None
    consent_expired_on: str | None = None
    data_age_days: int | None = None
    real_security: bool = False
    in_fine: bool = False


class RuleOutcome(NamedTuple):
    """What one rule said of one application."""

    code: str
    verdict: RuleVerdict
    value: float | None
    limit: float | None
    severity: Severity


@dataclass(frozen=True, slots=True)
class Advice:
    """From a probability to advice under one policy; never changes the probability."""

    threshold: float
    prediction: int
    band: Band
    points: int
    grade: str
    recommendation: Recommendation
    expected_loss_xaf: int
    max_amount_xaf: int | None
    max_amount_reason: str | None
    rules: tuple[RuleOutcome, ...]
    warnings: tuple[str, ...]
