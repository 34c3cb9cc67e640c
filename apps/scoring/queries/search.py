"""Clients, applications and scores found by what people type, or opened lately."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.audit.queries import recent_reads
from apps.credits.models import Client, CreditApplication
from apps.credits.queries.applications import search_applications, visible_applications
from apps.credits.queries.clients import search_clients, standing_clients
from apps.scoring.models import Prediction
from apps.scoring.queries.scores import latest_scores, visible_predictions
from apps.tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class File:
    """What somebody may open: a client, an application or a score; ``latest`` is its latest score, if any."""

    subject: Any
    latest: Prediction | None

    @property
    def kind(self) -> str:
        """``client``, ``creditapplication`` or ``prediction``."""
        return str(self.subject._meta.model_name)


def search_files(actor: Actor, text: str, *, limit: int = 10) -> list[File]:
    """Return the clients, then the applications, that ``text`` may mean; five statements at most."""
    found = [
        *search_clients(actor, text, limit=limit),
        *search_applications(actor, text, limit=limit),
    ]
    return _with_latest(actor, found[:limit])


def recent_files(actor: Actor, *, limit: int = 8) -> list[File]:
    """Return the files that ``actor`` opened and still sees, the latest first; six statements at most."""
    opened = recent_reads(actor)
    rows = {
        (row._meta.label_lower, row.uid): row
        for visible in (standing_clients(actor), visible_applications(actor), visible_predictions(actor))
        for row in _among(visible, opened)
    }
    return _with_latest(actor, [rows[each] for each in opened if each in rows][:limit])


def _among(visible: QuerySet[Any], opened: list[tuple[str, UUID]]) -> list[Any]:
    uids = [uid for kind, uid in opened if kind == visible.model._meta.label_lower]
    return list(visible.filter(uid__in=uids)) if uids else []


def _with_latest(actor: Actor, subjects: list[Any]) -> list[File]:
    latest = {
        field: latest_scores(actor, field, [each.pk for each in subjects if isinstance(each, model)])
        for field, model in (("client", Client), ("application", CreditApplication))
    }
    of = {Client: latest["client"], CreditApplication: latest["application"]}
    return [
        File(each, each if isinstance(each, Prediction) else of[type(each)].get(each.pk)) for each in subjects
    ]
