"""`python -m eval queries`: part of a vocabulary is held out; what is left is for simulating behaviour, and queries in
both parts measure what a model makes of words that behaviour held and of words that it never saw.

The queries are drawn as the simulated searchers draw theirs (`eval.simulate.wishes`), so they flatter: hand-written
ones are harder.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from eval.inputs import NO_ANSWER
from eval.judgments import ALTERNATIVES
from eval.simulate.assumptions import Searchers
from eval.simulate.dice import Dice
from eval.simulate.existing import read_catalogue
from eval.simulate.languages import COLUMNS, Language
from eval.simulate.typing_errors import misspell
from eval.simulate.wishes import Catalogue, Wish, Wishes
from relevance.artifacts import refuse_foreign, writing
from relevance.dataset import Dataset
from relevance.errors import DataError

KIND = "queries"

LONG = (
    "i am looking for a {} in good condition",
    "where can i buy a nice {} online",
    "need {} for a party next weekend",
    "{} as a birthday gift please show me",
    "good quality {} for daily use at a low price",
)
"""Sentences that searchers of the simulator do not say."""

_TRIES = 200
"""Wishes drawn for one query wanted, before a kind is left short."""

Row = tuple[str, str, str, str, str, str]


@dataclass(frozen=True)
class Vocabulary:
    """nouns: category name -> words for it beside its name; languages: as `eval.simulate.languages` reads them."""

    nouns: dict[str, list[str]]
    languages: dict[str, Language]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Vocabulary":
        return cls({name: words[own:] for name, (words, own) in catalogue.words.items()}, dict(catalogue.languages))


def split(vocabulary: Vocabulary, share: float, dice: Dice) -> tuple[Vocabulary, Vocabulary]:
    """Returns the vocabulary without a random `share` of its words for things, and one of these words alone. Of every
    language, what is said of colours, genders and in addition stays in both."""
    kept, held = Vocabulary({}, {}), Vocabulary({}, {})
    kept_nouns, held_nouns = _split(vocabulary.nouns, share, dice)
    kept.nouns.update(kept_nouns)
    held.nouns.update(held_nouns)
    for name, language in vocabulary.languages.items():
        kept_nouns, held_nouns = _split(language.nouns, share, dice)
        kept.languages[name] = replace(language, nouns=kept_nouns)
        held.languages[name] = replace(language, nouns=held_nouns)
    return kept, held


def _split(nouns: Mapping[str, Sequence[str]], share: float, dice: Dice) -> tuple[dict[str, list[str]], ...]:
    """One word for two categories is held out of both, or of neither."""
    drawn: dict[str, bool] = {}
    for words in nouns.values():
        for word in words:
            drawn.setdefault(word, dice.chance(share))
    parts = tuple({name: [w for w in words if drawn[w] == held] for name, words in nouns.items()} for held in (0, 1))
    return tuple({name: words for name, words in part.items() if words} for part in parts)


class Asker:
    """Draws queries of every kind. each: queries of a kind."""

    def __init__(self, catalogue: Catalogue, kept: Vocabulary, held: Vocabulary, each: int, seed: int) -> None:
        self._catalogue, self._kept, self._held = catalogue, kept, held
        self._each = each
        self._dice = Dice((seed, 1))
        self._asked: set[str] = set()
        self._names = {name: words[:own] for name, (words, own) in catalogue.words.items()}
        self._called = _called(self._names, kept.nouns, held.nouns)

    def rows(self) -> Iterator[Row]:
        """Yields query, kind, type, gender, colour, title, the columns of `eval judgments`; no query twice."""
        known = {name: own + self._kept.nouns.get(name, []) for name, own in self._names.items()}
        yield from self._kind("head", self._names)
        yield from self._kind("synonym", self._kept.nouns)
        yield from self._kind("unseen", self._held.nouns)
        yield from self._kind("typo", known, typo=1.0)
        yield from self._kind("long", known, frames=LONG, gender=0.9, colour=0.6)
        for name, language in self._kept.languages.items():
            yield from self._kind(name, language.nouns, language, typo=0.25)
            yield from self._kind(f"{name}-unseen", self._held.languages[name].nouns, self._held.languages[name])

    def absent(self, things: Sequence[str]) -> Iterator[Row]:
        """Yields queries for things that the catalogue has not, every second one with a colour or a gender said."""
        wishes = Wishes(replace(self._catalogue, languages={}), self._dice, Searchers(absent=0, gender=1, brand=0))
        for i, thing in enumerate(things):
            query = _said(wishes.draw(), thing) if i % 2 else thing
            if self._new(query):
                yield query, NO_ANSWER, "", "", "", ""

    def _kind(
        self,
        kind: str,
        nouns: Mapping[str, Sequence[str]],
        language: Language | None = None,
        typo: float = 0.0,
        frames: Sequence[str] = ("{}",),
        gender: float = Searchers.gender,
        colour: float = Searchers.colour,
    ) -> Iterator[Row]:
        called = self._called if language is None else _called(nouns)
        languages = {} if language is None else {kind: language}
        own = {name: (list(nouns.get(name, ())), 0) for name in self._catalogue.words}
        foreign = float(language is not None)
        assume = Searchers(absent=0, gender=gender, colour=colour, foreign=foreign, brand=0.14 * (1 - foreign))
        wishes = Wishes(replace(self._catalogue, words=own, languages=languages), self._dice, assume)
        found = 0
        for _ in range(_TRIES * self._each):
            wish = wishes.draw()
            if found == self._each:
                return
            if not wish.words:
                continue
            noun = self._dice.pick(wish.words)
            said = self._dice.pick(frames).format(_said(wish, noun))
            mistyped = self._dice.chance(typo)
            query = misspell(said, self._dice) if mistyped else said
            if mistyped and query == said:  # its words are too short for an error
                continue
            if self._new(query):
                found += 1
                yield query, kind, ALTERNATIVES.join(called[_singular(noun)]), *self._constraints(wish)

    def _new(self, query: str) -> bool:
        new = query not in self._asked
        self._asked.add(query)
        return new

    def _constraints(self, wish: Wish) -> tuple[str, str, str]:
        accepted = (wish.constraints.get(self._catalogue.names.get(role, ""), []) for role in ("gender", "colour"))
        gender, colour = (ALTERNATIVES.join(values) for values in accepted)
        return gender, colour, wish.phrases.get("brand", "")


def _called(*vocabularies: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The categories that each word is said of, in whichever vocabulary: all of them answer it ("rucksack", said of
    backpacks, where rucksacks are a category of their own)."""
    called: dict[str, dict[str, None]] = defaultdict(dict)
    for nouns in vocabularies:
        for name, words in nouns.items():
            for word in words:
                called[_singular(word)][name] = None
    return {word: list(names) for word, names in called.items()}


