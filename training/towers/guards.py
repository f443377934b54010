"""Guards against collapse and bias: is everything found, or only what was popular; are rare queries and new listings
served; do the vectors still differ."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.towers.corpus import Corpus

DECILES = 10
_PAIRS = 20_000

Bools = NDArray[np.bool_]


def guards(
    corpus: Corpus,
    listings: NDArray[np.float32],
    norms: NDArray[np.float32],
    pairs: NDArray[np.int64],
    top: NDArray[np.int64],
    ranks: NDArray[np.float64],
) -> dict[str, Any]:
    """Returns the figures of a report.

    listings: float32 `[n, dim]`, unit vectors; norms: float32 `[n]`, how long what was learned of them is before it
    is scaled to length 1; pairs: int64 `[m]`, the rows of `corpus.held` looked at; top: int64 `[m, 10]`, the ten
    listings nearest to each pair's query; ranks: float64 `[m]`, of each pair's listing.
    """
    clicks = np.bincount(corpus.train.listing, corpus.train.weight, len(listings)).astype(np.float64)
    chosen = corpus.held.listing[pairs]
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, len(listings), (2, _PAIRS))
    popular = np.argsort(-clicks, kind="stable")[:100]
    return {
        "shown_in_a_top_ten": round(len(np.unique(top)) / len(listings), 4),
        "mean_cosine": round(float(np.einsum("nd,nd->n", listings[one], listings[other]).mean()), 4),
        "embedding_norm": _norms(norms, clicks),
        "popularity_recall@100": round(float(np.isin(chosen, popular).mean()), 4),
        "by_popularity": _curve(clicks, top, chosen),
        "recall@10_of": {name: _recall(ranks, rows) for name, rows in _slices(corpus, pairs, clicks).items()},
    }


def _norms(norms: NDArray[np.float32], clicks: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of all norms and of those of the tenths of the listings that were clicked least and
    most: hardly any deviation tells of collapse, longer vectors of the most clicked of popularity learned by heart."""
    order = np.argsort(clicks, kind="stable")
    tenth = max(1, len(order) // DECILES)
    rows = {"all": order, "least_clicked_tenth": order[:tenth], "most_clicked_tenth": order[-tenth:]}
    return {
        name: {"mean": round(float(norms[own].mean()), 4), "std": round(float(norms[own].std()), 4)}
        for name, own in rows.items()
    }


def _curve(clicks: NDArray[np.float64], top: NDArray[np.int64], chosen: NDArray[np.int32]) -> dict[str, list[float]]:
    """The shares of the top tens and of what was chosen that go to each tenth of the listings, the least clicked first:
    alike where popularity is neither neglected nor rewarded."""
    place = np.empty(len(clicks), np.int64)
    place[np.argsort(clicks, kind="stable")] = np.arange(len(clicks)) * DECILES // len(clicks)

    def shares(rows: NDArray[Any]) -> list[float]:
        counts = np.bincount(place[rows].ravel(), minlength=DECILES)
        return [round(float(count) / rows.size, 3) for count in counts]

    return {"shown": shares(top), "chosen": shares(chosen)}


def _slices(corpus: Corpus, pairs: NDArray[np.int64], clicks: NDArray[np.float64]) -> dict[str, Bools]:
    """Head, torso and tail queries (a tenth, the next four tenths and the rest of those seen, by weight; unseen ones
    are tail), cold listings (never clicked before), and new categories."""
    weights = np.bincount(corpus.train.query, corpus.train.weight, len(corpus.train.queries))
    seen = dict(zip(corpus.train.queries, weights.tolist(), strict=True))
    weight = np.array([seen.get(corpus.held.queries[q], 0.0) for q in corpus.held.query[pairs]])
    head, torso = np.quantile(weights, (0.9, 0.5)) if len(weights) else (np.inf, np.inf)
    listing = corpus.held.listing[pairs]
    known = np.zeros(len(corpus.ontology) + 1, np.bool_)
    known[corpus.category[corpus.train.listing]] = True
    return {
        "head": weight >= head,
        "torso": (weight >= torso) & (weight < head),
        "tail": weight < torso,
        "cold_listings": clicks[listing] == 0,
        "new_categories": ~known[corpus.category[listing]],
    }


def _recall(ranks: NDArray[np.float64], rows: Bools) -> dict[str, float | int]:
    return {"pairs": int(rows.sum()), "recall": round(float((ranks[rows] < 10).mean()), 4) if rows.any() else 0.0}
