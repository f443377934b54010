"""The classifier's report, on colours that the encoder tells exactly and labels that are wrong on purpose."""

import json
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from eval.classifier import Measured, evaluate
from relevance.classifier import test_part as part_of_test
from relevance.dataset import Dataset
from relevance.ontology import Ontology
from tests.colours import CATEGORIES, COLOURS, write_classifier, write_dataset, write_photo


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Every fifth listing lies in the wrong category; every thirtieth has no photo."""
    rows = []
    for i in range(300):
        colour = list(COLOURS)[i % 3]
        given = "blue" if i % 5 == 0 else colour
        rows.append((str(i), f"thing {i}", given, "" if i % 30 == 7 else f"images/{colour}{i % 6}.jpg"))
    for colour in COLOURS:
        for i in range(6):
            write_photo(tmp_path / "dataset" / "images" / f"{colour}{i}.jpg", COLOURS[colour])
    return write_dataset(tmp_path / "dataset", rows)


def measured(tmp_path: Path, dataset: Dataset) -> dict:  # type: ignore[type-arg]
    import typer

    from eval.classifier import command

    app = typer.Typer()
    app.command()(command)
    classifier = write_classifier(tmp_path / "classifier", dataset)
    arguments = [str(dataset.root), "--classifier", str(classifier), "--out", str(tmp_path / "report")]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "top 1" in result.output
    assert "level 1" in result.output
    for plot in ("photos_per_category.png", "reliability.png"):
        assert (tmp_path / "report" / plot).read_bytes().startswith(b"\x89PNG")
    return json.loads((tmp_path / "report" / "classifier.json").read_text())


def test_given_labels(tmp_path: Path, dataset: Dataset) -> None:
    result = measured(tmp_path, dataset)
    part = part_of_test([f"thing {i}" for i in range(300)], 0)
    used = [i for i in range(300) if part[i] and i % 30 != 7]
    right = np.mean([i % 5 != 0 or i % 3 == 2 for i in used])
    assert result["labels"] == "given"
    assert result["photos"] == len(used)
    assert result["top_1"]["value"] == pytest.approx(right, abs=1e-6)
    assert result["top_1"]["low"] < right < result["top_1"]["high"]
    assert result["top_3"]["value"] == 1
    # Green filed as blue is still "cold".
    cold = np.mean([i % 5 != 0 or i % 3 != 0 for i in used])
    assert result["levels"]["1"]["micro"]["value"] == pytest.approx(cold, abs=1e-6)
    assert result["levels"]["1"]["categories"] == 2
    assert result["levels"]["2"]["micro"]["value"] == result["top_1"]["value"]


def test_the_truth_is_used_where_there_is_one(tmp_path: Path, dataset: Dataset) -> None:
    dataset.truth_dir.mkdir()
    truth = {
        "listing_id": [str(i) for i in range(300)],
        "category_id": [list(COLOURS)[i % 3] for i in range(300)],
        "attributes": ["{}"] * 300,
    }
    pyarrow.parquet.write_table(pyarrow.table(truth), dataset.truth_dir / "listings.parquet")
    result = measured(tmp_path, dataset)
    assert result["labels"] == "truth"
    assert result["top_1"]["value"] == 1
    assert result["macro"] == 1


def test_photos_of_one_title_are_resampled_together() -> None:
    tree = Ontology.from_paths(list(CATEGORIES), [tuple(path.split(" > ")) for path in CATEGORIES.values()])
    classes = np.array([tree.position(colour) for colour in COLOURS], np.int32)
    labels = np.repeat(classes[:2], 50)
    probabilities = np.tile(np.array([0.9, 0.1, 0.0], np.float32), (100, 1))
    apart = evaluate(tree, classes, Measured(probabilities, labels, [str(i) for i in range(100)], 0))["top_1"]
    together = evaluate(tree, classes, Measured(probabilities, labels, [str(i // 25) for i in range(100)], 0))["top_1"]
    assert apart.value == together.value == 0.5
    assert together.high - together.low > 2 * (apart.high - apart.low)
