"""The event log: what it says is recorded is, and the next training reads it."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from relevance import events
from relevance.errors import DataError
from relevance.event_log import EventLog
from relevance.events import read_behaviour
from tests.live_engines import eventually


def _event(number: int) -> str:
    fields = {"action_name": "click", "query_id": "q", "timestamp": 1_760_000_000_000 + number}
    return json.dumps(fields | {"event_attributes": {"object": {"object_id": f"listing-{number}"}}})


def _lines(folder: Path) -> list[str]:
    return [line for file in sorted(folder.iterdir()) for line in file.read_text().splitlines()]


def test_what_is_appended_is_on_disk_when_it_says_so(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    log.append([_event(1), _event(2)]).result(timeout=10)
    assert _lines(tmp_path / "events") == [_event(1), _event(2)]
    log.close()


def test_closing_leaves_files_that_training_reads(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    query = {"query_id": "q", "user_query": "chair", "timestamp": 1_760_000_000_000}
    log.append([json.dumps(query)]).result(timeout=10)
    log.append([_event(3)]).result(timeout=10)
    log.close()
    assert [file.suffix for file in (tmp_path / "events").iterdir()] == [".jsonl"]
    for folder in (tmp_path, tmp_path / "events"):
        behaviour = read_behaviour(folder)
        assert (behaviour.queries, behaviour.event_listing) == (["chair"], ["listing-3"])
        assert behaviour.event_query.tolist() == [0]


def test_training_reads_what_is_on_disk_while_a_service_records(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    log.append([_event(1), _event(2)]).result(timeout=10)
    (part,) = (tmp_path / "events").iterdir()
    with part.open("ab") as file:
        file.write(_event(3).replace("listing", "é").encode()[:-4].partition(b"\xc3")[0] + b"\xc3")
    for folder in (tmp_path, tmp_path / "events"):
        assert read_behaviour(folder).event_listing == ["listing-1", "listing-2"]
    log.close()
    assert read_behaviour(tmp_path).event_listing == ["listing-1", "listing-2"]


@pytest.mark.parametrize("when", ["looked for", "read"])
def test_a_file_that_is_finished_while_it_is_read_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    log = EventLog(tmp_path)
    log.append([_event(1)]).result(timeout=10)
    glob, read = Path.glob, events.read_records

    def finished_after_it_was_found(folder: Path, pattern: str) -> list[Path]:
        found = list(glob(folder, pattern))
        if found and when == "looked for":
            log.close()
        return found

    def finished_before_it_is_read(files: list[Path]) -> Any:
        if when == "read":
            log.close()
        return read(files)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "glob", finished_after_it_was_found)
        patched.setattr(events, "read_records", finished_before_it_is_read)
        behaviour = read_behaviour(tmp_path)
    assert behaviour.event_listing == ["listing-1"]
    assert [file.suffix for file in tmp_path.iterdir()] == [".jsonl"]


def test_recorded_events_come_beside_those_of_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(_event(1) + "\n")
    log = EventLog(tmp_path / "events")
    log.append([_event(2)]).result(timeout=10)
    log.close()
    assert read_behaviour(tmp_path).event_listing == ["listing-1", "listing-2"]


def test_a_full_file_is_finished_and_the_next_begun(tmp_path: Path) -> None:
    log = EventLog(tmp_path, rotate_bytes=300)
    for number in range(10):
        log.append([_event(number)]).result(timeout=10)
    log.close()
    assert len(list(tmp_path.glob("*.jsonl"))) > 2
    assert sorted(_lines(tmp_path)) == sorted(map(_event, range(10)))


def test_an_old_file_is_finished(tmp_path: Path) -> None:
    log = EventLog(tmp_path, rotate_seconds=0.05)
    log.append([_event(1)]).result(timeout=10)
    waited = threading.Event()
    for _ in range(200):
        if list(tmp_path.glob("*.jsonl")):
            break
        waited.wait(0.05)
    assert [file.suffix for file in tmp_path.iterdir()] == [".jsonl"]
    log.close()


def test_what_comes_late_makes_a_file_no_older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("relevance.event_log.monotonic", lambda: now)
    log = EventLog(tmp_path, rotate_seconds=3600)
    log.append([_event(1)]).result(timeout=10)
    now = 3599.9
    log.append([_event(2)]).result(timeout=10)
    assert not list(tmp_path.glob("*.jsonl"))
    now = 3600.0
    eventually(lambda: bool(list(tmp_path.glob("*.jsonl"))))
    log.close()


def test_nothing_appended_leaves_nothing(tmp_path: Path) -> None:
    EventLog(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_many_threads_lose_and_mix_nothing(tmp_path: Path) -> None:
    log = EventLog(tmp_path, rotate_bytes=2000)

    def append(first: int) -> None:
        for number in range(first, first + 20):
            log.append([_event(number)]).result(timeout=10)

    threads = [threading.Thread(target=append, args=(100 * t,)) for t in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    expected = [_event(100 * t + i) for t in range(5) for i in range(20)]
    assert sorted(_lines(tmp_path)) == sorted(expected)


def test_what_was_given_up_is_not_written(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    # Held up by its first batch, the log has not begun the second when that is given up.
    given_up = log.append([_event(1)])
    cancelled = given_up.cancel()
    log.append([_event(2)]).result(timeout=10)
    log.close()
    assert _lines(tmp_path) == ([_event(2)] if cancelled else [_event(1), _event(2)])


def test_a_full_disk_fails_the_append_and_not_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog(tmp_path)
    log.append([_event(1)]).result(timeout=10)

    def half(handle: int, data: bytes) -> int:
        real(handle, data[:5])
        raise OSError(28, "No space left on device")

    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space left"):
            log.append([_event(2)]).result(timeout=10)
    log.append([_event(3)]).result(timeout=10)
    log.close()
    assert _lines(tmp_path) == [_event(1), _event(3)]


def test_what_cannot_be_taken_back_is_no_beginning_of_the_next_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(tmp_path)
    log.append([_event(1)]).result(timeout=10)
    real = os.write

    def half(handle: int, data: bytes) -> int:
        real(handle, data[:5])
        raise OSError(5, "Input/output error")

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        patched.setattr(os, "ftruncate", broken)
        with pytest.raises(OSError, match="Input/output"):
            log.append([_event(2)]).result(timeout=10)
    log.append([_event(3)]).result(timeout=10)
    log.close()
    assert sorted(_lines(tmp_path)) == [_event(1), _event(3)]


@pytest.mark.parametrize("step", ["rename", "fsync"])
def test_a_file_that_cannot_be_begun_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    log = EventLog(tmp_path)
    opened = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patched:
        patched.setattr(os, step, broken)
        with pytest.raises(OSError, match="Input/output"):
            log.append([_event(1)]).result(timeout=10)
    assert (list(tmp_path.iterdir()), len(os.listdir("/proc/self/fd"))) == ([], opened)
    log.append([_event(2)]).result(timeout=10)
    log.close()
    assert _lines(tmp_path) == [_event(2)]


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="events cannot be recorded here"):
        EventLog(tmp_path / "file")


_WRITER = """
import sys
from pathlib import Path
from relevance.event_log import EventLog
log = EventLog(Path(sys.argv[1]), rotate_bytes=3000)
for number in range(100_000):
    log.append(['{"number": %d, "padding": "%s"}' % (number, "x" * 50)]).result()
    print(number, flush=True)
