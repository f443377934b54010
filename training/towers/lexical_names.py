"""Words for things that nobody has used here yet, by a lexicon: a brolly is a kind of what is called umbrella here, a
timepiece what a watch is a kind of; a guitar is like nothing there is.

What is sold lies close together among all that a language has words for. So the sense in which a word is meant is the
one around which the names of the same branch of the ontology lie most densely.
"""

import warnings
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataWarning
from relevance.ontology import Ontology
from relevance.text import tokens
from training.towers.lexicon import NAMES, THINGS, Lexicon

DENSER = 1.2
"""A word is of the catalogue's world where its names lie so much more densely than everywhere (a logarithm)."""

LESS_COMMON = 0.3
"""What this has to be more for each commoner sense that a word has."""

MOST_NOUNS = 2000
"""Senses with more nouns beneath them are no field: an artifact, an instrument."""

COMMON = 0.04
"""A name that got less than this of what the commonest name of its category got may be a typing error."""

LEAST_SHARE = 0.02
"""Categories with less of a word are left out."""

MOST_CATEGORIES = 12
"""A word for things of more categories than this says too little."""

OVERLAP = 0.1
"""What two nouns have to share of their categories to be said of the same things."""

Shares = dict[int, float]
"""Of each category, its share."""


@dataclass(frozen=True)
class LexicalNames:
    """names: of nouns that stand for things of the catalogue, and of their plurals, the share of each category; absent:
    nouns for things like none of it. None of them is a name by which its things are called already. others: nouns that
    are no such names, of one word, or of several for a thing that is no kind of what is here."""

    names: Mapping[str, Shares]
    absent: tuple[str, ...]
    others: frozenset[str]


NO_NAMES = LexicalNames({}, (), frozenset())


def lexical_names(
    lexicon: Lexicon,
    ontology: Ontology,
    called: Mapping[str, Shares],
    known: frozenset[str],
    often: frozenset[str],
) -> LexicalNames:
    """Returns what the lexicon adds to the categories' names and to `called`: what people call things, normalised, with
    the weight of their choices in each category (-1 for listings without one). known: words that titles and queries
    have; a noun of several of these says itself what it is, unless its last word misleads; often: those that they have
    often enough to tell what they mean. With a DataWarning, nothing, where the lexicon has none of the names, or they
    are about nothing in common."""
    space, named = _Space(lexicon), _nouns(lexicon, ontology, called)
    at, density = _meanings(space, named, ontology.ancestor_at(1).tolist())
    if not at:
        warnings.warn(
            "the lexicon tells nothing of the catalogue's names (is it of another language?): it is left out",
            DataWarning,
            stacklevel=2,
        )
        return NO_NAMES
    placed = _Placed(space, at, density)
    names, absent, others = {}, [], set()
    for noun, senses in lexicon.senses.items():
        words = noun.split()
        if noun in named or noun in often:
            continue
        if shares := placed.likeliest(senses):
            if not _says_itself(words, known) or _misleads(lexicon, words, shares, named):
                names[noun] = shares
            continue
        if not known.issuperset(words) and _is_strange(space, density, senses):
            absent.append(noun)
        if _is_other(placed, words, senses, known):
            others.add(noun)
    plurals = {lexicon.plural(noun): shares for noun, shares in names.items()}
    names |= {plural: own for plural, own in plurals.items() if plural not in often}
    return LexicalNames(names, tuple(absent), frozenset(others))


def _is_strange(space: "_Space", density: NDArray[np.float64], senses: Sequence[int]) -> bool:
    """Whether a noun stands for things like none of the catalogue, in whatever sense."""
    return bool(space.highest(density, senses).max() <= 0) and space.lexicon.file[senses[0]] in THINGS


def _says_itself(words: Sequence[str], known: frozenset[str]) -> bool:
    """Whether a noun is of several words that are all known."""
    return len(words) > 1 and known.issuperset(words)


def _misleads(lexicon: Lexicon, words: Sequence[str], shares: Shares, named: Mapping[str, Shares]) -> bool:
    """Whether the last word of a noun is by itself a name of other things: a dressing gown is no dress, as a gown is.
    Where another of its words is a name, too, that tells ("clutch bag")."""
    of_last = _normalised(named.get(words[-1], {}))
    shared = sum(min(share, of_last.get(category, 0.0)) for category, share in shares.items())
    tell = any(word in named or lexicon.plural(word) in named for word in words[:-1])
    return bool(of_last) and shared < OVERLAP and not tell


def _is_other(placed: "_Placed", words: Sequence[str], senses: Sequence[int], known: frozenset[str]) -> bool:
    """Whether a noun that is no name stands for something else: a single word for anything but persons and places, or
    several, one of them known here, for a thing that is no kind of what is ("fan belt", but not "golf bag")."""
    file = placed.space.lexicon.file
    if len(words) == 1:
        return any(file[sense] != NAMES for sense in senses)
    is_thing = file[senses[0]] in THINGS and not any(map(placed.is_kind, senses))
    return is_thing and not known.isdisjoint(words)


