"""Which classes are a group, and what a group's model learns from."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError
from relevance.ontology import Ontology
from training.classifier.examples import Examples


@dataclass(frozen=True)
class Group:
    """node: ontology position of its category; columns: which of all classes it has, as they follow each other in
    depth-first order."""

    node: int
    columns: slice

    @property
    def size(self) -> int:
        """How many classes it has; one alone needs no model."""
        return int(self.columns.stop - self.columns.start)


def split(ontology: Ontology, classes: NDArray[np.int32], level: int) -> list[Group]:
    """Groups the classes (ontology positions, ascending) by their category at `level` (1 = top). A class above the
    level is a group of its own.

    Raises DataError where that makes no groups: one alone, or none with two classes.
    """
    deepest = int(ontology.depth[classes].max())
    if not 1 <= level <= deepest:
        raise DataError(
            f"--level: expected a level between 1 and {deepest}, the depth of the deepest class, found {level}"
        )
    nodes, start = np.unique(ontology.ancestor_at(level)[classes], return_index=True)
    ends = [*start[1:].tolist(), len(classes)]
    groups = [Group(node, slice(*ends)) for node, *ends in zip(nodes.tolist(), start.tolist(), ends, strict=True)]
    if len(groups) == 1:
        raise DataError(
            f"--level {level}: all {len(classes)} classes lie under {ontology.path_text(groups[0].node)!r}, and there "
            f"is nothing to split; {_instead(level + 1, deepest)}"
        )
    if all(group.size == 1 for group in groups):
        raise DataError(
            f"--level {level}: every group has one class, and none needs a model; {_instead(level - 1, deepest)}"
        )
    return groups


def _instead(level: int, deepest: int) -> str:
    if 1 <= level < deepest:
        return f"try --level {level}"
    return "the classifier as it is does the same"


def only(examples: Examples, group: Group) -> Examples:
    """The photos and classes of one group, in the same parts."""
    first, last = group.columns.start, group.columns.stop
    own = (examples.labels >= first) & (examples.labels < last)
    return replace(
        examples,
        train=examples.train[own[examples.train]],
        validation=examples.validation[own[examples.validation]],
        test=examples.test[own[examples.test]],
        classes=examples.classes[group.columns],
        labels=np.where(own, examples.labels - first, -1).astype(np.int32),
    )
