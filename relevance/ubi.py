"""Records of OpenSearch's User Behavior Insights (UBI 1.3.0), read into columns of queries and of events.

A record with `action_name` is an event, one with `user_query` and no action is a query. Nested objects and
flat names with dots (`event_attributes.object.object_id`) are both read. Source: github.com/o19s/ubi, schema
1.3.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError
from relevance.fields import ids, instants, numbers, refuse, texts
from relevance.tables import Table, is_missing, read_lines, read_table, records_table, take

IMPRESSION = "impression"
CLICK = "click"
MESSAGE = "contact_seller"
CHOICES = (CLICK, MESSAGE)
"""What says that a listing was wanted."""

_SESSION = "query_attributes.session_id"
_OBJECT = "event_attributes.object.object_id"
_ORDINAL = "event_attributes.position.ordinal"
_FIELDS = (
    "action_name", "user_query", "query_id", "client_id", "session_id", "query_response_hit_ids",
    "query_attributes", "event_attributes", _SESSION, _OBJECT, _ORDINAL,
)  # fmt: skip
_INT32_MAX = 2**31 - 1
_ACTION_LENGTH = 100  # characters, by the schema
_AT_ONCE = 20_000
"""Records of a file of lines that are in memory as they are written, in a hundred times the room they take after."""


@dataclass(frozen=True, eq=False)
class QueryRecords:
    """Queries as they were logged, in time order; a query id may repeat. `sessions` is "" where not given."""

    ids: list[str]
    texts: list[str]
    clients: list[str]
    sessions: list[str]
    hits: list[list[str]]
    times: NDArray[np.datetime64]

    def take(self, rows: NDArray[Any]) -> QueryRecords:
        """The records at these positions."""
        return QueryRecords(**take({field.name: getattr(self, field.name) for field in fields(self)}, rows))


@dataclass(frozen=True, eq=False)
class EventRecords:
    """Events as they were logged, in time order; texts are "" and positions -1 where not given."""

    actions: list[str]
    query_ids: list[str]
    sessions: list[str]
    listings: list[str]
    positions: NDArray[np.int32]
    times: NDArray[np.datetime64]

    def take(self, rows: NDArray[Any]) -> EventRecords:
        """The records at these positions."""
        return EventRecords(**take({field.name: getattr(self, field.name) for field in fields(self)}, rows))


def read_records(files: Sequence[Path]) -> tuple[QueryRecords, EventRecords]:
    """Every query and event of the files, each kind in time order; records of one instant keep their order.

    Raises DataError, naming file, row and column, for a record that is neither query nor event, for missing
    query ids and times, and for values of another type.
    """
    parts = [_read_file(file) for file in files]
    queries = QueryRecords(**_concatenated([part for part, _ in parts]))
    events = EventRecords(**_concatenated([part for _, part in parts]))
    by_time = [np.argsort(times, kind="stable") for times in (queries.times, events.times)]
    return queries.take(by_time[0]), events.take(by_time[1])


def _concatenated(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        name: np.concatenate([part[name] for part in parts])
        if isinstance(column, np.ndarray)
        else [value for part in parts for value in part[name]]
        for name, column in parts[0].items()
    }


def check_records(records: Sequence[dict[str, Any]], kind: Literal["query", "event"]) -> None:
    """Refuse what `read_records` would refuse in a file, and records of another kind; raises DataError naming the row,
    counted from 1, of the first."""
    whole = [number for number, record in enumerate(records, 1) if not isinstance(record, dict)]
    if whole:
        raise DataError(f"body, row {whole[0]}: expected a JSON object")
    table = records_table(Path("body"), records, range(1, len(records) + 1), ("timestamp", *_FIELDS), nested=True)
    queries, events = _parsed(table)
    other = len(events["actions"]) if kind == "query" else len(queries["ids"])
    if other:
        column = {"query": "user_query and no action_name", "event": "an action_name"}[kind]
        raise DataError(f"body: expected {kind} records, with {column}; {other} of {len(records)} are not")
    chosen = zip(events["actions"], events["listings"], strict=True)
    if nothing := [row for row, (action, listing) in enumerate(chosen) if action in CHOICES and not listing]:
        refuse(table, _OBJECT, nothing, f"the id of the listing of a {events['actions'][nothing[0]]}")


def _read_file(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The queries and the events of a file, of which there may be none yet."""
    known: dict[str, str] = {}
    parts = [_parsed(records_table(file, [], [], (), nested=True))]
    for table in _tables(file):
        queries, events = _parsed(table)
        parts.append((_shared(queries, known), _shared(events, known)))
    return _concatenated([part for part, _ in parts]), _concatenated([part for _, part in parts])


