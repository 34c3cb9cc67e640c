"""What a score depends on, read ahead of a request by ``scoring_terms``: champions, policy, listeners."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, models
from django.utils.translation import gettext as _

from apps.registry.models import ModelVersion
from apps.registry.queries import champion_among
from apps.scoring.errors import NoPolicy
from apps.scoring.models import ScoringPolicy

#: The function of the database, ``function(institution, date) -> text``.
READING = "scoring_terms"
KEPT_IN_MEMORY = 512


@dataclass(frozen=True, slots=True)
class Terms:
    """The champions of an institution, its policy of today if any, and whether a webhook is told of scores.

    The rows hold what scoring reads of them; the rest is read when asked for.
    """

    champions: tuple[ModelVersion, ...]
    newest_policy: ScoringPolicy | None
    told: bool

    def champion_for(self, credit_type: str) -> ModelVersion:
        """Return the champion of a credit type; raise ``NoApprovedModel``."""
        return champion_among(self.champions, credit_type)

    @property
    def policy(self) -> ScoringPolicy:
        """The policy in force; raises ``NoPolicy`` when none is."""
        if self.newest_policy is None:
            raise NoPolicy(_("This institution has no scoring policy yet."))
        return self.newest_policy


@lru_cache(maxsize=KEPT_IN_MEMORY)
def terms_of(text: str) -> Terms:
    """Return what the function said.

    It said it in this very request: what is kept is how the same text reads, never which one is in force.
    """
    said = json.loads(text)
    return Terms(
        champions=tuple(_row(ModelVersion, each) for each in said["champions"]),
        newest_policy=_row(ScoringPolicy, said["policy"]) if said["policy"] else None,
        told=said["told"],
    )


def _row[M: models.Model](model: type[M], columns: Mapping[str, Any]) -> M:
    values = {**columns, "uid": UUID(columns["uid"])}
    names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
    return model.from_db(DEFAULT_DB_ALIAS, names, [values[name] for name in names])
