"""Logs for programs: one JSON object a line, on stdout. The model runtime writes lines of its own on stderr."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

LOGGER = "relevance.service"
_ALL = "relevance"
"""What the engine has to tell is an operator's concern, too: a bundle that cannot be taken in."""


class JsonFormatter(logging.Formatter):
    """`time`, `level`, `message`, whatever was passed as `extra={"fields": {...}}`, and `exception` with its trace."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {"time": moment, "level": record.levelname.lower(), "message": record.getMessage()}
        fields |= getattr(record, "fields", {})
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)


CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonFormatter}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
    "loggers": {
        "uvicorn": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
        _ALL: {"handlers": ["stdout"], "level": "INFO", "propagate": False},
    },
}
"""For `logging.config.dictConfig`."""
