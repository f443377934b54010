"""A writer killed at random instants: nothing acknowledged is lost, nothing counts twice, the index is the store.

A few kills here; `RELEVANCE_KILLS=200` makes it as many as one likes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import pytest

import relevance
from index.promote import promote
from relevance.engine import MAX_K
from relevance.live.store import LiveStore
from tests.live_writer import LISTINGS, Operation, operations

KILLS = int(os.environ.get("RELEVANCE_KILLS", "4"))
SEED = int(os.environ.get("RELEVANCE_SEED", "0"))
CHECKOUT = Path(__file__).resolve().parents[3]


def _acknowledged(root: Path, live: Path, first: int, seconds: float) -> int:
    """Lets a writer run from operation `first` on, kills it that long after its first answer, and returns the number
    of the first operation that it had no time to acknowledge."""
    command = [sys.executable, "-m", "tests.live_writer", str(root), str(live), str(first), str(SEED)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        threading.Timer(seconds, writer.kill).start()
        lines += writer.stdout.readlines()
    whole = [int(line) for line in lines if line.endswith("\n")]
    assert whole == list(range(first, first + len(whole))), "the writer stopped by itself"
    return first + len(whole)


def _expected(done: list[Operation]) -> tuple[dict[str, str], int]:
    """Titles by id, and how many changes that took, by the rules alone: what was never there is deleted, too, once."""
    titles: dict[str, str | None] = {}
    changes = 0
    for operation in done:
        if operation.kind == "upsert":
            titles[operation.listing_id] = operation.title
            changes += 1
        elif operation.kind == "delete" and titles.get(operation.listing_id, "") is not None:
            titles[operation.listing_id] = None
            changes += 1
    return {listing_id: title for listing_id, title in titles.items() if title is not None}, changes


def _check(root: Path, live: Path, acknowledged: int) -> None:
    """The store holds all that was acknowledged, perhaps the operation after it, and nothing else; the index is it."""
    store = LiveStore(live)
    states = {state.listing_id: state.listing for state in store.since(0)}
    titles = {listing_id: listing.title for listing_id, listing in states.items() if listing is not None}
    changes = max((state.change for state in store.since(0)), default=0)
    store.close()
    possible = [_expected(list(islice(operations(SEED), n))) for n in (acknowledged, acknowledged + 1)]
    assert (titles, changes) in possible
    with relevance.open(root, live=live) as engine:
        assert int(engine.versions["change"]) == changes
        for listing_id in (f"live-{n}" for n in range(LISTINGS)):
            stored = engine.get(listing_id)
            assert (stored.title if stored else None) == titles.get(listing_id)
        found = [hit.title for hit in engine.lexical_search("lamp", MAX_K) if hit.listing_id.startswith("live-")]
        assert sorted(found) == sorted(titles.values())
        for title in titles.values():
            assert [hit.title for hit in engine.lexical_search(title.split()[0])] == [title]


def test_a_killed_writer_loses_nothing(tiny_bundle: Path, tmp_path: Path) -> None:
    root, live = tmp_path / "root", tmp_path / "live"
    promote(tiny_bundle, root, live)
    rng = random.Random(SEED)
    first = 0
    for _ in range(KILLS):
        # What was begun and not acknowledged is sent again, as a sender does that got no answer.
        first = _acknowledged(root, live, first, rng.uniform(0, 0.4))
        _check(root, live, first)
    assert first >= KILLS


@pytest.mark.parametrize("n", [0, 1, 57])
def test_the_operations_are_a_function_of_the_seed(n: int) -> None:
    assert list(islice(operations(7, n), 5)) == list(islice(operations(7), n, n + 5))
