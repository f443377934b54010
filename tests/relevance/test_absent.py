"""Queries for things that are not there."""

from pathlib import Path
from random import Random

from relevance.absent import AbsentWords


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
