"""The engine: one query in, hits, category filter and fallback out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.bundle import BundleLayout, Calibration, open_manifest
from relevance.category_filter import CategoryModel
from relevance.classifier import ImageEncoder
from relevance.columns import Columns
from relevance.errors import DataError
from relevance.filters import Filters, Mask
from relevance.images import load_photo
from relevance.lexical import LexicalIndex
from relevance.ontology import Ontology
from relevance.relevance_model import RelevanceModel, pair_features
from relevance.results import CategoryFilter, Fallback, Hit, SearchResult, Source
from relevance.spelling import Reading, Speller
from relevance.store import ListingStore, StoredListing
from relevance.timing import Timings
from relevance.towers import Towers
from relevance.vectors import VectorIndex

MAX_K = 1000
FALLBACK_BELOW = 1
"""The fallback answers where the words match fewer listings than this."""

_SEMANTIC_POOL = 100
"""Nearest listings looked at for a query; more where more hits are asked for."""

NO_FILTERS = Filters()


Clock = Callable[[], np.datetime64]


def utc_now() -> np.datetime64:
    """The time against which listings expire."""
    return np.datetime64("now", "ms")


class Query(NamedTuple):
    """A query as the models see it. embedding: float32 `[dim]`; categories: float32 `[categories]`, cosines; slices:
    the row ranges of its category filter, none where it has no filter."""

    text: str
    embedding: NDArray[np.float32]
    categories: NDArray[np.float32]
    reading: Reading
    category_filter: CategoryFilter
    slices: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Candidates:
    """Listings that may answer a query, with one row each. relevance, cosine: float32 `[n]`; lexical: bool `[n]`, every
    word of the query occurs; corrected: bool `[n]`, every word of the corrected query does."""

    rows: NDArray[np.int64]
    cosine: NDArray[np.float32]
    lexical: NDArray[np.bool_]
    corrected: NDArray[np.bool_]
    relevance: NDArray[np.float32]

    def take(self, order: NDArray[np.int64]) -> "Candidates":
        """Returns the candidates at these places, in this order."""
        return Candidates(*(getattr(self, name)[order] for name in self.__dataclass_fields__))


class Engine:
    """A bundle, opened. Safe to share between threads.

    Make one with `relevance.open(path)`; BundleError says what is wrong with a bundle that cannot be opened. `clock`
    tells the time in UTC: an evaluation replays a log at the log's own time.
    """

    def __init__(self, root: Path, *, threads: int = 1, clock: Clock = utc_now) -> None:
        manifest = open_manifest(root)
        layout = BundleLayout(root)
        calibration = Calibration.read(layout.calibration)
        self.manifest = manifest
        self._clock = clock
        self.ontology = Ontology.read(layout.categories)
        self.columns = Columns.open(layout.columns)
        self.towers = Towers(root, threads)
        self.vectors = VectorIndex.open(layout.vectors)
        self.visual = VectorIndex.open(layout.visual)
        self.lexical = LexicalIndex.open(layout.lexical)
        self.store = ListingStore(layout.store)
        self.relevance: RelevanceModel = calibration.relevance
        # Rows lie in ontology order: category p has the rows from _starts[p] to _starts[p + 1].
        self._starts = np.searchsorted(self.columns.category, np.arange(len(self.ontology) + 1))
        counts = np.diff(self._starts)
        self.categories = CategoryModel(self.ontology, self.towers.category_embeddings, counts, calibration.category)
        self.speller = Speller(self.towers.featuriser, lambda word: self.lexical.count(word) > 0)
        self._encoder = ImageEncoder(layout.image_encoder, threads) if layout.image_encoder.exists() else None
        self.versions = {"bundle": manifest["created_at"], "fingerprint": manifest["fingerprint"][:16]}

    def __len__(self) -> int:
        return len(self.columns)

    # What a person asks.

    def search(self, query: str, k: int = 20, filters: Filters | None = None) -> SearchResult:
        """Returns at most `k` listings for `query`, best first, with its category filter.

        Lexical hits and semantic ones stand in one order, by calibrated relevance. Where the words find nothing, the
        fallback answers instead, or abstains. Raises DataError for filters this catalogue cannot apply and for k
        outside 1 to 1000; any text is a valid query.
        """
        _check_k(k)
        timings = Timings()
        asked = self.read(query)
        timings.mark("query")
        mask = self._mask(filters or NO_FILTERS)
        found = self.candidates(asked, k, mask)
        timings.mark("candidates")
        fallback = None
        if found.lexical.sum() < FALLBACK_BELOW:
            fallback = self._fallback(asked, k, filters or NO_FILTERS, found)
            hits, abstained = fallback.hits, fallback.abstained
        else:
            shown = self._best(found, k, keep=found.lexical)
            hits, abstained = self._hits(shown, asked), False
        timings.mark("hits")
        return SearchResult(
            query, hits, asked.category_filter, fallback, abstained, self.versions, timings.milliseconds
        )

    def category_filter(self, query: str) -> CategoryFilter:
        """Returns the categories that `query` is about, for a search engine of the caller's own."""
        return self.read(query).category_filter

    def fallback(self, query: str, filters: Filters | None = None, k: int = 20) -> Fallback:
        """Returns listings that answer `query` although its words find none, or abstains."""
        _check_k(k)
        asked = self.read(query)
        filters = filters or NO_FILTERS
        return self._fallback(asked, k, filters, self.candidates(asked, k, self._mask(filters)))

    def similar(self, listing_id: str | None = None, *, image: bytes | None = None, k: int = 20) -> tuple[Hit, ...]:
        """Returns the `k` listings that look most like a listing's first photo or like the photo `image` (encoded
        bytes); empty where that listing has no usable photo. Raises DataError for an unknown listing id, PhotoError
        for bytes that are no photo."""
        _check_k(k)
        if (listing_id is None) == (image is None):
            raise DataError("similar: give either listing_id or image")
        if image is not None:
            embedding, own = self.encode_photo(image), -1
        else:
            embedding, own = self._photo_of(str(listing_id))
        if not embedding.any():
            return ()
        rows, scores = self.visual.search(embedding, k + 1, self._mask(NO_FILTERS))
        kept = (rows != own) & (scores > 0)
        return self._similar_hits(rows[kept][:k], scores[kept][:k])

    def lexical_search(self, query: str, k: int = 20, filters: Filters | None = None) -> tuple[Hit, ...]:
        """Returns what the lexical engine alone finds: the state of things without this system."""
        _check_k(k)
        rows, scores = self._lexical_rows(query, k, self._mask(filters or NO_FILTERS))
        reason = "has every word of the query"
        listings = self.store.rows(rows[:k].tolist())
        pairs = zip(rows[:k].tolist(), scores[:k].tolist(), strict=True)
        return tuple(self._hit(listings[row], score, None, "lexical", reason) for row, score in pairs)

    # The parts, also used to calibrate and to evaluate.

    def read(self, query: str) -> Query:
        """Returns `query` as the models see it."""
        embedding, reading = self.towers.query(query), self.speller.read(query)
        cosines = self.categories.cosines(embedding)
        found = self.categories.filter(cosines) if reading.words else self.categories.no_filter
        positions = [self.ontology.position(category.category_id) for category in found.categories]
        slices = [(int(self._starts[p]), int(self._starts[self.ontology.end[p]])) for p in positions]
        return Query(query, embedding, cosines, reading, found, tuple(slices) if found.mode == "filter" else ())

    def candidates(self, asked: Query, k: int, mask: Mask) -> Candidates:
        """Returns lexical, corrected-lexical and semantic candidates, once each, unordered. mask: bool `[rows]`."""
        lexical, _ = self._lexical_rows(asked.text, k, mask)
        corrected = np.empty(0, np.int64)
        if asked.reading.corrected and not len(lexical):
            corrected, _ = self._lexical_rows(asked.reading.corrected, k, mask)
        nearest, _ = self.vectors.search(asked.embedding, max(_SEMANTIC_POOL, k), mask)
        if asked.slices:
            # Its own categories' nearest as well: a strange word may have drawn the query away from them.
            inside, _ = self.vectors.search(asked.embedding, k, mask, asked.slices)
            nearest = np.concatenate([nearest, inside])
        rows = np.unique(np.concatenate([lexical, corrected, nearest]))
        cosine = np.einsum("nd,d->n", self.vectors.embeddings[rows], asked.embedding)
        is_lexical, is_corrected = np.isin(rows, lexical), np.isin(rows, corrected)
        features = self.features(asked, rows, cosine, is_lexical | is_corrected)
        return Candidates(rows, cosine, is_lexical, is_corrected, self.relevance.probability(features))

    def features(
        self,
        asked: Query,
        rows: NDArray[np.int64],
        cosine: NDArray[np.float32],
        lexical: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """Returns what the relevance model reads of the query with each of `rows`, float32 `[n, features]`."""
        category = asked.categories[self.columns.category[rows]]
        return pair_features(cosine, category, lexical, asked.reading.familiar)

    def encode_photo(self, photo: bytes) -> NDArray[np.float32]:
        """Returns the visual embedding of an encoded photo, float32 `[visual_dim]`, a unit vector."""
        if self._encoder is None:
            raise DataError("similar: this bundle was built without photos and cannot read one")
        pixels = load_photo(photo, self._encoder.image_size)
        embedding: NDArray[np.float32] = self._encoder(pixels[None]).embeddings[0]
        return embedding

    def _fallback(self, asked: Query, k: int, filters: Filters, found: Candidates) -> Fallback:
        if not asked.reading.words:
            return Fallback("the query has no words", None, (), (), abstained=True)
        relaxed: list[str] = []
        remaining = list(filters.active())
        shown = self._best(found, k)
        while not len(shown.rows) and remaining:
            name = remaining.pop(0)
            relaxed.append(name)
            filters = filters.without(name)
            shown = self._best(self.candidates(asked, k, self._mask(filters)), k)
        hits = self._hits(shown, asked)
        matching = self.lexical.count(asked.text) > 0
        trigger = "no listing has every word of the query" + (" and passes the filters" if matching else "")
        return Fallback(trigger, asked.reading.corrected, tuple(relaxed) if hits else (), hits, abstained=not hits)

    def _best(self, found: Candidates, k: int, keep: NDArray[np.bool_] | None = None) -> Candidates:
        """The `k` most relevant candidates: those over the threshold, and those marked in `keep`."""
        shown = found.relevance >= self.relevance.threshold
        order = np.flatnonzero(shown if keep is None else shown | keep)
        order = order[np.argsort(-found.relevance[order], kind="stable")][:k]
        return found.take(order)

    def _lexical_rows(self, query: str, k: int, mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """At least `k` passing rows where there are that many."""
        limit = max(k, _SEMANTIC_POOL)
        while True:
            rows, scores = self.lexical.search(query, limit)
            passing = mask[rows]
            if passing.sum() >= k or len(rows) < limit:
                return rows[passing], scores[passing]
            limit *= 4

    def _mask(self, filters: Filters) -> Mask:
        return filters.mask(self.columns, self.ontology, self._clock())

    def _photo_of(self, listing_id: str) -> tuple[NDArray[np.float32], int]:
        listing = self.store.find(listing_id)
        if listing is None:
            raise DataError(f"similar: no listing with id {listing_id!r} in this bundle")
        return np.array(self.visual.embeddings[listing.row]), listing.row

    def _hits(self, shown: Candidates, asked: Query) -> tuple[Hit, ...]:
        listings = self.store.rows(shown.rows.tolist())
        hits = []
        for row, lexical, corrected, relevance in zip(
            shown.rows.tolist(), shown.lexical.tolist(), shown.corrected.tolist(), shown.relevance.tolist(), strict=True
        ):  # fmt: skip
            source: Source = "lexical" if lexical else "semantic"
            listing = listings[row]
            reason = self._reason(lexical, corrected, listing.category_id, asked)
            hits.append(self._hit(listing, relevance, round(relevance, 4), source, reason))
        return tuple(hits)

    def _reason(self, lexical: bool, corrected: bool, category_id: str | None, asked: Query) -> str:
        if lexical:
            return "has every word of the query"
        if corrected:
            return f"has every word of “{asked.reading.corrected}”"
        if category_id is not None:
            position = self.ontology.position(category_id)
            if asked.categories[position] >= self.categories.calibration.least_cosine:
                return f"means the same: searches like this one go to {self.ontology.name(position)}"
        return "close in meaning to the query"

    def _similar_hits(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> tuple[Hit, ...]:
        listings = self.store.rows(rows.tolist())
        pairs = zip(rows.tolist(), scores.tolist(), strict=True)
        return tuple(self._hit(listings[row], score, None, "visual", "its photo looks alike") for row, score in pairs)

    def _hit(self, listing: StoredListing, score: float, relevance: float | None, source: Source, reason: str) -> Hit:
        category = self.ontology.get(listing.category_id) if listing.category_id else None
        return Hit(
            listing_id=listing.listing_id,
            score=score,
            relevance=relevance,
            source=source,
            reason=reason,
            title=listing.title,
            price=listing.price,
            category_id=listing.category_id,
            category="" if category is None else self.ontology.path_text(category),
            image=listing.image,
        )


def _check_k(k: int) -> None:
    if not 1 <= k <= MAX_K:
        raise DataError(f"k: expected 1 to {MAX_K}, got {k}")
