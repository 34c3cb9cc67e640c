"""The institution's last twenty months: an expert scorecard in production, its advice, what people decided.

The scorecard is the start of an institution without history; the model trained on that history follows it.
"""

import dataclasses
import datetime as dt
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from apps.audit.services import record
from apps.credits.enums import ApplicationStatus, Outcome
from apps.credits.models import Credit, CreditApplication
from apps.decisions.enums import DecisionKind, OverrideReason
from apps.decisions.models import Decision, DecisionMotive
from apps.decisions.rules import direction_of
from apps.decisions.services.seeding import PastDecision, insert_past_decisions
from apps.demo.cast import LENIENT, SEVERE, DemoInstitution
from apps.demo.seeding.deciding import LIMITS_XAF
from apps.demo.seeding.people import seeding_actor
from apps.engine.expert import ExpertCard, card_from
from apps.engine.ledger import add_months
from apps.institutions.models import Institution
from apps.registry.models import Championship, ModelVersion
from apps.registry.services.importing import write_scorecard
from apps.registry.services.seeding import seed_first_production
from apps.scoring.models import Prediction
from apps.scoring.queries.policies import policy_on
from apps.scoring.services.seeding import insert_past_scores, past_scores
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.roles import Role
from apps.users.models import Membership
from apps.users.queries import demo_memberships, member_actor

MONTHS = 20
#: One file in so many has its score and decision; the others came in with the history of before.
EVERY = 2
OVERRIDES = 0.06
RETROSPECTIVE = 120
#: How much more often the lenient one grants, and the severe one refuses, than the colleague beside.
INCLINED = 4
REASON = "Grille de départ, avant d'avoir un historique"
DECIDED = {
    ApplicationStatus.DISBURSED: DecisionKind.GRANT,
    ApplicationStatus.DECLINED: DecisionKind.REFUSE,
}
GRID_VARIABLES: list[dict[str, Any]] = [
    {"name": "nb_retards_30j", "cuts": [1, 3], "points": [15, -20, -60], "missing": 0},
    {"name": "nb_retards_90j", "cuts": [1], "points": [5, -70], "missing": 0},
    {"name": "taux_endettement", "cuts": [20, 33, 45], "points": [25, 5, -20, -55], "missing": -10},
    {"name": "anciennete_travail_mois", "cuts": [12, 60], "points": [-15, 0, 20], "missing": -5},
    {
        "name": "type_contrat_travail",
        "points": {"CDI": 25, "CDD": 0, "Informel": -15, "Indépendant": 0},
    },
]
GRID = {
    "format": "scorecard-1",
    "name": "grille-experte",
    "version": "1",
    "declared_default_rate": 0.09,
    "variables": GRID_VARIABLES,
}
WHY = {
    OverrideReason.GUARANTEE: "Caution solidaire d'un commerçant connu, vérifiée sur place.",
    OverrideReason.RELATION: "Client depuis plus de cinq ans, épargne régulière.",
    OverrideReason.INFORMATION: "Visite du commerce : activité plus forte que déclarée.",
    OverrideReason.COMMERCIAL: "Accord avec le groupement de producteurs.",
}
WHY_NOT = "Visite sur place : le lieu de travail déclaré n'a pas été trouvé."


def seed_past(demo: DemoInstitution, institution: Institution, *, on: dt.date) -> int:
    """Write the institution's last months up to the day ``on``; return how many decisions there are.

    Once, and before any model is in production: nothing is written under what happened since.
    """
    with tenant_scope(institution.pk):
        if not Championship.objects.exists():
            _Past(demo, institution, on).write()
        return Decision.objects.count()


@dataclass(frozen=True, slots=True)
class Staff:
    """Who decides: two analysts an agency, one who sees all, and the risk manager above their limit."""

    of_agency: Mapping[int, list[int]]
    everywhere: list[int]
    risk_managers: list[int]
    lenient: int | None
    severe: int | None

    def decider(
        self, application: CreditApplication, kind: DecisionKind, draw: random.Random
    ) -> tuple[int, Role, int]:
        """Return somebody who did not enter the file and whose limit suffices; it shows who is lenient."""
        if (application.montant_credit or 0) > LIMITS_XAF[Role.ANALYSTE]:
            return self._risk_manager()
        for people in (self.of_agency.get(application.agency_id or 0, []), self.everywhere):
            others = [each for each in people if each != application.author_id]
            if others:
                inclined = self.lenient if kind == DecisionKind.GRANT else self.severe
                weights = [INCLINED if each == inclined else 1 for each in others]
                return draw.choices(others, weights)[0], Role.ANALYSTE, LIMITS_XAF[Role.ANALYSTE]
        return self._risk_manager()

    def _risk_manager(self) -> tuple[int, Role, int]:
        role = Role.RESPONSABLE_RISQUES
        return self.risk_managers[0], role, LIMITS_XAF[role]


