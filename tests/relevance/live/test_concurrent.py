"""Several engines, threads and restarts over one folder: all see one state after the other, and lose none."""

from __future__ import annotations

import gc
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import relevance
from eval.benchmarks.versions import write_next
from relevance import Engine, LiveEngine, NewListing, UpsertResult
from relevance.dataset import Listings
from relevance.deployment import Deployment
from relevance.engine import MAX_K
from relevance.live.store import State
from relevance.live.writing import encoded, recoded
from tests.live_engines import WORD, eventually, ids_of


def _put_in_use(deployment: Deployment, bundle: Path, name: str) -> Path:
    target = deployment.root / "bundles" / name
    shutil.copytree(bundle, target, copy_function=os.link)
    deployment.switch(target)
    return target


def test_another_engine_sees_it_within_a_second(engine: LiveEngine, tiny_bundle: Path, tmp_path: Path) -> None:
    with relevance.open(tiny_bundle, live=tmp_path / "live") as other:
        for n in range(5):
            engine.upsert([NewListing("new", f"{WORD} {n}")])
            title = f"{WORD} {n}"
            assert eventually(lambda title=title: [h.title for h in other.lexical_search(WORD)] == [title]) < 1.0
        other.delete(["new"])
        assert eventually(lambda: engine.get("new") is None) < 1.0


def test_two_writers_take_turns(engine: LiveEngine, tiny_bundle: Path, tmp_path: Path) -> None:
    with relevance.open(tiny_bundle, live=tmp_path / "live") as other, ThreadPoolExecutor(4) as pool:
        writers = [engine, other] * 2
        done = pool.map(lambda n: writers[n % 4].upsert([NewListing(f"n{n}", WORD)]).accepted, range(24))
        assert list(done) == [1] * 24
        engine.refresh()
        other.refresh()
        assert sorted(ids_of(engine.lexical_search(WORD, 100))) == sorted(f"n{n}" for n in range(24))
        assert ids_of(engine.lexical_search(WORD, 100)) != []
        assert engine.versions == other.versions


def test_what_another_process_did_to_a_photo_meanwhile_is_kept(
    engine: LiveEngine, tiny_bundle: Path, tmp_path: Path, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [NewListing(name, WORD, price=3.0) for name in ("added", "deleted")]
    engine.upsert([NewListing("added", WORD), NewListing("deleted", WORD, image=photo)])
    with relevance.open(tiny_bundle, live=tmp_path / "live") as other:
        # Each as late as it can be: once all is read that is written of the listings.
        def meanwhile(*read: Any) -> Any:
            monkeypatch.setattr("relevance.live.engine.encoded", encoded)
            other.upsert([NewListing("added", WORD, image=photo)])
            other.delete(["deleted"])
            return encoded(*read)

        monkeypatch.setattr("relevance.live.engine.encoded", meanwhile)
        assert engine.upsert(both) == UpsertResult(2, ())
    added, deleted = engine.get("added"), engine.get("deleted")
    assert added is not None
    assert deleted is not None
    assert (added.price, added.image, engine.photo("added")) == (3.0, "live:added", photo)
    assert (deleted.price, deleted.image, engine.photo("deleted")) == (3.0, None, None)
    assert "added" in ids_of(engine.similar(image=photo, k=MAX_K))


def test_a_new_bundle_is_opened_in_turn(tiny_bundle: Path, tmp_path: Path) -> None:
    """While one process opens it, another answers from the last one, and takes in what is written."""
    deployment = Deployment(tmp_path / "serving")
    first = _put_in_use(deployment, tiny_bundle, "first")
    with LiveEngine(deployment.root, live=tmp_path / "live") as engine:
        with deployment.opening() as ours:
            assert ours
            second = _put_in_use(deployment, tiny_bundle, "second")
            with LiveEngine(deployment.root, live=tmp_path / "live") as other:
                for n in range(3):
                    other.upsert([NewListing(f"n{n}", WORD)])
                    eventually(lambda name=f"n{n}": engine.get(name) is not None)
            assert engine.current.root == first
        eventually(lambda: engine.current.root == second, seconds=60)
        assert len(engine.lexical_search(WORD)) == 3


def test_a_write_does_not_wait_until_a_bundle_is_opened(tiny_bundle: Path, tmp_path: Path) -> None:
    deployment = Deployment(tmp_path / "serving")
    first = _put_in_use(deployment, tiny_bundle, "first")
    found: list[bool] = []

    def write() -> None:
        engine.upsert([NewListing("meanwhile", WORD)])
        found.append(engine.current.root == first and engine.get("meanwhile") is not None)

    @contextmanager
    def written_meanwhile() -> Iterator[None]:
        yield
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=60)

    with LiveEngine(deployment.root, live=tmp_path / "live", opening=written_meanwhile) as engine:
        engine.search("any query is asked of the new bundle, too")
        second = _put_in_use(deployment, tiny_bundle, "second")
        eventually(lambda: engine.current.root == second, seconds=60)
        assert engine.get("meanwhile") is not None
    assert found == [True]


