"""The third part of the page: bands, agencies, officers, and the groups of people."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.monitoring.enums import FigureKind
from apps.monitoring.queries import Watch, agency_labels, officer_labels
from apps.monitoring.renderers import about_label
from apps.scoring.enums import Band
from apps.web.monitoring.tables import Table, between, decimal, hidden_text
from apps.web.templatetags.formats import MISSING, percent, whole


def groups_part(watch: Watch) -> dict[str, Any]:
    """Return observed against predicted by slice, and the treatment of the groups."""
    agencies = _agency_names(watch)
    names = {
        FigureKind.BAND: {code: str(label) for code, label in Band.choices},
        FigureKind.AGENCY: agencies,
        FigureKind.OFFICER: _officer_names(watch),
    }
    titles = {
        FigureKind.BAND: _("By risk band"),
        FigureKind.AGENCY: _("By agency"),
        FigureKind.OFFICER: _("By officer"),
    }
    state = watch.figures.get(FigureKind.STATE) or {}
    return {
        "slices": [
            (titles[kind], _slice_table(watch.figures[kind], names[kind]))
            for kind in titles
            if watch.figures.get(kind)
        ],
        "slices_seen": state.get("sliced", {}).get("seen", False),
        "treatments": [
            (about_label(each["by"]), _treatment_table(each, agencies))
            for each in watch.figures.get(FigureKind.TREATMENT) or []
        ],
    }


def _agency_names(watch: Watch) -> dict[str, str]:
    if FigureKind.AGENCY not in watch.figures:
        return {}
    return agency_labels()


def _officer_names(watch: Watch) -> dict[str, str]:
    document = watch.figures.get(FigureKind.OFFICER) or {"lines": []}
    return officer_labels(line["slice"] for line in document["lines"])


def _slice_table(document: Mapping[str, Any], names: Mapping[str, str]) -> Table:
    words = {
        "above": _("More than predicted"),
        "below": _("Fewer than predicted"),
        "level": _("As predicted"),
    }
    tones = {"above": "negative", "below": "caution", "level": "positive"}
    rows = [
        (
            [
                names.get(line["slice"], MISSING),
                whole(line["rows"]),
                percent(line["observed_rate"], 1),
                percent(line["predicted_rate"], 1),
                between(line["ratio"], line["ratio_low"], line["ratio_high"]),
                words[line["verdict"]],
            ],
            tones[line["verdict"]],
        )
        for line in document["lines"]
    ]
    header = [_("Slice"), _("Credits"), _("Observed"), _("Predicted"), _("Ratio"), _("Verdict")]
    return Table(header, rows, hidden_text(document["hidden"]))


def _treatment_table(line: Mapping[str, Any], agencies: Mapping[str, str]) -> Table:
    good = {group["code"]: group for group in line["good_payers"]["groups"]}
    rows = []
    for group in line["advice"]["groups"]:
        other = good.get(group["code"])
        cells = [
            group_name(line["by"], group["code"], agencies),
            whole(group["rows"]),
            percent(group["share"], 1),
            decimal(group["ratio"]),
            percent(other["share"] if other else None, 1),
            _("Under 4/5") if group["unequal"] else _("Within the rule"),
        ]
        rows.append((cells, "caution" if group["unequal"] else "positive"))
    header = [
        _("Group"),
        _("Applications"),
        _("Favourable score"),
        _("Ratio to the best"),
        _("Among good payers"),
        _("Verdict"),
    ]
    gap = _("Gap among good payers: %(gap)s.") % {"gap": percent(line["good_payers"]["gap"], 1)}
    note = hidden_text(line["advice"]["hidden"])
    return Table(header, rows, f"{gap} {note}".strip())


def group_name(by: str, code: str, agencies: Mapping[str, str]) -> str:
    """Return a group of people or an agency by its name."""
    if by == "sexe":
        return {"F": _("Women"), "M": _("Men")}.get(code, code)
    if by == "age":
        return {"<26": _("Under 26"), ">55": _("Over 55")}.get(code, code.replace("-", "–"))
    return agencies.get(code, MISSING) if by == "agence" else code
