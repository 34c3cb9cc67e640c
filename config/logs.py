"""Log lines for machines: one JSON object a line, without anybody's data.

An exception gives its kind and the places it went through. Its text and its variables stay out: the database
quotes the row that it refused.
"""

import datetime as dt
import json
import logging
import traceback
from pathlib import Path

from config.env import REPOSITORY


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
        return json.dumps(line, ensure_ascii=False)


def _short(name: str) -> str:
    path = Path(name)
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else path.name
