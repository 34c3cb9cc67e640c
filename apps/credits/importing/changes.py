"""Rows into the tables by the thousand, each with what it takes to undo it.

Rows go by COPY into a temporary table, then by one statement under row-level security into theirs; that same
statement keeps the state before of the rows that it changes. Nothing here asks whether a row is right: that
is judged before.
"""

import datetime as dt

import polars as pl
from django.db.models import Model
from django.utils import timezone

from apps.credits.models import ImportRun
from apps.tenancy.actor import Actor

_COMING = "import_coming"
_NULL = "\\N"


class Writing:
    """What a target writes through: for ``run``, in the name of ``by``, all at the same moment ``now``."""

    def __init__(self, run: ImportRun, by: Actor) -> None:
        self.run = run
        self.by = by
        self.now: dt.datetime = timezone.now()

    def insert(self, model: type[Model], rows: pl.DataFrame, lines: pl.Series) -> None:
        """Create a row of ``model`` for each of ``rows``; ``lines`` are the lines that they come from.

        Columns of ``rows`` are named as those of the table (``agency_id``); what they leave out has the
        default of its field, ``author_id`` the person who asked, times of creation and change this moment.
        Give ``uid`` yourself to refer to the new rows. Values are typed as in the table; those of encrypted
        fields are in clear.
        """
        raise NotImplementedError

    def update(self, model: type[Model], rows: pl.DataFrame, lines: pl.Series) -> None:
        """Change rows of ``model`` found by their ``id``, to the values of the other columns of ``rows``.

        A row may come once a call. The time of change is this moment.
        """
        raise NotImplementedError
