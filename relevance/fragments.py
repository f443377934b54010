"""Ready-made pieces of query for a backend that keeps its own search engine, OpenSearch or Elasticsearch.

Mental model: a category filter becomes clauses to merge into the backend's own `bool` query, a fallback becomes a whole
query. The documents carry what `relevance.bulk` writes: `category_ids`, the categories from the root down to their own,
so that a category of any level is one term, and `embedding`.

    found = engine.category_filter("gaming keyboard")
    body = {"query": {"bool": {"must": my_query, **category_clauses(found)}}}
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError, quoted
from relevance.results import CategoryFilter, Fallback

CATEGORY_FIELD = "category_ids"
EMBEDDING_FIELD = "embedding"

Dialect = Literal["opensearch", "elasticsearch"]
Clause = dict[str, Any]


def category_clauses(
    found: CategoryFilter, weight: float = 1.0, field: str = CATEGORY_FIELD
) -> dict[str, list[Clause]]:
    """Returns the parts of a `bool` query: `filter` in mode "filter", `should` in mode "boost", nothing in mode "none".

    A boost adds weight * probability to the score of a document that lies in the category. Drop the filter where it
    leaves no hit: one search in twenty means another category.
    """
    if found.mode == "filter":
        return {"filter": [{"terms": {field: [category.category_id for category in found.categories]}}]}
    if found.mode == "boost":
        return {"should": boost_clauses(found, weight, field)}
    return {}


def boost_clauses(found: CategoryFilter, weight: float = 1.0, field: str = CATEGORY_FIELD) -> list[Clause]:
    """Returns a `should` clause for each category, also in mode "filter": to prefer and not to restrict. Raises
    DataError for a weight below 0, or that is no finite number: search engines refuse it."""
    if not 0 <= weight < float("inf"):
        raise DataError(f"weight: expected 0 or more, got {weight}")
    return [
        {"constant_score": {"filter": {"term": {field: c.category_id}}, "boost": round(weight * c.probability, 6)}}
        for c in found.categories
        if c.probability > 0
    ]


def exclusion_clauses(category_ids: Sequence[str], field: str = CATEGORY_FIELD) -> dict[str, list[Clause]]:
    """Returns the part of a `bool` query that leaves out categories with all that is under them: those that a person
    has clicked away. Raises DataError for a single text in place of a list."""
    if isinstance(category_ids, str):
        raise DataError(f"category_ids: expected a list of category ids, got the text {quoted(category_ids)}")
    return {"must_not": [{"terms": {field: list(category_ids)}}]} if category_ids else {}


def ids_query(found: Fallback) -> Clause:
    """Returns a query for exactly the fallback's hits, in their order: the first of n has the score n, the last 1. An
    abstention finds nothing. Works on listing ids as document ids."""
    if not found.hits:
        return {"match_none": {}}
    # The rank and not the relevance: hits are ordered by their utility, and those of one relevance, or of none, would
    # come in the order of the documents.
    should = [
        {"constant_score": {"filter": {"ids": {"values": [hit.listing_id]}}, "boost": rank}}
        for rank, hit in zip(range(len(found.hits), 0, -1), found.hits, strict=True)
    ]
    return {"bool": {"should": should, "minimum_should_match": 1}}


def knn_query(
    embedding: NDArray[np.float32],
    k: int,
    dialect: Dialect = "opensearch",
    filters: Sequence[Clause] = (),
    field: str = EMBEDDING_FIELD,
) -> Clause:
    """Returns a query for the `k` documents nearest to a query's vector, float32 `[dim]`
    (`engine.embed_query(text)`), among those that pass all `filters`.

    It finds something for every query, also where nothing answers it: ask `engine.fallback` whether it abstains first.
    """
    length = float(np.linalg.norm(embedding)) if dialect == "elasticsearch" else 1.0  # which takes no other than 1
    vector = [round(float(value) / (length or 1.0), 6) for value in embedding]
    within = {"filter": {"bool": {"filter": list(filters)}}} if filters else {}
    if dialect == "opensearch":
        return {"knn": {field: {"vector": vector, "k": k, **within}}}
    if dialect == "elasticsearch":
        tried = min(max(100, 2 * k), 10_000)  # the most that it takes
        return {"knn": {"field": field, "query_vector": vector, "k": k, "num_candidates": tried, **within}}
    raise DataError(f"knn_query: dialect: expected opensearch or elasticsearch, got {dialect!r}")


def index_mapping(dim: int, dialect: Dialect = "opensearch") -> Clause:
    """Returns the body that creates an index with the fields of `relevance.bulk`; dim: of the embeddings."""
    fields: dict[str, Any] = {
        "category_id": {"type": "keyword"},
        CATEGORY_FIELD: {"type": "keyword"},
        "category_path": {"type": "keyword"},
        "category_source": {"type": "keyword"},
    }
    if dialect == "opensearch":
        method = {"name": "hnsw", "engine": "faiss", "space_type": "innerproduct"}
        fields[EMBEDDING_FIELD] = {"type": "knn_vector", "dimension": dim, "method": method}
        return {"settings": {"index.knn": True}, "mappings": {"properties": fields}}
    if dialect == "elasticsearch":
        fields[EMBEDDING_FIELD] = {"type": "dense_vector", "dims": dim, "index": True, "similarity": "dot_product"}
        return {"mappings": {"properties": fields}}
    raise DataError(f"index_mapping: dialect: expected opensearch or elasticsearch, got {dialect!r}")
