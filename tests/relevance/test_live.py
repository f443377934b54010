"""Listings written while people search: found at once, everywhere, exactly once, and gone when they are gone."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import relevance
from relevance import Filters, LiveEngine, NewListing, Refused, UpsertResult
from relevance.aio import AsyncEngine
from relevance.dataset import Dataset, Listings
from relevance.engine import MAX_K, Engine
from relevance.errors import DataError
from relevance.live.listing import checked
from relevance.ontology import Ontology

WORD = "flibberwock"
"""A word that no generated listing has."""


@pytest.fixture(scope="module")
def listings(tiny_chain: Path) -> Listings:
    return Dataset.open(tiny_chain / "dataset").read_listings()


@pytest.fixture
def engine(tiny_bundle: Path, tmp_path: Path) -> Iterator[LiveEngine]:
    with relevance.open(tiny_bundle, live=tmp_path / "live") as opened:
        yield opened


@pytest.fixture
def photo(tiny_chain: Path, listings: Listings) -> bytes:
    """The bytes of a usable photo."""
    bundle = Engine(tiny_chain / "bundle")
    row = int(np.flatnonzero(bundle.visual.embeddings.any(axis=1))[0])
    return (tiny_chain / "dataset" / str(bundle.store.rows([row])[row].image)).read_bytes()


def _leaf(engine: LiveEngine) -> str:
    ontology = engine.current.ontology
    return ontology.ids[int(np.flatnonzero(ontology.is_leaf)[3])]


def _bundled(engine: LiveEngine) -> dict[int, relevance.StoredListing]:
    return engine.current.store.rows(range(len(engine.current.columns)))


def _ids(hits: tuple[relevance.Hit, ...]) -> list[str]:
    return [hit.listing_id for hit in hits]


def _eventually(told: Callable[[], bool], seconds: float = 5.0) -> float:
    """How long it took until `told` said so."""
    start = time.perf_counter()
    while not told():
        assert time.perf_counter() - start < seconds
        time.sleep(0.005)
    return time.perf_counter() - start


# Found by every way of asking.


def test_a_new_listing_is_found_by_its_words(engine: LiveEngine) -> None:
    before = len(engine)
    result = engine.upsert([NewListing("new", f"{WORD} lamp", price=12.5, category_id=_leaf(engine))])
    assert (result.accepted, result.rejected, result.ignored) == (1, (), ())
    assert len(engine) == before + 1
    for hits in (engine.search(WORD, MAX_K).hits, engine.lexical_search(WORD)):
        hit = next(hit for hit in hits if hit.listing_id == "new")
        assert (hit.title, hit.price, hit.category_id) == (f"{WORD} lamp", 12.5, _leaf(engine))
        assert hit.source == "lexical"
    assert engine.search(WORD).versions["change"] == "1"


def test_a_new_listing_lies_where_index_building_puts_it(engine: LiveEngine, listings: Listings) -> None:
    """A listing's twin is written: it gets the vector that the listing has in the bundle, and is as near to a query."""
    looks = {listing.listing_id: engine.current.visual.embeddings[row] for row, listing in _bundled(engine).items()}
    at = next(i for i, own in enumerate(listings.ids) if listings.category_ids[i] and not looks[own].any())
    price = None if np.isnan(listings.price[at]) else float(listings.price[at])
    twin = NewListing("twin", listings.titles[at], category_id=listings.category_ids[at], price=price)
    engine.upsert([replace(twin, attributes=listings.attributes[at])])
    now = engine.current
    own, new = now.store.find(listings.ids[at]), now.catalogue.find("twin")
    assert own is not None
    assert new is not None
    vector = now.catalogue.embeddings(np.array([new.row]))[0]
    np.testing.assert_allclose(vector, now.vectors.embeddings[own.row], atol=1e-5)
    mask = now.catalogue.mask(Filters(), np.datetime64("now", "ms"))
    rows, scores = now.catalogue.nearest(vector, 5, mask)
    assert new.row in rows.tolist()
    assert scores[0] == pytest.approx(1.0, abs=1e-4)
    assert np.all(np.diff(scores) <= 0)


