"""Any text is a query: none breaks the engine, and the number of hits is bounded."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relevance.engine import MAX_K, Engine
from relevance.errors import DataError
from relevance.filters import Filters

STRANGE = {
    "empty": "",
    "blank": " \t\r\n",
    "punctuation": "?!*() AND OR NOT text:x \"'\\",
    "controls": "\x00\x01\x1b[31m\x7f\x85",
    "emoji": "🎮🏳️‍🌈👩‍👩‍👧",
    "variation selectors": "❤️☎️1️⃣" * 50,
    "invisible": "\u200b\u00ad\u2060\ufeff\u202e" * 50,
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


@pytest.mark.parametrize("query", [None, 5, b"sofa", ["sofa"]])
def test_what_is_no_text_is_no_query(engine: Engine, query: Any) -> None:
    for ask in (engine.search, engine.category_filter, engine.fallback, engine.lexical_search, engine.related):
        with pytest.raises(DataError, match="query: expected text, got"):
            ask(query)


@pytest.mark.parametrize("k", [0, 1001, 5.5, "5", None, True])
def test_k_is_a_whole_number(engine: Engine, k: Any) -> None:
    for ask in (engine.search, engine.lexical_search, engine.related):
        with pytest.raises(DataError, match=f"k: expected 1 to 1000, got {k!r}"):
            ask("sofa", k)
    assert len(engine.search("sofa", np.int64(2)).hits) <= 2


def test_filters_and_deadlines_are_of_their_types(engine: Engine) -> None:
    filters: Any = {"price": (1, 2)}
    for ask in (engine.search, engine.lexical_search):
        with pytest.raises(DataError, match=r"filters: expected relevance\.Filters, got dict"):
            ask("sofa", 5, filters)
    late: Any = "5"
    with pytest.raises(DataError, match="deadline_ms: expected a number of milliseconds, got '5'"):
        engine.search("sofa", deadline_ms=late)


def test_an_id_may_be_a_number(engine: Engine) -> None:
    number: Any = next((int(own) for own in engine.store.ids() if own.isdecimal()), 0)
    assert engine.get(number) == engine.get(str(number))


@pytest.mark.parametrize("query", ["", "?!", "🎮", "❤\ufe0f", "\u200b\u00ad", "\x00"])
def test_a_query_without_words_abstains(engine: Engine, query: str) -> None:
    result = engine.search(query)
    assert (result.hits, result.abstained, result.category_filter.mode) == ((), True, "none")


@pytest.mark.parametrize("query", ["gaming keyboard ❤\ufe0f", "ga\u00adming\u200e keyboard\ufeff"])
def test_what_nobody_sees_changes_no_answer(engine: Engine, query: str) -> None:
    seen, result = engine.search("gaming keyboard"), engine.search(query)
    assert [hit.source for hit in seen.hits[:1]] == ["lexical"]
    assert (result.hits, result.category_filter, result.abstained) == (seen.hits, seen.category_filter, False)


@pytest.mark.parametrize("k", [0, -1, MAX_K + 1])
def test_k_is_bounded(engine: Engine, k: int) -> None:
    for ask in (engine.search, engine.lexical_search, engine.similar):
        with pytest.raises(DataError, match=f"k: expected 1 to {MAX_K}, got {k}"):
            ask("x", k=k)
    with pytest.raises(DataError, match="k: expected"):
        engine.fallback("x", k=k)
