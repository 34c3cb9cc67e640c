"""A synthetic history in the tables: clients, applications, outcomes, and the books of their credits."""

import datetime as dt
import math
from collections.abc import Iterable
from typing import Any

from apps.audit.services import record
from apps.credits.enums import ApplicationStatus
from apps.credits.models import VARIABLE_COLUMNS, Client, CreditApplication
from apps.credits.services.applications import fill_values
from apps.credits.services.clients import prepare_client
from apps.demo.cast import DemoInstitution
from apps.demo.seeding.books import load_books
from apps.demo.seeding.people import seeding_actor
from apps.demo.synthetic.books import write_books
from apps.demo.synthetic.outcome import AS_THEY_WERE, Times
from apps.demo.synthetic.portfolio import Portfolio, generate
from apps.engine.contracts import Value
from apps.engine.ratios import with_ratios
from apps.institutions.models import Agency, Institution
from apps.tenancy.context import tenant_scope
from apps.tenancy.roles import Role
from apps.users.models import Membership

BATCH = 2_000
STATUS = {
    "accorde": ApplicationStatus.DISBURSED,
    "refuse": ApplicationStatus.DECLINED,
    None: ApplicationStatus.SUBMITTED,
}


def seed_history(
    demo: DemoInstitution,
    institution: Institution,
    *,
    rows: int,
    as_of: dt.date,
    times: Times = AS_THEY_WERE,
) -> tuple[int, int]:
    """Load ``rows`` applications unless the institution has some; return ``(clients, applications)``."""
    with tenant_scope(institution.pk):
        if CreditApplication.objects.exists():
            return Client.objects.count(), CreditApplication.objects.count()
    cities = [city for city, _region in demo.cities]
    portfolio = generate(
        rows=rows, as_of=as_of, seed=demo.seed, cities=cities, language=demo.language, times=times
    )
    with tenant_scope(institution.pk):
        clients = _load_clients(institution, portfolio)
        applications = _load_applications(institution, portfolio, clients)
        load_books(write_books(portfolio, as_of=as_of, seed=demo.seed), applications)
        loaded = (len(portfolio.clients), len(portfolio.applications))
        record(
            by=seeding_actor(institution),
            action="demo.load",
            after={"clients": loaded[0], "applications": loaded[1]},
        )
    return loaded


def _load_clients(institution: Institution, portfolio: Portfolio) -> dict[int, Client]:
    agencies = {agency.city: agency for agency in Agency.objects.all()}
    last_seen = portfolio.applications.groupby("client_key")["submitted_on"].max().to_dict()
    clients: dict[int, Client] = {}
    for row in _rows(portfolio.clients):
        key = int(row["client_key"])
        client = Client(
            institution_id=institution.pk,
            agency=agencies[row["agency_city"]],
            data_updated_on=last_seen.get(key, row["consent_date"]),
            **_client_fields(row),
        )
        clients[key] = prepare_client(client, institution_id=institution.pk)
    Client.objects.bulk_create(clients.values(), batch_size=BATCH)
    return clients


def _client_fields(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "reference": row["reference"],
        "last_name": row["last_name"],
        "first_names": row["first_names"] or "",
        "sex": row["sexe"] or "",
        "birth_date": row["birth_date"],
        "family_situation": row["situation_familiale"] or "",
        "phone": row["phone"] or "",
        "city": row["city"] or "",
        "residence_region": row["region"] or "",
        "document_type": row["id_type"] or "",
        "document_number": row["id_number"] or "",
        "occupation": row["job"] or "",
        "contract_type": row["type_contrat_travail"] or "",
        "contract_start": row["contract_start"],
        "monthly_income_xaf": row["revenu_mensuel"],
        "consent_at": row["consent_date"],
    }


def _load_applications(
    institution: Institution, portfolio: Portfolio, clients: dict[int, Client]
) -> list[CreditApplication]:
    authors = _authors(institution)
    applications = []
    for number, row in enumerate(_rows(portfolio.applications), start=1):
        client = clients[int(row["client_key"])]
        application = CreditApplication(
            institution_id=institution.pk,
            client=client,
            agency_id=client.agency_id,
            reference=f"D-{row['submitted_on']:%Y}-{number:06d}",
            status=STATUS[row["decision"]],
            applied_on=row["submitted_on"],
            purpose=row["purpose"] or "",
            author_id=_author(authors[client.agency_id], number),
            guarantees_value_xaf=row["guarantees_value"],
            outcome=row["outcome"] or "",
            outcome_date=row["outcome_date"] if row["outcome"] else None,
            outcome_source="synthetic" if row["outcome"] else "",
        )
        fill_values(application, _values(row))
        applications.append(application)
    return CreditApplication.objects.bulk_create(applications, batch_size=BATCH)


def _values(row: dict[str, Any]) -> dict[str, Value]:
    values = {name: row[name] for name in VARIABLE_COLUMNS if row.get(name) is not None}
    if row.get("secteur"):
        values["secteur"] = row["secteur"]
    return with_ratios(values)[0]


def _authors(institution: Institution) -> dict[int, list[int]]:
    """Return who enters files, agency by agency: its own people and those who see all.

    An agency without people of its own has its files entered by everybody: there is nobody else.
    """
    members = Membership.objects.filter(institution=institution, role__in=(Role.ANALYSTE, Role.AGENT))
    rows = list(members.order_by("id").values_list("user_id", "role", "agency_links__agency_id"))
    found = {}
    for agency in Agency.objects.values_list("pk", flat=True):
        own = [user for user, role, place in rows if place == agency and role == Role.ANALYSTE]
        found[agency] = [user for user, _role, place in rows if place in {agency, None} or not own]
    return found


def _author(people: list[int], number: int) -> int:
    return people[number % len(people)]


def _rows(frame: Any) -> Iterable[dict[str, Any]]:
    """Yield rows as plain Python values: NaN is unknown, whole floats of counted things are integers."""
    for row in frame.to_dict("records"):
        yield {name: _plain(name, value) for name, value in row.items()}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if name in WHOLE else value
    return value


WHOLE = frozenset(
    {
        "revenu_mensuel",
        "anciennete_travail_mois",
        "mensualites_en_cours",
        "encours_autres_dettes",
        "nb_retards_30j",
        "nb_retards_60j",
        "nb_retards_90j",
    }
)
