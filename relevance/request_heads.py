"""How much, and how long, a service waits for the part of a request that comes before its body."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from relevance.http_answers import error_answer

MAX_BYTES = 64 * 2**10
"""Longest head of a request, its address and headers, in bytes; what comes at once is read before it is measured."""

SECONDS = 10.0
"""Longest that a head, or what is between the parts of a body, may take to come."""


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol, for its option `http`, which knows neither limit: a head of more than `MAX_BYTES` is answered
    431, and a connection whose head is not there after `SECONDS` is closed."""

    _pending = 0
    """Bytes that have come since the last head, part of a body or request was complete."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._complete()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._pending += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._pending > MAX_BYTES:
            self._refuse(431, f"expected an address and headers of at most {MAX_BYTES} bytes")
        elif self._pending and self._timer is None:
            self._wait()

    def on_headers_complete(self) -> None:
        self._complete()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._complete()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._complete()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is refused like everything else."""
        self._refuse(400, msg)

    def _wait(self) -> None:
        self._timer = self.loop.call_later(SECONDS, self._late)

    def _complete(self) -> None:
        self._pending = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self._answering:  # Its own deadline ends it, and more is not read meanwhile.
            self._wait()
        else:
            self.transport.close()

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int, message: str) -> None:
        if not self._answering:
            answer: Any = error_answer(status, message, {"Connection": "close"})
            headers = (name + b": " + value + b"\r\n" for name, value in answer.raw_headers)
            self.transport.write(b"".join([STATUS_LINE[status], *headers, b"\r\n", answer.body]))
        self.transport.close()
