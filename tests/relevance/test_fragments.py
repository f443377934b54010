"""Fragments: pieces of query that mean what the engine said."""

import json
from typing import Any

import numpy as np
import pytest

from relevance.errors import DataError
from relevance.fragments import (
    boost_clauses,
    category_clauses,
    exclusion_clauses,
    ids_query,
    index_mapping,
    knn_query,
)
from relevance.results import CategoryFilter, CategoryScore, Fallback, Hit, Mode

DOCUMENTS: dict[str, dict[str, Any]] = {
    "a": {"category_ids": ["1", "11"]},
    "b": {"category_ids": ["1", "12"]},
    "c": {"category_ids": ["2", "21"]},
}


def _matches(clause: dict[str, Any], listing_id: str) -> bool:
    """A search engine of three documents."""
    (kind, body) = next(iter(clause.items()))
    document = DOCUMENTS[listing_id]
    if kind == "term":
        ((field, value),) = body.items()
        return value in document[field]
    if kind == "terms":
        ((field, values),) = body.items()
        return not set(values).isdisjoint(document[field])
    if kind == "ids":
        return listing_id in body["values"]
    if kind == "constant_score":
        return _matches(body["filter"], listing_id)
    if kind == "match_none":
        return False
    assert kind == "bool"
    return (
        all(_matches(each, listing_id) for each in body.get("filter", []))
        and not any(_matches(each, listing_id) for each in body.get("must_not", []))
        and sum(_matches(each, listing_id) for each in body.get("should", [])) >= body.get("minimum_should_match", 0)
    )


def _score(clause: dict[str, Any], listing_id: str) -> float:
    should = clause["bool"]["should"]
    return sum(each["constant_score"]["boost"] for each in should if _matches(each, listing_id))


def _found(clause: dict[str, Any]) -> list[str]:
    return [listing_id for listing_id in DOCUMENTS if _matches(clause, listing_id)]


def _filter(mode: Mode, *scores: tuple[str, float]) -> CategoryFilter:
    return CategoryFilter(mode, tuple(CategoryScore(name, f"path {name}", p) for name, p in scores), 0.95)


def _hit(listing_id: str, relevance: float | None) -> Hit:
    return Hit(listing_id, 1.0, relevance, "semantic", "", "title", None, None, "", None)


def test_a_filter_keeps_a_category_and_what_is_under_it() -> None:
    assert _found({"bool": category_clauses(_filter("filter", ("1", 0.9)))}) == ["a", "b"]
    assert _found({"bool": category_clauses(_filter("filter", ("11", 0.6), ("21", 0.3)))}) == ["a", "c"]


def test_a_boost_prefers_and_excludes_nothing() -> None:
    clauses = category_clauses(_filter("boost", ("1", 0.5), ("12", 0.3), ("21", 0.0)), weight=2.0)
    assert _found({"bool": clauses}) == ["a", "b", "c"]
    scores = [_score({"bool": clauses}, listing_id) for listing_id in DOCUMENTS]
    assert scores == pytest.approx([1.0, 1.6, 0.0])


def test_no_mode_no_clause() -> None:
    assert category_clauses(_filter("none")) == {}
    assert exclusion_clauses([]) == {}
    with pytest.raises(DataError, match="category_ids: expected a list of category ids, got the text '11'"):
        exclusion_clauses("11")


def test_a_filter_may_also_be_a_preference() -> None:
    assert len(boost_clauses(_filter("filter", ("1", 0.9)))) == 1


def test_what_is_clicked_away_is_left_out() -> None:
    assert _found({"bool": exclusion_clauses(["11", "2"])}) == ["b"]


@pytest.mark.parametrize("relevances", [(0.9, 0.4), (0.4, 0.9), (0.5, 0.5), (0.0, 0.0), (None, 0.0)])
def test_a_fallback_is_its_hits_in_their_order(relevances: tuple[float | None, float | None]) -> None:
    """Whatever their relevance, which is not what they are ordered by."""
    first, second = relevances
    query = ids_query(Fallback("", None, (), (_hit("c", first), _hit("a", second)), False))
    assert _found(query) == ["a", "c"]
    assert _score(query, "c") > _score(query, "a") > 0


def test_an_abstention_finds_nothing() -> None:
    assert _found(ids_query(Fallback("", None, (), (), True))) == []


def test_nearest_neighbours_in_both_dialects() -> None:
    embedding = np.array([0.6, 0.8], np.float32)
    only = [{"terms": {"category_ids": ["1"]}}]
    ours = knn_query(embedding, 5, "opensearch", only)["knn"]["embedding"]
    assert (ours["vector"], ours["k"], ours["filter"]) == ([0.6, 0.8], 5, {"bool": {"filter": only}})
    theirs = knn_query(embedding, 5, "elasticsearch")["knn"]
    assert (theirs["field"], theirs["query_vector"], theirs["k"]) == ("embedding", [0.6, 0.8], 5)
    assert theirs["num_candidates"] >= 5
    assert "filter" not in theirs
    json.dumps([ours, theirs])


def test_elasticsearch_is_given_what_it_takes() -> None:
    """By its reference: vectors of length 1 where `dot_product` compares them, at most 10,000 candidates."""
    short = knn_query(np.array([0.3, 0.4], np.float32), 6000, "elasticsearch")["knn"]
    assert (short["query_vector"], short["num_candidates"]) == ([0.6, 0.8], 10_000)
    assert knn_query(np.zeros(2, np.float32), 5, "elasticsearch")["knn"]["query_vector"] == [0.0, 0.0]
    for weight in (float("nan"), float("inf")):
        with pytest.raises(DataError, match=f"weight: expected 0 or more, got {weight}"):
            boost_clauses(_filter("boost", ("1", 0.5)), weight)
    with pytest.raises(DataError, match=r"weight: expected 0 or more, got -1\.0"):
        boost_clauses(CategoryFilter("a", "boost", ()), -1.0)


def test_mappings_have_the_vectors_length() -> None:
    assert index_mapping(64)["mappings"]["properties"]["embedding"]["dimension"] == 64
    assert index_mapping(64, "elasticsearch")["mappings"]["properties"]["embedding"]["dims"] == 64


def test_another_dialect_is_refused() -> None:
    for call in (lambda: index_mapping(2, "solr"), lambda: knn_query(np.zeros(2, np.float32), 1, "solr")):  # type: ignore[arg-type]
        with pytest.raises(DataError, match="expected opensearch or elasticsearch, got 'solr'"):
            call()
