"""Instalments and the two debt ratios of the dictionary."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.engine.contracts import Value

ROUNDING_PERCENT = 0.05  # partners send the rate with one decimal; that much below is rounding, not an error
#: What follows the amount of a loan: itself, the debt service ratio, debts over income.
FOLLOWING = ("montant_credit", "taux_endettement", "ratio_dette_revenu")


@dataclass(frozen=True, slots=True)
class Means:
    """What a household has and owes a month, in XAF; ``None`` is « not known ».

    ``residual`` is what is left to live on: income less expenses, other instalments and this credit's.
    Expenses and other instalments that are not known count as none: the residual is then the most it can be.
    """

    income: float | None
    expenses: float | None
    other_instalments: float | None
    instalment: float | None
    residual: float | None
    debt_ratio_percent: float | None
    debt_to_income: float | None

    @property
    def residual_is_most(self) -> bool:
        return self.residual is not None and None in {self.expenses, self.other_instalments}


def monthly_instalment(amount_xaf: float, annual_rate_percent: float, months: int) -> float:
    """Constant instalment in XAF of a loan repaid monthly in arrears, unrounded.

    ``amount * r / (1 - (1 + r) ** -months)`` with ``r`` the nominal yearly rate / 12; ``amount / months``
    without interest. Raises ValueError for a term under one month or a negative rate.
    """
    if months < 1 or annual_rate_percent < 0:
        raise ValueError("a loan needs a term of at least one month and a rate of at least 0")
    rate = annual_rate_percent / 1200
    if rate == 0:
        return amount_xaf / months
    growth: float = (1 + rate) ** -months
    if growth == 1:  # a rate too small for double precision
        return amount_xaf / months
    return amount_xaf * rate / (1 - growth)


def with_ratios(values: Mapping[str, Value]) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Add ``taux_endettement`` (%) and ``ratio_dette_revenu`` where they were not sent and can be computed.

    ``taux_endettement = 100 * (mensualites_en_cours + instalment) / revenu_mensuel`` and
    ``ratio_dette_revenu = (encours_autres_dettes + montant_credit) / (12 * revenu_mensuel)``, unrounded
    (MODELS.md). Both stay missing without an income, or with an income of 0. Other debts that are not
    known count as none: the ratio is then what this credit alone demands, the least it can be.
    A ratio that was sent is kept as sent; the warning ``ratio_incoherent`` says that the instalment alone
    takes more of the income than the ``taux_endettement`` sent (beyond rounding to one decimal).
    """
    completed = dict(values)
    income = _number(values, "revenu_mensuel")
    if not income:
        return completed, ()
    instalment = instalment_of(values)
    amount = _number(values, "montant_credit")
    if instalment is not None and values.get("taux_endettement") is None:
        debts = _number(values, "mensualites_en_cours") or 0
        completed["taux_endettement"] = 100 * (debts + instalment) / income
    if amount is not None and values.get("ratio_dette_revenu") is None:
        outstanding = _number(values, "encours_autres_dettes") or 0
        completed["ratio_dette_revenu"] = (outstanding + amount) / (12 * income)
    return completed, _incoherence(values, instalment, income)


def without_ratios(values: Mapping[str, Value]) -> dict[str, Value]:
    """Drop the two ratios so that ``with_ratios`` computes them again for a changed loan."""
    computed = {"taux_endettement", "ratio_dette_revenu"}
    return {name: value for name, value in values.items() if name not in computed}


def instalment_of(values: Mapping[str, Value]) -> float | None:
    """Monthly instalment in XAF of the credit asked, None where amount, rate or term is missing."""
    amount, rate = _number(values, "montant_credit"), _number(values, "taux_interet")
    months = _number(values, "duree_mois")
    if amount is None or rate is None or months is None:
        return None
    return monthly_instalment(amount, rate, int(months))


def means_of(values: Mapping[str, Value]) -> Means:
    """Return the household's monthly means with this credit; the ratios are those stored in ``values``."""
    income = _number(values, "revenu_mensuel")
    expenses, others = _number(values, "charges_mensuelles"), _number(values, "mensualites_en_cours")
    instalment = instalment_of(values)
    known = income is not None and instalment is not None
    return Means(
        income=income,
        expenses=expenses,
        other_instalments=others,
        instalment=instalment,
        residual=(income or 0) - (expenses or 0) - (others or 0) - (instalment or 0) if known else None,
        debt_ratio_percent=_number(values, "taux_endettement"),
        debt_to_income=_number(values, "ratio_dette_revenu"),
    )


def _incoherence(values: Mapping[str, Value], instalment: float | None, income: float) -> tuple[str, ...]:
    sent = _number(values, "taux_endettement")
    if sent is None or instalment is None:
        return ()
    alone = 100 * instalment / income
    return ("ratio_incoherent",) if alone > sent + ROUNDING_PERCENT else ()


def _number(values: Mapping[str, Value], name: str) -> float | None:
    value = values.get(name)
    return None if value is None or isinstance(value, str) else float(value)
