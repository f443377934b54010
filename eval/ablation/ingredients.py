"""The ingredients of the towers, as `python -m training towers --without` knows them, and what is measured."""

from collections.abc import Mapping
from dataclasses import dataclass

EVERYTHING = "everything"
"""The training that the others are compared with."""

OF_PRIOR, OF_LEXICON = ("text-prior", "prior-beside"), ("lexicon",)
"""Ingredients that there are only where a text prior, or a lexicon, is given."""

INGREDIENTS: Mapping[str, str] = {
    "text-prior": "text prior",
    "prior-beside": "the prior's own vectors beside what is learned",
    "lexicon": "names and absent things of a lexicon",
    "starting-vectors": "FastText starting vectors",
    "ngrams": "character n-grams",
    "typing-errors": "typing errors in training queries",
    "padding": "padding with words that say little",
    "readings": "queries read without kinds of features",
    "dropout": "parts of listings left out",
    "own-words": "queries of a listing's own words",
    "composed-queries": "composed queries",
    "absent-queries": "queries for what is absent",
    "rewrites": "choices borrowed from rewrites",
    "position-weights": "weights by position",
    "click-rates": "less weight for what is seldom clicked",
    "uniform-negatives": "uniform negatives",
    "hard-negatives": "hard negatives",
    "log-q": "logQ correction",
    "query-category": "query→category loss",
    "listing-category": "listing→category loss",
}


@dataclass(frozen=True)
class Metric:
    """better: 1 where more is better, -1 where less is."""

    name: str
    better: int = 1


HELD_OUT = tuple(map(Metric, ("recall@10", "recall@100", "unseen recall@10", "cold recall@10", "category accuracy")))
"""Of the pairs of the calibration span: all, queries whose text training never saw, listings never chosen before; the
chosen category at the deepest level."""

WRONGLY = Metric("abstains wrongly", -1)


def metric(name: str) -> Metric:
    """Returns the metric of this name."""
    return next((known for known in (*HELD_OUT, WRONGLY) if known.name == name), Metric(name))
