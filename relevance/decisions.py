"""Which category to answer for class probabilities: a class, or one of its ancestors where the classes are undecided.

Mental model: ``TreeDecider(ontology, classes).hedged(probabilities, 0.8)`` goes down the tree for as long as it is more
than 80 % sure.

The cost of an answer a when the truth is y counts edges of the tree: each edge on the way down to a that does not lead
to y costs w, each edge down to y that a leaves unsaid costs 1 (with w = 1: the tree distance). With P(v) the
probability of all classes under v, the expected cost of a is, but for factors that are the same for all answers,

    Σ (t - P(v)) over v on the way down to a,  t = w / (1 + w),

so that no matrix of costs is needed, and another step down pays where P(v) > t. Minimised over the classes at t = 1/2
this is conditional risk minimisation (Karthik et al., "No cost likelihood manipulation at test time for making better
mistakes in deep networks", ICLR 2021). Minimised over all nodes it trades specificity for accuracy as in Deng et al.,
"Hedging your bets", CVPR 2012; from t = 1/2 on, the best answer is the deepest node with P(v) > t.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relevance.errors import DataError
from relevance.ontology import Ontology

ROOT = -1
"""Stands for the node above all categories: to answer it is to abstain."""

_BATCH = 256
_TIE = 1e-9
Doubles = NDArray[np.float64]


class Answers(NamedTuple):
    """nodes: int32 `[n]`, ontology positions or ROOT; probabilities: float32 `[n]`, of everything under the node."""

    nodes: NDArray[np.int32]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TreeDecider:
    """Decides over the classes and their ancestors; work and memory grow with these, not with the whole ontology.

    classes: int32 `[c]`, ontology positions in any order, leaves or inner categories; column i of every `probabilities`
    (float32 `[n, c]`, rows sum to 1) belongs to class i. Raises DataError for classes that are none, repeated or not
    in the ontology, and for probabilities of another width.
    """

    ontology: Ontology
    classes: NDArray[np.int32]

    def __post_init__(self) -> None:
        inside = (self.classes >= 0) & (self.classes < len(self.ontology))
        if not len(self.classes) or not inside.all() or len(np.unique(self.classes)) < len(self.classes):
            raise DataError(
                f"TreeDecider: expected one or more different positions from 0 to {len(self.ontology) - 1} as classes, "
                f"found {np.asarray(self.classes).tolist()[:5]}"
            )

    @cached_property
    def nodes(self) -> NDArray[np.int32]:
        """All that may be answered, int32 `[m]`: ROOT, then the classes and their ancestors by depth, then position."""
        found = nodes = np.unique(self.classes)
        while len(found := np.setdiff1d(self.ontology.parent[found], [ROOT])):
            nodes = np.union1d(nodes, found)
        ordered = nodes[np.argsort(self.ontology.depth[nodes], kind="stable")]
        return np.concatenate(([ROOT], ordered)).astype(np.int32)

    @cached_property
    def depth(self) -> NDArray[np.int32]:
        """Depth of each node, int32 `[m]`: 0 for ROOT."""
        return np.append(self.ontology.depth, np.int32(0))[self.nodes]

    def node_probabilities(self, probabilities: NDArray[np.float32]) -> Doubles:
        """The probability of everything under each node, float64 `[n, m]`, columns as in `nodes`."""
        if probabilities.ndim != 2 or probabilities.shape[1] != len(self.classes):
            raise DataError(f"expected probabilities [n, {len(self.classes)}], found the shape {probabilities.shape}")
        order, begin, end = self._ranges
        total = np.zeros((len(probabilities), len(order) + 1))
        np.cumsum(probabilities[:, order], axis=1, dtype=np.float64, out=total[:, 1:])
        return np.clip(total[:, end] - total[:, begin], 0.0, 1.0)

    def crm(self, probabilities: NDArray[np.float32]) -> Answers:
        """The class with the least expected tree distance to the truth."""
        return self._cheapest(probabilities, 0.5, np.flatnonzero(np.isin(self.nodes, self.classes)))

    def hedged(self, probabilities: NDArray[np.float32], threshold: float = 0.5) -> Answers:
        """The node with the least expected cost, where a step down pays that is right with more than `threshold`.

        threshold: 0 (says as much as it can) to 1 (never says anything); from 0.5 on, the answer is the deepest node
        with a probability above it, and answers of a higher threshold lie on the way to those of a lower one.
        """
        if not 0 <= threshold <= 1:
            raise DataError(f"hedged: expected a threshold from 0 to 1, found {threshold}")
        return self._cheapest(probabilities, threshold, np.arange(len(self.nodes)))

    def choose_threshold(self, probabilities: NDArray[np.float32], labels: NDArray[np.int32], accuracy: float) -> float:
        """The lowest threshold, 0.5 or more, with which `hedged` is wrong of at most 1 - accuracy of further photos.

        labels: int32 `[n]`, ontology positions of held-out photos. An answer is wrong where the label is not under it;
        an abstention never is. The promise holds in expectation, for any probabilities and photos like the held-out
        ones (Angelopoulos et al., "Conformal risk control", ICLR 2024). 1.0 where n is too small to promise anything.
        """
        if not 0 < accuracy < 1:
            raise DataError(f"choose_threshold: expected an accuracy between 0 and 1, found {accuracy}")
        needed = [
            self._rightful(probabilities[start : start + _BATCH], labels[start : start + _BATCH])
            for start in range(0, len(labels), _BATCH)
        ]
        descending = np.sort(np.concatenate([np.empty(0), *needed]))[::-1]
        spared = int(np.floor((1 - accuracy) * (len(descending) + 1) - 1 + _TIE))
        if spared < 0:
            return 1.0
        return max(0.5, float(descending[spared])) if spared < len(descending) else 0.5

    @cached_property
    def _ranges(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The order that puts the classes by position, and each node's range among them."""
        order = np.argsort(self.classes)
        by_position, below = self.classes[order], self.nodes[1:]
        begin = np.append(0, np.searchsorted(by_position, below))
        end = np.append(len(order), np.searchsorted(by_position, self.ontology.end[below]))
        return order, begin, end

    @cached_property
    def _levels(self) -> list[tuple[slice, NDArray[np.int64]]]:
        """For each depth from 1 on: its columns, and those of their parents."""
        column = np.zeros(len(self.ontology) + 1, np.int64)
        column[self.nodes] = np.arange(len(self.nodes))
        bounds = np.searchsorted(self.depth, np.arange(1, self.depth[-1] + 2))
        levels = [slice(begin, end) for begin, end in pairwise(bounds.tolist())]
        return [(level, column[self.ontology.parent[self.nodes[level]]]) for level in levels]

    def _cheapest(self, probabilities: NDArray[np.float32], threshold: float, columns: NDArray[np.int64]) -> Answers:
        """Of equal costs the most probable node, of these the highest."""
        nodes, chances = np.empty(len(probabilities), np.int32), np.empty(len(probabilities), np.float32)
        for start in range(0, len(probabilities), _BATCH):
            chance = self.node_probabilities(probabilities[start : start + _BATCH])
            cost = self._costs(chance, threshold)[:, columns]
            chance = chance[:, columns]
            least = cost <= cost.min(axis=1, keepdims=True) + _TIE
            best = np.where(least, chance, -1.0).argmax(axis=1)
            nodes[start : start + _BATCH] = self.nodes[columns[best]]
            chances[start : start + _BATCH] = chance[np.arange(len(best)), best]
        return Answers(nodes, chances)

    def _costs(self, chance: Doubles, threshold: float) -> Doubles:
        """Expected cost of each node up to a constant a photo, from the probabilities of all nodes, `[n, m]`."""
        cost = threshold - chance
        cost[:, 0] = 0.0
        for level, parents in self._levels:
            cost[:, level] += cost[:, parents]
        return cost

    def _rightful(self, probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> Doubles:
        """The threshold from which on `hedged` is right, float64 `[n]`: the largest probability of a wrong node."""
        chance = self.node_probabilities(probabilities)[:, 1:]
        under = self.ontology.is_under(labels[:, None], self.nodes[1:])
        return np.asarray(np.where(under, 0.0, chance).max(axis=1))
