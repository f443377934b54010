import csv
from pathlib import Path

import numpy as np
import pytest

from eval.grades import Grader, grade
from eval.judgments import Judge, Wish, command, read_wishes
from relevance.artifacts import writing
from relevance.errors import ArtifactError, DataError
from relevance.ontology import Ontology

ONTOLOGY = Ontology.from_paths(
    ["shirts", "tops", "shoes", "socks"],
    [("Wear", "Top", "Shirts"), ("Wear", "Top", "Tops"), ("Wear", "Feet", "Shoes"), ("Other", "Shoes")],
)
CATALOGUE = [
    ("shirts", "Men", "Blue", "Acme blue shirt"),
    ("shirts", "Men", "Red", "Acme red shirt"),
    ("shirts", "Women", "Red", "Other red shirt"),
    ("shirts", "Unisex", "Blue", "Other blue shirt"),
    ("tops", "Men", "Blue", "Acme top"),
    ("shoes", "Men", "Blue", "Acme shoe"),
    ("socks", "Men", "Blue", "Ray-Ban shoe"),
]


@pytest.fixture
def judge() -> Judge:
    category = np.array([ONTOLOGY.position(row[0]) for row in CATALOGUE], np.int32)
    grader = Grader(ONTOLOGY, category, [{"gender": row[1], "hue": row[2]} for row in CATALOGUE])
    return Judge(grader, [row[3] for row in CATALOGUE], "gender", "hue")


def wish(types: str = "", gender: str = "", colour: str = "", title: str = "", kind: str = "head") -> Wish:
    return Wish("q", kind, *(tuple(text.split("|")) if text else () for text in (types, gender, colour, title)))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (wish("Shirts"), [3, 3, 3, 3, 1, 0, 0]),
        (wish("Shirts", "Men", "Blue"), [3, 2, 1, 3, 1, 0, 0]),  # Unisex meets Men
        (wish("shirts", "MEN", "blue|red"), [3, 3, 2, 3, 1, 0, 0]),  # compared without case
        (wish("Shirts", "Men", "Blue", "other"), [2, 1, 1, 3, 1, 0, 0]),
        (wish("Shoes"), [0, 0, 0, 0, 0, 3, 3]),  # two categories of one name
        (wish("Shoes", title="ray"), [0, 0, 0, 0, 0, 2, 3]),
        (wish("Shirts|Tops", "Women"), [2, 2, 3, 3, 2, 0, 0]),
        (wish(colour="Blue"), [3, 2, 2, 3, 3, 3, 3]),  # any type
        (wish("Spaceships", "Men"), [0] * 7),
        (wish(kind="none"), [0] * 7),
    ],
)
def test_grades(judge: Judge, asked: Wish, expected: list[int]) -> None:
    assert judge.grades(asked).tolist() == expected


def test_unknown_types_are_told(judge: Judge) -> None:
    assert judge.unknown_types(wish("Shirts|Spaceships")) == ["Spaceships"]


def test_unknown_attribute_is_refused(judge: Judge) -> None:
    with pytest.raises(DataError, match=r"'colour'.*gender, hue"):
        judge._grader.fails("colour", ["blue"])


def test_grade_of_failed_constraints() -> None:
    holds = np.array([True, True, True, True, False, False])
    beside = np.array([True, True, True, True, True, False])
    assert grade(holds, np.array([0, 1, 2, 3, 0, 0]), beside).tolist() == [3, 2, 1, 1, 1, 0]


def test_inner_categories_hold_their_subtree_and_roots_have_nothing_beside() -> None:
    everywhere = np.arange(len(ONTOLOGY), dtype=np.int32)
    grader = Grader(ONTOLOGY, np.append(everywhere, -1).astype(np.int32), [{}] * (len(ONTOLOGY) + 1))
    wear = ONTOLOGY.position("path:Wear")
    grades = grader.grades([wear], {})
    assert [grades[i] for i in everywhere] == [
        3 if path[0] == "Wear" else 0 for path in (ONTOLOGY.paths[i] for i in everywhere)
    ]
    assert grades[-1] == 0  # a listing of no known category
    assert not grader.grades([], {"nothing has this": ["x"]}).any()


def test_lists_of_values_meet_a_constraint_by_one_of_them() -> None:
    grader = Grader(ONTOLOGY, np.zeros(3, np.int32), [{"hue": ["Red", "Blue"]}, {"hue": "Green"}, {}])
    assert grader.fails("hue", ["blue"]).tolist() == [False, True, True]


def test_read_wishes(tmp_path: Path) -> None:
    path = tmp_path / "queries.tsv"
    path.write_text('query\tkind\ttype\tgender\tcolour\ttitle\n19" bag\tlong\tBag|Sack\t\tBlack\t\npiano\tnone\n')
    assert read_wishes(path) == [
        Wish('19" bag', "long", ("Bag", "Sack"), (), ("Black",), ()),
        Wish("piano", "none", (), (), (), ()),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("query\tkind\ttype\na\thead\tx\na\thead\tx\n", "row 3, column query"),
        ("query\tkind\ttype\na\thead\t\n", "row 2, column type"),
        ("query\tkind\n", "missing: type"),
        ("query\tkind\ttype\na\thead\tx\ty\n", "row 2: expected 3 values, found 4"),
        ("query\tkind\ttype\ttitle\na\thead\tx\tray|?\n", "row 2, column title: expected words"),
    ],
)
def test_read_wishes_refuses(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "queries.tsv"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_wishes(path)


def test_command_writes_what_search_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    ONTOLOGY.write(dataset / "categories.csv")
    with open(dataset / "listings.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("listing_id", "title", "category_id", "attributes"))
        for i, (category, gender, colour, title) in enumerate(CATALOGUE):
            writer.writerow((f"L{i}", title, category, f'{{"gender": "{gender}", "baseColour": "{colour}"}}'))
    queries = tmp_path / "queries.tsv"
    queries.write_text("query\tkind\ttype\tcolour\nred, shirt\thead\tShirts\tRed\npiano\tnone\t\nufo\thead\tUfos\n")
    command(dataset, queries, tmp_path / "out")
    with open(tmp_path / "out" / "judgments.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["query", "listing_id", "grade"],
        *(["red, shirt", name, grade] for name, grade in (("L1", "3"), ("L2", "3"), ("L0", "2"), ("L3", "2"))),
        ["red, shirt", "L4", "1"],
    ]
    assert (tmp_path / "out" / "queries.csv").read_text().split() == [
        "query,kind", '"red,', 'shirt",head', "piano,none", "ufo,head"
    ]  # fmt: skip
    shown = capsys.readouterr()
    assert "3 queries, 1 with an answer, 5 graded listings" in shown.out
    assert "'ufo': no category is named 'Ufos'" in shown.err


def test_a_dataset_named_as_out_is_not_replaced(tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    with writing(dataset, "dataset") as folder:
        ONTOLOGY.write(folder / "categories.csv")
        (folder / "listings.csv").write_text("listing_id,title\n1,shirt\n")
    (dataset / "events.jsonl").write_text("mine")
    queries = tmp_path / "queries.tsv"  # not looked at
    with pytest.raises(ArtifactError, match="expected an artifact of kind 'judgments' to replace"):
        command(dataset, queries, dataset)
    assert (dataset / "events.jsonl").read_text() == "mine"
