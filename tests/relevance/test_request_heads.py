"""A server on a port of its own, and clients that send their heads badly."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI, Request

from relevance import request_heads
from relevance.listening import listening
from relevance.request_heads import MAX_BYTES, BoundedHeads

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = FastAPI()

    @app.api_route("/", methods=["GET", "POST"])
    async def length(request: Request) -> int:
        body = await request.body()
        await asyncio.sleep(float(request.query_params.get("wait", 0)))
        return len(body)

    with listening("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, http=BoundedHeads, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def answered(port: int, *parts: bytes, pause: float = 0.05) -> bytes:
    """All that comes back for what is sent in parts, until the server closes the connection."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(pause)
        while part := client.recv(65536):
            found += part
    return found


def refused(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


def test_what_is_long_but_not_too_long_is_answered(port: int) -> None:
    header = b"X: " + b"x" * (MAX_BYTES - len(GET) - 100) + b"\r\n"
    answer = answered(port, GET, header[:30_000], header[30_000:], b"Connection: close\r\n\r\n")
    assert (answer[:15], answer[-1:]) == (b"HTTP/1.1 200 OK", b"0")


@pytest.mark.parametrize("one", [b"X: " + b"x" * MAX_BYTES, b"X: y\r\n" * (MAX_BYTES // 6 + 1)], ids=["long", "many"])
@pytest.mark.parametrize("before", [(GET,), (GET + b"\r\n", GET)], ids=["first", "second"])
def test_a_head_that_is_too_long_is_refused(port: int, one: bytes, before: tuple[bytes, ...]) -> None:
    head = one[: MAX_BYTES + 1 - len(GET)]  # not a byte that is not read: the answer would be lost
    answer = answered(port, *before, head)
    assert refused(answer[answer.rindex(b"HTTP/1.1") :]) == (
        431,
        "expected an address and headers of at most 65536 bytes",
    )


def test_a_head_that_does_not_come_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_heads, "SECONDS", 0.2)
    for parts in ((b"",), (b"GET / HT",), (b"\r\n",), (GET, b"X: y\r\n")):
        started = time.monotonic()
        assert answered(port, *parts) == b""
        assert 0.15 < time.monotonic() - started < 2
    assert answered(port, GET + b"\r\n", b"GET / HT").startswith(b"HTTP/1.1 200 OK")


def test_bodies_and_answers_may_take_longer(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_heads, "SECONDS", 0.1)
    post = b"POST /?wait=0.3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    slow = answered(port, post + b"Content-Length: 200000\r\n\r\n", b"x" * 100_000, b"x" * 100_000, pause=0.2)
    assert slow.endswith(b"200000")
    chunks = [b"186a0\r\n" + b"x" * 100_000 + b"\r\n"] * 3
    assert answered(port, post + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n").endswith(b"300000")


def test_what_is_no_http_is_refused_like_everything_else(port: int) -> None:
    assert refused(answered(port, b"HELLO\r\n\r\n")) == (400, "Invalid HTTP request received.")
