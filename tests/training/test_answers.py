"""How sure an answer has to be, told by the validation photos.

`colour_encoder.tflite` tells red, green and blue: with mean colour m its probabilities are softmax(m / 32).
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relevance.classifier import ImageEncoder
from relevance.errors import DataError
from tests.colours import ENCODER, write_classifier, write_dataset
from training.classifier.answers import read_calibration, stated_answers
from training.classifier.examples import Examples
from training.classifier.material import Material

RED, GREEN = 0, 1
SURE, MISTAKEN, VERY_MISTAKEN = (0, 250, 0), (120, 90, 80), (160, 70, 60)  # all of them green things


class Colours:
    """Photos of one colour each."""

    bad: tuple[()] = ()

    def __init__(self, colours: list[tuple[int, int, int]]) -> None:
        self._photos = np.broadcast_to(np.array(colours, np.uint8)[:, None, None], (len(colours), 8, 8, 3))
        self.usable = np.ones(len(colours), np.bool_)

    def take(self, rows: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self._photos[rows])


def material(folder: Path, colours: list[tuple[int, int, int]]) -> Any:
    dataset = write_dataset(folder, [(f"{i}", f"thing {i}", "green", "") for i in range(len(colours))])
    ontology = dataset.read_ontology()
    classes = np.array([ontology.position(name) for name in ("red", "green", "blue")], np.int32)
    nothing, rows = np.empty(0, np.int64), np.arange(len(colours))
    labels = np.full(len(colours), GREEN, np.int32)
    examples = Examples(nothing, rows, nothing, classes, labels, classes[labels])
    return Material(ontology, dataset.read_listings(ontology), Colours(colours), (8, 8), examples, "")


def probability_of_red(colour: tuple[int, int, int]) -> float:
    e = np.exp(np.array(colour) / 32)
    return float(e[RED] / e.sum())


def test_the_threshold_spares_as_many_mistakes_as_were_stated(tmp_path: Path) -> None:
    # Of 39 photos, 5 % of 40 is 2: one may be wrong and one is the margin, so the second worst sets the threshold.
    photos = [SURE] * 37 + [MISTAKEN, VERY_MISTAKEN]
    found = stated_answers(ImageEncoder(ENCODER), material(tmp_path, photos), 0.05)
    assert found == {
        "threshold": pytest.approx(probability_of_red(MISTAKEN), abs=1e-3),
        "error_rate": 0.05,
        "photos": 39,
    }
    assert 0.5 < found["threshold"] < probability_of_red(VERY_MISTAKEN)


def test_too_few_photos_promise_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = stated_answers(ImageEncoder(ENCODER), material(tmp_path, [SURE] * 18), 0.05)
    assert found == {"threshold": 0.5, "error_rate": None, "photos": 18}
    assert "18 validation photos are too few to keep errors under 5%" in capsys.readouterr().out
    enough = stated_answers(ImageEncoder(ENCODER), material(tmp_path / "more", [SURE] * 19), 0.05)
    assert enough["error_rate"] == 0.05


def test_another_classifier_calibrates_where_its_classes_are_the_same(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset", [])
    answers = {"threshold": 0.8, "error_rate": 0.05, "photos": 300}
    folder = write_classifier(tmp_path / "measured", dataset, temperature=1.5, answers=answers)
    found = read_calibration(str(folder), material(tmp_path / "data", [SURE]))
    assert found is not None
    assert (found["temperature"], found["answers"]) == (1.5, answers)
    assert read_calibration(None, material(tmp_path / "data", [SURE])) is None
    other = write_classifier(tmp_path / "other", dataset, class_ids=["red", "green"])
    with pytest.raises(DataError, match="expected a classifier of the same 3 classes, found 2; they differ in 'blue'"):
        read_calibration(str(other), material(tmp_path / "data", [SURE]))
