"""Every request seen from outside: a line in the log, a count and a duration."""

import logging
from collections.abc import Collection
from time import perf_counter
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relevance.service.logs import LOGGER
from relevance.service.metrics import Metrics

_FACTS = "relevance.facts"


def note(request: Request, **facts: Any) -> None:
    """Adds to what the log says of this request."""
    request.scope.setdefault(_FACTS, {}).update(facts)


class Observed:
    """ASGI middleware. paths: of the endpoints; what was refused before any was looked for counts for them, too."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Collection[str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, paths
        self._log = logging.getLogger(LOGGER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = perf_counter()
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            seconds = perf_counter() - started
            # The route as it was declared: a label for each listing id would never end.
            unrouted = str(scope["path"]) if scope["path"] in self._paths else "other"
            endpoint = getattr(scope.get("route"), "path", unrouted)
            self._metrics.request(endpoint, status, seconds)
            fields = {"method": scope["method"], "path": scope["path"], "status": status}
            fields |= {"ms": round(seconds * 1000, 2)} | scope.get(_FACTS, {})
            self._log.info("request", extra={"fields": fields})
