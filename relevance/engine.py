"""The engine: one query in, hits, category filter and fallback out."""

import copy
from collections.abc import Callable, Iterable, Iterator
from numbers import Integral
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relevance.absent import AbsentWords
from relevance.bundle import BundleLayout, Calibration, open_manifest
from relevance.candidates import Candidates, gather, with_every_word
from relevance.catalogue import Catalogue, Segment
from relevance.category_filter import CategoryModel
from relevance.codes import open_vectors
from relevance.columns import Columns
from relevance.errors import DataError, quoted
from relevance.filters import Filters, Mask
from relevance.hits import EVERY_WORD, plain_hits, search_hits, whole_listing
from relevance.image_encoder import Encoded, ImageEncoder
from relevance.images import load_photo
from relevance.lexical import LexicalIndex
from relevance.ontology import Ontology
from relevance.query import Query, QueryReader, check_text
from relevance.related import RelatedQueries
from relevance.relevance_model import RelevanceModel
from relevance.results import CategoryFilter, Fallback, Hit, Listing, SearchResult
from relevance.seen import SeenQueries
from relevance.store import ListingStore
from relevance.timing import Deadline, DeadlinePassed, Timings
from relevance.towers import Towers
from relevance.wanted import WantedValues
from relevance.written import WrittenWords

MAX_K = 1000
FALLBACK_BELOW = 1
"""The fallback answers where the words match fewer listings than this."""

NO_FILTERS = Filters()
NO_DEADLINE = Deadline(None)

Clock = Callable[[], np.datetime64]


