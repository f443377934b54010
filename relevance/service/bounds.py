"""What every request is held to, whatever it asks: how many at once, how long its body, how long it may take."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relevance.http_answers import error_answer
from relevance.service.access import Writer
from relevance.service.interpreter import Answering
from relevance.service.settings import MAX_QUERY_BYTES, MOST_LARGE, SENDING_SECONDS


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
        self._answering = answering
        # Writers' and everybody's are counted apart: whoever sends photos slowly keeps no writer out.
        self._running_large = {True: 0, False: 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._watched:
            return await self._app(scope, receive, send)
        posted = scope["method"] == "POST"
        writes = posted and scope["path"] in self._written
        try:
            if writes and (no := self._writer.refusal(Headers(scope=scope))):
                raise no
            if not (posted and scope["path"] in self._large):
                return await self._within_deadline(MAX_QUERY_BYTES, scope, receive, send)
            if self._running_large[writes] >= MOST_LARGE:
                raise _busy()
            self._running_large[writes] += 1
            try:
                await self._within_deadline(self._large[scope["path"]], scope, receive, send)
            finally:
                self._running_large[writes] -= 1
        except HTTPException as refused:
            await error_answer(refused.status_code, refused.detail, refused.headers)(scope, receive, send)

    async def _within_deadline(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        """limit: bytes of the body. Raises HTTPException where nothing is answered."""
        started = False
        try:
            async with asyncio.timeout(self._deadline) as time_left:
                body = await _read(limit, scope, receive)
                # A body that comes slowly takes no place, nor does an answer that is fetched slowly.
                with self._place() as place:

                    async def sent(message: Message) -> None:
                        nonlocal started
                        if not started:
                            started = True
                            place.close()
                            time_left.reschedule(asyncio.get_running_loop().time() + SENDING_SECONDS)
                        await send(message)

                    await self._app(scope, _received(body, receive), sent)
        except TimeoutError:
            if not time_left.expired():
                raise
            if not started:
                raise HTTPException(504, f"no answer within {self._deadline:g} seconds") from None

    def _place(self) -> ExitStack:
        """One of the `queue` places, until it is closed; raises HTTPException where none is free."""
        if self._answering.count >= self._queue:
            raise _busy()
        place = ExitStack()
        self._answering.count += 1
        place.callback(self._leave)
        return place

    def _leave(self) -> None:
        self._answering.count -= 1


def _busy() -> HTTPException:
    return HTTPException(503, "too many requests at once; try again", {"Retry-After": "1"})


async def _read(limit: int, scope: Scope, receive: Receive) -> bytes:
    """The body; raises HTTPException for one of more than `limit` bytes, before it is read where it says so."""
    too_long = HTTPException(413, f"expected a body of at most {limit} bytes")
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limit:
        raise too_long
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "the client left before the body was read")
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_long
        more = message.get("more_body", False)
    return bytes(body)


def _received(body: bytes, receive: Receive) -> Receive:
    """What the app receives: the body as one message, then what else comes."""
    first: Iterator[Message] = iter([{"type": "http.request", "body": body}])

    async def received() -> Message:
        return next(first, None) or await receive()

    return received
