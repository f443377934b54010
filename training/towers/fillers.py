"""Words that say little of what is wanted: "cheap", "looking for", "next week"."""

from collections import Counter
from dataclasses import dataclass
from random import Random

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from relevance.text import tokens
from relevance.word_pieces import CONTINUED
from training.towers.compose import attribute_words, value_words
from training.towers.corpus import Corpus
from training.towers.prior import TextPrior, unit_rows

FILLER_CATEGORIES = 8
"""Categories (or a twentieth of them all, if that is more) that a word must have led to, to be a filler."""

RARE = 2000
"""A filler stands in fewer than one title in so many: a brand leads everywhere, too, but says something."""

FEWEST = 20
"""Fillers, and words for things, from which on it can be learned how they differ."""

LIKE_THEM = 0.2
"""Chance of being a word for a thing below which a word of the prior is a filler."""

FOR_THINGS = 0.4
"""... and from which on it may stand for a thing."""


@dataclass(frozen=True)
class Fillers:
    """said: those of the behaviour; like_them: words of the text prior, of no title or query, that are like these;
    no_things: words of the prior that hardly stand for a thing."""

    said: tuple[str, ...] = ()
    like_them: tuple[str, ...] = ()
    no_things: frozenset[str] = frozenset()

    def draw(self, n: int, dice: Random) -> list[str]:
        """Returns `n` of them, each kind as often as the other; none where there are none."""
        kinds = [kind for kind in (self.said, self.like_them) if kind]
        return [dice.choice(dice.choice(kinds)) for _ in range(n if kinds else 0)]


NO_FILLERS = Fillers()


def find_fillers(corpus: Corpus, prior: TextPrior) -> Fillers:
    """Returns the fillers of the behaviour and, by a logistic model that tells them from words for things by the
    prior's vectors, words of the prior that nobody has used here yet."""
    said, written = said_fillers(corpus)
    things = corpus.ontology.name_words
    numbers = {piece: i for i, piece in enumerate(prior.pieces)}
    for_things, fillers = ([numbers[w] for w in words if w in numbers] for words in (sorted(things - set(said)), said))
    if min(len(for_things), len(fillers)) < FEWEST:
        return Fillers(tuple(said))
    vectors = unit_rows(prior.vectors)
    labels = np.repeat([True, False], [len(for_things), len(fillers)])
    model = LogisticRegression(C=5.0, class_weight="balanced", max_iter=1000)
    model.fit(vectors[[*for_things, *fillers]], labels)
    chance = model.predict_proba(vectors)[:, 1]
    used = {word for text in (*corpus.listings.titles, *corpus.train.queries) for word in tokens(text)} | things
    words = {piece: chance[i] for piece, i in numbers.items() if piece.isalpha() and not piece.startswith(CONTINUED)}
    common = [word for word in written if words.get(word, 1.0) < LIKE_THEM]
    return Fillers(
        tuple(sorted([*said, *common])),
        tuple(sorted(word for word, own in words.items() if own < LIKE_THEM and len(word) > 1 and word not in used)),
        frozenset(word for word, own in words.items() if own < FOR_THINGS),
    )


def said_fillers(corpus: Corpus) -> tuple[list[str], list[str]]:
    """Returns the words of queries that led to listings of many categories ("cheap", "for", "condition"), are no
    category's name and say nothing of an attribute: they say little about what is wanted where they hardly stand in
    titles; and those that do stand there, which may be brands."""
    say_values = {word for words in value_words(corpus, frozenset()).values() for word in words}
    meaningful = corpus.ontology.name_words | attribute_words(corpus) | say_values
    titles = Counter(word for title in corpus.listings.titles for word in set(tokens(title)))
    chosen = corpus.category[corpus.train.listing]
    words = [tokens(query) for query in corpus.train.queries]
    pairs = pd.DataFrame({"word": [words[query] for query in corpus.train.query], "category": chosen}).explode("word")
    spread = pairs.groupby("word")["category"].nunique()
    enough = max(FILLER_CATEGORIES, len(np.unique(chosen)) // 20)
    # A single character of a script without spaces is part of a word.
    whole = (str(word) for word in spread.index[spread >= enough] if len(word) > 1 or word.isascii())
    wide = sorted(word for word in whole if word not in meaningful)
    in_titles = {word for word in wide if titles[word] * RARE >= len(corpus.listings.titles)}
    return [word for word in wide if word not in in_titles], sorted(in_titles)
