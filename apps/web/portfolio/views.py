import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.audit.services import record
from apps.reports.queries.alike import can_audit_consistency, consistency_of
from apps.reports.queries.benchmarks import EVERY_TYPE, compared_in, current_participation
from apps.reports.queries.portfolio import (
    OF_PEOPLE,
    distribution_of,
    freshness,
    get_own_view,
    people_and_freshness,
    portfolio_of,
    saved_views,
    statistics_of,
)
from apps.reports.queries.prospects import prospects_for
from apps.reports.rules import can_join_benchmarks, can_read_benchmarks
from apps.reports.services.benchmarks import join_benchmarks, leave_benchmarks
from apps.reports.services.views import delete_view, save_view
from apps.scoring.enums import Breakdown, Dimension
from apps.tenancy.days import midnight
from apps.tenancy.errors import DomainError, ObjectNotFound
from apps.tenancy.roles import Verb
from apps.web.access import ActorRequest, allow
from apps.web.pages import cursor_page
from apps.web.portfolio import breakdown, distributions, overview, parts
from apps.web.portfolio.benchmarks import benchmark_table, benchmark_view, shared_words
from apps.web.portfolio.consistency import consistency_view, pairs_table
from apps.web.portfolio.forms import (
    BenchmarkForm,
    JoinForm,
    PeriodForm,
    PortfolioForm,
    ProspectForm,
    ViewForm,
)
from apps.web.portfolio.prospects import prospect_lines, prospects_table
from apps.web.portfolio.sheets import BREAKDOWN, BY_MONTH, POINTS, STATISTICS, TABLES
from apps.web.spreadsheets import csv_answer

EXPORTED_PROSPECTS = 10_000


@require_safe
@allow(Verb.READ_REPORTS)
def portfolio(request: ActorRequest) -> HttpResponse:
    form = PortfolioForm(request.GET, actor=request.actor)
    valid = form.is_valid()
    part = parts.part_asked(request.GET.get("vue", ""))
    context = {
        "form": form,
        "part": part,
        "views": parts.view_links(saved_views(request.actor), request.actor),
        "view_form": ViewForm(initial={"query": request.GET.urlencode()}),
        "may_audit": can_audit_consistency(request.actor),
        "may_compare": can_read_benchmarks(request.actor),
        "parts": parts.part_links(request.GET, part),
        **(_part(request, form, part) if valid else {}),
    }
    template = "portfolio/overview.html#results" if request.htmx else "portfolio/overview.html"
    return render(request, template, context, status=200 if valid else 422)


def _part(request: ActorRequest, form: PortfolioForm, part: str) -> dict[str, Any]:
    actor, wish, query = request.actor, form.wish(), request.GET.urlencode()
    if part == parts.DISTRIBUTIONS:
        counts = distribution_of(actor, wish, Dimension.POINTS)
        found = statistics_of(actor, wish.agency_id)
        return {
            "until": freshness(),
            "points": distributions.points_chart(counts, query),
            "statistics": distributions.statistics_sheet(found, query) if found else None,
            "computed_at": found.computed_at if found else None,
            "choose_agency": found is None and actor.agency_ids is not None and wish.agency_id is None,
        }
    by = form.breakdown
    people, until = people_and_freshness() if by in OF_PEOPLE else ({}, freshness())
    found_figures = portfolio_of(actor, wish, by=by)
    names = breakdown.names_of(found_figures, by, agencies=form.agencies, people=people)
    urls = breakdown.urls_of(actor, wish, by, form.agencies, found_figures)
    return {
        "until": until,
        "is_empty": not found_figures.by_month,
        "figures": overview.figures_of(found_figures.whole),
        "charts": overview.month_charts(found_figures, query),
        "ranks": breakdown.breakdown_chart(found_figures, by, names, query),
        "sheet": breakdown.breakdown_sheet(found_figures, by, names, urls, query),
    }


