"""Queries to try next: what people searched together with a query, then what is nearest to it in the towers' space."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relevance.seen import query_key


class RelatedQueries:
    """queries: those that may be shown, as `query_key` writes them; embeddings: their vectors, float32 `[n, dim]`;
    together: for a query, rows of those that people searched in the same session, the most frequent first; shown: how
    people read them, where that differs."""

    def __init__(
        self,
        queries: Sequence[str],
        embeddings: NDArray[np.float32],
        together: Mapping[str, Sequence[int]],
        shown: Mapping[str, str],
    ) -> None:
        self.queries, self._embeddings, self._together, self._shown = queries, embeddings, together, shown
        self._rows = {query: row for row, query in enumerate(queries)}

    @classmethod
    def read(cls, path: Path, embeddings: Path) -> "RelatedQueries":
        """Reads what `write_related` wrote; of a bundle that has none, there are none."""
        if not path.is_file():
            return cls((), np.empty((0, 1), np.float32), {}, {})
        fields = json.loads(path.read_text(encoding="utf-8"))
        return cls(fields["queries"], np.load(embeddings).astype(np.float32), fields["together"], fields["shown"])

    def shown(self, query: str) -> str:
        """Returns one of the queries as people read it."""
        return self._shown.get(query, query)

    def together(self, query: str, k: int) -> list[str]:
        """Returns at most `k` queries that were searched in one session with `query`."""
        return [self.queries[row] for row in self._together.get(query_key(query), ())[:k]]

    def nearest(self, query: str, embedding: NDArray[np.float32], k: int) -> list[str]:
        """Returns the `k` queries nearest to `embedding` (float32 `[dim]`), which is that of `query`, less itself."""
        if not self.queries:
            return []
        cosine = np.einsum("nd,d->n", self._embeddings, embedding)
        own = self._rows.get(query_key(query))
        if own is not None:
            cosine[own] = -np.inf
        found = np.argpartition(-cosine, min(k, len(cosine) - 1))[:k]
        ordered = found[np.argsort(-cosine[found], kind="stable")]
        return [self.queries[row] for row in ordered.tolist() if row != own]


def write_related(
    path: Path,
    embeddings: Path,
    queries: Sequence[str],
    vectors: NDArray[np.float32],
    together: Mapping[str, Sequence[int]],
    shown: Mapping[str, str],
) -> None:
    """Writes the queries with what was searched together and how they are shown, and their vectors as float16 `[n,
    dim]`."""
    fields = {"queries": queries, "together": together, "shown": shown}
    path.write_text(json.dumps(fields, ensure_ascii=False), encoding="utf-8")
    np.save(embeddings, vectors.astype(np.float16))
