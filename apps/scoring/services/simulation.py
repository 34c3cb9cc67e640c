"""Simulation: other terms tried without storing a score; those of a file are kept beside it as scenarios."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.credits.models import CreditApplication
from apps.credits.queries.applications import visible_applications
from apps.credits.queries.dictionary import dictionary_for
from apps.credits.rules import can_score
from apps.credits.services.applications import Change, change_application, checked_values
from apps.engine.contracts import CaseFacts, PolicyFigures, Value
from apps.engine.maximum import STEP_XAF, applied
from apps.engine.ratios import Means, means_of
from apps.registry.loader import load_scorer
from apps.registry.models import ModelVersion
from apps.registry.queries import champion_for
from apps.scoring.errors import TooManyScenarios
from apps.scoring.models import Prediction, Scenario, ScoringPolicy
from apps.scoring.queries.policies import figures_of_policy, policy_on
from apps.scoring.services.scores import Case, application_case, compute, credit_type_of, figures_of, plain
from apps.tenancy.actor import Actor
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound

if TYPE_CHECKING:
    from apps.engine.changes import Changes
    from apps.engine.scorer import Scorer

MOST_SCENARIOS = 4


@dataclass(frozen=True, slots=True)
class Variant:
    """Terms to try: the credit is the amount less what the client contributes; the rate is in % a year."""

    amount_xaf: int
    duration_months: int
    rate_percent: float
    contribution_xaf: int = 0

    @property
    def credit_xaf(self) -> int:
        return self.amount_xaf - self.contribution_xaf

    @property
    def values(self) -> dict[str, Value]:
        return {
            "montant_credit": self.credit_xaf,
            "duree_mois": self.duration_months,
            "taux_interet": self.rate_percent,
        }


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a variant would get today; ``prediction`` is not stored.

    ``held_back_by`` names what one step above the maximal amount would break, empty without an amount.
    """

    variant: Variant
    prediction: Prediction
    means: Means
    held_back_by: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The model and the policy of today for one application or for values alone, and what they say."""

    case: Case
    version: ModelVersion
    policy: ScoringPolicy

    @property
    def scorer(self) -> "Scorer":
        return load_scorer(self.version)

    @property
    def figures(self) -> PolicyFigures:
        return figures_of_policy(self.policy)


def variant_of(application: CreditApplication) -> Variant:
    """Return what the application asks for."""
    return Variant(application.montant_credit, application.duree_mois, application.taux_interet)


def terms_today(application: CreditApplication) -> Terms:
    """Return what simulations of an application rest on; raise ``NoApprovedModel`` or ``NoPolicy``."""
    case = application_case(application)
    return Terms(case, champion_for(credit_type_of(case)), policy_on())


def terms_of_values(raw: Mapping[str, object]) -> Terms:
    """Return what simulations of a credit for nobody rest on: values as received, without a file's facts.

    Raises ``InvalidValues`` naming the fields at fault, ``NoApprovedModel`` or ``NoPolicy``.
    """
    values, warnings = checked_values(raw, dictionary_for(raw))
    case = Case(values, CaseFacts(), warnings)
    return Terms(case, champion_for(credit_type_of(case)), policy_on())


def variant_in(terms: Terms) -> Variant:
    """Return the terms that checked values ask for."""
    values: Mapping[str, Any] = terms.case.values
    return Variant(int(values["montant_credit"]), int(values["duree_mois"]), float(values["taux_interet"]))


def simulate_variant(*, terms: Terms, variant: Variant) -> Simulated:
    """Score an application, or values, with other terms; nothing is stored.

    Ratios follow the new terms. Raises ``InvalidValues`` naming the fields at fault.
    """
    if variant.credit_xaf <= 0:
        refusal = _("The contribution must be less than the amount.")
        raise InvalidValues(refusal, fields={"contribution": [refusal]})
    changed = applied(terms.case.values, variant.values)
    dictionary = dictionary_for(changed)
    values, warnings = checked_values(dictionary.known(changed), dictionary)
    case = Case(values, terms.case.facts, warnings, terms.case.application, terms.case.client)
    result, advice = compute(case, terms.scorer, terms.figures)
    prediction = Prediction(
        application=case.application,
        client=case.client,
        model_version=terms.version,
        policy=terms.policy,
        inputs=values,
        facts=plain(case.facts),
        **figures_of(result, advice),
        duration_ms=0.0,
    )
    return Simulated(variant, prediction, means_of(values), held_back_by(prediction))


def held_back_by(prediction: Prediction) -> str:
    """Name what one step above the maximal amount breaks: a rule, the threshold, the limit of the model.

    Empty where no amount is advised. Raises ``NoApprovedModel`` when the score's model does not load.
    """
    from apps.engine.policy import amount_breaks

    if prediction.max_amount_xaf is None:
        return ""
    figures, facts = figures_of_policy(prediction.policy), CaseFacts(**prediction.facts)
    scorer = load_scorer(prediction.model_version)
    above = prediction.max_amount_xaf + STEP_XAF
    return amount_breaks(prediction.inputs, facts, figures, scorer, above) or ""


def changes_for(*, prediction: Prediction) -> "Changes":
    """Return what would change the advice of a score, by its own model, policy and values.

    Stored or simulated alike. Raises ``NoApprovedModel`` when the score's model does not load.
    """
    from apps.engine.changes import what_would_change

    return what_would_change(
        prediction.inputs,
        CaseFacts(**prediction.facts),
        figures_of_policy(prediction.policy),
        load_scorer(prediction.model_version),
        prediction.warnings,
    )


@transaction.atomic
def keep_scenario(*, uid: UUID, variant: Variant, by: Actor) -> Scenario:
    """Keep a variant beside its application, with what it gives today; the same terms are kept once.

    Raises ``ObjectNotFound``, ``NotAllowed``, ``TooManyScenarios`` above four, ``InvalidValues``.
    """
    application = visible_applications(by).select_for_update(of=("self",)).filter(uid=uid).first()
    if application is None:
        raise ObjectNotFound(_("No such application."))
    if not can_score(by, application):
        raise NotAllowed(_("Scenarios are kept while nothing is decided, by who may score the file."))
    known = list(Scenario.objects.filter(application=application))
    same = [each for each in known if variant_kept(each) == variant]
    if same:
        return same[0]
    if len(known) >= MOST_SCENARIOS:
        raise TooManyScenarios(_("Four scenarios are kept already: remove one first."))
    scenario = _scenario(simulate_variant(terms=terms_today(application), variant=variant), by)
    scenario.application = application
    scenario.save()
    record(by=by, action="scenario.create", target=scenario)
    return scenario


def variant_kept(scenario: Scenario) -> Variant:
    """Return the terms of a scenario."""
    return Variant(
        scenario.amount_xaf, scenario.duration_months, scenario.rate_percent, scenario.contribution_xaf
    )


def _scenario(simulated: Simulated, by: Actor) -> Scenario:
    score, variant, means = simulated.prediction, simulated.variant, simulated.means
    return Scenario(
        author_id=by.person_id,
        model_version=score.model_version,
        policy=score.policy,
        amount_xaf=variant.amount_xaf,
        contribution_xaf=variant.contribution_xaf,
        duration_months=variant.duration_months,
        rate_percent=variant.rate_percent,
        pd=score.pd,
        threshold=score.threshold,
        points=score.points,
        grade=score.grade,
        band=score.band,
        recommendation=score.recommendation,
        instalment_xaf=None if means.instalment is None else round(means.instalment),
        debt_ratio_percent=means.debt_ratio_percent,
        max_amount_xaf=score.max_amount_xaf,
    )


@transaction.atomic
def remove_scenario(*, scenario: Scenario, by: Actor) -> None:
    """Remove a scenario of one's own; raise ``NotAllowed`` for another's."""
    if by.person_id is None or scenario.author_id != by.person_id:
        raise NotAllowed(_("Only who kept a scenario removes it."))
    record(by=by, action="scenario.remove", target=scenario)
    scenario.delete()


def take_over(*, application: CreditApplication, variant: Variant, version: str, by: Actor) -> None:
    """Put the terms of a variant into the application, where it may still be changed.

    ``version`` is what ``version_of`` gave when the file was read. Raises as ``change_application``.
    """
    change = Change(values=dict(variant.values), purpose=application.purpose, version=version)
    change_application(uid=application.uid, change=change, by=by)
