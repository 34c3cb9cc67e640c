"""Log lines: one JSON object a line for machines, one line of text for people; without anybody's data.

An exception gives its kind and the places it went through. Its text and its variables stay out: the database
quotes the row that it refused.
"""

import datetime as dt
import json
import logging
import re
import traceback
from pathlib import Path
from typing import Any, override

from config.env import REPOSITORY

#: What would begin a line, move a cursor or turn the writing round: never from whoever sent the request.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class JsonFormatter(logging.Formatter):
    """Time in UTC, level, logger, request and message; for an exception ``error`` and ``places``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
        }
        status = getattr(record, "status_code", None)
        if isinstance(status, int):
            line["status"] = status
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["places"] = [
                f"{_short(frame.filename)}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])
            ]
        return _visible(json.dumps(line, ensure_ascii=False))


class LineFormatter(logging.Formatter):
    """One line a record, for people; those of an exception stand behind a bar, and look like no record."""

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        return _visible(super().formatMessage(record))

    @override
    def formatException(self, ei: Any) -> str:
        return _barred(super().formatException(ei))

    @override
    def formatStack(self, stack_info: str) -> str:
        return _barred(super().formatStack(stack_info))


def _barred(text: str) -> str:
    return "\n".join(f"  | {_visible(line)}" for line in text.split("\n"))


def _visible(text: str) -> str:
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _short(name: str) -> str:
    path = Path(name)
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else path.name
