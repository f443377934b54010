"""Which values words mean: from choices where there are many, else from how near they are to the values' names."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.meanings import MEANING, STRENGTHS, Choices, meanings

VALUES = 4
MANY = 1e6
"""Listings, so that choices change nothing of what is usual."""


def _choices(said: dict[str, list[int]]) -> Choices:
    """Each of different listings, of things of which every value is as usual as another."""
    words = [[word] for word, values in said.items() for _ in values]
    value = np.array([value for values in said.values() for value in values], np.int64)
    n = len(value)
    return Choices(words, value, np.zeros(n, np.int64), np.ones(n), np.arange(n), np.full((1, VALUES), MANY))


def _far(words: Sequence[str]) -> NDArray[np.float32]:
    return np.zeros((len(words), VALUES, 1), np.float32)


def test_of_one_word_the_posterior_is_that_of_bayes() -> None:
    found = meanings(_choices({"rojo": [2, 2, 2, 1]}), _far)
    strengths = np.exp(np.array(STRENGTHS))
    # A value that is meant is chosen so many times likelier than another.
    likely = [
        (strengths**hits / (VALUES - 1 + strengths) ** 4).mean() * VALUES**4  # over what it is if nothing is meant
        for hits in (0, 1, 3, 0)
    ]
    prior = np.array([1, *[MEANING / VALUES] * VALUES])
    posterior = prior * [1, *likely] / (prior @ [1, *likely])
    # The share of words that mean something is learned as well; from one word, hardly.
    np.testing.assert_allclose(found["rojo"].chance[2], posterior[3], atol=0.05)
    assert found["rojo"].chance[:2].tolist() == [0, 0]  # which the choices speak against


def test_nearness_counts_for_as_much_as_it_has_told_of_other_words() -> None:
    """Of twenty words the choices tell a value each; of one they hardly do."""
    sure = {f"sure{i}": [i % VALUES] * 12 for i in range(20)}
    choices = _choices(sure | {f"nothing{i}": [0, 1, 2, 3] * 3 for i in range(20)} | {"unsure": [1, 1, 2, 3]})

    def near(words: Sequence[str]) -> NDArray[np.float32]:
        cosines = np.zeros((len(words), VALUES, 1), np.float32)
        for row, word in enumerate(words):
            if word == "unsure" or word in sure:
                cosines[row, 1 if word == "unsure" else sure[word][0]] = 0.8
        return cosines

    found = meanings(choices, near)
    assert found["unsure"].chance[1] > 0.9
    assert meanings(choices, _far)["unsure"].chance[1] < 0.5
    assert all(found[word].chance.argmax() == value[0] for word, value in sure.items())
    assert all(found[f"nothing{i}"].chance.sum() < 0.1 for i in range(20))

    def damaged(words: Sequence[str]) -> NDArray[np.float32]:
        """Beside what knows the words, and stands second, what puts every word near the first value."""
        first = np.full((len(words), 1, 1), 0.8, np.float32) * (np.arange(VALUES) == 0)[:, None]
        return np.concatenate([first, near(words)], axis=2)

    assert meanings(choices, damaged)["unsure"].chance[1] > 0.9


def test_a_word_may_mean_several_values() -> None:
    nothing = {f"nothing{i}": [0, 1, 2, 3] * 5 for i in range(10)}
    found = meanings(_choices({"kids": [0, 0, 1] * 30, "boys": [0] * 60} | nothing), _far)
    assert {int(found["kids"].chance.argmax()), *found["kids"].also} == {0, 1}
    assert (int(found["boys"].chance.argmax()), found["boys"].also) == (0, [])


def test_what_is_meant_as_well_tells_that_something_is_meant() -> None:
    """Of 70 choices for "him" 54 are for men and 11 for anybody, where 65 and 10 of 100 are usual: that men are meant
    alone is hardly likelier than that nothing is, but hardly any woman's thing is chosen."""
    said = [0] * 54 + [1] * 11 + [2] * 4 + [3]
    usual = np.array([[0.65, 0.10, 0.24, 0.01]]) * MANY
    n = len(said)
    choices = Choices([["him"]] * n, np.array(said), np.zeros(n, np.int64), np.ones(n), np.arange(n), usual)
    found = meanings(choices, _far)["him"]
    assert int(found.chance.argmax()) == 0
    assert found.also == [1]
    assert found.chance[0] > 0.7