def test_a_new_listing_is_found_by_filters(engine: LiveEngine) -> None:
    columns = engine.current.columns
    name, coded = next((name, coded) for name, coded in columns.attributes.items() if len(coded.values) > 1)
    new = NewListing(
        "new",
        WORD,
        price=1e6,
        latitude=-60.0,
        longitude=100.0,
        created_at=np.datetime64("now", "ms").item(),
        expires_at="2999-01-01",
        locale="xx-YY",
        category_id=_leaf(engine),
        attributes={name: "unheard of"},
    )
    engine.upsert([new])
    parent = engine.current.ontology.ids[
        int(engine.current.ontology.parent[engine.current.ontology.position(_leaf(engine))])
    ]
    passing = [
        Filters(price=(1e6, None)),
        Filters(near=(-60.0, 100.0, 1.0)),
        Filters(max_age_days=1),
        Filters(locale="xx-YY"),
        Filters(category=parent),
        Filters(attributes={name: "unheard of"}),
    ]
    for filters in passing:
        assert _ids(engine.lexical_search(WORD, filters=filters)) == ["new"]
    for filters in (Filters(price=(None, 999)), Filters(near=(60.0, 100.0, 1.0)), Filters(locale="en"),
                    Filters(attributes={name: coded.values[0]})):  # fmt: skip
        assert engine.lexical_search(WORD, filters=filters) == ()


def test_a_new_listing_is_found_within_its_category(engine: LiveEngine) -> None:
    ontology = engine.current.ontology
    engine.upsert(
        [NewListing("in", WORD, category_id=_leaf(engine)), NewListing("out", WORD, category_id=ontology.ids[-1])]
    )
    now = engine.current
    position = ontology.position(_leaf(engine))
    mask = now.catalogue.mask(Filters(), np.datetime64("now", "ms"))
    rows, _ = now.catalogue.nearest(now.read(WORD).embedding, MAX_K, mask, [(position, int(ontology.end[position]))])
    found = {listing.listing_id for listing in now.catalogue.listings(rows.tolist()).values()}
    assert "in" in found
    assert "out" not in found
    assert set(now.catalogue.category(rows).tolist()) == {position}


def test_a_new_photo_is_found_by_look_and_tells_the_category(engine: LiveEngine, photo: bytes) -> None:
    engine.upsert([NewListing("seen", WORD, image=photo), NewListing("unseen", WORD)])
    assert engine.similar(image=photo, k=5)[0].score == pytest.approx(1.0, abs=1e-3)
    assert "seen" in _ids(engine.similar(image=photo, k=MAX_K))
    assert "unseen" not in _ids(engine.similar(image=photo, k=MAX_K))
    assert engine.similar("unseen") == ()
    assert "seen" not in _ids(engine.similar("seen", k=MAX_K))
    seen, unseen = engine.get("seen"), engine.get("unseen")
    assert seen is not None
    assert unseen is not None
    assert seen.category_source in ("photo", "text")
    assert (unseen.category_source, unseen.image) == ("text", None)
    assert engine.photo("seen") == photo
    assert (seen.image, engine.photo("unseen")) == ("live:seen", None)


def test_a_word_that_only_new_listings_have_corrects_a_query(engine: LiveEngine) -> None:
    now = engine.current
    known = now.towers.featuriser.words
    absent = next(word for word in known if len(word) > 6 and word.isalpha() and not now.lexical.count(word))
    typed = absent[:-2] + absent[-1] + absent[-2]
    assert now.reader.speller.read(typed).corrected != absent
    engine.upsert([NewListing("new", absent)])
    assert engine.current.reader.speller.read(typed).corrected == absent


# Replaced, deleted, expired.


def test_a_bundle_listing_is_replaced(engine: LiveEngine, listings: Listings) -> None:
    own, before = listings.ids[0], len(engine)
    engine.upsert([NewListing(own, f"{WORD} one")])
    engine.upsert([NewListing(own, f"{WORD} two")])
    assert len(engine) == before
    assert [hit.title for hit in engine.lexical_search(WORD)] == [f"{WORD} two"]
    assert own not in _ids(engine.lexical_search(listings.titles[0], MAX_K))
    stored = engine.get(own)
    assert stored is not None
    assert stored.title == f"{WORD} two"


def test_a_photo_is_kept_where_one_call_has_two_states_of_a_listing(engine: LiveEngine, photo: bytes) -> None:
    states = [NewListing("live", "one", image=photo, version=1), NewListing("live", "two", version=2)]
    assert engine.upsert([*states, NewListing("other", "three", price=-1.0), states[0]]) == UpsertResult(
        2,
        (Refused(2, "other", "price: expected a price of at least 0, found -1.0"),),
        (Refused(3, "live", "version 1 is not above the stored 2"),),
    )
    written = engine.get("live")
    assert written is not None
    assert (written.title, written.image, engine.photo("live")) == ("two", "live:live", photo)


