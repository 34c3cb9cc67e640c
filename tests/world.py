"""The cast of every test: built once from the demonstration's own services, then committed."""

import datetime as dt
from dataclasses import replace
from functools import cache
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from apps.credits.enums import ApplicationStatus
from apps.credits.importing.jobs import check_rows
from apps.credits.importing.runs import prepare_import, receive_import, settle_import
from apps.credits.models import CreditApplication
from apps.credits.services.dictionary import VariableUpdate, change_variable
from apps.decisions.services.deciding import Choice, decide
from apps.decisions.services.reviews import ClientRequest, register_review
from apps.institutions.models import Agency, Institution
from apps.jobs.services import claim_job, finish_job
from apps.outbox.models import Webhook
from apps.outbox.services import enqueue_alert
from apps.registry.services.training_runs import ask_training
from apps.registry.services.training_work import train
from apps.reports.models import BenchmarkContribution
from apps.reports.services.benchmarks import join_benchmarks
from apps.reports.services.making import ask_report, make_at_once, wish_for
from apps.reports.services.schedules import schedule_report
from apps.reports.services.views import save_view
from apps.scoring.services.batches import receive_batch, score_at_once
from apps.scoring.services.scores import score_application
from apps.scoring.services.simulation import keep_scenario, variant_of
from apps.scoring.services.training import price_rows
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.users.models import Membership, User
from apps.users.queries import active_membership, member_actor
from tests.predict import BODY

AS_OF = dt.date(2026, 11, 21)
ROWS = {"horizon": 1_800, "ngwa": 600}


def build_world() -> None:
    """Seed both institutions, small, with a model trained by the real pipeline."""
    from apps.demo.seeding.everything import seed

    seed(rows=ROWS, as_of=AS_OF, story=False)
    for code in ROWS:
        institution = Institution.objects.get(code=code)
        with tenant_scope(institution.pk):
            member = Membership.objects.get(institution=institution, role="auditeur")
            enqueue_alert(code="test.alert", recipients=[member.user_id], payload={})
            Webhook.objects.create(url=f"https://{code}.example/told", events=[], secret=f"{code}-{code}")
            _scored_file(code)
            _scenario(code)
            _import(code)
            _train(code)
            _dictionary(code)
            _view(code)
            _decide(code)
            _reports(code)
            _benchmarks(code)


def _scored_file(code: str) -> None:
    """Score a file of one line for the analyst of an institution."""
    text = f"dossier,{','.join(BODY)}\n{code}-1,{','.join(map(str, BODY.values()))}\n"
    upload = SimpleUploadedFile(f"portefeuille-{code}.csv", text.encode())
    score_at_once(batch=receive_batch(upload=upload, by=_analyst(code)))


def _scenario(code: str) -> None:
    """Keep a simulation of the latest file that is not decided."""
    by = _analyst(code)
    file = CreditApplication.objects.undecided().order_by("-pk")[0]
    keep_scenario(uid=file.uid, variant=replace(variant_of(file), contribution_xaf=10_000), by=by)


def _import(code: str) -> None:
    """Check a file of clients for the analyst of an institution: one line is right, one is not."""
    agency = Agency.objects.order_by("pk")[0].code
    lines = ["reference,agence,nom,date de naissance,téléphone"]
    lines += [
        f"{code}-{place},{agency},Import-{code},1980-01-31,{phone}" for place, phone in ((1, ""), (2, 12))
    ]
    by = _analyst(code)
    upload = SimpleUploadedFile(f"clients-{code}.csv", "\n".join(lines).encode())
    run = receive_import(upload=upload, target="clients", by=by)
    run = settle_import(run=run, matches=prepare_import(run=run).matches, by=by)
    assert run.job is not None
    claim = claim_job(uid=run.job.uid)
    assert claim is not None
    finish_job(claim=claim, result=check_rows(claim))


def _train(code: str) -> None:
    """Compare two candidates that take no time on the history of an institution."""
    run = ask_training(by=_person("risques", code), candidates=("scorecard", "dummy"), split="nested")
    claim = claim_job(uid=run.job.uid)
    assert claim is not None
    finish_job(claim=claim, result=train(claim, priced=price_rows))


