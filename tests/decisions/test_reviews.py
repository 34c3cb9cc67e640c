"""A client asks for another look: registered, handled by somebody else, answered; a file taken up again."""

import datetime as dt

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils import timezone

from apps.credits.errors import ApplicationMoved
from apps.credits.models import CreditApplication
from apps.credits.services.lifecycle import submit_application
from apps.decisions.errors import OwnDecision, OwnFile, ReviewAnswered, ReviewOpen
from apps.decisions.models import Reconsideration
from apps.decisions.queries.decisions import decisions_for, open_review
from apps.decisions.queries.waiting import reviews_to_handle
from apps.decisions.services.deciding import decide
from apps.decisions.services.reviews import (
    ClientRequest,
    keep_decision,
    register_review,
    resume_application,
)
from apps.tenancy.errors import InvalidValues, NotAllowed
from apps.tenancy.four_eyes import SamePerson
from tests.decisions.filing import WHY, advise, choice, sent_file

pytestmark = pytest.mark.django_db


def today():
    return timezone.localdate()


def request_of(text="J'ai un nouveau contrat de travail.", **wishes):
    return ClientRequest(**{"asked_on": today(), "channel": "guichet", "text": text, **wishes})


@pytest.fixture
def analyst(world):
    return world.actor(world.analyst)


@pytest.fixture
def risk_manager(world):
    return world.actor(world.risk_manager)


@pytest.fixture
def declined(world, analyst):
    """Return a file that the analyst refused, in the open scope of horizon."""
    with world.scope():
        file = sent_file(world, advice="refuser")
        decide(application=file, choice=choice("refuse"), by=analyst)
        yield CreditApplication.objects.get(pk=file.pk)


def test_another_person_decides_anew_and_the_request_is_answered(declined, analyst, risk_manager):
    review = register_review(application=declined, asked=request_of(), by=analyst)
    assert review in reviews_to_handle(risk_manager)
    assert review not in reviews_to_handle(analyst)

    decision = decide(
        application=declined, choice=choice("contre_proposition", amount_xaf=200_000), by=risk_manager
    )

    stored = Reconsideration.objects.get(pk=review.pk)
    assert (stored.handled_by_id, stored.outcome_id) == (risk_manager.id, decision.pk)
    assert [each.number for each in decisions_for(declined)] == [2, 1]
    assert CreditApplication.objects.get(pk=declined.pk).status == "counter_offered"


def test_another_person_keeps_the_decision_and_says_why(declined, analyst, risk_manager):
    review = register_review(application=declined, asked=request_of(), by=analyst)
    with pytest.raises(InvalidValues):
        keep_decision(review=review, answer="non", by=risk_manager)

    kept = keep_decision(review=review, answer="Le contrat commence dans six mois.", by=risk_manager)

    assert (kept.handled_by_id, kept.outcome_id) == (risk_manager.id, None)
    assert CreditApplication.objects.get(pk=declined.pk).status == "declined"
    with pytest.raises(ReviewAnswered):
        keep_decision(review=review, answer="Une seconde réponse.", by=risk_manager)


def test_who_decided_handles_it_neither_way(declined, analyst):
    review = register_review(application=declined, asked=request_of(), by=analyst)

    with pytest.raises(SamePerson):
        keep_decision(review=review, answer="Ma décision me plaît.", by=analyst)
    with pytest.raises(OwnDecision):
        decide(application=declined, choice=choice("ajourne"), by=analyst)


def test_who_made_the_file_does_not_handle_it(declined, analyst, risk_manager):
    review = register_review(application=declined, asked=request_of(), by=analyst)
    CreditApplication.objects.filter(pk=declined.pk).update(submitted_by_id=risk_manager.id)

    with pytest.raises(OwnFile):
        keep_decision(review=review, answer="Le contrat commence dans six mois.", by=risk_manager)


@pytest.mark.parametrize("local_part", ["agent", "comite", "auditeur"])
def test_other_roles_do_not_handle_it(world, declined, analyst, local_part):
    review = register_review(application=declined, asked=request_of(), by=analyst)

    with pytest.raises(Exception, match=r"rôle|role|n'existe|No such"):
        keep_decision(review=review, answer=WHY, by=world.actor(f"{local_part}@horizon.demo"))
    assert open_review(declined) == review


def test_without_a_request_a_refused_file_stays_refused(declined, risk_manager):
    with pytest.raises(ApplicationMoved):
        decide(application=declined, choice=choice("ajourne"), by=risk_manager)


def test_one_request_at_a_time(declined, analyst):
    register_review(application=declined, asked=request_of(), by=analyst)

    with pytest.raises(ReviewOpen):
        register_review(application=declined, asked=request_of(), by=analyst)


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"text": "non"}, "text"),
        ({"channel": "pigeon"}, "channel"),
        ({"asked_on": dt.date(2020, 1, 1)}, "asked_on"),
        ({"asked_on": dt.date(2100, 1, 1)}, "asked_on"),
    ],
)
def test_a_request_is_checked(declined, analyst, wishes, field):
    with pytest.raises(InvalidValues) as refusal:
        register_review(application=declined, asked=request_of(**wishes), by=analyst)
    assert list(refusal.value.fields) == [field]


def test_a_reader_registers_nothing(world, declined):
    with pytest.raises(NotAllowed):
        register_review(application=declined, asked=request_of(), by=world.actor(world.auditor))


def test_a_granted_file_has_nothing_to_look_at_again(world, analyst):
    with world.scope():
        file = sent_file(world)
        decide(application=file, choice=choice(), by=analyst)

        with pytest.raises(ApplicationMoved):
            register_review(application=file, asked=request_of(), by=analyst)


def test_the_database_keeps_who_decided_from_handling(declined, analyst, risk_manager):
    review = register_review(application=declined, asked=request_of(), by=analyst)
    now = timezone.now()

    with pytest.raises(IntegrityError), transaction.atomic():
        Reconsideration.objects.filter(pk=review.pk).update(
            handled_by_id=analyst.id, handled_at=now, answer="x"
        )
    with pytest.raises(ProgrammingError), transaction.atomic():
        Reconsideration.objects.filter(pk=review.pk).update(text="autre")


def test_an_accepted_offer_puts_its_terms_in_the_file_to_be_scored_and_decided(world, analyst, risk_manager):
    with world.scope():
        file = sent_file(world)
        offer = choice("contre_proposition", amount_xaf=300_000, duration_months=18)
        decide(application=file, choice=offer, by=analyst)

        resumed = resume_application(application=file, by=world.actor(world.risk_manager))

        assert (resumed.status, resumed.montant_credit, resumed.duree_mois) == ("draft", 300_000, 18)
        submit_application(uid=file.uid, by=risk_manager)
        advise(world, CreditApplication.objects.get(pk=file.pk), "accorder")
        decision = decide(application=file, choice=choice(), by=analyst)
        assert (decision.number, decision.amount_xaf, decision.duration_months) == (2, 300_000, 18)


def test_a_deferred_file_is_taken_up_again_and_a_refused_one_only_when_asked(world, declined, analyst):
    with pytest.raises(ApplicationMoved):
        resume_application(application=declined, by=analyst)
    register_review(application=declined, asked=request_of(), by=analyst)
    assert resume_application(application=declined, by=analyst).status == "draft"

    file = sent_file(world)
    decide(application=file, choice=choice("ajourne"), by=analyst)
    assert resume_application(application=file, by=analyst).status == "draft"
