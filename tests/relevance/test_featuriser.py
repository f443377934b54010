"""Features of words, which reading a file back does not change."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import ArtifactError
from relevance.featuriser import Featuriser, Widths
from relevance.word_pieces import WordPieces

ANY_TEXT = st.text(st.characters(), max_size=80)  # control characters, surrogates and unassigned ones included
TITLES = ["Gaming keyboard Logitech", "gaming mouse logitech", "mechanical keyboard", "Table en chêne", "chêne table"]


def _featuriser() -> Featuriser:
    return Featuriser.fit(TITLES, ["keybaord"], min_count=2, buckets=50)


def test_fit_keeps_frequent_features_in_order_of_frequency() -> None:
    featuriser = _featuriser()
    # Twice each, therefore by name; "mechanical" and "mouse" occur once.
    assert featuriser.words == ("chene", "gaming", "keyboard", "logitech", "table")
    # Two words that follow each other count as one.
    assert "gamingmouse" in Featuriser.fit([*TITLES, "gaming mouse"], min_count=2).words
    assert featuriser.knows("keyboard")
    assert featuriser.number("keyboard") == 3
    assert not featuriser.knows("mouse")
    assert featuriser.number("mouse") is None


def test_without_sizes_there_are_no_ngrams() -> None:
    featuriser = Featuriser.fit(["table"] * 2, ["tabel"] * 2, sizes=())
    assert (featuriser.words, featuriser.ngrams) == (("table",), ())
    assert featuriser.bag("table tabel", Widths(0, 50)).ngrams == []


def test_spellings_lend_ngrams_and_no_words() -> None:
    featuriser = Featuriser.fit(["table"], ["tabel", "tabel"], min_count=2)
    assert featuriser.words == ()
    # <tabel> twice: its own n-grams twice, those shared with <table> three times.
    assert set(featuriser.ngrams) == {"<ta", "tab", "abe", "bel", "el>", "<tab", "tabe", "abel", "bel>"}
    assert set(featuriser.ngrams[:3]) == {"<ta", "tab", "<tab"}


def test_bag_of_known_and_unknown_words() -> None:
    featuriser = Featuriser(("table", "oak", "oaktable"), ("<oa", "oak>"), buckets=10)
    assert featuriser.size == 1 + 3 + 2 + 10
    bag = featuriser.bag("Oak table", Widths(0, 100))
    assert bag.words == [2, 1]
    assert bag.pairs == [3]
    assert bag.pieces == []
    # n-grams of <oak>: <oa oak ak> <oak oak>; of <table>: 5 of three and 4 of four letters.
    assert len(bag.ngrams) == 5 + 9
    assert [i for i in bag.ngrams if i < 6] == [4, 5]
    assert all(6 <= i < 16 for i in bag.ngrams if i not in (4, 5))
    # Written as one word, it is the feature of the two.
    assert featuriser.bag("oaktable", Widths(0, 100)).words == [3]


def test_a_word_is_cut_into_the_longest_known_pieces() -> None:
    pieces = WordPieces(("wind", "##che", "##ater", "wi", "##cheater", "a"))
    assert pieces.split("windcheater") == (1, 5)
    assert pieces.split("wind") == (1,)
    assert pieces.split("windy") == ()  # no piece for the y
    assert pieces.split("") == ()
    assert WordPieces(()).split("wind") == ()


def test_texts_known_to_be_spelt_well_have_ngrams_of_unknown_words_only() -> None:
    featuriser = Featuriser(("table",), (), buckets=10)
    assert featuriser.bag("table", Widths(0, 50, spelt=True)).ngrams == []
    assert len(featuriser.bag("table oak", Widths(0, 50, spelt=True)).ngrams) == 5
    assert len(featuriser.bag("table", Widths(0, 50)).ngrams) == 9


def test_a_query_is_read_without_fillers_unless_it_has_nothing_else() -> None:
    featuriser = Featuriser.fit(["please table now", "buy table"] * 2, fillers=["please", "buy", "now"])
    query = Widths(3, 50)
    assert featuriser.bag("please buy table now", query) == featuriser.bag("table", query)
    assert len(featuriser.bag("please buy", query).words) == 2
    # A listing says what it says.
    assert len(featuriser.bag("please buy table", Widths(3, 50, spelt=True)).words) == 3


@pytest.mark.parametrize("features", [1, 3, 5, 7, 40])
def test_a_bag_has_no_more_features_than_asked_for_and_loses_ngrams_first(features: int) -> None:
    featuriser = Featuriser.fit(TITLES, min_count=1, pieces=("gaming", "key", "##board"), buckets=50)
    all_of_it = featuriser.bag("gaming keyboard logitech", Widths(3, 1000))
    assert all_of_it.pieces == [1, 2, 3]  # none make up "logitech"
    bag = featuriser.bag("gaming keyboard logitech", Widths(2, features))
    every = [*all_of_it.words, *all_of_it.pairs, *all_of_it.ngrams]
    assert [*bag.words, *bag.pairs, *bag.ngrams] == every[:features]
    assert bag.pieces == [1, 2]


@given(st.lists(ANY_TEXT | st.sampled_from(TITLES), max_size=5), st.integers(1, 40), st.integers(0, 4))
def test_batch_equals_bags(texts: list[str], features: int, pieces: int) -> None:
    featuriser = Featuriser.fit(TITLES, min_count=2, pieces=("gaming", "key", "##board"), buckets=50)
    widths = Widths(pieces, features)
    ids, weights = featuriser.batch(texts, widths)
    assert ids.shape == weights.shape == (len(texts), pieces + features)
    assert (ids.dtype, weights.dtype) == (np.int32, np.float32)
    for row, text in enumerate(texts):
        bag = featuriser.bag(text, widths)
        expected = [*bag.pieces, *[0] * (pieces - len(bag.pieces)), *bag.words, *bag.pairs, *bag.ngrams]
        assert ids[row].tolist() == expected + [0] * (pieces + features - len(expected))
        # However many there are of a kind, their weights make up a length of one.
        assert np.square(weights[row]).sum() == pytest.approx(sum(bool(kind) for kind in bag), rel=1e-4)
        assert ((weights[row] > 0) == (ids[row] > 0)).all()
        assert (ids[row, pieces:] < featuriser.size).all()


@given(titles=st.lists(ANY_TEXT, max_size=6), text=ANY_TEXT)
def test_round_trip_gives_the_same_bags(tmp_path_factory: pytest.TempPathFactory, titles: list[str], text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "text.json"
    lists = {"fillers": ["a"], "others": ["racket", "fan belt"], "names": ["timepiece"]}
    featuriser = Featuriser.fit([*titles, *TITLES], min_count=1, pieces=("gam", "##ing"), buckets=30, **lists)
    featuriser.write(path)
    again = Featuriser.read(path)
    assert again == featuriser
    for each in (*titles, text):
        assert again.bag(each, Widths(8, 60)) == featuriser.bag(each, Widths(8, 60))


def _ngrams(text: str, featuriser: Featuriser) -> set[int]:
    return set(featuriser.bag(text, Widths(0, 200)).ngrams)


def test_what_sounds_alike_shares_ngrams_across_scripts() -> None:
    featuriser = Featuriser.fit(["shorts", "шорты", "ベルト", "beruto"], min_count=1)
    # "<sho", "shor", "hort" and the like, and "ort" twice: "shorts" and "shorty" differ at their ends alone.
    assert len(_ngrams("shorts", featuriser) & _ngrams("шорты", featuriser)) == 7
    assert _ngrams("шорты", featuriser) > _ngrams("shorty", featuriser) & _ngrams("shorts", featuriser)
    # Characters that stand alone are read together.
    assert _ngrams("beruto", featuriser) < _ngrams("革ベルト", featuriser)
    assert not _ngrams("beruto", featuriser) & _ngrams("ベ ル ト".replace(" ", " a "), featuriser)


def test_a_text_model_of_an_earlier_release_reads_as_it_did(tmp_path: Path) -> None:
    featuriser = Featuriser.fit(["shorts", "шорты"], min_count=1)
    featuriser.write(tmp_path / "text.json")
    fields = json.loads((tmp_path / "text.json").read_text(encoding="utf-8"))
    (tmp_path / "text.json").write_text(json.dumps(fields | {"format": 2}), encoding="utf-8")
    earlier = Featuriser.read(tmp_path / "text.json")
    assert not earlier.romanises
    assert not _ngrams("шорты", earlier) & _ngrams("shorts", earlier)
    assert _ngrams("shorts", earlier) == _ngrams("shorts", featuriser)


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text.json").write_text('{"format": 1}')
    with pytest.raises(ArtifactError, match=r"text\.json.*1.*reads 2 and 3"):
        Featuriser.read(tmp_path / "text.json")


def test_the_most_frequent_words_of_a_language_come_first_in_its_prior() -> None:
    pieces = ("[unk]", "!", "a", "the", "##s", "of", *(f"word{letter}" for letter in "abcdefghij" * 10))
    featuriser = Featuriser((), (), pieces=pieces)
    assert {"the", "of", "worda"} <= featuriser.common
    assert not {"a", "##s", "!", "[unk]"} & featuriser.common
    assert Featuriser((), ()).common == frozenset()


def test_words_of_a_lexicon_are_others_in_the_plural_too() -> None:
    featuriser = Featuriser.fit(["table"], others=["racket", "cot", "battery", "torch", "fan belt"])
    assert all(map(featuriser.is_other, ("racket", "rackets", "batteries", "torches", "fan belts")))
    assert all(map(featuriser.is_noun, ("racket", "cot", "cots", "fan belt")))
    # Too short to be sure.
    assert not any(map(featuriser.is_other, ("cot", "jacket", "")))
