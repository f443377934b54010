"""Queries whose answer is known by construction: what people call a thing, with an attribute of one of the listings
they chose for it. Behaviour shows few such pairs, and those it shows the towers have seen."""

from random import Random

import numpy as np

from index.ranking import Choice
from index.votes import Votes
from relevance.columns import Coded
from relevance.engine import Engine
from relevance.mistyping import mistype
from relevance.text import tokens

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
    said = _said(engine, example)
    if not said:
        return None
    column, word, meant = said[int(rng.integers(len(said)))]
    words = [votes.queries[number], word]
    asked = engine.read(" ".join(words if rng.random() < 0.5 else reversed(words)))
    found = engine.candidates(asked, k, np.ones(len(engine), bool))
    alike = np.isin(column.codes[found.rows], meant)
    return Choice(found.features, (alike & (engine.columns.category[found.rows] == category)).astype(np.float64))


def _said(engine: Engine, example: int) -> list[tuple[Coded, str, list[int]]]:
    """Returns ways to say an attribute of a listing: the column, a word, and the codes that are meant by it: the
    catalogue's own word for the value, and those by which people mean it."""
    ways = []
    for name, column in engine.columns.attributes.items():
        code = int(column.codes[example])
        if code < 0:
            continue
        value = column.values[code]
        if engine.reader.qualifying(tokens(value)):
            ways.append((column, value, [code]))
        ways += [
            (
                column,
                word,
                [at for at, other in enumerate(column.values) if values.get(other, 0.0) >= values[value] - ALIKE],
            )
            for word, values in engine.reader.wanted.saying(name, value)
        ]
    return ways
