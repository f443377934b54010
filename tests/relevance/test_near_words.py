"""Near words against an edit distance written out, and the sounds of English words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.near_words import Near, NearWords
from tests.relevance.edit_distance import errors

LETTERS = st.text(st.sampled_from("abcAüж時🙂"), min_size=1, max_size=9)


@given(st.lists(LETTERS, max_size=12, unique=True), LETTERS, st.sampled_from([0.0, 0.45, 0.6, 0.75, 0.8, 1.0]))
def test_no_word_is_overlooked(words: list[str], text: str, least: float) -> None:
    expected = set()
    for place, word in enumerate(words):
        wrong, longer = errors(text, word), max(len(text), len(word))
        if longer - wrong >= least * longer - 1e-6:
            expected.add((word, wrong, round((longer - wrong) / longer, 6), place))
    found = NearWords(words).by_letters(text, least)
    assert {(near.word, near.errors, round(near.likeness, 6), near.place) for near in found} == expected
    assert len(found) == len(expected)


def test_one_error_of_five_letters_is_a_likeness_of_four_fifths() -> None:
    assert NearWords(["shirt"]).by_letters("shert", 0.8) == [Near("shirt", 1, 0.8, 0)]
    assert NearWords(["shirt"]).by_letters("shert", 0.81) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("loshun", ["lotion"]),
        ("lotion", ["lotion"]),
        ("neckless", ["necklace"]),
        ("shuh", []),  # one consonant
        ("лошн", []),
        ("xylophone", []),
    ],
)
def test_words_that_sound_the_same(text: str, words: list[str]) -> None:
    found = NearWords(["show", "lotion", "necklace", "юбка"]).by_ear(text)
    assert [near.word for near in found] == words
    same = str.maketrans({"x": "ks"})
    written = [word.replace("ck", "k").translate(same) for word in (text, *words)]
    assert [near.errors for near in found] == [errors(written[0], word) for word in written[1:]]


@pytest.mark.parametrize(("text", "word"), [("sox", "socks"), ("trax", "tracks"), ("fotoframe", "photoframe")])
def test_other_letters_for_a_sound_are_no_errors(text: str, word: str) -> None:
    assert NearWords(["chair", word]).by_ear(text) == [Near(word, 0, 1.0, 1)]


def test_a_text_of_one_letter_again_and_again() -> None:
    assert NearWords(["xx", "shirt"]).by_letters("x" * 1000, 0.001) == [Near("xx", 998, 1 - 998 / 1000, 0)]


def test_no_words() -> None:
    assert NearWords([]).by_letters("shirt", 0.5) == NearWords([]).by_ear("shirt") == []
