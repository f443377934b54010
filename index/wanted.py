"""Learns from behaviour what the words of queries say of attributes.

The value of a chosen listing is drawn from those usually chosen of its category, and likelier where a word of the query
means it (`index.meanings`). So "dress" says nothing of the gender, although women's dresses are chosen for it, and of
"blue jeans" the colour is told by the first word. Where somebody asked again ("damen tasche", "women bag"), what was
chosen then counts for the first words as well.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from index.meanings import ALIKE, Choices, Meaning, Nearness, meanings
from relevance.columns import Coded, Columns
from relevance.interactions import Interactions
from relevance.ontology import Ontology
from relevance.text import tokens
from relevance.wanted import Said, singular

MOST_VALUES = 100
"""Attributes with more values are left to the words of the listings."""

MOST_EVIDENCE = 100_000
"""Choices that are learned from: beyond that memory grows and little is learned."""

SPREAD = 3.0
"""A word is not a name of things when it is said of so many categories, by the exponential of their entropy."""

SAYS_NOTHING = 0.2
"""Less probable meanings are left out."""

ALSO = 0.75
"""How much a value is meant that is taken as well, beside the one that is meant first."""

_USUAL = 2.0
"""What the listings of a category count beside the choices in what is usual there, and the whole catalogue beside
them."""

NAMED, NAMED_AMONG_OTHERS = 4.0, 3.5
"""How much a value is wanted by whoever says its name, or a word of it: more than by any word whose meaning is
inferred, so that of both the name counts."""

Embed = Callable[[Sequence[str]], Sequence[NDArray[np.float32]]]
"""Texts to unit vectors, float32 `[n, dim]`, one by each that knows of meanings."""


def learn_wanted(
    pairs: Interactions, columns: Columns, ontology: Ontology, texts: Mapping[int, Set[str]], embed: Embed
) -> dict[str, Said]:
    """Returns what words, and pairs of neighbouring words, say of the attributes with at most MOST_VALUES values: the
    probability that a word means a value, and NAMED for a value's own name.

    pairs: queries and what was chosen, listings by row of `columns`; texts: the words by which the lexical engine finds
    the listing of a row, of those in queries and in values' names; embed: of queries, and names of values.
    """
    told = _told(columns, ontology)
    rows = _rows_by_word(texts)
    own = {attribute: _own_names(column, rows) for attribute, column in told.items()}
    said: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for attribute, by_word in own.items():
        for word, values in by_word.items():
            said[word][attribute] = values
    names = frozenset(said)
    for word, by_attribute in _meant(pairs, columns, told, own, texts, embed).items():
        if not _known(word, names):
            for attribute, meaning in _one_meaning(by_attribute).items():
                values = _likely(told[attribute], meaning)
                if values:
                    said[word][attribute] = values
    return dict(sorted(said.items()))


def _told(columns: Columns, ontology: Ontology) -> dict[str, Coded]:
    """The attributes whose values words tell."""
    few = {name: own for name, own in columns.attributes.items() if 1 < len(own.values) <= MOST_VALUES}
    return {attribute: column for attribute, column in few.items() if not _kind(column, ontology.name_words)}


def _meant(
    pairs: Interactions,
    columns: Columns,
    told: Mapping[str, Coded],
    own: Mapping[str, Mapping[str, object]],
    texts: Mapping[int, Set[str]],
    embed: Embed,
) -> dict[str, dict[str, Meaning]]:
    """What words mean by each attribute, taken by itself. own: the words of its values' names."""
    weight = _weight(pairs, columns.category)
    named = {_joined_up(value) for column in columns.attributes.values() for value in column.values}
    words = _qualifying(pairs, weight, columns.category, named)
    meant: dict[str, dict[str, Meaning]] = defaultdict(dict)
    for attribute, column in told.items():
        choices = _choices(column, columns.category, pairs, weight, words, texts, own[attribute].keys())
        for word, meaning in meanings(choices, _nearness(column, embed)).items():
            meant[word][attribute] = meaning
    return meant


def _nearness(column: Coded, embed: Embed) -> Nearness:
    named = embed(column.values)
    return lambda words: np.stack([own @ names.T for own, names in zip(embed(words), named, strict=True)], axis=2)


