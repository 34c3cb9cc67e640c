"""A report asked for, made by its asker's rights of that moment, kept thirty days, opened with a trace."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.audit.services import record, record_read
from apps.engine.contracts import Lang
from apps.files.enums import FilePurpose
from apps.files.models import StoredFile
from apps.files.services import keep_written, part_path, path_of
from apps.institutions.models import Institution
from apps.institutions.queries import get_institution, get_known_agency, logo_of
from apps.jobs.services import Claim, claim_job, create_job, finish_job
from apps.reports.enums import KEPT_DAYS, OF_ONE, ReportFormat, ReportKind
from apps.reports.errors import ReportUnfinished
from apps.reports.models import Report, ReportSchedule
from apps.reports.queries.catalogue import document_for, subject_of
from apps.reports.queries.documents import Document, Wish
from apps.reports.renderers.pdf import write_pdf
from apps.reports.renderers.tables import write_csv, write_workbook
from apps.reports.rules import may_ask, tells_own_work
from apps.reports.services.telling import tell_recipient
from apps.tenancy.actor import Actor
from apps.tenancy.context import current_institution_id
from apps.tenancy.errors import InvalidValues, NotAllowed, ObjectNotFound
from apps.users.queries import active_memberships, member_actor

KIND = "report"
#: The longest period of one report.
MOST_DAYS = 3 * 366
#: Kinds that read a client's file: its reading is recorded like any other.
_READS_A_FILE = (
    ReportKind.ANALYSIS_SHEET,
    ReportKind.CLIENT_SHEET,
    ReportKind.DECISION_FILE,
    ReportKind.LETTER,
)


@dataclass(frozen=True, slots=True)
class _Draft:
    """Everything that writing a file needs, so that no transaction is open meanwhile."""

    document: Document
    institution: Institution
    logo: Path | None
    part: Path
    name: str
    made_at: dt.datetime


def wish_for(
    *,
    kind: str,
    by: Actor,
    language: str,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    agency_uid: UUID | None = None,
    subject: UUID | None = None,
) -> Wish:
    """Return what ``by`` asks for, checked.

    Raises ``NotAllowed`` for a kind that the role does not read, ``ObjectNotFound`` for an agency or a
    subject out of sight, ``InvalidValues`` for days that cannot be used.
    """
    if not may_ask(kind, by):
        raise NotAllowed(_("Your role does not allow this."))
    lang: Lang = "en" if language == "en" else "fr"
    if ReportKind(kind) in OF_ONE:
        if subject is None:
            raise ObjectNotFound(_("Not found"))
        subject_of(kind, by, subject)
        return Wish(kind=kind, actor=by, lang=lang, subject=subject)
    first, last = _checked_days(starts_on, ends_on)
    agency = get_known_agency(by, agency_uid) if agency_uid and kind != ReportKind.AUDIT else None
    own = tells_own_work(by)
    return Wish(kind=kind, actor=by, lang=lang, starts_on=first, ends_on=last, agency=agency, own=own)


def _checked_days(starts_on: dt.date | None, ends_on: dt.date | None) -> tuple[dt.date, dt.date]:
    if starts_on is None or ends_on is None:
        text = _("Both days are needed.")
        raise InvalidValues(text, fields={"starts_on" if starts_on is None else "ends_on": [text]})
    if starts_on > ends_on:
        text = _("The end comes before the start.")
        raise InvalidValues(text, fields={"ends_on": [text]})
    if (ends_on - starts_on).days > MOST_DAYS:
        text = _("A report covers three years at most.")
        raise InvalidValues(text, fields={"starts_on": [text]})
    return starts_on, ends_on


def preview(wish: Wish) -> Document:
    """Return the contents of a report for a page; a client's file that it reads is recorded as read."""
    _record_reading(wish)
    with translation.override(wish.lang):
        return document_for(wish)


@transaction.atomic
def ask_report(*, wish: Wish, format: str, schedule: ReportSchedule | None = None) -> Report:  # noqa: A002  the word of the form
    """Write the request of a report; the door enqueues its task on commit, or has it made at once.

    Raises ``InvalidValues`` for a sheet or a letter in another format than PDF.
    """
    if format not in ReportFormat:
        text = _("Choose a format.")
        raise InvalidValues(text, fields={"format": [text]})
    if wish.subject is not None and format != ReportFormat.PDF:
        text = _("Sheets and letters are made in PDF.")
        raise InvalidValues(text, fields={"format": [text]})
    by = wish.actor
    report = Report.objects.create(
        kind=wish.kind,
        format=ReportFormat(format),
        language=wish.lang,
        starts_on=wish.starts_on,
        ends_on=wish.ends_on,
        agency=wish.agency,
        subject=wish.subject,
        schedule=schedule,
        job=create_job(kind=KIND, by=by),
        requested_by_id=cast("int", by.person_id),
        expires_on=timezone.localdate() + dt.timedelta(days=KEPT_DAYS),
    )
    told = {"kind": report.kind, "format": report.format, "days": [str(wish.starts_on), str(wish.ends_on)]}
    record(by=by, action="report.ask", target=report, after=told)
    return report


