"""What queries look like, taken together: so that today's can be compared with those a bundle was calibrated on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.category_filter import CategoryModel
from relevance.towers import Towers

_FLOOR = 1e-4
"""Share given to a category that one side never had: the index would be infinite."""


@dataclass(frozen=True)
class QueryProfile:
    """queries: how many were looked at; embedding: their mean query vector, `[dim]`; mix: the share of them whose
    nearest category lies under each top-level category, by its id; strange: the share that is nearer to no category
    than the calibration's `least_cosine`."""

    queries: int
    embedding: tuple[float, ...]
    mix: dict[str, float]
    strange: float

    @classmethod
    def of(cls, queries: Sequence[str], towers: Towers, categories: CategoryModel) -> "QueryProfile":
        """Looks at `queries`, at least one."""
        embeddings = towers.queries(queries)
        cosines = embeddings @ towers.category_embeddings.T
        cosines[:, categories.empty] = -np.inf
        ontology = categories.ontology
        nearest = ontology.ancestor_at(1)[cosines.argmax(axis=1)]
        tops, counts = np.unique(nearest, return_counts=True)
        shares = zip(tops.tolist(), (counts / len(queries)).tolist(), strict=True)
        return cls(
            queries=len(queries),
            embedding=tuple(round(float(value), 6) for value in embeddings.mean(axis=0)),
            mix={ontology.ids[top]: round(share, 6) for top, share in shares},
            strange=float((cosines.max(axis=1) < categories.calibration.least_cosine).mean()),
        )

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> "QueryProfile | None":
        """What index building wrote (`asdict`) as `queries` into a bundle's manifest; None in one that has none."""
        fields = manifest.get("queries")
        return None if fields is None else cls(**{**fields, "embedding": tuple(fields["embedding"])})

    def embedding_shift(self, other: "QueryProfile") -> float:
        """Euclidean distance of the mean query vectors: 0 for the same, 2 for opposite ones."""
        ours, theirs = np.array(self.embedding), np.array(other.embedding)
        return float(np.linalg.norm(ours - theirs))

    def mix_shift(self, other: "QueryProfile") -> float:
        """Population stability index of the category mix, the sum of (p - q) ln(p / q). Symmetric; by custom, below
        0.1 nothing has changed and above 0.25 much has."""
        names = sorted(self.mix.keys() | other.mix.keys())
        p, q = (_shares(profile, names) for profile in (self, other))
        return float(((p - q) * np.log(p / q)).sum())


def _shares(profile: QueryProfile, names: Sequence[str]) -> NDArray[np.float64]:
    return np.maximum([profile.mix.get(name, 0.0) for name in names], _FLOOR)
