"""Made-up borrowers on whom every officer agrees: a model must rank them as an officer does."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

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


def profile_values(code: str) -> dict[str, Value]:
    """Give the whole values of a profile, its ratios included."""
    values = {**_USUAL, **PROFILES[code]}
    return with_ratios(values)[0]


def rank_profiles(scorer: Scorer) -> Ranking:
    """Score every profile and compare them as an officer would."""
    pd = {code: scorer.score(ScoringInput(profile_values(code))).pd for code in PROFILES}
    misplaced = [pair for pair in STRICT if not pd[pair[0]] < pd[pair[1]]]
    misplaced += [pair for pair in WEAK if pd[pair[0]] > pd[pair[1]] + 1e-12]
    used = [name for name in ARREARS if name in scorer.variables]
    return Ranking(pd, tuple(misplaced), not _never_falls(scorer, used))


def _never_falls(scorer: Scorer, names: Collection[str]) -> bool:
    return not names or scorer.never_falls_with(names)
