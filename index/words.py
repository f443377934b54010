"""What behaviour tells of the words of queries: what they say of attributes, and whether a listing is to have them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.wanted import evidence, learn_wanted, spread
from relevance.columns import Columns
from relevance.engine import Engine
from relevance.events import Behaviour
from relevance.interactions import Interactions, interactions
from relevance.qualifiers import QUALIFIES
from relevance.store import ListingStore
from relevance.text import tokens
from relevance.towers import Towers
from relevance.wanted import Said, said_words

FEWEST_CHOICES = 10.0
"""Weight of the choices from which on a word is judged."""

CLEAR = 0.5
"""Words are about the category that got so much of the choices, if one did."""

IN_VAIN = 0.3
"""A word is said in vain when it stands in so small a share of what was chosen with it."""

_CHUNK = 10_000
"""Listings read at once: SQLite takes 32,766 at most."""


class Learned(NamedTuple):
    """wanted: what words say of attributes; qualifies: bool by the number of a word, whether a listing has to say
    it."""

    wanted: dict[str, Said]
    qualifies: NDArray[np.bool_]


def learn_words(engine: Engine, behaviour: Behaviour, selected: NDArray[np.bool_], rows: Mapping[str, int]) -> Learned:
    """Returns what the queries marked in `selected` (bool `[queries]`) tell; rows: the engine's row of each listing
    id."""
    pairs = interactions(behaviour, selected, rows, engine.columns.category)
    qualifies = engine.reader.qualifies.copy()
    qualifies[said_in_vain(engine, pairs)] = False
    numbers = (engine.towers.featuriser.number(word) for word in names_of_things(pairs, engine.columns.category))
    qualifies[[number for number in numbers if number is not None]] = False
    pairs = evidence(pairs)
    texts = _texts(engine.store, np.unique(pairs.listing).tolist(), _words(pairs.queries, engine.columns))
    wanted = learn_wanted(pairs, engine.columns, engine.ontology, texts, partial(_embed, engine.towers))
    return Learned(wanted, qualifies)


def _embed(towers: Towers, texts: Sequence[str]) -> list[NDArray[np.float32]]:
    """Unit vectors by what the towers learned and, where there is one, by their text prior, which stands beside it:
    training damages what that knows ("female" is near "women")."""
    learned = int(np.flatnonzero(towers.nothing)[-1]) + 1  # the place of nothing has none of the prior's meaning
    parts = np.split(towers.queries(texts), [learned], axis=1)
    return [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9) for part in parts if part.shape[1]]


def _words(queries: Iterable[str], columns: Columns) -> frozenset[str]:
    """The words of queries, neighbours written together, too, and those of attributes' values."""
    values = (tokens(value) for column in columns.attributes.values() for value in column.values)
    named = (word for words in values for word in (*words, "".join(words)))
    return frozenset(named).union(*(said_words(tokens(query)) for query in queries))


def _texts(store: ListingStore, rows: Sequence[int], words: frozenset[str]) -> dict[int, frozenset[str]]:
    """Those of `words` that the lexical engine finds listings by, their attributes' aside: all words of their
    descriptions would not fit into memory."""
    parts = (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))
    found = (listing for part in parts for listing in store.rows(part).values())
    return {own.row: words.intersection(tokens(f"{own.title} {own.description}", limit=None)) for own in found}


def said_in_vain(engine: Engine, pairs: Interactions) -> list[int]:
    """Returns the numbers of those qualifiers of queries that hardly ever stand in what was chosen for these: "for",
    and "ladies" where sellers write "women". pairs: listings by row of the engine's snapshot."""
    words = engine.catalogue.snapshot.words
    said = [engine.reader.qualifying(tokens(query)) for query in pairs.queries]
    total: dict[int, float] = defaultdict(float)
    held: dict[int, float] = defaultdict(float)
    for query, listing, weight in zip(pairs.query.tolist(), pairs.listing.tolist(), pairs.weight.tolist(), strict=True):
        for number in said[query]:
            total[number] += weight
            held[number] += weight if (words[listing] == number).any() else 0.0
    return sorted(n for n, weight in total.items() if weight >= FEWEST_CHOICES and held[n] < IN_VAIN * weight)


def names_of_things(pairs: Interactions, category: NDArray[np.int32]) -> list[str]:
    """Returns the words of queries that name things: without them a query is about something else, or about nothing.
    "Capri" of "capri pants", "sneakers" of "white sneakers"; not "leather" of "leather belt".

    category: int32 `[listings]`. Words that are said of many kinds of things are left out of the queries first.
    """
    words = [list(dict.fromkeys(tokens(query))) for query in pairs.queries]
    chosen: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    columns = (pairs.query.tolist(), category[pairs.listing].tolist(), pairs.weight.tolist())
    for query, position, weight in zip(*columns, strict=True):
        for word in words[query]:
            chosen[word][position] += weight
    of_many = {word for word, by_category in chosen.items() if spread(list(by_category.values())) >= QUALIFIES}
    about: dict[frozenset[str], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for query, position, weight in zip(*columns, strict=True):
        about[frozenset(words[query]) - of_many][position] += weight
    kinds = {said: _main_category(by_category) for said, by_category in about.items()}
    names: dict[str, float] = defaultdict(float)
    for said, by_category in about.items():
        for word in said if kinds[said] is not None else ():
            rest = said - {word}
            if not rest or kinds.get(rest) is not None:
                same = bool(rest) and kinds[rest] == kinds[said]
                names[word] += sum(by_category.values()) * (-1 if same else 1)
    return sorted(word for word, weight in names.items() if weight > 0)


def _main_category(by_category: Mapping[int, float]) -> int | None:
    """The category that got most of the choices, None where it is not clear."""
    category, most = max(by_category.items(), key=lambda item: item[1])
    return category if most >= CLEAR * sum(by_category.values()) else None
