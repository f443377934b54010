"""The engine over a small bundle: what it finds, what it refuses, and that no text can break it."""

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import relevance
from relevance.artifacts import file_sha256
from relevance.dataset import Dataset, Listings, listing_text
from relevance.engine import MAX_K, Engine
from relevance.errors import BundleError, DataError
from relevance.filters import Filters
from relevance.images import PhotoError
from relevance.relevance_model import LESS_CERTAIN
from relevance.text import tokens

Opener = Callable[[float], Engine]

STRANGE = {
    "empty": "",
    "blank": " \t\r\n",
    "punctuation": "?!*() AND OR NOT text:x \"'\\",
    "controls": "\x00\x01\x1b[31m\x7f\x85",
    "emoji": "🎮🏳️‍🌈👩‍👩‍👧",
    "right to left": "كرسي أطفال \u202e דלת",
    "unspaced": "任天堂ゲーム機โต๊ะไม้",
    "combining": "e" + "\u0301" * 500,
    "surrogates": "\ud800\udfff",
    "long word": "x" * 10_000,
    "many words": "table " * 2_000,
    "many unknown words": " ".join(f"wrd{i}zq" for i in range(1_500)),
    "digits": "9" * 5_000,
    "markup": "<script>alert(1)</script>'; DROP TABLE listings; --",
}


@pytest.fixture(scope="module")
def listings(tiny_chain: Path) -> Listings:
    return Dataset.open(tiny_chain / "dataset").read_listings()


@pytest.fixture(scope="module")
def engine(tiny_bundle: Path) -> Engine:
    return Engine(tiny_bundle)


@pytest.fixture
def with_threshold(tiny_bundle: Path) -> Opener:
    """A function: the engine with another threshold. 0 shows every candidate, 2 none that only the meaning found."""

    def opened(threshold: float) -> Engine:
        engine = Engine(tiny_bundle)
        engine.relevance = replace(engine.relevance, threshold=threshold)
        return engine

    return opened


def _words(listings: Listings, i: int) -> set[str]:
    text = listing_text(listings.titles[i], listings.descriptions[i], listings.attributes[i])
    return set(tokens(text, limit=None))


def _live(listings: Listings, now: np.datetime64 | None = None) -> list[int]:
    now = np.datetime64("now", "ms") if now is None else now
    return [i for i in range(len(listings)) if not listings.expires_at[i] <= now]


def _typed_wrong(engine: Engine) -> tuple[str, str]:
    """A word that listings have and the same with two letters swapped, which training has not seen."""
    for word in engine.towers.featuriser.words:
        typed = word[:2] + word[3] + word[2] + word[4:] if len(word) > 6 and word.isascii() else word
        new = engine.lexical.count(word) and not engine.lexical.count(typed)
        if new and engine.reader.speller.read(typed).corrected == word:
            return word, typed
    raise AssertionError("no word to misspell")


# Any text is a query.


@pytest.mark.parametrize("query", STRANGE.values(), ids=STRANGE.keys())
def test_strange_queries_have_an_answer(engine: Engine, query: str) -> None:
    result = engine.search(query, 5, Filters(price=(1, None)))
    assert result.query == query
    assert len(result.hits) <= 5
    assert result.abstained == (not result.hits)
    engine.category_filter(query)
    engine.fallback(query, k=5)
    engine.lexical_search(query, 5)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=80), k=st.integers(1, 50))
def test_any_text_has_an_answer(engine: Engine, query: str, k: int) -> None:
    result = engine.search(query, k)
    ids = [hit.listing_id for hit in result.hits]
    assert len(ids) == len(set(ids)) <= k
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("query", ["", "?!", "🎮", "\x00"])
def test_a_query_without_words_abstains(engine: Engine, query: str) -> None:
    result = engine.search(query)
    assert (result.hits, result.abstained, result.category_filter.mode) == ((), True, "none")


@pytest.mark.parametrize("k", [0, -1, MAX_K + 1])
def test_k_is_bounded(engine: Engine, k: int) -> None:
    for ask in (engine.search, engine.lexical_search, engine.similar):
        with pytest.raises(DataError, match=f"k: expected 1 to {MAX_K}, got {k}"):
            ask("x", k=k)
    with pytest.raises(DataError, match="k: expected"):
        engine.fallback("x", k=k)


# Search.


def test_lexical_search_requires_every_word(engine: Engine, listings: Listings) -> None:
    live = _live(listings)
    for i in live[:40]:
        for query in (listings.titles[i], " ".join(tokens(listings.titles[i])[:2])):
            wanted = set(tokens(query))
            expected = {listings.ids[j] for j in live if wanted <= _words(listings, j)}
            hits = engine.lexical_search(query, MAX_K)
            assert {hit.listing_id for hit in hits} == expected
            assert {hit.source for hit in hits} == {"lexical"}


