"""The engine: one query in, hits, category filter and fallback out."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.bundle import BundleLayout, Calibration, open_manifest
from relevance.catalogue import Catalogue, Segment
from relevance.category_filter import CategoryModel
from relevance.codes import open_vectors
from relevance.columns import Columns
from relevance.coverage import covered
from relevance.errors import DataError
from relevance.filters import Filters, Mask
from relevance.image_encoder import Encoded, ImageEncoder
from relevance.images import load_photo
from relevance.lexical import LexicalIndex
from relevance.ontology import Ontology
from relevance.related import RelatedQueries
from relevance.relevance_model import RelevanceModel, pair_features
from relevance.results import CategoryFilter, Fallback, Hit, SearchResult, Source
from relevance.seen import SeenQueries
from relevance.spelling import Reading, Speller
from relevance.store import ListingStore, StoredListing
from relevance.timing import Deadline, DeadlinePassed, Timings
from relevance.towers import Towers
from relevance.wanted import Said, WantedValues

MAX_K = 1000
FALLBACK_BELOW = 1
"""The fallback answers where the words match fewer listings than this."""

_SEMANTIC_POOL = 100
"""Nearest listings looked at for a query; more where more hits are asked for."""

CORRECTED_SHARE = 0.4
"""What the corrected query weighs beside the query as it was typed."""

NO_FILTERS = Filters()
NO_DEADLINE = Deadline(None)


Clock = Callable[[], np.datetime64]


def utc_now() -> np.datetime64:
    """The time against which listings expire."""
    return np.datetime64("now", "ms")


class Query(NamedTuple):
    """A query as the models see it. embedding: float32 `[dim]`; categories: float32 `[categories]`, cosines; shares:
    float32 `[categories]`, probabilities; nothing: how much nearer it is to the place of queries without an answer than
    to any category; qualifiers: numbers of the words that say how the thing is to be; wanted: what the words say of
    attributes; ranges: ranges of ontology positions, the subtrees of its category filter, none where it has no
    filter."""

    text: str
    embedding: NDArray[np.float32]
    categories: NDArray[np.float32]
    shares: NDArray[np.float32]
    nothing: float
    qualifiers: tuple[int, ...]
    wanted: Said
    reading: Reading
    category_filter: CategoryFilter
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Candidates:
    """Listings that may answer a query, with one row each. cosine, relevance: float32 `[n]`; bm25: float32 `[n]`, of
    the words of the query or of its correction; utility: float32 `[n]`, by which they are put in order; lexical: bool
    `[n]`, every word of the query occurs; corrected: bool `[n]`, every word of the corrected query does."""

    rows: NDArray[np.int64]
    cosine: NDArray[np.float32]
    bm25: NDArray[np.float32]
    lexical: NDArray[np.bool_]
    corrected: NDArray[np.bool_]
    relevance: NDArray[np.float32]
    utility: NDArray[np.float32]

    def take(self, order: NDArray[np.int64]) -> "Candidates":
        """Returns the candidates at these places, in this order."""
        return Candidates(*(getattr(self, name)[order] for name in self.__dataclass_fields__))


class Engine:
    """A bundle, opened, with one state of its catalogue: its listings never change. Safe to share between threads.

    BundleError says what is wrong with a bundle that cannot be opened. `clock` tells the time in UTC: an evaluation
    replays a log at the log's own time. `relevance.LiveEngine` holds the engine of the moment, where listings and
    bundles change.
    """

    def __init__(self, root: Path, *, threads: int = 1, clock: Clock = utc_now) -> None:
        manifest = open_manifest(root)
        layout = BundleLayout(root)
        calibration = Calibration.read(layout.calibration)
        self.root, self.manifest = root, manifest
        self._clock = clock
        self.ontology = Ontology.read(layout.categories)
        self.columns = Columns.open(layout.columns)
        self.towers = Towers(root, threads)
        self.vectors = open_vectors(layout.vectors)
        self.visual = open_vectors(layout.visual)
        self.lexical = LexicalIndex.open(layout.lexical)
        self.store = ListingStore(layout.store)
        self.relevance: RelevanceModel = calibration.relevance
        self.seen = SeenQueries.read(layout.seen, self.ontology)
        self.related_queries = RelatedQueries.read(layout.related, layout.related_embeddings)
        self.wanted = WantedValues.read(layout.wanted)
        self.qualifies: NDArray[np.bool_] = np.load(layout.qualifiers)
        words = np.load(layout.words, mmap_mode="r")
        snapshot = Segment(self.columns, words, self.vectors, self.visual, self.lexical, self.store)
        self.catalogue = Catalogue(self.ontology, snapshot, self.store)
        counts = self.catalogue.counts()
        self.categories = CategoryModel(self.ontology, self.towers.category_embeddings, counts, calibration.category)
        self.speller = Speller(self.towers.featuriser, self._leads_somewhere(self.catalogue))
        self._encoder = ImageEncoder(layout.image_encoder, threads) if layout.image_encoder.exists() else None
        self.versions = {"bundle": manifest["created_at"], "fingerprint": manifest["fingerprint"][:16]}

    def over(self, catalogue: Catalogue, change: int) -> "Engine":
        """Returns this engine over another state of its catalogue, after the live change of that number; the models
        are shared. `columns`, `vectors`, `visual`, `lexical` and `store` stay those of the bundle."""
        engine = copy.copy(self)
        engine.catalogue = catalogue
        counts = catalogue.counts()
        if not np.array_equal(counts == 0, self.categories.empty):
            embeddings, calibration = self.towers.category_embeddings, self.categories.calibration
            engine.categories = CategoryModel(self.ontology, embeddings, counts, calibration)
        engine.speller = self.speller.over(self._leads_somewhere(catalogue))
        engine.versions = {**self.versions, "change": str(change)}
        return engine

    def _leads_somewhere(self, catalogue: Catalogue) -> Callable[[str], bool]:
        """Whether a word stands in a listing, or in a query from which people often chose: "mujer" on an English
        site."""
        return lambda word: self.seen.knows(word) or catalogue.count(word) > 0

    def __len__(self) -> int:
        """Listings, expired ones included."""
        return len(self.catalogue)

    # What a person asks.

    def search(
        self, query: str, k: int = 20, filters: Filters | None = None, deadline_ms: float | None = None
    ) -> SearchResult:
        """Returns at most `k` listings for `query`, best first, with its category filter.

        Lexical hits and semantic ones stand in one order, by calibrated relevance. Where the words find nothing, the
        fallback answers instead, or abstains. Past the deadline nothing more is begun: the answer has the category
        filter alone, or not even that, and `timed_out` says so. Raises DataError for filters this catalogue cannot
        apply and for k outside 1 to 1000; any text is a valid query.
        """
        _check_k(k)
        deadline, timings = Deadline(deadline_ms), Timings()
        filters, asked = filters or NO_FILTERS, None
        try:
            deadline.check()
            asked = self.read(query)
            timings.mark("query")
            deadline.check()
            found = self.candidates(asked, k, self._mask(filters))
            timings.mark("candidates")
            fallback, hits = self._answer(asked, k, filters, found, deadline)
        except DeadlinePassed:
            shown = self.categories.no_filter if asked is None else asked.category_filter
            return SearchResult(query, (), shown, None, False, self.versions, timings.milliseconds, timed_out=True)
        timings.mark("hits")
        abstained = fallback is not None and fallback.abstained
        return SearchResult(
            query, hits, asked.category_filter, fallback, abstained, self.versions, timings.milliseconds
        )

    def get(self, listing_id: str) -> StoredListing | None:
        """Returns the listing with this id; None where there is none, and once it has expired."""
        listing = self.catalogue.find(listing_id)
        if listing is None or self.catalogue.expired(listing.row, self._clock()):
            return None
        return listing

    def category_filter(self, query: str) -> CategoryFilter:
        """Returns the categories that `query` is about, for a search engine of the caller's own."""
        return self.read(query).category_filter

    def related(self, query: str, k: int = 5) -> tuple[str, ...]:
        """Returns at most `k` queries to try next: those that people searched together with `query`, then the nearest
        ones; none for a query that is like nothing here."""
        _check_k(k)
        asked = self.read(query)
        found = self.related_queries.together(query, k)
        strange = float(asked.categories.max()) < self.categories.calibration.least_cosine
        if asked.reading.words and not strange:
            near = self.related_queries.nearest(query, asked.embedding, k + len(found))
            found += [other for other in near if other not in found]
        return tuple(found[:k])

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
            embedding, own = self.encode_photo(image).embeddings[0], -1
        else:
            embedding, own = self._photo_of(str(listing_id))
        if not embedding.any():
            return ()
        rows, scores = self.catalogue.look_alikes(embedding, k + 1, self._mask(NO_FILTERS))
        kept = (rows != own) & (scores > 0)
        return self._similar_hits(rows[kept][:k], scores[kept][:k])

    def lexical_search(self, query: str, k: int = 20, filters: Filters | None = None) -> tuple[Hit, ...]:
        """Returns what the lexical engine alone finds: the state of things without this system."""
        _check_k(k)
        rows, scores = self._lexical_rows(query, k, self._mask(filters or NO_FILTERS))
        reason = "has every word of the query"
        listings = self.catalogue.listings(rows[:k].tolist())
        pairs = zip(rows[:k].tolist(), scores[:k].tolist(), strict=True)
        return tuple(self._hit(listings[row], score, None, "lexical", reason) for row, score in pairs)

    # The parts, also used to calibrate and to evaluate.

    def read(self, query: str) -> Query:
        """Returns `query` as the models see it."""
        reading = self.speller.read(query)
        embedding = self._embed(query, reading.corrected)
        cosines = self.categories.cosines(embedding)
        predicted = self.categories.probabilities(cosines)
        shares = self.seen.blend(reading.words, predicted)
        if shares is predicted and reading.corrected:
            shares = self.seen.blend(reading.corrected.split(), predicted)
        seen = shares is not predicted
        found = self.categories.filter(cosines, shares, seen) if reading.words else self.categories.no_filter
        nothing = float(self.towers.nothing @ embedding) - float(cosines.max())
        words = reading.corrected.split() if reading.corrected else reading.words
        qualifiers, wanted = self.qualifying(words), self.wanted.of(words)
        positions = [self.ontology.position(category.category_id) for category in found.categories]
        ranges = tuple((p, int(self.ontology.end[p])) for p in positions)
        ranges = ranges if found.mode == "filter" else ()
        return Query(query, embedding, cosines, shares, nothing, qualifiers, wanted, reading, found, ranges)

    def qualifying(self, words: Sequence[str]) -> tuple[int, ...]:
        """Returns the numbers of those of `words` (normalised) that say how a thing is to be, and not what it is."""
        numbers = (self.towers.featuriser.number(word) for word in dict.fromkeys(words))
        return tuple(number for number in numbers if number is not None and self.qualifies[number])

    def _embed(self, query: str, corrected: str | None) -> NDArray[np.float32]:
        """The vector of the query; of a misspelt one, something of its correction's too: neither is right always."""
        embedding = self.towers.query(query)
        if corrected is None:
            return embedding
        mixed = (1 - CORRECTED_SHARE) * embedding + CORRECTED_SHARE * self.towers.query(corrected)
        return np.asarray(mixed / np.linalg.norm(mixed), np.float32)

    def candidates(self, asked: Query, k: int, mask: Mask) -> Candidates:
        """Returns lexical, corrected-lexical and semantic candidates, once each, unordered; where the words match fewer
        than `k`, those with some of the words as well. mask: bool `[rows]`."""
        lexical, scores = self._lexical_rows(asked.text, k, mask)
        corrected = partial = np.empty(0, np.int64)
        lesser = np.empty(0, np.float32)
        said = asked.text
        if asked.reading.corrected and not len(lexical):
            said = asked.reading.corrected
            corrected, scores = self._lexical_rows(said, k, mask)
        if len(lexical) + len(corrected) < k:
            partial, lesser = self.catalogue.lexical(said, _SEMANTIC_POOL, every=False)
            partial, lesser = partial[mask[partial]], lesser[mask[partial]]
        nearest, _ = self.catalogue.nearest(asked.embedding, max(_SEMANTIC_POOL, k), mask)
        if asked.ranges:
            # Its own categories' nearest as well: a strange word may have drawn the query away from them.
            inside, _ = self.catalogue.nearest(asked.embedding, max(_SEMANTIC_POOL, k), mask, asked.ranges)
            nearest = np.concatenate([nearest, inside])
            if asked.wanted:
                fitting = self.catalogue.fitting(asked.wanted, asked.ranges, mask)
                inside, _ = self.catalogue.nearest(asked.embedding, max(_SEMANTIC_POOL, k), fitting, asked.ranges)
                nearest = np.concatenate([nearest, inside])
        rows = np.unique(np.concatenate([lexical, corrected, partial, nearest]))
        cosine = np.einsum("nd,d->n", self.catalogue.embeddings(rows), asked.embedding)
        is_lexical, is_corrected = np.isin(rows, lexical), np.isin(rows, corrected)
        bm25 = np.zeros(len(rows), np.float32)
        bm25[np.searchsorted(rows, partial)] = lesser
        bm25[np.searchsorted(rows, np.concatenate([lexical, corrected]))] = scores
        features = self.features(asked, rows, cosine, is_lexical | is_corrected, bm25)
        model = self.relevance
        return Candidates(
            rows, cosine, bm25, is_lexical, is_corrected, model.probability(features), model.utility(features)
        )

    def features(
        self,
        asked: Query,
        rows: NDArray[np.int64],
        cosine: NDArray[np.float32],
        matched: NDArray[np.bool_],
        bm25: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Returns what the relevance model reads of the query with each of `rows`, float32 `[n, features]`.

        matched: bool `[n]`, every word of the query, or of its correction, occurs; bm25: float32 `[n]`, 0 where no word
        does."""
        category = self.catalogue.category(rows)
        return pair_features(
            cosine,
            category,
            asked.categories[category],
            asked.shares[category],
            matched,
            bm25,
            covered(asked.qualifiers, self.catalogue.words(rows)),
            self.catalogue.meets(asked.wanted, rows),
            asked.reading.familiar,
            asked.reading.foreign,
            asked.nothing,
        )

    @property
    def reads_photos(self) -> bool:
        """Whether the bundle has an image encoder."""
        return self._encoder is not None

    def encode_photo(self, photo: bytes) -> Encoded:
        """Returns what the image encoder makes of one photo (its bytes), arrays of one row.

        Raises PhotoError for bytes that are no photo, DataError for a bundle without photos.
        """
        if self._encoder is None:
            raise DataError("image: this bundle was built without photos and cannot read one")
        return self._encoder(load_photo(photo, self._encoder.image_size)[None])

    def _answer(
        self, asked: Query, k: int, filters: Filters, found: Candidates, deadline: Deadline
    ) -> tuple[Fallback | None, tuple[Hit, ...]]:
        """The hits of a search, and the fallback where it is the one that answers."""
        deadline.check()
        if found.lexical.sum() < FALLBACK_BELOW:
            fallback = self._fallback(asked, k, filters, found, deadline)
            return fallback, fallback.hits
        return None, self._hits(self._best(found, k, keep=found.lexical), asked)

    def _fallback(
        self, asked: Query, k: int, filters: Filters, found: Candidates, deadline: Deadline = NO_DEADLINE
    ) -> Fallback:
        if not asked.reading.words:
            return Fallback("the query has no words", None, (), (), abstained=True)
        relaxed: list[str] = []
        remaining = list(filters.active())
        shown = self._best(found, k)
        while not len(shown.rows) and remaining:
            name = remaining.pop(0)
            relaxed.append(name)
            deadline.check()
            filters = filters.without(name)
            shown = self._best(self.candidates(asked, k, self._mask(filters)), k)
        hits = self._hits(shown, asked)
        matching = self.catalogue.count(asked.text) > 0
        trigger = "no listing has every word of the query" + (" and passes the filters" if matching else "")
        return Fallback(trigger, asked.reading.corrected, tuple(relaxed) if hits else (), hits, abstained=not hits)

    def _best(self, found: Candidates, k: int, keep: NDArray[np.bool_] | None = None) -> Candidates:
        """The first `k` candidates of those that are relevant enough, and of those marked in `keep`."""
        shown = self.relevance.shown(found.relevance)
        order = np.flatnonzero(shown if keep is None else shown | keep)
        order = order[np.argsort(-found.utility[order], kind="stable")][:k]
        return found.take(order)

    def _lexical_rows(self, query: str, k: int, mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """At least `k` passing rows where there are that many."""
        limit = max(k, _SEMANTIC_POOL)
        while True:
            rows, scores = self.catalogue.lexical(query, limit)
            passing = mask[rows]
            if passing.sum() >= k or len(rows) < limit:
                return rows[passing], scores[passing]
            limit *= 4

    def _mask(self, filters: Filters) -> Mask:
        return self.catalogue.mask(filters, self._clock())

    def _photo_of(self, listing_id: str) -> tuple[NDArray[np.float32], int]:
        listing = self.catalogue.find(listing_id)
        if listing is None:
            raise DataError(f"similar: no listing with id {listing_id!r} in this bundle")
        return self.catalogue.looks(np.array([listing.row]))[0], listing.row

    def _hits(self, shown: Candidates, asked: Query) -> tuple[Hit, ...]:
        listings = self.catalogue.listings(shown.rows.tolist())
        hits = []
        columns = (shown.rows, shown.lexical, shown.corrected, shown.relevance, shown.utility)
        for row, lexical, corrected, relevance, utility in zip(*(own.tolist() for own in columns), strict=True):
            source: Source = "lexical" if lexical else "semantic"
            listing = listings[row]
            reason = self._reason(lexical, corrected, listing.category_id, asked)
            hits.append(self._hit(listing, utility, round(relevance, 4), source, reason))
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
        listings = self.catalogue.listings(rows.tolist())
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
