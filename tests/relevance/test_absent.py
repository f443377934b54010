"""Queries for things that are not there."""

from pathlib import Path
from random import Random

from rapidfuzz.distance import OSA

from relevance.absent import AbsentWords, made_up_words


def test_every_query_has_a_word_for_an_absent_thing(tmp_path: Path) -> None:
    absent = AbsentWords(("guitar", "drill"), ("black", "cheap"))
    queries = absent.queries(200, Random(0))
    assert len(queries) == 200
    words = [query.split() for query in queries]
    assert all(set(query) & {"guitar", "drill"} for query in words)
    assert {word for query in words for word in query} == {"guitar", "drill", "black", "cheap"}
    assert 60 < sum(bool(set(query) & {"black", "cheap"}) for query in words) < 180
    assert queries == absent.queries(200, Random(0))
    absent.write(tmp_path / "absent.json")
    assert AbsentWords.read(tmp_path / "absent.json") == absent


def test_without_words_there_are_no_queries() -> None:
    assert AbsentWords().queries(10, Random(0)) == []


def test_made_up_words_look_like_the_language_and_like_no_word_of_it() -> None:
    words = [
        "keyboard",
        "keyring",
        "boarding",
        "ringside",
        "sidecar",
        "carpet",
        "petrol",
        "rolling",
        "linger",
        "gerbil",
    ]
    made = made_up_words(words, 30, Random(0))
    assert 5 < len(made) <= 30
    assert len(set(made)) == len(made)
    assert {letter for word in made for letter in word} <= {letter for word in words for letter in word}
    assert all(OSA.normalized_similarity(word, known) < 0.7 for word in made for known in words)
    assert made == made_up_words(words, 30, Random(0))
    assert made_up_words([], 3, Random(0)) == []
