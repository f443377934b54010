"""A lexical database as an optional input: which nouns a language has, in which senses, and what each is a kind of.

Read is the format of WordNet's database files (wndb(5WN), https://wordnet.princeton.edu/documentation/wndb5wn), as
Debian's `wordnet-base` and NLTK's `corpora/wordnet` bring them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

from relevance.errors import DataError, quoted
from relevance.text import tokens

T = TypeVar("T")

INDEX, DATA, IRREGULAR = "index.noun", "data.noun", "noun.exc"

_PLURALS = (
    ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y"), ("s", ""),
)  # fmt: skip
"""WordNet's own rules for nouns (morphy(7WN)): plural and singular endings."""

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

    def plural(self, noun: str) -> str:
        """Returns the plural of a noun, by the rules; of one that ends as plurals do ("slacks") the noun itself."""
        if noun in self._irregular_plurals:
            return self._irregular_plurals[noun]
        if noun.endswith("s") and not noun.endswith("ss"):
            return noun
        after_vowel = noun.endswith("y") and noun[-2:-1] in "aeiou"  # toys, and not "toies"
        plural, singular = _PLURALS[-1] if after_vowel else next(rule for rule in _PLURALS if noun.endswith(rule[1]))
        return noun.removesuffix(singular) + plural

    @cached_property
    def _irregular_plurals(self) -> dict[str, str]:
        return {singular: plural for plural, singular in self.irregular.items()}

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
    found = list(_parsed(folder / DATA, _sense, "the words and pointers of a sense"))
    places = {sense.offset: number for number, sense in enumerate(found)}

    def noun(fields: list[str]) -> tuple[str, tuple[int, ...]]:
        return _normalised(fields[0]), tuple(places[int(offset)] for offset in fields[-int(fields[2]) :])

    def plural(fields: list[str]) -> tuple[str, str]:
        return _normalised(fields[0]), _normalised(fields[1])

    senses: dict[str, tuple[int, ...]] = {}
    for words, own in _parsed(folder / INDEX, noun, "a noun and its senses"):
        if words:
            senses.setdefault(words, own)
    return Lexicon(
        senses=senses,
        nouns=tuple(sense.nouns for sense in found),
        kinds=tuple(tuple(places[kind] for kind in sense.kinds if kind in places) for sense in found),
        file=tuple(sense.file for sense in found),
        irregular=dict(_parsed(folder / IRREGULAR, plural, "a plural and its singular")),
    )


class _Sense(NamedTuple):
    """A line of DATA: where it stands there, and in the same terms what it is a kind of."""

    offset: int
    nouns: tuple[str, ...]
    kinds: tuple[int, ...]
    file: int


def _sense(fields: list[str]) -> _Sense:
    words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
    rest = fields[4 + 2 * int(fields[3], 16) :]
    pointers = list(zip(rest[1::4], rest[2::4], strict=False))[: int(rest[0])]
    is_name = any(symbol == INSTANCE for symbol, _ in pointers)
    return _Sense(
        int(fields[0]),
        tuple(map(_normalised, words)),
        tuple(dict.fromkeys(int(offset) for symbol, offset in pointers if symbol == KIND)),
        NAMES if is_name else int(fields[1]),
    )


def _parsed(path: Path, parse: Callable[[list[str]], T], expected: str) -> Iterator[T]:
    """What `parse` makes of the fields of each line, up to its gloss; the licence at the head is indented."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"--lexicon {path.parent}: cannot read {path.name} ({error}); expected a folder with WordNet's "
            f"{INDEX}, {DATA} and {IRREGULAR}"
        ) from error
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith(" "):
            try:
                yield parse(line.split(" | ", 1)[0].split())
            except (ValueError, IndexError, KeyError) as error:
                what = f"expected {expected}, as WordNet writes them, found {quoted(line)}"
                raise DataError(f"--lexicon {path}, line {number}: {what}") from error


def _normalised(words: str) -> str:
    return " ".join(tokens(words.replace("_", " ")))
