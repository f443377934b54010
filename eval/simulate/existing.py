"""An existing catalogue as simulated searchers see it."""

import shutil
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eval.simulate.languages import is_multilingual, read_languages
from eval.simulate.marketplace import table
from eval.simulate.wishes import Catalogue
from relevance.dataset import LISTING_FILES, Dataset, Listings
from relevance.errors import DataError, DataWarning, listed
from relevance.moved import NAME as MOVED
from relevance.ontology import Ontology
from relevance.text import tokens

_FEWEST_OF_A_BRAND = 20
_TOLD = ("rejected.csv", "missing_photos.csv")


def read_catalogue(source: Dataset, vocabularies: Sequence[Path]) -> tuple[Listings, Catalogue]:
    """Reads a dataset's listings, and the words people use for its categories from its own names and from
    vocabularies (CSV: category name, words joined by |; or one of several languages). What the sellers gave counts as
    true."""
    foreign = [path for path in vocabularies if is_multilingual(path)]
    vocabularies = [path for path in vocabularies if path not in foreign]
    ontology = source.read_ontology()
    listings = source.read_listings(ontology)
    category = [-1 if name is None else ontology.position(name) for name in listings.category_ids]
    if max(category, default=-1) < 0:
        raise DataError(f"{source.root}: no listing has a category; searches cannot be simulated over it")
    catalogue = Catalogue(
        ontology=ontology,
        category=category,
        attributes=_with_brands(listings),
        words=_words(ontology, sorted(set(category) - {-1}), vocabularies),
        title_words=frozenset(word for title in listings.titles for word in tokens(title)),
        languages=read_languages(foreign),
    )
    return listings, catalogue


def _words(ontology: Ontology, used: Sequence[int], vocabularies: Sequence[Path]) -> dict[str, tuple[list[str], int]]:
    words = {ontology.name(position): [" ".join(tokens(ontology.name(position)))] for position in used}
    for path in vocabularies:
        unknown = []
        for name, said in _vocabulary(path):
            if name in words:
                words[name] += [word for word in said.split("|") if word and word not in words[name]]
            else:
                unknown.append(name)
        if unknown:
            what = f"{len(unknown):,} rows whose category is no name of one with listings ({listed(unknown)})"
            warnings.warn(f"--vocabulary {path}: left out: {what}; a path is none", DataWarning, stacklevel=3)
    return {name: (found, 1) for name, found in words.items()}


def _vocabulary(path: Path) -> list[tuple[str, str]]:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DataError(f"--vocabulary {path}: cannot be read as CSV: {error}") from error
    key = next((name for name in ("category", "article_type") if name in table.columns), None)
    if key is None or "words_people_use" not in table.columns:
        found = ", ".join(table.columns)
        raise DataError(f"--vocabulary {path}: expected the columns category,words_people_use, found {found}")
    return list(zip(table[key], table["words_people_use"], strict=True))


def _with_brands(listings: Listings) -> list[dict[str, Any]]:
    """The attributes; where there is no brand among them, a title's first word serves, if many titles share it."""
    attributes = [dict(values) for values in listings.attributes]
    roles = table("searchers")["attributes"]
    if any(name in values for values in attributes for name in roles["brand"]):
        return attributes
    first = [next(iter(tokens(title)), "") for title in listings.titles]
    counts = Counter(first)
    for values, word in zip(attributes, first, strict=True):
        if counts[word] >= _FEWEST_OF_A_BRAND and len(word) > 2:
            values["brand"] = word
    return attributes


def span(times: Any, missing: int) -> Any:
    """Returns datetime64[ms] `[n]` as int64 epoch milliseconds, `missing` for NaT."""
    return np.where(np.isnat(times), missing, times.astype("datetime64[ms]").astype(np.int64))


def written(folder: Path) -> set[str]:
    """Returns what `eval simulate` writes itself of what lies in a dataset's folder: a catalogue and what is told of
    it, and an earlier simulation's events, which have their truth beside them. Events without one are of people."""
    simulated = {"events.parquet", "truth"} if (folder / "truth").is_dir() else set()
    return simulated | {"categories.csv", MOVED, "images", *LISTING_FILES, *_TOLD}


def copy_catalogue(source: Dataset, folder: Path) -> None:
    """Copies categories, listings, photos (as hard links where the file system allows it) and what is told of them; not
    events, not truth."""
    source.read_ontology().write(folder / source.categories_path.name)
    for name in (source.listings_path.name, *_TOLD):
        if (source.root / name).is_file():
            shutil.copy(source.root / name, folder / name)
    if source.images_dir.is_dir():
        try:
            shutil.copytree(source.images_dir, folder / "images", copy_function=_link)
        except OSError:
            shutil.rmtree(folder / "images", ignore_errors=True)
            shutil.copytree(source.images_dir, folder / "images")


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
