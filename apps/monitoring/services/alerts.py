"""Limits that are passed: opened once, told once, taken back when it is over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.audit.services import record
from apps.engine.discrimination import Discrimination
from apps.engine.monitoring import ALARM
from apps.monitoring.enums import AlertCode, FigureKind, Severity, Suggestion
from apps.monitoring.models import Alert, AlertQuerySet
from apps.monitoring.queries import risk_managers
from apps.monitoring.renderers import alert_title
from apps.monitoring.services.measuring import Figures
from apps.outbox.enums import MessageKind
from apps.outbox.services import Letter, enqueue, enqueue_alert, withdraw_alerts
from apps.registry.enums import ModelStatus
from apps.registry.models import ModelVersion
from apps.tenancy.actor import Actor
from apps.users.models import User

#: What the in-app notice of a monitoring alert is called in the outbox.
NOTICE = "monitoring."


@dataclass(frozen=True, slots=True)
class Finding:
    """A limit that a night's figures pass, and what to do about it."""

    code: AlertCode
    severity: Severity
    suggestion: Suggestion
    figures: Mapping[str, Any]
    about: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return str(self.code), self.about


def findings(figures: Figures, version: ModelVersion) -> list[Finding]:
    """Return the limits that are passed, by the last cohort that the model was not taught by."""
    found = [*_cohort(figures, version), *_early(figures), *_shifts(figures), *_treatment(figures)]
    return sorted(found, key=lambda each: each.key)


def _cohort(figures: Figures, version: ModelVersion) -> Iterable[Finding]:
    fresh = [cohort for cohort in figures[FigureKind.COHORT] if not cohort["seen"]]
    if not fresh or fresh[-1]["to"] != figures[FigureKind.STATE]["matured_until"]:
        return
    last = fresh[-1]
    lost = _order_lost(last, version)
    if lost is not None:
        told = {**last, "reference_auc": lost}
        yield Finding(AlertCode.ORDER, Severity.ALERT, Suggestion.RETRAIN, told)
    if last["alarming"]:
        # the order of the risk holds: its level alone has moved, and a shift of the level mends that
        suggestion = Suggestion.RECALIBRATE if lost is None else Suggestion.RETRAIN
        yield Finding(AlertCode.CALIBRATION, Severity.ALERT, suggestion, last)


def _order_lost(cohort: Mapping[str, Any], version: ModelVersion) -> float | None:
    """Return the AUC of the training when the cohort's is below it beyond chance, else ``None``."""
    reference = version.metrics.get("auc")
    if cohort["auc"] is None or not isinstance(reference, int | float):
        return None
    told = Discrimination(cohort["auc"], cohort["auc_error"], cohort["auc_low"], cohort["auc_high"])
    return float(reference) if told.has_fallen(float(reference), ALARM) else None


def _early(figures: Figures) -> Iterable[Finding]:
    for code in (AlertCode.LATE, AlertCode.FIRST_MISSED):
        sign = figures[FigureKind.EARLY][str(code)]
        if sign["passed"]:
            yield Finding(code, Severity.ALERT, Suggestion.PREPARE, sign)


def _shifts(figures: Figures) -> Iterable[Finding]:
    score = figures[FigureKind.SCORE]
    if score is not None and score["passed"]:
        yield Finding(AlertCode.SCORE_SHIFT, Severity.WATCH, Suggestion.LOOK_CLOSER, _sizes(score))
    for line in figures[FigureKind.VARIABLE]:
        about = line["variable"]
        if line["passed"]:
            told = _sizes(line)
            yield Finding(AlertCode.VARIABLE_SHIFT, Severity.WATCH, Suggestion.LOOK_CLOSER, told, about=about)
        for code, name in ((AlertCode.MISSING, "missing"), (AlertCode.OUT_OF_RANGE, "outside")):
            if line[name]["passed"]:
                yield Finding(code, Severity.WATCH, Suggestion.CHECK_SOURCE, line[name], about=about)


