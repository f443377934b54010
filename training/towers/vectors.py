"""Starting vectors: gensim FastText over titles and (query, chosen title) pairs.

A query that borrows the choice of its later rewrite stands beside the same title as the rewrite does, so that "brolly",
its misspelling and "umbrella" begin close together (after search2vec, Grbovic et al., KDD 2016).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from gensim.models import FastText
from numpy.typing import NDArray

from relevance.featuriser import Featuriser
from relevance.text import tokens


def starting_table(
    featuriser: Featuriser, sentences: Sequence[str], dim: int, seed: int, epochs: int = 5
) -> NDArray[np.float32]:
    """Returns an embedding table float32 `[featuriser.size, dim]`: FastText vectors for what the featuriser knows,
    small noise for the hash buckets, zeros for padding. Rows have a mean length of about 1."""
    words = [tokens(sentence) for sentence in sentences]
    model = FastText(
        words,
        vector_size=dim,
        window=8,
        min_count=min(2, _most_often(words)),  # with no word left, FastText refuses to train
        epochs=epochs,
        sg=1,
        seed=seed,
        workers=1,  # more threads would make the vectors differ from run to run
        bucket=50_000,
    )
    known = [*featuriser.words, *(gram.strip("<>") or gram for gram in featuriser.ngrams)]
    vectors = np.stack([model.wv.get_vector(feature) for feature in known]) if known else np.empty((0, dim))
    scale = np.linalg.norm(vectors, axis=1).mean() if len(vectors) else 1.0
    noise = np.random.default_rng(seed).normal(0, 0.1 / np.sqrt(dim), (featuriser.buckets, dim))
    table = np.concatenate([np.zeros((1, dim)), vectors / max(scale, 1e-6), noise])
    return table.astype(np.float32)


def _most_often(sentences: Sequence[Sequence[str]]) -> int:
    return max(Counter(word for words in sentences for word in words).values(), default=0)
