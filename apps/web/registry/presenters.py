"""Models in words: versions, gates, times in production, scorecards, cards."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.credits.queries.dictionary import known_variables
from apps.engine.dictionary import STANDARD, Variable
from apps.engine.expert import ExpertCard
from apps.jobs.enums import JobStatus
from apps.registry.enums import GENERAL_SEGMENT, ModelStatus, StartOrigin, Verdict
from apps.registry.renderers import gate_label, gate_text, mention_of
from apps.tenancy.language import current_lang
from apps.web.templatetags.formats import MISSING, fcfa, percent, signed, whole


@dataclass(frozen=True, slots=True)
class VersionLine:
    uid: UUID
    name: str
    version: str
    status: str
    status_label: str
    mention: str
    origin: str
    data: str
    period: str
    auc: str
    segment: str


@dataclass(frozen=True, slots=True)
class OfferedLine:
    """A model of the platform that may be installed."""

    uid: UUID
    name: str
    version: str
    data: str
    period: str
    auc: str


@dataclass(frozen=True, slots=True)
class GateLine:
    verdict: str
    verdict_label: str
    label: str
    figure: str
    limit: str
    text: str


@dataclass(frozen=True, slots=True)
class TimeLine:
    """A time in production; ``until`` is ``None`` while it lasts."""

    uid: UUID
    version_uid: UUID
    version: str
    segment: str
    started_at: dt.datetime
    until: dt.datetime | None
    origin: str
    proposed_by: str
    started_by: str
    reason: str
    gates: list[GateLine]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a model card: a title, a list or a paragraph."""

    kind: str
    lines: list[str]


def version_lines(versions: Iterable[Any]) -> list[VersionLine]:
    """Return the lines of the list."""
    return [version_line(version) for version in versions]


def version_line(version: Any) -> VersionLine:
    """Return one version in words."""
    return VersionLine(
        uid=version.uid,
        name=version.name,
        version=version.version,
        status=version.status,
        status_label=version.get_status_display(),
        mention=mention_of(version),
        origin=version.get_origin_display(),
        data=version.get_training_data_display(),
        period=_period(version.period),
        auc=auc_text(version.metrics),
        segment=segment_label(version.segment),
    )


def offered_lines(models: Iterable[Any]) -> list[OfferedLine]:
    """Return the models that the platform offers."""
    return [
        OfferedLine(
            uid=model.uid,
            name=model.name,
            version=model.version,
            data=mention_of(model) or model.get_training_data_display(),
            period=_period(model.period),
            auc=auc_text(model.metrics),
        )
        for model in models
    ]


def segment_label(code: str) -> str:
    """Return all loans, or a type of loan."""
    if code == GENERAL_SEGMENT:
        return _("All loans")
    category = STANDARD["type_credit"].category(code)
    return category.label(current_lang()) if category else code


def _period(period: Mapping[str, Any]) -> str:
    if not period.get("from") or not period.get("to"):
        return MISSING
    return f"{period['from']} – {period['to']}"


def auc_text(metrics: Mapping[str, Any]) -> str:
    """Return the AUC and its interval; that of the institution's own credits where nothing else is known."""
    told = metrics if "auc" in metrics else metrics.get("own") or {}
    if "auc" not in told:
        return MISSING
    low, high = told.get("auc_low"), told.get("auc_high")
    if low is None or high is None:
        return _decimal(told["auc"])
    return f"{_decimal(told['auc'])} [{_decimal(low)} ; {_decimal(high)}]"


def _decimal(number: float, places: int = 3) -> str:
    text = f"{number:.{places}f}"
    return text.replace(".", ",") if current_lang() == "fr" else text


def facts_of(version: Any) -> list[tuple[str, Any]]:
    """Return what a version is."""
    signature = [(_("Signature"), version.get_signature_display())] if version.origin == "imported" else []
    return [
        (_("Applies to"), segment_label(version.segment)),
        (_("Origin"), version.get_origin_display()),
        (_("Trained on"), version.get_training_data_display()),
        (_("Training period"), _period(version.period)),
        (_("In the registry since"), _moment(version.created_at)),
        (_("Brought in by"), str(version.created_by) if version.created_by else MISSING),
        *signature,
        (_("Hash of the manifest"), version.sha256),
    ]


def quality_of(version: Any) -> list[tuple[str, str]]:
    """Return the figures that came with the model; a manifest may claim them, we did not measure them."""
    metrics = version.metrics
    if "declared_default_rate" in metrics:
        return [(_("Declared default rate"), percent(metrics["declared_default_rate"], 1))]
    if "auc" not in metrics:
        return []
    found = [(_("AUC and its interval"), auc_text(metrics))]
    names = (("gini", "Gini"), ("ks", "KS"), ("brier", "Brier"), ("ece", _("Calibration error (ECE)")))
    found += [(label, _decimal(metrics[name])) for name, label in names if name in metrics]
    rates = (("observed_rate", _("Observed default rate")), ("predicted_rate", _("Predicted default rate")))
    return found + [(label, percent(metrics[name], 1)) for name, label in rates if name in metrics]


def own_of(version: Any) -> list[tuple[str, str]]:
    """Return how the version does on the institution's matured credits, as measured here."""
    own = version.metrics.get("own") or {}
    if not own:
        return []
    found = [(_("Matured credits"), whole(own["rows"])), (_("Defaults among them"), whole(own["defaults"]))]
    if "auc" in own:
        found.append((_("AUC and its interval"), auc_text({**own})))
    if "observed_rate" in own:
        found.append((_("Observed default rate"), percent(own["observed_rate"], 1)))
        found.append((_("Predicted default rate"), percent(own["predicted_rate"], 1)))
    return found


