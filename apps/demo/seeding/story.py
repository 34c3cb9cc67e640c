"""What a visitor finds at the first institution: twelve open files, some of which show something each."""

import datetime as dt
import random
from collections.abc import Iterator

from django.utils import timezone

from apps.audit.services import record
from apps.credits.enums import ApplicationStatus, ConsentMethod, ConsentPurpose, Outcome
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.clients import CONSENT_SETTING
from apps.credits.services.clients import create_client, give_consent, withdraw_consent
from apps.decisions.enums import STATUS_AFTER, DecisionKind, Direction
from apps.decisions.models import Decision, DecisionMotive
from apps.decisions.services.seeding import PastDecision, insert_past_decisions
from apps.demo.cast import DemoInstitution
from apps.demo.seeding.past import GRID, GRID_VARIABLES, Staff, motives_by_kind, person, staff_of
from apps.demo.seeding.people import seeding_actor
from apps.engine.expert import card_from
from apps.engine.ledger import add_months
from apps.institutions.models import Institution
from apps.institutions.queries import setting_on
from apps.institutions.services import set_setting
from apps.registry.services.challengers import start_challenger
from apps.registry.services.importing import write_scorecard
from apps.scoring.enums import Recommendation
from apps.scoring.models import Prediction
from apps.scoring.services.scores import score_application
from apps.tenancy.context import tenant_scope
from apps.tenancy.roles import Role

OPEN = 12
#: How long a consent holds at the first institution: fictional, no text gives a figure.
CONSENT_MONTHS = 60
#: The setting that tells the home page where a visit goes: what is shown -> public identifier.
VISIT = "demo_visit"
AS_ADVISED = {
    Recommendation.GRANT: DecisionKind.GRANT,
    Recommendation.STUDY: DecisionKind.GRANT_CONDITIONALLY,
    Recommendation.DECLINE: DecisionKind.REFUSE,
}
#: The challenger: late payments weigh more, the contract less.
CHALLENGER = {
    **GRID,
    "version": "2",
    "variables": [
        {"name": "nb_retards_30j", "cuts": [1, 3], "points": [20, -30, -80], "missing": 0},
        *GRID_VARIABLES[1:-1],
        {
            "name": "type_contrat_travail",
            "points": {"CDI": 15, "CDD": 0, "Informel": -5, "Indépendant": 0},
        },
    ],
}


def seed_story(demo: DemoInstitution, institution: Institution) -> int:
    """Write the story of the demonstration once; return how many files wait for a decision."""
    with tenant_scope(institution.pk):
        if setting_on(VISIT) is None and Decision.objects.exists():
            shown = _Story(demo, institution).write()
            set_setting(key=VISIT, value=shown, by=seeding_actor(institution), reason="Démonstration")
        return CreditApplication.objects.filter(status=ApplicationStatus.SUBMITTED).count()


