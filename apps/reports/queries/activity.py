"""The synthesis of a period, and the same figures by analyst and by agency."""

from django.utils.translation import gettext as _

from apps.engine import reasons, scorecard
from apps.engine.dictionary import STANDARD
from apps.institutions.models import Agency
from apps.reports.queries.documents import Cell, Column, Document, Fact, Section, Table, Wish, named
from apps.reports.queries.figures import (
    ADVICE,
    BANDS,
    Figures,
    counts_of,
    figures_by_agency,
    figures_by_analyst,
    figures_by_day,
    figures_by_product,
    figures_of,
    is_by_month,
)
from apps.reports.queries.words import period_words
from apps.users.models import User


def activity(wish: Wish) -> Document:
    """Return the synthesis of a period: mean score, predicted default rate, volumes, bands, acceptance."""
    whole = figures_of(wish)
    return Document(
        kind=wish.kind,
        title=_("Activity of the period"),
        lang=wish.lang,
        subtitle=scope_words(wish),
        sections=(
            Section(_("In figures"), facts=_facts(whole)),
            Section(tables=(_by_day(wish, whole),)),
            Section(tables=_shares(wish)),
            Section(tables=(_by_product(wish),)),
            Section(_("How these figures are counted"), items=definitions()),
        ),
    )


def by_analyst(wish: Wish) -> Document:
    """Return the figures of each analyst: what each entered and scored."""
    groups = figures_by_analyst(wish)
    people = User.objects.in_bulk([key for key in groups if key is not None])
    names = {key: str(user) for key, user in people.items()}
    return _grouped_document(wish, _("Activity by analyst"), _("Analyst"), _named(groups, names))


def by_agency(wish: Wish) -> Document:
    """Return the figures of each agency."""
    groups = figures_by_agency(wish)
    names = dict(Agency.objects.values_list("pk", "name"))
    return _grouped_document(wish, _("Activity by agency"), _("Agency"), _named(groups, names))


def _named(groups: dict[int | None, Figures], names: dict[int, str]) -> list[tuple[str, Figures]]:
    """Put names on groups, in their order; what a machine did stands last."""
    told = [(names.get(key, "?"), figures) for key, figures in groups.items() if key is not None]
    rows = sorted(told, key=lambda pair: pair[0])
    rest = [(_("Partners, files and tasks"), groups[None])] if None in groups else []
    return [*rows, *rest]


def _grouped_document(wish: Wish, title: str, label: str, rows: list[tuple[str, Figures]]) -> Document:
    whole = figures_of(wish)
    table = Table(
        title=title,
        columns=(Column(label), *_columns()),
        rows=tuple((name, *_cells(figures)) for name, figures in rows),
        total=(_("Total"), *_cells(whole)),
    )
    return Document(
        kind=wish.kind,
        title=title,
        lang=wish.lang,
        subtitle=scope_words(wish),
        sections=(
            Section(tables=(table,)),
            Section(_("How these figures are counted"), items=definitions()),
        ),
    )


def scope_words(wish: Wish) -> str:
    """Return over which days these figures are, and whose: an agency, own work, or all that is seen."""
    parts = [period_words(*wish.days)]
    if wish.agency is not None:
        parts.append(wish.agency.name)
    elif wish.actor.agency_ids is not None:
        names = Agency.objects.filter(pk__in=wish.actor.agency_ids).values_list("name", flat=True)
        parts.append(", ".join(names))
    else:
        parts.append(_("All agencies"))
    if wish.own:
        parts.append(_("work of %(name)s") % {"name": wish.actor.display_name})
    return " · ".join(parts)


def definitions() -> tuple[str, ...]:
    """Return what each figure counts, in words."""
    return (
        _("Applications: those dated within the period; amounts are those asked for."),
        _("Acceptance: applications approved, among those approved and declined."),
        _("Scores: those computed within the period; lines of scored files are told with their file."),
        _("Predicted default rate: scores whose probability of default reaches the threshold of that day."),
    )


def headline(wish: Wish) -> tuple[Fact, ...]:
    """Return the figures of a whole period, by two statements."""
    return _facts(figures_of(wish))


def _facts(whole: Figures) -> tuple[Fact, ...]:
    return (
        Fact(_("Applications"), whole.applications, "count"),
        Fact(_("Amount asked for"), whole.amount_xaf, "money"),
        Fact(_("Acceptance"), whole.acceptance, "rate"),
        Fact(_("Scores computed"), whole.scores, "count"),
        Fact(_("Mean score (points)"), whole.mean_points, "points"),
        Fact(_("Mean probability of default"), whole.mean_pd, "rate"),
        Fact(_("Predicted default rate"), whole.predicted_default_rate, "rate"),
        Fact(_("Favourable advice"), whole.favourable_share, "rate"),
        Fact(_("Expected loss"), whole.expected_loss_xaf, "money"),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Applications"), "count"),
        Column(_("Amount asked for"), "money"),
        Column(_("Approved"), "count"),
        Column(_("Declined"), "count"),
        Column(_("Acceptance"), "rate"),
        Column(_("Scores"), "count"),
        Column(_("Mean score (points)"), "points"),
        Column(_("Mean probability of default"), "rate"),
        Column(_("Predicted default rate"), "rate"),
    )


def _cells(figures: Figures) -> tuple[Cell, ...]:
    return (
        figures.applications,
        figures.amount_xaf,
        figures.granted,
        figures.declined,
        figures.acceptance,
        figures.scores,
        figures.mean_points,
        figures.mean_pd,
        figures.predicted_default_rate,
    )


def _by_day(wish: Wish, whole: Figures) -> Table:
    monthly = is_by_month(wish)
    return Table(
        title=_("Month by month") if monthly else _("Day by day"),
        columns=(Column(_("Month") if monthly else _("Day"), "month" if monthly else "date"), *_columns()),
        rows=tuple((day, *_cells(figures)) for day, figures in figures_by_day(wish)),
        total=(_("Total"), *_cells(whole)),
    )


def _shares(wish: Wish) -> tuple[Table, ...]:
    lang = wish.lang
    bands = [reasons.band_label(code, lang) for code in BANDS]  # type: ignore[arg-type]
    advice = [reasons.recommendation_label(code, lang) for code in ADVICE]  # type: ignore[arg-type]
    wanted = (
        (_("Scores by risk"), _("Risk"), bands, BANDS, "band"),
        (_("Scores by grade"), _("Grade"), list(scorecard.GRADES), scorecard.GRADES, "grade"),
        (_("Scores by advice"), _("Advice"), advice, ADVICE, "recommendation"),
    )
    return tuple(
        Table(
            title=title,
            columns=(Column(label), Column(_("Scores"), "count"), Column(_("Share"), "rate")),
            rows=named(labels, counts_of(wish, column), codes),
        )
        for title, label, labels, codes, column in wanted
    )


def _by_product(wish: Wish) -> Table:
    rows = []
    for code, figures in sorted(figures_by_product(wish).items()):
        category = STANDARD["type_credit"].category(code)
        label = category.label(wish.lang) if category else code
        rows.append((label, *_cells(figures)[:5]))
    return Table(
        title=_("Applications by type of credit"),
        columns=(Column(_("Type of credit")), *_columns()[:5]),
        rows=tuple(rows),
    )
