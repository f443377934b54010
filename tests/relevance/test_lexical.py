"""The lexical engine against sets of words."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance import lexical
from relevance.lexical import LexicalIndex
from relevance.text import tokens

WORDS = ["oak", "table", "chair", "red", "128gb", "chêne", "任", "стол", "e", "lamp"]


def _matching(texts: list[str], query: str) -> set[int]:
    words = set(tokens(query))
    return {row for row, text in enumerate(texts) if words and words <= set(tokens(text, limit=None))}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    rng = random.Random(0)
    return [" ".join(rng.choices(WORDS, k=rng.randint(0, 6))) for _ in range(400)]


@pytest.fixture(scope="module")
def index(texts: list[str]) -> LexicalIndex:
    return LexicalIndex.build(texts)


@given(st.lists(st.sampled_from([*WORDS, "OAK", "chene", "128 GB", "absent"]), max_size=4).map(" ".join))
def test_every_word_is_required(index: LexicalIndex, texts: list[str], query: str) -> None:
    rows, scores = index.search(query, 1000)
    assert (rows.dtype, scores.dtype) == (np.int64, np.float32)
    assert len(set(rows.tolist())) == len(rows)
    assert set(rows.tolist()) == _matching(texts, query)
    assert index.count(query) == len(rows)
    assert np.all(np.diff(scores) <= 0)


@given(st.lists(st.sampled_from([*WORDS, "absent"]), max_size=4).map(" ".join))
def test_one_word_is_enough_where_not_every_one_is_asked_for(index: LexicalIndex, texts: list[str], query: str) -> None:
    rows, scores = index.search(query, 1000, every=False)
    words = set(tokens(query))
    assert set(rows.tolist()) == {row for row, text in enumerate(texts) if words & set(tokens(text, limit=None))}
    assert np.all(np.diff(scores) <= 0)
    # What has every word scores the same both ways.
    loose = dict(zip(rows.tolist(), scores.tolist(), strict=True))
    strict = index.search(query, 1000)
    assert [loose[row] for row in strict[0].tolist()] == pytest.approx(strict[1].tolist())


@given(st.text(max_size=40))
def test_any_text_is_a_query(index: LexicalIndex, texts: list[str], query: str) -> None:
    assert set(index.search(query, 1000)[0].tolist()) == _matching(texts, query)


def test_query_syntax_means_nothing() -> None:
    index = LexicalIndex.build(["oak table", "chair"])
    for query in ("oak OR chair", "text:oak -table", '"table oak"', "oa*", "+oak +chair"):
        words = set(tokens(query))
        assert index.count(query) == sum(words <= set(text.split()) for text in ("oak table", "chair"))


def test_no_word_matches_nothing(index: LexicalIndex) -> None:
    for query in ("", " ", "?!", "\x00", "🎮"):
        assert len(index.search(query, 10)[0]) == 0
        assert index.count(query) == 0


def test_k_bounds_the_answer(index: LexicalIndex) -> None:
    everything = index.search("oak", 1000)[0]
    assert index.search("oak", 5)[0].tolist() == everything[:5].tolist()
    assert len(index.search("oak", 0)[0]) == 0


def test_bm25_order() -> None:
    # More often in a text, and in a shorter text, is better; equal texts keep their order.
    index = LexicalIndex.build(["oak table and four chairs with cushions", "oak", "oak oak", "oak", "chair"])
    assert index.search("oak", 10)[0].tolist() == [2, 1, 3, 0]
    # The rarer of two words decides.
    rare = LexicalIndex.build(["lamp lamp oak", "lamp oak oak", "lamp", "lamp", "lamp"])
    assert rare.search("oak lamp", 10)[0].tolist() == [1, 0]


def test_words_at_the_end_of_a_long_text_are_found() -> None:
    index = LexicalIndex.build([f"{'lorem ipsum ' * 500} dishwasher"])
    assert index.count("dishwasher") == 1


def test_on_disk_is_as_in_memory(tmp_path: Path, texts: list[str], index: LexicalIndex) -> None:
    LexicalIndex.build(texts, tmp_path / "lexical")
    opened = LexicalIndex.open(tmp_path / "lexical")
    for query in ("oak", "red chair", "chêne", "absent"):
        rows, scores = opened.search(query, 50)
        expected_rows, expected_scores = index.search(query, 50)
        assert rows.tolist() == expected_rows.tolist()
        np.testing.assert_array_equal(scores, expected_scores)


def test_of_any_word_the_rarest_will_do_where_many_rows_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["red oak"] * 2 + ["red lamp"] * 6 + ["red"] * 30
    index = LexicalIndex.build(texts)
    assert len(index.search("red oak lamp", 100, every=False)[0]) == 38
    monkeypatch.setattr(lexical, "MOST_LISTED", 8)
    assert set(index.search("red oak lamp", 100, every=False)[0].tolist()) == set(range(8))
    assert set(index.search("red oak", 100, every=False)[0].tolist()) == {0, 1}
    assert len(index.search("red", 100, every=False)[0]) == 38  # one word at least
    assert set(index.search("absent oak", 100, every=False)[0].tolist()) == {0, 1}
    assert len(index.search("absent missing", 100, every=False)[0]) == 0
    # Every word is every word.
    assert set(index.search("red oak", 100)[0].tolist()) == {0, 1}


def test_rows_are_found_however_documents_are_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    # As many texts as are told apart by their rows; another heap makes segments, which are merged in any order.
    texts = [f"oak number{row}" for row in range(30_000)]
    one = LexicalIndex.build(texts)
    monkeypatch.setattr(lexical, "_HEAP_BYTES", 15_000_000)
    for index in (one, LexicalIndex.build(texts)):
        for row in (0, 1, 999, 15_000, 29_999):
            assert index.search(f"number{row}", 10)[0].tolist() == [row]
        monkeypatch.setattr(index, "_in_order", False)
        assert index.search("number15000", 10)[0].tolist() == [15_000]