class _Past:
    """The writing of one institution's past, with its draws."""

    def __init__(self, demo: DemoInstitution, institution: Institution, on: dt.date) -> None:
        self.demo, self.institution, self.on = demo, institution, on
        self.draw = random.Random(demo.seed + 1)  # noqa: S311  fictional data, the same at every load
        self.by = seeding_actor(institution)

    def write(self) -> None:
        start = add_months(self.on, -MONTHS)
        version = self._grid(start)
        self.motives = motives_by_kind()
        self.disbursed = dict(Credit.objects.values_list("application_id", "disbursed_on"))
        self.staff = staff_of(self.institution)
        kept, against = self._sorted(self._scored(version, start))
        overrides = self._overrides(against, len(kept))
        rows = [*kept, *overrides, *self._retrospective(version, start)]
        insert_past_scores([row.prediction for row in rows])
        decided = insert_past_decisions(rows)
        _sent([row.application for row in rows])
        record(by=self.by, action="demo.load", after={"decisions": decided, "overrides": len(overrides)})

    def _grid(self, start: dt.date) -> ModelVersion:
        risks = person(self.institution, Role.RESPONSABLE_RISQUES)
        committee = person(self.institution, Role.COMITE)
        version = write_scorecard(card=_card(), by=risks)
        began = _moment(start, 8)
        seed_first_production(
            version=version, started_at=began, reason=REASON, proposed_by=risks, started_by=committee
        )
        return version

    def _scored(self, version: ModelVersion, start: dt.date) -> list[tuple[CreditApplication, Prediction]]:
        rows = CreditApplication.objects.select_related("client", "client__merged_into").filter(
            status__in=DECIDED,
            montant_credit__lte=LIMITS_XAF[Role.RESPONSABLE_RISQUES],
            applied_on__gte=start,
            applied_on__lt=self.on - dt.timedelta(days=20),
        )
        files = list(rows.order_by("applied_on", "pk"))[::EVERY]
        asked = [(each, _moment(each.applied_on, self.draw.randint(8, 16))) for each in files]
        scores = past_scores(asked, version=version, policy=policy_on(), by=self.by)
        return list(zip(files, scores, strict=True))

    def _sorted(
        self, scored: Iterable[tuple[CreditApplication, Prediction]]
    ) -> tuple[list[PastDecision], list[tuple[CreditApplication, Prediction]]]:
        """Part the files decided as advised, or without a clear advice, from those decided against it."""
        kept, against = [], []
        for application, prediction in scored:
            kind = DECIDED[ApplicationStatus(application.status)]
            if direction_of(prediction.recommendation, kind) is None:
                kept.append(self._decision(application, prediction))
            else:
                against.append((application, prediction))
        return kept, against

    def _overrides(
        self, against: list[tuple[CreditApplication, Prediction]], kept: int
    ) -> list[PastDecision]:
        """Keep so many decisions against the advice that they make six in a hundred."""
        wanted = round(kept * OVERRIDES / (1 - OVERRIDES))
        chosen = chosen_overrides(against, min(wanted, len(against)), self.draw)
        return [self._override(application, prediction) for application, prediction in chosen]

    def _decision(self, application: CreditApplication, prediction: Prediction) -> PastDecision:
        kind = DECIDED[ApplicationStatus(application.status)]
        decider, role, limit = self.staff.decider(application, kind, self.draw)
        return PastDecision(
            application=application,
            prediction=prediction,
            kind=kind,
            motive=self.draw.choice(self.motives[kind]),
            decided_by_id=decider,
            role=role,
            limit_xaf=limit,
            decided_at=self._decided_at(application),
        )

    def _override(self, application: CreditApplication, prediction: Prediction) -> PastDecision:
        kind = DECIDED[ApplicationStatus(application.status)]
        granted = kind == DecisionKind.GRANT
        asker = self.staff.lenient if granted else self.staff.severe
        if asker is None or asker == application.author_id or self.draw.random() > 1 / 2:
            asker = self.staff.decider(application, kind, self.draw)[0]
        second = next(each for each in self.staff.risk_managers if each not in {asker, application.author_id})
        reason = self.draw.choice(list(WHY)) if granted else OverrideReason.INFORMATION
        return PastDecision(
            application=application,
            prediction=prediction,
            kind=kind,
            motive=self.draw.choice(self.motives[kind]),
            decided_by_id=second,
            role=Role.RESPONSABLE_RISQUES,
            limit_xaf=LIMITS_XAF[Role.RESPONSABLE_RISQUES],
            decided_at=self._decided_at(application),
            override_reason=reason,
            override_text=WHY[reason] if granted else WHY_NOT,
            requested_by_id=asker,
        )

    def _retrospective(self, version: ModelVersion, start: dt.date) -> Iterator[PastDecision]:
        """Give some older files the score that nobody had: it bears today's date, the decision its own."""
        rows = CreditApplication.objects.select_related("client", "client__merged_into").filter(
            status__in=DECIDED, montant_credit__lte=LIMITS_XAF[Role.RESPONSABLE_RISQUES], applied_on__lt=start
        )
        files = list(rows.order_by("-applied_on", "-pk")[:RETROSPECTIVE])
        now = timezone.now()
        scores = past_scores([(each, now) for each in files], version=version, policy=policy_on(), by=self.by)
        for application, prediction in zip(files, scores, strict=True):
            yield dataclasses.replace(self._decision(application, prediction), is_retrospective=True)

    def _decided_at(self, application: CreditApplication) -> dt.datetime:
        """Return a moment some days after the application, before its credit left and before now."""
        latest = self.on - dt.timedelta(days=1)
        latest = min(self.disbursed.get(application.pk, latest), latest)
        day = min(application.applied_on + dt.timedelta(days=self.draw.randint(1, 12)), latest)
        return _moment(day, self.draw.randint(17, 18))


