"""Lists of the API: filters that are checked, a cursor, an order among those that are declared."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.fields import DayField, StrictSerializer
from apps.tenancy.cursors import Order, UnreadableCursor
from apps.tenancy.errors import InvalidValues

SIZE, MOST = 25, 100


class ListSerializer(StrictSerializer):
    """The parameters of every list; a subclass adds its filters and ``orders``."""

    #: Word of ``sort`` -> the column; the first one is the order where none is asked for.
    orders: Mapping[str, Order] = {}

    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, default=SIZE, help_text="Nombre de lignes, 100 au plus"
    )
    cursor = serializers.CharField(
        max_length=80, required=False, help_text="« next_cursor » de la page précédente"
    )

    def get_fields(self) -> dict[str, Any]:
        words = list(self.orders)
        sort = serializers.ChoiceField(
            choices=words, default=words[0], help_text=f"Ordre ; « {words[0]} » par défaut"
        )
        return {**super().get_fields(), "sort": sort}


class PeriodSerializer(ListSerializer):
    """Filters of a list over a period; both days are included."""

    def get_fields(self) -> dict[str, Any]:
        first = DayField(required=False, help_text="Premier jour (AAAA-MM-JJ)")
        last = DayField(required=False, help_text="Dernier jour, inclus")
        return {**super().get_fields(), "from": first, "to": last}

    def validate(self, values: Any) -> Any:
        if "from" in values and "to" in values and values["from"] > values["to"]:
            raise serializers.ValidationError({"to": [_("The end comes before the start.")]})
        return values


def asked(request: Request, serializer: type[ListSerializer]) -> dict[str, Any]:
    """Return the checked parameters of a list; raise ``ValidationError`` naming what cannot be used."""
    given = serializer(data=request.query_params.dict())
    given.is_valid(raise_exception=True)
    return {**given.validated_data, "order": serializer.orders[given.validated_data["sort"]]}


def page(
    request: Request, rows: QuerySet[Any], wish: Mapping[str, Any], body: Callable[[Any], dict[str, Any]]
) -> Response:
    """Answer one page of ``rows``, each written by ``body``, and where the next one begins."""
    order, limit = wish["order"], wish["limit"]
    if cursor := wish.get("cursor"):
        try:
            rows = rows.filter(order.beyond(rows, cursor, ahead=True))
        except UnreadableCursor:
            message = _("This cursor was given by no page of this list.")
            raise InvalidValues(message, fields={"cursor": [message]}) from None
    found = list(rows.order_by(*order.forth)[: limit + 1])
    shown = found[:limit]
    further = order.cursor(shown[-1]) if len(found) > limit else None
    return Response(
        {
            "results": [body(row) for row in shown],
            "next_cursor": further,
            "next": further and _address(request, further),
        }
    )


def _address(request: Request, cursor: str) -> str:
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


@cache
def page_of(serializer: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """Return what documents a page of such rows."""
    name = serializer.__name__.removesuffix("Serializer")
    fields = {
        "results": serializer(many=True),
        "next_cursor": serializers.CharField(
            allow_null=True, help_text="À donner en « cursor » pour la page suivante ; null à la fin"
        ),
        "next": serializers.URLField(allow_null=True, help_text="Adresse de la page suivante"),
        "__doc__": "Une page de la liste.",
    }
    return type(f"{name}PageSerializer", (serializers.Serializer,), fields)
