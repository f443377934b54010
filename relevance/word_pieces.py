"""A word to the pieces of a fixed vocabulary, so that a word never seen still has a meaning: the longest known piece
first (WordPiece: Schuster and Nakajima, "Japanese and Korean voice search", ICASSP 2012)."""

from collections.abc import Sequence

CONTINUED = "##"
"""Marks, in the vocabulary, a piece that does not begin a word."""

_LONGEST_WORD = 100


class WordPieces:
    """Splits words into pieces, numbered from 1 on in the order of `vocabulary`. An empty vocabulary has no pieces."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._numbers = {piece: 1 + i for i, piece in enumerate(vocabulary)}
        self._longest = max(map(len, vocabulary), default=0)

    def __contains__(self, word: str) -> bool:
        return word in self._numbers

    def split(self, word: str) -> tuple[int, ...]:
        """Returns the numbers of the pieces of `word`, () where they do not make up all of it."""
        if len(word) > _LONGEST_WORD or not self._numbers:
            return ()
        pieces: list[int] = []
        start = 0
        while start < len(word):
            mark = CONTINUED if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                number = self._numbers.get(mark + word[start:end])
                if number is not None:
                    break
            else:
                return ()
            pieces.append(number)
            start = end
        return tuple(pieces)