def test_a_new_bundle_is_asked_only_queries_that_are_read_whole(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Engine, "warm", lambda _, queries: asked.extend(queries))
    deployment = Deployment(tmp_path / "serving")
    _put_in_use(deployment, tiny_bundle, "first")
    with LiveEngine(deployment.root) as engine:
        for query in ("lamp", "lamp" * 251, "lamp" * 250):
            engine.search(query)
        second = _put_in_use(deployment, tiny_bundle, "second")
        eventually(lambda: engine.current.root == second, seconds=60)
    assert asked == ["lamp", "lamp" * 250]


def test_what_is_written_meanwhile_is_encoded_anew_before_writes_have_to_wait(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, following = Deployment(tmp_path / "serving"), tmp_path / "next"
    _put_in_use(deployment, tiny_bundle, "first")
    write_next(tiny_bundle, following)  # of other models
    opening, encoded, asked = [False], Counter[bool](), Engine.warm

    @contextmanager
    def counted() -> Iterator[None]:
        opening[0] = True
        yield
        opening[0] = False

    def encode(states: Sequence[State], *args: Any) -> list[State]:
        if threading.current_thread().name == "relevance-opening":
            encoded[opening[0]] += len(states)
        return recoded(states, *args)

    def asked_while_written(next_engine: Engine, queries: Sequence[str]) -> None:
        writing = threading.Thread(target=engine.upsert, args=([NewListing(f"n{n}", WORD) for n in range(3)],))
        writing.start()
        writing.join(timeout=60)
        asked(next_engine, queries)

    with LiveEngine(deployment.root, live=tmp_path / "live", opening=counted) as engine:
        monkeypatch.setattr("relevance.live.engine.recoded", encode)
        monkeypatch.setattr(Engine, "warm", asked_while_written)
        second = _put_in_use(deployment, following, "second")
        eventually(lambda: engine.current.root == second, seconds=60)
        assert len(engine.lexical_search(WORD)) == 3
    assert encoded == {True: 3, False: 0}


def test_what_others_write_is_seen_while_a_bundle_is_opened(tiny_bundle: Path, tmp_path: Path) -> None:
    deployment = Deployment(tmp_path / "serving")
    first = _put_in_use(deployment, tiny_bundle, "first")
    begun, enough = threading.Event(), threading.Event()

    @contextmanager
    def slow() -> Iterator[None]:
        begun.set()
        enough.wait(timeout=60)
        yield

    with (
        LiveEngine(deployment.root, live=tmp_path / "live", opening=slow) as engine,
        LiveEngine(tiny_bundle, live=tmp_path / "live") as other,
    ):
        second = _put_in_use(deployment, tiny_bundle, "second")
        assert begun.wait(timeout=60)
        for n in range(2):
            other.upsert([NewListing(f"n{n}", WORD)])
            assert eventually(lambda name=f"n{n}": engine.get(name) is not None) < 1.0
        assert engine.current.root == first
        enough.set()
        eventually(lambda: engine.current.root == second, seconds=60)
        assert len(engine.lexical_search(WORD)) == 2


def test_once_closed_an_engine_keeps_its_last_state(tiny_bundle: Path, tmp_path: Path, listings: Listings) -> None:
    deployment = Deployment(tmp_path / "serving")
    _put_in_use(deployment, tiny_bundle, "first")
    engine = LiveEngine(deployment.root, live=tmp_path / "live")
    engine.upsert([NewListing("new", WORD)])
    engine.delete([listings.ids[0]])
    engine.close()
    _put_in_use(deployment, tiny_bundle, "second")
    assert engine.refresh() is False
    assert engine.get("new") is not None
    assert engine.get(listings.ids[0]) is None


def test_one_process_at_a_time_has_the_turn(tmp_path: Path) -> None:
    one, other = Deployment(tmp_path), Deployment(tmp_path)
    with one.opening() as first, other.opening() as second:
        assert (first, second) == (True, False)
    with other.opening() as free:
        assert free


def test_a_restart_loses_nothing(tiny_bundle: Path, tmp_path: Path, listings: Listings, photo: bytes) -> None:
    def answers(engine: LiveEngine) -> Any:
        # Not the scores: how rare a word is told by earlier states, too, as long as the process lives.
        hits = engine.search(f"{WORD} lamp", 50).hits
        return (
            {(hit.listing_id, hit.title, hit.category_id, hit.image) for hit in hits},
            engine.similar(image=photo),
            engine.get(listings.ids[1]),
            engine.get("b"),
            len(engine),
            engine.versions,
        )

    with relevance.open(tiny_bundle, live=tmp_path / "live") as engine:
        engine.upsert(
            [NewListing("a", f"{WORD} lamp", image=photo), NewListing("b", WORD), NewListing("a", f"{WORD} lamp 2")]
        )
        engine.delete(["b", listings.ids[1]])
        before = answers(engine)
    with relevance.open(tiny_bundle, live=tmp_path / "live") as engine:
        assert answers(engine) == before


def test_a_query_under_way_keeps_its_state(engine: LiveEngine) -> None:
    engine.upsert([NewListing("a", WORD)])
    before = engine.current
    hits = before.lexical_search(WORD)
    engine.upsert([NewListing(f"n{n}", WORD) for n in range(300)])
    engine.delete(["a"])
    assert before.lexical_search(WORD) == hits
    assert before.get("a") is not None
    assert engine.get("a") is None


def test_searching_while_listings_are_written(engine: LiveEngine) -> None:
    """Every answer is that of one state: as many listings have the word as its change number says."""
    stop, wrong, answered = threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            state = engine.current
            found = len(state.lexical_search(WORD, MAX_K))
            answered.append(found)
            if found != int(state.versions["change"]):
                wrong.append((found, state.versions))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(40):
        engine.upsert([NewListing(f"n{n}", WORD)])
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(answered) > 10


def test_an_engine_that_is_dropped_leaves_no_thread(tiny_bundle: Path, tmp_path: Path) -> None:
    before = set(threading.enumerate())  # other tests' engines may still be there
    engine = relevance.open(tiny_bundle, live=tmp_path / "live")
    (refreshing,) = set(threading.enumerate()) - before
    del engine
    gc.collect()
    refreshing.join(timeout=2)
    assert not refreshing.is_alive()


def test_what_is_written_to_a_store_put_back_from_a_copy_is_found(engine: LiveEngine, tmp_path: Path) -> None:
    engine.upsert([NewListing("before", WORD)])
    shutil.copytree(tmp_path / "live", tmp_path / "copy")
    engine.upsert([NewListing(f"n{n}", WORD) for n in range(3)])
    engine.write_snapshot(tmp_path / "next")
    with relevance.open(tmp_path / "next", live=tmp_path / "copy") as restored:
        restored.upsert([NewListing("after", WORD)])
        restored.delete(["n0"])
        with relevance.open(tmp_path / "next", live=tmp_path / "copy", read_only=True) as other:
            for each in (restored, other):
                assert sorted(ids_of(each.lexical_search(WORD))) == ["after", "before", "n1", "n2"]
