"""A lexical database as an optional input: which nouns a language has, in which senses, and what each is a kind of.

Read is the format of WordNet's database files (wndb(5WN), https://wordnet.princeton.edu/documentation/wndb5wn), as
Debian's `wordnet-base` and NLTK's `corpora/wordnet` bring them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from relevance.errors import DataError, quoted
from relevance.text import tokens

INDEX, DATA, IRREGULAR = "index.noun", "data.noun", "noun.exc"

_PLURALS = (
    ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y"), ("s", ""),
)  # fmt: skip
"""WordNet's own rules for nouns (morphy(7WN))."""

THINGS = frozenset({5, 6, 13, 17, 20, 27})
"""The lexicographer files of animals, artifacts, food, natural objects, plants and substances (lexnames(5WN)): what
somebody may offer."""

NAMES = -1
"""In place of a lexicographer file: names of persons and places, which are kinds of nothing."""

KIND, INSTANCE = "@", "@i"
"""Pointers to what a sense is a kind, or an instance, of."""


@dataclass(frozen=True)
class Lexicon:
    """senses: of each noun, normalised, the numbers of its senses, the commonest first; of each sense nouns: those that
    have it, kinds: the senses that it is a kind of, file: its lexicographer file or NAMES."""

    senses: Mapping[str, tuple[int, ...]]
    nouns: tuple[tuple[str, ...], ...]
    kinds: tuple[tuple[int, ...], ...]
    file: tuple[int, ...]
    irregular: Mapping[str, str]

    def noun(self, words: str) -> str | None:
        """Returns the noun that `words` (normalised) are, or are the plural of; None where there is none."""
        return next((noun for noun in self._singulars(words) if noun in self.senses), None)

    def above(self, sense: int) -> list[int]:
        """Returns a sense and all that it is a kind of, the nearest first."""
        found = [sense]
        for one in found:
            found += [kind for kind in self.kinds[one] if kind not in found]
        return found

    def _singulars(self, words: str) -> Iterator[str]:
        yield words
        if words in self.irregular:
            yield self.irregular[words]
        for plural, singular in _PLURALS:
            if words.endswith(plural):
                yield words.removesuffix(plural) + singular


def read_lexicon(folder: Path) -> Lexicon:
    """Reads the nouns of a WordNet database; raises DataError, with file and line, for one that is none."""
    places: dict[int, int] = {}
    nouns: list[tuple[str, ...]] = []
    pointers: list[list[int]] = []
    file: list[int] = []
    for at, fields in _lines(folder / DATA, "the words and pointers of a sense"):
        with at:
            places[int(fields[0])] = len(nouns)
            count = int(fields[3], 16)
            first = 4 + 2 * count
            words = fields[4:first:2]
            symbols, offsets = fields[first + 1 :: 4], fields[first + 2 :: 4]
            number = int(fields[first])
            pointed = dict.fromkeys(zip(symbols[:number], offsets[:number], strict=True))
            pointers.append([int(offset) for symbol, offset in pointed if symbol == KIND])
            nouns.append(tuple(map(_normalised, words)))
            file.append(NAMES if any(symbol == INSTANCE for symbol, _ in pointed) else int(fields[1]))
    senses: dict[str, tuple[int, ...]] = {}
    for at, fields in _lines(folder / INDEX, "a noun and its senses"):
        with at:
            noun = _normalised(fields[0])
            if noun:
                senses.setdefault(noun, tuple(places[int(offset)] for offset in fields[-int(fields[2]) :]))
    irregular = {}
    for at, fields in _lines(folder / IRREGULAR, "a plural and its singular"):
        with at:
            irregular[_normalised(fields[0])] = _normalised(fields[1])
    kinds = tuple(tuple(places[offset] for offset in own if offset in places) for own in pointers)
    return Lexicon(senses, tuple(nouns), kinds, tuple(file), irregular)


class _At:
    """Turns what goes wrong with a line into a DataError that names it."""

    def __init__(self, path: Path, number: int, line: str, expected: str) -> None:
        self._said = (
            f"--lexicon {path}, line {number}: expected {expected}, as WordNet writes them, found {quoted(line)}"
        )

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, ValueError | IndexError | KeyError):
            raise DataError(self._said) from error


def _lines(path: Path, expected: str) -> Iterator[tuple[_At, list[str]]]:
    """The fields of each line before its gloss; the licence at the head is indented."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"--lexicon {path.parent}: cannot read {path.name} ({error}); expected a folder with WordNet's "
            f"{INDEX}, {DATA} and {IRREGULAR}"
        ) from error
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith(" "):
            yield _At(path, number, line, expected), line.split(" | ", 1)[0].split()


def _normalised(words: str) -> str:
    return " ".join(tokens(words.replace("_", " ")))
