"""Requests over HTTP/1.1 at a fixed rate, whatever becomes of those before: a service that is slow gets no rest.

The latency of a request counts from the moment it was due (no "coordinated omission").
"""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple


class Request(NamedTuple):
    """Method, address, and for a POST the body (JSON) and a bearer token."""

    method: str
    target: str
    body: bytes = b""
    token: str = ""

    def encoded(self) -> bytes:
        """As it is sent."""
        head = [f"{self.method} {self.target} HTTP/1.1", "Host: service", f"Content-Length: {len(self.body)}"]
        head += ["Content-Type: application/json"] if self.body else []
        head += [f"Authorization: Bearer {self.token}"] if self.token else []
        return "\r\n".join([*head, "", ""]).encode() + self.body


@dataclass
class Outcome:
    """milliseconds: of each answer, in the order they came; failed: answers of another status than 200, bodies: of
    the others; dropped: requests that got no answer."""

    milliseconds: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    failed: int = 0
    dropped: int = 0


async def send(
    port: int, requests: Sequence[Request], rate: float, connections: int = 32, keep_bodies: bool = False
) -> Outcome:
    """Sends `rate` requests a second, each on a connection that is free. Bodies are kept where that is asked for."""
    outcome = Outcome()
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(_Connection(*await asyncio.open_connection("127.0.0.1", port)))

    async def one(number: int, request: Request) -> None:
        due = begun + number / rate
        await asyncio.sleep(due - perf_counter())
        connection = await free.get()
        try:
            status, body = await connection.ask(request)
        except (OSError, asyncio.IncompleteReadError):
            outcome.dropped += 1
            connection = _Connection(*await asyncio.open_connection("127.0.0.1", port))
        else:
            outcome.milliseconds.append(1000 * (perf_counter() - due))
            outcome.failed += status != 200
            if keep_bodies and status == 200:
                outcome.bodies.append(body)
        free.put_nowait(connection)

    sent = [asyncio.ensure_future(one(number, request)) for number, request in enumerate(requests)]
    gc.freeze()  # a pause of the one who measures would count as the service's
    begun = perf_counter()
    await asyncio.gather(*sent)
    while not free.empty():
        free.get_nowait().close()
    return outcome


class _Connection:
    """One connection, kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, request: Request) -> tuple[int, bytes]:
        """The status and the body of the answer, once all of it has come."""
        self._writer.write(request.encoded())
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = await self._reader.readexactly(int(length))
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        self._writer.close()
