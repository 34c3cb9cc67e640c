"""Reading bodies: JSON whose texts can be stored and sent back."""

import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

#: Escapes that may hide a NUL or half a character; texts with neither are not looked at again.
_SUSPECT = re.compile(r"[\x00\ud800-\udfff]")


class TextParser(JSONParser):
    """JSON without NUL and half characters, which neither PostgreSQL nor UTF-8 can write."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        length = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0) if parser_context else 0
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:  # DRF reads the stream, where Django does not count
            raise RequestDataTooBig
        try:
            body = super().parse(stream, media_type, parser_context)
            readable = is_readable(body)
        except RecursionError:
            readable = False
        if not readable:
            raise ParseError
        return body


def is_readable(value: Any) -> bool:
    """Say whether every text of a body can be stored and sent back."""
    if isinstance(value, str):
        return _SUSPECT.search(value) is None
    if isinstance(value, dict):
        return all(is_readable(name) and is_readable(each) for name, each in value.items())
    return all(map(is_readable, value)) if isinstance(value, list) else True
