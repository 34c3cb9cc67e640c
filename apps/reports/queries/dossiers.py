"""The file for decision: what is asked, the score, what is known of the client, what is missing."""

from django.utils.translation import gettext as _

from apps.credits.models import CreditApplication
from apps.credits.queries.applications import (
    applications_of,
    client_statistics,
    get_visible_application,
    piece_requests_of,
)
from apps.decisions.queries.decisions import decisions_for
from apps.engine.dictionary import STANDARD
from apps.reports.queries.documents import Column, Document, Fact, Section, Table, Wish
from apps.reports.queries.sheets import analysis_sections, foot_of, signatures
from apps.scoring.queries.scores import latest_score_of
from apps.tenancy.errors import ObjectNotFound

#: Earlier applications and decisions of one file that are listed.
MOST_LISTED = 20


def decision_file(wish: Wish) -> Document:
    """Return the file for decision of one application; raise ``ObjectNotFound``."""
    if wish.subject is None:
        raise ObjectNotFound(_("No such application."))
    application = get_visible_application(wish.actor, wish.subject)
    prediction = latest_score_of(application)
    scored = analysis_sections(prediction, wish.lang) if prediction else (_unscored(),)
    return Document(
        kind=wish.kind,
        title=_("File for decision"),
        lang=wish.lang,
        subtitle=f"{application.reference} · {application.client} · {application.agency}",
        sections=(
            *scored,
            _history(application),
            *_missing(application),
            Section(tables=(_earlier(application, wish),)),
            *_decided(application),
            signatures(),
        ),
        foot=foot_of(prediction) if prediction else "",
    )


def _unscored() -> Section:
    return Section(_("Score"), paragraphs=(_("This application has not been scored yet."),))


def _history(application: CreditApplication) -> Section:
    past = client_statistics(application.client)
    return Section(
        _("The client so far"),
        facts=(
            Fact(_("Applications"), past.applications, "count"),
            Fact(_("Approved"), past.granted, "count"),
            Fact(_("Declined"), past.declined, "count"),
            Fact(_("Repaid"), past.repaid, "count"),
            Fact(_("Defaulted"), past.defaulted, "count"),
        ),
    )


def _missing(application: CreditApplication) -> list[Section]:
    waiting = [each for each in piece_requests_of(application) if each.answered_at is None]
    items = tuple(f"{', '.join(each.labels)} {each.note}".strip() for each in waiting)
    return [Section(_("Missing pieces"), items=items)] if items else []


def _earlier(application: CreditApplication, wish: Wish) -> Table:
    rows = applications_of(wish.actor, application.client).exclude(pk=application.pk)[:MOST_LISTED]
    kinds = STANDARD["type_credit"]
    cells = []
    for row in rows:
        category = kinds.category(row.type_credit)
        label = category.label(wish.lang) if category else row.type_credit
        status = str(row.get_status_display())
        cells.append((row.applied_on, row.reference, label, row.montant_credit, status))
    return Table(
        title=_("Other applications of the client"),
        columns=(
            Column(_("Date"), "date"),
            Column(_("Reference")),
            Column(_("Type of credit")),
            Column(_("Amount"), "money"),
            Column(_("Status")),
        ),
        rows=tuple(cells),
    )


def _decided(application: CreditApplication) -> list[Section]:
    decisions = decisions_for(application)[:MOST_LISTED]
    if not decisions:
        return []
    table = Table(
        title=_("Decisions"),
        columns=(
            Column(_("Date"), "moment"),
            Column(_("Decision")),
            Column(_("Amount"), "money"),
            Column(_("Term (months)"), "count"),
            Column(_("Motive")),
            Column(_("Decided by")),
        ),
        rows=tuple(
            (
                each.decided_at,
                str(each.get_kind_display()),
                each.amount_xaf,
                each.duration_months,
                str(each.motive or ""),
                str(each.decided_by or ""),
            )
            for each in decisions
        ),
    )
    return [Section(tables=(table,))]
