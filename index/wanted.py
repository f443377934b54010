"""Learns from behaviour what the words of queries say of attributes.

A multinomial logit for each attribute: the value of a chosen listing is drawn from those of its category, multiplied by
a factor for each word of the query. So "dress" says nothing of the gender, although women's dresses are chosen for it,
and of "blue jeans" the colour is told by the first word. Where somebody asked again and then named a value ("damen
tasche", "women bag"), the first words are taken to have meant it as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from relevance.columns import Coded, Columns
from relevance.interactions import Interactions
from relevance.ontology import Ontology
from relevance.text import tokens
from relevance.wanted import Said, said_words

MOST_VALUES = 100
"""Attributes with more values are left to the words of the listings."""

MOST_EVIDENCE = 100_000
"""Choices, and rewrites, that are learned from: beyond that memory grows and little is learned."""

SPREAD = 3.0
"""A word is not a name of things when it is said of so many categories, by the exponential of their entropy."""

ALIKE = 0.5
"""How alike the choices for one query are: people choose from the same page. Many weigh as much as 1 / ALIKE."""

FEWEST = 3
"""Choices and rewrites in which a word has to occur."""

RIDGE = 1.0
"""Precision of the normal prior of each factor's logarithm."""

TELLING = 6.0
"""Chi-square from which on a word says something of a value: one in 70 would by chance."""

SAYS_NOTHING = 0.2
"""Smaller logarithms are left out."""

_USUAL = 2.0
"""Listings of the whole catalogue that count beside those of a category in what is usual there."""

_ANY_CHOICE, _ANY_REWRITE = "<choice>", "<rewrite>"
"""Stand for any words: what is chosen, or named, is not what is usual anyway."""


class Evidence(NamedTuple):
    """Queries of which one attribute's value is known. words: of each; value int `[n]`; usual float64 `[n, values]`,
    logarithms; weight float64 `[n]`."""

    words: list[list[str]]
    value: NDArray[np.int64]
    usual: NDArray[np.float64]
    weight: NDArray[np.float64]


def learn_wanted(
    pairs: Interactions, rewrites: Sequence[tuple[str, str]], columns: Columns, ontology: Ontology
) -> dict[str, Said]:
    """Returns what words, and pairs of neighbouring words, say of the attributes with at most MOST_VALUES values.

    pairs: queries and what was chosen, listings by row of `columns`; rewrites: queries, and those that followed them.
    """
    pairs, rewrites = _part(pairs), [rewrites[i] for i in _evenly(len(rewrites)).tolist()]
    weight = _weight(pairs, columns.category)
    named = {_joined_up(value) for column in columns.attributes.values() for value in column.values}
    words = _qualifying(pairs, weight, columns.category, named)
    kept = {word for own in words for word in own}
    names = {word for position in range(len(ontology)) for word in tokens(ontology.name(position))}
    said: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for attribute, column in columns.attributes.items():
        if 1 < len(column.values) <= MOST_VALUES and not _kind(column, names):
            chosen = _choices(column, columns.category, pairs, weight, words)
            for word, values in _learn(column, _joined(chosen, _named(column, rewrites, named))):
                if word in kept:
                    said[word][attribute] = values
    return dict(sorted(said.items()))


def _learn(column: Coded, evidence: Evidence) -> Iterator[tuple[str, dict[str, float]]]:
    counts = Counter(word for own in evidence.words for word in own)
    numbers = {word: i for i, word in enumerate(sorted(w for w, count in counts.items() if count >= FEWEST))}
    if not numbers:
        return
    cells = [(row, numbers[word]) for row, own in enumerate(evidence.words) for word in own if word in numbers]
    rows, places = np.array(cells).T
    present = csr_matrix((np.ones(len(cells)), (rows, places)), (len(evidence.words), len(numbers)))
    ridge = np.array([[0.01 if word in (_ANY_CHOICE, _ANY_REWRITE) else RIDGE] for word in numbers])
    factors, expected = _fit(present, evidence, ridge)
    # Twice the likelihood that its likeliest or unlikeliest value gains, to second order.
    telling = (expected * factors**2).max(axis=1) > TELLING
    for word, row, tells in zip(numbers, factors.tolist(), telling.tolist(), strict=True):
        values = {column.values[i]: round(own, 3) for i, own in enumerate(row) if abs(own) >= SAYS_NOTHING}
        if tells and values and word not in (_ANY_CHOICE, _ANY_REWRITE):
            yield word, values


