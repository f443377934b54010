"""The category tree against what a walk over its paths says."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.errors import DataError
from relevance.ontology import Ontology

#        positions:  0        1               2                        3                 4
PATHS = ["Home", "Home > Garden", "Home > Garden > Mowers", "Home > Kitchen", "Cars"]
IDS = ["h", "hg", "hgm", "hk", "c"]


@pytest.fixture
def tree() -> Ontology:
    """Cars; Home: Garden: Mowers; Kitchen."""
    return Ontology.from_paths(IDS, [path.split(" > ") for path in PATHS])


def test_depth_first_order_with_children_by_name(tree: Ontology) -> None:
    assert tree.ids == ("c", "h", "hg", "hgm", "hk")
    assert tree.parent.tolist() == [-1, -1, 1, 2, 1]
    assert tree.depth.tolist() == [1, 1, 2, 3, 2]
    assert tree.end.tolist() == [1, 5, 4, 4, 5]
    assert tree.is_leaf.tolist() == [True, False, False, True, True]
    assert (tree.parent.dtype, tree.depth.dtype, tree.end.dtype) == (np.int32, np.int32, np.int32)
    assert tree.path_text(3) == "Home > Garden > Mowers"
    assert tree.name(3) == "Mowers"
    assert len(tree) == 5


def test_the_order_of_the_rows_does_not_matter(tree: Ontology) -> None:
    again = Ontology.from_paths(IDS[::-1], [path.split(" > ") for path in PATHS[::-1]])
    assert again.fingerprint == tree.fingerprint


def test_the_fingerprint_changes_with_an_id_and_with_a_name(tree: Ontology) -> None:
    paths = [path.split(" > ") for path in PATHS]
    assert Ontology.from_paths(["h", "hg", "hgm", "hk", "x"], paths).fingerprint != tree.fingerprint
    assert Ontology.from_paths(IDS, [*paths[:4], ["Carz"]]).fingerprint != tree.fingerprint


def test_position_and_get(tree: Ontology) -> None:
    assert [tree.position(category_id) for category_id in tree.ids] == list(range(5))
    assert tree.get("hgx") is None
    with pytest.raises(DataError, match="unknown category 'hgx'; close to 'hg'"):
        tree.position("hgx")


def test_ancestor_at(tree: Ontology) -> None:
    assert tree.ancestor_at(1).tolist() == [0, 1, 1, 1, 1]
    assert tree.ancestor_at(2).tolist() == [0, 1, 2, 2, 4]
    assert tree.ancestor_at(9).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(DataError, match="level of at least 1"):
        tree.ancestor_at(0)


def test_roll_up_sums_each_subtree(tree: Ontology) -> None:
    leaf = np.array([[0.5, 0.0, 0.125, 0.25, 0.125], [0, 0, 0, 0, 1]], dtype=np.float32)
    rolled = tree.roll_up(leaf)
    assert rolled.dtype == np.float32
    assert rolled.tolist() == [[0.5, 0.5, 0.375, 0.25, 0.125], [0, 1, 0, 0, 1]]
    with pytest.raises(DataError, match="5 categories"):
        tree.roll_up(leaf[:, :4])


def test_is_under_and_distance(tree: Ontology) -> None:
    assert tree.is_under(3, 1)
    assert tree.is_under([0, 2, 3, 4], 2).tolist() == [False, True, True, False]
    assert tree.distance(3, 3) == 0
    # Mowers to Kitchen: up to Garden, to Home, down; to Cars: up to Garden, Home, the top, down.
    assert tree.distance(3, [1, 4, 0]).tolist() == [2, 3, 4]


def test_missing_inner_categories_are_made() -> None:
    tree = Ontology.from_paths(["x", "y"], [["A", "B", "C"], ["A", "D"]])
    assert tree.ids == ("path:A", "path:A > B", "x", "y")
    assert tree.is_leaf.tolist() == [False, False, True, True]


NAMES = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
    .map(str.strip)
    .filter(
        lambda name: (
            name and " > " not in name and not name.startswith("> ") and not name.endswith(" >") and name != ">"
        )
    )
)


@given(st.sets(st.lists(NAMES, min_size=1, max_size=4).map(tuple), min_size=1, max_size=12))
def test_csv_round_trip_and_structure(tmp_path_factory: pytest.TempPathFactory, paths: set[tuple[str, ...]]) -> None:
    listed = sorted(paths, key=hash)
    tree = Ontology.from_paths([f"id{i}" for i in range(len(listed))], listed)
    file = tmp_path_factory.getbasetemp() / "categories.csv"
    tree.write(file)
    again = Ontology.read(file)
    assert (again.ids, again.paths, again.fingerprint) == (tree.ids, tree.paths, tree.fingerprint)
    for i, path in enumerate(tree.paths):
        assert tree.depth[i] == len(path)
        below = [j for j, other in enumerate(tree.paths) if other[: len(path)] == path]
        assert below == list(range(i, tree.end[i]))
        for j, other in enumerate(tree.paths):
            shared = next((k for k, (a, b) in enumerate(zip(path, other, strict=False)) if a != b), None)
            shared = min(len(path), len(other)) if shared is None else shared
            assert tree.distance(i, j) == len(path) + len(other) - 2 * shared


@pytest.mark.parametrize(
    ("ids", "paths", "message"),
    [
        (
            ["a", "a"],
            [["A"], ["B"]],
            "category number 2, column category_id: duplicate id 'a', first in category number 1",
        ),
        (["a", "b"], [["A"], ["A"]], "duplicate path 'A'"),
        (["a"], [[]], "expected a name at every level"),
        (["a"], [["A", " "]], "expected a name at every level, found 'A > '"),
        (["a"], [["A > B"]], "names without ' > '"),
        ([""], [["A"]], "expected an id"),
        ([], [], "at least one category"),
        (["a"], [], "found 1 and 0"),
        (["path:A", "b"], [["B"], ["A", "C"]], "'path:A' is given to a category"),
    ],
)
def test_from_paths_refuses(ids: list[str], paths: list[list[str]], message: str) -> None:
    with pytest.raises(DataError) as error:
        Ontology.from_paths(ids, paths)
    assert message in str(error.value)


def test_read_parents(tmp_path: Path) -> None:
    file = tmp_path / "categories.csv"
    file.write_text("category_id,name,parent_id\n3,Mowers,2\n1,Home,\n2,Garden,1\n4,Cars,\n")
    tree = Ontology.read(file)
    assert [tree.path_text(i) for i in range(4)] == ["Cars", "Home", "Home > Garden", "Home > Garden > Mowers"]
    assert tree.ids == ("4", "1", "2", "3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "categories.csv: the file is empty"),
        ("category_id,path\n", "categories.csv: expected at least one row"),
        ("id,path\n1,A\n", "missing: category_id"),
        ("category_id,name\n1,A\n", "expected the header category_id,path or category_id,name,parent_id"),
        (
            "category_id,path\n1,A\n1,B\n",
            "row 3, column category_id: expected each id once, found '1', which row 2 has too",
        ),
        ("category_id,path\n1,A > B\n2,A > B\n", "row 3, column path: duplicate path 'A > B', first in"),
        ("category_id,path\n1,A >  > B\n", "row 2, column path: expected a name at every level"),
        ("category_id,path\n1,A,B\n", "row 2: expected 2 values as the header, found 3"),
        ("category_id,path\n1,A\n\n2,\n", "row 4, column path: expected a name at every level, found ''"),
        ('category_id,path\n1,"A\n', "malformed CSV"),
        (
            "category_id,name,parent_id\n1,A,9\n",
            "row 2, column parent_id: expected the category_id of a row, or nothing",
        ),
        ("category_id,name,parent_id\n1,A,1\n", "row 2, column parent_id: a cycle: 1 > 1"),
        ("category_id,name,parent_id\n0,R,\n1,A,2\n2,B,3\n3,C,1\n", "row 3, column parent_id: a cycle: 1 > 3 > 2 > 1"),
        ("category_id,name,parent_id\n1,A,\n2,A,\n", "row 3, column path: duplicate path 'A'"),
    ],
)
def test_read_refuses_and_says_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "categories.csv"
    file.write_text(text)
    with pytest.raises(DataError) as error:
        Ontology.read(file)
    assert message in str(error.value)


def test_read_refuses_other_encodings_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "categories.csv"
    file.write_bytes("category_id,path\n1,Möbel\n".encode("latin-1"))
    with pytest.raises(DataError, match="line 2: expected UTF-8, found the byte 0xf6 at position 4"):
        Ontology.read(file)


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    file = tmp_path / "categories.csv"
    file.write_text("category_id,path\n1,Möbel\n", encoding="utf-8-sig")
    assert Ontology.read(file).paths == (("Möbel",),)


def test_a_real_taxonomy(shared_data: Path) -> None:
    with open(shared_data / "taxonomy" / "shopify_categories.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    tree = Ontology.from_paths([row["id"] for row in rows], [row["path"].split(" > ") for row in rows])
    assert len(tree) == 10_595
    for row in rows:
        i = tree.position(row["id"])
        assert (tree.name(i), tree.depth[i], tree.is_leaf[i]) == (row["name"], int(row["level"]), row["is_leaf"] == "1")
        # In this taxonomy an id is its parent's with one part more.
        assert tree.parent[i] == (tree.position(row["id"].rpartition("-")[0]) if "-" in row["id"] else -1)


def test_the_words_of_all_names() -> None:
    ontology = Ontology.from_paths(["a", "b", "c"], [("Home",), ("Home", "Mugs & Cups"), ("Café",)])
    assert ontology.name_words == {"home", "mugs", "cups", "cafe"}


def test_names_are_joined_by_the_words_within_them() -> None:
    paths = [("Ties and Cufflinks",), ("Ties and Cufflinks", "Ties"), ("Bow Ties",)]
    assert Ontology.from_paths(["a", "b", "c"], paths).joining_words == {"and"}
