"""Queries whose answer is known by construction: what people call a thing, with an attribute of one of the listings
they chose for it, and words of a listing's title. Behaviour shows few such pairs, and those it shows the towers have
seen."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import numpy as np

from index.ranking import Choice
from index.votes import Votes
from relevance.columns import Coded
from relevance.engine import Engine
from relevance.mistyping import mistype
from relevance.text import tokens
from relevance.wanted import said_words

CLEAR = 0.8
"""A query names a thing when one category got so much of its choices."""

ALIKE = 0.3
"""A word means the values of which it says so little less than of another."""


def composed_choices(engine: Engine, votes: Votes, n: int, k: int, rng: np.random.Generator) -> list[Choice]:
    """Returns at most `n` choices: of each query's candidates those of the query's category with the attribute's value
    count as chosen, alike. Queries that name no thing, or say already how it is to be, are left out."""
    names = [number for number in range(len(votes.queries)) if _category_named(engine, votes, number) is not None]
    choices = []
    for number in rng.choice(names, size=n).tolist() if names else []:
        choice = _choice(engine, votes, number, k, rng)
        if choice is not None and choice.chosen.any() and not choice.chosen.all():
            choices.append(choice)
    return choices


def titled_choices(engine: Engine, n: int, k: int, rng: np.random.Generator) -> list[Choice]:
    """Returns at most `n` choices: a query of two to four words of a listing's title, by somebody who looks for that
    one. Without them the order would not care for words once it knows what kind of thing is meant."""
    rows = rng.choice(len(engine), size=min(n, len(engine)), replace=False).tolist()
    stored, everything = engine.store.rows(rows), np.ones(len(engine), bool)
    choices = []
    for row in rows:
        words, size = list(dict.fromkeys(tokens(stored[row].title))), int(rng.integers(2, 5))
        if len(words) > size:
            kept = sorted(rng.choice(len(words), size, replace=False).tolist())
            found = engine.candidates(engine.read(" ".join(words[i] for i in kept)), k, everything)
            chosen = (found.rows == row).astype(np.float64)
            choices += [Choice(found.features, chosen)] if chosen.any() else []
    return choices


def misspelt_names(engine: Engine, votes: Votes, n: int, dice: Random) -> list[str]:
    """Returns `n` names of things, each category's as often as another's, with a typing error nobody may have made."""
    by_category: dict[int, list[str]] = {}
    for number, query in enumerate(votes.queries):
        category = _category_named(engine, votes, number)
        if category is not None:
            by_category.setdefault(category, []).append(query)
    names = sorted(by_category.values())
    return [mistype(dice.choice(dice.choice(names)), dice) for _ in range(n if names else 0)]


def _category_named(engine: Engine, votes: Votes, number: int) -> int | None:
    """The category of the thing that a query names, None where it names none or says more."""
    own = votes.of(number)
    best = int(own.weight.argmax())
    if own.weight[best] < CLEAR * votes.total[number] or engine.reader.qualifying(tokens(votes.queries[number])):
        return None
    return int(own.category[best])


def _choice(engine: Engine, votes: Votes, number: int, k: int, rng: np.random.Generator) -> Choice | None:
    category = _category_named(engine, votes, number)
    rows = np.flatnonzero(engine.columns.category == category)
    example = int(rng.choice(rows))
    kinds = [kind for ways in (_named, _meant) if (kind := list(ways(engine, example)))]
    if not kinds:
        return None
    ways = kinds[int(rng.integers(len(kinds)))]
    way = ways[int(rng.integers(len(ways)))]
    words = [votes.queries[number], way.word]
    asked = engine.read(" ".join(words if rng.random() < 0.5 else reversed(words)))
    found = engine.candidates(asked, k, np.ones(len(engine), bool))
    alike = np.isin(way.column.codes[found.rows], way.meant)
    return Choice(found.features, (alike & (engine.columns.category[found.rows] == category)).astype(np.float64))


class _Way(NamedTuple):
    """A way to say an attribute of a listing: in which word, and the codes of the column's values that it means."""

    column: Coded
    word: str
    meant: list[int]


def _named(engine: Engine, example: int) -> Iterator[_Way]:
    """The catalogue's own words for the values of a listing's attributes."""
    for _, column, code in _values(engine, example):
        if engine.reader.qualifying(tokens(column.values[code])):
            yield _Way(column, column.values[code], [code])


def _meant(engine: Engine, example: int) -> Iterator[_Way]:
    """Other words by which people mean these values."""
    for name, column, code in _values(engine, example):
        value = column.values[code]
        own = set(said_words(tokens(value)))
        for word, lifts in engine.reader.wanted.saying(name, value):
            if word not in own:
                least = lifts[value] - ALIKE
                meant = [other for other, said in enumerate(column.values) if lifts.get(said, 0.0) >= least]
                yield _Way(column, word, meant)


def _values(engine: Engine, example: int) -> Iterator[tuple[str, Coded, int]]:
    """The attributes of a listing: name, column, code of its value."""
    for name, column in engine.columns.attributes.items():
        code = int(column.codes[example])
        if code >= 0:
            yield name, column, code
