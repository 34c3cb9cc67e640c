"""A policy's figures: from JSON to the engine's dataclass and back, refusing what cannot be a policy."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.engine.contracts import PolicyFigures, RuleSetting, Severity

SEVERITIES = ("bloquante", "a_revoir")
FRACTIONS = ("default_threshold", "lgd", "lgd_secured", "ead_amortised", "ead_in_fine")


def figures_to_json(figures: PolicyFigures) -> dict[str, Any]:
    """Return a JSON-ready copy of every figure and rule."""
    return asdict(figures)


def figures_from_json(raw: Mapping[str, Any]) -> PolicyFigures:
    """Return the figures of a stored policy; raise ``ValidationError`` naming the field at fault."""
    known = {field.name for field in fields(PolicyFigures)}
    if unknown := set(raw) - known:
        raise ValidationError({name: _("Unknown figure.") for name in sorted(unknown)})
    figures = PolicyFigures(
        **{
            **raw,
            "grade_limits": cast("tuple[float, float, float, float]", tuple(raw["grade_limits"])),
            "rules": tuple(_rule(rule) for rule in raw["rules"]),
        }
    )
    _check(figures)
    return figures


def _rule(raw: Mapping[str, Any]) -> RuleSetting:
    if raw.get("severity") not in SEVERITIES:
        raise ValidationError({"rules": _("A rule is either blocking or to be reviewed.")})
    return RuleSetting(
        code=str(raw["code"]),
        severity=cast("Severity", raw["severity"]),
        limit=raw.get("limit"),
        limit_by_type=dict(raw.get("limit_by_type") or {}),
    )


def _check(figures: PolicyFigures) -> None:
    named = {name: getattr(figures, name) for name in FRACTIONS} | {
        f"thresholds.{name}": value for name, value in figures.thresholds.items()
    }
    if wrong := [name for name, value in named.items() if not 0 < value <= 1]:
        raise ValidationError({name: _("A fraction between 0 and 1 is expected.") for name in wrong})
    limits = figures.grade_limits
    if list(limits) != sorted(set(limits)) or not (limits[0] > 0 and limits[-1] < 1):
        raise ValidationError({"grade_limits": _("Grade limits must rise, between 0 and 1.")})