def _dictionary(code: str) -> None:
    """Say why the institution asks for savings; the variable stays what it is."""
    said = {
        "horizon": "Régularité de l'épargne, vue par horizon",
        "ngwa": "Regularity of savings, as ngwa sees it",
    }
    update = VariableUpdate(purpose=said[code])
    change_variable(name="epargne_moyenne", update=update, by=_person("risques", code))


def _reports(code: str) -> None:
    """Have a report made and another scheduled for the analyst of an institution."""
    by = _analyst(code)
    wish = wish_for(kind="activite", by=by, language="fr", starts_on=AS_OF.replace(day=1), ends_on=AS_OF)
    make_at_once(report=ask_report(wish=wish, format="csv"), wish=wish)
    assert by.uid is not None
    schedule_report(
        kind="activite", format="xlsx", language="fr", frequency="monthly", recipients=[by.uid], by=by
    )


def _view(code: str) -> None:
    """Name a view of the portfolio, for the risk manager alone."""
    name = {"horizon": "Produits de horizon", "ngwa": "Products of ngwa"}[code]
    save_view(name=name, query="par=produit", shared=False, by=_person("risques", code))


def _benchmarks(code: str) -> None:
    """Share the figures of an institution; one of them is given already."""
    reason = {"horizon": "Se situer parmi d'autres, vu par horizon", "ngwa": "To see where ngwa stands"}[code]
    join_benchmarks(reason=reason, by=_person("risques", code))
    value = {"horizon": 0.6180339, "ngwa": 0.4142135}[code]
    BenchmarkContribution.objects.create(
        month=dt.date(2026, 1, 1), credit_type="*", figure="acceptance", value=value, base=30
    )


def _decide(code: str) -> None:
    """Defer a file and register that its client asks for another look; ask to go against an advice."""
    analyst, risk_manager = _analyst(code), _person("risques", code)
    rows = CreditApplication.objects.filter(status=ApplicationStatus.SUBMITTED, montant_credit__lte=2_000_000)
    files = rows.exclude(author_id__in=(analyst.id, risk_manager.id)).select_related("client").order_by("pk")
    scored = [(file, score_application(application=file, by=analyst)[0]) for file in files[:40]]
    said = {
        "horizon": "Le client de horizon apporte son carnet de recettes",
        "ngwa": "The client of ngwa brings the book of takings",
    }[code]
    second = next(file for file, score in scored if score.recommendation == "accorder")
    first = next(file for file, _score in scored if file != second)
    decide(application=first, choice=Choice("ajourne", "visite_a_faire"), by=risk_manager)
    asked = ClientRequest(timezone.localdate(), "guichet", said)
    register_review(application=first, asked=asked, by=analyst)
    against = Choice("refuse", "non_verifiable", override_reason="information_nouvelle", override_text=said)
    decide(application=second, choice=against, by=analyst)


def _analyst(code: str) -> Actor:
    return _person("analyste", code)


def _person(local_part: str, code: str) -> Actor:
    membership = active_membership(User.objects.get(email=f"{local_part}@{code}.demo").pk)
    assert membership is not None
    return member_actor(membership)


class World:
    """How tests name people and places; nothing is cached but keys, which the template keeps."""

    analyst = "analyste@horizon.demo"
    agent = "agent@horizon.demo"
    risk_manager = "risques@horizon.demo"
    auditor = "auditeur@horizon.demo"
    administrator = "admin@horizon.demo"
    outsider = "analyste@ngwa.demo"
    outsider_admin = "admin@ngwa.demo"
    operator = "operateur@credisense.demo"

    @staticmethod
    @cache
    def institution_id(code: str) -> int:
        return Institution.objects.get(code=code).pk

    @staticmethod
    def user(email: str) -> User:
        return User.objects.get(email=email)

    def scope(self, code: str = "horizon") -> Any:
        return tenant_scope(self.institution_id(code))

    def actor(self, email: str) -> Actor:
        """Return the actor of a person; opens the scope it needs for a moment."""
        membership = active_membership(self.user(email).pk)
        assert membership is not None
        with tenant_scope(membership.institution_id):
            return member_actor(membership)

    def access_token(self, email: str) -> str:
        """Return the access token of a new API session."""
        from django.test import RequestFactory

        from apps.users.services.sessions import open_api_session

        membership = active_membership(self.user(email).pk)
        assert membership is not None
        return open_api_session(request=RequestFactory().get("/"), membership=membership).access


WORLD = World()
