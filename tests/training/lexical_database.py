"""A small lexical database for tests, written as WordNet's files are."""

from collections.abc import Iterable, Sequence
from pathlib import Path

ARTIFACT, PLANT = 6, 20
LICENCE = "  1 This is the licence of a lexical database that nobody has made.\n"

Sense = tuple[str, Sequence[str], Iterable[str]]
"""Its key, its nouns, and the keys of what it is a kind of."""


def write_database(
    folder: Path, senses: Sequence[Sense], *, instances: Iterable[str] = (), plants: Iterable[str] = ()
) -> Path:
    """Writes the senses, the commonest sense of each noun first; `instances` are no kinds, but instances."""
    offsets = {key: f"{100 + 10 * number:08d}" for number, (key, _, _) in enumerate(senses)}
    by_noun: dict[str, list[str]] = {}
    data = [LICENCE]
    for key, nouns, kinds in senses:
        symbol = "@i" if key in instances else "@"
        pointers = [f"{symbol} {offsets[kind]} n 0000" for kind in kinds]
        words = " ".join(f"{noun.replace(' ', '_')} 0" for noun in nouns)
        file = PLANT if key in plants else ARTIFACT
        head = f"{offsets[key]} {file:02d} n {len(nouns):02x} {words} {len(pointers):03d}"
        data.append(" ".join([head, *pointers, '| what it is; "said of it"  \n']))
        for noun in nouns:
            by_noun.setdefault(noun.lower().replace(" ", "_"), []).append(offsets[key])
    index = [LICENCE]
    for noun, own in sorted(by_noun.items()):
        index.append(f"{noun} n {len(own)} 2 @ ~ {len(own)} 0 {' '.join(own)}  \n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.noun").write_text("".join(data), encoding="utf-8")
    (folder / "index.noun").write_text("".join(index), encoding="utf-8")
    (folder / "noun.exc").write_text("scarves scarf\nmen man\n", encoding="utf-8")
    return folder
