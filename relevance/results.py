"""What the engine answers."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Source = Literal["lexical", "semantic", "visual"]
Mode = Literal["filter", "boost", "none"]


@dataclass(unsafe_hash=True)  # not frozen: twenty of them would take five times as long to make
class Hit:
    """One listing of an answer; not to be altered.

    score: what the hits are ordered by; relevance: calibrated probability that the listing answers the query (None
    for similar listings, where nothing is asked); source: what found it; reason: why it is here, in words; category:
    path text, "" when unknown.
    """

    listing_id: str
    score: float
    relevance: float | None
    source: Source
    reason: str
    title: str
    price: float | None
    category_id: str | None
    category: str
    image: str | None


@dataclass(frozen=True)
class Listing:
    """A listing as it is now, with the names of `NewListing`. Times are ISO 8601 in UTC; category: path text;
    category_source: who told the category, "seller", "photo" or "text"; locale: "" where none was given; image: where
    its photo is found; version: that of the last write, None where it came with the bundle or was written without one,
    and while a newer state of it is being taken in."""

    listing_id: str
    title: str
    description: str
    category_id: str | None
    category: str
    category_source: str
    price: float | None
    latitude: float | None
    longitude: float | None
    created_at: str | None
    expires_at: str | None
    locale: str
    attributes: dict[str, Any]
    image: str | None
    version: int | None = None


@dataclass(frozen=True)
class CategoryScore:
    """A category, at any level, and the probability that the searched thing lies in it."""

    category_id: str
    path: str
    probability: float


@dataclass(frozen=True)
class CategoryFilter:
    """mode: "filter" (restrict to these categories), "boost" (prefer them) or "none" (the query does not tell);
    coverage: how often, on held-out searches, such a set holds the category that people go on to choose."""

    mode: Mode
    categories: tuple[CategoryScore, ...]
    coverage: float


@dataclass(frozen=True)
class Fallback:
    """What was done where the words found nothing: trigger says why; corrected_query is what was understood, where
    words were mistyped, or what a longer query was found to be about; relaxed names the filters given up, in order."""

    trigger: str
    corrected_query: str | None
    relaxed: tuple[str, ...]
    hits: tuple[Hit, ...]
    abstained: bool


@dataclass(frozen=True)
class SearchResult:
    """An answer; abstained is True where nothing in the catalogue answers the query. versions: the bundle's version
    and fingerprint, and the last live change seen; timings: milliseconds by stage; timed_out: the deadline passed
    before there were hits, which says nothing about whether there are any."""

    query: str
    hits: tuple[Hit, ...]
    category_filter: CategoryFilter
    fallback: Fallback | None
    abstained: bool
    versions: dict[str, str] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    timed_out: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Returns the answer as plain dicts and lists, ready for JSON: `fields`, copied."""
        answer = asdict(self)
        if self.fallback is not None:
            del answer["fallback"]["hits"]
        return answer

    def fields(self) -> dict[str, Any]:
        """Returns what JSON has of the answer, by name, nothing copied. What the fallback found is there once, as the
        answer's `hits`."""
        fallback = self.fallback and {name: value for name, value in vars(self.fallback).items() if name != "hits"}
        return vars(self) | {"fallback": fallback}
