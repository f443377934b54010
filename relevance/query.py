"""Reading a query: from what somebody typed to what the models see of it."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from relevance.catalogue import Catalogue
from relevance.category_filter import CategoryModel
from relevance.errors import DataError, quoted
from relevance.nouns import Nouns
from relevance.results import CategoryFilter
from relevance.seen import SeenQueries
from relevance.spelling import Reading, Speller
from relevance.towers import Towers
from relevance.wanted import Said, WantedValues

CORRECTED_SHARE = 0.4
"""What the corrected query weighs beside the query as it was typed, where no prior tells errors from other words."""

LEAST_CLEAR = 0.05
"""How clearly any text is for a thing of the catalogue, at least."""

HEAD_SHARE = 0.5
"""What the words weigh that say what the thing is beside the query with what it is for, or goes with."""

_REMEMBERED, _LONGEST = 1000, 100
"""Queries kept as they were read, and how many characters these have at most: on any site the same is searched again
and again. With a thousand categories one takes 10 kB."""

Kept = TypeVar("Kept")


class Topic(NamedTuple):
    """What a query is about, as its category filter needs it. reading: its words, familiar where people found something
    by them; head: those that say what the thing is; embedding: float32 `[dim]`; categories: float32 `[categories]`,
    cosines; shares: float32 `[categories]`, probabilities; category_filter: what follows from these."""

    reading: Reading
    head: list[str]
    embedding: NDArray[np.float32]
    categories: NDArray[np.float32]
    shares: NDArray[np.float32]
    category_filter: CategoryFilter


class Query(NamedTuple):
    """A query as the models see it. embedding: float32 `[dim]`; categories: float32 `[categories]`, cosines; shares:
    float32 `[categories]`, probabilities; nothing: how much nearer it is to the place of queries without an answer than
    to any category; nouns: what its head may be about (`Nouns.of`), and second_noun, how much less like a thing of the
    catalogue the second of them is than the first; qualifiers: numbers of the words that say how the thing is to
    be; wanted: what the words say of attributes; reading: its words, familiar where people found something by them;
    ranges: ranges of ontology positions, the subtrees of its category filter, none where it has no filter."""

    text: str
    embedding: NDArray[np.float32]
    categories: NDArray[np.float32]
    shares: NDArray[np.float32]
    nothing: float
    nouns: tuple[str, ...]
    second_noun: float
    qualifiers: tuple[int, ...]
    wanted: Said
    reading: Reading
    category_filter: CategoryFilter
    ranges: tuple[tuple[int, int], ...]


class QueryReader:
    """Think `text -> Topic -> Query`, over one state of the catalogue."""

    def __init__(
        self,
        towers: Towers,
        categories: CategoryModel,
        catalogue: Catalogue,
        seen: SeenQueries,
        wanted: WantedValues,
        qualifies: NDArray[np.bool_],
        modifiers: frozenset[str],
    ) -> None:
        """qualifies: bool `[words + 1]`, as `relevance.qualifiers.qualifiers` has it; modifiers: words that are said of
        anything."""
        self.categories, self.seen, self.wanted, self.qualifies = categories, seen, wanted, qualifies
        self._towers = towers
        self.speller = Speller(towers.featuriser, self._leads_somewhere(catalogue))
        self._topics: dict[str, Topic] = {}
        self._queries: dict[str, Query] = {}
        self.nouns = Nouns(towers, categories, seen, wanted, self.speller, modifiers)

    def over(self, categories: CategoryModel, catalogue: Catalogue) -> "QueryReader":
        """Returns the same reader over another state of the catalogue."""
        reader = copy.copy(self)
        reader.categories = categories
        reader.speller = self.speller.over(self._leads_somewhere(catalogue))
        reader._topics, reader._queries = {}, {}
        reader.nouns = self.nouns.over(categories, self.seen, self.wanted, reader.speller)
        return reader

    def learn(
        self,
        seen: SeenQueries | None = None,
        wanted: WantedValues | None = None,
        qualifies: NDArray[np.bool_] | None = None,
    ) -> None:
        """Reads by these from now on, where they are given."""
        self.seen = self.seen if seen is None else seen
        self.wanted = self.wanted if wanted is None else wanted
        self.qualifies = self.qualifies if qualifies is None else qualifies
        self._topics, self._queries = {}, {}
        self.nouns = self.nouns.over(self.categories, self.seen, self.wanted, self.speller)

    def read(self, text: str) -> Query:
        """Returns `text` as the models see it; any text is a query. Its arrays are read-only."""
        check_text(text)
        return self._queries.get(text) or _keep(self._queries, text, self._read(text))

    def topic(self, text: str) -> Topic:
        """Returns what `text` is about, which takes half as long as reading all of it. Its arrays are read-only."""
        check_text(text)
        return self._topics.get(text) or _keep(self._topics, text, self._find_topic(text))

    def _find_topic(self, text: str) -> Topic:
        reading = self.speller.read(text)
        words = reading.understood
        head = self.nouns.head(words)
        embedding = self._embed(text, reading.corrected, head if len(head) < len(words) else None)
        cosines = self.categories.cosines(embedding)
        predicted = self.categories.probabilities(cosines)
        shares = self.seen.blend(reading.words, predicted, self.categories.empty)
        if shares is not predicted:  # people found what they wanted by it
            reading = reading._replace(familiar=1.0, foreign=0.0)
        elif reading.corrected:
            shares = self.seen.blend(reading.corrected.split(), predicted, self.categories.empty)
        seen = shares is not predicted
        found = self.categories.filter(cosines, shares, seen) if reading.words else self.categories.no_filter
        for array in (embedding, cosines, shares):
            array.flags.writeable = False
        return Topic(reading, head, embedding, cosines, shares, found)

    def _read(self, text: str) -> Query:
        reading, head, embedding, cosines, shares, found = self.topic(text)
        nothing = float(self._towers.nothing @ embedding) - float(cosines.max())
        nouns = self.nouns.of(head)
        words = reading.understood
        said = (self.qualifying(words), self.wanted.of(words), reading)
        second_noun, ranges = self.nouns.second(nouns), self._ranges(found)
        return Query(text, embedding, cosines, shares, nothing, nouns, second_noun, *said, found, ranges)

    def qualifying(self, words: Sequence[str]) -> tuple[int, ...]:
        """Returns the numbers of those of `words` (normalised) that say how a thing is to be, and not what it is."""
        numbers = (self._towers.featuriser.number(word) for word in dict.fromkeys(words))
        return tuple(number for number in numbers if number is not None and self.qualifies[number])

    def shortened(self, query: Query) -> Iterator[Query]:
        """Yields what is left of the query, as its correction, where it says less of what the thing is for, and how it
        is to be (`Nouns.shortened`)."""
        for left in map(" ".join, self.nouns.shortened(query.reading.understood, query.nouns)):
            less = self.read(left)
            reading = less.reading._replace(corrected=less.reading.corrected or left)
            yield less._replace(text=query.text, qualifiers=query.qualifiers, wanted=query.wanted, reading=reading)

    def _embed(self, query: str, corrected: str | None, head: Sequence[str] | None) -> NDArray[np.float32]:
        """The vector of the query; of a misspelt one, something of its correction's too: neither is right always. And
        what its head says counts more than the rest."""
        embedding = self._towers.query(query)
        if corrected is not None:
            meant = self._towers.query(corrected)
            embedding = _mixed(embedding, meant, self._corrected_share(embedding, meant))
        return embedding if head is None else _mixed(embedding, self._towers.query(" ".join(head)), HEAD_SHARE)

    def _corrected_share(self, typed: NDArray[np.float32], meant: NDArray[np.float32]) -> float:
        """What a correction weighs: each counts as it is clear, nearer to a category than to nothing. Without a prior,
        what was corrected may well have been a word for something that is not here."""
        if not self._towers.featuriser.pieces:
            return CORRECTED_SHARE
        clear = self._clearness(meant)
        return clear / (clear + self._clearness(typed))

    def _clearness(self, embedding: NDArray[np.float32]) -> float:
        return max(-self.nouns.nothing(embedding), LEAST_CLEAR)

    def _leads_somewhere(self, catalogue: Catalogue) -> Callable[[str], bool]:
        """Whether a word stands in a listing, or in a query from which people often chose ("mujer" on an English site),
        or a lexicon has it for things that are here ("knickers")."""
        names = self._towers.featuriser.names
        return lambda word: self.seen.knows(word) or word in names or catalogue.count(word) > 0

    def _ranges(self, found: CategoryFilter) -> tuple[tuple[int, int], ...]:
        if found.mode != "filter":
            return ()
        ontology = self.categories.ontology
        positions = [ontology.position(category.category_id) for category in found.categories]
        return tuple((position, int(ontology.end[position])) for position in positions)


def check_text(query: str) -> None:
    """Raises DataError for a query that is no text."""
    if not isinstance(query, str):
        raise DataError(f"query: expected text, got {quoted(query)}")


def _mixed(embedding: NDArray[np.float32], other: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    mixed = (1 - share) * embedding + share * other
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def _keep(known: dict[str, Kept], text: str, read: Kept) -> Kept:
    """Remembers what was read; any thread may do so at any time."""
    if len(text) <= _LONGEST:
        if len(known) >= _REMEMBERED:
            known.clear()
        known[text] = read
    return read
