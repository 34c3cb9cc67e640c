"""Variables that tests declare for an institution."""

from apps.credits.models import DictionaryVariable
from apps.credits.services.declarations import Code, VariableDraft
from apps.credits.services.dictionary import declare_variable

SHARES = "nb_parts_tontine"
STALL = "type_etal"


def draft(**changes):
    """Return the declaration of a number of the institution's own."""
    declared = {
        "name": SHARES,
        "label_fr": "Parts de tontine",
        "label_en": "Savings club shares",
        "type": "integer",
        "unit": "count",
        "minimum": 0,
        "maximum": 50,
        "direction": "down",
        "purpose": "Montre la régularité de l'épargne du client",
        "innocent": True,
    }
    return VariableDraft(**{**declared, **changes})


def stall(**changes):
    """Return the declaration of a list of the institution's own, set by the officer."""
    listed = {
        "name": STALL,
        "label_fr": "Type d'étal",
        "label_en": "Type of stall",
        "type": "category",
        "unit": "",
        "minimum": None,
        "maximum": None,
        "direction": "",
        "source": "officer",
        "codes": (Code("fixe", "Étal fixe", "Fixed stall"), Code("ambulant", "Ambulant", "Itinerant")),
    }
    return draft(**{**listed, **changes})


def declared(world, *drafts, code="horizon"):
    """Declare variables in an institution, by its risk manager; return their rows."""
    actor = world.actor(f"risques@{code}.demo")
    with world.scope(code):
        return [declare_variable(draft=each, by=actor) for each in drafts or (draft(),)]


def own_variable():
    """Return an own variable of the open scope, declared by nobody where there is none."""
    from apps.tenancy.actor import task_actor
    from apps.tenancy.context import current_institution_id

    row = DictionaryVariable.objects.own().first()
    return row or declare_variable(draft=draft(), by=task_actor(current_institution_id()))


def application_of(by, **values):
    """Enter a draft for a client of the open scope, with these values beside a loan's."""
    import uuid

    from apps.credits.models import Client
    from apps.credits.services.applications import Entry, enter_application

    client = Client.objects.filter(birth_date__range=("1970-01-01", "2000-01-01"), merged_into=None).first()
    loan = {
        "montant_credit": "450 000",
        "duree_mois": 12,
        "taux_interet": 20,
        "type_credit": "fonds_de_roulement",
    }
    entry = Entry(values={**loan, **values}, client_reference=client.reference)
    return enter_application(uid=uuid.uuid4(), entry=entry, by=by)
