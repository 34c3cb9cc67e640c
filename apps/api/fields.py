"""What the bodies and the filters of resources are made of; nothing unknown passes."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.credits.validators import check_line
from apps.tenancy.days import EARLIEST, LATEST

#: What a score may be asked of, instead of or beside the variables: one of these at most.
REFERENCES = ("application_id", "client_id", "client_reference")
#: More than any amount in FCFA; within what the database stores.
LARGEST = 10**15


class StrictSerializer(serializers.Serializer[Any]):
    """A body or a query in which an unknown name is an error."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as refusal:
            found: dict[str, Any] = dict(refusal.detail) if isinstance(refusal.detail, dict) else {}
            raise serializers.ValidationError({**found, **_unknown(unknown)}) from None
        if unknown:
            raise serializers.ValidationError(_unknown(unknown))
        return values


def _unknown(names: Iterable[str]) -> dict[str, list[str]]:
    return {name: [_("This field is not known.")] for name in sorted(names)}


class DayField(serializers.DateField):
    """A day that Python and PostgreSQL can reckon with."""

    def to_internal_value(self, value: Any) -> Any:
        day = super().to_internal_value(value)
        if not EARLIEST <= day <= LATEST:
            raise serializers.ValidationError(_("Give a day between 1900 and 2999."))
        return day


class AmountField(serializers.IntegerField):
    """A whole number of FCFA."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=LARGEST, **kwargs)


class PlainBoolean(serializers.BooleanField):
    """``true`` or ``false``, not the many words that stand for them."""

    TRUE_VALUES = {True, "true"}
    FALSE_VALUES = {False, "false"}
    NULL_VALUES = {None}


def text(length: int, **kwargs: Any) -> serializers.CharField:
    """Return a text that may be empty, of at most ``length`` characters."""
    return serializers.CharField(max_length=length, allow_blank=True, required=False, **kwargs)


def line(length: int, **kwargs: Any) -> serializers.CharField:
    """Return a text of one line, which may be empty, of at most ``length`` characters."""
    return text(length, validators=[check_line], **kwargs)
