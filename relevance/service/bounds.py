"""What every request is held to, whatever it asks: how many at once, how long its body, how long it may take."""

import asyncio
from collections.abc import Collection, Mapping

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relevance.http_answers import error_answer
from relevance.service.access import Writer
from relevance.service.interpreter import Answering
from relevance.service.settings import MAX_QUERY_BYTES, MOST_LARGE


class Bounds:
    """ASGI middleware; think `app = Bounds(app, queue=64, deadline=10.0, large={"/similar": 20_000_000}, ...)`.

    large: the longest body, in bytes, of the paths that take more than `MAX_QUERY_BYTES`; written: the paths that only
    a `writer` may post to: nobody else's body is waited for; watched: the paths by which an operator sees how the
    process does, also when it is busy; answering: counts the others.
    """

    def __init__(
        self,
        app: ASGIApp,
        queue: int,
        deadline: float,
        large: Mapping[str, int],
        written: Collection[str],
        writer: Writer,
        watched: Collection[str],
        answering: Answering,
    ) -> None:
        self._app, self._queue, self._deadline, self._large = app, queue, deadline, large
        self._written, self._writer, self._watched = written, writer, watched
        self._answering, self._running_large = answering, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._watched:
            return await self._app(scope, receive, send)
        posted = scope["method"] == "POST"
        if posted and scope["path"] in self._written and (no := self._writer.refusal(Headers(scope=scope))):
            return await error_answer(no.status_code, no.detail, no.headers)(scope, receive, send)
        large = posted and scope["path"] in self._large
        if self._answering.count >= self._queue or (large and self._running_large >= MOST_LARGE):
            busy = error_answer(503, "too many requests at once; try again", {"Retry-After": "1"})
            return await busy(scope, receive, send)
        self._answering.count += 1
        self._running_large += large
        try:
            await self._within_limits(scope, receive, send)
        finally:
            self._answering.count -= 1
            self._running_large -= large

    async def _within_limits(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._large.get(scope["path"], MAX_QUERY_BYTES)
        body = _Body(limit, receive)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            return await error_answer(413, body.too_long)(scope, receive, send)
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(self._deadline):
                await self._app(scope, body.receive, sent)
        except TimeoutError:
            if started:
                raise
            await error_answer(504, f"no answer within {self._deadline:g} seconds")(scope, receive, send)


class _Body:
    """The messages of a body, as long as there are not too many bytes in them."""

    def __init__(self, limit: int, receive: Receive) -> None:
        self._left, self._receive = limit, receive
        self.too_long = f"expected a body of at most {limit} bytes"

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, self.too_long)
        return message
