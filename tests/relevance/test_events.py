"""Behaviour from UBI records, however they are laid out."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relevance import ubi
from relevance.errors import DataError, DataWarning
from relevance.events import Behaviour, find_behaviour, read_behaviour, tell_left_out, write_behaviour
from relevance.ubi import CLICK, IMPRESSION, MESSAGE

QUERIES: list[dict[str, Any]] = [
    {
        "query_id": "q2",
        "user_query": "gaming keyboard",
        "client_id": "c1",
        "timestamp": "2024-05-02T10:00:00Z",
        "query_response_hit_ids": [],
        "query_attributes": {"session_id": "s2"},
    },
    {
        "query_id": "q1",
        "user_query": "bike",
        "client_id": "c1",
        "timestamp": "2024-05-01T12:00:00+02:00",
        "query_response_hit_ids": ["a", "b"],
    },
    {
        "query_id": "q3",
        "user_query": "",
        "client_id": "c2",
        "timestamp": "2024-05-03T10:00:00.250",
        "query_response_hit_ids": None,
    },
]


def event(action: str, query: str | None, listing: str, at: str, **position: Any) -> dict[str, Any]:
    return {
        "action_name": action,
        "query_id": query,
        "client_id": "c1",
        "session_id": "s1",
        "timestamp": at,
        "event_attributes": {"object": {"object_id": listing, "object_id_field": "listing_id"}, "position": position},
    }


EVENTS = [
    event(MESSAGE, "q1", "b", "2024-05-01T10:00:09Z"),
    event(CLICK, "q1", "b", "2024-05-01T10:00:05Z", ordinal=2),
    event(IMPRESSION, "q1", "gone", "2024-05-01T10:00:01Z", ordinal=3),
    event(CLICK, "other", "a", "2024-05-01T11:00:00Z", xy={"x": 10.0, "y": 20.0}),
    event(CLICK, None, "a", "2024-05-01T12:00:00Z", x=1.0, y=2.0),
]


def check(behaviour: Behaviour) -> None:
    assert behaviour.query_ids == ["q1", "q2", "q3"]
    assert behaviour.queries == ["bike", "gaming keyboard", ""]
    assert behaviour.client_ids == ["c1", "c1", "c2"]
    # q1 from its events, q2 from its own record, q3 has neither.
    assert behaviour.query_sessions == ["s1", "s2", "q3"]
    expected = ["2024-05-01T10:00:00", "2024-05-02T10:00:00", "2024-05-03T10:00:00.250"]
    assert behaviour.query_times.tolist() == np.array(expected, dtype="datetime64[ms]").tolist()
    assert behaviour.hit_ids == [["a", "b"], [], []]
    assert behaviour.actions == [CLICK, MESSAGE, CLICK, CLICK]
    assert behaviour.event_query.tolist() == [0, 0, -1, -1]
    assert behaviour.event_listing == ["b", "b", "a", "a"]
    assert behaviour.event_positions.tolist() == [2, -1, -1, -1]
    assert (behaviour.event_query.dtype, behaviour.event_positions.dtype) == (np.int32, np.int32)
    assert (np.diff(behaviour.event_times) >= np.timedelta64(0)).all()
    assert (behaviour.dropped_unknown_listings, behaviour.dropped_without_listing) == (1, 0)


def flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in record.items():
        result |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return result


def write_jsonl(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_behaviour(tmp_path / "events.parquet", QUERIES, EVENTS)
    check(read_behaviour(tmp_path / "events.parquet", {"a", "b"}))
    check(read_behaviour(tmp_path, ["a", "b"]))
    everything = read_behaviour(tmp_path)
    assert (len(everything.actions), everything.dropped_unknown_listings) == (5, 0)


def test_nested_and_flat_json_lines(tmp_path: Path) -> None:
    check(read_behaviour(write_jsonl(tmp_path / "events.jsonl", [*EVENTS, *QUERIES]), {"a", "b"}))
    mixed = [flat(record) for record in QUERIES] + [flat(record) for record in EVENTS]
    check(read_behaviour(write_jsonl(tmp_path / "events.jsonl", mixed), {"a", "b"}))


def test_flat_parquet(tmp_path: Path) -> None:
    records = [flat(record) for record in (*QUERIES, *EVENTS)]
    names = {name for record in records for name in record}
    pq.write_table(
        pa.table({name: [record.get(name) for record in records] for name in names}), tmp_path / "events.parquet"
    )
    check(read_behaviour(tmp_path, {"a", "b"}))


def test_queries_in_a_file_beside_the_events(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "queries.jsonl", QUERIES)
    check(read_behaviour(write_jsonl(tmp_path / "events.jsonl", EVENTS), {"a", "b"}))
    write_behaviour(tmp_path / "queries.parquet", QUERIES, [])
    (tmp_path / "queries.jsonl").unlink()
    check(read_behaviour(tmp_path, {"a", "b"}))


def test_an_event_may_repeat_the_text_of_its_query(tmp_path: Path) -> None:
    """The schema allows user_query on events: action_name decides."""
    events = [{**record, "user_query": "bike"} for record in EVENTS]
    check(read_behaviour(write_jsonl(tmp_path / "events.jsonl", [*QUERIES, *events]), {"a", "b"}))


def test_events_without_a_listing_are_counted(tmp_path: Path) -> None:
    events = [*EVENTS, {"action_name": "login", "timestamp": 1714557600000}]
    behaviour = read_behaviour(write_jsonl(tmp_path / "events.jsonl", [*QUERIES, *events]), {"a", "b"})
    assert (len(behaviour.actions), behaviour.dropped_without_listing) == (4, 1)
    assert behaviour.dropped_unknown_listings == 1


def test_further_pages_of_a_query_add_their_hits(tmp_path: Path) -> None:
    page = {**QUERIES[1], "timestamp": "2024-05-01T10:05:00Z", "query_response_hit_ids": ["c"]}
    behaviour = read_behaviour(write_jsonl(tmp_path / "events.jsonl", [page, *QUERIES, *EVENTS]))
    assert behaviour.query_ids == ["q1", "q2", "q3"]
    assert behaviour.hit_ids[0] == ["a", "b", "c"]
    assert behaviour.query_times[0] == np.datetime64("2024-05-01T10:00:00")


def test_a_query_that_was_delivered_twice_has_its_hits_once(tmp_path: Path) -> None:
    page = {**QUERIES[1], "query_response_hit_ids": ["b", "c"]}
    records = [*QUERIES, *QUERIES, page, page]
    assert read_behaviour(write_jsonl(tmp_path / "events.jsonl", records)).hit_ids[0] == ["a", "b", "c"]


def test_an_event_that_was_delivered_twice_counts_once(tmp_path: Path) -> None:
    message, click, *_, loose = EVENTS
    later = event(CLICK, "q1", "b", "2024-05-01T10:00:06Z", ordinal=2)
    records = [*QUERIES, message, click, later, click, message]
    assert read_behaviour(write_jsonl(tmp_path / "events.jsonl", records)).actions == [CLICK, CLICK, MESSAGE]
    # Of whom an event without a query is, is not told: another person's may look the same.
    assert read_behaviour(write_jsonl(tmp_path / "loose.jsonl", [*QUERIES, loose, loose])).actions == [CLICK, CLICK]


def test_the_first_text_of_a_query_id_is_kept(tmp_path: Path) -> None:
    """People refine a search under one id: the first by time stays, whatever the order of the file."""
    refined = {**QUERIES[1], "timestamp": "2024-05-01T10:05:00Z", "user_query": "car", "query_response_hit_ids": ["c"]}
    again = {**QUERIES[1], "timestamp": "2024-05-01T10:06:00Z", "query_response_hit_ids": ["d"]}
    more = {**QUERIES[2], "timestamp": "2024-05-04T10:00:00Z", "user_query": "sofa"}
    records = [refined, *QUERIES, again, more, *EVENTS]
    told = r"events\.jsonl: left out: 2 queries with another text .*\('q1': 'bike', then 'car'\); give each search"
    with pytest.warns(DataWarning, match=told):
        behaviour = read_behaviour(write_jsonl(tmp_path / "events.jsonl", records), {"a", "b"})
    assert behaviour.queries == ["bike", "gaming keyboard", ""]
    assert behaviour.hit_ids[0] == ["a", "b", "d"]
    # What was clicked stays with the id.
    assert behaviour.event_query.tolist() == [0, 0, -1, -1]


def test_choices_without_a_query_are_counted(tmp_path: Path) -> None:
    loose = [
        event(CLICK, "q1", "a", "2024-05-01T09:59:59.999Z"),  # a millisecond before its query
        event(MESSAGE, "other", "a", "2024-05-02T11:00:00Z"),
        event(IMPRESSION, "other", "a", "2024-05-02T11:00:00Z"),
        event(CLICK, "other", "gone", "2024-05-02T11:00:00Z"),
        event(CLICK, "q1", "a", "2024-05-01T10:00:00Z"),
        {"action_name": "login", "timestamp": 1714557600000},
    ]
    behaviour = read_behaviour(write_jsonl(tmp_path / "events.jsonl", [*QUERIES, *EVENTS, *loose]), {"a", "b"})
    assert (behaviour.dropped_unknown_listings, behaviour.dropped_without_listing) == (2, 1)
    assert (behaviour.choices_without_query, behaviour.choices_of_unknown_query) == (1, 2)
    assert behaviour.choices_before_query == 1
    told = (
        "here: left out: 2 events on unknown listings, 1 events on no listing, 1 clicks or messages without a query_id,"
        " 2 clicks or messages of an unknown query_id; kept: 1 clicks or messages dated before their query"
    )
    with pytest.warns(DataWarning, match=f"^{told}$"):
        tell_left_out(Path("here"), behaviour)


def test_nothing_is_told_where_all_is_read(tmp_path: Path) -> None:
    behaviour = read_behaviour(write_jsonl(tmp_path / "events.jsonl", [*QUERIES, *EVENTS[:2]]), {"a", "b"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tell_left_out(tmp_path, behaviour)


def _searches(*asked: tuple[str, str | None, str]) -> list[dict[str, Any]]:
    """A query for each (its id, client, time of day)."""
    names = ("query_id", "client_id", "timestamp")
    return [
        dict(zip(names, (name, client, f"2024-05-01T{at}Z"), strict=True)) | {"user_query": name}
        for name, client, at in asked
    ]


def test_queries_of_one_visit_are_of_one_session(tmp_path: Path) -> None:
    """As a site logs that tells the session with events alone: what led to nothing has none."""
    searches = _searches(
        ("sopha", "c1", "10:00:00"),
        ("sofa", "c1", "10:00:30"),
        ("other", "c2", "10:00:40"),
        ("red sofa", "c1", "10:30:00"),
        ("lamp", "c1", "11:00:01"),
        ("nobody", None, "11:00:02"),
        ("somebody", None, "11:00:03"),
    )
    clicks = [event(CLICK, "sofa", "a", "2024-05-01T10:00:35Z")]
    behaviour = read_behaviour(write_jsonl(tmp_path / "events.jsonl", [*searches, *clicks]))
    expected = {"sopha": "s1", "sofa": "s1", "red sofa": "s1", "other": "other", "lamp": "lamp"}
    expected |= {"nobody": "nobody", "somebody": "somebody"}
    assert dict(zip(behaviour.query_ids, behaviour.query_sessions, strict=True)) == expected


def test_a_session_that_is_told_stays(tmp_path: Path) -> None:
    searches = _searches(("a", "c1", "10:00:00"), ("b", "c1", "10:01:00"), ("c", "c1", "10:02:00"))
    searches[0]["query_attributes"], searches[2]["query_attributes"] = {"session_id": "s1"}, {"session_id": "s2"}
    assert read_behaviour(write_jsonl(tmp_path / "events.jsonl", searches)).query_sessions == ["s1", "s1", "s2"]


def test_events_of_other_actions_are_told(tmp_path: Path) -> None:
    events = [{**one, "action_name": name} for one, name in zip(EVENTS, ("CLICK", "CLICK", "page_exit"), strict=False)]
    behaviour = read_behaviour(write_jsonl(tmp_path / "events.jsonl", [*QUERIES, *events]))
    told = r"left out: 3 events of other actions than impression, click, contact_seller \('CLICK', 'page_exit'\)"
    with pytest.warns(DataWarning, match=told):
        tell_left_out(tmp_path, behaviour)


def test_two_event_files_are_one_too_many(tmp_path: Path) -> None:
    write_behaviour(tmp_path / "events.parquet", QUERIES, EVENTS)
    write_jsonl(tmp_path / "events.jsonl", [*QUERIES, *EVENTS])
    with pytest.raises(DataError, match=r"found events\.parquet and events\.jsonl"):
        read_behaviour(tmp_path)


def test_queries_alone_and_events_alone(tmp_path: Path) -> None:
    only = read_behaviour(write_jsonl(tmp_path / "events.jsonl", QUERIES))
    assert (len(only.query_ids), only.actions, only.event_query.tolist()) == (3, [], [])
    only = read_behaviour(write_jsonl(tmp_path / "events.jsonl", EVENTS))
    assert (only.query_ids, only.event_query.tolist()) == ([], [-1] * 5)


CLICKED = {"action_name": "click", "timestamp": 1714557600000}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            {"timestamp": 1714557600000},
            "row 2, column action_name: expected an action (an event) here, or a text in user_query",
        ),
        ({**CLICKED, "timestamp": None}, "row 2, column timestamp: expected a time, found None"),
        ({**CLICKED, "timestamp": "yesterday"}, "row 2, column timestamp: expected an ISO 8601 time"),
        ({"user_query": "x", "timestamp": 1714557600000}, "row 2, column query_id: expected an id"),
        ({**CLICKED, "action_name": "x" * 101}, "row 2, column action_name: expected at most 100 characters"),
        (
            {**CLICKED, "event_attributes": "object"},
            "row 2, column event_attributes: expected an object, found 'object'",
        ),
        (
            {**CLICKED, "event_attributes": {"position": {"ordinal": -1}}},
            "row 2, column event_attributes.position.ordinal: expected a whole number of at least 0, found -1",
        ),
        (
            {"user_query": "x", "query_id": "q", "timestamp": 1714557600000, "query_response_hit_ids": "a,b"},
            "row 2, column query_response_hit_ids: expected a list of ids, or null, found 'a,b'",
        ),
    ],
)
def test_bad_records_are_named(tmp_path: Path, record: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as error:
        read_behaviour(write_jsonl(tmp_path / "events.jsonl", [CLICKED, record]))
    assert message in str(error.value)


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"events\.parquet: no such file"):
        read_behaviour(tmp_path)
    with pytest.raises(DataError, match="missing: timestamp"):
        read_behaviour(write_jsonl(tmp_path / "events.jsonl", [{"action_name": "click"}]))


def test_files_without_a_record_yet(tmp_path: Path) -> None:
    """As on the first day of a log: a command that needs behaviour says so, the others go on without."""
    for name in ("events.jsonl", "events.parquet"):
        path = tmp_path / name
        if name == "events.jsonl":
            path.touch()
        else:
            pq.write_table(pa.table({"timestamp": pa.array([], pa.string())}), path)
        with pytest.raises(DataError, match=r"expected searches .* found no record yet"):
            read_behaviour(tmp_path)
        with pytest.warns(DataWarning, match=f"no record in {name} yet"):
            behaviour = find_behaviour(tmp_path)
        assert (behaviour.queries, behaviour.actions, len(behaviour.event_query)) == ([], [], 0)
        path.unlink()
    (tmp_path / "events.jsonl").touch()
    write_jsonl(tmp_path / "queries.jsonl", QUERIES)
    assert find_behaviour(tmp_path).query_ids == ["q1", "q2", "q3"]


def test_a_log_by_another_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "UBI_events.csv").touch()
    with pytest.warns(DataWarning, match=r"expected events\.parquet or events\.jsonl, found UBI_events\.csv, which is"):
        assert find_behaviour(tmp_path).queries == []


def test_a_log_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts make the same behaviour, name the line of what is wrong, and share equal texts."""
    path = write_jsonl(tmp_path / "events.jsonl", [*QUERIES, *EVENTS])
    whole = read_behaviour(path)
    monkeypatch.setattr(ubi, "_AT_ONCE", 3)
    parts = read_behaviour(path)
    for name, column in vars(whole).items():
        np.testing.assert_equal(getattr(parts, name), column)
    assert parts.hit_ids[0][1] is parts.event_listing[1]  # "b", of a query and of an event
    write_jsonl(path, [*QUERIES, *EVENTS, {**CLICKED, "timestamp": "soon"}])
    with pytest.raises(DataError, match="row 9, column timestamp"):
        read_behaviour(path)


def test_write_behaviour_refuses_what_it_would_lose(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no place for the field 'event_attributes\.object\.colour'"):
        write_behaviour(tmp_path / "e.parquet", [], [{**CLICKED, "event_attributes": {"object": {"colour": "red"}}}])
    with pytest.raises(DataError, match="expected a time in timestamp, found 'soon'"):
        write_behaviour(tmp_path / "e.parquet", [], [{**CLICKED, "timestamp": "soon"}])
    assert not (tmp_path / "e.parquet").exists()
