"""Guards against collapse and bias, by hand."""

from typing import Any

import numpy as np
import pytest

from relevance.interactions import Interactions
from relevance.ontology import Ontology
from training.towers.corpus import Corpus
from training.towers.guards import guards

ONTOLOGY = Ontology.from_paths(["a", "b"], [("A",), ("B",)])


def pairs(*rows: tuple[str, int, float]) -> Interactions:
    queries = list(dict.fromkeys(query for query, _, _ in rows))
    return Interactions(
        queries,
        np.array([queries.index(query) for query, _, _ in rows], np.int32),
        np.array([listing for _, listing, _ in rows], np.int32),
        np.array([weight for _, _, weight in rows], np.float32),
    )


def corpus(train: Interactions, held: Interactions) -> Corpus:
    nothing: Any = None
    category = np.array([0] * 10 + [1] * 10, np.int32)
    return Corpus(ONTOLOGY, nothing, category, np.zeros((20, 1), np.float32), train, held, 0)


def test_guards_by_hand() -> None:
    # Listings 0 and 1 were clicked; the held-out pairs chose 0, twice, and 15, which nobody had clicked before.
    train = pairs(("often", 0, 9.0), ("seldom", 1, 1.0))
    held = pairs(("often", 0, 1.0), ("seldom", 0, 1.0), ("never", 15, 1.0))
    listings = np.tile(np.array([[1.0, 0.0]], np.float32), (20, 1))
    top = np.array([[0, 1], [0, 2], [0, 3]])
    # The most clicked tenth are listings 0 and 1, the least clicked the first two of the others.
    norms = np.array([4, 8, 1, 3, *[2] * 16], np.float32)
    found = guards(corpus(train, held), listings, norms, np.arange(3), top, np.array([0, 20, 5]))
    assert found["shown_in_a_top_ten"] == 4 / 20
    assert found["mean_cosine"] == 1.0  # collapsed
    # Four norms beside the 2: by +2, +6, -1 and +1, so a mean of 2.4 and a mean square of 42/20 less 0.4².
    assert found["embedding_norm"] == {
        "all": {"mean": 2.4, "std": 1.3928},
        "least_clicked_tenth": {"mean": 2.0, "std": 1.0},
        "most_clicked_tenth": {"mean": 6.0, "std": 2.0},
    }
    assert found["popularity_recall@100"] == 1.0
    # The most clicked tenth are listings 0 and 1: four of six places, two of three choices.
    assert found["by_popularity"]["shown"][-1] == 0.667
    assert found["by_popularity"]["chosen"][-1] == 0.667
    assert sum(found["by_popularity"]["shown"]) == pytest.approx(1, abs=0.01)  # each rounded
    recall = found["recall@10_of"]
    assert recall["head"] == {"pairs": 1, "recall": 1.0}
    assert recall["tail"]["pairs"] == 2
    assert recall["cold_listings"] == {"pairs": 1, "recall": 1.0}
    assert recall["new_categories"] == {"pairs": 1, "recall": 1.0}


def test_norms_of_fewer_than_ten_listings() -> None:
    few = np.array([2.0, 1.0, 5.0], np.float32)
    held = pairs(("often", 0, 1.0))
    rows = np.array([0, 1, 0], np.int32)
    nothing: Any = None
    three = Corpus(ONTOLOGY, nothing, rows, np.zeros((3, 1), np.float32), pairs(("often", 2, 1.0)), held, 0)
    unit = np.tile(np.array([[1.0, 0.0]], np.float32), (3, 1))
    norm = guards(three, unit, few, np.arange(1), np.array([[0, 1]]), np.array([0]))["embedding_norm"]
    assert norm["least_clicked_tenth"] == {"mean": 2.0, "std": 0.0}
    assert norm["most_clicked_tenth"] == {"mean": 5.0, "std": 0.0}