def _tables(file: Path) -> Iterator[Table]:
    if file.name.endswith((".jsonl", ".jsonl.gz", ".jsonl.part")):
        yield from read_lines(file, ("timestamp",), _FIELDS, _AT_ONCE)
    else:
        yield read_table(file, ("timestamp",), _FIELDS, nested=True, may_be_empty=True)


def _shared(columns: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """The columns with equal texts as one object in memory: a log names the same sessions and listings over and over.
    known: those of earlier parts."""

    def shared(column: list[str]) -> list[str]:
        return list(map(known.setdefault, column, column))

    lists = {name: column for name, column in columns.items() if isinstance(column, list)}
    return columns | {name: list(map(shared, c)) if name == "hits" else shared(c) for name, c in lists.items()}


def _parsed(table: Table) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table's queries and its events, as columns."""
    is_event = _is_event(table)
    return _queries(table.take(np.flatnonzero(~is_event))), _events(table.take(np.flatnonzero(is_event)))


def _queries(table: Table) -> dict[str, Any]:
    sessions = zip(texts(table, _SESSION), texts(table, "session_id"), strict=True)
    return {
        "ids": ids(table, "query_id"),
        "texts": texts(table, "user_query"),
        "clients": texts(table, "client_id"),
        "sessions": [of_query or flat for of_query, flat in sessions],
        "hits": _hits(table),
        "times": _times(table),
    }


def _events(table: Table) -> dict[str, Any]:
    return {
        "actions": texts(table, "action_name"),
        "query_ids": texts(table, "query_id"),
        "sessions": texts(table, "session_id"),
        "listings": texts(table, _OBJECT),
        "positions": _positions(table),
        "times": _times(table),
    }


def _is_event(table: Table) -> NDArray[np.bool_]:
    actions = texts(table, "action_name")
    is_event = np.array([bool(action) for action in actions], dtype=np.bool_)
    searched = table.columns.get("user_query", [None] * len(table))
    neither = [i for i, query in enumerate(searched) if query is None and not is_event[i]]
    if neither:
        refuse(table, "action_name", neither, "an action (an event) here, or a text in user_query (a query)")
    long = [i for i, action in enumerate(actions) if len(action) > _ACTION_LENGTH]
    if long:
        refuse(table, "action_name", long, f"at most {_ACTION_LENGTH} characters")
    for name in ("event_attributes", "query_attributes"):
        scalars = [
            i
            for i, value in enumerate(table.columns.get(name, ()))
            if not (isinstance(value, dict) or is_missing(value))
        ]
        if scalars:
            refuse(table, name, scalars, "an object")
    return is_event


def _times(table: Table) -> NDArray[np.datetime64]:
    times = instants(table, "timestamp")
    missing = np.flatnonzero(np.isnat(times))
    if len(missing):
        refuse(table, "timestamp", missing, "a time")
    return times


def _hits(table: Table) -> list[list[str]]:
    values = table.columns.get("query_response_hit_ids")
    if values is None:
        return [[] for _ in range(len(table))]
    hits = [_hit_ids(value) for value in values]
    bad = [i for i, ids_ in enumerate(hits) if ids_ is None]
    if bad:
        refuse(table, "query_response_hit_ids", bad, "a list of ids, or null")
    return [ids_ for ids_ in hits if ids_ is not None]


def _hit_ids(value: Any) -> list[str] | None:
    """The ids of one query, None where the value is not a list of ids."""
    if isinstance(value, list):
        whole = all(isinstance(id_, (str, int)) and not isinstance(id_, bool) for id_ in value)
        return [str(id_) for id_ in value] if whole else None
    return [] if is_missing(value) and not isinstance(value, str) else None


def _positions(table: Table) -> NDArray[np.int32]:
    ordinals = numbers(table, _ORDINAL)
    given = ~np.isnan(ordinals)
    known = np.where(given, ordinals, 0.0)
    bad = np.flatnonzero((known < 0) | (known > _INT32_MAX) | (known % 1 != 0))
    if len(bad):
        refuse(table, _ORDINAL, bad, "a whole number of at least 0")
    return np.where(given, known, -1.0).astype(np.int32)
