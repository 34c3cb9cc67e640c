"""Lists, one row a score or an entry of the trail: what a spreadsheet is opened for."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from apps.audit.queries import audit_entries
from apps.decisions.enums import GRANTING, DecisionKind
from apps.decisions.queries.decisions import visible_decisions
from apps.engine import reasons
from apps.engine.dictionary import STANDARD
from apps.reports.errors import TooManyLines
from apps.reports.queries.activity import scope_words
from apps.reports.queries.documents import Cell, Column, Document, Fact, Section, Table, Wish
from apps.reports.queries.figures import scores_in
from apps.reports.queries.words import period_words
from apps.scoring.models import Prediction
from apps.tenancy.days import period

#: Rows of one file; beyond, the period is to be cut in two.
MOST_LINES = 100_000

#: Code of an action -> its words; the site says them when it starts (``say_actions_by``).
_words: list[Callable[[], Mapping[str, str]]] = []


def say_actions_by(words: Callable[[], Mapping[str, str]]) -> None:
    """Say which function gives the words of the trail's actions, in the active language."""
    _words[:] = [words]


def _action_words() -> Mapping[str, str]:
    return _words[0]() if _words else {}


def score_lines(wish: Wish) -> Document:
    """Return every score of a period, the latest first; raise ``TooManyLines`` beyond ``MOST_LINES``."""
    scores = scores_in(wish).order_by("-created_at", "-uid")
    count = scores.count()
    _refuse_too_many(count)
    rows = scores.defer("contributions", "rules", "facts", "policy__figures", "policy__costs")
    table = Table(
        title=_("Scores"),
        columns=_score_columns(),
        rows=tuple(_score_cells(score, wish) for score in rows.iterator(chunk_size=2_000)),
    )
    return Document(
        kind=wish.kind,
        title=_("Scores of the period"),
        lang=wish.lang,
        subtitle=scope_words(wish),
        sections=(Section(facts=(Fact(_("Scores"), count, "count"),), tables=(table,)),),
    )


def _refuse_too_many(count: int) -> None:
    if count > MOST_LINES:
        text = _(
            "This period holds %(count)s lines, more than the %(most)s of one file: choose a shorter one."
        )
        raise TooManyLines(text % {"count": count, "most": MOST_LINES})


def _score_columns() -> tuple[Column, ...]:
    return (
        Column(_("Date"), "moment"),
        Column(_("Application")),
        Column(_("Client's reference")),
        Column(_("Client")),
        Column(_("Agency")),
        Column(_("Analyst")),
        Column(_("Type of credit")),
        Column(_("Amount"), "money"),
        Column(_("Term (months)"), "count"),
        Column(_("Score"), "count"),
        Column(_("Grade")),
        Column(_("Risk")),
        Column(_("Probability of default"), "rate"),
        Column(_("Threshold"), "rate"),
        Column(_("Advice")),
        Column(_("Source")),
        Column(_("Model")),
        Column(_("Policy"), "count"),
    )


def _score_cells(score: Prediction, wish: Wish) -> tuple[Cell, ...]:
    category = STANDARD["type_credit"].category(score.inputs.get("type_credit"))
    return (
        score.created_at,
        score.application.reference if score.application else "",
        score.client.reference if score.client else "",
        str(score.client or ""),
        str(score.agency or ""),
        str(score.author or ""),
        category.label(wish.lang) if category else "",
        score.inputs.get("montant_credit"),
        score.inputs.get("duree_mois"),
        score.points,
        score.grade,
        reasons.band_label(score.band, wish.lang),  # type: ignore[arg-type]
        score.pd,
        score.threshold,
        reasons.recommendation_label(score.recommendation, wish.lang),  # type: ignore[arg-type]
        str(score.get_source_display()),
        str(score.model_version),
        score.policy.version,
    )


