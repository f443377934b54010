"""`python -m eval judgments`: hand-written queries, with the attributes that answer them, become graded judgments.

A listing is graded by its category and by the constraints that the query states (gender, colour, a word of the title):
see `eval.grades`. The true categories and attributes are used where the dataset knows them (`truth/`), else the given.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from eval.grades import Grader, Grades, grade
from eval.inputs import NO_ANSWER, positions, read_any, read_truth
from relevance.artifacts import refuse_foreign, writing
from relevance.dataset import Dataset, Listings
from relevance.fields import refuse, texts
from relevance.ontology import Ontology
from relevance.text import tokens

KIND = "judgments"
ALTERNATIVES = "|"


@dataclass(frozen=True)
class Wish:
    """A query and what answers it: for each column the values that will do, () for any."""

    query: str
    kind: str
    types: tuple[str, ...]
    gender: tuple[str, ...]
    colour: tuple[str, ...]
    title: tuple[str, ...]


class Judge:
    """Grades the listings of a catalogue for wishes."""

    def __init__(self, grader: Grader, titles: Sequence[str], gender_attribute: str, colour_attribute: str) -> None:
        self._grader = grader
        self._names: dict[str, list[int]] = {}
        for position in range(len(grader.ontology)):
            self._names.setdefault(grader.ontology.name(position).casefold(), []).append(position)
        self._title_words = [frozenset(tokens(title, limit=None)) for title in titles]
        self._attributes = {"gender": gender_attribute, "colour": colour_attribute}

    def unknown_types(self, wish: Wish) -> list[str]:
        """Returns the types that no category is named after."""
        return [name for name in wish.types if name.casefold() not in self._names]

    def grades(self, wish: Wish) -> Grades:
        """Returns int8 `[n]`, the grade of each listing."""
        n = len(self._grader)
        if wish.kind == NO_ANSWER:
            return np.zeros(n, np.int8)
        wanted = [at for name in wish.types for at in self._names.get(name.casefold(), [])]
        holds = self._grader.holds(wanted) if wish.types else np.ones(n, np.bool_)
        failed = np.zeros(n, np.int8)
        for column, attribute in self._attributes.items():
            if values := getattr(wish, column):
                failed += self._grader.fails(attribute, values)
        if wish.title:
            failed += ~self._titled(wish.title)
        return grade(holds, failed, self._grader.beside(wanted))

    def _titled(self, alternatives: Sequence[str]) -> NDArray[np.bool_]:
        """Bool `[n]`: the title has every word of one of the alternatives."""
        wanted = [frozenset(tokens(text)) for text in alternatives]
        return np.array([any(words <= title for words in wanted) for title in self._title_words], np.bool_)


def read_wishes(path: Path) -> list[Wish]:
    """Reads the columns query, kind, type, gender, colour, title; alternatives are joined by `|`, empty means any.

    Raises DataError for an empty or repeated query, for one that states nothing and is not of the kind `none`,
    and for an alternative of the title without words.
    """
    columns = ("query", "kind", "type", "gender", "colour", "title")
    table = read_any(path, columns[:3], columns[3:])
    rows = list(zip(*(texts(table, name) for name in columns), strict=True))
    seen: set[str] = set()
    wishes = []
    for i, (query, kind, *stated) in enumerate(rows):
        if not query.strip() or query in seen:
            refuse(table, "query", [i], "each query once, and not empty")
        seen.add(query)
        if kind != NO_ANSWER and not any(stated):
            refuse(table, "type", [i], f"what answers the query, or the kind {NO_ANSWER!r}")
        wish = Wish(query, kind, *map(_alternatives, stated))
        if not all(map(tokens, wish.title)):  # no word is in every title
            refuse(table, "title", [i], "words of a title, or nothing")
        wishes.append(wish)
    return wishes


def _alternatives(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(ALTERNATIVES) if part.strip())


def write_judgments(folder: Path, wishes: Sequence[Wish], judge: Judge, listing_ids: Sequence[str]) -> list[int]:
    """Writes judgments.csv (query, listing_id, grade; grades of at least 1) and queries.csv (query, kind); returns how
    many listings are judged for each query."""
    counts = []
    with open(folder / "judgments.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("query", "listing_id", "grade"))
        for wish in wishes:
            rows = list(_judged(wish, judge.grades(wish), listing_ids))
            writer.writerows(rows)
            counts.append(len(rows))
    with open(folder / "queries.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("query", "kind"))
        writer.writerows((wish.query, wish.kind) for wish in wishes)
    return counts


def _judged(wish: Wish, grades: Grades, listing_ids: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Best first, then in the order of the catalogue."""
    order = np.argsort(-grades, kind="stable")
    for row in order[: int((grades > 0).sum())].tolist():
        yield wish.query, listing_ids[row], int(grades[row])


def _grader(dataset: Dataset, ontology: Ontology, listings: Listings) -> Grader:
    """By the truth where the dataset has it, else by what sellers gave."""
    if not (dataset.truth_dir / "listings.parquet").is_file():
        return Grader(ontology, positions(ontology, listings.category_ids), listings.attributes)
    return read_truth(dataset, ontology, listings)


def command(
    dataset: Annotated[Path, typer.Option(help="Dataset folder.")],
    queries: Annotated[Path, typer.Option(help="Columns query, kind, type, gender, colour, title (.tsv, .csv).")],
    out: Annotated[Path, typer.Option(help="Folder for judgments.csv and queries.csv.")],
    gender_attribute: Annotated[str, typer.Option(help="The attribute that `gender` speaks of.")] = "gender",
    colour_attribute: Annotated[str, typer.Option(help="The attribute that `colour` speaks of.")] = "baseColour",
) -> None:
    """Grade a catalogue for hand-written queries by its categories and attributes."""
    refuse_foreign(out, KIND)
    folder = Dataset.open(dataset)
    ontology = folder.read_ontology()
    listings = folder.read_listings(ontology)
    judge = Judge(_grader(folder, ontology, listings), listings.titles, gender_attribute, colour_attribute)
    wishes = read_wishes(queries)
    for wish in wishes:
        for name in judge.unknown_types(wish):
            print(f"note: {queries}: {wish.query!r}: no category is named {name!r}", file=sys.stderr)
    with writing(out, KIND) as temporary:
        counts = write_judgments(temporary, wishes, judge, listings.ids)
    answered = sum(count > 0 for count in counts)
    typer.echo(f"judgments: {out}: {len(wishes)} queries, {answered} with an answer, {sum(counts):,} graded listings")
