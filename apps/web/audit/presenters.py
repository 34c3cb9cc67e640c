"""An entry of the trail in words, on a page and in a file."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.audit.models import AuditEntry
from apps.audit.queries import seal_of
from apps.tenancy.models import TenantModel

#: The shared rows that entries of an institution may be about.
SHARED_OBJECTS = (
    "users.user",
    "users.membership",
    "users.partnerkey",
    "institutions.institution",
    "registry.platformmodel",
)
SCORE = "scoring.prediction"


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    uid: UUID
    at: dt.datetime
    actor: str
    action: str
    action_label: str
    object_label: str
    address: str


@dataclass(frozen=True, slots=True)
class EntrySheet(EntryLine):
    object_uid: str
    request_id: str
    changes: list[Change]
    seal_position: int | None
    sealed_at: dt.datetime | None
    intact: bool
    score_uid: UUID | None


#: What is written with something else, whose entry tells of it.
PARTS = frozenset(
    {
        *("credits.dictionaryrevision", "credits.importchange", "credits.importchunk"),
        *("credits.importmapping", "monitoring.monitoringfigures", "outbox.outboxmessage"),
        *("outbox.webhookattempt", "registry.championship", "scoring.batchchunk", "scoring.scoredline"),
        *("scoring.scoretotal", "scoring.scoretotalshead", "reports.filetotal", "reports.portfoliostate"),
        *("reports.benchmarkcontribution", "reports.creditstatistics", "reports.schedulerecipient"),
        "scoring.shadowscore",
        *("users.draft", "users.idempotentreply"),
        *("users.membershipagency", "users.partnerkeyagency"),
    }
)


def action_labels() -> dict[str, str]:
    """Return the words of each action that the site writes; an unknown one is shown by its code."""
    return {
        "agency.create": _("Agency created"),
        "agency.export": _("Agencies exported"),
        "agency.import": _("Agencies imported"),
        "agency.update": _("Agency changed"),
        "application.cancel": _("Application cancelled"),
        "application.create": _("Application entered"),
        "application.decide": _("Application decided"),
        "application.reopen": _("Application reopened"),
        "application.resume": _("Decided application taken up again"),
        "application.return": _("Application returned for missing pieces"),
        "application.submit": _("Application sent for decision"),
        "application.update": _("Application changed"),
        "application.withdraw": _("Application taken back"),
        "audit.export": _("Audit trail exported"),
        "decision_limit.set": _("Limit of decision set"),
        "decision_motive.add": _("Motive of decision added"),
        "decision_motive.restore": _("Motive of decision offered again"),
        "decision_motive.retire": _("Motive of decision retired"),
        "decision_motive.standard": _("Standard motives added"),
        "override.confirm": _("Decision against the advice confirmed"),
        "override.lapse": _("Decision against the advice lapsed"),
        "override.refuse": _("Decision against the advice refused"),
        "override.request": _("Decision against the advice asked for"),
        "override.withdraw": _("Decision against the advice withdrawn"),
        "reconsideration.answer": _("Client's request for another look answered"),
        "reconsideration.register": _("Client's request for another look registered"),
        "batch.create": _("File sent to be scored"),
        "batch.finish": _("File scored"),
        "import.create": _("File sent to be imported"),
        "import.check": _("Check of an import asked"),
        "import.checked": _("Import checked"),
        "import.import": _("Import confirmed"),
        "import.finish": _("File imported"),
        "import.undo": _("Undoing of an import asked"),
        "import.undone": _("Import undone"),
        "client.confirm": _("Client's data confirmed"),
        "client.consent": _("Consent noted"),
        "client.consent_withdraw": _("Consent withdrawn"),
        "backup.create": _("Backup made"),
        "client.create": _("Client created"),
        "benchmark.export": _("Benchmarks exported"),
        "benchmark.give": _("Figures given to the benchmarks"),
        "benchmark.join": _("Participation in the benchmarks started"),
        "benchmark.leave": _("Participation in the benchmarks ended"),
        "client.export": _("Clients exported"),
        "client.import": _("Clients imported"),
        "client.keep_apart": _("Two clients' files told apart"),
        "client.merge": _("Client's file merged into another"),
        "client.offers": _("Objection to offers noted or lifted"),
        "client.part": _("Merging of clients' files undone"),
        "client.read": _("Client's file read"),
        "client.scores_export": _("Scores of a client exported"),
        "client.update": _("Client changed"),
        "credit.close": _("Credit closed early"),
        "credit.disburse": _("Credit disbursed"),
        "credit.read": _("Credit read"),
        "credit.restructure": _("Credit restructured"),
        "credit.write_off": _("Credit written off"),
        "creditapplication.read": _("Application read"),
        "demo.load": _("Demonstration data loaded"),
        "external_credit.close": _("External credit closed"),
        "external_credit.create": _("External credit entered"),
        "external_credit.update": _("External credit changed"),
        "file.create": _("File received or written"),
        "file.delete": _("File deleted"),
        "file.purge": _("Files deleted at the end of their time"),
        "storedfile.read": _("File downloaded"),
        "guarantee.create": _("Guarantee entered"),
        "guarantee.release": _("Guarantee released"),
        "guarantee.update": _("Guarantee changed"),
        "feedback.create": _("Opinion given"),
        "feedback.handle": _("Opinion handled"),
        "feedback.reopen": _("Opinion opened again"),
        "identity.bind": _("Account of the identity provider bound"),
        "identity.forget": _("Account of the identity provider forgotten"),
        "institution.create": _("Institution opened"),
        "institution.logo": _("Logo of the institution set"),
        "institution.logo_remove": _("Logo of the institution removed"),
        "institution.update": _("Institution changed"),
        "key.issue": _("Partner key issued"),
        "key.revoke": _("Partner key revoked"),
        "key.rotate": _("Partner key replaced"),
        "job.cancel": _("Background work cancelled"),
        "job.create": _("Background work asked for"),
        "job.end": _("Background work ended"),
        "job.retry": _("Background work tried again"),
        "login": _("Log-in"),
        "login.failed": _("Failed log-in"),
        "login.locked": _("Log-in locked"),
        "login.unlock": _("Log-in unlocked"),
        "logout": _("Log-out"),
        "member.accept": _("Invitation accepted"),
        "member.change": _("Member changed"),
        "member.create": _("Member created"),
        "member.invite": _("Administrator invited"),
        "model.approve": _("Model approved"),
        "model.challenge": _("Model tried in the shadow"),
        "model.decline": _("Model refused"),
        "model.export": _("Model exported"),
        "model.import": _("Model imported"),
        "model.install": _("Model installed"),
        "model.promote": _("Model put in production"),
        "model.propose": _("Model proposed for production"),
        "model.publish": _("Model published"),
        "model.recalibrate": _("Level of a model set on the outcomes"),
        "model.rollback": _("Return to the model before"),
        "model.start_failed": _("Approved model could not start"),
        "model.unchallenge": _("Trial of a model in the shadow ended"),
        "model.train": _("Trained model kept as a candidate"),
        "model.withdraw": _("Proposal of a model withdrawn"),
        "model.write": _("Expert scorecard written"),
        "monitoring.close": _("Monitoring alert over"),
        "monitoring.conclude": _("Review of an alert concluded"),
        "monitoring.open": _("Monitoring alert raised"),
        "monitoring.review": _("Review of an alert opened"),
        "outcome.derive": _("Outcomes of credits derived"),
        "password.change": _("Password changed"),
        "password.reset": _("Password reset"),
        "password.reset_asked": _("Password reset asked for"),
        "policy.approve": _("Scoring policy approved"),
        "policy.create": _("Scoring policy created"),
        "policy.propose": _("Scoring policy proposed"),
        "policy.reject": _("Scoring policy rejected"),
        "policy.withdraw": _("Proposed scoring policy withdrawn"),
        "portfolio.export": _("Figures of the portfolio exported"),
        "prediction.create": _("Score computed"),
        "prediction.read": _("Score read"),
        "prediction.replay": _("Score replayed"),
        "prediction.second_opinion": _("Second opinion on a score asked for"),
        "repayment.create": _("Repayment entered"),
        "report.ask": _("Report asked for"),
        "report.download": _("Report downloaded"),
        "report.left_out": _("Recipient of a scheduled report left out"),
        "report.schedule": _("Report scheduled"),
        "report.unschedule": _("Scheduled report stopped"),
        "scenario.create": _("Scenario of a simulation kept"),
        "scenario.remove": _("Scenario of a simulation removed"),
        "provider.set": _("Identity provider set up"),
        "session.close": _("Session closed"),
        "session.close_others": _("Other sessions closed"),
        "setting.set": _("Setting changed"),
        "view.delete": _("Saved view deleted"),
        "view.save": _("View saved"),
        "variable.change": _("Variable of the dictionary changed"),
        "variable.declare": _("Variable of the dictionary declared"),
        "variable.retire": _("Variable of the dictionary retired"),
        "webhook.change": _("Webhook changed"),
        "webhook.create": _("Webhook created"),
        "webhook.replay": _("Webhook event sent again"),
        "token.reuse": _("Used token presented again"),
        "totp.off": _("Second factor switched off"),
        "totp.on": _("Second factor switched on"),
        "training.ask": _("Training run asked for"),
        "training.finish": _("Training run ended"),
    }


def action_choices() -> list[tuple[str, str]]:
    """Return the choices of the filter, all first, then by their words."""
    known = sorted(action_labels().items(), key=lambda item: item[1])
    return [("", _("All")), *known]


def object_labels() -> dict[str, str]:
    """Return the words of each type of object, by the code that entries hold."""
    return {
        model._meta.label_lower: capfirst(str(model._meta.verbose_name))
        for model in apps.get_models()
        if model._meta.label_lower in SHARED_OBJECTS
        or (issubclass(model, TenantModel) and model._meta.app_label != "audit")
    }


def object_choices() -> list[tuple[str, str]]:
    """Return the choices of the filter, all first, then by their words; parts of others have no entry."""
    known = [item for item in object_labels().items() if item[0] not in PARTS]
    return [("", _("All")), *sorted(known, key=lambda item: item[1])]


def entry_lines(entries: Iterable[AuditEntry]) -> list[EntryLine]:
    """Return the lines of the list."""
    actions, objects = action_labels(), object_labels()
    return [EntryLine(**_line(entry, actions, objects)) for entry in entries]


def entry_sheet(entry: AuditEntry) -> EntrySheet:
    """Return everything about one entry, with the state of its seal."""
    seal, intact = seal_of(entry)
    return EntrySheet(
        **_line(entry, action_labels(), object_labels()),
        object_uid=str(entry.object_uid or ""),
        request_id=entry.request_id,
        changes=changes_of(entry.before, entry.after),
        seal_position=seal.position if seal else None,
        sealed_at=seal.sealed_at if seal else None,
        intact=intact,
        score_uid=entry.object_uid if entry.object_type == SCORE else None,
    )


def changes_of(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """Return one line per value, before and after; a dash where there was none."""
    old, new = before or {}, after or {}
    names = [*old, *(name for name in new if name not in old)]
    return [Change(name, _text(old, name), _text(new, name)) for name in names]


def _text(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return "—"
    value = values[name]
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _line(entry: AuditEntry, actions: Mapping[str, str], objects: Mapping[str, str]) -> dict[str, Any]:
    kinds = {"task": _("Background task"), "key": _("Partner key"), "operator": _("Platform operator")}
    return {
        "uid": entry.uid,
        "at": entry.at,
        "actor": entry.actor_name or kinds.get(entry.actor_kind, entry.actor_kind),
        "action": entry.action,
        "action_label": actions.get(entry.action, entry.action),
        "object_label": objects.get(entry.object_type, entry.object_type),
        "address": entry.address,
    }


def entry_rows(entries: Iterable[AuditEntry]) -> Iterator[list[str]]:
    """Yield entries as a file holds them, the names of the columns first; local time."""
    yield [
        *(_("Date"), _("Who"), _("Action"), _("Code"), _("Object"), _("Identifier"), _("Before"), _("After")),
        *(_("Request"), _("Address")),
    ]
    actions, objects = action_labels(), object_labels()
    for entry in entries:
        line = _line(entry, actions, objects)
        yield [
            f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}",
            *(line["actor"], line["action_label"], entry.action, line["object_label"]),
            *(str(entry.object_uid or ""), _json(entry.before), _json(entry.after)),
            *(entry.request_id, entry.address),
        ]


def _json(values: Mapping[str, Any] | None) -> str:
    return "" if values is None else json.dumps(values, ensure_ascii=False, sort_keys=True)