def utc_now() -> np.datetime64:
    """The time against which listings expire."""
    return np.datetime64("now", "ms")


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
        words = np.asarray(np.load(layout.words, mmap_mode="r"))
        snapshot = Segment(self.columns, words, self.vectors, self.visual, self.lexical, self.store)
        self.catalogue = Catalogue(self.ontology, snapshot, self.store)
        counts = self.catalogue.counts()
        categories = CategoryModel(self.ontology, self.towers.category_embeddings, counts, calibration.category)
        seen, wanted = SeenQueries.read(layout.seen, self.ontology), WantedValues.read(layout.wanted)
        # A bundle may lack the file: then no word is known to be said of anything, and it cannot be calibrated anew.
        absent = AbsentWords.read(layout.towers.absent) if layout.towers.absent.is_file() else AbsentWords()
        said = (np.load(layout.qualifiers), frozenset(absent.modifiers))
        self.reader = QueryReader(self.towers, categories, self.catalogue, seen, wanted, *said)
        self.related_queries = RelatedQueries.read(layout.related, layout.related_embeddings)
        self.written = WrittenWords.read(layout.written)
        self._encoder = ImageEncoder(layout.image_encoder, threads) if layout.image_encoder.exists() else None
        self.versions = {"bundle": manifest["created_at"], "fingerprint": manifest["fingerprint"][:16]}

    def over(self, catalogue: Catalogue, change: int) -> "Engine":
        """Returns this engine over another state of its catalogue, after the live change of that number; the models
        are shared. `columns`, `vectors`, `visual`, `lexical` and `store` stay those of the bundle."""
        engine = copy.copy(self)
        engine.catalogue = catalogue
        categories, counts = self.categories, catalogue.counts()
        if not np.array_equal(counts == 0, categories.empty):
            categories = CategoryModel(self.ontology, self.towers.category_embeddings, counts, categories.calibration)
        engine.reader = self.reader.over(categories, catalogue)
        engine.versions = {**self.versions, "change": str(change)}
        return engine

    def warm(self, queries: Iterable[str] = ()) -> None:
        """Asks something once (what spells and romanises is made then), and `queries`, so that nobody waits for it."""
        for query in ("what is made at the frist serch, пойск", *queries):
            self.search(query)

    def __len__(self) -> int:
        """Listings, expired ones included."""
        return len(self.catalogue)

    # What a person asks.

    def search(
        self, query: str, k: int = 20, filters: Filters | None = None, deadline_ms: float | None = None
    ) -> SearchResult:
        """Returns at most `k` listings for `query`, best first, with its category filter.

        Lexical hits and semantic ones stand in one order, by what people would choose (`Hit.score`). Where the words
        find nothing, the fallback answers instead, or abstains; it may give up filters, but never `not_categories`. The
        category filter describes the query, whatever `filters` leave. Past the deadline nothing more is begun: the
        answer has the category filter alone, or not even that, and `timed_out` says so. Raises DataError for filters
        this catalogue cannot apply and for k outside 1 to 1000; any text is a valid query.
        """
        _check_k(k)
        deadline, timings = Deadline(deadline_ms), Timings()
        filters, asked = _checked(filters), None
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

    def get(self, listing_id: str) -> Listing | None:
        """Returns the listing with this id; None where there is none, and once it has expired."""
        stored = self.catalogue.find(str(listing_id))
        if stored is None or self.catalogue.expired(stored.row, self._clock()):
            return None
        return whole_listing(self.catalogue, stored)

    def category_filter(self, query: str) -> CategoryFilter:
        """Returns the categories that `query` is about, for a search engine of the caller's own."""
        return self.reader.topic(query).category_filter

    def embed_query(self, query: str) -> NDArray[np.float32]:
        """Returns the vector by which `query` finds listings, for a search engine of the caller's own: float32 `[dim]`,
        of length 1 (of a query without words: shorter), read-only; of a misspelt query, something of its correction's
        too."""
        return self.reader.topic(query).embedding

    def related(self, query: str, k: int = 5) -> tuple[str, ...]:
        """Returns at most `k` queries to try next: those that people searched together with `query`, then the nearest
        ones; none for a query that is like nothing here."""
        _check_k(k)
        asked = self.reader.topic(query)
        found = self.related_queries.together(query, k)
        strange = float(asked.categories.max()) < self.categories.calibration.least_cosine
        if asked.reading.words and not strange:
            near = self.related_queries.nearest(query, asked.embedding, k + len(found))
            found += [other for other in near if other not in found]
        return tuple(map(self.related_queries.shown, found[:k]))

    def fallback(self, query: str, filters: Filters | None = None, k: int = 20) -> Fallback:
        """Returns listings that answer `query` although its words find none, or abstains."""
        _check_k(k)
        asked = self.read(query)
        filters = _checked(filters)
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
        return plain_hits(self.catalogue, rows[kept][:k], scores[kept][:k], "visual", "its photo looks alike")

    def lexical_search(self, query: str, k: int = 20, filters: Filters | None = None) -> tuple[Hit, ...]:
        """Returns what the lexical engine alone finds: the state of things without this system."""
        _check_k(k)
        check_text(query)
        rows, scores, _ = with_every_word(self.catalogue, query, k, self._mask(_checked(filters)))
        return plain_hits(self.catalogue, rows[:k], scores[:k], "lexical", EVERY_WORD)

    # The parts, also used to calibrate and to evaluate.

    @property
    def categories(self) -> CategoryModel:
        """The category model over the categories that have listings now."""
        return self.reader.categories

    def read(self, query: str) -> Query:
        """Returns `query` as the models see it."""
        return self.reader.read(query)

    def candidates(self, asked: Query, k: int, mask: Mask) -> Candidates:
        """Returns what may answer the query, unordered. mask: bool `[rows]`."""
        return gather(self.catalogue, self.relevance, asked, k, mask)

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
        if np.count_nonzero(found.lexical) < FALLBACK_BELOW:
            fallback = self._fallback(asked, k, filters, found, deadline)
            return fallback, fallback.hits
        return None, self._shown(asked, k, found, self._likely(found, as_asked=True))

    def _fallback(
        self, asked: Query, k: int, filters: Filters, found: Candidates, deadline: Deadline = NO_DEADLINE
    ) -> Fallback:
        if not asked.reading.words:
            return Fallback("the query has no words", None, (), (), abstained=True)
        trigger = _trigger(found, filters)
        read, relaxed, likely = asked, filters, self._likely(found, as_asked=True)
        attempts = self._attempts(asked, filters)
        while not likely.any() and (attempt := next(attempts, None)):
            deadline.check()
            read, relaxed = attempt
            found = self.candidates(read, k, self._mask(relaxed))
            likely = self._likely(found, as_asked=read is asked)
        if not likely.any():
            return Fallback(trigger, self._read_as(asked), (), (), abstained=True)
        given_up = tuple(name for name in filters.relaxable() if name not in relaxed.active())
        return Fallback(trigger, self._read_as(read), given_up, self._shown(read, k, found, likely), abstained=False)

    def _attempts(self, asked: Query, filters: Filters) -> Iterator[tuple[Query, Filters]]:
        """What is tried after the query as it is: with less of what it says, then with fewer and fewer filters."""
        shorter = list(self.reader.shortened(asked))
        yield from ((less, filters) for less in shorter)
        for name in filters.relaxable():
            filters = filters.without(name)
            yield from ((read, filters) for read in (asked, *shorter))

    def _likely(self, found: Candidates, as_asked: bool) -> NDArray[np.bool_]:
        """Bool `[n]`: which candidates answer the query. Those that have every word of it always do; as_asked: they
        were looked for by the query itself, and not by less of it."""
        likely = self.relevance.shown(found.relevance)
        return likely | found.lexical if as_asked else likely

    def _mask(self, filters: Filters) -> Mask:
        if filters is NO_FILTERS:
            return self.catalogue.online(self._clock())
        return self.catalogue.mask(filters, self._clock())

    def _photo_of(self, listing_id: str) -> tuple[NDArray[np.float32], int]:
        listing = self.catalogue.find(str(listing_id))
        if listing is None:
            raise DataError(f"similar: no listing with id {listing_id!r} in this bundle")
        return self.catalogue.looks(np.array([listing.row]))[0], listing.row

    def _shown(self, asked: Query, k: int, found: Candidates, shown: NDArray[np.bool_]) -> tuple[Hit, ...]:
        about = self.categories.calibration.least_cosine
        return search_hits(self.catalogue, found.best(k, shown), asked, self._read_as(asked), about)

    def _read_as(self, asked: Query) -> str | None:
        """The correction as people read it."""
        corrected = asked.reading.corrected
        return corrected and self.written.shown(corrected, asked.text)


def _check_k(k: int) -> None:
    if not isinstance(k, Integral) or isinstance(k, bool) or not 1 <= k <= MAX_K:
        raise DataError(f"k: expected 1 to {MAX_K}, got {quoted(k)}")


def _checked(filters: Filters | None) -> Filters:
    if not isinstance(filters, Filters | None):
        raise DataError(f"filters: expected relevance.Filters, got {type(filters).__name__}")
    return filters or NO_FILTERS


def _trigger(found: Candidates, filters: Filters) -> str:
    """Why the fallback is asked, as far as the candidates of the query tell."""
    if found.lexical.any():
        return "it was asked for: there are listings with every word of the query"
    # Without filters those that match have expired.
    passing = " and passes the filters" if found.matching and filters.active() else ""
    return "no listing has every word of the query" + passing
