"""Words of queries that are typing errors made so often that they could pass for words: "sherts"."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from relevance.spelling import ONE_ERROR
from relevance.text import tokens
from training.towers.corpus import Corpus

RARER = 20
"""An error is made in at most one of so many cases."""

FEWEST_LETTERS = 5
"""Of shorter words one error makes another word too easily."""


def misspelt_words(corpus: Corpus, well_spelt: Sequence[str]) -> frozenset[str]:
    """Returns the words of queries that stand in no listing and no category's name and are one error away from a word
    at least RARER times as frequent, for which people choose the same kind of thing. well_spelt: known as words, as
    those of a text prior are."""
    paths = [corpus.ontology.path_text(position) for position in range(len(corpus.ontology))]
    listed = Counter(word for text in (*corpus.listings.titles, *paths) for word in set(tokens(text)))
    asked = Counter(word for query in corpus.train.queries for word in set(tokens(query)))
    kinds = _kinds(corpus)
    known = set(well_spelt) | set(listed)
    # A word of a single query is not learned anyway.
    suspects = [word for word, count in asked.items() if count > 1 and len(word) >= FEWEST_LETTERS and word.isalpha()]
    # A plural that no listing has is no error.
    suspects = [word for word in suspects if not {word, word.removesuffix("s")} & known]
    total = listed + asked
    frequent = sorted(word for word, count in total.items() if count >= RARER and len(word) >= FEWEST_LETTERS - 1)

    def near(word: str) -> Iterator[str]:
        found = process.extract(word, frequent, scorer=OSA.normalized_similarity, score_cutoff=ONE_ERROR, limit=None)
        return (other for other, _, _ in found if total[other] >= RARER * asked[word] and kinds[other] == kinds[word])

    return frozenset(word for word in suspects if any(near(word)))


def _kinds(corpus: Corpus) -> defaultdict[str, int]:
    """The category that got most of the choices of each word's queries."""
    pairs = corpus.train
    words = [set(tokens(query)) for query in pairs.queries]
    chosen: dict[str, Counter[int]] = defaultdict(Counter)
    columns = (pairs.query.tolist(), corpus.category[pairs.listing].tolist(), pairs.weight.tolist())
    for query, category, weight in zip(*columns, strict=True):
        for word in words[query]:
            chosen[word][category] += weight
    return defaultdict(lambda: -1, {word: counts.most_common(1)[0][0] for word, counts in chosen.items()})