def _sizes(shift: Mapping[str, Any]) -> dict[str, Any]:
    return {name: shift[name] for name in ("psi", "limit", "reference", "current")}


def _treatment(figures: Figures) -> Iterable[Finding]:
    for line in figures.get(FigureKind.TREATMENT, ()):
        unequal = [each for each in line["advice"]["groups"] if each["unequal"]]
        if unequal:
            lowest = min(unequal, key=lambda each: each["ratio"])
            told = {"group": lowest["code"], "ratio": lowest["ratio"], "share": lowest["share"]}
            yield Finding(AlertCode.TREATMENT, Severity.WATCH, Suggestion.REVIEW, told, about=line["by"])


def _own_alerts() -> AlertQuerySet:
    """Leave out what people decided: ``overrides`` opens and closes it."""
    return Alert.objects.open().exclude(code=AlertCode.OVERRIDES)


@transaction.atomic
def sync_alerts(*, version: ModelVersion, found: Sequence[Finding], by: Actor) -> list[Alert]:
    """Open what is new, keep what lasts, close what is over; tell people of each code once; return the new.

    The version's row must be locked by the caller: two runs at once would tell twice.
    """
    standing = {(alert.code, alert.about): alert for alert in _own_alerts().filter(model_version=version)}
    now = {finding.key: finding for finding in found}
    for key, alert in standing.items():
        if key in now:
            finding = now[key]
            alert.figures, alert.suggestion = dict(finding.figures), finding.suggestion
            alert.save(update_fields=["figures", "suggestion"])
        else:
            alert.closed_at = timezone.now()
            alert.save(update_fields=["closed_at"])
            record(by=by, action="monitoring.close", target=alert, after={"code": alert.code})
    opened = [_open(version, finding, by) for key, finding in now.items() if key not in standing]
    before, after = {code for code, _about in standing}, {code for code, _about in now}
    for code in sorted(before - after):
        withdraw_alerts(code=f"{NOTICE}{code}", about={"model": str(version.uid)})
    if after - before:
        tell(version, sorted(after - before), by)
    return opened


def _open(version: ModelVersion, finding: Finding, by: Actor) -> Alert:
    alert = Alert.objects.create(
        model_version=version,
        code=finding.code,
        about=finding.about,
        severity=finding.severity,
        suggestion=finding.suggestion,
        figures=dict(finding.figures),
    )
    record(by=by, action="monitoring.open", target=alert, after={"code": alert.code, "about": alert.about})
    return alert


def tell(version: ModelVersion, codes: Sequence[str], by: Actor) -> None:
    """Tell risk managers, in the application and by e-mail, of the limits that are passed."""
    people = risk_managers(by.institution)
    if not people:
        return
    about = {"model": str(version.uid)}
    for code in codes:
        enqueue_alert(code=f"{NOTICE}{code}", recipients=[each.pk for each in people], payload=about)
    for person in people:
        _write_to(person, version, codes)


def _write_to(person: User, version: ModelVersion, codes: Sequence[str]) -> None:
    with translation.override(person.language or settings.LANGUAGE_CODE):
        lines = "\n".join(f"- {alert_title(code)}" for code in codes)
        letter = Letter(
            to=person.email,
            subject=_("CrediSense: a limit of your model is passed"),
            text=_(
                "The model %(model)s has passed a limit last night:\n\n%(lines)s\n\n"
                "Log in, then open « Model monitoring » to see the figures and what is suggested."
            )
            % {"model": f"{version.name} {version.version}", "lines": lines},
        )
    enqueue(kind=MessageKind.EMAIL, payload={"model": str(version.uid)}, letter=letter)


@transaction.atomic
def close_forgotten(*, by: Actor) -> None:
    """Close the alerts of versions that are not in production any more."""
    stale = _own_alerts().exclude(model_version__status=ModelStatus.CHAMPION)
    keys = set(stale.values_list("model_version_id", flat=True))
    for version in ModelVersion.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"):
        sync_alerts(version=version, found=(), by=by)
