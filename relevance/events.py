"""Search behaviour: queries, and what people did with their results, joined from UBI records."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.dataset import Dataset
from relevance.errors import DataError, DataWarning, listed, quoted
from relevance.fields import milliseconds
from relevance.parquet import import_pyarrow, write_parquet
from relevance.ubi import CHOICES, IMPRESSION, EventRecords, QueryRecords, read_records

SESSION_GAP = np.timedelta64(30, "m")
"""Where no session is told, a client who asks nothing for so long has left."""

_RECORDED = "events-*.jsonl"
"""Files that `relevance.event_log` has finished; one that it writes to has `.part` at the end."""

_QUERY_FILES = ("queries.parquet", "queries.jsonl", "queries.jsonl.gz")


@dataclass(frozen=True, eq=False)
class Behaviour:
    """Queries (q of them) and events (e), each sorted by time; both kinds of time are datetime64[ms] in UTC.

    `hit_ids[i]` are the listings that query i returned, [] for zero results. `query_sessions[i]` is the
    session of the query record, else of its first event, else of the client's queries around it, else its own id.
    `event_query` int32 `[e]` is the row of the event's query, -1 where unknown; `event_positions` int32 `[e]`
    is the ordinal, -1 where unknown. `dropped_unknown_listings` counts events on listings that are not known,
    `dropped_without_listing` those on none. Of the CHOICES kept, `choices_without_query` name no query id and
    `choices_of_unknown_query` one that no query has, so that nothing is learned from them; `choices_before_query` are
    dated before their query, and count as any other.
    """

    query_ids: list[str]
    queries: list[str]
    client_ids: list[str]
    query_sessions: list[str]
    query_times: NDArray[np.datetime64]
    hit_ids: list[list[str]]
    actions: list[str]
    event_query: NDArray[np.int32]
    event_listing: list[str]
    event_times: NDArray[np.datetime64]
    event_positions: NDArray[np.int32]
    dropped_unknown_listings: int
    dropped_without_listing: int = 0
    choices_without_query: int = 0
    choices_of_unknown_query: int = 0
    choices_before_query: int = 0


def read_behaviour(path: Path, known_listings: Collection[str] | None = None) -> Behaviour:
    """Read events.parquet or events.jsonl (also found in a dataset's folder), with a queries file beside it and what
    a service has recorded in `events/` beside it; or such a folder of recorded files alone.

    Events on listings outside `known_listings` are counted and dropped. A repeated query id with the same
    text is a further page of the same search: its hits are appended, those that are not there yet. With another text it
    is left out, its events being those of the first, and a DataWarning tells how many. Raises DataError for what
    `read_records` refuses, and where there is no record yet.
    """
    logged, events = read_records(_files(Path(path)))
    if not logged.ids and not events.actions:
        raise DataError(f"{path}: expected searches and what people did with them, found no record yet")
    return _joined(Path(path), logged, events, known_listings)


def _joined(
    path: Path, logged: QueryRecords, events: EventRecords, known_listings: Collection[str] | None
) -> Behaviour:
    """Records of `path` as behaviour: one row a query, events with the rows of theirs."""
    queries = _one_record_each(path, logged)
    events = events.take(_delivered_once(events))
    row_of = {query_id: row for row, query_id in enumerate(queries.ids)}
    event_query = np.array([row_of.get(query_id, -1) for query_id in events.query_ids], dtype=np.int32)
    on_listing = np.array([bool(listing) for listing in events.listings], dtype=np.bool_)
    known = on_listing
    if known_listings is not None:
        names = frozenset(known_listings)
        known = np.array([listing in names for listing in events.listings], dtype=np.bool_) & on_listing
    kept = np.flatnonzero(known)
    shown = events.take(kept)
    return Behaviour(
        query_ids=queries.ids,
        queries=queries.texts,
        client_ids=queries.clients,
        query_sessions=_sessions(queries, events, event_query),
        query_times=queries.times,
        hit_ids=queries.hits,
        actions=shown.actions,
        event_query=event_query[kept],
        event_listing=shown.listings,
        event_times=shown.times,
        event_positions=shown.positions,
        dropped_unknown_listings=int((on_listing & ~known).sum()),
        dropped_without_listing=int((~on_listing).sum()),
        **_loose_choices(shown, event_query[kept], queries.times),
    )


def _loose_choices(
    events: EventRecords, event_query: NDArray[np.int32], query_times: NDArray[np.datetime64]
) -> dict[str, int]:
    """How many choices have no query, or are older than theirs, by the names that `Behaviour` gives these numbers."""
    chosen = np.array([action in CHOICES for action in events.actions], dtype=np.bool_)
    named = np.array([bool(query_id) for query_id in events.query_ids], dtype=np.bool_)
    known = chosen & (event_query >= 0)
    early = events.times[known] < query_times[event_query[known]]
    return {
        "choices_without_query": int((chosen & ~named).sum()),
        "choices_of_unknown_query": int((chosen & named & ~known).sum()),
        "choices_before_query": int(early.sum()),
    }


def tell_left_out(source: Path, behaviour: Behaviour) -> None:
    """Tells in one DataWarning which events of `source` are not learned from and which choices precede their query;
    nothing where there are none."""
    left = {
        "events on unknown listings": behaviour.dropped_unknown_listings,
        "events on no listing": behaviour.dropped_without_listing,
        "clicks or messages without a query_id": behaviour.choices_without_query,
        "clicks or messages of an unknown query_id": behaviour.choices_of_unknown_query,
    }
    other = Counter(action for action in behaviour.actions if action not in (IMPRESSION, *CHOICES))
    if other:
        names = listed([quoted(action) for action, _ in other.most_common()])
        left[f"events of other actions than {', '.join((IMPRESSION, *CHOICES))} ({names})"] = other.total()
    kept = {"clicks or messages dated before their query": behaviour.choices_before_query}
    parts = [
        f"{what}: {', '.join(f'{count:,} {kind}' for kind, count in counts.items() if count)}"
        for what, counts in (("left out", left), ("kept", kept))
        if any(counts.values())
    ]
    if parts:
        warnings.warn(f"{source}: {'; '.join(parts)}", DataWarning, stacklevel=2)


def find_behaviour(dataset: Path, known_listings: Collection[str] | None = None) -> Behaviour:
    """Reads the behaviour of a dataset as `read_behaviour` does; none where it has no events yet, which a DataWarning
    tells of files without records."""
    files = _files(dataset)
    if not any(file.is_file() for file in files):
        _tell_misnamed(dataset)
        nobody = np.empty(0, np.int32)
        never = np.empty(0, "datetime64[ms]")
        return Behaviour([], [], [], [], never, [], [], nobody, [], never, nobody, 0, 0)
    logged, events = read_records(files)
    if not logged.ids and not events.actions:
        names = listed([file.name for file in files])
        warnings.warn(f"{dataset}: no record in {names} yet, as if there were no events", DataWarning, stacklevel=2)
    return _joined(dataset, logged, events, known_listings)


def _tell_misnamed(dataset: Path) -> None:
    names = sorted(file.name for file in dataset.iterdir() if "event" in file.name.lower() and file.is_file())
    if names:
        expected = "expected events.parquet or events.jsonl"
        warnings.warn(f"{dataset}: {expected}, found {listed(names)}, which is not read", DataWarning, stacklevel=3)


def _files(path: Path) -> list[Path]:
    """The events file, the queries file beside it, and what was recorded since."""
    events = Dataset(path).events_path if path.is_dir() else path
    recorded = sorted(file for folder in (path, path / "events") for file in _recorded(folder))
    if recorded and not events.is_file():
        return recorded
    beside = (events.parent / name for name in _QUERY_FILES)
    return [events, *(file for file in beside if file.is_file()), *recorded]


def _recorded(folder: Path) -> set[Path]:
    """What a service has recorded, also what it still writes to. That is looked for first: a file that is finished
    meanwhile is found by both names, and is then read by the last."""
    unfinished = set(folder.glob(f"{_RECORDED}.part"))
    finished = set(folder.glob(_RECORDED))
    return finished | {part for part in unfinished if part.with_suffix("") not in finished}


def _delivered_once(events: EventRecords) -> NDArray[np.int64]:
    """The rows of events (in time order) less those that only repeat another of their query: what delivers a log may do
    so again after an answer was lost, and a click would then count twice."""
    kept: list[int] = []
    moment: int | None = None
    there: set[tuple[object, ...]] = set()
    columns = (events.actions, events.query_ids, events.listings, events.positions.tolist())
    for row, (time, *record) in enumerate(zip(events.times.astype(np.int64).tolist(), *columns, strict=True)):
        if time != moment:  # only records of one instant can be the same
            moment, there = time, set()
        own = tuple(record)
        if own not in there or not events.query_ids[row]:
            kept.append(row)
        there.add(own)
    return np.array(kept, np.int64)


def _one_record_each(path: Path, queries: QueryRecords) -> QueryRecords:
    """One record a query id: further pages of a search add to its hits, other searches are left out."""
    first: dict[str, int] = {}
    hits = list(queries.hits)
    others: list[int] = []
    for i, query_id in enumerate(queries.ids):
        kept = first.setdefault(query_id, i)
        if queries.texts[kept] != queries.texts[i]:
            others.append(i)
        elif kept != i:
            there = set(hits[kept])  # a record that was delivered twice adds nothing
            hits[kept] = hits[kept] + [hit for hit in queries.hits[i] if hit not in there]
    if others:
        _tell_others(path, queries, first[queries.ids[others[0]]], others)
    return replace(queries, hits=hits).take(np.fromiter(first.values(), dtype=np.int64, count=len(first)))


def _tell_others(path: Path, queries: QueryRecords, kept: int, others: list[int]) -> None:
    """kept: the record with the query id of the first of `others`."""
    found = f"{quoted(queries.texts[kept])}, then {quoted(queries.texts[others[0]])}"
    warnings.warn(
        f"{path}: left out: {len(others):,} queries with another text than the first of their query_id "
        f"({quoted(queries.ids[kept])}: {found}); give each search a query_id of its own",
        DataWarning,
        stacklevel=5,
    )


def _sessions(queries: QueryRecords, events: EventRecords, event_query: NDArray[np.int32]) -> list[str]:
    """The session of each query: its own, its first event's or, where neither is told, that of the same client's query
    before or else after it, if no more than SESSION_GAP lies between any two; failing all, a name of its own."""
    told = list(queries.sessions)
    for row, session in zip(event_query.tolist(), events.sessions, strict=True):
        if session and row >= 0:
            told[row] = told[row] or session
    for visit in _visits(queries.clients, queries.times):
        session = next((told[row] for row in visit if told[row]), queries.ids[visit[0]])
        for row in visit:
            session = told[row] = told[row] or session
    return told


def _visits(clients: Sequence[str], times: NDArray[np.datetime64]) -> Iterator[list[int]]:
    """The rows of each client's queries (in time order) with no more than SESSION_GAP between two; a row of no client
    is alone."""
    last: dict[str, list[int]] = {}
    for row, (client, time) in enumerate(zip(clients, times, strict=True)):
        visit = last.get(client) if client else None
        if visit is not None and time - times[visit[-1]] <= SESSION_GAP:
            visit.append(row)
            continue
        if visit is not None:
            yield visit
        if client:
            last[client] = [row]
        else:
            yield [row]
    yield from last.values()


def write_behaviour(path: Path, queries: Sequence[dict[str, Any]], events: Sequence[dict[str, Any]]) -> None:
    """Write one Parquet file of UBI records, nested as UBI names them, atomically.

    `timestamp` is an ISO 8601 text, a datetime or epoch milliseconds. Raises DataError for a field that the
    file has no place for, and for a record without a valid timestamp.
    """
    pyarrow = import_pyarrow()
    schema = _schema(pyarrow)
    records = [_stamped(record, schema) for record in (*queries, *events)]
    write_parquet(Path(path), pyarrow.Table.from_pylist(records, schema=schema))


def _schema(pyarrow: Any) -> Any:
    text, struct = pyarrow.string(), pyarrow.struct
    xy = struct({"x": pyarrow.float64(), "y": pyarrow.float64()})
    position = struct({"ordinal": pyarrow.int32(), "xy": xy, "x": pyarrow.float64(), "y": pyarrow.float64()})
    target = struct({"object_id": text, "object_id_field": text})
    names = (
        "query_id",
        "user_query",
        "action_name",
        "client_id",
        "session_id",
        "application",
        "message_type",
        "message",
    )
    return pyarrow.schema(
        {
            "timestamp": pyarrow.timestamp("ms", "UTC"),
            **dict.fromkeys(names, text),
            "query_response_hit_ids": pyarrow.list_(text),
            "query_attributes": struct({"session_id": text}),
            "event_attributes": struct({"object": target, "position": position}),
        }
    )


def _stamped(record: dict[str, Any], schema: Any) -> dict[str, Any]:
    """The record with its timestamp in milliseconds."""
    unplaced = _unplaced(record, schema)
    if unplaced:
        raise DataError(f"write_behaviour: no place for the field {unplaced!r} of {record!r}")
    try:
        moment = milliseconds(record.get("timestamp"))
    except ValueError:
        moment = None
    if moment is None:
        raise DataError(f"write_behaviour: expected a time in timestamp, found {record.get('timestamp')!r}")
    return {**record, "timestamp": moment}


def _unplaced(record: dict[str, Any], fields: Any) -> str | None:
    """The first field of the record that the schema (or struct type) does not have."""
    for name, value in record.items():
        if (k := fields.get_field_index(name)) < 0:
            return name
        inner = _unplaced(value, fields.field(k).type) if isinstance(value, dict) else None
        if inner is not None:
            return f"{name}.{inner}"
    return None
