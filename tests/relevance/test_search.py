"""A search over a small bundle: which listings it finds, in which order, and what it says of them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from relevance.dataset import Listings
from relevance.engine import MAX_K, Engine
from relevance.errors import DataError
from relevance.filters import Filters
from relevance.relevance_model import LESS_CERTAIN
from relevance.text import tokens
from tests.listed import online, words_of


def test_lexical_search_requires_every_word(engine: Engine, listings: Listings) -> None:
    live = online(listings)
    for i in live[:40]:
        for query in (listings.titles[i], " ".join(tokens(listings.titles[i])[:2])):
            wanted = set(tokens(query))
            expected = {listings.ids[j] for j in live if wanted <= words_of(listings, j)}
            hits = engine.lexical_search(query, MAX_K)
            assert {hit.listing_id for hit in hits} == expected
            assert {hit.source for hit in hits} == {"lexical"}


def test_lexical_search_under_a_filter(engine: Engine, listings: Listings) -> None:
    middle = float(np.nanmedian(listings.price))
    word = tokens(listings.titles[0])[0]
    cheap = [i for i in online(listings) if listings.price[i] <= middle and word in words_of(listings, i)]
    hits = engine.lexical_search(word, MAX_K, Filters(price=(None, middle)))
    assert {hit.listing_id for hit in hits} == {listings.ids[i] for i in cheap}


def test_search_keeps_what_has_the_words_and_orders_by_relevance(engine: Engine, listings: Listings) -> None:
    rows = {listing_id: i for i, listing_id in enumerate(listings.ids)}
    for i in online(listings)[:20]:
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
            assert (set(tokens(query)) <= words_of(listings, rows[hit.listing_id])) == (hit.source == "lexical")


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
    inside = [i for i in online(listings) if low <= listings.price[i] <= high and listings.category_ids[i]]
    for i in inside[:30]:
        root = engine.ontology.paths[engine.ontology.position(str(listings.category_ids[i]))][0]
        category = engine.ontology.ids[engine.ontology.paths.index((root,))]
        result = engine.search(listings.titles[i], MAX_K, Filters(price=(low, high), category=category))
        assert result.fallback is None
        assert listings.ids[i] in {hit.listing_id for hit in result.hits}
        assert all(low <= prices[hit.listing_id] <= high for hit in result.hits)
        assert all(hit.category.split(" > ")[0] == root for hit in result.hits)


def test_what_is_ruled_out_leaves_what_lies_elsewhere(engine: Engine) -> None:
    word = max(engine.towers.featuriser.words, key=engine.lexical.count)
    found = engine.search(word, MAX_K)
    root = found.hits[0].category.split(" > ")[0]
    away = Filters(not_categories=[engine.ontology.ids[engine.ontology.paths.index((root,))]])
    elsewhere = [hit for hit in engine.lexical_search(word, MAX_K) if hit.category.split(" > ")[0] != root]
    assert elsewhere, "a word of more than one root"
    assert engine.lexical_search(word, MAX_K, away) == tuple(elsewhere)
    left = engine.search(word, MAX_K, away)
    assert {hit.listing_id for hit in elsewhere} <= {hit.listing_id for hit in left.hits}
    assert all(hit.category.split(" > ")[0] != root for hit in left.hits)
    assert left.category_filter == found.category_filter, "it describes the query"


def test_unknown_filters_are_refused(engine: Engine) -> None:
    unknown = (Filters(category="no such"), Filters(attributes={"no such": 1}), Filters(not_categories=["no such"]))
    for filters in unknown:
        for ask in (engine.search, engine.fallback, engine.lexical_search):
            with pytest.raises(DataError, match="no such"):
                ask("x", filters=filters)


def test_the_clock_decides_what_has_expired(tiny_bundle: Path, listings: Listings) -> None:
    word = tokens(listings.titles[0])[0]
    times = [*listings.created_at[~np.isnat(listings.created_at)], np.datetime64("2100-01-01", "ms")]
    for now in (min(times), times[len(times) // 2], max(times)):
        engine = Engine(tiny_bundle, clock=lambda now=now: now)
        expected = {listings.ids[i] for i in online(listings, now) if word in words_of(listings, i)}
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


def test_a_misspelt_query_is_remembered_by_its_correction(engine: Engine) -> None:
    names = (query for query in engine.reader.seen.weights if query.isalpha() and len(query) > 5)
    typed = ((name, name[:3] + name[2] + name[3:]) for name in names)
    name, wrong = next((name, wrong) for name, wrong in typed if engine.read(wrong).reading.corrected == name)
    right = max(engine.reader.seen.weights[name].items(), key=lambda choice: choice[1])[0]
    shares = engine.read(wrong).shares
    predicted = engine.categories.probabilities(engine.read(wrong).categories)
    position = engine.ontology.position(right)
    assert shares[position] > predicted[position]
