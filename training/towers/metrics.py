"""How well the towers answer queries of the calibration span, which they were not trained on."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.towers import Arrays, Towers, listing_arrays
from training.towers import model
from training.towers.corpus import Corpus
from training.towers.guards import guards

TOP = 10
SCORES = 2**24
"""Of queries for listings, that are looked at together: 64 MB, and twice as much for their order."""


def held_out_metrics(artifact: Path, trained: model.Towers, corpus: Corpus, limit: int = 5000) -> dict[str, Any]:
    """Returns recall@10 and @100 of the chosen listings and accuracy of the chosen category at each level, over all
    held-out queries and over those whose text training never saw, and the guards against collapse and bias. At most
    `limit` pairs, the first ones. What is measured is the artifact; `trained` are the towers it was exported from,
    since an artifact only tells vectors of length 1."""
    held = corpus.held
    n = min(limit, len(held))
    if not n:
        return {"pairs": 0, "dropped_events": corpus.dropped_events}
    towers = Towers(artifact)
    arrays = _arrays(towers, corpus)
    listings = towers.listings(arrays)
    query, listing = towers.queries(held.queries)[held.query[:n]], held.listing[:n]
    ranks, top = _ranks(query, listings, listing)
    told = (query @ towers.category_embeddings.T).argmax(axis=1)
    known = set(corpus.train.queries)
    unseen = np.array([held.queries[q] not in known for q in held.query[:n]], bool)

    def figures(rows: NDArray[np.bool_]) -> dict[str, Any]:
        if not rows.any():
            return {"pairs": 0}
        return {
            "pairs": int(rows.sum()),
            "recall@10": round(float((ranks[rows] < 10).mean()), 4),
            "recall@100": round(float((ranks[rows] < 100).mean()), 4),
            "category_accuracy": _accuracy(corpus, told[rows], corpus.category[listing[rows]]),
        }

    return {
        **figures(np.ones(n, bool)),
        "unseen_queries": figures(unseen),
        **guards(corpus, listings, _norms(trained, arrays), np.arange(n), top, ranks),
        "dropped_events": corpus.dropped_events,
    }


def _accuracy(corpus: Corpus, told: NDArray[np.int64], category: NDArray[np.int32]) -> list[float]:
    """At each level, the root's first, over the listings whose category is known."""
    placed = category >= 0
    if not placed.any():
        return []
    levels = [corpus.ontology.ancestor_at(level) for level in range(1, int(corpus.ontology.depth.max()) + 1)]
    return [round(float((at[told[placed]] == at[category[placed]]).mean()), 4) for at in levels]


def _arrays(towers: Towers, corpus: Corpus) -> Arrays:
    listings, paths = corpus.listings, corpus.ontology.path_text
    texts = ["" if category < 0 else paths(category) for category in corpus.category.tolist()]
    return listing_arrays(towers.featuriser, listings.titles, listings.attributes, texts, corpus.visual, listings.price)


def _norms(trained: model.Towers, arrays: Arrays) -> NDArray[np.float32]:
    n = len(arrays["price"])
    batches = ({name: values[i : i + 1024] for name, values in arrays.items()} for i in range(0, n, 1024))
    return np.concatenate([trained.listing_norms(batch).numpy() for batch in batches])


def _ranks(
    queries: NDArray[np.float32], listings: NDArray[np.float32], positive: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How many listings lie nearer to the query than the chosen one, which stands in the middle of those that lie
    equally near, `[m]`, and the ten nearest ones, `[m, 10]`."""
    n, ranks, top = len(listings), [], []
    first = max(0, n - TOP)
    block = max(1, SCORES // n)
    for i in range(0, len(queries), block):
        scores = queries[i : i + block] @ listings.T
        own = scores[np.arange(len(scores)), positive[i : i + block]][:, None]
        ranks.append((scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2)
        top.append(np.argpartition(scores, first, axis=1)[:, first:].copy())  # not a view of the whole order
    return np.concatenate(ranks), np.concatenate(top)
