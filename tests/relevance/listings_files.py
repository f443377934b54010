"""What the tests of files of listings write, and the categories these are in."""

from pathlib import Path

from relevance.ontology import Ontology

TREE = Ontology.from_paths(["cars", "bikes"], [["Cars"], ["Bikes"]])


def file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name
