"""How well the towers answer queries of the calibration span, which they were not trained on."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.towers import Towers
from training.towers.corpus import Corpus


def held_out_metrics(
    artifact: Path, corpus: Corpus, listings: NDArray[np.float32], limit: int = 5000
) -> dict[str, Any]:
    """Returns recall@10 and @100 of the chosen listings and accuracy of the chosen category, over all held-out
    queries and over those whose text training never saw. At most `limit` pairs, the first ones."""
    held = corpus.held
    n = min(limit, len(held))
    if not n:
        return {"pairs": 0, "dropped_events": corpus.dropped_events}
    towers = Towers(artifact)
    queries = towers.queries(held.queries)
    query, listing = queries[held.query[:n]], held.listing[:n]
    ranks = _ranks(query, listings, listing)
    category = corpus.category[listing]
    right = (query @ towers.category_embeddings.T).argmax(axis=1) == category
    known = set(corpus.train.queries)
    unseen = np.array([held.queries[q] not in known for q in held.query[:n]], bool)

    def figures(rows: NDArray[np.bool_]) -> dict[str, float | int]:
        if not rows.any():
            return {"pairs": 0}
        return {
            "pairs": int(rows.sum()),
            "recall@10": round(float((ranks[rows] < 10).mean()), 4),
            "recall@100": round(float((ranks[rows] < 100).mean()), 4),
            "category_accuracy": round(float(right[rows & (category >= 0)].mean()), 4),
        }

    return {
        **figures(np.ones(n, bool)),
        "unseen_queries": figures(unseen),
        "dropped_events": corpus.dropped_events,
    }


def _ranks(
    queries: NDArray[np.float32], listings: NDArray[np.float32], positive: NDArray[np.int32]
) -> NDArray[np.int64]:
    """How many listings lie nearer to the query than the chosen one."""
    parts = []
    for i in range(0, len(queries), 512):
        scores = queries[i : i + 512] @ listings.T
        own = scores[np.arange(len(scores)), positive[i : i + 512]]
        parts.append((scores > own[:, None]).sum(axis=1))
    return np.concatenate(parts)
