"""What a pass over a catalogue has found so far: one file a chunk of listings, so that a killed run can go on.

The files depend on the chunk alone, not on when it was made: a continued run ends with the same bytes.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relevance.artifacts import refuse_foreign, writing_file
from relevance.errors import ArtifactError
from relevance.listing_index import KIND
from relevance.photos.batches import BadPhoto
from relevance.photos.model import AttributeValue

CHUNK = 4096
"""Listings a file, by default: what a killed run does again, and what is held in memory."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """c listings in a row. best: int32 `[c]`, the most probable class, -1 without a usable photo; probability: float32
    `[c]` of that class; answer: int32 `[c]`, the category to act on (see `Classifier.answers`), an ontology position or
    -1; answer_probability: float32 `[c]`; embeddings: float16 `[c, dim]`, zero rows without a usable photo; attributes:
    one dict a listing; bad: every refused photo, its row counted from the first listing of the catalogue."""

    best: NDArray[np.int32]
    probability: NDArray[np.float32]
    answer: NDArray[np.int32]
    answer_probability: NDArray[np.float32]
    embeddings: NDArray[np.float16]
    attributes: list[dict[str, AttributeValue]]
    bad: list[BadPhoto]

    @classmethod
    def empty(cls, listings: int, dim: int) -> Chunk:
        """No photo yet."""
        return cls(
            np.full(listings, -1, np.int32),
            np.zeros(listings, np.float32),
            np.full(listings, -1, np.int32),
            np.zeros(listings, np.float32),
            np.zeros((listings, dim), np.float16),
            [{} for _ in range(listings)],
            [],
        )


@dataclass(frozen=True)
class Chunks:
    """The folder of a pass over `listings` listings, `size` a chunk."""

    folder: Path
    listings: int
    size: int

    def parts(self) -> list[slice]:
        """The rows of each chunk."""
        starts = range(0, self.listings, self.size)
        return [slice(start, min(start + self.size, self.listings)) for start in starts]

    def done(self, part: slice) -> bool:
        """Whether the chunk is there and whole."""
        return zipfile.is_zipfile(self._path(part))

    def save(self, part: slice, chunk: Chunk) -> None:
        text = json.dumps([chunk.attributes, chunk.bad], ensure_ascii=False).encode()
        with writing_file(self._path(part)) as temporary, open(temporary, "wb") as file:
            np.savez(
                file,
                best=chunk.best,
                probability=chunk.probability,
                answer=chunk.answer,
                answer_probability=chunk.answer_probability,
                embeddings=chunk.embeddings,
                text=np.frombuffer(text, np.uint8),
            )

    def load(self, part: slice) -> Chunk:
        with np.load(self._path(part)) as arrays:
            attributes, bad = json.loads(arrays["text"].tobytes())
            return Chunk(
                arrays["best"],
                arrays["probability"],
                arrays["answer"],
                arrays["answer_probability"],
                arrays["embeddings"],
                [{name: AttributeValue(*answer) for name, answer in row.items()} for row in attributes],
                [(row, image, reason) for row, image, reason in bad],
            )

    def _path(self, part: slice) -> Path:
        return self.folder / f"{part.start:012d}.npz"


@contextmanager
def unfinished(out: Path, key: str, listings: int, size: int) -> Iterator[Chunks]:
    """Yields the chunks of a run towards `out`: those of an earlier one with the same `key` (what it is made of), else
    none. Their folder lies beside `out` and is removed when the block ends without an error.

    Raises ArtifactError while another process works towards the same `out`, or where `out` could not be written.
    """
    refuse_foreign(out, KIND)
    folder = out.with_name(f".{out.name}.unfinished")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "key", "a+", encoding="utf-8") as file:
        _lock(file.fileno(), out)
        file.seek(0)
        if file.read() != key:
            for path in folder.glob("*.npz"):
                path.unlink()
            file.truncate(0)
            file.write(key)
            file.flush()
        yield Chunks(folder, listings, size)
        shutil.rmtree(folder)


def _lock(file: int, out: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ArtifactError(f"{out}: another process is making it; wait for it or choose another --out") from None