@require_safe
@allow(Verb.READ_REPORTS)
def portfolio_csv(request: ActorRequest) -> HttpResponse:
    """Give the numbers of one chart or table as a file for a spreadsheet."""
    form = PortfolioForm(request.GET, actor=request.actor)
    if not form.is_valid():
        return redirect(f"{reverse('web:portfolio')}?{request.GET.urlencode()}")
    actor, wish, table = request.actor, form.wish(), request.GET.get("table", "")
    if table == POINTS:
        header, rows = distributions.points_table(distribution_of(actor, wish, Dimension.POINTS))
    elif table == STATISTICS:
        header, rows = distributions.statistics_table(statistics_of(actor, wish.agency_id))
    else:
        by = Breakdown.MONTH if table == BY_MONTH else form.breakdown
        found = portfolio_of(actor, wish, by=by)
        people = people_and_freshness()[0] if by in OF_PEOPLE else {}
        names = breakdown.names_of(found, by, agencies=form.agencies, people=people)
        header, rows = breakdown.table_of(found, by, names)
    return _file(request, f"portefeuille-{table if table in TABLES else BREAKDOWN}", header, rows)


def _file(
    request: ActorRequest,
    name: str,
    header: list[str],
    rows: list[list[Any]],
    action: str = "portfolio.export",
) -> HttpResponse:
    filters = {key: value for key, value in request.GET.items() if value and key != "vue"}
    after = {"table": name, "rows": len(rows), "filters": filters}
    record(by=request.actor, action=action, after=after)
    return csv_answer(f"{name}-{timezone.localdate():%Y-%m-%d}.csv", [header, *rows])


