"""What behaviour tells of the words of queries: what they say of attributes, and whether a listing is to have them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.wanted import learn_wanted
from relevance.engine import Engine
from relevance.events import Behaviour
from relevance.interactions import Interactions, interactions, rewritten
from relevance.store import ListingStore
from relevance.text import tokens
from relevance.wanted import Said

FEWEST_CHOICES = 10.0
"""Weight of the choices from which on a word is judged."""

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
    pairs = interactions(behaviour, selected, rows)
    qualifies = engine.reader.qualifies.copy()
    qualifies[said_in_vain(engine, pairs)] = False
    texts = _texts(engine.store, np.unique(pairs.listing).tolist())
    wanted = learn_wanted(pairs, rewritten(behaviour, selected), engine.columns, engine.ontology, texts)
    return Learned(wanted, qualifies)


def _texts(store: ListingStore, rows: Sequence[int]) -> dict[int, frozenset[str]]:
    """The words of listings that the lexical engine finds them by, their attributes' aside."""
    parts = (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))
    found = (listing for part in parts for listing in store.rows(part).values())
    return {own.row: frozenset(tokens(f"{own.title} {own.description}", limit=None)) for own in found}


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
