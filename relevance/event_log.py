"""Records behaviour for the next training: lines appended to files that are closed after a while and never changed
again. What `append` says is recorded survives `kill -9` and a power cut.

A file is `events-TIME-RANDOM.jsonl.part` while its writer lives, which holds a lock on it, and loses `.part` when it is
full, old, or its writer closes. What a killed writer left is cut after the last whole line and finished by the next
one to start. Several processes may record into one folder.
"""

import contextlib
import fcntl
import os
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import NamedTuple
from uuid import uuid4

from relevance.errors import DataError

ROTATE_BYTES = 64 * 2**20
ROTATE_SECONDS = 3600.0
_PART = ".jsonl.part"


class _Batch(NamedTuple):
    data: bytes
    done: "Future[None]"


class EventLog:
    """Think `log.append(lines).result()`: returns when the lines are on disk. Safe to share between threads."""

    def __init__(self, folder: Path, rotate_bytes: int = ROTATE_BYTES, rotate_seconds: float = ROTATE_SECONDS) -> None:
        """Makes the folder where there is none, and finishes what killed writers left there."""
        self._folder, self._bytes, self._seconds = Path(folder), rotate_bytes, rotate_seconds
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _finish_orphans(self._folder)
        except OSError as error:
            raise DataError(f"{folder}: events cannot be recorded here ({error.strerror})") from error
        self._part: _Part | None = None
        self._waiting: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def append(self, lines: Sequence[str]) -> "Future[None]":
        """Appends lines (without line ends), all or none; the future fails with OSError where the disk does."""
        done: Future[None] = Future()
        self._waiting.put(_Batch("".join(f"{line}\n" for line in lines).encode(), done))
        return done

    def close(self) -> None:
        """Writes what waits and finishes the file."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            batches = self._gathered()
            closing = None in batches
            self._write([batch for batch in batches if batch and batch.done.set_running_or_notify_cancel()])
            if self._part is not None and (closing or self._part.is_over(self._bytes, self._seconds)):
                # What cannot be finished now is, as an orphan, by the next one to start.
                with contextlib.suppress(OSError):
                    self._part.finish()
                self._part = None

    def _gathered(self) -> list[_Batch | None]:
        """What has come in since: all of it shares one fsync."""
        batches: list[_Batch | None] = []
        with contextlib.suppress(queue.Empty):
            batches.append(self._waiting.get(timeout=self._part.seconds_left(self._seconds) if self._part else None))
            while True:
                batches.append(self._waiting.get_nowait())
        return batches

    def _write(self, batches: Sequence[_Batch]) -> None:
        if not batches:
            return
        try:
            if self._part is None:
                self._part = _Part(self._folder)
            self._part.append(b"".join(batch.data for batch in batches))
        except OSError as error:
            for batch in batches:
                batch.done.set_exception(error)
        else:
            for batch in batches:
                batch.done.set_result(None)


class _Part:
    """The file that is being written."""

    def __init__(self, folder: Path) -> None:
        name = f"events-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
        self.path, new = folder / f"{name}{_PART}", folder / f".{name}.new"
        self._file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        try:
            # Locked before it can be seen, so that nobody takes it for an orphan.
            fcntl.flock(self._file, fcntl.LOCK_EX)
            os.rename(new, self.path)
            _sync(folder)
        except OSError:
            new.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
            os.close(self._file)
            raise
        self._size, self._started, self._spoilt = 0, monotonic(), False

    def append(self, data: bytes) -> None:
        """Writes and waits for the disk; after an error the file is as it was before, or else it is over."""
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
            os.fsync(self._file)
        except OSError:
            self._spoilt = True
            os.ftruncate(self._file, self._size)
            self._spoilt = False
            raise
        self._size += len(data)

    def is_over(self, most_bytes: int, most_seconds: float) -> bool:
        return self._spoilt or self._size >= most_bytes or self.seconds_left(most_seconds) == 0

    def seconds_left(self, most_seconds: float) -> float:
        return max(0.0, self._started + most_seconds - monotonic())

    def finish(self) -> None:
        try:
            _finish(self.path, self._size)
        finally:
            os.close(self._file)


def _finish_orphans(folder: Path) -> None:
    for path in folder.glob(f"*{_PART}"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists():
                _finish(path, _whole_lines(path))


def _whole_lines(path: Path) -> int:
    """Bytes up to the end of the last whole line; the rest was never said to be recorded."""
    return path.read_bytes().rfind(b"\n") + 1


def _finish(path: Path, size: int) -> None:
    """Cuts the file to `size` bytes and gives it its last name; an empty one goes."""
    if size:
        os.truncate(path, size)
        os.rename(path, path.with_suffix(""))
    else:
        path.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Waits until the names in `folder` are on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
