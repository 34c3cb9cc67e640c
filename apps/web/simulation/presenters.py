"""A simulation as its page shows it: what is tried, what would change the advice, scenarios side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.engine import reasons
from apps.engine.change_words import amount_limit_text
from apps.engine.ratios import Means
from apps.engine.wording import number, typed_number
from apps.scoring.models import Scenario
from apps.scoring.services.simulation import MOST_SCENARIOS, Simulated, Variant, variant_kept
from apps.tenancy.actor import Actor
from apps.tenancy.language import current_lang
from apps.web.comparing.tables import SideRow, side_rows
from apps.web.scoring.details import means_view
from apps.web.scoring.presenters import score_sheet
from apps.web.simulation.forms import terms_text
from apps.web.templatetags.formats import MISSING, fcfa, percent, signed, whole


@dataclass(frozen=True, slots=True)
class ScenarioColumn:
    """One column of the table: the file or the credit as it is, or a scenario."""

    title: str
    cells: list[str]
    recommendation: str
    recommendation_label: str
    query: str
    uid: UUID | None
    removable: bool


@dataclass(frozen=True, slots=True)
class ScenarioTable:
    columns: list[ScenarioColumn]
    rows: list[SideRow]


def simulated_view(tried: Simulated, now: Simulated) -> dict[str, Any]:
    """Return what a page shows of a variant, beside the file as it is."""
    score, before = tried.prediction, now.prediction
    gained = score.points - before.points
    same = tried.variant.values == now.variant.values
    return {
        "score": score_sheet(score),
        "means": means_view(score),
        "credit_text": fcfa(tried.variant.credit_xaf),
        "instalment_text": fcfa(tried.means.instalment),
        "ratio_text": ratio_text(tried.means),
        "held_back": amount_limit_text(tried.held_back_by, current_lang()),
        "gained_text": "" if same else signed(gained),
        "gained": gained,
        "is_file": same,
        "variant": tried.variant,
        "typed": typed(tried.variant),
        "spoken": _("%(advice)s, score %(points)d.")
        % {
            "advice": reasons.recommendation_label(score.recommendation, current_lang()),  # type: ignore[arg-type]
            "points": score.points,
        },
    }


def ratio_text(means: Means) -> str:
    """Return the debt service ratio in words, a dash where it is not known."""
    ratio = means.debt_ratio_percent
    return MISSING if ratio is None else percent(ratio / 100, 1)


def typed(variant: Variant) -> dict[str, str]:
    """Return a variant as the fields of the form send it."""
    return {
        "montant": str(variant.amount_xaf),
        "apport": str(variant.contribution_xaf or ""),
        "duree": str(variant.duration_months),
        "taux": typed_number(variant.rate_percent, current_lang()),
    }


def scenario_table(now: Simulated, kept: Sequence[Scenario], actor: Actor) -> ScenarioTable | None:
    """Return the scenarios of a file side by side with the file itself; None without any."""
    if not kept:
        return None
    columns = [
        _tried_column(_("The file"), now),
        *(_column(place, each, actor) for place, each in enumerate(kept, start=1)),
    ]
    return _table(columns)


def credit_view(tried: Simulated, kept: Sequence[Simulated]) -> dict[str, Any]:
    """Return what the page shows of a credit for nobody, beside the terms kept in that page.

    Of the rules only those that are broken: those that read a client's file have none to read.
    """
    score, codes = tried.prediction, [terms_text(each.variant) for each in kept]
    sheet = score_sheet(score)
    titles = [_scenario_title(place) for place in range(1, len(kept) + 1)]
    columns = [_tried_column(title, each) for title, each in zip(titles, kept, strict=True)]
    return {
        "score": replace(sheet, rules=[rule for rule in sheet.rules if rule.verdict == "violee"]),
        "means": means_view(score),
        "held_back": amount_limit_text(tried.held_back_by, current_lang()),
        "may_keep": len(kept) < MOST_SCENARIOS and terms_text(tried.variant) not in codes,
        "kept": list(zip(codes, titles, strict=True)),
        "scenarios": _table([_tried_column(_("This credit"), tried), *columns]) if kept else None,
    }


def _table(columns: Sequence[ScenarioColumn]) -> ScenarioTable:
    named = [(label, [column.cells[place] for column in columns]) for place, label in enumerate(_labels())]
    return ScenarioTable(list(columns), side_rows(named, [column.title for column in columns]))


def _scenario_title(place: int) -> str:
    return _("Scenario %(number)s") % {"number": number(place, current_lang())}


def _labels() -> list[str]:
    return [
        _("Amount to finance"),
        _("Own contribution"),
        _("Term"),
        _("Interest rate"),
        _("Instalment of this credit"),
        _("Debt service ratio"),
        _("Score"),
        _("Probability of default"),
        _("Maximal advised amount"),
    ]


def _terms(variant: Variant) -> list[str]:
    return [
        fcfa(variant.amount_xaf),
        fcfa(variant.contribution_xaf) if variant.contribution_xaf else MISSING,
        _("%(months)s months") % {"months": whole(variant.duration_months)},
        percent(variant.rate_percent / 100),
    ]


def _tried_column(title: str, now: Simulated) -> ScenarioColumn:
    score = now.prediction
    return ScenarioColumn(
        title=title,
        cells=[
            *_terms(now.variant),
            fcfa(now.means.instalment),
            ratio_text(now.means),
            f"{score.points} ({score.grade})",
            percent(score.pd),
            fcfa(score.max_amount_xaf),
        ],
        recommendation=score.recommendation,
        recommendation_label=reasons.recommendation_label(score.recommendation, current_lang()),  # type: ignore[arg-type]
        query="",
        uid=None,
        removable=False,
    )


def _column(place: int, kept: Scenario, actor: Actor) -> ScenarioColumn:
    ratio = kept.debt_ratio_percent
    return ScenarioColumn(
        title=_scenario_title(place),
        cells=[
            *_terms(variant_kept(kept)),
            fcfa(kept.instalment_xaf),
            MISSING if ratio is None else percent(ratio / 100, 1),
            f"{kept.points} ({kept.grade})",
            percent(kept.pd),
            fcfa(kept.max_amount_xaf),
        ],
        recommendation=kept.recommendation,
        recommendation_label=reasons.recommendation_label(kept.recommendation, current_lang()),  # type: ignore[arg-type]
        query=f"?{urlencode(typed(variant_kept(kept)))}",
        uid=kept.uid,
        removable=actor.person_id is not None and kept.author_id == actor.person_id,
    )