class _Story:
    """The writing of the story, with its people and draws."""

    def __init__(self, demo: DemoInstitution, institution: Institution) -> None:
        self.institution = institution
        self.draw = random.Random(demo.seed + 2)  # noqa: S311  fictional data, the same at every load
        self.analyst = person(institution, Role.ANALYSTE)
        self.staff: Staff = staff_of(institution)
        self.motives: dict[DecisionKind, list[DecisionMotive]] = motives_by_kind()

    def write(self) -> dict[str, str]:
        risks = person(self.institution, Role.RESPONSABLE_RISQUES)
        start_challenger(version=write_scorecard(card=card_from(CHALLENGER), by=risks), by=risks)
        scores = self._scores()
        shown = dict(_shown(scores))
        left = list(dict.fromkeys(shown.values()))
        left += [each for each in scores if each not in left][: OPEN - len(left)]
        self._decide([each for each in scores if each not in left])
        expired = self._dirt([each for each in left if each not in shown.values()])
        found = {name: str(score.uid) for name, score in shown.items()}
        found["expired_consent"] = str(expired.uid)
        wrong = Decision.objects.filter(
            override_direction=Direction.MILDER, application__outcome=Outcome.DEFAULT
        ).select_related("application")
        for latest in wrong.order_by("-decided_at", "-pk")[:1]:
            found["override"] = str(latest.application.uid)
        return found

    def _scores(self) -> list[Prediction]:
        files = CreditApplication.objects.select_related("client", "client__merged_into").filter(
            status=ApplicationStatus.SUBMITTED
        )
        return [
            score_application(application=each, by=self.analyst)[0]
            for each in files.order_by("-applied_on", "-pk")
        ]

    def _decide(self, scores: list[Prediction]) -> None:
        """Decide files as advised, by somebody who did not enter them."""
        now = timezone.now()
        rows = [self._decision(each, now) for each in scores]
        insert_past_decisions(rows)
        for kind in DecisionKind:
            files = [row.application.pk for row in rows if row.kind == kind]
            CreditApplication.objects.filter(pk__in=files).update(status=STATUS_AFTER[kind])
        by = seeding_actor(self.institution)
        record(by=by, action="demo.load", after={"decisions": len(rows)})

    def _decision(self, score: Prediction, now: dt.datetime) -> PastDecision:
        application = score.application
        assert application is not None
        kind = AS_ADVISED[Recommendation(score.recommendation)]
        decider, role, limit = self.staff.decider(application, kind, self.draw)
        return PastDecision(
            application=application,
            prediction=score,
            kind=kind,
            motive=self.draw.choice(self.motives[kind]),
            decided_by_id=decider,
            role=role,
            limit_xaf=limit,
            decided_at=now,
        )

    def _dirt(self, scores: list[Prediction]) -> Prediction:
        """Let one client have withdrawn the consent, another one's have expired, and one stand twice.

        Returns the score that tells of the expired consent.
        """
        files = [each.application for each in scores if each.application is not None]
        clients = [each.client for each in files if each.client is not None]
        consenting = [
            each for each in files if each.client is not None and each.client.consent_at is not None
        ]
        withdrawn = consenting[0].client
        assert withdrawn is not None
        withdraw_consent(client=withdrawn, purpose=ConsentPurpose.DATA, by=self.analyst)
        expiring = next(each for each in consenting if each.client_id != withdrawn.pk)
        create_client(client=_again(clients[-1]), by=self.analyst, despite_duplicates=True)
        return self._expired(expiring)

    def _expired(self, application: CreditApplication) -> Prediction:
        """Give consents a validity that one client's is beyond by a month; score that file again."""
        set_setting(
            key=CONSENT_SETTING,
            value=CONSENT_MONTHS,
            by=seeding_actor(self.institution),
            reason="Démonstration : durée fictive, à fixer avec la conformité",
        )
        assert application.client is not None
        give_consent(
            client=application.client,
            purpose=ConsentPurpose.DATA,
            method=ConsentMethod.WRITTEN,
            by=self.analyst,
            on=add_months(timezone.localdate(), -CONSENT_MONTHS - 1),
        )
        return score_application(application=application, by=self.analyst)[0]


def _shown(scores: list[Prediction]) -> Iterator[tuple[str, Prediction]]:
    """Choose what is worth seeing among the scores of open files, each for one reason."""
    taken: list[Prediction] = []
    for name, fits in (
        ("approval", lambda score: score.recommendation == Recommendation.GRANT),
        ("unfavourable", lambda score: score.recommendation == Recommendation.DECLINE),
        ("first_credit", lambda score: score.inputs.get("nb_retards_30j") is None),
        ("too_large", _is_too_large),
    ):
        for score in scores:
            if score not in taken and fits(score):
                taken.append(score)
                yield name, score
                break


def _is_too_large(score: Prediction) -> bool:
    advised = score.max_amount_xaf
    return advised is not None and 0 < advised < score.inputs["montant_credit"]


def _again(client: Client) -> Client:
    """Return a second file of the same person, as somebody in a hurry would open it."""
    return Client(
        agency_id=client.agency_id,
        last_name=client.last_name.upper(),
        first_names=client.first_names,
        birth_date=client.birth_date,
        phone=client.phone,
        city=client.city,
        sex=client.sex,
        data_updated_on=timezone.localdate(),
    )
