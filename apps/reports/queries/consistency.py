"""Overrides, and like files decided differently: same type of credit and grade, near probabilities."""

import datetime as dt
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.decisions.enums import FIRM_ADVICE
from apps.decisions.models import Decision
from apps.decisions.queries.decisions import visible_decisions
from apps.decisions.queries.rates import override_rates
from apps.engine.dictionary import STANDARD
from apps.reports.queries.activity import scope_words
from apps.reports.queries.alike import LISTED, Consistency, Pair, consistency_of
from apps.reports.queries.documents import Column, Document, Fact, Section, Table, Wish
from apps.tenancy.days import period

MOST_OVERRIDES = 500


def decisions_in(wish: Wish) -> QuerySet[Decision]:
    """Return the visible decisions of a wish's period that were taken with the advice in sight."""
    start, end = period(*wish.days)
    rows = visible_decisions(wish.actor).filter(
        decided_at__gte=start, decided_at__lt=end, is_retrospective=False
    )
    return rows.filter(agency=wish.agency) if wish.agency else rows


def consistency(wish: Wish) -> Document:
    """Return the report of overrides and of like files decided differently."""
    decisions = decisions_in(wish)
    firm = decisions.filter(recommendation__in=FIRM_ADVICE).count()
    overridden = decisions.filter(is_override=True).count()
    start, end = _bounds(wish)
    alike = consistency_of(
        wish.actor, start=start, end=end, agency_id=wish.agency.pk if wish.agency else None
    )
    return Document(
        kind=wish.kind,
        title=_("Consistency and overrides"),
        lang=wish.lang,
        subtitle=scope_words(wish),
        sections=(
            Section(
                _("In figures"),
                facts=(
                    Fact(_("Decisions"), decisions.count(), "count"),
                    Fact(_("Decisions on a firm advice"), firm, "count"),
                    Fact(_("Against the advice"), overridden, "count"),
                    Fact(_("Share against the advice"), overridden / firm if firm else None, "rate"),
                    Fact(_("Pairs of like files decided differently"), alike.pair_count, "count"),
                ),
            ),
            Section(tables=(_rates(wish, "analyst", _("Overrides by analyst"), _("Analyst")),)),
            Section(tables=(_rates(wish, "agency", _("Overrides by agency"), _("Agency")),)),
            Section(tables=(_overrides(decisions),)),
            Section(tables=(_pairs(alike, wish),)),
        ),
    )


def _bounds(wish: Wish) -> tuple[dt.datetime, dt.datetime]:
    start, end = period(*wish.days)
    assert start is not None
    assert end is not None
    return start, end


def _rates(wish: Wish, by: Any, title: str, label: str) -> Table:
    start, end = _bounds(wish)
    seen = wish.actor
    if wish.agency is not None:
        seen = replace(seen, agency_ids=frozenset({wish.agency.pk}))
    rates = override_rates(by, since=start, until=end, actor=seen)
    return Table(
        title=title,
        columns=(
            Column(label),
            Column(_("Decisions"), "count"),
            Column(_("Granted against it"), "count"),
            Column(_("Refused against it"), "count"),
            Column(_("Share"), "rate"),
            Column(_("Low end"), "rate"),
            Column(_("High end"), "rate"),
        ),
        rows=tuple(
            (each.label, each.decisions, each.milder, each.stricter, each.share, each.low, each.high)
            for each in rates
        ),
        note=_("The ends are those of the interval at 95 per cent; below 20 decisions a share says little."),
    )


def _overrides(decisions: QuerySet[Decision]) -> Table:
    found = decisions.filter(is_override=True)
    return Table(
        title=_("Decisions against the advice"),
        columns=(
            Column(_("Date"), "moment"),
            Column(_("Application")),
            Column(_("Agency")),
            Column(_("Decision")),
            Column(_("Amount"), "money"),
            Column(_("Probability of default"), "rate"),
            Column(_("Reason")),
            Column(_("Asked for by")),
            Column(_("Confirmed by")),
        ),
        rows=tuple(
            (
                each.decided_at,
                each.application.reference,
                each.agency.name,
                str(each.get_kind_display()),
                each.amount_xaf,
                each.pd,
                str(each.get_override_reason_display()),
                str(each.requested_by or ""),
                str(each.decided_by or ""),
            )
            for each in found.order_by("-decided_at", "-pk")[:MOST_OVERRIDES]
        ),
    )


def _pairs(found: Consistency, wish: Wish) -> Table:
    return Table(
        title=_("Like files decided differently"),
        columns=(
            Column(_("Type of credit")),
            Column(_("Grade")),
            Column(_("Granted")),
            Column(_("By")),
            Column(_("Probability of default"), "rate"),
            Column(_("Refused")),
            Column(_("By")),
            Column(_("Probability of default"), "rate"),
        ),
        rows=tuple(_pair_cells(pair, wish) for pair in found.pairs),
        note=_(
            "Same type of credit and grade, probabilities within a point: each refusal with the granted file"
            " most like it; the nearest %(count)d pairs at most."
        )
        % {"count": LISTED},
    )


def _pair_cells(pair: Pair, wish: Wish) -> tuple[Any, ...]:
    category = STANDARD["type_credit"].category(pair.granted.credit_type)
    return (
        category.label(wish.lang) if category else pair.granted.credit_type,
        pair.granted.grade,
        *(
            cell
            for each in (pair.granted, pair.refused)
            for cell in (f"{each.reference} ({each.agency})", each.decider, each.pd)
        ),
    )