def _one_meaning(by_attribute: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """What a word means, given that it means values of one attribute or none."""
    odds = {attribute: own.chance / max(1 - float(own.chance.sum()), 1e-9) for attribute, own in by_attribute.items()}
    total = 1 + sum(float(own.sum()) for own in odds.values())
    return {attribute: Meaning(own / total, by_attribute[attribute].also) for attribute, own in odds.items()}


def _likely(column: Coded, meaning: Meaning) -> dict[str, float]:
    chance = meaning.chance.copy()
    chance[meaning.also] = np.maximum(chance[meaning.also], ALSO * chance.max())
    return {column.values[i]: round(own, 3) for i, own in enumerate(chance.tolist()) if own >= SAYS_NOTHING}


def _own_names(column: Coded, rows: Mapping[str, Sequence[int]]) -> dict[str, dict[str, float]]:
    """What the words of the values' own names say: "blue" is said of "Navy Blue", too, but less. Of "black and white"
    the second word says nothing: most listings that have it have other values. A value may have no word: "-"."""
    said: dict[str, dict[str, float]] = defaultdict(dict)
    for value in column.values:
        words = tokens(value)
        for word in words:
            said[word][value] = NAMED if len(words) == 1 else NAMED_AMONG_OTHERS
        if words:
            said["".join(words)][value] = NAMED
    return {word: dict(own) for word, own in said.items() if _tells(own.keys(), column, rows.get(word, ()))}


def _tells(values: Set[str], column: Coded, rows: Sequence[int]) -> bool:
    """Whether at least half of these rows have one of the values."""
    codes: list[int] = column.codes[np.asarray(rows, np.int64)].tolist()
    return 2 * sum(code >= 0 and column.values[code] in values for code in codes) >= len(rows)


def _rows_by_word(texts: Mapping[int, Set[str]]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, words in texts.items():
        for word in words:
            rows[word].append(row)
    return rows


def evidence(pairs: Interactions) -> Interactions:
    """Returns at most MOST_EVIDENCE of the pairs, evenly."""
    n = len(pairs)
    kept = np.unique(np.linspace(0, n - 1, min(n, MOST_EVIDENCE)).astype(np.int64))
    return replace(pairs, query=pairs.query[kept], listing=pairs.listing[kept], weight=pairs.weight[kept])


def _kind(column: Coded, names: Set[str]) -> bool:
    """Whether most listings' value is in the name of a category, as "sports" of sports shoes: then it is the category
    that tells it."""
    named = np.array([any(word in names for word in tokens(value)) for value in column.values])
    return bool(named[column.codes[column.codes >= 0]].mean() > 0.5)


def _choices(
    column: Coded,
    category: NDArray[np.int32],
    pairs: Interactions,
    weight: NDArray[np.float64],
    words: Sequence[list[str]],
    texts: Mapping[int, Set[str]],
    named: Set[str],
) -> Choices:
    """What was chosen for queries with none of the words in `named`, which say the value. Where the listing has a word
    itself, the lexical engine may have shown no others: such choices say nothing of the word."""
    unnamed = np.array([not any(_known(word, named) for word in own) for own in words], bool)
    known = (column.codes[pairs.listing] >= 0) & unnamed[pairs.query]
    listing = pairs.listing[known]
    asked = zip(pairs.query[known].tolist(), listing.tolist(), strict=True)
    return Choices(
        [[word for word in words[number] if word not in texts[row]] for number, row in asked],
        column.codes[listing].astype(np.int64),
        category[listing].astype(np.int64),
        weight[known],
        listing.astype(np.int64),
        _listed(column, category),
    )


def _known(word: str, named: Set[str]) -> bool:
    """Whether it is one of the words, or their plural: "womens" says what "women" says."""
    return word in named or singular(word) in named


def _weight(pairs: Interactions, category: NDArray[np.int32]) -> NDArray[np.float64]:
    """Float64 `[n]`: the pairs' weights, less where there are many for one query (a design effect: Kish, 1965), and
    less for categories with many: what a word says is what it says everywhere."""
    total = np.bincount(pairs.query, pairs.weight)
    damped = pairs.weight / (1 + ALIKE * np.maximum(total - 1, 0))[pairs.query]
    own = category[pairs.listing]
    even = 1 / np.sqrt(1 + np.bincount(own, damped)[own])
    # As much as choices that tell as much when all weigh alike (Kish, 1965).
    return np.asarray(damped * even * ((damped * even).sum() / max(float((damped * even**2).sum()), 1e-9)), np.float64)


def _words(query: str, values: Set[str]) -> list[str]:
    """The words of a query, and those pairs of neighbours that are a word, as characters of scripts without spaces may
    be, or a value, as "navy blue" is. Of "for men" each word says what it says anywhere, and "as a" is no word."""
    words = tokens(query)
    pairs = (a + b for a, b in pairwise(words) if a + b in values or _characters(a, b))
    return list(dict.fromkeys([*words, *pairs]))


def _characters(a: str, b: str) -> bool:
    """Whether they may be characters of one word."""
    return min(len(a), len(b)) == 1 and not (a + b).isascii()


def _joined_up(value: str) -> str:
    return "".join(tokens(value))


def _qualifying(
    pairs: Interactions, weight: NDArray[np.float64], category: NDArray[np.int32], values: Set[str]
) -> list[list[str]]:
    """Of each query the words, and pairs of neighbours, that are said of things of several kinds."""
    words = [_words(query, values) for query in pairs.queries]
    chosen: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    columns = (pairs.query.tolist(), category[pairs.listing].tolist(), weight.tolist())
    for number, position, one in zip(*columns, strict=True):
        for word in words[number]:
            chosen[word][position] += one
    kept = {word for word, by_category in chosen.items() if spread(list(by_category.values())) >= SPREAD}
    return [[word for word in own if word in kept] for own in words]


def spread(weights: Sequence[float]) -> float:
    """Over how many kinds some choices spread, by the exponential of their entropy."""
    share = np.array(weights) / sum(weights)
    return float(np.exp(-(share * np.log(share)).sum()))


def _listed(column: Coded, category: NDArray[np.int32]) -> NDArray[np.float64]:
    """Float64 `[categories, values]`, _USUAL in each row: the shares of the values in the category's listings, and
    those of the whole catalogue where it has few."""
    listed = np.zeros((int(category.max(initial=0)) + 1, len(column.values)))
    known = column.codes >= 0
    np.add.at(listed, (category[known], column.codes[known]), 1)
    overall = (listed.sum(axis=0) + 1) / (listed.sum() + len(column.values))
    listed += _USUAL * overall
    return np.asarray(_USUAL * listed / listed.sum(axis=1, keepdims=True))
