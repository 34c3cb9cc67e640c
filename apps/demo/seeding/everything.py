"""The whole demonstration, in order; what is there already is kept."""

import datetime as dt
from collections.abc import Callable, Mapping

from django.conf import settings
from django.utils import timezone

from apps.demo.cast import INSTITUTIONS
from apps.demo.seeding.deciding import seed_deciding
from apps.demo.seeding.files import seed_files
from apps.demo.seeding.history import seed_history
from apps.demo.seeding.model import seed_model
from apps.demo.seeding.past import seed_past
from apps.demo.seeding.people import seed_institution, seed_operator
from apps.demo.seeding.returned import seed_returned
from apps.demo.seeding.scores import seed_policy, seed_scores
from apps.demo.seeding.story import seed_story
from apps.institutions.tasks import seal_audit_trails
from apps.monitoring.tasks import watch_institution
from apps.reports.services.portfolio import count_files
from apps.scoring.services.totals import rebuild_totals
from apps.tenancy.context import tenant_scope
from apps.tenancy.errors import NotAllowed

Say = Callable[[str], None]


def seed(
    *,
    rows: Mapping[str, int] | None = None,
    as_of: dt.date | None = None,
    story: bool = True,
    say: Say = lambda _line: None,
) -> None:
    """Load institutions, people, history, model, policies, recent scores and a night of monitoring.

    ``rows`` overrides the number of applications by institution code; ``story`` adds the first institution's
    analysts by agency and its past decisions; ``say`` hears each step. Raises
    ``NotAllowed`` outside demonstration mode.
    """
    if not settings.DEMO_MODE:
        raise NotAllowed("Demonstration data are refused outside demonstration mode.")
    date = as_of or timezone.localdate()
    operator = seed_operator()
    institutions = {demo: seed_institution(demo, operator=operator, story=story) for demo in INSTITUTIONS}
    say(f"Institutions : {', '.join(demo.name for demo in institutions)}")
    for demo, institution in institutions.items():
        wanted = (rows or {}).get(demo.code, demo.rows)
        clients, applications = seed_history(demo, institution, rows=wanted, as_of=date)
        say(f"{demo.name} : {clients} clients, {applications} demandes")
        guarantees, debts = seed_files(demo, institution)
        say(f"{demo.name} : {guarantees} garanties, {debts} crédits externes")
    model = seed_model(list(institutions.values()), say=say)
    for demo, institution in institutions.items():
        seed_policy(institution)
        seed_deciding(institution)
        if story and demo is INSTITUTIONS[0]:
            say(f"{demo.name} : {seed_past(demo, institution, on=date)} décisions passées")
        scored = seed_scores(institution, model=model)
        returned = seed_returned(demo, institution)
        say(f"{institution.name} : {scored} demandes récentes notées, {returned} dossiers à compléter")
    if story:
        demo = INSTITUTIONS[0]
        say(f"{demo.name} : {seed_story(demo, institutions[demo])} demandes à décider")
    for demo, institution in institutions.items():
        watched = watch_institution(institution.pk, on=date)
        say(f"{demo.name} : {watched} modèle suivi")
    for institution in institutions.values():
        with tenant_scope(institution.pk):
            rebuild_totals()
        with tenant_scope(institution.pk):
            count_files(everything=True)
    seal_audit_trails()  # a worker may start days later, and would find the entries late
