"""Words of queries that are typing errors made so often that they could pass for words: "sherts"."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from relevance.near_words import NearWords
from relevance.spelling import ONE_ERROR
from relevance.text import has_digits, tokens
from training.towers.corpus import Corpus, asked_texts

RARER = 20
"""An error is made in at most one of so many cases."""

SAME_KIND = 0.02
"""Share of the choices for the other word that lies in what is chosen most for this one. Of what is said of anything
("women") no category has much."""

FEWEST_LETTERS = 4
"""Of shorter words one error makes another word too easily."""


def misspelt_words(corpus: Corpus, well_spelt: Sequence[str]) -> frozenset[str]:
    """Returns the words of queries that stand in no listing and no category's name and are one error away from a word
    at least RARER times as frequent, for which people choose such things as well. well_spelt: known as words, as
    those of a text prior are."""
    paths = [corpus.ontology.path_text(position) for position in range(len(corpus.ontology))]
    listed = Counter(word for text in (*corpus.listings.titles, *paths) for word in set(tokens(text)))
    asked = Counter(word for query in asked_texts(corpus) for word in set(tokens(query)))
    chosen = _chosen(corpus)
    known = set(well_spelt) | set(listed)
    # A word of a single search is not learned anyway.
    suspects = [
        word for word, count in asked.items() if count > 1 and len(word) >= FEWEST_LETTERS and not has_digits(word)
    ]
    # A plural that no listing has is no error, nor the singular of one.
    suspects = [word for word in suspects if not {word, word.removesuffix("s"), f"{word}s"} & known]
    total = listed + asked
    frequent = sorted(word for word, count in total.items() if count >= RARER and len(word) >= FEWEST_LETTERS - 1)

    likely = NearWords(frequent)

    def near(word: str) -> Iterator[str]:
        found = likely.by_letters(word, ONE_ERROR)
        kind = max(chosen[word], key=lambda category: chosen[word][category])
        often = (other.word for other in found if total[other.word] >= RARER * asked[word])
        return (other for other in often if chosen[other][kind] >= SAME_KIND * chosen[other].total())

    return frozenset(word for word in suspects if any(near(word)))


def _chosen(corpus: Corpus) -> defaultdict[str, Counter[int]]:
    """What was chosen for the queries with each word, by category."""
    pairs = corpus.train
    words = [set(tokens(query)) for query in pairs.queries]
    chosen: defaultdict[str, Counter[int]] = defaultdict(Counter)
    columns = (pairs.query.tolist(), corpus.category[pairs.listing].tolist(), pairs.weight.tolist())
    for query, category, weight in zip(*columns, strict=True):
        for word in words[query]:
            chosen[word][category] += weight
    return chosen
