"""What tells one state of a row from the next, so that nobody overwrites what they have not seen."""

import hashlib
import json
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from apps.tenancy.errors import ChangedMeanwhile


def version_of(row: models.Model, *beside: object) -> str:
    """Return 32 hexadecimal characters that change each time the row is saved with other values.

    A row with ``updated_at`` is told by it, another by its columns; ``beside`` is what belongs to the
    row's presentation and stands in other tables.
    """
    values: list[Any] = [row._meta.label, getattr(row, "uid", None)]
    stamp = getattr(row, "updated_at", None)
    if stamp is not None:
        values.append(stamp.isoformat())
    else:
        values += [getattr(row, field.attname) for field in row._meta.local_concrete_fields]
    canonical = json.dumps([*values, *beside], default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def lock_unchanged(row: models.Model) -> None:
    """Lock the stored row until the transaction ends; raise ``ChangedMeanwhile`` when it is another state."""
    stored = type(row)._default_manager.select_for_update().get(pk=row.pk)
    if version_of(stored) != version_of(row):
        raise ChangedMeanwhile(_("Somebody saved this record after you read it: read it again."))
