"""Decisions in words: what was decided, against which advice, by whom."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.decisions.enums import (
    GRANTING,
    STATUS_AFTER,
    DecisionKind,
    Direction,
    OverrideReason,
    OverrideStatus,
)
from apps.decisions.models import Decision, DecisionLimit, DecisionMotive, OverrideRequest, Reconsideration
from apps.decisions.queries.decisions import FileDecisions
from apps.tenancy.language import current_lang
from apps.users.enums import RoleChoices


def motive_label(motive: DecisionMotive | None) -> str:
    """Return a motive in the reader's language."""
    if motive is None:
        return ""
    return motive.label_fr if current_lang() == "fr" else motive.label_en


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision that was taken, as the history of a file tells it."""

    uid: UUID
    at: dt.datetime
    kind: str
    status: str
    kind_label: str
    advice_label: str
    motive: str
    comment: str
    who: str
    role_label: str
    amount_xaf: int
    duration_months: int
    terms_shown: bool
    override_label: str
    override_reason: str
    override_text: str
    requested_by: str
    is_retrospective: bool
    application_uid: UUID | None = None
    reference: str = ""


def decision_lines(decisions: Iterable[Decision], *, named: bool = False) -> list[DecisionLine]:
    """Return the lines of a history; ``named`` adds the file, which must have been loaded."""
    return [_decision_line(each, named=named) for each in decisions]


def _decision_line(each: Decision, *, named: bool) -> DecisionLine:
    against = each.is_override
    return DecisionLine(
        uid=each.uid,
        at=each.decided_at,
        kind=each.kind,
        status=_status_code(each.kind),
        kind_label=each.get_kind_display(),
        advice_label=each.get_recommendation_display() if each.recommendation else "",
        motive=motive_label(each.motive),
        comment=each.comment,
        who=str(each.decided_by) if each.decided_by else "",
        role_label=str(RoleChoices(each.role).label) if each.role in RoleChoices.values else each.role,
        amount_xaf=each.amount_xaf,
        duration_months=each.duration_months,
        terms_shown=each.kind in (*GRANTING, DecisionKind.COUNTER_OFFER),
        override_label=str(Direction(each.override_direction).label) if against else "",
        override_reason=str(OverrideReason(each.override_reason).label) if against else "",
        override_text=each.override_text,
        requested_by=str(each.requested_by) if each.requested_by else "",
        is_retrospective=each.is_retrospective,
        application_uid=each.application.uid if named else None,
        reference=each.application.reference if named else "",
    )


def _status_code(kind: str) -> str:
    """Return the code of the badge: that of the application's status."""
    return str(STATUS_AFTER[DecisionKind(kind)])


@dataclass(frozen=True, slots=True)
class OverrideView:
    """An override that awaits, or had, its second person."""

    uid: UUID
    kind_label: str
    direction_label: str
    reason_label: str
    text: str
    motive: str
    comment: str
    amount_xaf: int
    duration_months: int
    who: str
    at: dt.datetime
    status: str
    status_label: str
    answered_by: str
    answered_at: dt.datetime | None
    answer: str
    is_pending: bool


def override_view(request: OverrideRequest) -> OverrideView:
    """Return an override in words."""
    return OverrideView(
        uid=request.uid,
        kind_label=request.get_kind_display(),
        direction_label=request.get_direction_display(),
        reason_label=request.get_reason_display(),
        text=request.text,
        motive=motive_label(request.motive),
        comment=request.comment,
        amount_xaf=request.amount_xaf,
        duration_months=request.duration_months,
        who=str(request.requested_by),
        at=request.requested_at,
        status=request.status,
        status_label=request.get_status_display(),
        answered_by=str(request.answered_by) if request.answered_by_id else "",
        answered_at=request.answered_at,
        answer=request.answer,
        is_pending=request.status == OverrideStatus.PENDING,
    )


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A client's request for another look, and what came of it."""

    uid: UUID
    asked_on: dt.date
    channel_label: str
    text: str
    registered_by: str
    handled_by: str
    handled_at: dt.datetime | None
    answer: str
    outcome_label: str


