"""Up to four clients or files side by side, each with its latest score."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.credits.models import Client, CreditApplication
from apps.credits.queries.applications import visible_applications
from apps.credits.queries.clients import visible_clients
from apps.scoring.models import Prediction
from apps.scoring.queries.scores import latest_scores
from apps.tenancy.actor import Actor

MOST_COMPARED = 4


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """One column: a client with the application looked at and its latest score, where there are any."""

    reference: str
    client: Client
    application: CreditApplication | None
    prediction: Prediction | None


def compared_files(actor: Actor, references: Sequence[str]) -> dict[str, ComparedFile]:
    """Return what ``actor`` sees of the references, by reference: those of applications or of clients.

    A client stands for its latest application. What is unknown or out of sight is left out, alike.
    """
    asked = list(dict.fromkeys(references))[:MOST_COMPARED]
    applications = {each.reference: each for each in visible_applications(actor).filter(reference__in=asked)}
    clients = {each.reference: each for each in visible_clients(actor).filter(reference__in=asked)}
    latest = _latest_of(actor, [each for name, each in clients.items() if name not in applications])
    files: dict[str, tuple[Client, CreditApplication | None]] = {}
    for name in asked:
        if name in applications:
            files[name] = applications[name].client, applications[name]
        elif name in clients:
            files[name] = clients[name], latest.get(clients[name].pk)
    keys = [application.pk for _client, application in files.values() if application is not None]
    scores = latest_scores(actor, "application", keys)
    return {
        name: ComparedFile(name, client, application, scores.get(application.pk) if application else None)
        for name, (client, application) in files.items()
    }


def _latest_of(actor: Actor, clients: Sequence[Client]) -> dict[int, CreditApplication]:
    if not clients:
        return {}
    rows = visible_applications(actor).filter(client__in=clients)
    newest = rows.order_by("client_id", "-applied_on", "-created_at").distinct("client_id")
    return {each.client_id: each for each in newest}
