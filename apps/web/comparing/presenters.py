"""Scores beside each other in words: two of a file, files alike, several files, one client over time."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.credits.queries.dictionary import known_variables
from apps.credits.services.applications import stored_values
from apps.engine import reasons
from apps.engine.contracts import Value
from apps.engine.dictionary import STANDARD
from apps.engine.ratios import means_of
from apps.engine.wording import format_value
from apps.scoring.models import Prediction
from apps.scoring.queries.comparison import ComparedFile
from apps.scoring.queries.differences import Difference
from apps.scoring.queries.neighbours import Neighbours, PastFile
from apps.tenancy.language import current_lang
from apps.web import charts
from apps.web.comparing.tables import SideRow, side_rows
from apps.web.templatetags.formats import MISSING, fcfa, percent, signed, whole

DAY = 86_400
MOST_MARKS = 3


@dataclass(frozen=True, slots=True)
class ChangedLine:
    label: str
    before: str
    after: str
    gained: str = ""


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """What changed between two scores, and where its points come from."""

    finding: str
    sources: list[tuple[str, str, str]]
    inputs: list[ChangedLine]
    factors: list[ChangedLine]
    results: list[ChangedLine]


def difference_view(difference: Difference) -> DifferenceView:
    """Return the difference of two scores in words."""
    before, after, lang = difference.before, difference.after, current_lang()
    named = known_variables(
        [*(each.variable for each in difference.inputs), *(each.variable for each in difference.factors)]
    )
    results = [
        ChangedLine(_("Score"), str(before.points), str(after.points), signed(difference.gained)),
        ChangedLine(_("Grade"), before.grade, after.grade),
        ChangedLine(_("Probability of default"), percent(before.pd), percent(after.pd)),
        ChangedLine(_("Decision threshold"), percent(before.threshold), percent(after.threshold)),
        ChangedLine(_("Recommendation"), _advice(before), _advice(after)),
        ChangedLine(_("Maximal advised amount"), fcfa(before.max_amount_xaf), fcfa(after.max_amount_xaf)),
        ChangedLine(_("Model"), str(before.model_version), str(after.model_version)),
        ChangedLine(
            _("Scoring policy"),
            _("version %(number)s") % {"number": before.policy.version},
            _("version %(number)s") % {"number": after.policy.version},
        ),
    ]
    return DifferenceView(
        finding=_finding(difference.gained),
        sources=_sources(difference),
        inputs=[
            ChangedLine(
                named[each.variable].label(lang),
                format_value(named[each.variable], each.before, lang),
                format_value(named[each.variable], each.after, lang),
            )
            for each in difference.inputs
            if each.variable in named
        ],
        factors=[
            ChangedLine(
                named[each.variable].label(lang), signed(each.before), signed(each.after), signed(each.gained)
            )
            for each in difference.factors
            if each.variable in named
        ],
        results=results,
    )


def _advice(prediction: Prediction) -> str:
    return reasons.recommendation_label(prediction.recommendation, current_lang())  # type: ignore[arg-type]


def _finding(gained: int) -> str:
    if gained == 0:
        return _("Both scores have the same points.")
    count = abs(gained)
    if gained > 0:
        text = ngettext("The score gained %(count)d point.", "The score gained %(count)d points.", count)
    else:
        text = ngettext("The score lost %(count)d point.", "The score lost %(count)d points.", count)
    return text % {"count": count}


def _sources(difference: Difference) -> list[tuple[str, str, str]]:
    """Return ``(cause, points, what it means)``, each cause apart from the others."""
    if difference.by_model is None or difference.by_inputs is None or difference.by_policy is None:
        note = _(
            "The later model cannot be loaded: what comes from it and from the values cannot be told apart."
        )
        return [(_("Model and values of the file"), signed(difference.gained), note)]
    model = _("Another model scored.") if difference.other_model else _("The same model scored.")
    policy = (
        _("Another policy: the scale may differ.")
        if difference.other_policy
        else _("The same policy was in force.")
    )
    values = ngettext(
        "%(count)d value of the file changed.",
        "%(count)d values of the file changed.",
        len(difference.inputs),
    ) % {"count": len(difference.inputs)}
    return [
        (_("Values of the file"), signed(difference.by_inputs), values),
        (_("Model"), signed(difference.by_model), model),
        (_("Scoring policy"), signed(difference.by_policy), policy),
    ]


@dataclass(frozen=True, slots=True)
class PastLine:
    title: str
    year: str
    amount: str
    term: str
    contract: str
    ratio: str
    code: str
    outcome: str


@dataclass(frozen=True, slots=True)
class NeighboursView:
    finding: str
    rate: str
    interval: str
    lines: list[PastLine]
    enough: bool
    looked_at: str


def neighbours_view(found: Neighbours) -> NeighboursView:
    """Return the nearest past files in words."""
    looked_at = whole(found.looked_at)
    if found.rate is None or found.low is None or found.high is None:
        text = _("Too few past files of this type have a known outcome (%(count)s, fifty are needed).")
        return NeighboursView(text % {"count": looked_at}, "", "", [], enough=False, looked_at=looked_at)
    finding = _("%(defaults)s of the %(count)s nearest files ended in default.") % {
        "defaults": found.defaults,
        "count": found.count,
    }
    interval = f"{percent(found.low, 0)} – {percent(found.high, 0)}"
    lines = [_past_line(place, each) for place, each in enumerate(found.listed)]
    rate = percent(found.rate, 0)
    return NeighboursView(finding, rate, interval, lines, enough=True, looked_at=looked_at)


def _past_line(place: int, past: PastFile) -> PastLine:
    contract = STANDARD["type_contrat_travail"]
    lang = current_lang()
    return PastLine(
        title=_("File %(letter)s") % {"letter": "ABCDE"[place]},
        year=str(past.year),
        amount=fcfa(past.amount_xaf),
        term=format_value(STANDARD["duree_mois"], past.duration_months, lang),
        contract=format_value(contract, past.contract or None, lang),
        ratio=MISSING if past.debt_ratio_percent is None else percent(past.debt_ratio_percent / 100, 0),
        code="default" if past.defaulted else "good",
        outcome=_("Defaulted") if past.defaulted else _("Repaid"),
    )


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    title: str
    reference: str
    client_uid: UUID
    application_uid: UUID | None
    score_uid: UUID | None


@dataclass(frozen=True, slots=True)
class ComparisonView:
    columns: list[ComparedColumn]
    sections: list[tuple[str, list[SideRow]]]


_REQUEST = ("type_credit", "montant_credit", "duree_mois", "taux_interet")
_MEANS = (
    *("revenu_mensuel", "charges_mensuelles", "personnes_a_charge", "mensualites_en_cours"),
    *("encours_autres_dettes", "taux_endettement", "ratio_dette_revenu"),
)
_WORK = ("age", "type_contrat_travail", "anciennete_travail_mois")
_ARREARS = ("nb_retards_30j", "nb_retards_60j", "nb_retards_90j")


def comparison_view(files: Sequence[ComparedFile]) -> ComparisonView:
    """Return the files side by side; a row whose values differ is marked."""
    values = [stored_values(each.application) if each.application else {} for each in files]
    columns = [
        ComparedColumn(
            title=str(each.client),
            reference=each.application.reference if each.application else each.client.reference,
            client_uid=each.client.uid,
            application_uid=each.application.uid if each.application else None,
            score_uid=each.prediction.uid if each.prediction else None,
        )
        for each in files
    ]
    scores = [each.prediction for each in files]
    status = [each.application.get_status_display() if each.application else MISSING for each in files]
    outcome = [
        each.application.get_outcome_display() or MISSING if each.application else MISSING for each in files
    ]
    sections: list[tuple[str, list[tuple[str, list[str]]]]] = [
        (_("Score"), _score_rows(scores)),
        (_("Credit asked for"), [*_value_rows(_REQUEST, values), (_("Status"), status)]),
        (_("Work, income and debts"), [*_value_rows((*_WORK, *_MEANS), values), _residual(values)]),
        (_("Earlier credits"), [*_value_rows(_ARREARS, values), (_("Outcome"), outcome)]),
    ]
    names = [column.title for column in columns]
    return ComparisonView(columns, [(title, side_rows(rows, names)) for title, rows in sections])


def _score_rows(scores: Sequence[Prediction | None]) -> list[tuple[str, list[str]]]:
    pairs: list[tuple[str, list[str]]] = [
        (_("Score"), [MISSING if each is None else f"{each.points} ({each.grade})" for each in scores]),
        (
            _("Probability of default"),
            [MISSING if each is None else percent(each.pd) for each in scores],
        ),
        (_("Recommendation"), [MISSING if each is None else _advice(each) for each in scores]),
        (
            _("Maximal advised amount"),
            [MISSING if each is None else fcfa(each.max_amount_xaf) for each in scores],
        ),
        (
            _("Rules broken"),
            [MISSING if each is None else _broken(each) for each in scores],
        ),
    ]
    return pairs


def _broken(prediction: Prediction) -> str:
    codes = [rule["code"] for rule in prediction.rules if rule["verdict"] == "violee"]
    return ", ".join(reasons.rule_label(code, current_lang()) for code in codes) or _("None")


def _value_rows(names: Iterable[str], values: Sequence[Mapping[str, Value]]) -> list[tuple[str, list[str]]]:
    lang = current_lang()
    return [
        (STANDARD[name].label(lang), [format_value(STANDARD[name], each.get(name), lang) for each in values])
        for name in names
    ]


def _residual(values: Sequence[Mapping[str, Value]]) -> tuple[str, list[str]]:
    return _("Left to live on each month"), [fcfa(means_of(each).residual) for each in values]


@dataclass(frozen=True, slots=True)
class EvolutionLine:
    """One score of a client, the latest first."""

    uid: UUID
    at: str
    reference: str
    points: int
    gained: str
    grade: str
    pd: str
    code: str
    advice: str
    model: str


def evolution_lines(scores: Sequence[Prediction]) -> list[EvolutionLine]:
    """Return the lines of a client's scores (the latest first), each with its change since the one before."""
    lines = []
    for place, each in enumerate(scores):
        earlier = scores[place + 1] if place + 1 < len(scores) else None
        lines.append(
            EvolutionLine(
                uid=each.uid,
                at=f"{timezone.localtime(each.created_at):%d/%m/%Y %H:%M}",
                reference=each.application.reference if each.application else "",
                points=each.points,
                gained="" if earlier is None else signed(each.points - earlier.points),
                grade=each.grade,
                pd=percent(each.pd),
                code=each.recommendation,
                advice=_advice(each),
                model=str(each.model_version),
            )
        )
    return lines


