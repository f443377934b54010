"""How well listings answer what was wanted, graded 0 to 3 from the true category and attributes of every listing.

3: the category is a wanted one and every constraint holds. 2: one constraint fails. 1: more fail, or the listing lies
beside a wanted category, under the same parent. 0: the rest.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError
from relevance.ontology import Ontology

EXACT = 3
RELEVANT = 2
"""A listing of this grade or a higher one answers the query."""

MEETS_ANY = "unisex"
"""A value that meets every constraint on its attribute."""

Grades = NDArray[np.int8]


def grade(holds: NDArray[np.bool_], failed: NDArray[np.integer], beside: NDArray[np.bool_]) -> Grades:
    """Returns int8 `[n]`. holds: the category is a wanted one; failed: how many constraints fail; beside: the category
    lies under the parent of a wanted one; each `[n]`."""
    return np.where(holds, np.maximum(3 - failed, 1), beside).astype(np.int8)


class Grader:
    """Grades a catalogue: category int32 `[n]`, the position of each listing's true category (-1 unknown), and its
    attributes."""

    def __init__(
        self, ontology: Ontology, category: NDArray[np.int32], attributes: Sequence[Mapping[str, Any]]
    ) -> None:
        self.ontology = ontology
        self.category = category
        self._attributes = attributes
        self._coded: dict[str, tuple[NDArray[np.int32], list[frozenset[str]]]] = {}

    def __len__(self) -> int:
        return len(self.category)

    def grades(self, wanted: Sequence[int], constraints: Mapping[str, Collection[str]]) -> Grades:
        """Returns int8 `[n]`, the grade of each listing; all 0 where no category is wanted.

        wanted: positions of categories, any of which will do, their subtrees included; constraints: for each attribute
        the values that will do, compared without case.
        """
        if not wanted:
            return np.zeros(len(self), np.int8)
        failed = np.zeros(len(self), np.int8)
        for name, values in constraints.items():
            failed += self.fails(name, values)
        return grade(self.holds(wanted), failed, self.beside(wanted))

    def like(self, row: int) -> Grades:
        """Returns int8 `[n]`: how much alike each listing is to that of `row`: its grade where the category and every
        attribute of that one are wanted; all 0 where the category is not known."""
        category = int(self.category[row])
        attributes = {name: _values(value) for name, value in self._attributes[row].items()}
        return self.grades([category] if category >= 0 else [], {name: own for name, own in attributes.items() if own})

    def holds(self, wanted: Sequence[int]) -> NDArray[np.bool_]:
        """Returns bool `[n]`: the listing's category is one of `wanted`, or below one."""
        return self._within(wanted)

    def beside(self, wanted: Sequence[int]) -> NDArray[np.bool_]:
        """Returns bool `[n]`: the listing's category lies under the parent of one of `wanted`. Roots have no parent,
        and so nothing beside them."""
        parents = {int(self.ontology.parent[position]) for position in wanted}
        return self._within(sorted(parents - {-1}))

    def fails(self, name: str, values: Collection[str]) -> NDArray[np.bool_]:
        """Returns bool `[n]`: the listing's attribute `name` is none of `values`, or missing. Raises DataError for an
        attribute that no listing has."""
        codes, known = self._codes(name)
        wanted = {value.casefold() for value in values} | {MEETS_ANY}
        return np.array([not (own & wanted) for own in known], np.bool_)[codes]

    def _within(self, positions: Sequence[int]) -> NDArray[np.bool_]:
        # One place more than there are categories: the unknown category, -1, is in none.
        inside = np.zeros(len(self.ontology) + 1, np.bool_)
        for position in positions:
            inside[position : self.ontology.end[position]] = True
        return inside[self.category]

    def _codes(self, name: str) -> tuple[NDArray[np.int32], list[frozenset[str]]]:
        """The attribute of each listing as a number, and the values behind each number."""
        if name not in self._coded:
            numbers: dict[frozenset[str], int] = {}
            codes = [numbers.setdefault(_values(a.get(name)), len(numbers)) for a in self._attributes]
            if set(numbers) <= {frozenset()}:
                names = sorted({known for own in self._attributes for known in own})
                raise DataError(f"no listing has an attribute {name!r}; they have: {', '.join(names) or 'none'}")
            self._coded[name] = np.array(codes, np.int32), list(numbers)
        return self._coded[name]


def _values(value: Any) -> frozenset[str]:
    """The values of an attribute, one or a list of them, without case."""
    if value is None or value == "":
        return frozenset()
    if isinstance(value, list | tuple):
        return frozenset(str(item).casefold() for item in value)
    return frozenset({str(value).casefold()})