def _part(pairs: Interactions) -> Interactions:
    kept = _evenly(len(pairs))
    return replace(pairs, query=pairs.query[kept], listing=pairs.listing[kept], weight=pairs.weight[kept])


def _evenly(n: int) -> NDArray[np.int64]:
    """At most MOST_EVIDENCE of the numbers below `n`, evenly."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_EVIDENCE)).astype(np.int64))


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
) -> Evidence:
    known = column.codes[pairs.listing] >= 0
    listing = pairs.listing[known]
    return Evidence(
        [[_ANY_CHOICE, *words[number]] for number in pairs.query[known].tolist()],
        column.codes[listing].astype(np.int64),
        np.log(_usual(column, category))[category[listing]],
        weight[known],
    )


def _named(column: Coded, rewrites: Sequence[tuple[str, str]], values: Set[str]) -> Evidence:
    """The queries after which a value was named. What is usual for the thing asked for, its own words tell."""
    codes = {_joined_up(value): code for code, value in enumerate(column.values)}
    words, value = [], []
    for before, after in rewrites:
        named = [codes[word] for word in said_words(tokens(after)) if word in codes]
        if named:
            # Of "navy blue" the pair comes last.
            words.append([_ANY_REWRITE, *_words(before, values)])
            value.append(named[-1])
    usual = np.zeros((len(words), len(column.values)))
    return Evidence(words, np.array(value, np.int64), usual, np.ones(len(words)))


def _joined(one: Evidence, other: Evidence) -> Evidence:
    arrays = (np.concatenate(pair) for pair in zip(one[1:], other[1:], strict=True))
    return Evidence([*one.words, *other.words], *arrays)


def _weight(pairs: Interactions, category: NDArray[np.int32]) -> NDArray[np.float64]:
    """Float64 `[n]`: the pairs' weights, less where there are many for one query (a design effect: Kish, 1965), and
    less for categories with many: what a word says is what it says everywhere."""
    total = np.bincount(pairs.query, pairs.weight)
    weight = pairs.weight / (1 + ALIKE * np.maximum(total - 1, 0))[pairs.query]
    own = category[pairs.listing]
    return np.asarray(weight / np.sqrt(1 + np.bincount(own, weight)[own]), np.float64)


def _words(query: str, values: Set[str]) -> list[str]:
    """The words of a query, and those pairs of neighbours that are a word, as characters of scripts without spaces may
    be, or a value, as "navy blue" is. Of "for men" each word says what it says anywhere."""
    words = tokens(query)
    pairs = (a + b for a, b in pairwise(words) if min(len(a), len(b)) == 1 or a + b in values)
    return list(dict.fromkeys([*words, *pairs]))


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
    kept = {word for word, by_category in chosen.items() if _spread(list(by_category.values())) >= SPREAD}
    return [[word for word in own if word in kept] for own in words]


def _spread(weights: Sequence[float]) -> float:
    share = np.array(weights) / sum(weights)
    return float(np.exp(-(share * np.log(share)).sum()))


def _usual(column: Coded, category: NDArray[np.int32]) -> NDArray[np.float64]:
    """Float64 `[categories, values]`: the shares of the values in each category."""
    known = column.codes >= 0
    counts = np.zeros((int(category.max(initial=0)) + 1, len(column.values)))
    np.add.at(counts, (category[known], column.codes[known]), 1)
    overall = (counts.sum(axis=0) + 1) / (counts.sum() + len(column.values))
    counts += _USUAL * overall
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _fit(
    present: csr_matrix, evidence: Evidence, ridge: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The factors' logarithms, and the weight expected on each value, float64 `[words, values]`. present `[n, words]`:
    1 where a word stands; ridge `[words, 1]`."""
    usual, weight = evidence.usual, evidence.weight[:, None]
    chosen = np.zeros(usual.shape)
    chosen[np.arange(len(usual)), evidence.value] = evidence.weight
    shape = present.shape[1], usual.shape[1]
    backwards = present.T.tocsr()

    def predicted(factors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        logits = usual + present @ factors
        logits -= logits.max(axis=1, keepdims=True)
        exponents = np.exp(logits)
        total = exponents.sum(axis=1, keepdims=True)
        return logits - np.log(total), exponents * (weight / total)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        factors = flat.reshape(shape)
        logs, expected = predicted(factors)
        gradient = backwards @ (expected - chosen) + ridge * factors
        return float((ridge * factors**2).sum() / 2 - (chosen * logs).sum()), np.asarray(gradient).ravel()

    fitted = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    factors = np.asarray(fitted.x).reshape(shape)
    return factors, np.asarray(backwards @ predicted(factors)[1])
