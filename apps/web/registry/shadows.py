"""A challenger beside what is in production, in words."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.scoring.enums import Band
from apps.scoring.queries.shadows import Shadow
from apps.web.registry.presenters import auc_text
from apps.web.templatetags.formats import percent, whole

if TYPE_CHECKING:
    from apps.engine.discrimination import Discrimination


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both models."""

    label: str
    production: str
    challenger: str


@dataclass(frozen=True, slots=True)
class Move:
    """Scores that would change their band."""

    scores: str
    old: str
    old_label: str
    new: str
    new_label: str


@dataclass(frozen=True, slots=True)
class ShadowSheet:
    latest: dt.datetime | None
    sentence: str
    rows: list[Row]
    moves: list[Move]
    note: str


def shadow_sheet(shadow: Shadow) -> ShadowSheet:
    """Return the comparison of a challenger, the biggest changes of band first."""
    bands = list(Band)
    moves = [
        (count, bands[old], bands[new])
        for old, row in enumerate(shadow.moves)
        for new, count in enumerate(row)
        if count and old != new
    ]
    moves.sort(key=lambda move: -move[0])
    return ShadowSheet(
        latest=shadow.latest,
        sentence=_sentence(shadow),
        rows=_rows(shadow),
        moves=[Move(whole(count), old, str(old.label), new, str(new.label)) for count, old, new in moves],
        note=_note(shadow),
    )


def _sentence(shadow: Shadow) -> str:
    share = percent(shadow.changed / shadow.scores, 1)
    said = ngettext(
        "%(scores)s score of the last 90 days computed again: %(changed)s would change band (%(share)s).",
        "%(scores)s scores of the last 90 days computed again: %(changed)s would change band (%(share)s).",
        shadow.scores,
    )
    return said % {"scores": whole(shadow.scores), "changed": whole(shadow.changed), "share": share}


def _rows(shadow: Shadow) -> list[Row]:
    return [
        Row(
            _("Mean probability of default"),
            percent(shadow.mean_pd_production, 2),
            percent(shadow.mean_pd, 2),
        ),
        Row(_("AUC and its interval"), _auc(shadow.auc_production), _auc(shadow.auc)),
    ]


def _auc(told: "Discrimination | None") -> str:
    return auc_text({"auc": told.auc, "auc_low": told.low, "auc_high": told.high} if told else {})


def _note(shadow: Shadow) -> str:
    if shadow.auc is None:
        return _(
            "Compared in order from ten matured defaults among these scores on: %(defaults)s so far."
        ) % {"defaults": whole(shadow.defaults)}
    return _("AUC on %(matured)s scores whose credit has matured, %(defaults)s of them in default.") % {
        "matured": whole(shadow.matured),
        "defaults": whole(shadow.defaults),
    }
