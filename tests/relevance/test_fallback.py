"""The fallback: what it corrects, what it gives up, and when it abstains."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relevance.dataset import Listings
from relevance.engine import MAX_K, Engine
from relevance.filters import Filters
from tests.listed import online, words_of

Opener = Callable[[float], Engine]


@pytest.fixture
def with_threshold(tiny_bundle: Path) -> Opener:
    """A function: the engine with another threshold. 0 shows every candidate, 2 none that only the meaning found."""

    def opened(threshold: float) -> Engine:
        engine = Engine(tiny_bundle)
        engine.relevance = replace(engine.relevance, threshold=threshold)
        return engine

    return opened


def _typed_wrong(engine: Engine) -> tuple[str, str]:
    """A word that listings have and the same with two letters swapped, which training has not seen."""
    for word in engine.towers.featuriser.words:
        typed = word[:2] + word[3] + word[2] + word[4:] if len(word) > 6 and word.isascii() else word
        new = engine.lexical.count(word) and not engine.lexical.count(typed)
        if new and engine.reader.speller.read(typed).corrected == word:
            return word, typed
    raise AssertionError("no word to misspell")


def test_a_typing_error_is_corrected(with_threshold: Opener, listings: Listings) -> None:
    engine = with_threshold(0.0)
    word, typed = _typed_wrong(engine)
    result = engine.search(typed, MAX_K)
    assert result.fallback is not None
    assert result.fallback.corrected_query == word
    assert result.fallback.hits == result.hits
    having = {listings.ids[i] for i in online(listings) if word in words_of(listings, i)}
    corrected = {hit.listing_id for hit in result.hits if word in hit.reason}
    assert corrected == having


def test_a_number_in_a_correction_is_shown_as_it_is_written(with_threshold: Opener) -> None:
    engine = with_threshold(0.0)
    word, typed = _typed_wrong(engine)
    assert engine.fallback(f"{typed} 27,5").corrected_query == f"{word} 27.5"
    assert with_threshold(2.0).fallback(f"{typed} 27,5").corrected_query == f"{word} 27.5"


def test_what_a_thing_is_for_is_left_out_before_nothing_is_found(with_threshold: Opener) -> None:
    query = "sofa x zzzz qqqq"

    def opened(threshold: float) -> Engine:
        engine = with_threshold(threshold)
        engine.reader.nouns._nothing = lambda word: -0.5 if word == "sofa" else 0.0
        return engine

    engine = opened(0.0)
    asked = engine.read(query)
    less = next(engine.reader.shortened(asked))
    everywhere = np.ones(len(engine), np.bool_)
    whole, rest = (float(engine.candidates(own, 10, everywhere).relevance.max()) for own in (asked, less))
    assert whole < rest
    found = opened((whole + rest) / 2).fallback(query, k=10)
    assert found.corrected_query == "sofa"
    assert any(hit.reason == "has every word of “sofa”" for hit in found.hits)
    assert found.relaxed == ()
    nothing = opened(2.0).fallback(query, k=10)
    assert (nothing.hits, nothing.abstained, nothing.corrected_query) == ((), True, asked.reading.corrected)


def test_nothing_likely_enough_is_nothing(with_threshold: Opener) -> None:
    engine = with_threshold(2.0)
    result = engine.search("zzzz qqqq", filters=Filters(price=(0, None), locale="xx"))
    assert result.fallback is not None
    assert (result.hits, result.abstained) == ((), True)
    assert (result.fallback.hits, result.fallback.abstained, result.fallback.relaxed) == ((), True, ())


def test_words_that_match_need_no_threshold(with_threshold: Opener, listings: Listings) -> None:
    engine = with_threshold(2.0)
    i = online(listings)[0]
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


def test_filters_are_given_up_for_what_has_every_word(with_threshold: Opener, listings: Listings) -> None:
    engine = with_threshold(2.0)  # whatever the meaning finds
    i = online(listings)[0]
    result = engine.search(listings.titles[i], MAX_K, Filters(price=(1e12, None)))
    assert result.fallback is not None
    assert (result.abstained, result.fallback.relaxed) == (False, ("price",))
    assert listings.ids[i] in {hit.listing_id for hit in result.hits}
    assert {hit.source for hit in result.hits} == {"lexical"}
    assert engine.fallback(listings.titles[i], Filters(price=(1e12, None)), MAX_K) == result.fallback


def test_asked_for_what_the_words_find_it_says_so(with_threshold: Opener, listings: Listings) -> None:
    i = online(listings)[0]
    found = with_threshold(2.0).fallback(listings.titles[i], k=MAX_K)
    assert listings.ids[i] in {hit.listing_id for hit in found.hits}
    assert found.trigger == "it was asked for: there are listings with every word of the query"


def test_filters_that_leave_something_are_kept(with_threshold: Opener) -> None:
    found = with_threshold(0.0).fallback("zzzz qqqq", Filters(price=(0, None)), k=10)
    assert found.hits
    assert found.relaxed == ()


def test_what_was_ruled_out_is_never_given_up(with_threshold: Opener) -> None:
    engine = with_threshold(0.0)
    roots = [p for p in range(len(engine.ontology)) if engine.ontology.parent[p] < 0]
    counts = engine.catalogue.counts()
    kept = next(p for p in roots if counts[p : engine.ontology.end[p]].any())
    away = [engine.ontology.ids[p] for p in roots if p != kept]
    found = engine.fallback("zzzz qqqq", Filters(price=(1e12, None), not_categories=away), k=MAX_K)
    assert found.relaxed == ("price",)
    assert {hit.category.split(" > ")[0] for hit in found.hits} == {engine.ontology.name(kept)}
    everything = [engine.ontology.ids[p] for p in roots]
    nothing = engine.fallback("zzzz qqqq", Filters(price=(1e12, None), not_categories=everything), k=10)
    assert (nothing.hits, nothing.relaxed, nothing.abstained) == ((), (), True)


def test_the_trigger_tells_whether_it_was_the_filters(engine: Engine, listings: Listings) -> None:
    title = listings.titles[online(listings)[0]]
    expired = next(i for i in range(len(listings)) if i not in set(online(listings)))
    too_much = Filters(price=(1e12, None))
    assert engine.fallback(title, too_much).trigger == "no listing has every word of the query and passes the filters"
    for asked in (engine.fallback("zzzz qqqq", too_much), engine.fallback(listings.titles[expired])):
        assert asked.trigger == "no listing has every word of the query"


def test_fallback_alone_is_the_fallback_of_a_search(engine: Engine) -> None:
    _, typed = _typed_wrong(engine)
    for query in (typed, "zzzz qqqq", ""):
        assert engine.fallback(query, k=7) == engine.search(query, 7).fallback
