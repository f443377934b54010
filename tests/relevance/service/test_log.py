"""What an operator reads in the service's log."""

import json
import logging
import sys

import pytest
from fastapi.testclient import TestClient

from relevance.service.logs import LOGGER, JsonFormatter


def test_every_request_is_a_line_of_json_in_the_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger=LOGGER):
        client.get("/search", params={"q": "secret wish", "query_id": "q-19"})
    (record,) = caplog.records
    line = json.loads(JsonFormatter().format(record))
    assert (line["path"], line["status"], line["query_id"], line["level"]) == ("/search", 200, "q-19", "info")
    assert line["ms"] > 0
    # What somebody searched is theirs.
    assert "secret wish" not in json.dumps(line)


def test_a_failure_is_logged_with_its_trace() -> None:
    try:
        raise RuntimeError("inside")
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed\nbadly", (), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "RuntimeError: inside" in json.loads(line)["exception"]
