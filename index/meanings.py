"""Which value of an attribute a word means, if any.

Whoever says a word that means a value chooses it more often than is usual for the thing asked for. Few choices tell
little, so they are weighed against how near the word is to the values' names, by what the towers learned and, where
there is one, by their text prior. How much either tells, for this attribute, is itself learned from the words with
choices (empirical Bayes: Robbins, 1956): of genders a lot, of seasons nothing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax

FEWEST = 3
"""Choices in which a word has to occur, and those of a value that it means beside another."""

ALIKE = 0.5
"""How alike choices of one listing, or for one query, are. Many weigh as much as 1 / ALIKE."""

STRENGTHS = (0.5, 1.0, 2.0, 4.0)
"""How much likelier, as a logarithm, a value may be chosen where it is meant. Each is as probable as another; less
tells no meaning, however sure it is."""

MEANING = 0.1
"""Share of words that mean a value, before anything is known."""

SWEEPS = 3
"""Times that every word is gone through, the others' meanings taken as found."""

_SPREAD, _SPREAD_OF_ALL = 10.0, 2.0
"""Standard deviations of the priors of the coefficients of nearness, and of the one that all words have."""

_UNSETTLED = 0.01
"""What is usual is found anew when words have explained so much more, a choice counting by its logarithm."""

_LITTLE = 0.1
"""A less probable meaning does not explain what was chosen with other words."""

Nearness = Callable[[Sequence[str]], NDArray[np.float32]]
"""Words to float32 `[words, values, n]`: cosines of each with the values' names, by n that know of meanings."""


class Choices(NamedTuple):
    """What was chosen for queries. words: of each query, those that may mean a value; value int `[n]`; kind int `[n]`,
    of what things; weight float64 `[n]`; source int `[n]`, the listing that was chosen; listed float64
    `[kinds, values]`: counts beside those of the choices, for what is usual of things of a kind."""

    words: list[list[str]]
    value: NDArray[np.int64]
    kind: NDArray[np.int64]
    weight: NDArray[np.float64]
    source: NDArray[np.int64]
    listed: NDArray[np.float64]


class Meaning(NamedTuple):
    """chance: float64 `[values]`, the probabilities of meaning each value; their sum is less than 1, since a word may
    mean none. also: values that are meant as well where the likeliest is."""

    chance: NDArray[np.float64]
    also: list[int]


def meanings(choices: Choices, nearness: Nearness) -> dict[str, Meaning]:
    """Returns what the words with enough choices mean."""
    counts = Counter(word for own in choices.words for word in own)
    words = [word for word, count in counts.most_common() if count >= FEWEST]
    if not words:
        return {}
    features = _features(nearness(words).astype(np.float64))
    explained = _Explained(choices, _rows(choices, words), choices.listed.shape[1])
    told, also, coefficients = _told(explained, features)
    # Nearness was learned from choices, too: it is not to be the only witness.
    found = np.where(told > 0, np.exp(_posterior(features, coefficients, told))[:, 1:], 0.0)
    return {word: Meaning(own, others) for word, own, others in zip(words, found, also, strict=True)}


