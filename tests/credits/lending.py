"""Credits lent and paid through the services, for tests."""

from django.utils.timezone import localdate

from apps.credits.enums import ApplicationStatus
from apps.credits.models import Client, CreditApplication
from apps.credits.services.ledger import Disbursement, Receipt, disburse_application, record_repayment
from apps.engine.ledger import add_months

OLD = add_months(localdate(), -13)


def lent(by, *, on=OLD, **values):
    client = Client.objects.order_by("pk").first()
    application = CreditApplication.objects.create(
        client=client,
        agency_id=client.agency_id,
        reference=f"T-{CreditApplication.objects.count()}",
        status=ApplicationStatus.APPROVED,
        applied_on=on,
        age=40,
        type_credit="consommation",
        montant_credit=120_000,
        duree_mois=12,
        taux_interet=0.0,
    )
    return disburse_application(uid=application.uid, terms=Disbursement(disbursed_on=on, **values), by=by)


def pay(credit, by, months):
    for month in range(1, months + 1):
        sent = Receipt(f"{credit.reference}-{month}", add_months(credit.disbursed_on, month), 10_000)
        record_repayment(uid=credit.uid, receipt=sent, by=by)