def _nouns(lexicon: Lexicon, ontology: Ontology, called: Mapping[str, Shares]) -> dict[str, Shares]:
    """The nouns among the names, and what they weigh in each category."""
    most: Shares = defaultdict(float)
    for weights in called.values():
        for category, weight in weights.items():
            most[category] = max(most[category], weight)
    named: dict[str, Shares] = defaultdict(lambda: defaultdict(float))
    for words, weights in called.items():
        best, weight = max(weights.items(), key=lambda item: item[1])
        noun = lexicon.noun(words)
        if noun and weight >= COMMON * most[best]:
            for category, weight in weights.items():
                named[noun][category] += weight if category >= 0 else 0.0
    for category, path in enumerate(ontology.paths):
        own = tokens(path[-1])
        ends = (lexicon.noun(" ".join(own[first:])) for first in range(len(own)))
        if noun := next(filter(None, ends), None):
            named[noun][category] += max(most[category], 1.0)
    return named


def _meanings(
    space: "_Space", named: Mapping[str, Shares], branch: Sequence[int]
) -> tuple[dict[int, Shares], NDArray[np.float64]]:
    """The senses in which the nouns are meant in each branch of the ontology, with what they weigh in each category,
    and, float64 `[senses]`, how densely the nouns of the branch with most of them lie around each sense."""
    at: dict[int, Shares] = defaultdict(lambda: defaultdict(float))
    density = np.full(len(space.size), -np.inf)
    for top in sorted(set(branch)):
        own = {noun: {c: w for c, w in weights.items() if w and branch[c] == top} for noun, weights in named.items()}
        world = _World(space, {noun for noun, weights in own.items() if weights})
        density = np.maximum(density, world.density)
        for noun, weights in own.items():
            sense = world.meant(noun) if weights else None
            if sense is not None:
                for category, weight in weights.items():
                    at[sense][category] += weight
    return at, density


class _Space:
    """All senses: which lie above each, and how many nouns beneath."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.above = [np.array(lexicon.above(sense)) for sense in range(len(lexicon.nouns))]
        self.size = np.zeros(len(lexicon.nouns))
        for above, nouns in zip(self.above, lexicon.nouns, strict=True):
            self.size[above] += len(nouns)

    def highest(self, values: NDArray[np.float64], senses: Sequence[int]) -> NDArray[np.float64]:
        """Returns the highest of `values`, float64 `[all senses]`, at or above each of `senses`."""
        return np.array([values[self.above[sense]].max() for sense in senses])

    def likely(self, density: NDArray[np.float64], senses: Sequence[int]) -> NDArray[np.float64]:
        """Returns how likely a noun is meant in each of its `senses`, as a logarithm."""
        return self.highest(density, senses) - LESS_COMMON * np.arange(len(senses))


class _World:
    """What the names of one branch of the ontology are about. density: float64 `[senses]`, the logarithm of how many
    times more densely than everywhere they lie beneath each sense."""

    def __init__(self, space: _Space, nouns: Collection[str]) -> None:
        self._space, self._senses = space, space.lexicon.senses
        self._expected = len(nouns) / max(1, len(self._senses)) * space.size
        self._count = np.zeros(len(space.size))
        for noun in nouns:
            self._count[self._over(noun)] += 1 / len(self._senses[noun])
        self.density = self._densities(self._count)

    def meant(self, noun: str) -> int | None:
        """Returns the sense in which one of the names is meant, by all the others; None where that is not clear."""
        count = self._count.copy()
        count[self._over(noun)] -= 1 / len(self._senses[noun])
        senses = self._senses[noun]
        likely = self._space.likely(self._densities(count), senses)
        best = int(likely.argmax())
        return senses[best] if likely[best] >= DENSER else None

    def _over(self, noun: str) -> NDArray[np.int64]:
        return np.unique(np.concatenate([self._space.above[sense] for sense in self._senses[noun]]))

    def _densities(self, count: NDArray[np.float64]) -> NDArray[np.float64]:
        # One name more, found and expected: a single one says nothing.
        density = np.log((count + 1) / (self._expected + 1))
        return np.where(self._space.size <= MOST_NOUNS, density, 0.0)


class _Placed:
    """The senses that have names here, and to which categories another sense belongs by them."""

    def __init__(self, space: _Space, at: Mapping[int, Shares], density: NDArray[np.float64]) -> None:
        self.space, self._at, self._density = space, at, density
        self._beneath: dict[int, Shares] = defaultdict(lambda: defaultdict(float))
        for sense, weights in at.items():
            for above in space.above[sense].tolist():
                for category, weight in weights.items():
                    self._beneath[above][category] += weight**0.5

    def likeliest(self, senses: Sequence[int]) -> Shares:
        """Returns the shares of the likeliest of a noun's senses that is of the catalogue's world and has any."""
        likely = self.space.likely(self._density, senses)
        order = [i for i in np.argsort(-likely, kind="stable").tolist() if likely[i] >= DENSER]
        return next(filter(None, (self.shares(senses[i]) for i in order)), {})

    def is_kind(self, sense: int) -> bool:
        """Says whether the sense is, or is a kind of, one that has a name here."""
        return not self._at.keys().isdisjoint(self.space.above[sense].tolist())

    def shares(self, sense: int) -> Shares:
        """Returns those of the nearest sense that it is, or is a kind of; else, of a wider one, of all beneath it where
        these are few. Empty where there are neither."""
        for above in self.space.above[sense].tolist():
            if above in self._at:
                return _normalised(self._at[above])
        beneath = _normalised(self._beneath.get(sense, {}))
        return beneath if len(beneath) <= MOST_CATEGORIES else {}


def _normalised(weights: Shares) -> Shares:
    """Their shares, but for those that have none or hardly any."""
    least = LEAST_SHARE * (total := sum(weights.values()))
    return {category: weight / total for category, weight in sorted(weights.items()) if weight and weight >= least}
