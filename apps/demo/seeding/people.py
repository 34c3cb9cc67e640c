"""The fictional institutions, their agencies and the log-ins."""

from django.conf import settings
from django.utils.text import slugify

from apps.demo.cast import AGENCY_ANALYSTS, INSTITUTIONS, OPERATOR, PEOPLE, DemoInstitution
from apps.institutions.models import Agency, Institution
from apps.institutions.services import save_agency, save_institution
from apps.tenancy.actor import Actor
from apps.tenancy.context import tenant_scope
from apps.tenancy.roles import Role
from apps.users.models import User
from apps.users.queries import operator_actor
from apps.users.services.keys import seed_demo_key
from apps.users.services.members import create_member

REASON = "Démonstration"


def seed_operator() -> Actor:
    """Return the operator of the demonstration, created at the first call."""
    email, name = OPERATOR
    user = User.objects.filter(email=email).first() or User.objects.create_user(
        email, settings.DEMO_PASSWORD, full_name=name, is_operator=True
    )
    return operator_actor(user)


def seed_institution(demo: DemoInstitution, *, operator: Actor, story: bool = True) -> Institution:
    """Return the institution with its agencies and people, creating what is missing."""
    institution = Institution.objects.filter(code=demo.code).first() or save_institution(
        institution=Institution(
            code=demo.code,
            name=demo.name,
            category=demo.category,
            licence=demo.licence,
            language=demo.language,
            is_demo=True,
        ),
        by=operator,
        reason=REASON,
    )
    with tenant_scope(institution.pk):
        actor = seeding_actor(institution)
        agencies = _seed_agencies(demo, actor)
        _seed_people(demo, actor, agencies)
        if story:
            _seed_agency_analysts(demo, actor, agencies)
        if demo is INSTITUTIONS[0]:
            seed_demo_key(raw=settings.DEMO_API_KEY, name="Bac à sable", by=actor)
    return institution


def seeding_actor(institution: Institution) -> Actor:
    """Return who writes the demonstration inside one institution."""
    return Actor(
        kind="task", id=None, uid=None, institution_id=institution.pk, role="", display_name="Démonstration"
    )


def _seed_agencies(demo: DemoInstitution, actor: Actor) -> list[Agency]:
    known = {agency.city: agency for agency in Agency.objects.all()}
    return [
        known.get(city)
        or save_agency(agency=Agency(code=slugify(city), name=city, city=city, region=region), by=actor)
        for city, region in demo.cities
    ]


def _seed_people(demo: DemoInstitution, actor: Actor, agencies: list[Agency]) -> None:
    for local_part, role, names in PEOPLE:
        email = f"{local_part}@{demo.code}.demo"
        if not User.objects.filter(email=email).exists():
            create_member(
                email=email,
                full_name=names[demo.code],
                password=settings.DEMO_PASSWORD,
                role=role,
                by=actor,
                agencies=agencies[:1] if role == Role.AGENT else (),
            )


def _seed_agency_analysts(demo: DemoInstitution, actor: Actor, agencies: list[Agency]) -> None:
    for local_part, name, city in AGENCY_ANALYSTS.get(demo.code, ()):
        email = f"{local_part}@{demo.code}.demo"
        if not User.objects.filter(email=email).exists():
            create_member(
                email=email,
                full_name=name,
                password=settings.DEMO_PASSWORD,
                role=Role.ANALYSTE,
                by=actor,
                agencies=[agency for agency in agencies if agency.city == city],
            )


def logins() -> list[tuple[str, str]]:
    """Return ``(e-mail, role)`` of every fictional account, in the order of the cast."""
    people = [
        (f"{local_part}@{demo.code}.demo", str(role))
        for demo in INSTITUTIONS
        for local_part, role, _ in PEOPLE
    ]
    return [*people, (OPERATOR[0], str(Role.OPERATEUR))]
