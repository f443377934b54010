"""Completions of what somebody is typing: categories by name, and words that find listings together with the words
before them."""

import heapq
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from relevance.seen import query_key
from relevance.text import tokens
from relevance.written import WrittenWords

if TYPE_CHECKING:
    from relevance.engine import Engine

_TRIED = 12
"""Words whose listings are counted: the most frequent ones of those that begin as the last word does."""

_END = "\U0010ffff"


@dataclass(frozen=True)
class Suggestion:
    """text: what to search; category: the path, where it is a category's name; listings: how many have all its words,
    None where they were not counted."""

    text: str
    category: str | None
    listings: int | None


class Suggester:
    """Think `"gaming k" -> ["Gaming keyboard" (a category), "gaming kit"]`. Safe to share between threads."""

    def __init__(
        self,
        words: Sequence[str],
        categories: Sequence[tuple[str, str]],
        written: WrittenWords,
        count: Callable[[str], int],
    ) -> None:
        """words: normalised, the most frequent first; categories: (name, path); written: how the words are shown;
        count: how many listings have all words of a text."""
        self._words = sorted((word, rank) for rank, word in enumerate(words))
        self._categories = sorted(
            (" ".join(parts[i:]), i, name, path)
            for name, path in categories
            for parts in [tokens(name)]
            for i in range(len(parts))
        )
        self._written, self._count = written, count

    @classmethod
    def of(cls, engine: "Engine", count: Callable[[str], int]) -> "Suggester":
        """A suggester over the words that training knows and the categories that have listings."""
        ontology, empty = engine.ontology, engine.categories.empty
        filled = [p for p in range(len(ontology)) if not empty[p : ontology.end[p]].all()]
        names = [(ontology.name(p), ontology.path_text(p)) for p in filled]
        return cls(engine.towers.featuriser.words, names, engine.written, count)

    def suggest(self, typed: str, k: int = 8) -> list[Suggestion]:
        """Returns at most `k` suggestions, no text twice; categories first, those with more listings before others."""
        words = tokens(typed, limit=100)
        if not words:
            return []
        found = self._matching_categories(" ".join(words), (k + 1) // 2)
        names = {query_key(suggestion.text) for suggestion in found}
        completed = [each for each in self._completed(words) if each.text not in names]
        return [*found, *(replace(each, text=self._written.shown(each.text, typed)) for each in completed)][:k]

    def _matching_categories(self, prefix: str, k: int) -> list[Suggestion]:
        """A name that begins so before one that only has a word that does; short before long. Each name once: what is
        searched is the name, in whichever of its categories."""
        first, end = bisect_left(self._categories, (prefix,)), bisect_left(self._categories, (prefix + _END,))
        best: dict[str, tuple[int, int, str, str]] = {}
        for _, start, name, path in self._categories[first:end]:
            found, said = (start, len(name), name, path), name.casefold()
            best[said] = min(found, best.get(said, found))
        return [Suggestion(name, path, None) for _, _, name, path in heapq.nsmallest(k, best.values())]

    def _completed(self, words: Sequence[str]) -> list[Suggestion]:
        before, last = " ".join(words[:-1]), words[-1]
        first, end = bisect_left(self._words, (last,)), bisect_left(self._words, (last + _END,))
        likely = heapq.nsmallest(_TRIED, self._words[first:end], key=lambda item: item[1])
        texts = [f"{before} {word}".strip() for word, _ in likely]
        counted = [Suggestion(text, None, self._count(text)) for text in texts]
        return sorted((each for each in counted if each.listings), key=lambda each: -(each.listings or 0))
