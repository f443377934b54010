"""Queries nobody has asked yet, made of what people call a kind of thing and of one listing's attributes: "moccasins",
seen in behaviour, and the colour of a shoe. So every word for a thing is learned with every colour and gender."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from random import Random

import numpy as np

from relevance.text import tokens
from training.towers.corpus import Corpus

SAME_VALUE = 0.6
"""A word stands for an attribute's value when so much of what was chosen with it has that value, ..."""

TOLD = 3.0
"""... with odds so many times as high as in the catalogue, ..."""

SPREAD = 3
"""... and it was said of so many categories: a word of one category is a name of its things."""

MOST_WORDS = 3
"""Words of a query, once attributes and fillers are taken out of it, that may be the name of a thing."""

FEWEST_CHOICES = 0.75
"""Weight of the choices behind a name or a word for a value: one click, or one borrowed, may be a stray one."""

CLEAR = 0.5
"""A name belongs to a category that got at least so much of its choices."""


class Composer:
    """Knows what things of each category are called: the category's own name, and the queries that led there. called:
    of these queries, less what else they say, the weight of the choices in each category."""

    def __init__(self, corpus: Corpus, fillers: Sequence[str]) -> None:
        self._corpus = corpus
        self.called: dict[str, dict[int, float]] = {}
        self._names: dict[int, list[str]] = defaultdict(list)
        self._weights: dict[int, list[float]] = defaultdict(list)
        for category in sorted(set(corpus.category.tolist()) - {-1}):
            self._add(category, " ".join(tokens(corpus.ontology.name(category))), 4.0)
        # A brand that makes things for women alone does not mean women.
        self._values = value_words(corpus, {word for title in corpus.listings.titles for word in tokens(title)})
        said = frozenset(word for _, words in self._values.items() for word in words)
        self._learn(no_names=frozenset(fillers) | attribute_words(corpus) | said)

    def queries(self, each: int, dice: Random) -> list[tuple[str, int]]:
        """Returns `each` queries for every listing of known category, with its row."""
        rows = [row for row, category in enumerate(self._corpus.category.tolist()) if category >= 0]
        return [(self._query(self._name(row, dice), row, dice), row) for row in rows for _ in range(each)]

    def named(self, names: Mapping[str, Mapping[int, float]], each: int, dice: Random) -> list[tuple[str, int]]:
        """Returns `each` queries with every name, and the row of a listing in one of its categories, drawn by their
        shares."""
        own, ontology = self._corpus.category, self._corpus.ontology
        order = own.argsort(kind="stable")
        ends = own[order].searchsorted(np.array([np.arange(len(ontology)), ontology.end]))
        made = []
        for name, shares in names.items():
            # Rows of a category and those below it are one range of `order`.
            sold = [category for category in shares if ends[0, category] < ends[1, category]]
            weights = [shares[category] for category in sold]
            for category in dice.choices(sold, weights, k=each) if sold else ():
                row = int(order[dice.randrange(*ends[:, category].tolist())])
                made.append((self._query(name, row, dice), row))
        return made

    def _name(self, row: int, dice: Random) -> str:
        category = int(self._corpus.category[row])
        return dice.choices(self._names[category], self._weights[category])[0]

    def _query(self, name: str, row: int, dice: Random) -> str:
        values = [(key, value) for key, value in self._corpus.listings.attributes[row].items() if value]
        kept = dice.sample(values, min(len(values), dice.choice((0, 1, 1, 2))))
        said = [self._said(key, str(value), dice) for key, value in kept]
        cut = dice.randrange(len(said) + 1)
        return " ".join(word for word in (*said[:cut], name, *said[cut:]) if word)

    def _said(self, key: str, value: str, dice: Random) -> str:
        """The value as the catalogue writes it, or half of the time in a word that people use for it."""
        words = self._values.get((key, value))
        return dice.choice(words) if words and dice.random() < 0.5 else " ".join(tokens(value))

    def _add(self, category: int, name: str, weight: float) -> None:
        self._names[category].append(name)
        self._weights[category].append(weight)

    def _learn(self, no_names: frozenset[str]) -> None:
        pairs = self._corpus.train
        votes: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        names = [" ".join(word for word in tokens(query) if word not in no_names) for query in pairs.queries]
        for query, listing, weight in zip(
            pairs.query.tolist(), pairs.listing.tolist(), pairs.weight.tolist(), strict=True
        ):
            if 0 < len(names[query].split()) <= MOST_WORDS:
                votes[names[query]][int(self._corpus.category[listing])] += weight
        self.called = {name: dict(by_category) for name, by_category in sorted(votes.items())}
        for name, by_category in self.called.items():
            category, most = max(by_category.items(), key=lambda item: item[1])
            if category >= 0 and most >= FEWEST_CHOICES and most >= CLEAR * sum(by_category.values()):
                self._add(category, name, float(np.sqrt(most)))


def value_words(corpus: Corpus, written: Set[str]) -> dict[tuple[str, str], list[str]]:
    """Returns the words of queries that stand for an attribute's value, by attribute and value: "negra" for black; but
    none of those `written`."""
    attributes = corpus.listings.attributes
    base: dict[tuple[str, str], int] = defaultdict(int)
    for values in attributes:
        for key, value in values.items():
            base[key, str(value)] += 1
    chosen: dict[str, dict[tuple[str, str], float]] = defaultdict(lambda: defaultdict(float))
    total: dict[str, float] = defaultdict(float)
    categories: dict[str, set[int]] = defaultdict(set)
    pairs = corpus.train
    words = [dict.fromkeys(tokens(query)) for query in pairs.queries]
    columns = (pairs.query.tolist(), pairs.listing.tolist(), pairs.weight.tolist())
    for query, listing, weight in zip(*columns, strict=True):
        for word in words[query]:
            total[word] += weight
            categories[word].add(int(corpus.category[listing]))
            for key, value in attributes[listing].items():
                chosen[word][key, str(value)] += weight
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for word, of_values in sorted(chosen.items()):
        if word in written or total[word] < FEWEST_CHOICES or len(categories[word]) < SPREAD:
            continue
        for value, weight in of_values.items():
            share = weight / total[word]
            usual = base[value] / len(attributes)
            if share >= SAME_VALUE and share * (1 - usual) >= TOLD * usual * (1 - share):
                found[value].append(word)
    return dict(found)


def attribute_words(corpus: Corpus) -> frozenset[str]:
    """Returns the words of the listings' attribute values."""
    return frozenset(
        word for values in corpus.listings.attributes for value in values.values() for word in tokens(str(value))
    )