@allow(Verb.READ_REPORTS)
@require_POST
def portfolio_view_save(request: ActorRequest) -> HttpResponse:
    """Keep the filters shown under a name."""
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give this view a name of one line, of 60 characters at most."))
        return redirect("web:portfolio")
    values = form.cleaned_data
    try:
        view = save_view(
            name=values["name"], query=values["query"], shared=values["shared"], by=request.actor
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("web:portfolio")
    messages.success(request, _("The view « %(name)s » is saved.") % {"name": view.name})
    return redirect(f"{reverse('web:portfolio')}?{view.query}")


@require_POST
@allow(Verb.READ_REPORTS)
def portfolio_view_delete(request: ActorRequest, uid: UUID) -> HttpResponse:
    """Remove a view of one's own."""
    try:
        view = get_own_view(request.actor, uid)
    except ObjectNotFound:
        raise Http404 from None
    delete_view(view=view, by=request.actor)
    messages.success(request, _("The view is deleted."))
    return redirect("web:portfolio")


@require_safe
@allow(Verb.READ_REPORTS)
def consistency(request: ActorRequest) -> HttpResponse:
    """Show alike files that were decided differently."""
    if not can_audit_consistency(request.actor):
        raise Http404
    form = PeriodForm(request.GET, actor=request.actor)
    valid = form.is_valid()
    context: dict[str, Any] = {"form": form, "query": request.GET.urlencode()}
    if valid:
        context |= consistency_view(_consistency(request, form))
    template = "portfolio/consistency.html#results" if request.htmx else "portfolio/consistency.html"
    return render(request, template, context, status=200 if valid else 422)


def _consistency(request: ActorRequest, form: PeriodForm) -> Any:
    wish = form.wish()
    start, end = midnight(wish.first), midnight(breakdown.end_of(wish.last) + dt.timedelta(days=1))
    assert start is not None
    assert end is not None
    return consistency_of(
        request.actor, start=start, end=end, agency_id=wish.agency_id, credit_type=wish.credit_type
    )


@require_safe
@allow(Verb.READ_REPORTS)
def consistency_csv(request: ActorRequest) -> HttpResponse:
    """Give the pairs as a file."""
    if not can_audit_consistency(request.actor):
        raise Http404
    form = PeriodForm(request.GET, actor=request.actor)
    if not form.is_valid():
        return HttpResponseBadRequest()
    header, rows = pairs_table(_consistency(request, form))
    return _file(request, "coherence", header, rows)


@require_safe
@allow(Verb.CONTACT_PROSPECTS)
def prospects(request: ActorRequest) -> HttpResponse:
    form = ProspectForm(request.GET, actor=request.actor)
    valid = form.is_valid()
    rows = prospects_for(request.actor, form.wish(), today=timezone.localdate()) if valid else None
    page = cursor_page(request, rows, key="search_name", ascending=True) if rows is not None else None
    context = {
        "form": form,
        "prospects": prospect_lines(page.rows) if page else [],
        "next_url": page.next_url if page else None,
        "previous_url": page.previous_url if page else None,
        "query": request.GET.urlencode(),
        "filtered": valid and any(form.cleaned_data.values()),
    }
    template = "portfolio/prospects.html#results" if request.htmx else "portfolio/prospects.html"
    return render(request, template, context, status=200 if valid else 422)


@require_safe
@allow(Verb.CONTACT_PROSPECTS)
def prospects_csv(request: ActorRequest) -> HttpResponse:
    """Give the list with the telephone numbers, at most 10,000 clients; the trail says who took it."""
    form = ProspectForm(request.GET, actor=request.actor)
    if not form.is_valid():
        return redirect(f"{reverse('web:prospects')}?{request.GET.urlencode()}")
    rows = prospects_for(request.actor, form.wish(), today=timezone.localdate())
    found = rows.order_by("search_name", "uid")[:EXPORTED_PROSPECTS]
    header, lines = prospects_table(found)
    return _file(request, "prospects", header, lines)


@require_safe
@allow(Verb.READ_REPORTS)
def benchmarks(request: ActorRequest) -> HttpResponse:
    """Show the institution's figures beside the quartiles; the invitation where it shares none."""
    return _benchmarks(request, JoinForm())


def _benchmarks(request: ActorRequest, join: JoinForm) -> HttpResponse:
    if not can_read_benchmarks(request.actor):
        raise Http404
    types = BenchmarkForm(request.GET)
    valid = types.is_valid()
    participation = current_participation()
    context: dict[str, Any] = {
        "types": types,
        "form": join,
        "participation": participation,
        "may_join": can_join_benchmarks(request.actor),
        "shared": shared_words(),
    }
    if participation is not None and valid:
        month = timezone.localdate().replace(day=1)
        credit_type = types.cleaned_data["produit"] or EVERY_TYPE
        context |= benchmark_view(month, compared_in(month), credit_type)
    template = "portfolio/benchmarks.html#results" if request.htmx else "portfolio/benchmarks.html"
    return render(request, template, context, status=422 if join.errors or not valid else 200)


@require_safe
@allow(Verb.READ_REPORTS)
def benchmarks_csv(request: ActorRequest) -> HttpResponse:
    """Give every cell of the month as a file, to who takes part."""
    if not can_read_benchmarks(request.actor):
        raise Http404
    if current_participation() is None:
        return redirect("web:benchmarks")
    header, rows = benchmark_table(compared_in(timezone.localdate().replace(day=1)))
    return _file(request, "reperes", header, rows, action="benchmark.export")


@require_POST
@allow(Verb.READ_REPORTS)
def benchmarks_join(request: ActorRequest) -> HttpResponse:
    """Share the figures of the institution, with a reason."""
    if not can_join_benchmarks(request.actor):
        raise Http404
    form = JoinForm(request.POST)
    if form.is_valid():
        try:
            join_benchmarks(reason=form.cleaned_data["reason"], by=request.actor)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Your institution takes part from the next night on."))
            return redirect("web:benchmarks")
    return _benchmarks(request, form)


@require_POST
@allow(Verb.READ_REPORTS)
def benchmarks_leave(request: ActorRequest) -> HttpResponse:
    """Share nothing more."""
    if not can_join_benchmarks(request.actor):
        raise Http404
    try:
        leave_benchmarks(by=request.actor)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Your institution takes no part any more; what it gave is removed."))
    return redirect("web:benchmarks")
