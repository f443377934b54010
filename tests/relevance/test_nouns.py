"""What a query is about, by words whose places are given by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from relevance.featuriser import Featuriser
from relevance.nouns import Nouns
from relevance.ontology import Ontology
from relevance.seen import SeenQueries
from relevance.spelling import Speller
from relevance.wanted import WantedValues

ONTOLOGY = Ontology.from_paths(["watches", "belts", "gifts"], [("Watches",), ("Belts",), ("Ties and Cufflinks",)])
PLACES = {
    "watch": (0.9, 0.1, 0.0),
    "leather": (0.3, 0.4, 0.2),
    "brown": (0.5, 0.5, 0.0),
    "battery": (0.2, 0.1, 0.7),
    "batteries": (0.2, 0.1, 0.7),
    "strap": (0.3, 0.3, 0.3),
    "chronograph": (0.1, 0.0, 0.3),
    "zorblax": (0.0, 0.1, 0.4),
    "nurse": (0.1, 0.1, 0.6),
    "belt": (0.1, 0.9, 0.0),
    "belts": (0.1, 0.9, 0.0),
    "fan": (0.0, 0.1, 0.5),
    "hot": (0.0, 0.0, 0.9),
}
"""How near words are to watches, to belts, and to nothing."""


NOUNS = frozenset({"battery", "fan", "fan belt", "strap watch", "hot nurse watch"})


def _nouns(others: frozenset[str] = NOUNS) -> Nouns:
    lists = {"fillers": frozenset({"for", "and"}), "others": others}
    lists["names"] = frozenset({"timepiece"})
    words = ("watchstrap", "zorblax", "strapwatch", "nursewatch")
    featuriser = Featuriser(words, (), pieces=("##er", "with"), **lists)
    towers: Any = SimpleNamespace(
        featuriser=featuriser,
        nothing=np.array([0, 0, 1], np.float32),
        query=lambda word: np.array(PLACES.get(word, (0, 0, 0)), np.float32),
    )
    categories: Any = SimpleNamespace(ontology=ONTOLOGY, cosines=lambda embedding: embedding[:2])
    seen = SeenQueries(ONTOLOGY, {"chronograph men": {"watches": 9.0}}, 1.0)
    wanted = WantedValues({"brown": {"colour": {"Brown": 1.0}}, "pale": {"colour": {"Beige": 0.2}}})
    speller = Speller(featuriser, lambda word: word != "zorblax")
    return Nouns(towers, categories, seen, wanted, speller, frozenset({"nurse"}))


@pytest.mark.parametrize(
    ("query", "nouns"),
    [
        ("watch battery", ("watch", "battery")),
        ("leather watch battery brown", ("watch", "battery")),
        ("battery watch", ("watch",)),
        ("watch", ("watch",)),
        ("watch for nurse", ("watch",)),  # a filler is between them
        ("watch with battery", ("watch",)),  # a frequent word of the language is
        ("watch brown battery", ("watch",)),  # a word for an attribute is
        ("watch 2nd battery", ("watch",)),
        ("watch strap", ("watch",)),  # known together
        ("watch chronograph", ("watch",)),  # said by those who found what they wanted
        ("watch batteries", ("watch", "batteries")),
        ("watch bristol", ("watch",)),  # no noun that a lexicon has
        ("watch zorblax", ("watch",)),  # known, and from no listing
        ("watch nurse", ("watch",)),  # said of anything
        ("watch timepiece", ("watch",)),  # a lexicon has it for things that are here
        ("fan belt for fiesta", ("belt", "fan")),  # a noun of the language, and nothing here
        ("leather fan belts", ("belts", "fan")),
        ("belt fan", ("belt", "fan")),  # by the word behind
        ("strap watch", ("watch",)),  # such a noun, known together
        ("hot nurse watch", ("watch", "hot")),  # known together in part
        ("brown", ()),
        ("for 24", ()),
        ("時 計", ()),
        ("", ()),
    ],
)
def test_what_a_query_is_about(query: str, nouns: tuple[str, ...]) -> None:
    assert _nouns().of(query.split()) == nouns


def test_where_words_lie_is_not_looked_up_again_for_another_catalogue() -> None:
    nouns = _nouns()
    assert nouns.of(["watch", "battery"]) == ("watch", "battery")
    said = SeenQueries(ONTOLOGY, {"battery": {"watches": 9.0}}, 1.0)
    over = nouns.over(nouns._categories, said, nouns._wanted, nouns._speller)
    nouns._towers.query = None
    assert over.of(["watch", "battery"]) == ("watch",)
    assert nouns.of(["watch", "battery"]) == ("watch", "battery")


def test_without_a_lexicon_any_word_may_be_a_noun() -> None:
    assert _nouns(frozenset()).of(["watch", "bristol"]) == ("watch", "bristol")


@pytest.mark.parametrize(
    ("query", "head"),
    [
        ("leather watch for nurse with battery", "leather watch"),
        ("watch with battery for belt", "watch"),
        ("leather watch with brown battery", "leather watch brown"),  # brown is the watch
        ("watch for belt watch", "watch"),
        ("for watch with battery", "for watch"),
        ("watch and battery", "watch and battery"),  # which are equals
        ("watch battery for nurse", "watch battery for nurse"),  # about the battery
        ("strap for watch", "strap for watch"),  # not clearly a thing here
        ("watch for brown", "watch for brown"),  # nothing else is said
        ("watch for", "watch for"),
        ("watch", "watch"),
        ("", ""),
    ],
)
def test_the_head_of_a_query_says_what_the_thing_is(query: str, head: str) -> None:
    assert _nouns().head(query.split()) == head.split()


def test_the_second_is_measured_beside_the_first() -> None:
    # Battery: 0.7 - 0.2, watch: 0 - 0.9.
    assert _nouns().second(("watch", "battery")) == pytest.approx(1.4)
    assert _nouns().second(("battery", "watch")) == 0.0
    assert _nouns().second(("watch",)) == _nouns().second(()) == 0.0


@pytest.mark.parametrize(
    ("query", "shorter"),
    [
        ("leather watch for nurse with battery", ["leather watch"]),
        ("watch x nurse", ["watch"]),
        ("watch for brown nurse", ["watch brown", "watch"]),  # brown is the watch
        ("brown watch", ["watch"]),
        ("pale watch", []),  # which may be anything
        ("for nurse", []),
        ("for watch", []),
        ("watch battery for nurse", []),  # about the battery
        ("battery for nurse", []),  # about nothing that is here
        ("watch", []),
        ("", []),
    ],
)
def test_a_query_gets_shorter(query: str, shorter: list[str]) -> None:
    nouns, words = _nouns(), query.split()
    assert [" ".join(left) for left in nouns.shortened(words, nouns.of(words))] == shorter
