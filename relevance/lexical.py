"""The lexical engine: what a classifieds site's search does today. Every word of the query has to occur in the
listing's text; hits come in BM25 order. The index is tantivy's; words are cut by `relevance.text.tokens`, so that the
lexical and the semantic engine read the same words."""

import re
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray

from relevance.text import tokens

_HEAP_BYTES = 64_000_000

MOST_LISTED = 200_000
"""Of the words of which any will do, the rarest are asked for, as long as they stand in so many rows together: looking
through a million rows of words that everything has takes milliseconds, and what they find says little."""

_LOOKED_AT = 1000

_AVERAGE = re.compile(r'"value": ([0-9.e+-]+),\s*"description": "avgdl')
"""Where an explained score has the average length."""


class LexicalIndex:
    """A read-only index over texts numbered from 0; think `words -> rows, best first`."""

    def __init__(self, index: tantivy.Index) -> None:
        _register_words(index)
        index.reload()
        self._schema = index.schema
        self._searcher = index.searcher()
        self._in_order = self._rows_are_documents()
        self._mean_length: float | None = None

    @classmethod
    def build(cls, texts: Iterable[str], folder: Path | None = None) -> "LexicalIndex":
        """Indexes `texts` in `folder` (made when missing), or in memory when `folder` is None."""
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("text", tokenizer_name="words", index_option="freq")
        schema.add_integer_field("row", fast=True)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        index = tantivy.Index(schema.build(), str(folder) if folder else None)
        _register_words(index)
        # One thread: rows then lie in the order they came, and equal scores keep it.
        writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        for row, text in enumerate(texts):
            writer.add_document(tantivy.Document(text=" ".join(tokens(text, limit=None)), row=row))
        writer.commit()
        writer.wait_merging_threads()
        return cls(index)

    @classmethod
    def open(cls, folder: Path) -> "LexicalIndex":
        """Opens what `build` wrote."""
        return cls(tantivy.Index.open(str(folder)))

    def search(self, query: str, k: int, every: bool = True) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns the rows (int64 `[m]`, m ≤ k) whose text has every word of `query`, or at least one of them, and
        their BM25 scores (float32 `[m]`), best first. A query without words matches nothing."""
        words = tokens(query)
        if not words or k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if not every:
            words = self._telling(words)
        hits = self._searcher.search(self._words(words, every), k, count=False).hits
        rows = self._rows([address for _, address in hits])
        return np.array(rows, np.int64), np.array([score for score, _ in hits], np.float32)

    def count(self, query: str) -> int:
        """Returns how many rows have every word of `query`."""
        words = tokens(query)
        if len(words) == 1:  # nothing is ever deleted from this index
            return int(self._searcher.doc_freq("text", words[0]))
        return int(self._searcher.search(self._words(words, True), 1).count) if words else 0

    def mean_length(self, words: Iterable[str]) -> float | None:
        """Returns how many words a row has on average, as BM25 reckons: tantivy tells it where it explains a score, so
        one of `words` has to stand in a row; None where none does, unless it was told before."""
        if self._mean_length is None:
            told = next(filter(None, map(self._explained_mean, words)), None)
            self._mean_length = float(told[1]) if told else None
        return self._mean_length

    def _explained_mean(self, word: str) -> re.Match[str] | None:
        query = self._words([word], True)
        hits = self._searcher.search(query, 1, count=False).hits
        return _AVERAGE.search(query.explain(self._searcher, hits[0][1]).to_json()) if hits else None

    def _telling(self, words: list[str]) -> list[str]:
        """The rarest of `words`, at least one, that stand in MOST_LISTED rows together at most."""
        words = list(dict.fromkeys(words))
        if len(words) * self._searcher.num_docs <= MOST_LISTED:
            return words
        counted = sorted((self._searcher.doc_freq("text", word), word) for word in words)
        most = list(accumulate(count for count, _ in counted))
        found = [word for (count, word), total in zip(counted, most, strict=True) if count and total <= MOST_LISTED]
        return found or [next((word for count, word in counted if count), words[0])]

    def _rows(self, addresses: list[tantivy.DocAddress]) -> list[int]:
        # The field is opened anew at every call: with a million rows that takes as long as a search for a rare word.
        if self._in_order:
            return [address.doc for address in addresses]
        return list(self._searcher.fast_field_values("row", addresses))

    def _rows_are_documents(self) -> bool:
        """Whether documents are numbered as the rows are: in one segment, written in order. Merged segments may have
        changed places, which some of the rows show."""
        if self._searcher.num_segments != 1:
            return False
        last = self._searcher.num_docs - 1
        documents = sorted({*range(0, last + 1, last // _LOOKED_AT + 1), last})
        addresses = [tantivy.DocAddress(0, document) for document in documents]
        return list(self._searcher.fast_field_values("row", addresses)) == documents

    def _words(self, words: list[str], every: bool) -> tantivy.Query:
        terms = [tantivy.Query.term_query(self._schema, "text", word, "freq") for word in dict.fromkeys(words)]
        occur = tantivy.Occur.Must if every else tantivy.Occur.Should
        return tantivy.Query.boolean_query([(occur, term) for term in terms])


def _register_words(index: tantivy.Index) -> None:
    """An index forgets on opening how its texts are cut: at the spaces that `tokens` has left between words."""
    index.register_tokenizer("words", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