def chosen_overrides(
    against: list[tuple[CreditApplication, Prediction]], wanted: int, draw: random.Random
) -> list[tuple[CreditApplication, Prediction]]:
    """Draw the files decided against the advice, among them one that went wrong where there is any.

    Most credits of so few files are still running: on some days none of the drawn ones has ended badly, and
    the visit of the demonstration shows one.
    """
    chosen = draw.sample(against, wanted)
    wrong = [each for each in against if each[0].outcome == Outcome.DEFAULT]
    if chosen and wrong and not any(each in chosen for each in wrong):
        chosen[-1] = draw.choice(wrong)
    return chosen


def _sent(files: list[CreditApplication]) -> None:
    """Write when files were sent for decision, and by whom: the day they were entered."""
    for each in files:
        each.submitted_at, each.submitted_by_id = _moment(each.applied_on, 16), each.author_id
    CreditApplication.objects.bulk_update(files, ["submitted_at", "submitted_by"], batch_size=1_000)


def _card() -> ExpertCard:
    return card_from(GRID)


def motives_by_kind() -> dict[DecisionKind, list[DecisionMotive]]:
    found: dict[DecisionKind, list[DecisionMotive]] = {}
    for motive in DecisionMotive.objects.in_use().order_by("pk"):
        found.setdefault(DecisionKind(motive.kind), []).append(motive)
    return found


def staff_of(institution: Institution) -> Staff:
    members = Membership.objects.filter(institution=institution).order_by("id")
    analysts = list(
        members.filter(role=Role.ANALYSTE).values_list("user_id", "user__email", "agency_links__agency_id")
    )
    by_name = {email.partition("@")[0]: user for user, email, _agency in analysts}
    of_agency: dict[int, list[int]] = {}
    for user, _email, agency in analysts:
        if agency is not None:
            of_agency.setdefault(agency, []).append(user)
    return Staff(
        of_agency,
        [user for user, _email, agency in analysts if agency is None],
        list(members.filter(role=Role.RESPONSABLE_RISQUES).values_list("user_id", flat=True)),
        by_name.get(LENIENT),
        by_name.get(SEVERE),
    )


def person(institution: Institution, role: Role) -> Actor:
    membership = demo_memberships().filter(institution=institution, role=role).first()
    assert membership is not None  # the people were seeded before
    return member_actor(membership)


def _moment(day: dt.date, hour: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour)))
