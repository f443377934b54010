"""Learns from behaviour what the words of queries say of attributes.

A multinomial logit for each attribute: the value of a chosen listing is drawn from those of its category, multiplied by
a factor for each word of the query. So "dress" says nothing of the gender, although women's dresses are chosen for it,
and of "blue jeans" the colour is told by the first word. Where somebody asked again and then named a value ("damen
tasche", "women bag"), the first words are taken to have meant it as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
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
"""Choices and rewrites, and sources of them, in which a word has to occur."""

RIDGE = 1.0
"""Precision of the normal prior of each factor's logarithm."""

SAYS_NOTHING = 0.2
"""Smaller logarithms are left out."""

_USUAL = 2.0
"""Listings of the whole catalogue that count beside those of a category in what is usual there."""

NAMED, NAMED_AMONG_OTHERS = 4.0, 3.5
"""How much likelier, as a logarithm, a value is wanted by whoever says its name, or a word of it."""

_WRITTEN = "@"
"""Marks a word that stands in the listing that was chosen."""

_ANY_CHOICE, _ANY_REWRITE = "<choice>", "<rewrite>"
"""Stand for any words: what is chosen, or named, is not what is usual anyway."""


class Evidence(NamedTuple):
    """Queries of which one attribute's value is known. words: of each; value int `[n]`; usual float64 `[n, values]`,
    logarithms; weight float64 `[n]`; source int `[n]`: pieces of evidence with the same number, as choices of one
    listing, are taken to depend on each other."""

    words: list[list[str]]
    value: NDArray[np.int64]
    usual: NDArray[np.float64]
    weight: NDArray[np.float64]
    source: NDArray[np.int64]


