"""What became of the categories of an older ontology: models and indexes made for it are read under a newer one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from relevance.ontology import Ontology

_SHOWN = 5
"""Categories named in a message; the others are counted."""


@dataclass(frozen=True, eq=False)
class OntologyChange:
    """From `old` to `new`. An old category is where its id is now, there still or moved (`relevance.moved`); one that
    has vanished counts as the nearest category above it that has not."""

    old: Ontology
    new: Ontology

    @cached_property
    def positions(self) -> NDArray[np.int32]:
        """The new position of each old category, int32 `[old]`, -1 where neither it nor anything above it is left."""
        found = np.full(len(self.old), -1, np.int32)
        for i, category_id in enumerate(self.old.ids):  # what is above comes first
            position, above = self.new.get(category_id), int(self.old.parent[i])
            found[i] = position if position is not None else found[above] if above >= 0 else -1
        return found

    def id(self, category_id: str | None) -> str | None:
        """Returns the id by which an old category goes now, None for none left."""
        position = None if category_id is None else self.old.get(category_id)
        now = -1 if position is None else int(self.positions[position])
        return None if now < 0 else self.new.ids[now]

    def __str__(self) -> str:
        """What changed, in words: "2 categories are new (…); 1 has vanished (…)"; "" for nothing."""
        old, new = self.old, self.new
        there = set(new.ids)
        vanished = [i for i, name in enumerate(old.ids) if new.get(name) is None]
        above = [i for i in vanished if self.positions[i] >= 0]
        parts = (
            ("new", [new.path_text(i) for i, name in enumerate(new.ids) if old.get(name) is None]),
            ("moved", [f"{n} -> {self.id(n)}" for n in old.ids if n not in there and new.get(n) is not None]),
            ("under another path", [n for n in old.ids if n in there and self._path_changed(n)]),
            ("vanished, counted as what is above", [f"{old.ids[i]} -> {self.id(old.ids[i])}" for i in above]),
            ("vanished", [old.ids[i] for i in vanished if self.positions[i] < 0]),
        )
        return "; ".join(f"{len(names)} {what} ({_some(names)})" for what, names in parts if names)

    def _path_changed(self, category_id: str) -> bool:
        return self.old.paths[self.old.position(category_id)] != self.new.paths[self.new.position(category_id)]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
