"""Answers on category trees, against costs that are added up edge by edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from relevance.decisions import ROOT, TreeDecider
from relevance.errors import DataError
from relevance.ontology import Ontology

# Two branches at level 1; only b > 2 is deeper than level 2.
TREE = Ontology.from_paths(
    ["a1", "a2", "b1", "b21", "b22"],
    [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2", "1"), ("b", "2", "2")],
)
A, A1, A2, B, B1, B2, B21, B22 = range(8)
CLASSES = np.array([A1, A2, B1, B21, B22], np.int32)
DECIDER = TreeDecider(TREE, CLASSES)


def row(**chances: float) -> NDArray[np.float32]:
    """Probabilities of one photo, `[1, classes]`, from those of some categories by id."""
    found = np.zeros((1, len(CLASSES)), np.float32)
    for category_id, chance in chances.items():
        found[0, list(CLASSES).index(TREE.position(category_id))] = chance
    return found


def answer(probabilities: NDArray[np.float32], threshold: float = 0.5) -> tuple[int, float]:
    nodes, chances = DECIDER.hedged(probabilities, threshold)
    return int(nodes[0]), float(chances[0])


def test_nodes_are_the_classes_and_all_above_them() -> None:
    assert DECIDER.nodes.tolist() == [ROOT, A, B, A1, A2, B1, B2, B21, B22]
    assert DECIDER.depth.tolist() == [0, 1, 1, 2, 2, 2, 2, 3, 3]
    assert TreeDecider(TREE, np.array([B21], np.int32)).nodes.tolist() == [ROOT, B, B2, B21]


def test_node_probabilities_add_up() -> None:
    chances = DECIDER.node_probabilities(row(a1=0.1, a2=0.2, b1=0.3, b21=0.35, b22=0.05))[0]
    assert dict(zip(DECIDER.nodes.tolist(), chances, strict=True)) == pytest.approx(
        {ROOT: 1, A: 0.3, B: 0.7, A1: 0.1, A2: 0.2, B1: 0.3, B2: 0.4, B21: 0.35, B22: 0.05}, abs=1e-6
    )


def test_a_sure_leaf_is_answered() -> None:
    for threshold in (0.0, 0.5, 0.99):
        assert answer(row(b21=1.0), threshold) == (B21, 1)
    assert DECIDER.crm(row(b21=1.0)).nodes.tolist() == [B21]


def test_two_siblings_give_their_parent() -> None:
    assert answer(row(b21=0.5, b22=0.5)) == (B2, 1)
    assert answer(row(a1=0.5, a2=0.5), 0.9) == (A, 1)


def test_categories_far_apart_give_no_answer() -> None:
    assert answer(row(a1=0.5, b1=0.5)) == (ROOT, 1)


def test_threshold_one_never_answers_and_zero_always_a_class() -> None:
    assert answer(row(b21=1.0), 1.0) == (ROOT, 1)
    assert answer(row(a1=0.4, b1=0.35, b22=0.25), 0.0)[0] in CLASSES


def test_the_higher_the_threshold_the_higher_up() -> None:
    probabilities = row(b21=0.6, b22=0.15, b1=0.15, a1=0.1)
    assert [answer(probabilities, t)[0] for t in (0.5, 0.59, 0.61, 0.74, 0.76, 0.89, 0.91)] == [
        B21, B21, B2, B2, B, B, ROOT,
    ]  # fmt: skip


def test_least_expected_distance_is_not_the_most_probable() -> None:
    # a1 leads, but b has three quarters: 0.25 * 4 + (0.25 + 0.23) * 5 = 3.4 edges for a1,
    # 0.27 * 4 + (0.25 + 0.23) * 3 = 2.52 for b1, 0.27 * 5 + 0.25 * 3 + 0.23 * 2 = 2.56 for b21.
    probabilities = row(a1=0.27, b1=0.25, b21=0.25, b22=0.23)
    nodes, chances = DECIDER.crm(probabilities)
    assert (nodes[0], chances[0]) == (B1, np.float32(0.25))
    distances = TREE.distance(CLASSES[:, None], CLASSES[None, :]) @ probabilities[0]
    assert distances[[0, 2, 3]] == pytest.approx([3.4, 2.52, 2.56], abs=1e-6)


def test_an_inner_category_may_be_a_class() -> None:
    decider = TreeDecider(TREE, np.array([B2, B21, A1], np.int32))
    probabilities = np.array([[0.6, 0.4, 0.0], [0.2, 0.8, 0.0]], np.float32)
    assert decider.hedged(probabilities).nodes.tolist() == [B2, B21]
    assert decider.hedged(probabilities).probabilities == pytest.approx([1.0, 0.8])
    assert decider.crm(probabilities).nodes.tolist() == [B2, B21]


def test_one_class_in_a_tree_of_one() -> None:
    decider = TreeDecider(Ontology.from_paths(["x"], [("x",)]), np.array([0], np.int32))
    certain = np.ones((2, 1), np.float32)
    assert decider.hedged(certain).nodes.tolist() == [0, 0]
    assert decider.crm(certain).nodes.tolist() == [0, 0]
    assert decider.choose_threshold(certain, np.zeros(2, np.int32), 0.5) == 0.5


def test_no_photo_no_answer() -> None:
    nodes, chances = DECIDER.hedged(np.empty((0, 5), np.float32))
    assert (nodes.shape, chances.shape) == ((0,), (0,))


@pytest.mark.parametrize("classes", [[], [0, 0], [8], [-1]])
def test_classes_that_are_none(classes: list[int]) -> None:
    with pytest.raises(DataError, match="different positions from 0 to 7"):
        TreeDecider(TREE, np.array(classes, np.int32))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match=r"probabilities \[n, 5\], found the shape \(1, 4\)"):
        DECIDER.hedged(np.ones((1, 4), np.float32))
    with pytest.raises(DataError, match=r"threshold from 0 to 1, found 1\.5"):
        DECIDER.hedged(row(a1=1), 1.5)
    with pytest.raises(DataError, match="accuracy between 0 and 1, found 1"):
        DECIDER.choose_threshold(row(a1=1), np.array([A1], np.int32), 1.0)


def test_the_threshold_that_keeps_the_promise() -> None:
    # Of 19 photos the first five are wrong below 0.9, 0.8, 0.7, 0.6 and 0.55.
    chances = [0.9, 0.8, 0.7, 0.6, 0.55, *[0.95] * 14]
    probabilities = np.concatenate([row(a1=chance, b1=1 - chance) for chance in chances])
    labels = np.array([B1] * 5 + [A1] * 14, np.int32)
    # With n = 19, (wrong + 1) / 20 is at most 0.1 where one is wrong, at most 0.15 where two are.
    for accuracy, wrong, threshold in ((0.9, 1, 0.8), (0.85, 2, 0.7), (0.75, 4, 0.55), (0.7, 5, 0.5)):
        chosen = DECIDER.choose_threshold(probabilities, labels, accuracy)
        assert chosen == pytest.approx(threshold, abs=1e-6)
        nodes = DECIDER.hedged(probabilities, chosen).nodes
        assert int((~TREE.is_under(labels, nodes) & (nodes != ROOT)).sum()) == wrong
    assert DECIDER.choose_threshold(probabilities, labels, 0.96) == 1.0  # 1 / 20 is more than 4 %


def test_a_label_of_no_class_is_right_where_an_ancestor_is_answered() -> None:
    without = TreeDecider(TREE, np.array([A1, B21], np.int32))
    probabilities = np.tile(np.array([[0.05, 0.95]], np.float32), (9, 1))
    assert without.choose_threshold(probabilities, np.full(9, B22, np.int32), 0.9) == pytest.approx(0.95)
    assert without.choose_threshold(probabilities, np.full(9, B21, np.int32), 0.9) == 0.5


@st.composite
def trees(draw: st.DrawFn) -> tuple[Ontology, NDArray[np.int32], NDArray[np.float32]]:
    """A tree of up to 12 given categories, up to 4 levels deep; some of its nodes as classes; probabilities."""
    names = st.lists(st.sampled_from("xyz"), min_size=1, max_size=4).map(tuple)
    paths = draw(st.lists(names, min_size=1, max_size=12, unique=True))
    tree = Ontology.from_paths([str(i) for i in range(len(paths))], paths)
    classes = draw(st.lists(st.integers(0, len(tree) - 1), min_size=1, unique=True))
    weights = st.lists(st.integers(0, 20), min_size=len(classes), max_size=len(classes)).filter(any)
    rows = np.array(draw(st.lists(weights, min_size=1, max_size=4)), np.float64)
    return tree, np.array(classes, np.int32), (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)


def expected_cost(
    tree: Ontology, node: int, classes: NDArray[np.int32], chances: NDArray[np.float32], wrong: float
) -> float:
    """Σ P(class) * (wrong * edges down to the node only + edges down to the class only), by sets of ancestors."""

    def way(position: int) -> set[int]:
        return set() if position == ROOT else {position} | way(int(tree.parent[position]))

    said = way(node)
    return sum(
        float(chance) * (wrong * len(said - way(int(truth))) + len(way(int(truth)) - said))
        for truth, chance in zip(classes, chances, strict=True)
    )


@given(trees(), st.sampled_from([0.3, 0.5, 0.6, 0.8, 0.95]))
def test_answers_have_the_least_expected_cost(
    case: tuple[Ontology, NDArray[np.int32], NDArray[np.float32]], threshold: float
) -> None:
    tree, classes, probabilities = case
    wrong = threshold / (1 - threshold)
    decider = TreeDecider(tree, classes)
    for nodes, chosen, ratio in (
        (decider.nodes, decider.hedged(probabilities, threshold).nodes, wrong),
        (classes, decider.crm(probabilities).nodes, 1.0),
    ):
        for chances, own in zip(probabilities, chosen, strict=True):
            assert own in nodes
            least = min(expected_cost(tree, int(node), classes, chances, ratio) for node in nodes)
            assert expected_cost(tree, int(own), classes, chances, ratio) == pytest.approx(least, abs=1e-5)


@given(trees(), st.randoms(use_true_random=False))
def test_the_order_of_the_classes_changes_nothing(
    case: tuple[Ontology, NDArray[np.int32], NDArray[np.float32]], random: object
) -> None:
    tree, classes, probabilities = case
    order = np.arange(len(classes))
    random.shuffle(order)  # type: ignore[attr-defined]
    one, other = TreeDecider(tree, classes), TreeDecider(tree, classes[order])
    for method in ("crm", "hedged"):
        first, second = getattr(one, method)(probabilities), getattr(other, method)(probabilities[:, order])
        assert first.nodes.tolist() == second.nodes.tolist()
        assert first.probabilities.tolist() == second.probabilities.tolist()


@given(trees())
def test_answers_of_a_higher_threshold_lie_on_the_way_to_those_of_a_lower(
    case: tuple[Ontology, NDArray[np.int32], NDArray[np.float32]],
) -> None:
    tree, classes, probabilities = case
    decider = TreeDecider(tree, classes)
    lower = decider.hedged(probabilities, 0.5).nodes
    for threshold in (0.6, 0.75, 0.9, 1.0):
        nodes, chances = decider.hedged(probabilities, threshold)
        assert ((nodes == ROOT) | ((lower != ROOT) & tree.is_under(lower, nodes))).all()
        assert (chances[nodes != ROOT] > threshold - 1e-6).all()
        lower = nodes