def make_report(claim: Claim) -> Mapping[str, Any]:
    """Do the job of a report: read, write the file, keep it; nothing is open while the file is written."""
    with claim.chunk():
        report = Report.objects.select_related("agency").get(job__uid=claim.uid)
        wish = _wish_of(report)
        draft = _drafted(report, wish)
    try:
        _write(draft, report.format)
        with claim.chunk():
            return _kept(report, wish, draft)
    finally:
        draft.part.unlink(missing_ok=True)


@transaction.atomic
def make_at_once(*, report: Report, wish: Wish) -> Report:
    """Make a report that is quick to write, in the transaction of the request that asked for it."""
    claim = claim_job(uid=report.job.uid)
    assert claim is not None  # this very transaction created it
    draft = _drafted(report, wish)
    try:
        _write(draft, report.format)
        finish_job(claim=claim, result=_kept(report, wish, draft))
    finally:
        draft.part.unlink(missing_ok=True)
    return report


def _wish_of(report: Report) -> Wish:
    """Return what a report was asked for, with the rights that its asker has now."""
    membership = (
        active_memberships()
        .filter(user_id=report.requested_by_id, institution_id=current_institution_id())
        .first()
    )
    if membership is None:
        raise NotAllowed(_("Who asked for this report is no longer a member."))
    return wish_for(
        kind=report.kind,
        by=member_actor(membership),
        language=report.language,
        starts_on=report.starts_on,
        ends_on=report.ends_on,
        agency_uid=report.agency.uid if report.agency else None,
        subject=report.subject,
    )


def _drafted(report: Report, wish: Wish) -> _Draft:
    _record_reading(wish)
    institution = get_institution(current_institution_id())
    with translation.override(wish.lang):
        document = document_for(wish)
        name = _file_name(report, document)
    return _Draft(document, institution, logo_of(institution), part_path(uuid4()), name, timezone.now())


def _record_reading(wish: Wish) -> None:
    if wish.subject is not None and ReportKind(wish.kind) in _READS_A_FILE:
        record_read(by=wish.actor, target=subject_of(wish.kind, wish.actor, wish.subject))


def _file_name(report: Report, document: Document) -> str:
    days = f" {report.starts_on} {report.ends_on}" if report.starts_on else f" {str(report.subject)[:8]}"
    return f"{document.title}{days}.{report.format}"


def _write(draft: _Draft, kind: str) -> None:
    with translation.override(draft.document.lang):
        if kind == ReportFormat.PDF:
            written = write_pdf(
                draft.document, institution=draft.institution, made_at=draft.made_at, logo=draft.logo
            )
            draft.part.write_bytes(written)
        elif kind == ReportFormat.XLSX:
            write_workbook(draft.part, draft.document)
        else:
            write_csv(draft.part, draft.document)


def _kept(report: Report, wish: Wish, draft: _Draft) -> dict[str, Any]:
    stored = keep_written(
        part=draft.part,
        name=draft.name,
        purpose=FilePurpose.REPORT,
        kind=report.format,
        by=wish.actor,
        kept_days=KEPT_DAYS,
    )
    report.file, report.contents_sha256 = stored, draft.document.sha256
    report.save(update_fields=["file", "contents_sha256"])
    if report.schedule_id is not None:
        tell_recipient(report=report)
    return {"contents": report.contents_sha256, "sha256": stored.sha256, "size": stored.size}


@transaction.atomic
def open_report(*, report: Report, by: Actor) -> tuple[StoredFile, Path]:
    """Return the file of a report and where it stands; that it left the site is recorded.

    Raises ``ReportUnfinished`` while there is none, and once its time is over.
    """
    stored = report.file
    if stored is None or stored.deleted_at is not None or not path_of(stored).is_file():
        raise ReportUnfinished(_("This report has no file: it is not ready, or its time is over."))
    told = {"kind": report.kind, "format": report.format, "sha256": stored.sha256}
    record(by=by, action="report.download", target=report, after=told)
    return stored, path_of(stored)
