"""Files on which tests decide: sent by the agent or the analyst, scored, with the advice that is wanted."""

import datetime as dt

from django.utils import timezone

from apps.credits.enums import ApplicationStatus
from apps.credits.models import CreditApplication
from apps.decisions.models import DecisionLimit
from apps.decisions.queries.limits import motives_of
from apps.decisions.services.deciding import Choice
from apps.decisions.services.seeding import PastDecision, insert_past_decisions
from apps.scoring.models import Prediction
from apps.scoring.services.scores import score_application
from apps.tenancy.models import new_uid
from apps.tenancy.prepared import insert

#: Files that nobody has decided, those that were sent first.
OPEN = (ApplicationStatus.SUBMITTED, ApplicationStatus.INCOMPLETE, ApplicationStatus.DRAFT)
WHY = "Vu le carnet de recettes des douze derniers mois."


def sent_file(world, *, advice="accorder", author="agent@horizon.demo", amount_xaf=500_000, months=12):
    """Return a submitted file of ``author`` with a score of its values and this advice; the scope is open."""
    rows = CreditApplication.objects.select_related("client", "agency")
    asked = rows.filter(status__in=OPEN, override_requests=None).order_by("-status", "pk")[0]
    asked.status = ApplicationStatus.SUBMITTED
    asked.author_id = asked.submitted_by_id = world.user(author).pk
    asked.montant_credit, asked.duree_mois = amount_xaf, months
    asked.submitted_at = timezone.now()
    asked.save()
    advise(world, asked, advice)
    return asked


def advise(world, application, advice):
    """Put a score of the file's present values with the wished advice above the others."""
    score, _created = score_application(application=application, by=world.actor(world.analyst))
    score.pk, score.uid, score.recommendation = None, new_uid(), advice
    score.input_hash, score.created_at = new_uid().hex, timezone.now() + dt.timedelta(milliseconds=1)
    insert(score)
    return Prediction.objects.get(uid=score.uid)


def choice(kind="accorde", **wishes):
    """Return a decision with the first motive of its kind."""
    motives = motives_of(kind)
    return Choice(kind=kind, **{"motive": motives[0].code if motives else "", **wishes})


def against(kind, **wishes):
    """Return a decision that says why it goes against the advice."""
    return choice(kind, override_reason="garantie_forte", override_text=WHY, **wishes)


def limit(role, amount_xaf, *, days=0):
    """Set the limit of a role some days from now, as the past would have it too."""
    day = timezone.localdate() + dt.timedelta(days=days)
    return DecisionLimit.objects.create(role=role, amount_xaf=amount_xaf, starts_on=day)


def past(world, count, *, overrides, decider="risques@horizon.demo", asker="analyste@horizon.demo", days=10):
    """Insert refusals by the risk manager, some against a favourable advice as the analyst asked."""
    rows = CreditApplication.objects.select_related("agency").filter(decisions=None).order_by("pk")[:count]
    score, motive = Prediction.objects.exclude(application=None).first(), motives_of("refuse")[0]
    people = {name: world.user(name).pk for name in (decider, asker)}
    made = []
    for place, application in enumerate(rows):
        application.author_id = application.submitted_by_id = None
        seen = Prediction(pk=score.pk, pd=score.pd, threshold=score.threshold)
        seen.recommendation = "accorder" if place < overrides else "refuser"
        made.append(
            PastDecision(
                application=application,
                prediction=seen,
                kind="refuse",
                motive=motive,
                decided_by_id=people[decider],
                role="responsable_risques",
                limit_xaf=25_000_000,
                decided_at=timezone.now() - dt.timedelta(days=days),
                override_reason="information_nouvelle",
                override_text=WHY,
                requested_by_id=people[asker],
            )
        )
    return insert_past_decisions(made)
