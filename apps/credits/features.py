"""From rows to numbers: the only place where the ORM meets the scoring engine.

Training and scoring use the same functions, so that a model is asked what it was taught.
"""

import datetime as dt

from apps.credits.models import VARIABLE_COLUMNS, Client, CreditApplication
from apps.credits.queries.clients import consent_expiry, consent_months
from apps.engine.contracts import CaseFacts, Value
from apps.engine.dictionary import STANDARD
from apps.engine.ratios import with_ratios


def application_values(application: CreditApplication) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return ``(values by dictionary name, warnings)`` of an application as it was known on its day.

    The institution's own variables follow the standard ones, those it has retired since too.
    """
    own = sorted(name for name in application.extra if name not in STANDARD)
    values: dict[str, Value] = {
        name: getattr(application, name) if name in VARIABLE_COLUMNS else application.extra.get(name)
        for name in (*STANDARD.names, *own)
    }
    return with_ratios(_present(values))


def case_facts(
    client: Client | None, *, on: dt.date, application: CreditApplication | None = None
) -> CaseFacts:
    """Return what the rules need beside the variables; unknown without a client's file.

    Of a file that was merged into another one the other's facts count: it stands for the person now.
    """
    while client is not None and client.merged_into is not None:
        client = client.merged_into
    if client is None:
        return CaseFacts()
    return CaseFacts(
        prohibited=client.prohibition_date is not None and client.prohibition_date <= on,
        consent_given=client.consent_at is not None and client.consent_at <= on,
        consent_expired_on=_consent_expired_on(client, on),
        data_age_days=(on - client.data_updated_on).days,
        real_security=application.real_security if application is not None else False,
    )


def _consent_expired_on(client: Client, on: dt.date) -> str | None:
    if client.consent_at is None or client.consent_at > on:
        return None
    expiry = consent_expiry(client.consent_at, months=consent_months(on=on))
    return expiry.isoformat() if expiry is not None and expiry <= on else None


def _present(values: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value not in (None, "")}