def gate_lines(gates: Sequence[Mapping[str, Any]]) -> list[GateLine]:
    """Return a checklist in words."""
    labels = dict(Verdict.choices)
    return [
        GateLine(
            verdict=str(gate["verdict"]),
            verdict_label=str(labels[gate["verdict"]]),
            label=gate_label(gate["code"]),
            # a count of faults among none allowed says nothing that the verdict does not
            figure="" if gate["high"] == 0 else _figure(gate["figure"], gate["unit"]),
            limit=_limit(gate),
            text=gate_text(gate),
        )
        for gate in gates
    ]


def _figure(figure: float | None, unit: str) -> str:
    if figure is None:
        return ""
    if unit == "rate":
        return percent(figure, 1)
    if unit in {"auc", "ratio", "psi"}:
        return _decimal(figure, 3 if unit == "auc" else 2)
    return whole(int(figure))


def _limit(gate: Mapping[str, Any]) -> str:
    low, high = (_figure(gate[name], gate["unit"]) for name in ("low", "high"))
    if low and high:
        return _("between %(low)s and %(high)s") % {"low": low, "high": high}
    if low:
        return _("%(low)s at least") % {"low": low}
    return _("%(high)s at most") % {"high": high} if high else ""


def time_lines(times: Iterable[Any]) -> list[TimeLine]:
    """Return times in production in words."""
    return [_time_line(time) for time in times]


def _time_line(time: Any) -> TimeLine:
    following = next(iter(time.next.all()), None)
    return TimeLine(
        uid=time.uid,
        version_uid=time.model_version.uid,
        version=_("%(name)s, version %(version)s")
        % {"name": time.model_version.name, "version": time.model_version.version},
        segment=segment_label(time.segment),
        started_at=time.started_at,
        until=following.started_at if following else None,
        origin=str(dict(StartOrigin.choices)[time.origin]),
        proposed_by=str(time.proposed_by or ""),
        started_by=str(time.started_by or ""),
        reason=time.reason,
        gates=gate_lines(time.gates),
    )


def _moment(moment: dt.datetime) -> str:
    return date_format(timezone.localtime(moment), "d/m/Y H:i:s")


def points_of(card: ExpertCard) -> list[dict[str, Any]]:
    """Return the points of a scorecard, variable by variable."""
    variables = known_variables(bins.name for bins in card.variables)
    return [
        {
            "label": variables[bins.name].label(current_lang()),
            "rows": [*_rows(bins, variables[bins.name]), (_("Not known"), signed(bins.missing))],
        }
        for bins in card.variables
    ]


def _rows(bins: Any, variable: Variable) -> list[tuple[str, str]]:
    if variable.type == "category":
        labels = [category.label(current_lang()) for category in variable.categories]
        return list(zip(labels, map(signed, bins.points), strict=False))  # codes added since have no points
    edges = [None, *bins.cuts, None]
    return [
        (_between(variable, low, high), signed(points))
        for low, high, points in zip(edges[:-1], edges[1:], bins.points, strict=True)
    ]


def _between(variable: Any, low: float | None, high: float | None) -> str:
    below, above = (None if edge is None else _value(variable, edge) for edge in (low, high))
    if below is None and above is None:
        return _("Any value")
    if below is None:
        return _("Below %(limit)s") % {"limit": above}
    if above is None:
        return _("%(limit)s and more") % {"limit": below}
    return _("From %(low)s to less than %(high)s") % {"low": below, "high": above}


def _value(variable: Any, value: float) -> str:
    if variable.unit.startswith("XAF"):
        return fcfa(value)
    if variable.unit == "percent":
        return percent(value / 100, 0 if value.is_integer() else 1)
    return whole(int(value)) if value.is_integer() else _decimal(value, 2)


def card_blocks(text: str) -> list[Block]:
    """Return the blocks of a ``card.md``: titles, lists and paragraphs; its marks are taken away."""
    blocks: list[Block] = []
    for piece in filter(None, re.split(r"\n\s*\n", text.strip())):
        lines = [re.sub(r"\*\*|`", "", line) for line in piece.splitlines()]
        if lines[0].startswith("#"):
            blocks.append(Block("title", [lines[0].lstrip("# ")]))
        elif lines[0].startswith("- "):
            blocks.append(Block("list", [line.removeprefix("- ") for line in lines]))
        else:
            blocks.append(Block("paragraph", [" ".join(lines)]))
    return blocks[1:] if blocks and blocks[0].kind == "title" else blocks


def may_be_proposed(version: Any, promotion: Any) -> bool:
    """Say whether a promotion of this version may be asked for now."""
    return promotion is None and version.status in {
        ModelStatus.CANDIDATE,
        ModelStatus.CHALLENGER,
        ModelStatus.RETIRED,
    }


@dataclass(frozen=True, slots=True)
class Recalibration:
    """The latest work that was to set the level of a version: how far it is, or what came of it."""

    version: UUID
    under_way: bool
    percent: int
    label: str
    error: str
    made: str


def recalibration_of(job: Any) -> Recalibration | None:
    """Return that work in words; ``None`` when nobody ever asked for it."""
    if job is None:
        return None
    return Recalibration(
        version=job.about,
        under_way=job.status in {JobStatus.QUEUED, JobStatus.RUNNING},
        percent=job.progress,
        label=job.get_status_display(),
        error=job.error if job.status == JobStatus.FAILED else "",
        made=(job.result or {}).get("version", "") if job.status == JobStatus.DONE else "",
    )
