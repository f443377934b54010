"""The load of the service's benchmark: all of it is sent, at its rate, and what went wrong is counted."""

import asyncio
from collections.abc import Sequence

from eval.benchmarks.load import Outcome, Request, send
from eval.benchmarks.service import Row, report


def _load(requests: Sequence[Request], rate: float, delay: float = 0.0, connections: int = 4) -> Outcome:
    """Against a server that answers /bad with 500, drops the connection for /drop, and anything else with 200."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                if b" /drop " in head:
                    break
                await asyncio.sleep(delay)
                status = b"500 No" if b" /bad " in head else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    async def loaded() -> Outcome:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            return await send(server.sockets[0].getsockname()[1], requests, rate, connections)

    return asyncio.run(loaded())


def test_every_request_is_answered_once() -> None:
    outcome = _load([Request("GET", "/x"), Request("POST", "/y", b'{"a": 1}', "token")] * 20, rate=1000)
    assert (len(outcome.milliseconds), outcome.failed) == (40, 0)


def test_errors_and_lost_answers_are_counted_and_the_rest_goes_on() -> None:
    outcome = _load([Request("GET", path) for path in ("/x", "/bad", "/drop", "/x")] * 5, rate=1000)
    assert (len(outcome.milliseconds), outcome.failed) == (15, 10)


def test_waiting_for_a_free_connection_counts() -> None:
    """One connection, 50 ms an answer: the fifth of five that are due at once has waited for four."""
    outcome = _load([Request("GET", "/x")] * 5, rate=100_000, delay=0.05, connections=1)
    assert outcome.milliseconds[-1] >= 5 * 50


def test_the_report_has_a_line_for_each_load() -> None:
    row = Row("searches", 100, 1.5, 3.25, 9.0, 0.7, 1)
    text = report([row, row], 300.0)
    assert text.splitlines()[0] == "300 requests a second"
    assert text.splitlines()[-1].split() == ["searches", "100", "1.50", "3.25", "9.0", "0.70", "1"]