def learn_wanted(
    pairs: Interactions,
    rewrites: Sequence[tuple[str, str]],
    columns: Columns,
    ontology: Ontology,
    texts: Mapping[int, Set[str]],
) -> dict[str, Said]:
    """Returns what words, and pairs of neighbouring words, say of the attributes with at most MOST_VALUES values.

    pairs: queries and what was chosen, listings by row of `columns`; rewrites: queries, and those that followed them;
    texts: the words by which the lexical engine finds the listing of a row.
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
            own = _own_names(column, texts)
            chosen = _choices(column, columns.category, pairs, weight, words, texts, own.keys())
            for word, values in _learn(column, _joined(chosen, _named(column, rewrites, named))):
                if word in kept and word.removesuffix("s") not in own:
                    said[word][attribute] = values
            for word, values in own.items():
                said[word][attribute] = values
    return dict(sorted(said.items()))


def _own_names(column: Coded, texts: Mapping[int, Set[str]]) -> dict[str, dict[str, float]]:
    """What the words of the values' own names say: "blue" is said of "Navy Blue", too, but less. Of "black and white"
    the second word says nothing: most listings that have it have other values."""
    said: dict[str, dict[str, float]] = defaultdict(dict)
    for value in column.values:
        words = tokens(value)
        for word in words:
            said[word][value] = NAMED if len(words) == 1 else NAMED_AMONG_OTHERS
        said["".join(words)][value] = NAMED
    return {word: dict(values) for word, values in said.items() if _tells(word, values.keys(), column, texts)}


def _tells(word: str, values: Set[str], column: Coded, texts: Mapping[int, Set[str]]) -> bool:
    """Whether at least half of the listings with the word in their text have one of the values."""
    codes = [int(column.codes[row]) for row, words in texts.items() if word in words]
    return 2 * sum(code >= 0 and column.values[code] in values for code in codes) >= len(codes)


def _learn(column: Coded, evidence: Evidence) -> Iterator[tuple[str, dict[str, float]]]:
    counts = Counter(word for own in evidence.words for word in own)
    numbers = {word: i for i, word in enumerate(sorted(w for w, count in counts.items() if count >= FEWEST))}
    if not numbers:
        return
    cells = [(row, numbers[word]) for row, own in enumerate(evidence.words) for word in own if word in numbers]
    rows, places = np.array(cells).T
    present = csr_matrix((np.ones(len(cells)), (rows, places)), (len(evidence.words), len(numbers)))
    ridge = np.array([[0.01 if word in (_ANY_CHOICE, _ANY_REWRITE) else RIDGE] for word in numbers])
    factors, chance = _fit(present, evidence, ridge)
    for word, row in zip(numbers, _shrunk(present, evidence, factors, chance).tolist(), strict=True):
        values = {column.values[i]: round(own, 3) for i, own in enumerate(row) if abs(own) >= SAYS_NOTHING}
        if values and word not in (_ANY_CHOICE, _ANY_REWRITE):
            yield word, values


def _shrunk(
    present: csr_matrix, evidence: Evidence, factors: NDArray[np.float64], chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The factors, less what they may be by chance: (1 - 2 log(values) / z²) of them, 0 below that, as in the
    nonnegative garrote (Breiman, 1995). z: a factor over its standard error, which allows for evidence of one source to
    depend on each other (Liang and Zeger, 1986); 2 log(values): about the largest z² of so many that are nothing."""
    weight = evidence.weight[:, None]
    off = -weight * chance
    off[np.arange(len(off)), evidence.value] += evidence.weight
    cells = present.tocoo()
    sources = int(evidence.source.max()) + 1
    keys, of_key = np.unique(cells.col.astype(np.int64) * sources + evidence.source[cells.row], return_inverse=True)
    by_source = csr_matrix((np.ones(len(of_key)), (of_key, cells.row)), (len(keys), len(off))) @ off
    variance = np.zeros(factors.shape)
    np.add.at(variance, keys // sources, by_source**2)
    count = np.bincount(keys // sources, minlength=len(factors))[:, None]
    variance *= count / np.maximum(count - 1, 1)
    curvature = present.T @ (weight * chance * (1 - chance))
    squared = (factors * curvature) ** 2 / np.maximum(variance, 1e-12)
    kept = np.maximum(0, 1 - 2 * np.log(factors.shape[1]) / np.maximum(squared, 1e-12))
    return np.asarray(np.where(count >= FEWEST, factors * kept, 0.0))


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
    texts: Mapping[int, Set[str]],
    named: Set[str],
) -> Evidence:
    """What was chosen for queries with none of the words in `named`, which say the value. Where the listing has a word
    itself, the lexical engine may have shown no others: what such choices have in common is told apart from what the
    word means."""
    unnamed = np.array([not own & named for own in map(set, words)], bool)
    known = (column.codes[pairs.listing] >= 0) & unnamed[pairs.query]
    listing = pairs.listing[known]
    said = zip(pairs.query[known].tolist(), listing.tolist(), strict=True)
    return Evidence(
        [[_ANY_CHOICE, *(w + _WRITTEN if w in texts[row] else w for w in words[number])] for number, row in said],
        column.codes[listing].astype(np.int64),
        np.log(_usual(column, category, listing, weight[known]))[category[listing]],
        weight[known],
        listing.astype(np.int64),
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
    return Evidence(words, np.array(value, np.int64), usual, np.ones(len(words)), np.arange(len(words)))


def _joined(one: Evidence, other: Evidence) -> Evidence:
    first = int(one.source.max(initial=-1)) + 1
    other = other._replace(source=other.source + first)
    arrays = (np.concatenate(pair) for pair in zip(one[1:], other[1:], strict=True))
    return Evidence([*one.words, *other.words], *arrays)


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
    kept = {word for word, by_category in chosen.items() if spread(list(by_category.values())) >= SPREAD}
    return [[word for word in own if word in kept] for own in words]


def spread(weights: Sequence[float]) -> float:
    """Over how many kinds some choices spread, by the exponential of their entropy."""
    share = np.array(weights) / sum(weights)
    return float(np.exp(-(share * np.log(share)).sum()))


def _usual(
    column: Coded, category: NDArray[np.int32], chosen: NDArray[np.int32], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Float64 `[categories, values]`: the shares of the values in what is chosen of each category, and in the
    category's listings where little is."""
    counts = np.zeros((int(category.max(initial=0)) + 1, len(column.values)))
    np.add.at(counts, (category[chosen], column.codes[chosen]), weight)
    known = column.codes >= 0
    listed = np.zeros(counts.shape)
    np.add.at(listed, (category[known], column.codes[known]), 1)
    overall = (listed.sum(axis=0) + 1) / (listed.sum() + len(column.values))
    listed += _USUAL * overall
    counts += _USUAL * listed / listed.sum(axis=1, keepdims=True)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _fit(
    present: csr_matrix, evidence: Evidence, ridge: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The factors' logarithms, float64 `[words, values]`, and the chance that they give each value, float64
    `[n, values]`. present `[n, words]`: 1 where a word stands; ridge `[words, 1]`."""
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
        return logits - np.log(total), exponents / total

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        factors = flat.reshape(shape)
        logs, chance = predicted(factors)
        gradient = backwards @ (weight * chance - chosen) + ridge * factors
        return float((ridge * factors**2).sum() / 2 - (chosen * logs).sum()), np.asarray(gradient).ravel()

    fitted = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    factors = np.asarray(fitted.x).reshape(shape)
    return factors, predicted(factors)[1]
