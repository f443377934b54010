"""Qualifiers: which words are ones, and how many of a query's a listing says."""

import numpy as np

from relevance.featuriser import Featuriser
from relevance.qualifiers import WORDS, missing, qualifiers, word_rows


def _featuriser() -> Featuriser:
    return Featuriser(("black", "chair", "oak"), ())


def test_rows_hold_the_known_words_once_each() -> None:
    rows = word_rows(_featuriser(), ["Black oak chair, black!", "unknown", ""])
    assert rows.shape == (3, WORDS)
    assert rows.dtype == np.uint16
    assert rows[0, :4].tolist() == [1, 3, 2, 0]
    assert not rows[1:].any()


def test_words_of_many_categories_are_qualifiers() -> None:
    # "black" stands once in each of eight categories, "chair" eight times in one, "oak" twice in each of five.
    texts = ["black"] * 8 + ["chair"] * 8 + ["oak"] * 10
    category = np.array([*range(8), *[0] * 8, *range(5), *range(5)], np.int32)
    found = qualifiers(_featuriser(), word_rows(_featuriser(), texts), category, [])
    assert found.tolist() == [False, True, False, False]


def test_words_of_few_of_a_categorys_listings_are_qualifiers() -> None:
    # Two chairs in five are of oak.
    texts = ["chair"] * 12 + ["oak chair"] * 8
    found = qualifiers(_featuriser(), word_rows(_featuriser(), texts), np.zeros(20, np.int32), [])
    assert found.tolist() == [False, False, False, True]


def test_names_of_categories_are_none() -> None:
    texts = ["oak"] * 12 + ["oak chair"] * 8
    words = word_rows(_featuriser(), texts)
    assert qualifiers(_featuriser(), words, np.zeros(20, np.int32), []).tolist() == [False, False, True, False]
    assert not qualifiers(_featuriser(), words, np.zeros(20, np.int32), ["Chair"]).any()


def test_no_listings_have_no_qualifiers() -> None:
    rows = np.zeros((0, WORDS), np.int32)
    assert not qualifiers(_featuriser(), rows, np.empty(0, np.int32), []).any()


def test_missing_by_hand() -> None:
    rows = word_rows(_featuriser(), ["black oak", "black", "chair"])
    np.testing.assert_allclose(missing([1, 3], rows), [0, 1, 2])
    assert missing([], rows).tolist() == [0, 0, 0]