def test_lexical_search_under_a_filter(engine: Engine, listings: Listings) -> None:
    middle = float(np.nanmedian(listings.price))
    word = tokens(listings.titles[0])[0]
    cheap = [i for i in _live(listings) if listings.price[i] <= middle and word in _words(listings, i)]
    hits = engine.lexical_search(word, MAX_K, Filters(price=(None, middle)))
    assert {hit.listing_id for hit in hits} == {listings.ids[i] for i in cheap}


def test_search_keeps_what_has_the_words_and_orders_by_relevance(engine: Engine, listings: Listings) -> None:
    rows = {listing_id: i for i, listing_id in enumerate(listings.ids)}
    for i in _live(listings)[:20]:
        query = listings.titles[i]
        result = engine.search(query, MAX_K)
        assert result.fallback is None
        assert not result.abstained
        scores = [hit.score for hit in result.hits]
        assert scores == sorted(scores, reverse=True)
        lexical = {hit.listing_id for hit in result.hits if hit.source == "lexical"}
        assert lexical == {hit.listing_id for hit in engine.lexical_search(query, MAX_K)}
        for hit in result.hits:
            assert hit.relevance is not None
            assert hit.source == "lexical" or hit.relevance >= LESS_CERTAIN * engine.relevance.threshold - 1e-4
            assert (set(tokens(query)) <= _words(listings, rows[hit.listing_id])) == (hit.source == "lexical")


def test_a_hit_shows_its_listing(engine: Engine, listings: Listings) -> None:
    rows = {listing_id: i for i, listing_id in enumerate(listings.ids)}
    for hit in engine.search(listings.titles[0], 50).hits:
        i = rows[hit.listing_id]
        assert hit.title == listings.titles[i]
        assert hit.price == pytest.approx(listings.price[i]) or (hit.price is None and np.isnan(listings.price[i]))
        assert hit.image == (listings.images[i][0] if listings.images[i] else None)
        assert hit.category_id is not None
        assert hit.category == engine.ontology.path_text(engine.ontology.position(hit.category_id))
        assert listings.category_ids[i] in (None, hit.category_id)
        assert hit.reason


def test_filters_hold_for_every_hit(engine: Engine, listings: Listings) -> None:
    prices = dict(zip(listings.ids, listings.price.tolist(), strict=True))
    low, high = np.nanquantile(listings.price, [0.3, 0.7]).tolist()
    inside = [i for i in _live(listings) if low <= listings.price[i] <= high and listings.category_ids[i]]
    for i in inside[:30]:
        root = engine.ontology.paths[engine.ontology.position(str(listings.category_ids[i]))][0]
        category = engine.ontology.ids[engine.ontology.paths.index((root,))]
        result = engine.search(listings.titles[i], MAX_K, Filters(price=(low, high), category=category))
        assert result.fallback is None
        assert listings.ids[i] in {hit.listing_id for hit in result.hits}
        assert all(low <= prices[hit.listing_id] <= high for hit in result.hits)
        assert all(hit.category.split(" > ")[0] == root for hit in result.hits)


def test_the_clock_decides_what_has_expired(tiny_bundle: Path, listings: Listings) -> None:
    word = tokens(listings.titles[0])[0]
    times = [*listings.created_at[~np.isnat(listings.created_at)], np.datetime64("2100-01-01", "ms")]
    for now in (min(times), times[len(times) // 2], max(times)):
        engine = Engine(tiny_bundle, clock=lambda now=now: now)
        expected = {listings.ids[i] for i in _live(listings, now) if word in _words(listings, i)}
        assert {hit.listing_id for hit in engine.lexical_search(word, MAX_K)} == expected


def test_result_tells_its_versions_and_timings(engine: Engine, listings: Listings) -> None:
    result = engine.search(listings.titles[0])
    assert result.versions["fingerprint"] == engine.manifest["fingerprint"][:16]
    assert result.timings.keys() == {"query", "candidates", "hits"}
    assert all(milliseconds >= 0 for milliseconds in result.timings.values())


def test_threads_share_an_engine(engine: Engine, listings: Listings) -> None:
    queries = [title for title in listings.titles[:25] for _ in range(4)]

    def ids(query: str) -> list[str]:
        return [hit.listing_id for hit in engine.search(query).hits]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ids, queries)) == [ids(query) for query in queries]


# Category filter.


