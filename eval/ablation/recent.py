"""The latest part of a dataset's behaviour, as a dataset of its own."""

from pathlib import Path
from typing import Any

from relevance.artifacts import writing
from relevance.dataset import KIND, Dataset
from relevance.events import Behaviour, read_behaviour, write_behaviour
from relevance.moved import NAME as MOVED


def recent(dataset: Path, sessions: int, out: Path) -> Path:
    """Writes the dataset with its latest `sessions` sessions only, and returns its folder; all else is linked."""
    source = Dataset.open(dataset)
    behaviour = read_behaviour(source.root)
    with writing(out, KIND) as folder:
        for path in filter(Path.is_file, (source.categories_path, source.root / MOVED, source.listings_path)):
            (folder / path.name).symlink_to(path.resolve())
        queries, events = latest(behaviour, sessions)
        write_behaviour(folder / "events.parquet", queries, events)
    return out


def latest(behaviour: Behaviour, sessions: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the records of the queries and events of the `sessions` that began last."""
    began = dict.fromkeys(behaviour.query_sessions)  # in the order of their first queries
    kept = frozenset(list(began)[-sessions:])
    rows = [row for row, session in enumerate(behaviour.query_sessions) if session in kept]
    known = frozenset(rows)
    queries = [_query(behaviour, row) for row in rows]
    events = [_event(behaviour, at, row) for at, row in enumerate(behaviour.event_query.tolist()) if row in known]
    return queries, events


def _query(behaviour: Behaviour, row: int) -> dict[str, Any]:
    return {
        "query_id": behaviour.query_ids[row],
        "user_query": behaviour.queries[row],
        "client_id": behaviour.client_ids[row],
        "timestamp": behaviour.query_times[row].item(),
        "query_response_hit_ids": behaviour.hit_ids[row],
        "query_attributes": {"session_id": behaviour.query_sessions[row]},
    }


def _event(behaviour: Behaviour, at: int, row: int) -> dict[str, Any]:
    position = int(behaviour.event_positions[at])
    target = {"object": {"object_id": behaviour.event_listing[at]}}
    return {
        "action_name": behaviour.actions[at],
        "query_id": behaviour.query_ids[row],
        "client_id": behaviour.client_ids[row],
        "session_id": behaviour.query_sessions[row],
        "timestamp": behaviour.event_times[at].item(),
        "event_attributes": target | ({"position": {"ordinal": position}} if position >= 0 else {}),
    }
