"""Queries for things the catalogue has not, to learn and to calibrate what that looks like."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random


@dataclass(frozen=True)
class AbsentWords:
    """words: for things that the catalogue has not; modifiers: what people say of anything ("black", "for women")."""

    words: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()

    def queries(self, n: int, dice: Random) -> list[str]:
        """Returns `n` queries of one or two words, most of them between one to three modifiers; none without words."""
        return [self._query(dice) for _ in range(n if self.words else 0)]

    def _query(self, dice: Random) -> str:
        found = dice.choices(self.words, k=1 + int(dice.random() < 0.4))
        if self.modifiers and dice.random() < 0.6:
            added = dice.choices(self.modifiers, k=dice.randrange(1, 4))
            cut = dice.randrange(len(added) + 1)
            found = [*added[:cut], *found, *added[cut:]]
        return " ".join(found)

    def write(self, path: Path) -> None:
        """Writes the words as JSON."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "AbsentWords":
        """Reads what `write` wrote."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(fields["words"]), tuple(fields["modifiers"]))