def _features(cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Float64 `[words, values, 2 n + 1]`: the cosines, how much larger each is than the mean of the others, and 1."""
    others = (cosines.sum(axis=1, keepdims=True) - cosines) / max(cosines.shape[1] - 1, 1)
    return np.concatenate([cosines, cosines - others, np.ones((*cosines.shape[:2], 1))], axis=2)


def _rows(choices: Choices, words: Sequence[str]) -> list[NDArray[np.int64]]:
    """Of each word the choices for queries with it."""
    numbers = {word: number for number, word in enumerate(words)}
    rows: list[list[int]] = [[] for _ in words]
    for row, own in enumerate(choices.words):
        for word in own:
            if word in numbers:
                rows[numbers[word]].append(row)
    return [np.array(own, np.int64) for own in rows]


class _Explained:
    """What is usual, and what the words found so far explain of the choices."""

    def __init__(self, choices: Choices, rows: Sequence[NDArray[np.int64]], values: int) -> None:
        self._choices, self._rows, self.values = choices, rows, values
        self._weights = [_less_where_alike(choices.weight[own], choices.source[own]) for own in rows]
        self._shift, self._shifts = np.zeros((len(rows), values)), np.zeros((len(choices.words), values))
        self._usual = _shares(choices.listed)
        self._settle()

    def evidence(self, word: int, beside: Sequence[int] = ()) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns, for each value, the logarithm of how much likelier the choices of the word are if it means that, and
        the values `beside` it, over all STRENGTHS, and which of these it is on average, float64 `[values]` each."""
        rows, weight, choices = self._rows[word], self._weights[word], self._choices
        usual = np.log(self._usual[choices.kind[rows]])
        share = softmax(usual + self._shifts[rows] - self._shift[word], axis=1)
        chosen = self.chosen(word)
        if beside:
            chosen = chosen + chosen[list(beside)].sum()
            share = np.minimum(share + share[:, list(beside)].sum(axis=1, keepdims=True), 1.0)
        gains = np.stack([s * chosen - weight @ np.log1p(share * np.expm1(s)) for s in STRENGTHS])
        return logsumexp(gains, axis=0) - np.log(len(STRENGTHS)), np.array(STRENGTHS) @ softmax(gains, axis=0)

    def chosen(self, word: int) -> NDArray[np.float64]:
        """Returns how often each value was chosen with the word, float64 `[values]`."""
        found = np.bincount(self._choices.value[self._rows[word]], self._weights[word], self.values)
        return np.asarray(found, np.float64)

    def explain(self, word: int, shift: NDArray[np.float64]) -> None:
        """Takes it that the word adds `shift`, float64 `[values]`, to the logarithms of what is chosen."""
        change = shift - self._shift[word]
        if change.any():
            rows = self._rows[word]
            self._shifts[rows] += change
            self._shift[word] = shift
            self._unsettled += float(self._choices.weight[rows].sum()) * float(np.abs(change).max())
            if self._unsettled > _UNSETTLED * self._choices.weight.sum():
                self._settle()

    def _settle(self) -> None:
        """A step towards what is likely to be chosen where no word means a value (iterative scaling: Darroch and
        Ratcliff, 1972)."""
        choices, usual = self._choices, self._usual
        lift = np.exp(self._shifts)
        lift *= (choices.weight / np.einsum("nv,nv->n", usual[choices.kind], lift))[:, None]
        chosen, expected = choices.listed.copy(), np.zeros(usual.shape)
        np.add.at(chosen, (choices.kind, choices.value), choices.weight)
        np.add.at(expected, choices.kind, lift)
        self._unsettled = 0.0
        self._usual = _shares(chosen / (expected + choices.listed.sum(axis=1, keepdims=True)))


def _told(
    explained: _Explained, features: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[list[int]], NDArray[np.float64]]:
    """What choices tell of each word, float64 `[words, values]`: logarithms of how much likelier they are if it means
    the value than if it means none; the values that it means as well as its likeliest; and the coefficients of what
    nearness tells."""
    coefficients = _nothing_known(features)
    told = np.stack([explained.evidence(word)[0] for word in range(len(features))])
    also: list[list[int]] = [[] for _ in told]
    for _ in range(SWEEPS):
        # The clearest first: what they explain is not usual, and other words are not to explain it.
        for word in np.argsort(-told.max(axis=1), kind="stable").tolist():
            told[word], strength = explained.evidence(word)
            best = int(_posterior(features[word], coefficients, told[word])[1:].argmax())
            also[word], more, together = _alternatives(explained, word, best, float(told[word, best]))
            told[word, best] += more
            chance = np.exp(_posterior(features[word], coefficients, told[word]))[1:]
            shift = np.where(chance > _LITTLE, chance * strength, 0.0)
            if also[word] and chance[best] > _LITTLE:
                shift[[best, *also[word]]] = chance[best] * together
            explained.explain(word, shift)
        coefficients = _fitted(features, told)
    return told, also, coefficients


def _alternatives(explained: _Explained, word: int, best: int, told: float) -> tuple[list[int], float, float]:
    """The values that a word means as well if it means `best`, which choices tell by `told`: who says "ladies" takes
    what is for anybody, too. With each the choices have to be likelier than by the luckiest of all values. Returns
    them, by how much more they make choices tell, and how much likelier each of the values is then chosen."""
    meant, gained, rare = [best], 0.0, np.flatnonzero(explained.chosen(word) < FEWEST).tolist()
    so_far, together = told, 0.0
    while len(meant) < explained.values:
        with_one_more, strength = explained.evidence(word, meant)
        with_one_more[[*meant, *rare]] = -np.inf
        more = int(with_one_more.argmax())
        gain = float(with_one_more[more]) - so_far - np.log(explained.values)
        if gain <= 0:
            break
        meant.append(more)
        so_far, gained, together = so_far + gain + np.log(explained.values), gained + gain, float(strength[more])
    return meant[1:], gained, together


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9))


def _less_where_alike(weight: NDArray[np.float64], source: NDArray[np.int64]) -> NDArray[np.float64]:
    """The weights, all of them less where many are of one source (a design effect: Kish, 1965): less of those alone
    would make rare choices look frequent."""
    _, number = np.unique(source, return_inverse=True)
    total = np.bincount(number, weight)
    telling = (total / (1 + ALIKE * np.maximum(total - 1, 0))).sum() / total.sum()
    return np.asarray(weight * telling)


def _posterior(
    features: NDArray[np.float64], coefficients: NDArray[np.float64], told: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logarithms of the probabilities of meaning nothing, and each value: float64 `[..., 1 + values]`."""
    return np.asarray(log_softmax(_with_nothing(features @ coefficients + told), axis=-1))


def _nothing_known(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients by which every word means each of the values alike, wherever it lies."""
    return np.append(np.zeros(features.shape[2] - 1), np.log(MEANING / features.shape[1]))


def _with_nothing(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), values], axis=-1)


def _fitted(features: NDArray[np.float64], told: NDArray[np.float64]) -> NDArray[np.float64]:
    """The coefficients, float64 `[2 n + 1]`, under which what was chosen with the words is likeliest."""
    start = _nothing_known(features)
    spread = np.append(np.full(len(start) - 1, _SPREAD), _SPREAD_OF_ALL)

    def loss(coefficients: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        prior = log_softmax(_with_nothing(features @ coefficients), axis=1)
        joint = prior + _with_nothing(told)
        off = (np.exp(prior) - softmax(joint, axis=1))[:, 1:]
        far = (coefficients - start) / spread
        gradient = np.einsum("wv,wvk->k", off, features) + far / spread
        return float(far @ far / 2 - logsumexp(joint, axis=1).sum()), gradient

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)
