"""Log lines of production: JSON, with the request's name, without anybody's data."""

import json
import logging

from config.logs import JsonFormatter


def line(**more):
    record = logging.LogRecord("apps.x", logging.WARNING, __file__, 1, "Job %s stopped", ("4f",), None)
    record.request_id = "abc"
    for name, value in more.items():
        setattr(record, name, value)
    return JsonFormatter().format(record)


def test_a_line_is_one_object_with_the_name_of_the_request():
    text = line(status_code=503)

    found = json.loads(text)
    assert "\n" not in text
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "WARNING",
        "logger": "apps.x",
        "request_id": "abc",
        "message": "Job 4f stopped",
        "status": 503,
    }


def test_an_exception_tells_its_kind_and_places_but_not_its_text():
    client = "Awa Ngono"

    def refuse():
        raise ValueError(f"Key (name)=({client}) already exists")

    try:
        refuse()
    except ValueError as error:
        text = line(exc_info=(ValueError, error, error.__traceback__), request=client)

    found = json.loads(text)
    assert found["error"] == "ValueError"
    assert found["places"][0].startswith("tests/config/test_logs.py:")
    assert "Awa" not in text
