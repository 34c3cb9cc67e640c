"""A scored file in words: where it stands, what its lines say together."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.engine import reasons, scorecard
from apps.engine.contracts import Lang
from apps.engine.lines import BANDS, RECOMMENDATIONS
from apps.files.reading.wording import advice, sentence
from apps.jobs.enums import JobStatus
from apps.jobs.services import ENDED
from apps.scoring.queries.batches import expected_end
from apps.scoring.queries.policies import figures_of_policy
from apps.scoring.queries.production import mean_in_training
from apps.scoring.services.batches import may_retry
from apps.scoring.services.chunks import POINTS_STEP
from apps.scoring.services.columns import scoring_fields
from apps.tenancy.actor import Actor
from apps.tenancy.language import current_lang
from apps.web import charts
from apps.web.templatetags.formats import MISSING, fcfa, percent, whole

#: Seconds between two looks at the work: often at first, then less.
_DELAYS = ((10, 1), (60, 2))
_SLOW = 5


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A scored file in the history."""

    url: str
    name: str
    status: str
    status_label: str
    lines: str
    author: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class BatchView:
    """Where a file stands; ``delay`` is when to look again."""

    uid: str
    name: str
    status: str
    status_label: str
    percent: int
    text: str
    finished: bool
    delay: str
    author: str
    created_at: dt.datetime
    model: str
    has_result: bool
    may_cancel: bool
    may_retry: bool


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a whole: how many lines, and which share of them."""

    code: str
    label: str
    lines: str
    share: str


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """Why lines were refused: the rule, what to do, how many."""

    column: str
    text: str
    advice: str
    lines: str


@dataclass(frozen=True, slots=True)
class SummaryView:
    figures: list[tuple[str, str]]
    tables: list[tuple[str, list[Share]]]
    errors: list[ErrorLine]
    chart: charts.Chart | None
    chart_finding: str


def batch_lines(batches: Iterable[Any]) -> list[BatchLine]:
    """Return the files of a history."""
    return [
        BatchLine(
            url=reverse("web:batch", args=[batch.uid]),
            name=batch.source.original_name,
            status=batch.job.status,
            status_label=batch.job.get_status_display(),
            lines=whole(batch.lines_read or batch.lines_total),
            author=batch.author_name,
            created_at=batch.created_at,
        )
        for batch in batches
    ]


def batch_view(batch: Any, actor: Actor) -> BatchView:
    """Return where a file stands, in words, and what ``actor`` may do about it."""
    job = batch.job
    return BatchView(
        uid=str(batch.uid),
        name=batch.source.original_name,
        status=job.status,
        status_label=job.get_status_display(),
        percent=job.progress,
        text=_progress_text(batch),
        finished=job.status in ENDED,
        delay=f"{_delay(batch)}s",
        author=batch.author_name,
        created_at=batch.created_at,
        model=f"{batch.model_version.name} {batch.model_version.version}",
        has_result=batch.result is not None and batch.result.deleted_at is None,
        may_cancel=job.status not in ENDED,
        may_retry=job.status == JobStatus.FAILED and may_retry(batch, actor),
    )


def _delay(batch: Any) -> int:
    age = (timezone.now() - batch.created_at).total_seconds()
    return next((delay for most, delay in _DELAYS if age < most), _SLOW)


def _progress_text(batch: Any) -> str:
    job = batch.job
    if job.status == JobStatus.QUEUED:
        return _("Waiting for a worker.")
    told = {
        "read": whole(batch.lines_read),
        "total": whole(batch.lines_total),
        "scored": whole(batch.lines_scored),
        "rejected": whole(batch.lines_rejected),
    }
    text = _("%(read)s lines of %(total)s read: %(scored)s scored, %(rejected)s rejected.") % told
    end = expected_end(batch)
    if end is None:
        return text
    return f"{text} {_('End expected at %(time)s.') % {'time': date_format(timezone.localtime(end), 'H:i')}}"


def summary_view(batch: Any) -> SummaryView | None:
    """Return what the lines of a finished file say together; ``None`` before."""
    summary = batch.summary
    if summary is None:
        return None
    lang, scored = current_lang(), summary["scored"]
    return SummaryView(
        figures=_figures(batch, summary),
        tables=[
            (
                _("Risk"),
                _shares(BANDS, [reasons.band_label(code, lang) for code in BANDS], summary["bands"], scored),
            ),
            (_("Grade"), _shares(scorecard.GRADES, scorecard.GRADES, summary["grades"], scored)),
            (_("Recommendation"), _shares(RECOMMENDATIONS, _advice_labels(lang), summary["advice"], scored)),
        ],
        errors=[_error(batch, each) for each in summary["errors"]],
        chart=_chart(batch, summary) if scored else None,
        chart_finding=_finding(batch, summary) if scored else "",
    )


def _advice_labels(lang: Lang) -> list[str]:
    return [reasons.recommendation_label(code, lang) for code in RECOMMENDATIONS]


def _figures(batch: Any, summary: Any) -> list[tuple[str, str]]:
    scored = summary["scored"]
    usual = mean_in_training(batch.model_version)
    return [
        (_("Lines read"), whole(summary["read"])),
        (_("Lines scored"), whole(scored)),
        (_("Lines rejected"), whole(summary["rejected"])),
        (_("Mean probability of default"), percent(summary["mean_pd"]) if scored else MISSING),
        (_("The same among those the model learnt from"), MISSING if usual is None else percent(usual)),
        (_("Predicted default rate"), percent(summary["defaults"] / scored) if scored else MISSING),
        (_("Expected loss"), fcfa(summary["loss_xaf"])),
        (
            _("Lines outside what the model learnt from"),
            f"{whole(summary['outside'])} ({percent(summary['outside'] / scored)})" if scored else MISSING,
        ),
    ]


def _shares(codes: Iterable[str], labels: Iterable[str], counts: list[int], scored: int) -> list[Share]:
    return [
        Share(code, str(label), whole(count), percent(count / scored, 1) if scored else MISSING)
        for code, label, count in zip(codes, labels, [*counts, *[0] * 5], strict=False)
    ]


def _error(batch: Any, error: Any) -> ErrorLine:
    by_header = {each["header"]: each["field"] for each in batch.mapping}
    fields = {each.name: each for each in scoring_fields()}
    field = fields.get(by_header.get(error["column"], ""))
    try:
        text = sentence(error["code"], "", field)
    except KeyError:  # a whole row's sentence needs figures that differ from row to row
        text = _("This row cannot be read.")
    return ErrorLine(error["column"], text, advice(error["code"]), whole(error["lines"]))


def _chart(batch: Any, summary: Any) -> charts.Chart:
    start = figures_of_policy(batch.policy).points_min
    return charts.histogram(
        summary["points"], start=start, step=POINTS_STEP, x=_("Score"), x_words=_points, y_words=_points
    )


def _points(value: float) -> str:
    return whole(round(value))


def _finding(batch: Any, summary: Any) -> str:
    counts, start = summary["points"], figures_of_policy(batch.policy).points_min
    most = max(range(len(counts)), key=counts.__getitem__)
    low = start + POINTS_STEP * most
    return _("Most lines have a score from %(low)d to %(high)d points.") % {
        "low": low,
        "high": low + POINTS_STEP,
    }
