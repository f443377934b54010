"""The load of the service's benchmark: all of it is sent, at its rate, and what went wrong is counted."""

import asyncio
from collections.abc import Sequence
from typing import Any

from eval.benchmarks.load import Outcome, Request, send
from eval.benchmarks.service import Row, report
from eval.benchmarks.versions import versions_in


def _load(
    requests: Sequence[Request], rate: float, delay: float = 0.0, connections: int = 4, keep_bodies: bool = False
) -> Outcome:
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
            return await send(server.sockets[0].getsockname()[1], requests, rate, connections, keep_bodies)

    return asyncio.run(loaded())


def test_every_request_is_answered_once() -> None:
    outcome = _load([Request("GET", "/x"), Request("POST", "/y", b'{"a": 1}', "token")] * 20, rate=1000)
    assert (len(outcome.milliseconds), outcome.failed) == (40, 0)


def test_errors_and_lost_answers_are_counted_and_the_rest_goes_on() -> None:
    outcome = _load([Request("GET", path) for path in ("/x", "/bad", "/drop", "/x")] * 5, rate=1000)
    assert (len(outcome.milliseconds), outcome.failed, outcome.dropped) == (15, 5, 5)


def test_bodies_are_kept_of_what_was_answered_well() -> None:
    outcome = _load([Request("GET", path) for path in ("/x", "/bad")], rate=1000, keep_bodies=True)
    assert outcome.bodies == [b"{}"]


def test_waiting_for_a_free_connection_counts() -> None:
    """One connection, 50 ms an answer: the fifth of five that are due at once has waited for four."""
    outcome = _load([Request("GET", "/x")] * 5, rate=100_000, delay=0.05, connections=1)
    assert outcome.milliseconds[-1] >= 5 * 50


def test_the_report_has_a_line_for_each_load() -> None:
    row = Row(2, "searches", 100, 1.5, 3.25, 9.0, 0.7, failed=1, mixed=3)
    text = report([row, row], 300.0)
    assert text.splitlines()[0] == "300 searches a second"
    assert text.splitlines()[-1].split() == ["2", "searches", "1.50", "3.25", "9.0", "0.70", "1", "0", "3", "0"]


def test_whatever_part_of_an_answer_is_of_another_version_is_seen() -> None:
    hit = {"listing_id": "7", "title": "Chair", "category": "Home > Chairs"}
    live = {"listing_id": "live-1", "title": "Chair, new", "category": "Home > Chairs"}
    first: dict[str, Any] = {
        "versions": {"fingerprint": "aaaa"},
        "category_filter": {"categories": [{"path": "Home > Chairs"}]},
        "hits": [hit, live],
    }
    other = {
        "versions": {"fingerprint": "bbbb"},
        "category_filter": {"categories": [{"path": "next Home > Chairs"}]},
        "hits": [hit | {"title": "next Chair", "category": "next Home > Chairs"}, live | {"category": "next Home"}],
    }
    assert _versions(first) == {"first"}
    assert _versions(other) == {"next"}
    for part in first:
        assert _versions(first | {part: other[part]}) == {"first", "next"}
    assert _versions(other | {"hits": [hit | {"category": ""}]}) == {"first", "next"}
    assert _versions(other | {"hits": [live]}) == {"first", "next"}


def _versions(answer: dict[str, Any]) -> set[str]:
    return versions_in(answer, "bbbb", lambda listing_id: listing_id.startswith("live-"))
