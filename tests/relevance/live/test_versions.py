"""However often a state of a listing is sent, and in whatever order, it counts once."""

from __future__ import annotations

from relevance import LiveEngine, NewListing
from tests.live_engines import WORD


def test_a_version_counts_once(engine: LiveEngine) -> None:
    def write(title: str, version: int | None) -> tuple[int, int]:
        result = engine.upsert([NewListing("new", f"{WORD} {title}", version=version)])
        return result.accepted, len(result.ignored)

    assert write("a", 5) == (1, 0)
    assert write("b", 5) == (0, 1)
    assert write("c", 4) == (0, 1)
    assert [hit.title for hit in engine.lexical_search(WORD)] == [f"{WORD} a"]
    assert write("d", 7) == (1, 0)
    engine.delete(["new"])
    assert write("e", 7) == (0, 1)  # sent again, after the deletion
    assert engine.get("new") is None
    assert write("f", None) == (1, 0)
    assert write("g", 8) == (0, 1)  # None took 8
    assert [hit.title for hit in engine.lexical_search(WORD)] == [f"{WORD} f"]


def test_one_call_may_write_a_listing_twice(engine: LiveEngine) -> None:
    result = engine.upsert([NewListing("a", f"{WORD} {n}", version=n) for n in (1, 3, 2)])
    assert (result.accepted, [one.index for one in result.ignored]) == (2, [2])
    assert "version 2 is not above the stored 3" in result.ignored[0].reason
    assert [hit.title for hit in engine.lexical_search(WORD)] == [f"{WORD} 3"]