def test_category_filter_is_the_same_alone_and_in_a_search(engine: Engine, listings: Listings) -> None:
    modes = set()
    for title in listings.titles[:50]:
        found = engine.category_filter(title)
        assert found == engine.search(title).category_filter
        modes.add(found.mode)
        assert (found.mode == "none") == (not found.categories)
        probabilities = [score.probability for score in found.categories]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) <= 1.001
        for score in found.categories:
            assert score.path == engine.ontology.path_text(engine.ontology.position(score.category_id))
    assert modes <= {"filter", "boost", "none"}


# Fallback.


def test_a_typing_error_is_corrected(with_threshold: Opener, listings: Listings) -> None:
    engine = with_threshold(0.0)
    word, typed = _typed_wrong(engine)
    result = engine.search(typed, MAX_K)
    assert result.fallback is not None
    assert result.fallback.corrected_query == word
    assert result.fallback.hits == result.hits
    having = {listings.ids[i] for i in _live(listings) if word in _words(listings, i)}
    corrected = {hit.listing_id for hit in result.hits if word in hit.reason}
    assert corrected == having


def test_nothing_likely_enough_is_nothing(with_threshold: Opener) -> None:
    engine = with_threshold(2.0)
    result = engine.search("zzzz qqqq", filters=Filters(price=(0, None), locale="xx"))
    assert result.fallback is not None
    assert (result.hits, result.abstained) == ((), True)
    assert (result.fallback.hits, result.fallback.abstained, result.fallback.relaxed) == ((), True, ())


def test_words_that_match_need_no_threshold(with_threshold: Opener, listings: Listings) -> None:
    engine = with_threshold(2.0)
    i = _live(listings)[0]
    result = engine.search(listings.titles[i], MAX_K)
    assert result.fallback is None
    assert listings.ids[i] in {hit.listing_id for hit in result.hits}
    assert {hit.source for hit in result.hits} == {"lexical"}


def test_filters_are_given_up_in_the_stated_order(with_threshold: Opener, listings: Listings) -> None:
    engine = with_threshold(0.0)
    category = engine.ontology.ids[engine.columns.category[0]]
    too_much = Filters(category=category, price=(1e12, None), near=(-89.0, 0.0, 0.001))
    found = engine.fallback("zzzz qqqq", too_much, k=10)
    # The place goes first and is not enough; with the price gone as well, the category still holds.
    assert found.relaxed == ("near", "price")
    below = engine.ontology.path_text(engine.ontology.position(category))
    assert found.hits
    assert all(hit.category.startswith(below) for hit in found.hits)


def test_filters_that_leave_something_are_kept(with_threshold: Opener) -> None:
    found = with_threshold(0.0).fallback("zzzz qqqq", Filters(price=(0, None)), k=10)
    assert found.hits
    assert found.relaxed == ()


def test_fallback_alone_is_the_fallback_of_a_search(engine: Engine) -> None:
    _, typed = _typed_wrong(engine)
    for query in (typed, "zzzz qqqq", ""):
        assert engine.fallback(query, k=7) == engine.search(query, 7).fallback


def test_unknown_filters_are_refused(engine: Engine) -> None:
    for filters in (Filters(category="no such"), Filters(attributes={"no such": 1})):
        for ask in (engine.search, engine.fallback, engine.lexical_search):
            with pytest.raises(DataError, match="no such"):
                ask("x", filters=filters)


# Similar listings.


def test_similar_is_nearest_by_look(engine: Engine, tiny_bundle: Path) -> None:
    visual = np.load(tiny_bundle / "visual.npy").astype(np.float64)
    live = ~(engine.columns.expires_at <= np.datetime64("now", "ms"))
    for row in np.flatnonzero(visual.any(axis=1))[::30].tolist():
        listing_id = engine.store.rows([row])[row].listing_id
        hits = engine.similar(listing_id, k=5)
        cosines = np.where(live, visual @ visual[row], -1.0)
        cosines[row] = -1.0
        expected = np.sort(cosines)[::-1][:5]
        np.testing.assert_allclose([hit.score for hit in hits], expected[expected > 0], atol=1e-5)
        assert listing_id not in {hit.listing_id for hit in hits}
        assert all(hit.source == "visual" and hit.relevance is None for hit in hits)


def test_similar_to_a_photo_finds_its_listing(engine: Engine, tiny_chain: Path) -> None:
    live = ~(engine.columns.expires_at <= np.datetime64("now", "ms"))
    row = int((engine.visual.embeddings.any(axis=1) & live).argmax())
    listing = engine.store.rows([row])[row]
    hits = engine.similar(image=(tiny_chain / "dataset" / str(listing.image)).read_bytes(), k=50)
    own = [hit.score for hit in hits if hit.listing_id == listing.listing_id]
    assert own == pytest.approx([1.0], abs=1e-3)
    assert hits[0].score == pytest.approx(1.0, abs=1e-3)


