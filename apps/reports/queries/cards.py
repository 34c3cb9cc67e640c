"""The report of a model: what it is, what it was measured to be worth, where it ends; in either language."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.engine.wording import FIRM
from apps.monitoring.models import Alert
from apps.monitoring.renderers import alert_title
from apps.registry.enums import GENERAL_SEGMENT, StartOrigin, Verdict
from apps.registry.models import ModelVersion
from apps.registry.queries import get_model_version, times_in_production
from apps.registry.renderers import gate_label, gate_text
from apps.registry.services.exporting import card_of
from apps.registry.services.gates import checklist
from apps.reports.queries.documents import Cell, Column, Document, Fact, Section, Table, Wish
from apps.reports.queries.words import grouped, shown
from apps.tenancy.errors import ObjectNotFound

_RATES = frozenset({"observed_rate", "predicted_rate", "declared_default_rate"})
_NAME = re.compile(r"^- .*\(`([A-Za-z][A-Za-z0-9_]*)`\)", re.MULTILINE)


def model_report(wish: Wish) -> Document:
    """Return the model card as a report; raise ``ObjectNotFound`` for an unknown version."""
    if wish.subject is None:
        raise ObjectNotFound(_("Not found"))
    version = get_model_version(wish.subject)
    return Document(
        kind=wish.kind,
        title=_("Model report"),
        lang=wish.lang,
        subtitle=_("%(name)s, version %(version)s") % {"name": version.name, "version": version.version},
        sections=(
            Section(_("This version"), paragraphs=_mention(version), facts=_identity(version)),
            *_quality(version, wish),
            Section(tables=(_gates(version, wish),)),
            *_variables(version, wish),
            Section(tables=(_times(version),)),
            *_alerts(version),
            Section(_("Limits"), items=_limits()),
        ),
        foot=_("Hash of the manifest: %(hash)s.") % {"hash": version.sha256},
    )


def _mention(version: ModelVersion) -> tuple[str, ...]:
    if version.is_expert:
        return (_("Expert scorecard, not calibrated"),)
    return (_("Demonstration model, fictional data"),) if version.is_synthetic else ()


def _identity(version: ModelVersion) -> tuple[Fact, ...]:
    segment = _("All loans") if version.segment == GENERAL_SEGMENT else version.segment
    period: Mapping[str, Any] = version.period
    told = f"{period['from']} – {period['to']}" if period.get("from") and period.get("to") else None
    return (
        Fact(_("Status"), str(version.get_status_display())),
        Fact(_("Applies to"), segment),
        Fact(_("Origin"), str(version.get_origin_display())),
        Fact(_("Trained on"), str(version.get_training_data_display())),
        Fact(_("Training period"), told),
        Fact(_("Trained at"), version.trained_at, "moment"),
        Fact(_("In the registry since"), version.created_at, "moment"),
        Fact(_("Brought in by"), str(version.created_by or "")),
    )


def _quality(version: ModelVersion, wish: Wish) -> list[Section]:
    own = version.metrics.get("own") or {}
    return [
        Section(title, facts=facts)
        for title, facts in (
            (_("Figures that came with the model"), _figures(version.metrics, wish)),
            (_("On your matured credits"), (*_rows(own), *_figures(own, wish))),
        )
        if facts
    ]


def _rows(own: Mapping[str, Any]) -> tuple[Fact, ...]:
    if not own:
        return ()
    return (
        Fact(_("Matured credits"), own["rows"], "count"),
        Fact(_("Defaults among them"), own["defaults"], "count"),
    )


def _figures(metrics: Mapping[str, Any], wish: Wish) -> tuple[Fact, ...]:
    labels = {
        "declared_default_rate": _("Declared default rate"),
        "auc": _("AUC and its interval"),
        "gini": "Gini",
        "ks": "KS",
        "brier": "Brier",
        "ece": _("Calibration error (ECE)"),
        "observed_rate": _("Observed default rate"),
        "predicted_rate": _("Predicted default rate"),
    }
    return tuple(
        Fact(label, _figure(metrics, name, wish), "rate" if name in _RATES else "text")
        for name, label in labels.items()
        if metrics.get(name) is not None
    )


def _figure(metrics: Mapping[str, Any], name: str, wish: Wish) -> Cell:
    value = metrics[name]
    if name in _RATES:
        return float(value)
    text = grouped(float(value), 3, wish.lang)
    low, high = metrics.get("auc_low"), metrics.get("auc_high")
    if name == "auc" and low is not None and high is not None:
        return f"{text} [{grouped(float(low), 3, wish.lang)} ; {grouped(float(high), 3, wish.lang)}]"
    return text


def _gates(version: ModelVersion, wish: Wish) -> Table:
    verdicts = dict(Verdict.choices)
    gates = [gate.as_dict() for gate in checklist(version=version, by=wish.actor)]
    return Table(
        title=_("Gates before production"),
        columns=(Column(_("Gate")), Column(_("Figure")), Column(_("Verdict")), Column(_("What it means"))),
        rows=tuple(
            (
                gate_label(gate["code"]),
                _gate_figure(gate, wish),
                str(verdicts[gate["verdict"]]),
                gate_text(gate),
            )
            for gate in gates
        ),
    )


def _gate_figure(gate: Mapping[str, Any], wish: Wish) -> str:
    figure = gate["figure"]
    if figure is None or gate["high"] == 0:
        return ""
    if gate["unit"] == "rate":
        return shown(float(figure), "rate", wish.lang)
    decimals = {"auc": 3, "ratio": 2, "psi": 2}.get(gate["unit"], 0)
    return grouped(float(figure), decimals, wish.lang)


def _variables(version: ModelVersion, wish: Wish) -> list[Section]:
    """Return the variables that the model reads, found in its card by their names."""
    names = list(dict.fromkeys(_NAME.findall(card_of(version))))
    if not names:
        return []
    items = tuple(each.label(wish.lang) for each in known_variables(names).values())
    return [Section(_("Variables"), items=items)]


def _times(version: ModelVersion) -> Table:
    origins = dict(StartOrigin.choices)
    rows = []
    for time in times_in_production(version):
        following = next(iter(time.next.all()), None)
        rows.append(
            (
                time.started_at,
                following.started_at if following else None,
                str(origins[time.origin]),
                str(time.proposed_by or ""),
                str(time.started_by or ""),
                time.reason,
            )
        )
    return Table(
        title=_("In production"),
        columns=(
            Column(_("From"), "moment"),
            Column(_("To"), "moment"),
            Column(_("How")),
            Column(_("Proposed by")),
            Column(_("Put in production by")),
            Column(_("Reason")),
        ),
        rows=tuple(rows),
        note="" if rows else _("Never in production."),
    )


def _alerts(version: ModelVersion) -> list[Section]:
    found = Alert.objects.open().filter(model_version=version).order_by("opened_at")
    items = tuple(f"{alert_title(each.code, each.about)}{_dated(each)}" for each in found)
    return [Section(_("Open alerts"), items=items)] if items else []


def _dated(alert: Alert) -> str:
    return f"{FIRM}({shown(alert.opened_at, 'moment', 'fr')})"


def _limits() -> tuple[str, ...]:
    return (
        _("The probability holds for credits like those it learnt from; a warning says when a value is new."),
        _("It learnt from credits that were granted: it knows little of those who are always refused."),
        _("A shock (price, harvest, insecurity) moves the level of the risk before its order."),
        _("Sex and marital status are kept to check that groups are treated alike; no model reads them."),
        _("It advises: the decision belongs to a person."),
    )
