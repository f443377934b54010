"""What every request is held to, around an app that does as little as the test needs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relevance.service.access import Writer
from relevance.service.bounds import Bounds
from relevance.service.interpreter import Answering
from relevance.service.settings import MOST_LARGE

LIMIT = 1000
TOKEN = (b"authorization", b"Bearer sesame")


def bounded(app: ASGIApp, answering: Answering | None = None, queue: int = 64, deadline: float = 5.0) -> Bounds:
    return Bounds(
        app,
        queue=queue,
        deadline=deadline,
        large={"/similar": LIMIT, "/upsert": LIMIT},
        written=("/upsert",),
        writer=Writer("sesame"),
        watched=(),
        answering=answering or Answering(),
    )


def scope(path: str, method: str = "GET", *headers: tuple[bytes, bytes]) -> Scope:
    return {"type": "http", "path": path, "method": method, "headers": headers}


async def at_once() -> Message:
    return {"type": "http.request", "body": b""}


async def never() -> Message:
    await asyncio.sleep(60)
    raise AssertionError


async def asked(app: ASGIApp, scope: Scope, receive: Receive = at_once) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the body."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": (await receive())["body"]})


def slowly_sent(parts: int, seconds: float) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in range(parts):
            await asyncio.sleep(seconds)
            await send({"type": "http.response.body", "body": b"x", "more_body": part + 1 < parts})

    return app


def test_what_takes_long_to_send_is_sent_whole() -> None:
    sent = asyncio.run(asked(bounded(slowly_sent(5, 0.03), deadline=0.1), scope("/images/a.jpg")))
    assert b"".join(message.get("body", b"") for message in sent) == b"xxxxx"


def test_sending_has_an_end_and_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relevance.service.bounds.SENDING_SECONDS", 0.1)
    sent = asyncio.run(asked(bounded(slowly_sent(100, 0.03)), scope("/images/a.jpg")))
    assert (sent[0]["status"], sent[-1]["more_body"]) == (200, True)
    assert 2 <= len(sent) < 10


def test_a_failure_of_the_app_stays_one() -> None:
    async def failing(*_: Any) -> None:
        raise TimeoutError("of the system")

    with pytest.raises(TimeoutError, match="of the system"):
        asyncio.run(asked(bounded(failing), scope("/search")))


def test_a_place_is_taken_while_an_answer_is_made() -> None:
    """Neither while the body comes nor while the answer is fetched."""
    answering = Answering()
    counts: dict[str, int] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        counts["made"] = answering.count
        await send({"type": "http.response.start", "status": 200, "headers": []})
        counts["sent"] = answering.count
        await send({"type": "http.response.body", "body": b""})

    async def body() -> Message:
        counts["read"] = answering.count
        return {"type": "http.request", "body": b"{}"}

    asyncio.run(asked(bounded(app, answering), scope("/search", "POST"), body))
    assert (counts, answering.count) == ({"read": 0, "made": 1, "sent": 0}, 0)


@pytest.mark.parametrize("made_within", [0.05, 60])
def test_more_answers_than_places_are_turned_away(made_within: float) -> None:
    answering = Answering()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(made_within)
        await echo(scope, receive, send)

    async def both() -> tuple[int, int, int]:
        within = bounded(app, answering, queue=1, deadline=0.2)
        first = asyncio.create_task(asked(within, scope("/search")))
        await asyncio.sleep(0.01)
        second = await asked(within, scope("/search"))
        return (await first)[0]["status"], second[0]["status"], answering.count

    assert asyncio.run(both()) == (200 if made_within < 0.2 else 504, 503, 0)


def test_slow_photos_keep_out_neither_writers_nor_searches() -> None:
    async def everybody() -> list[int]:
        within = bounded(echo, queue=1)
        slow = [asyncio.create_task(asked(within, scope("/similar", "POST"), never)) for _ in range(MOST_LARGE)]
        searches = [asyncio.create_task(asked(within, scope("/search", "POST"), never)) for _ in range(3)]
        await asyncio.sleep(0.01)
        others = scope("/similar", "POST"), scope("/upsert", "POST", TOKEN), scope("/search", "POST")
        statuses = [(await asked(within, other))[0]["status"] for other in others]
        for task in (*slow, *searches):
            task.cancel()
        return statuses

    assert asyncio.run(everybody()) == [503, 200, 200]


@pytest.mark.parametrize(("sizes", "status"), [((500, 500), 200), ((500, 501), 413), ((), 400)])
def test_a_body_is_given_whole_or_refused(sizes: tuple[int, ...], status: int) -> None:
    sent = asyncio.run(asked(bounded(echo), scope("/similar", "POST"), in_parts(sizes)))
    assert sent[0]["status"] == status
    assert (sent[1]["body"] == b"x" * 1000) == (status == 200)


def in_parts(sizes: tuple[int, ...]) -> Callable[[], Awaitable[Message]]:
    """A client that sends these; one that sends none leaves."""
    left = [{"type": "http.request", "body": b"x" * size, "more_body": True} for size in sizes]
    if left:
        left[-1]["more_body"] = False

    async def receive() -> Message:
        return left.pop(0) if left else {"type": "http.disconnect"}

    return receive