def test_a_photo_is_kept_replaced_and_taken_away(engine: LiveEngine, photo: bytes) -> None:
    now = engine.current
    row = int(np.flatnonzero(now.visual.embeddings.any(axis=1))[-1])
    own = now.store.rows([row])[row]
    look = np.array(now.visual.embeddings[row])

    def looks_like() -> Any:
        stored = engine.current.catalogue.find(own.listing_id)
        assert stored is not None
        return stored.image, engine.current.catalogue.looks(np.array([stored.row]))[0]

    for _ in range(2):
        engine.upsert([NewListing(own.listing_id, WORD)])
        assert looks_like()[0] == own.image
        np.testing.assert_array_equal(looks_like()[1], look)
    engine.upsert([NewListing(own.listing_id, WORD, image=photo)])
    assert looks_like()[0] == f"live:{own.listing_id}"
    assert not np.array_equal(looks_like()[1], look)
    engine.upsert([NewListing(own.listing_id, WORD, image=b"")])
    assert looks_like()[0] is None
    assert not looks_like()[1].any()
    assert engine.photo(own.listing_id) is None


def test_deletion_is_immediate(engine: LiveEngine, listings: Listings) -> None:
    engine.upsert([NewListing("new", WORD)])
    before = len(engine)
    assert engine.delete(["new", listings.ids[0], "never there", "new"]) == 2
    assert len(engine) == before - 2
    assert engine.delete(["new", listings.ids[0]]) == 0
    assert engine.get("new") is None
    assert engine.get(listings.ids[0]) is None
    assert engine.search(WORD, MAX_K).fallback is not None
    assert listings.ids[0] not in _ids(engine.lexical_search(listings.titles[0], MAX_K))
    with pytest.raises(DataError, match="no listing with id 'new'"):
        engine.similar("new")
    assert engine.upsert([NewListing("new", WORD)]).accepted == 1
    assert _ids(engine.lexical_search(WORD)) == ["new"]


def test_a_category_is_open_once_it_has_a_listing_and_closed_without(engine: LiveEngine) -> None:
    categories = engine.current.categories
    empty = int(np.flatnonzero(categories.empty)[0])
    engine.upsert([NewListing("new", WORD, category_id=engine.current.ontology.ids[empty])])
    assert not engine.current.categories.empty[empty]
    engine.delete(["new"])
    assert engine.current.categories.empty[empty]
    assert not categories.empty.all()


def test_expiry_is_immediate(tiny_bundle: Path, tmp_path: Path) -> None:
    hour = np.timedelta64(1, "h")
    time_now = [np.datetime64("2031-01-01T00:00:00", "ms")]
    with LiveEngine(tiny_bundle, live=tmp_path / "live", clock=lambda: time_now[0]) as engine:
        engine.upsert([NewListing("new", WORD, expires_at="2031-01-01T01:00:00Z"), NewListing("stays", WORD)])
        assert sorted(_ids(engine.lexical_search(WORD))) == ["new", "stays"]
        assert engine.get("new") is not None
        time_now[0] += hour
        assert _ids(engine.lexical_search(WORD)) == ["stays"]
        assert "new" not in _ids(engine.search(WORD, MAX_K).hits)
        assert engine.get("new") is None
        time_now[0] -= hour + hour
        assert sorted(_ids(engine.lexical_search(WORD))) == ["new", "stays"]


# Exactly once.


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


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"listing_id": ""}, "listing_id: expected an id, found ''"),
        ({"title": "  "}, "title: expected some text, found '  '"),
        ({"price": -1}, "price: expected a price of at least 0, found -1"),
        ({"price": float("inf")}, "price: expected a finite number, found inf"),
        ({"latitude": 91, "longitude": 0}, "latitude: expected degrees from -90 to 90, found 91"),
        ({"latitude": 5}, "longitude: expected a number, since the row has a latitude, found None"),
        ({"expires_at": "soon"}, "expires_at: expected an ISO 8601 time"),
        ({"category_id": "nope"}, "category_id: expected a category_id of categories.csv or nothing, found 'nope'"),
        ({"attributes": "[1]"}, "attributes: expected a JSON object, found '[1]'"),
        ({"attributes": {"a": float("nan")}}, "attributes: expected text or values that JSON has"),
        ({"attributes": {"a": object()}}, "attributes: expected text or values that JSON has"),
        ({"title": "\ud800"}, "title: expected text or values that JSON has"),
        ({"description": "x" * 200_000}, "description: expected at most 100,000 bytes"),
        ({"image": b"nothing like a photo"}, "image: expected a photo, but it is not an image"),
        ({"image": "path.jpg"}, "image: expected the bytes of a photo, found str"),
        ({"version": 1.5}, "version: expected a whole number of 64 bits, found 1.5"),
        ({"version": 2**63}, "version: expected a whole number of 64 bits"),
    ],
)
def test_what_is_no_listing_is_refused_and_the_others_are_written(
    engine: LiveEngine, fields: dict[str, Any], reason: str
) -> None:
    bad = NewListing(**{"listing_id": "bad", "title": WORD} | fields)
    result = engine.upsert([NewListing("good", WORD), bad, NewListing("fine", WORD)])
    assert (result.accepted, len(result.rejected)) == (2, 1)
    assert (result.rejected[0].index, result.rejected[0].listing_id) == (1, bad.listing_id)
    assert reason in result.rejected[0].reason
    assert sorted(_ids(engine.lexical_search(WORD))) == ["fine", "good"]