def trail(wish: Wish) -> Document:
    """Return what was done in a period: decisions, overrides, access to files, and how often each action."""
    start, end = period(*wish.days)
    entries = audit_entries(start=start, end=end)
    return Document(
        kind=wish.kind,
        title=_("Audit report"),
        lang=wish.lang,
        subtitle=f"{period_words(*wish.days)} · {_('The whole institution')}",
        sections=(
            Section(facts=(Fact(_("Entries of the trail"), entries.count(), "count"),)),
            Section(tables=(_by_action(entries),)),
            Section(tables=(_deciders(wish),)),
            Section(tables=(_by_person(entries),)),
            Section(tables=(_refusals(entries),)),
        ),
    )


def _by_action(entries: Any) -> Table:
    words = _action_words()
    rows = entries.order_by().values("action").annotate(count=Count("id")).order_by("-count", "action")
    return Table(
        title=_("What was done"),
        columns=(Column(_("Action")), Column(_("Code")), Column(_("Entries"), "count")),
        rows=tuple((words.get(row["action"], row["action"]), row["action"], row["count"]) for row in rows),
    )


def _deciders(wish: Wish) -> Table:
    """Count what each person decided with the advice in sight, and what of it went against the advice."""
    start, end = period(*wish.days)
    rows: Any = visible_decisions(wish.actor).filter(
        decided_at__gte=start, decided_at__lt=end, is_retrospective=False
    )
    counted = (
        rows.order_by()
        .values("decided_by__full_name")
        .annotate(
            count=Count("id"),
            granted=Count("id", filter=Q(kind__in=GRANTING)),
            refused=Count("id", filter=Q(kind=DecisionKind.REFUSE)),
            overrides=Count("id", filter=Q(is_override=True)),
        )
    )
    return Table(
        title=_("Decisions by person"),
        columns=(
            Column(_("Person")),
            Column(_("Decisions"), "count"),
            Column(_("Approved"), "count"),
            Column(_("Declined"), "count"),
            Column(_("Against the advice"), "count"),
        ),
        rows=tuple(
            (row["decided_by__full_name"], row["count"], row["granted"], row["refused"], row["overrides"])
            for row in counted.order_by("decided_by__full_name")
        ),
    )


def _by_person(entries: Any) -> Table:
    """Count what each person opened and did, exports among it; log-ins apart."""
    reads = _counted(entries.filter(action__endswith=".read"))
    logins = _counted(entries.filter(action="login"))
    exports = _counted(entries.filter(action__in=EXPORTS))
    done = _counted(entries)
    return Table(
        title=_("Access by person"),
        columns=(
            Column(_("Person")),
            Column(_("Log-ins"), "count"),
            Column(_("Files opened"), "count"),
            Column(_("Exports and downloads"), "count"),
            Column(_("All entries"), "count"),
        ),
        rows=tuple(
            (
                name or _("Tasks of the site"),
                logins.get(name, 0),
                reads.get(name, 0),
                exports.get(name, 0),
                count,
            )
            for name, count in sorted(done.items())
        ),
    )


def _refusals(entries: Any) -> Table:
    words = _action_words()
    found = entries.filter(action__in=("login.failed", "login.locked", "token.reuse")).order_by("-at")[:200]
    return Table(
        title=_("Refused log-ins"),
        columns=(Column(_("Date"), "moment"), Column(_("What")), Column(_("Who")), Column(_("Address"))),
        rows=tuple(
            (each.at, words.get(each.action, each.action), each.actor_name, each.address or "")
            for each in found
        ),
        note=_("The 200 latest at most."),
    )


def _counted(entries: Any) -> dict[str, int]:
    rows = entries.order_by().values("actor_name").annotate(count=Count("id")).order_by()
    return {row["actor_name"]: row["count"] for row in rows}


#: Actions by which data leave the site.
EXPORTS = (
    *("agency.export", "audit.export", "client.export", "model.export", "storedfile.read", "report.download"),
)
