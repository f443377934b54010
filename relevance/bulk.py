"""What the models know of every listing, as bulk updates for the search engine that a backend keeps.

Each listing is two lines: which document, and the fields that are added to it. The fields are those that
`relevance.fragments` asks for.
"""

import json
from collections.abc import Iterator

import numpy as np

from relevance.engine import Engine, utc_now
from relevance.fragments import CATEGORY_FIELD, EMBEDDING_FIELD
from relevance.ontology import Ontology
from relevance.store import StoredListing

_CHUNK = 1000


def lines(engine: Engine, index: str, embeddings: bool = True) -> Iterator[str]:
    """Yields the lines of a bulk request (NDJSON, in ASCII whatever the ids have) that updates, or makes, the documents
    named by the listing ids in `index`, for every listing that has not expired. embeddings: with the vectors of the
    joint space, 6 digits each."""
    online = np.flatnonzero(engine.catalogue.online(utc_now()))
    for first in range(0, len(online), _CHUNK):
        rows = online[first : first + _CHUNK]
        vectors = engine.catalogue.embeddings(rows) if embeddings else None
        stored = engine.catalogue.listings(rows.tolist())
        for place, row in enumerate(rows.tolist()):
            document = _categories(stored[row], engine.ontology)
            if vectors is not None:
                document[EMBEDDING_FIELD] = [round(value, 6) for value in vectors[place].tolist()]
            yield json.dumps({"update": {"_index": index, "_id": stored[row].listing_id}})
            yield json.dumps({"doc": document, "doc_as_upsert": True})


def _categories(listing: StoredListing, ontology: Ontology) -> dict[str, object]:
    """The category, all those it lies in, and who told it."""
    if listing.category_id is None:
        return {CATEGORY_FIELD: []}
    position = ontology.position(listing.category_id)
    chain = [position]
    while ontology.parent[chain[-1]] >= 0:
        chain.append(int(ontology.parent[chain[-1]]))
    return {
        "category_id": listing.category_id,
        CATEGORY_FIELD: [ontology.ids[each] for each in reversed(chain)],
        "category_path": ontology.path_text(position),
        "category_source": listing.category_source,
    }