def review_view(review: Reconsideration) -> ReviewView:
    """Return a client's request in words; without another decision the first was kept."""
    outcome = review.outcome
    kept = _("Decision kept") if review.handled_at else ""
    return ReviewView(
        uid=review.uid,
        asked_on=review.asked_on,
        channel_label=review.get_channel_display(),
        text=review.text,
        registered_by=str(review.registered_by),
        handled_by=str(review.handled_by) if review.handled_by else "",
        handled_at=review.handled_at,
        answer=review.answer,
        outcome_label=outcome.get_kind_display() if outcome else kept,
    )


@dataclass(frozen=True, slots=True)
class FileView:
    """What the page of a file shows of its decisions."""

    decisions: list[DecisionLine]
    pending: OverrideView | None
    answered: list[OverrideView]
    review: ReviewView | None
    reviews: list[ReviewView]


def file_view(around: FileDecisions) -> FileView:
    """Return the decisions of a file in words: what waits apart from what is over."""
    overrides = [override_view(each) for each in around.overrides]
    reviews = [review_view(each) for each in around.reviews]
    return FileView(
        decisions=decision_lines(around.decisions),
        pending=next((each for each in overrides if each.is_pending), None),
        answered=[each for each in overrides if each.status not in _TOLD_OTHERWISE],
        review=next((each for each in reviews if each.handled_at is None), None),
        reviews=[each for each in reviews if each.handled_at is not None],
    )


#: A confirmed override is told by its decision.
_TOLD_OTHERWISE = (OverrideStatus.PENDING, OverrideStatus.CONFIRMED)


@dataclass(frozen=True, slots=True)
class KindLink:
    """One of the decisions that may be taken, as a link."""

    kind: str
    label: str
    url: str
    current: bool


def kind_links(application_uid: UUID, chosen: DecisionKind | None) -> list[KindLink]:
    """Return the five decisions as verbs, each leading to what it asks for."""
    verbs = {
        DecisionKind.GRANT: pgettext("decision", "Grant"),
        DecisionKind.GRANT_CONDITIONALLY: pgettext("decision", "Grant with a condition"),
        DecisionKind.COUNTER_OFFER: pgettext("decision", "Make a counter-offer"),
        DecisionKind.DEFER: pgettext("decision", "Defer"),
        DecisionKind.REFUSE: pgettext("decision", "Refuse"),
    }
    page = reverse("web:application_decide", args=[application_uid])
    return [
        KindLink(kind, verb, f"{page}?{urlencode({'decision': kind})}#choix", kind == chosen)
        for kind, verb in verbs.items()
    ]


def kind_asked(text: str) -> DecisionKind | None:
    """Return the decision that an address names, ``None`` for anything else."""
    return DecisionKind(text) if text in DecisionKind.values else None


@dataclass(frozen=True, slots=True)
class LimitLine:
    """The limit of a role, in force or written before."""

    role_label: str
    amount_xaf: int | None
    starts_on: dt.date | None
    who: str


def limits_in_force(limits: dict[str, DecisionLimit], roles: Iterable[str]) -> list[LimitLine]:
    """Return a line per role that may decide, those without a limit too."""
    lines = []
    for role in roles:
        limit = limits.get(role)
        lines.append(
            LimitLine(
                role_label=str(RoleChoices(role).label),
                amount_xaf=limit.amount_xaf if limit else None,
                starts_on=limit.starts_on if limit else None,
                who="",
            )
        )
    return lines


def limit_lines(limits: Iterable[DecisionLimit]) -> list[LimitLine]:
    """Return every limit that was written, with who wrote it."""
    return [
        LimitLine(
            role_label=str(RoleChoices(each.role).label),
            amount_xaf=each.amount_xaf,
            starts_on=each.starts_on,
            who=str(each.written_by) if each.written_by else "",
        )
        for each in limits
    ]


@dataclass(frozen=True, slots=True)
class MotiveLine:
    """A motive, in use or retired."""

    uid: UUID
    label: str
    in_use: bool


def motives_by_kind(motives: Iterable[DecisionMotive]) -> list[tuple[str, list[MotiveLine]]]:
    """Return the motives under each kind of decision, in the order of the kinds."""
    found: dict[str, list[MotiveLine]] = {}
    for each in motives:
        found.setdefault(each.kind, []).append(
            MotiveLine(each.uid, motive_label(each), each.retired_at is None)
        )
    return [(str(kind.label), found[kind]) for kind in DecisionKind if kind in found]
