"""Writing systems, by words whose sounds are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.scripts import romanised, runs, unspaced


@pytest.mark.parametrize(
    ("word", "letters"),
    [
        ("shorts", "shorts"),
        ("шорты", "shorty"),
        ("кардиган", "kardigan"),
        ("καπελο", "kapelo"),
        ("صندل", "sndl"),
        ("कुर्ता", "kurta"),
        ("ベルト", "beruto"),
        ("łancuch", "lancuch"),
        ("128gb", "128gb"),
    ],
)
def test_words_of_other_scripts_in_latin_letters(word: str, letters: str) -> None:
    assert romanised(word) == letters


@given(st.text(max_size=20))
def test_any_text_becomes_small_letters_and_digits(text: str) -> None:
    letters = romanised(text.lower())
    if text.isascii():
        assert letters == text.lower()
    else:
        assert all(letter in "abcdefghijklmnopqrstuvwxyz0123456789" for letter in letters)
        assert romanised(letters) == letters


def test_characters_of_scripts_without_spaces() -> None:
    assert all(map(unspaced, "靴シゃสກအក𠀀"))
    assert not any(map(unspaced, "aß8шحक한"))


@pytest.mark.parametrize(
    ("words", "together"),
    [
        ([*"革ベルト"], ["ベルト"]),
        ([*"長袖シャツ"], ["長袖", "シャツ"]),
        (["black", *"เสื้อ", "m"], ["เสื้อ"]),
        (["t", "シ", "x", "ャ"], []),
        (["шорты", "कुर्ता"], []),
        ([], []),
    ],
)
def test_what_stands_together_of_one_script(words: list[str], together: list[str]) -> None:
    assert runs(words) == together
