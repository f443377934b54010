"""A static text model (Model2Vec) as prior: what its makers' corpora know of words that no behaviour has shown.

Its word pieces enter the towers' vocabulary and its vectors the embedding table, so a query costs no more with it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError, quoted
from relevance.text import tokens
from relevance.word_pieces import CONTINUED, WordPieces


@dataclass(frozen=True)
class TextPrior:
    """pieces: the vocabulary, as `WordPieces` reads it; vectors: float32 `[len(pieces), dim]`, of mean length 1, their
    directions in the order of how much they tell texts of the catalogue apart."""

    pieces: tuple[str, ...]
    vectors: NDArray[np.float32]

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])

    def reduced(self, texts: list[str], dim: int) -> "TextPrior":
        """Returns the prior in its `dim` directions that hold most of what `texts` differ in (a singular value
        decomposition, not centred: dot products are kept). A narrower prior keeps its width."""
        if not len(self.pieces) or self.dim == 0:
            return self
        split = WordPieces(self.pieces)
        counts = np.zeros(len(self.pieces))
        for text in texts:
            for word in tokens(text):
                for piece in split.split(word):
                    counts[piece - 1] += 1
        weighted = self.vectors * np.sqrt(np.log1p(counts) + 0.05)[:, None]
        _, _, directions = np.linalg.svd(weighted.T @ weighted)
        vectors = self.vectors @ directions[: min(dim, self.dim)].T
        return TextPrior(self.pieces, (vectors / np.linalg.norm(vectors, axis=1).mean()).astype(np.float32))


NO_PRIOR = TextPrior((), np.empty((0, 0), np.float32))


def read_prior(source: str) -> TextPrior:
    """Reads a Model2Vec model from a folder, or from the Hugging Face hub by its id.

    Raises DataError where there is none, it cannot be fetched or read, its vocabulary is of another kind than
    WordPiece, a vector is not finite, or no piece that a word can hold has a vector other than zero.
    """
    from model2vec import StaticModel

    try:
        model = StaticModel.from_pretrained(source)
    except Exception as error:
        what = "no Model2Vec model" if Path(source).exists() else "no such folder, and not to be had from the hub"
        raise DataError(f"--text-prior {source}: {what} ({_first_line(error)}); give the path of a folder") from error
    vocabulary = model.tokenizer.get_vocab()
    if type(model.tokenizer.model).__name__ != "WordPiece":
        kind = type(model.tokenizer.model).__name__
        raise DataError(f"--text-prior {source}: a vocabulary of the kind {kind}; expected WordPiece")
    pieces = [piece for piece, _ in sorted(vocabulary.items(), key=lambda item: item[1])]
    vectors = np.asarray(model.embedding, np.float32)
    if model.token_mapping is not None:
        vectors = vectors[np.asarray(model.token_mapping)]
    if model.weights is not None:
        vectors = vectors * np.asarray(model.weights, np.float32)[:, None]
    kept = [i for i, piece in enumerate(pieces) if _readable(piece)]
    _check(source, pieces, vectors, kept)
    return TextPrior(tuple(pieces[i] for i in kept), vectors[kept])


def _check(source: str, pieces: list[str], vectors: NDArray[np.float32], kept: list[int]) -> None:
    unfit = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(unfit):
        row = int(unfit[0])
        value = vectors[row][~np.isfinite(vectors[row])][0]
        raise DataError(
            f"--text-prior {source}: row {row}, the vector of the piece {quoted(pieces[row])}: expected finite "
            f"numbers, found {value} (rows like that: {len(unfit):,} of {len(vectors):,})"
        )
    if not vectors[kept].any():
        raise DataError(f"--text-prior {source}: expected vectors of words, found only zeros; give a trained model")


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns vectors float32 `[n, dim]`, each of length 1, or of 0 as before."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


def _readable(piece: str) -> bool:
    """Whether a normalised word can hold it: punctuation and markers like [UNK] it never does."""
    return piece.removeprefix(CONTINUED).isalnum()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
