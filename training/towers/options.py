"""What a training run of the towers may vary, and how each of its ingredients is switched off."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from relevance.errors import DataError


@dataclass(frozen=True)
class Options:
    """The defaults are what the demo and the fashion catalogue use. text_prior: folder or hub id of a Model2Vec model;
    lexicon: folder of a WordNet database; prior_share: of the squared length of a vector of the joint space, the part
    that the prior alone decides; by_query, by_listing: weights of the losses query→category and listing→category,
    against 1 for query→listing; readings: half of the training queries are read without whole kinds of features;
    dropout: parts of a listing are left out now and then."""

    dim: int = 96
    epochs: int = 8
    batch: int = 512
    excerpts: int = 2
    composed: int = 2
    temperature: float = 0.04
    learning_rate: float = 0.003
    table_rate: float = 0.1
    seed: int = 0
    fasttext: bool = True
    text_prior: str | None = None
    lexicon: str | None = None
    prior_dim: int = 96
    prior_share: float = 0.2
    ngram_sizes: tuple[int, ...] = (3, 4)
    typing_errors: bool = True
    padding: bool = True
    readings: bool = True
    dropout: bool = True
    rewrites: bool = True
    position_weights: bool = True
    click_rates: bool = True
    uniform: bool = True
    hard: bool = True
    log_q: bool = True
    by_query: float = 1.0
    by_listing: float = 0.3
    absent: int = 30_000
    absent_weight: float = 0.5


OFF: Mapping[str, Mapping[str, Any]] = {
    "text-prior": {"text_prior": None},
    "prior-beside": {"prior_share": 0.0},
    "lexicon": {"lexicon": None},
    "starting-vectors": {"fasttext": False},
    "ngrams": {"ngram_sizes": ()},
    "typing-errors": {"typing_errors": False},
    "padding": {"padding": False},
    "readings": {"readings": False},
    "dropout": {"dropout": False},
    "own-words": {"excerpts": 0},
    "composed-queries": {"composed": 0},
    "absent-queries": {"absent": 0},
    "rewrites": {"rewrites": False},
    "position-weights": {"position_weights": False},
    "click-rates": {"click_rates": False},
    "uniform-negatives": {"uniform": False},
    "hard-negatives": {"hard": False},
    "log-q": {"log_q": False},
    "query-category": {"by_query": 0.0},
    "listing-category": {"by_listing": 0.0},
}
"""The ingredients, and the options of a training without each of them."""


def without(options: Options, ingredients: Iterable[str]) -> Options:
    """Returns `options` with the `ingredients` switched off; raises DataError for one that there is not."""
    for name in ingredients:
        if name not in OFF:
            raise DataError(f"--without {name}: no such ingredient; there are {', '.join(OFF)}")
        options = replace(options, **OFF[name])
    return options
