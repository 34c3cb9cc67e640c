"""A policy for each institution and scores of its recent applications."""

from apps.credits.models import CreditApplication
from apps.demo.seeding.people import seeding_actor
from apps.engine.contracts import PolicyFigures
from apps.engine.policy import default_rules
from apps.institutions.models import Institution
from apps.registry.enums import ModelStatus
from apps.registry.models import ModelVersion, PlatformModel
from apps.registry.services.promotions import approve_promotion, propose_promotion
from apps.registry.services.versions import install_platform_model
from apps.scoring.models import Prediction, ScoringPolicy
from apps.scoring.services.policies import set_policy
from apps.scoring.services.scores import score_application
from apps.scoring.validators import PolicyCosts, TypeCosts
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.users.queries import demo_memberships, member_actor

RECENT = 60
REASON = "Politique de démonstration"
FIRST_MODEL = "Premier modèle, pour la démonstration"
#: Fictional: median loan, term, rate, cost of funds, fee, cost of a file; they set no threshold.
COSTS = PolicyCosts(
    by_type={
        "fonds_de_roulement": TypeCosts(350_000, 10, 24.0, 6.0, 2.0, 5_000, computed=False),
        "consommation": TypeCosts(300_000, 12, 22.0, 6.0, 2.0, 5_000, computed=False),
        "scolaire": TypeCosts(150_000, 9, 20.0, 6.0, 1.0, 3_000, computed=False),
        "agricole": TypeCosts(250_000, 9, 22.0, 6.0, 2.0, 7_500, computed=False),
        "equipement": TypeCosts(600_000, 18, 22.0, 6.0, 1.5, 7_500, computed=False),
        "habitat": TypeCosts(1_200_000, 30, 18.0, 6.0, 1.0, 10_000, computed=False),
    }
)


def seed_policy(institution: Institution) -> None:
    """Give the institution the demonstration's policy (threshold 0.15) unless it has one."""
    with tenant_scope(institution.pk):
        if not ScoringPolicy.objects.exists():
            oldest = (
                CreditApplication.objects.order_by("applied_on").values_list("applied_on", flat=True).first()
            )
            set_policy(
                figures=PolicyFigures(rules=default_rules()),
                by=seeding_actor(institution),
                costs=COSTS,
                reason=REASON,
                effective_from=oldest,
            )


def seed_scores(institution: Institution, *, model: PlatformModel) -> int:
    """Install and promote the model, then score the most recent undecided applications once."""
    with tenant_scope(institution.pk):
        version = install_platform_model(model=model, by=seeding_actor(institution))
        _put_in_production(version, institution)
        done = Prediction.objects.filter(model_version=version)
        if done.exists():
            return done.count()
        analyst = _person(institution, "analyste")
        recent = CreditApplication.objects.select_related("client").undecided().order_by("-applied_on", "-id")
        for application in reversed(recent[:RECENT]):
            score_application(application=application, by=analyst)
        return done.count()


def _put_in_production(version: ModelVersion, institution: Institution) -> None:
    """Let the risk manager propose the demonstration's model and the committee approve it, once."""
    if version.status != ModelStatus.CANDIDATE:
        return
    risk_manager = _person(institution, "responsable_risques")
    promotion = propose_promotion(version=version, by=risk_manager, reason=FIRST_MODEL)
    approve_promotion(promotion=promotion, by=_person(institution, "comite"))


def _person(institution: Institution, role: str) -> Actor:
    membership = demo_memberships().filter(institution=institution, role=role).first()
    assert membership is not None  # the people were seeded before
    return member_actor(membership)
