"""Alike files decided differently: pairs, by whom, and their file."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.decisions.enums import DecisionKind
from apps.reports.queries.alike import Consistency
from apps.web.monitoring.tables import decimal
from apps.web.portfolio.sheets import (
    Line,
    Sheet,
    type_label,
)
from apps.web.templatetags.formats import percent, whole


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """One side of a pair."""

    reference: str
    url: str
    kind: str
    tone: str
    pd: str
    who: str
    agency: str
    on: dt.datetime
    against_advice: bool


@dataclass(frozen=True, slots=True)
class PairLine:
    title: str
    apart: str
    sides: tuple[DecidedLine, DecidedLine]


def consistency_view(found: Consistency) -> dict[str, Any]:
    """Return what the page of alike files shows."""
    share = found.opposed / found.compared if found.compared else None
    return {
        "compared": whole(found.compared),
        "opposed": whole(found.opposed),
        "share": percent(share, 1),
        "pair_count": found.pair_count,
        "is_cut": found.is_cut,
        "pairs": [_pair_line(pair) for pair in found.pairs],
        "by_decider": _share_sheet(_("By who decided"), _("Who decided"), found.by_decider),
        "by_agency": _share_sheet(_("By agency"), _("Agency"), found.by_agency),
    }


def _pair_line(pair: Any) -> PairLine:
    title = _("%(type)s, grade %(grade)s")
    points = decimal(100 * pair.apart, 2)
    return PairLine(
        title % {"type": type_label(pair.refused.credit_type), "grade": pair.refused.grade},
        # Translators: percentage points between two probabilities.
        _("%(points)s pt apart") % {"points": points},
        (_decided_line(pair.refused, "negative"), _decided_line(pair.granted, "positive")),
    )


def _decided_line(decided: Any, tone: str) -> DecidedLine:
    return DecidedLine(
        reference=decided.reference,
        url=reverse("web:application", args=[decided.application_uid]),
        kind=str(DecisionKind(decided.kind).label),
        tone=tone,
        pd=percent(decided.pd),
        who=decided.decider or _("Not known"),
        agency=decided.agency,
        on=decided.decided_on,
        against_advice=decided.against_advice,
    )


def _share_sheet(title: str, name: str, shares: Iterable[Any]) -> Sheet:
    header = [_("Decisions compared"), _("With an opposite decision"), _("Share")]
    lines = [
        Line(
            each.label or _("Not known"),
            "",
            list(
                zip(
                    header,
                    (whole(each.decisions), whole(each.opposed), percent(each.opposed / each.decisions, 1)),
                    strict=True,
                )
            ),
        )
        for each in shares
    ]
    return Sheet(title, [name, *header], lines)


def pairs_table(found: Consistency) -> tuple[list[str], list[list[Any]]]:
    """Return the pairs as a file holds them: the refused file, then the granted one."""
    side = [_("Reference"), _("Decision"), _("Probability"), _("Who decided"), _("Agency"), _("Decided on")]
    header = [
        _("Type of credit"),
        _("Grade"),
        *(f"{each} (1)" for each in side),
        *(f"{each} (2)" for each in side),
    ]
    return header, [
        [pair.refused.credit_type, pair.refused.grade, *_side(pair.refused), *_side(pair.granted)]
        for pair in found.pairs
    ]


def _side(decided: Any) -> list[Any]:
    kind, day = str(DecisionKind(decided.kind).label), timezone.localdate(decided.decided_on)
    return [decided.reference, kind, decided.pd, decided.decider, decided.agency, day]
