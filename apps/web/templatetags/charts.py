"""Geometry of the charts, ready for the templates to draw."""

from django import template

from apps.web.gauge import Dial, dial

register = template.Library()


@register.simple_tag
def gauge_dial(points: int, threshold_points: int | str | None = None) -> Dial:
    """Shape of the score gauge; without the threshold's points it has no threshold mark."""
    # An attribute the score does not have reaches a tag as an empty string.
    return dial(points, threshold_points if isinstance(threshold_points, int) else None)
