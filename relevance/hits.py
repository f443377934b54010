"""Showing listings: all there is of one; what a hit says of its listing, and why it is there, in words."""

import json
from collections.abc import Iterable
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from relevance.candidates import Candidates
from relevance.catalogue import Catalogue
from relevance.ontology import Ontology
from relevance.query import Query
from relevance.results import Hit, Listing, Source
from relevance.store import StoredListing
from relevance.vectors import Rows, Scores

EVERY_WORD = "has every word of the query"


def whole_listing(catalogue: Catalogue, stored: StoredListing) -> Listing:
    """Returns all there is of a listing of the catalogue, but its version."""
    columns, row = catalogue.held(stored.row)
    category = catalogue.ontology.get(stored.category_id or "")
    return Listing(
        listing_id=stored.listing_id,
        title=stored.title,
        description=stored.description,
        category_id=stored.category_id,
        category="" if category is None else catalogue.ontology.path_text(category),
        category_source=stored.category_source,
        price=stored.price,
        latitude=_number(columns.latitude[row]),
        longitude=_number(columns.longitude[row]),
        created_at=_instant(columns.created_at[row]),
        expires_at=_instant(columns.expires_at[row]),
        locale=columns.locale.value(row) or "",
        attributes=json.loads(stored.attributes),
        image=stored.image,
    )


def search_hits(
    catalogue: Catalogue, shown: Candidates, asked: Query, read_as: str | None, least_cosine: float
) -> tuple[Hit, ...]:
    """Returns a hit for each candidate, in their order. read_as: the correction as people read it; least_cosine: from
    here on a query is about a category."""
    category = catalogue.category(shown.rows)
    lexical, about = shown.lexical.tolist(), (asked.categories[category] >= least_cosine).tolist()
    reasons = [
        EVERY_WORD if as_typed else _reason(catalogue.ontology, read_as, *why)
        for as_typed, *why in zip(lexical, shown.corrected.tolist(), about, category.tolist(), strict=True)
    ]
    sources: list[Source] = ["lexical" if as_typed else "semantic" for as_typed in lexical]
    relevance = shown.relevance.astype(np.float64).round(4).tolist()
    return _hits(catalogue, shown.rows, category, shown.utility, relevance, sources, reasons)


def plain_hits(catalogue: Catalogue, rows: Rows, scores: Scores, source: Source, reason: str) -> tuple[Hit, ...]:
    """Returns a hit for each of `rows`, all there for the same reason and without a calibrated relevance."""
    category = catalogue.category(rows)
    return _hits(catalogue, rows, category, scores, repeat(None), repeat(source), repeat(reason))


def _reason(ontology: Ontology, read_as: str | None, corrected: bool, about: bool, category: int) -> str:
    if corrected:
        return f"has every word of “{read_as}”"
    if about:
        return f"means the same: searches like this one go to {ontology.name(category)}"
    return "close in meaning to the query"


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _instant(value: np.datetime64) -> str | None:
    return None if np.isnat(value) else f"{np.datetime_as_string(value)}Z"


def _hits(
    catalogue: Catalogue,
    rows: Rows,
    category: NDArray[np.int32],
    scores: Scores,
    relevance: Iterable[float | None],
    sources: Iterable[Source],
    reasons: Iterable[str],
) -> tuple[Hit, ...]:
    ontology, numbers = catalogue.ontology, rows.tolist()
    cards = catalogue.cards(numbers)
    hits = []
    for row, position, score, likely, source, reason in zip(
        numbers, category.tolist(), scores.tolist(), relevance, sources, reasons, strict=False
    ):
        _, listing_id, title, price, image = cards[row]
        category_id, path = ontology.ids[position], ontology.path_text(position)
        hits.append(Hit(listing_id, score, likely, source, reason, title, price, category_id, path, image))
    return tuple(hits)
