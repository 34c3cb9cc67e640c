"""Made-up borrowers on whom every officer agrees: a model must rank them as an officer does."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from apps.engine.contracts import ScoringInput, Value
from apps.engine.ratios import with_ratios
from apps.engine.scorer import Scorer

ARREARS = ("nb_retards_30j", "nb_retards_60j", "nb_retards_90j")

_USUAL: dict[str, Value] = {
    "age": 38,
    "revenu_mensuel": 150_000,
    "type_contrat_travail": "Indépendant",
    "anciennete_travail_mois": 48,
    "montant_credit": 300_000,
    "duree_mois": 12,
    "taux_interet": 22.0,
    "type_credit": "fonds_de_roulement",
    "nb_retards_30j": 0,
    "nb_retards_60j": 0,
    "nb_retards_90j": 0,
}

#: Code -> what differs from the usual client.
PROFILES: Mapping[str, Mapping[str, Value]] = {
    "usual": {},
    "young_worker": {"age": 22, "anciennete_travail_mois": 6, "type_contrat_travail": "CDD"},
    "near_retirement": {"age": 58, "anciennete_travail_mois": 240, "type_contrat_travail": "CDI"},
    "low_income_large_loan": {"revenu_mensuel": 45_000, "montant_credit": 1_500_000},
    "faithful_client": {
        "nb_credits_anterieurs": 5,
        "anciennete_membre_mois": 72,
        "taux_retard_paiement": 0.0,
    },
    "heavy_arrears": {
        "nb_retards_30j": 6,
        "nb_retards_60j": 4,
        "nb_retards_90j": 2,
        "taux_retard_paiement": 60.0,
    },
}
#: What an institution may set of each profile: figures of its own clients, never who the profile is.
EDITABLE: Mapping[str, tuple[str, ...]] = {
    "usual": (
        *("age", "revenu_mensuel", "anciennete_travail_mois", "montant_credit", "duree_mois", "taux_interet"),
    ),
    "young_worker": ("age", "anciennete_travail_mois"),
    "near_retirement": ("age", "anciennete_travail_mois"),
    "low_income_large_loan": ("revenu_mensuel", "montant_credit"),
    "faithful_client": ("nb_credits_anterieurs", "anciennete_membre_mois"),
    "heavy_arrears": (*ARREARS, "taux_retard_paiement"),
}
#: (profile, variable, whether it must be above or below the usual client's for the profile to be itself).
_ITSELF = (
    ("young_worker", "age", "below"),
    ("near_retirement", "age", "above"),
    ("low_income_large_loan", "revenu_mensuel", "below"),
    ("low_income_large_loan", "montant_credit", "above"),
)
#: The least that a profile must have to be itself.
_LEAST = (("faithful_client", "nb_credits_anterieurs", 1), ("heavy_arrears", "nb_retards_30j", 3))
#: (lower risk, higher risk): the second must be strictly above the first.
STRICT = (("faithful_client", "heavy_arrears"), ("usual", "heavy_arrears"))
#: (lower risk, higher risk): the second must not be below the first.
WEAK = (("usual", "low_income_large_loan"), ("faithful_client", "low_income_large_loan"))


@dataclass(frozen=True, slots=True)
class Ranking:
    """Probabilities of the profiles, the pairs out of order and whether more arrears could lower the risk."""

    pd: Mapping[str, float]
    misplaced: tuple[tuple[str, str], ...]
    arrears_lower_risk: bool

    @property
    def holds(self) -> bool:
        return not self.misplaced and not self.arrears_lower_risk


def profiles_with(changes: Mapping[str, Mapping[str, Value]]) -> dict[str, dict[str, Value]]:
    """Give the whole values of every profile, ratios included, after what an institution set of them."""
    usual = {**_USUAL, **changes.get("usual", {})}
    own = {code: {**differs, **changes.get(code, {})} for code, differs in PROFILES.items()}
    return {code: with_ratios({**usual, **values})[0] for code, values in own.items()}


def strangers(profiles: Mapping[str, Mapping[str, Value]]) -> list[tuple[str, str]]:
    """Name the (profile, variable) whose value makes of a profile somebody else: then it proves nothing."""
    usual = profiles["usual"]
    found = [
        (code, name)
        for code, name, side in _ITSELF
        if not _on_side(_number(profiles[code], name), _number(usual, name), side)
    ]
    found += [(code, name) for code, name, least in _LEAST if _number(profiles[code], name) < least]
    late = [_number(profiles["heavy_arrears"], name) for name in ARREARS]
    found += [
        ("heavy_arrears", name)
        for name, (more, less) in zip(ARREARS[1:], pairwise(late), strict=True)
        if less > more
    ]
    return found


def _on_side(value: float, usual: float, side: str) -> bool:
    return value < usual if side == "below" else value > usual


def _number(values: Mapping[str, Value], name: str) -> float:
    value = values.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def rank_profiles(scorer: Scorer, profiles: Mapping[str, Mapping[str, Value]] | None = None) -> Ranking:
    """Score every profile, those of the product by default, and compare them as an officer would."""
    known = profiles_with({}) if profiles is None else profiles
    pd = {code: scorer.score(ScoringInput(dict(values))).pd for code, values in known.items()}
    misplaced = [pair for pair in STRICT if not pd[pair[0]] < pd[pair[1]]]
    misplaced += [pair for pair in WEAK if pd[pair[0]] > pd[pair[1]] + 1e-12]
    used = [name for name in ARREARS if name in scorer.variables]
    return Ranking(pd, tuple(misplaced), not _never_falls(scorer, used))


def _never_falls(scorer: Scorer, names: Collection[str]) -> bool:
    return not names or scorer.never_falls_with(names)