def test_a_listing_without_a_photo_looks_like_nothing(engine: Engine) -> None:
    rows = np.flatnonzero(~engine.visual.embeddings.any(axis=1))
    assert len(rows), "the generated marketplace has listings without a usable photo"
    assert engine.similar(engine.store.rows([int(rows[0])])[int(rows[0])].listing_id) == ()


def test_similar_refuses_what_it_cannot_compare(engine: Engine) -> None:
    with pytest.raises(DataError, match="no listing with id 'nope'"):
        engine.similar("nope")
    for arguments in ({}, {"listing_id": "a", "image": b"b"}):
        with pytest.raises(DataError, match="either listing_id or image"):
            engine.similar(**arguments)
    for photo, reason in ((b"", "empty"), (b"text", "not an image"), (b"\xff\xd8\xff\xe0", "truncated")):
        with pytest.raises(PhotoError, match=reason):
            engine.similar(image=photo)


# Opening.


@pytest.fixture
def copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A bundle to spoil. Its files are links: replace a file, never write into it."""
    shutil.copytree(tiny_bundle, tmp_path / "bundle", copy_function=os.link)
    return tmp_path / "bundle"


def _replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def _edit_manifest(bundle: Path, **changes: object) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    _replace(bundle / "manifest.json", json.dumps(manifest | changes).encode())


def test_opens_by_path_and_by_text(tiny_bundle: Path, engine: Engine) -> None:
    assert len(relevance.open(str(tiny_bundle))) == len(engine) == engine.manifest["listings"]


def test_every_missing_or_altered_file_is_named(copy: Path) -> None:
    names = list(json.loads((copy / "manifest.json").read_text())["files"])
    assert len(names) > 10
    for name in names:
        content = (copy / name).read_bytes()
        altered = bytes([content[0] ^ 1]) + content[1:] if content else b"x"
        _replace(copy / name, altered)
        with pytest.raises(BundleError, match=rf"{name} was altered"):
            relevance.open(copy)
        (copy / name).unlink()
        with pytest.raises(BundleError, match=rf"{name} is missing"):
            relevance.open(copy)
        (copy / name).write_bytes(content)
    assert len(relevance.open(copy)) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 99}, "version 3, found 99"),
        ({"kind": "towers"}, "kind 'bundle', found 'towers'"),
        ({"files": None}, "manifest.json"),
    ],
)
def test_another_format_is_refused(copy: Path, changes: dict[str, object], message: str) -> None:
    _edit_manifest(copy, **changes)
    with pytest.raises(BundleError, match=message):
        relevance.open(copy)


def test_towers_of_another_build_are_refused(copy: Path) -> None:
    """All files are as their manifest says, but the vectors were made by towers with other category embeddings."""
    embeddings = np.load(copy / "category_embeddings.npy")
    (copy / "category_embeddings.npy").unlink()
    np.save(copy / "category_embeddings.npy", embeddings[:, ::-1].copy())
    files = json.loads((copy / "manifest.json").read_text())["files"]
    _edit_manifest(copy, files=files | {"category_embeddings.npy": file_sha256(copy / "category_embeddings.npy")})
    with pytest.raises(BundleError, match="built by towers with fingerprint"):
        relevance.open(copy)


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        relevance.open(tmp_path / "none")
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        relevance.open(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(BundleError, match=r"manifest\.json: not valid JSON"):
        relevance.open(tmp_path)


def test_search_by_environment(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    monkeypatch.delenv("RELEVANCE_BUNDLE", raising=False)
    with pytest.raises(BundleError, match="RELEVANCE_BUNDLE"):
        relevance.search("x")
    monkeypatch.setenv("RELEVANCE_BUNDLE", str(tiny_bundle))
    title = engine.store.rows([0])[0].title
    assert relevance.search(title, 5).hits == engine.search(title, 5).hits


def test_a_misspelt_query_is_remembered_by_its_correction(engine: Engine) -> None:
    names = (query for query in engine.reader.seen.weights if query.isalpha() and len(query) > 5)
    typed = ((name, name[:3] + name[2] + name[3:]) for name in names)
    name, wrong = next((name, wrong) for name, wrong in typed if engine.read(wrong).reading.corrected == name)
    right = max(engine.reader.seen.weights[name].items(), key=lambda choice: choice[1])[0]
    shares = engine.read(wrong).shares
    predicted = engine.categories.probabilities(engine.read(wrong).categories)
    position = engine.ontology.position(right)
    assert shares[position] > predicted[position]
