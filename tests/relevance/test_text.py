"""Text: one spelling, words of any script, and features that reading a file back does not change."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import ArtifactError
from relevance.text import MAX_CHARACTERS, Featuriser, normalise, tokens

ANY_TEXT = st.text(st.characters(), max_size=80)  # control characters, surrogates and unassigned ones included
PIECES = [
    "5",
    " ",
    "gb",
    "m",
    "'",
    '"',
    "''",
    "inch",
    ",",
    ".",
    "ß",
    "é",
    "ﷺ",
    "İ",
    "½",
    "\u2019",
    "\u00b4",
    "\u2033",
    "㎏",
    "ก",
    "\u0301",
]
MEASURES = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
TITLES = ["Gaming keyboard Logitech", "gaming mouse logitech", "mechanical keyboard", "Table en chêne", "chêne table"]


@given(ANY_TEXT | MEASURES)
def test_normalise_is_idempotent(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(ANY_TEXT)
def test_tokens_hold_letters_marks_and_digits_only(text: str) -> None:
    for word in tokens(text):
        assert word
        assert all(unicodedata.category(character)[0] in "LMN" for character in word)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \t\n\x00\x1b[31m", ["31m"]),
        ("Samsung GALAXY", ["samsung", "galaxy"]),
        ("Chêne, Äpfel & Škoda", ["chene", "apfel", "skoda"]),
        ("l'écran d\u2019ordi d\u00b4or", ["lecran", "dordi", "dor"]),
        ("128 GB", ["128gb"]),
        ("128gb", ["128gb"]),
        ("1.5 TB 2,5 kg", ["1p5tb", "2p5kg"]),
        ('TV 43"', ["tv", "43in"]),
        ("TV 43''", ["tv", "43in"]),
        ("TV 43\u201d", ["tv", "43in"]),
        ("TV 43\u2033", ["tv", "43in"]),
        ("tv 43 inches", ["tv", "43in"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("\uff26\uff35\uff2c\uff2c width", ["full", "width"]),
        ("Ｎｉｎｔｅｎｄｏ任天堂 switch", ["nintendo", "任", "天", "堂", "switch"]),
        ("ゲーム機・新品", ["ゲ", "ー", "ム", "機", "新", "品"]),
        ("노트북 컴퓨터", ["노트북", "컴퓨터"]),
        ("كرسي أطفال", ["كرسي", "أطفال"]),
        ("דלת (עץ)", ["דלת", "עץ"]),
        ("велосипед Ёлка", ["велосипед", "елка"]),
        ("🎮 keyboard 🎮🎮", ["keyboard"]),
        ("\ud800broken\udfff", ["broken"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_every_character_of_an_unspaced_script_is_a_token() -> None:
    assert tokens("โต๊ะไม้") == list("โต๊ะไม้")


def test_long_text_is_cut_unless_told_otherwise() -> None:
    text = "a " * 10_000
    assert len(tokens(text)) == MAX_CHARACTERS // 2
    assert len(tokens(text, limit=None)) == 10_000


def _featuriser() -> Featuriser:
    return Featuriser.fit(TITLES, ["keybaord"], min_count=2, buckets=50)


def test_fit_keeps_frequent_features_in_order_of_frequency() -> None:
    featuriser = _featuriser()
    # Twice each, therefore by name; "mechanical" and "mouse" occur once.
    assert featuriser.words == ("chene", "gaming", "keyboard", "logitech", "table")
    assert featuriser.pairs == ()
    assert Featuriser.fit([*TITLES, "gaming mouse"], min_count=2).pairs == ("gaming mouse",)
    assert featuriser.knows("keyboard")
    assert not featuriser.knows("mouse")


def test_spellings_lend_ngrams_and_no_words() -> None:
    featuriser = Featuriser.fit(["table"], ["tabel", "tabel"], min_count=2)
    assert featuriser.words == ()
    # <tabel> twice: its own n-grams twice, those shared with <table> three times.
    assert set(featuriser.ngrams) == {"<ta", "tab", "abe", "bel", "el>", "<tab", "tabe", "abel", "bel>"}
    assert set(featuriser.ngrams[:3]) == {"<ta", "tab", "<tab"}


def test_bag_of_known_and_unknown_words() -> None:
    featuriser = Featuriser(("table", "oak"), ("oak table",), ("<oa", "oak>"), buckets=10)
    assert featuriser.size == 1 + 2 + 1 + 2 + 10
    bag = featuriser.bag("Oak table", limit=100)
    # n-grams of <oak>: <oa oak ak> <oak oak>; of <table>: 5 of three and 4 of four letters.
    words, pairs, ngrams = bag.ids[:2], bag.ids[2:3], bag.ids[3:]
    assert words == [2, 1]
    assert pairs == [3]
    assert len(ngrams) == 5 + 9
    assert [i for i in ngrams if i < 6] == [4, 5]
    assert all(6 <= i < 16 for i in ngrams if i not in (4, 5))
    expected = [2**-0.5] * 2 + [1.0] + [14**-0.5] * 14
    np.testing.assert_allclose(bag.weights, expected)


def test_limit_cuts_ngrams_first_and_keeps_each_kind_at_length_one() -> None:
    featuriser = _featuriser()
    bag = featuriser.bag("gaming keyboard logitech", limit=7)
    assert len(bag.ids) == 7
    assert bag.ids[:3] == featuriser.bag("gaming keyboard logitech", limit=3).ids
    weights = np.array(bag.weights)
    for kind in (weights[:3], weights[3:5], weights[5:]):
        assert np.square(kind).sum() == pytest.approx(1.0)


@given(st.lists(ANY_TEXT | st.sampled_from(TITLES), max_size=5), st.integers(1, 40))
def test_batch_equals_bags(texts: list[str], limit: int) -> None:
    featuriser = _featuriser()
    ids, weights = featuriser.batch(texts, limit)
    assert ids.shape == weights.shape == (len(texts), limit)
    assert (ids.dtype, weights.dtype) == (np.int32, np.float32)
    for row, text in enumerate(texts):
        bag = featuriser.bag(text, limit)
        n = len(bag.ids)
        assert n <= limit
        assert ids[row].tolist() == bag.ids + [0] * (limit - n)
        np.testing.assert_array_equal(weights[row], np.array(bag.weights + [0.0] * (limit - n), np.float32))
        assert all(0 < i < featuriser.size for i in bag.ids)


@given(titles=st.lists(ANY_TEXT, max_size=6), text=ANY_TEXT)
def test_round_trip_gives_the_same_bags(tmp_path_factory: pytest.TempPathFactory, titles: list[str], text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "text.json"
    featuriser = Featuriser.fit([*titles, *TITLES], min_count=1, buckets=30)
    featuriser.write(path)
    again = Featuriser.read(path)
    assert again == featuriser
    for each in (*titles, text):
        assert again.bag(each, 60) == featuriser.bag(each, 60)


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text.json").write_text('{"format": 2}')
    with pytest.raises(ArtifactError, match=r"text\.json.*2.*reads 1"):
        Featuriser.read(tmp_path / "text.json")