def evolution_chart(scores: Sequence[Prediction]) -> tuple[charts.Chart | None, str]:
    """Return the probabilities of a client over time with the thresholds, and what one sees."""
    oldest_first = sorted(scores, key=lambda each: each.created_at)
    if len(oldest_first) < 2:  # noqa: PLR2004  a line needs two
        return None, ""
    places = [timezone.localtime(each.created_at).timestamp() / DAY for each in oldest_first]
    chart = charts.lines(
        [
            (_("Probability of default"), list(zip(places, (each.pd for each in oldest_first), strict=True))),
            (
                _("Decision threshold"),
                list(zip(places, (each.threshold for each in oldest_first), strict=True)),
            ),
        ],
        x=_("Date"),
        x_words=_moment_words,
        y_words=lambda share: percent(share, 0),
    )
    chart = replace(chart, x_ticks=_day_ticks(chart.x_ticks))
    first, last = oldest_first[0], oldest_first[-1]
    finding = _("From %(before)s on %(first)s to %(after)s on %(last)s.") % {
        "before": percent(first.pd),
        "first": f"{timezone.localtime(first.created_at):%d/%m/%Y}",
        "after": percent(last.pd),
        "last": f"{timezone.localtime(last.created_at):%d/%m/%Y}",
    }
    return chart, finding


def _moment_words(days: float) -> str:
    moment = dt.datetime.fromtimestamp(days * DAY, tz=timezone.get_current_timezone())
    return f"{moment:%d/%m/%Y %H:%M}"


def _day_ticks(ticks: Sequence[charts.Tick]) -> list[charts.Tick]:
    """Keep the day of each mark, once, and so few marks that they stay apart on a phone."""
    days = {tick.label.split(" ")[0]: tick for tick in reversed(ticks)}
    marks = [replace(tick, label=day) for day, tick in reversed(days.items())]
    return marks[:: -(-len(marks) // MOST_MARKS)]


def evolution_rows(scores: Sequence[Prediction]) -> Iterator[list[Any]]:
    """Yield a client's scores as a file holds them, the names of the columns first."""
    yield [
        *(_("Date"), _("Application"), _("Score"), _("Grade"), _("Probability of default")),
        *(_("Decision threshold"), _("Recommendation"), _("Model")),
    ]
    for each in scores:
        yield [
            f"{timezone.localtime(each.created_at):%d/%m/%Y %H:%M}",
            each.application.reference if each.application else "",
            *(each.points, each.grade, each.pd, each.threshold, _advice(each), str(each.model_version)),
        ]
