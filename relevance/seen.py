"""What people clicked for the queries seen often: evidence that grows into the category filter's answer."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relevance.ontology import Ontology
from relevance.text import tokens

Shares = Mapping[str, Mapping[str, float]]
NO_MEMORY: Shares = {}


class SeenQueries:
    """How often each category was chosen for a query: weight of the choices by query and category id. `prior` is the
    weight of the towers' own prediction beside them (Dirichlet smoothing)."""

    def __init__(self, ontology: Ontology, weights: Shares, prior: float) -> None:
        self.prior = prior
        self.weights = weights
        self._ontology = ontology

    @classmethod
    def read(cls, path: Path, ontology: Ontology) -> "SeenQueries":
        """Reads what `write_seen` wrote. Categories that the ontology does not have are left out."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        return cls(ontology, fields["queries"], fields["prior"])

    def knows(self, word: str) -> bool:
        """Says whether one of the queries has this word (normalised, as `tokens` gives it)."""
        return word in self._words

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word for query in self.weights for word in query.split())

    def blend(
        self, words: list[str], probabilities: NDArray[np.float32], empty: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Returns float32 `[categories]`: `probabilities` moved towards what was chosen for the query of these words,
        the more the more often it was; themselves where nothing is known of it. empty: bool `[categories]`, those
        without listings, where nobody can choose any more."""
        chosen = [
            (position, weight)
            for category_id, weight in self.weights.get(" ".join(words), {}).items()
            if (position := self._ontology.get(category_id)) is not None and (empty is None or not empty[position])
        ]
        if not chosen:
            return probabilities
        blended = self.prior * probabilities
        for position, weight in chosen:
            blended[position] += weight
        return np.asarray(blended / blended.sum(), np.float32)


def query_key(query: str) -> str:
    """Returns the text under which a query is remembered."""
    return " ".join(tokens(query))


def write_seen(path: Path, weights: Shares, prior: float) -> None:
    """Writes weights of choices by query key and category id."""
    path.write_text(json.dumps({"prior": prior, "queries": weights}, ensure_ascii=False), encoding="utf-8")