"""


def test_kill_loses_nothing_that_was_said_to_be_recorded(tmp_path: Path) -> None:
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(60)]
        process.send_signal(signal.SIGKILL)
        said += [int(line) for line in process.stdout]
        process.wait()
        EventLog(tmp_path).close()
        assert {file.suffix for file in tmp_path.iterdir() if not file.name.startswith(".")} == {".jsonl"}
        numbers = [json.loads(line)["number"] for line in _lines(tmp_path)]
        assert set(said) <= set(numbers)
        assert len(numbers) == len(set(numbers))
        for file in tmp_path.iterdir():
            file.unlink()


def test_a_half_written_line_is_cut_and_a_living_writers_file_left_alone(tmp_path: Path) -> None:
    living = EventLog(tmp_path)
    living.append([_event(1)]).result(timeout=10)
    (tmp_path / "events-20260101T000000-aaaaaaaa.jsonl.part").write_text(_event(2) + "\n" + _event(3)[:20])
    (tmp_path / "events-20260101T000000-bbbbbbbb.jsonl.part").write_text("{")
    other = EventLog(tmp_path)
    assert [file.suffix for file in sorted(tmp_path.iterdir())] == [".jsonl", ".part"]
    assert (tmp_path / "events-20260101T000000-aaaaaaaa.jsonl").read_text() == _event(2) + "\n"
    living.append([_event(4)]).result(timeout=10)
    living.close()
    other.close()
    assert sorted(_lines(tmp_path)) == sorted([_event(1), _event(2), _event(4)])