def test_times_are_one_instant_however_they_are_written() -> None:
    ontology = Ontology.from_paths(["a"], [("A",)])
    ways = ["2030-05-31T12:00:00Z", "2030-05-31T14:00:00+02:00", 1_906_459_200_000, "2030-05-31 12:00"]
    assert {checked(NewListing("x", "x", expires_at=way), ontology).expires_at for way in ways} == {1_906_459_200_000}


# Several processes, restarts.


def test_another_engine_sees_it_within_a_second(engine: LiveEngine, tiny_bundle: Path, tmp_path: Path) -> None:
    with relevance.open(tiny_bundle, live=tmp_path / "live") as other:
        for n in range(5):
            engine.upsert([NewListing("new", f"{WORD} {n}")])
            title = f"{WORD} {n}"
            assert _eventually(lambda title=title: [h.title for h in other.lexical_search(WORD)] == [title]) < 1.0
        other.delete(["new"])
        assert _eventually(lambda: engine.get("new") is None) < 1.0


def test_two_writers_take_turns(engine: LiveEngine, tiny_bundle: Path, tmp_path: Path) -> None:
    with relevance.open(tiny_bundle, live=tmp_path / "live") as other, ThreadPoolExecutor(4) as pool:
        writers = [engine, other] * 2
        done = pool.map(lambda n: writers[n % 4].upsert([NewListing(f"n{n}", WORD)]).accepted, range(24))
        assert list(done) == [1] * 24
        engine.refresh()
        other.refresh()
        assert sorted(_ids(engine.lexical_search(WORD, 100))) == sorted(f"n{n}" for n in range(24))
        assert _ids(engine.lexical_search(WORD, 100)) != []
        assert engine.versions == other.versions


def test_a_restart_loses_nothing(tiny_bundle: Path, tmp_path: Path, listings: Listings, photo: bytes) -> None:
    def answers(engine: LiveEngine) -> Any:
        return (
            engine.search(f"{WORD} lamp", 50).hits,
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


# What cannot be.


def test_without_a_folder_nothing_can_be_written(tiny_bundle: Path) -> None:
    engine = relevance.open(tiny_bundle)
    for write in (lambda: engine.upsert([NewListing("a", "b")]), lambda: engine.delete(["a"])):
        with pytest.raises(DataError, match="live=FOLDER"):
            write()
    assert engine.refresh() is False
    assert engine.search("lamp").versions.keys() == {"bundle", "fingerprint"}


def test_a_folder_that_is_none_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be used as a store of live listings"):
        relevance.open(tiny_bundle, live=tmp_path / "file")
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "live.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"live\.sqlite.*not a database"):
        relevance.open(tiny_bundle, live=tmp_path / "live")


def test_an_engine_that_is_dropped_leaves_no_thread(tiny_bundle: Path, tmp_path: Path) -> None:
    def refreshing() -> int:
        return sum(thread.name == "relevance-refresh" for thread in threading.enumerate())

    gc.collect()
    _eventually(lambda: refreshing() == 0)
    engine = relevance.open(tiny_bundle, live=tmp_path / "live")
    assert refreshing() == 1
    del engine
    gc.collect()
    assert _eventually(lambda: refreshing() == 0) < 2


def test_results_are_plain(engine: LiveEngine) -> None:
    engine.upsert([NewListing("a", WORD, price=3)])
    json.dumps(engine.search(WORD).to_dict(), allow_nan=False)
    status = engine.status()
    assert (status.change, status.fresh, status.removed) == (1, 1, 0)
    assert status.rows == len(engine)


def test_the_engine_is_awaited(engine: LiveEngine) -> None:
    async def use() -> None:
        awaited = AsyncEngine(engine)
        assert (await awaited.upsert([NewListing("a", WORD)])).accepted == 1
        results = await asyncio.gather(*(awaited.search(WORD, 50) for _ in range(4)))
        assert {result.hits for result in results} == {engine.search(WORD, 50).hits}
        assert await awaited.related(WORD) == engine.related(WORD)
        assert await awaited.category_filter(WORD) == engine.category_filter(WORD)
        assert await awaited.fallback(WORD, k=3) == engine.fallback(WORD, k=3)
        assert await awaited.similar("a") == ()
        assert await awaited.get("a") == engine.get("a")
        assert await awaited.delete(["a"]) == 1

    asyncio.run(use())
