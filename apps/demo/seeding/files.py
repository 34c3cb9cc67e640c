"""What stands in recent clients' files: consents, guarantees, debts, as their applications say."""

import random
from collections.abc import Iterable

from apps.credits.enums import ConsentMethod, ExternalSource, GuaranteeKind
from apps.credits.models import Client, CreditApplication, ExternalCredit, Guarantee
from apps.demo.cast import DemoInstitution
from apps.institutions.models import Institution
from apps.tenancy.context import tenant_scope

RECENT = 400
WITH_BUREAU_CONSENT = 0.7
LENDERS = ("Coopérative du Wouri", "Mutuelle des Hauts-Plateaux", "Crédit du Sahel", "Banque des Lagunes")
GUARANTORS = ("Alice Ndongo", "Joseph Mbarga", "Pauline Fotso", "Thomas Ewane", "Hadja Oumarou")
THINGS = {
    GuaranteeKind.SAVINGS: "Épargne bloquée sur livret",
    GuaranteeKind.PLEDGE: "Motocyclette et carte grise",
    GuaranteeKind.JOINT_SURETY: "Caution d'un commerçant du marché",
    GuaranteeKind.ENDORSEMENT: "Aval d'un membre de la famille",
    GuaranteeKind.SALARY: "Domiciliation du salaire",
    GuaranteeKind.SECURITY: "Nantissement du stock",
}
SHARES = (5, 3, 5, 3, 2, 2)


def seed_files(demo: DemoInstitution, institution: Institution) -> tuple[int, int]:
    """Fill the files of the latest applicants once; return ``(guarantees, external credits)``."""
    draw = random.Random(demo.seed)  # noqa: S311  fictional data, the same at every load
    with tenant_scope(institution.pk):
        if not Guarantee.objects.exists():
            latest = CreditApplication.objects.select_related("client").order_by("-applied_on", "-id")
            applications = list(latest[:RECENT])
            _give_consents(draw, {each.client_id: each.client for each in applications}.values())
            _load_guarantees(draw, applications)
            _load_external_credits(draw, applications)
        return Guarantee.objects.count(), ExternalCredit.objects.count()


def _give_consents(draw: random.Random, clients: Iterable[Client]) -> None:
    changed = list(clients)
    for client in changed:
        client.consent_method = ConsentMethod.WRITTEN if client.consent_at else ""
        if draw.random() < WITH_BUREAU_CONSENT:
            client.bureau_consent_at = client.consent_at
            client.bureau_consent_method = client.consent_method
    names = ["consent_method", "bureau_consent_at", "bureau_consent_method"]
    Client.objects.bulk_update(changed, names, batch_size=200)


def _load_guarantees(draw: random.Random, applications: list[CreditApplication]) -> None:
    secured = [each for each in applications if each.guarantees_value_xaf]
    guarantees = []
    for application in secured:
        kind = draw.choices(list(THINGS), SHARES)[0]
        guarantee = Guarantee(
            client_id=application.client_id,
            application=application,
            kind=kind,
            description=THINGS[kind],
            value_xaf=application.guarantees_value_xaf or 0,
            author_id=application.author_id,
        )
        if kind in {GuaranteeKind.JOINT_SURETY, GuaranteeKind.ENDORSEMENT}:
            guarantee.guarantor_name = draw.choice(GUARANTORS)
            guarantee.guarantor_phone = f"6{draw.randrange(10**8):08d}"
        application.real_security = guarantee.is_real
        guarantees.append(guarantee)
    Guarantee.objects.bulk_create(guarantees)
    CreditApplication.objects.bulk_update(secured, ["real_security"], batch_size=200)


def _load_external_credits(draw: random.Random, applications: list[CreditApplication]) -> None:
    debts, seen = [], set()
    for application in applications:  # the latest of each client comes first
        known = application.client_id in seen
        seen.add(application.client_id)
        if not known and application.mensualites_en_cours and application.encours_autres_dettes:
            debts.append(_external_credit(draw, application))
    ExternalCredit.objects.bulk_create(debts)


def _external_credit(draw: random.Random, application: CreditApplication) -> ExternalCredit:
    consented = application.client.bureau_consent_at
    from_register = consented is not None and consented <= application.applied_on
    source = ExternalSource.CREMF if from_register and draw.random() < 1 / 2 else ExternalSource.DECLARED
    outstanding = application.encours_autres_dettes or 0
    return ExternalCredit(
        client_id=application.client_id,
        lender=draw.choice(LENDERS),
        kind="consommation",
        amount_xaf=_rounded(outstanding * draw.uniform(1.1, 2.2)),
        outstanding_xaf=outstanding,
        monthly_payment_xaf=application.mensualites_en_cours or 0,
        worst_late_days=draw.choice((0, 0, 0, 5, 12, 35)),
        source=source,
        as_of=application.applied_on,
        author_id=application.author_id,
    )


def _rounded(amount: float) -> int:
    return round(amount / 5_000) * 5_000
