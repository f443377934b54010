"""What words say of attributes, and how well listings meet it."""

from pathlib import Path

import numpy as np
import pytest

from relevance.columns import Coded, Columns
from relevance.wanted import LIMIT, WantedValues, meets, write_wanted

SAID = {
    "women": {"gender": {"Women": 2.0, "Men": -0.5}},
    "red": {"colour": {"Red": 0.6, "Pink": 0.4}, "gender": {"Women": 0.1}},
    "navyblue": {"colour": {"Navy": 3.0}},
}


def _columns(**attributes: list[str | None]) -> Columns:
    n = len(next(iter(attributes.values())))
    nothing, never = np.full(n, np.nan), np.full(n, "NaT", "datetime64[ms]")
    coded = {name: Coded.encode(values) for name, values in attributes.items()}
    locale = Coded.encode([None] * n)
    return Columns(np.zeros(n, np.int32), nothing, nothing, nothing, never, never, locale, coded)


def test_what_words_say_adds_up() -> None:
    said = WantedValues(SAID).of(["red", "women", "unheard"])
    assert said["gender"] == pytest.approx({"Women": 2.1, "Men": -0.5})
    assert said["colour"] == {"Red": 0.6, "Pink": 0.4}


def test_a_pair_of_words_and_a_plural_say_what_they_say() -> None:
    wanted = WantedValues(SAID)
    assert wanted.of(["navy", "blue"]) == {"colour": {"Navy": 3.0}}
    assert wanted.of(["womens"]) == wanted.of(["women"])


def test_a_word_with_a_meaning_of_its_own_is_no_plural() -> None:
    wanted = WantedValues({"short": {"length": {"Short": 4.0}}, "shorts": {"length": {"Shorts": 4.0}}})
    assert wanted.of(["shorts"]) == {"length": {"Shorts": 4.0}}


def test_the_letter_s_is_no_plural_of_nothing() -> None:
    wanted = WantedValues({"": {"size": {"-": 4.0}}, "s": {"size": {"S": 4.0}}})
    assert wanted.of(["s"]) == {"size": {"S": 4.0}}
    assert not WantedValues({"": {"size": {"-": 4.0}}}).means("s")


def test_a_word_means_what_it_says_clearly() -> None:
    wanted = WantedValues(SAID | {"pale": {"colour": {"Pink": 0.4, "Grey": 0.4}}, "none": {"colour": {}}})
    assert all(map(wanted.means, ("women", "womens", "red", "navyblue")))
    assert not any(map(wanted.means, ("pale", "none", "navy", "unheard")))


def test_meets_by_hand() -> None:
    columns = _columns(colour=["Red", "Pink", "Green", None], gender=["Women", "Men", None, "Women"])
    met = meets(WantedValues(SAID).of(["red"]), columns, np.arange(4))
    # Colour: 0, 0.4 - 0.6, 0 - 0.6 twice. Gender: 0, -0.1 twice, 0.
    assert met == pytest.approx([0.0, -0.3, -0.7, -0.6])
    assert meets({"gender": {"Women": 9.0}}, columns, np.array([1, 0])).tolist() == [-LIMIT, 0.0]


def test_listings_without_the_attribute_do_not_meet_it() -> None:
    assert meets({"size": {"XL": 0.5}}, _columns(colour=["Red", None]), np.arange(2)) == pytest.approx([-0.5, -0.5])


def test_nothing_said_is_met() -> None:
    assert meets({}, _columns(colour=["Red", None]), np.arange(2)).tolist() == [0.0, 0.0]


def test_words_that_say_a_value() -> None:
    assert [word for word, _ in WantedValues(SAID).saying("colour", "Red")] == ["red"]
    assert WantedValues(SAID).saying("colour", "Pink") == ()  # not so clearly
    assert WantedValues(SAID).saying("gender", "Men") == ()


def test_written_and_read(tmp_path: Path) -> None:
    write_wanted(tmp_path / "wanted.json", SAID)
    assert WantedValues.read(tmp_path / "wanted.json").of(["women"]) == {"gender": {"Women": 2.0, "Men": -0.5}}
