"""What became of the categories of an older ontology."""

from dataclasses import replace

import numpy as np

from relevance.image_encoder import Encoded, MergedEncoder
from relevance.ontology import Ontology
from relevance.ontology_change import OntologyChange


def _tree(**paths: str) -> Ontology:
    return Ontology.from_paths(list(paths), [path.split(" > ") for path in paths.values()])


OLD = _tree(h="Home", hg="Home > Garden", hgm="Home > Garden > Mowers", hk="Home > Kitchen", c="Cars", f="Fax")
# Mowers moved to tools, the garden vanished, the kitchen was renamed, faxes vanished with nothing above them.
NEW = replace(_tree(h="Home", t="Home > Tools", hk="Home > Cooking", c="Cars"), moved={"hgm": "t"})


def test_each_old_category_is_somewhere_or_nowhere() -> None:
    change = OntologyChange(OLD, NEW)
    assert OLD.ids == ("c", "f", "h", "hg", "hgm", "hk")
    assert NEW.ids == ("c", "h", "hk", "t")
    #                                    c   f  h  hg hgm hk
    assert change.positions.tolist() == [0, -1, 1, 1, 3, 2]
    assert [change.id(name) for name in OLD.ids] == ["c", None, "h", "h", "t", "hk"]
    assert change.id(None) is None
    assert change.id("never heard of") is None


def test_what_is_below_a_vanished_category_goes_up_past_it() -> None:
    change = OntologyChange(_tree(a="A", b="A > B", c="A > B > C"), _tree(a="A"))
    assert change.positions.tolist() == [0, 0, 0]


def test_what_changed_is_told_in_words() -> None:
    assert str(OntologyChange(OLD, NEW)) == (
        "1 new (Home > Tools); 1 moved (hgm -> t); 1 under another path (hk); "
        "1 vanished, counted as what is above (hg -> h); 1 vanished (f)"
    )
    assert str(OntologyChange(OLD, OLD)) == ""
    many = _tree(**{f"n{i}": f"N{i}" for i in range(9)}, c="Cars")
    assert str(OntologyChange(_tree(c="Cars"), many)) == "9 new (N0, N1, N2, N3, N4 and 4 more)"


def test_merged_classes_add_and_gone_ones_count_for_nothing() -> None:
    class Four:
        image_size, classes, embedding_dim, feature_dim = (8, 8), 4, 2, 3

        def __call__(self, photos: np.ndarray) -> Encoded:
            shares = np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]], np.float32)
            return Encoded(shares, np.ones((2, 2), np.float32), np.ones((2, 3), np.float32))

    merged = MergedEncoder(Four(), np.array([1, 0, -1, 1]), 2)  # type: ignore[arg-type]
    assert (merged.classes, merged.image_size, merged.embedding_dim, merged.feature_dim) == (2, (8, 8), 2, 3)
    found = merged(np.zeros((2, 8, 8, 3), np.uint8)).probabilities
    np.testing.assert_allclose(found, [[0.2, 0.5], [0.3, 0.5]], rtol=1e-6)
