"""What the page of components shows: every kind of field, a list, factors and charts, of nobody."""

import datetime as dt
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.engine import reasons
from apps.tenancy.language import current_lang
from apps.web.charts import Chart, bars, histogram, lines
from apps.web.fields import AmountField
from apps.web.scoring.presenters import FactorView, ScoreLine
from apps.web.templatetags.formats import percent

DAY = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
SCORES = (
    ("Ngo Bassong Marie-Claire", 1_500_000, 12, 712, "A", "faible", "accorder"),
    ("Tabe Emmanuel", 600_000, 24, 548, "C", "modere", "etudier"),
    ("Abbo Moussa", 3_250_000, 36, 402, "E", "eleve", "refuser"),
)


class ComponentsForm(forms.Form):
    """Every kind of field that a page uses."""

    text = forms.CharField(label=gettext_lazy("Last name"), max_length=80)
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False)
    amount = AmountField(label=gettext_lazy("Amount"))
    day = forms.DateField(
        label=gettext_lazy("Date of birth"),
        help_text=gettext_lazy("dd/mm/yyyy"),
        widget=forms.DateInput(format="%d/%m/%Y"),
        input_formats=["%d/%m/%Y"],
    )
    choice = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=lambda: [("", _("Choose")), ("fr", _("French"))]
    )
    radio = forms.ChoiceField(
        label=gettext_lazy("First credit with us?"),
        widget=forms.RadioSelect,
        choices=lambda: [("yes", _("Yes")), ("no", _("No"))],
    )
    text_area = forms.CharField(
        label=gettext_lazy("Purpose of the credit"), widget=forms.Textarea(attrs={"rows": 3})
    )
    check = forms.BooleanField(
        label=gettext_lazy("The client agrees to the use of these data for this application")
    )


def untouched_form() -> forms.Form:
    return ComponentsForm(prefix="new", initial={"amount": 1_500_000, "day": DAY.date()})


def refused_form() -> forms.Form:
    """Return the form as it comes back: everything wrong."""
    form = ComponentsForm({"bad-amount": "1.5", "bad-day": "31/02/1990", "bad-email": "aline"}, prefix="bad")
    form.is_valid()
    return form


def table() -> list[ScoreLine]:
    return [_line(rank) for rank in range(len(SCORES))]


def _line(rank: int) -> ScoreLine:
    client, amount, months, points, grade, band, advice = SCORES[rank]
    lang = current_lang()
    return ScoreLine(
        uid=UUID(int=rank),
        created_at=DAY,
        client_label=client,
        agency_label="Douala",
        author_label="Aline Tchoumi",
        source_label=_("Page"),
        amount_xaf=amount,
        duration_months=months,
        points=points,
        grade=grade,
        band=band,
        band_label=reasons.band_label(band, lang),  # type: ignore[arg-type]
        recommendation=advice,
        recommendation_label=reasons.recommendation_label(advice, lang),  # type: ignore[arg-type]
    )


def score() -> dict[str, Any]:
    """Return what the gauge needs."""
    lang = current_lang()
    return {
        "points": 548,
        "threshold_points": 520,
        "grade": "C",
        "band": "modere",
        "band_label": reasons.band_label("modere", lang),
        "pd_text": percent(0.0843),
        "threshold_text": percent(0.12),
    }


def factors() -> list[FactorView]:
    return [
        FactorView(_("Amount"), "600 000", 0.4, -38, True, _("Raises the risk most."), 100),
        FactorView(_("Term"), "12", -0.2, 19, False, _("Lowers the risk."), 50),
    ]


def charts() -> list[dict[str, Any]]:
    """Return one chart of each kind, with its title and what one sees on it."""
    observed = [(0.0, 0.01), (0.1, 0.08), (0.2, 0.22), (0.3, 0.31), (0.4, 0.38)]
    predicted = [(0.0, 0.02), (0.1, 0.1), (0.2, 0.2), (0.3, 0.3), (0.4, 0.4)]
    curves = lines(
        [(_("Observed"), observed), (_("Predicted"), predicted)],
        x=_("Probability of default"),
        x_words=_rate,
        y_words=_rate,
        diagonal=True,
    )
    monthly = bars(
        [("01/2026", 42.0), ("02/2026", 57.0), ("03/2026", 49.0)], x=_("Month"), y=_("Scores"), y_words=_whole
    )
    spread = histogram([3, 9, 17, 12, 4], start=300, step=110, x=_("Score"), x_words=_whole, y_words=_whole)
    return [
        _figure("curves", curves, _("Calibration"), _("The model foresees what is observed.")),
        _figure("months", monthly, _("Scores by month"), _("February was the busiest month.")),
        _figure("spread", spread, _("Spread of the scores"), _("Most scores stand in the middle.")),
    ]


def _figure(name: str, chart: Chart, title: str, finding: str) -> dict[str, Any]:
    return {"id": name, "chart": chart, "title": title, "finding": finding}


def _rate(value: float) -> str:
    return percent(value, 0)


def _whole(value: float) -> str:
    return f"{value:.0f}"
