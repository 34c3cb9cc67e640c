"""How often people decided against the advice, and how it ended, in words and tables."""

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from apps.decisions.queries.rates import ALARM_SHARE, GrantedOutcomes, OverrideRate
from apps.web.monitoring.tables import Table
from apps.web.templatetags.formats import percent, whole


def overrides_of(rates: Mapping[str, Sequence[OverrideRate]]) -> list[tuple[str, Table]]:
    """Return how often decisions went against the advice, by analyst and by agency."""
    titles = {"analyst": _("By analyst"), "agency": _("By agency")}
    return [(titles[by], _override_table(found)) for by, found in rates.items() if found]


def _override_table(rates: Iterable[OverrideRate]) -> Table:
    header = [
        _("Name"),
        _("Decisions"),
        _("Granted against the advice"),
        _("Refused against the advice"),
        _("Share"),
        _("Reading"),
    ]
    return Table(header, [(_override_row(rate), _override_tone(rate)) for rate in rates])


def _override_row(rate: OverrideRate) -> list[str]:
    interval = f"{percent(rate.share, 1)} ({percent(rate.low, 1)} – {percent(rate.high, 1)})"
    reading = {
        "neutral": _("Too few decisions"),
        "caution": _("Above %(limit)s") % {"limit": percent(ALARM_SHARE, 0)},
        "positive": _("Within the limits"),
    }[_override_tone(rate)]
    counts = [whole(rate.decisions), whole(rate.milder), whole(rate.stricter)]
    return [rate.label, *counts, interval, reading]


def _override_tone(rate: OverrideRate) -> str:
    if not rate.is_measured:
        return "neutral"
    return "caution" if rate.is_alarming else "positive"


def outcomes_of(outcomes: tuple[GrantedOutcomes, GrantedOutcomes]) -> str:
    """Say how files granted against the advice ended, beside those granted with it; nothing without any."""
    against, following = outcomes
    if against.share is None or following.share is None:
        return ""
    return _(
        "Of the files granted whose outcome is known: %(against)s of %(rows)s defaulted when granted against "
        "the advice, %(following)s of %(others)s when granted with it."
    ) % {
        "against": percent(against.share, 1),
        "rows": whole(against.known),
        "following": percent(following.share, 1),
        "others": whole(following.known),
    }