def _singular(noun: str) -> str:
    return noun.removesuffix("s")


def _said(wish: Wish, noun: str) -> str:
    gender = wish.phrases.get("gender", "")
    trailing = gender if gender.startswith("for ") or wish.language else ""
    before = "" if trailing else gender
    parts = (before, wish.phrases.get("colour", ""), wish.phrases.get("brand", ""), noun, trailing)
    return " ".join(part for part in parts if part)


def command(
    dataset: Annotated[Path, typer.Option(help="Dataset folder of an existing catalogue.")],
    vocabulary: Annotated[list[Path], typer.Option(help="As for `simulate`; repeatable.")],
    out: Annotated[Path, typer.Option(help="Folder for queries.tsv and the vocabularies without what is held out.")],
    hold_out: Annotated[float, typer.Option(min=0, max=1, help="Share of the words for things.")] = 0.25,
    absent: Annotated[
        Path | None, typer.Option(help="Text file of things that the catalogue has not, one a line.")
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Queries of a kind.")] = 100,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Hold words out of a vocabulary, and ask in the words that stay and in those that do not."""
    refuse_foreign(out, KIND)
    _, catalogue = read_catalogue(Dataset.open(dataset), vocabulary)
    kept, held = split(Vocabulary.of(catalogue), hold_out, Dice((seed, 0)))
    asker = Asker(catalogue, kept, held, each, seed)
    rows = [*asker.rows(), *asker.absent(_things(absent) if absent else ())]
    with writing(out, KIND) as folder:
        _write(folder / "queries.tsv", ("query", "kind", "type", "gender", "colour", "title"), rows)
        _write(folder / "vocabulary.csv", ("category", COLUMNS[-1]), _nouns(kept.nouns))
        if kept.languages:
            _write(folder / "languages.csv", COLUMNS, _languages(kept.languages))
    counts = ", ".join(f"{kind} {count}" for kind, count in Counter(row[1] for row in rows).items())
    typer.echo(f"{len(rows):,} queries: {counts}\nwrote {out}")


def _things(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"--absent {path}: cannot be read as text: {error}") from error
    return [line.strip() for line in lines if line.strip()]


def _nouns(nouns: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    return [(name, ALTERNATIVES.join(words)) for name, words in nouns.items()]


def _languages(languages: Mapping[str, Language]) -> Iterator[tuple[str, str, str, str]]:
    for name, language in languages.items():
        for kind, phrases in (("type", language.nouns), *language.phrases.items()):
            for target, words in _nouns(phrases):
                yield name, kind, target, words
        yield name, "filler", "", ALTERNATIVES.join(language.fillers)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writerow(columns)
        writer.writerows(rows)
