"""How people ask in other languages than the site's: nouns, colours, genders and fillers from a vocabulary file."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from relevance.errors import DataError

COLUMNS = ("language", "kind", "target", "words_people_use")
KINDS = ("type", "gender", "colour", "filler")


@dataclass(frozen=True)
class Language:
    """nouns: category name -> words; phrases: role ("gender", "colour") -> the catalogue's value in lower case ->
    words; fillers: what is added to any wish."""

    nouns: dict[str, list[str]] = field(default_factory=dict)
    phrases: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(dict))
    fillers: list[str] = field(default_factory=list)


def is_multilingual(path: Path) -> bool:
    """Whether a vocabulary file is one of several languages, by its header."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.readline().startswith("language,")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"--vocabulary {path}: cannot be read: {error}") from error


def read_languages(paths: Sequence[Path]) -> dict[str, Language]:
    """Reads CSV files of the columns language, kind (type, gender, colour, filler), target and words_people_use (joined
    by |); raises DataError for another header or kind."""
    languages: dict[str, Language] = {}
    for path in paths:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        if missing := [name for name in COLUMNS if name not in table.columns]:
            raise DataError(f"--vocabulary {path}: no column {missing[0]!r}; expected {','.join(COLUMNS)}")
        for row, (name, kind, target, joined) in enumerate(table[list(COLUMNS)].itertuples(index=False), start=2):
            language = languages.setdefault(name, Language())
            words = [word for word in joined.split("|") if word]
            if kind not in KINDS:
                raise DataError(f"--vocabulary {path}: line {row}, kind: expected {', '.join(KINDS)}, found {kind!r}")
            if kind == "type":
                language.nouns[target] = words
            elif kind == "filler":
                language.fillers.extend(words)
            else:
                language.phrases[kind][target.lower()] = words
    return languages
