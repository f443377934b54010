"""Chains over a classifier whose answers are known: which photos trigger them, what they say, who is believed."""

from pathlib import Path

import numpy as np
import pytest

from relevance.attributes import AttributeModel
from relevance.classifier import Classifier
from relevance.errors import ArtifactError
from relevance.photos.model import AttributeValue, PhotoModel
from tests.colours import COLOURS, write_attributes, write_classifier, write_dataset

RED, GREEN, BLUE = (np.full((8, 8, 3), colour, np.uint8) for colour in COLOURS.values())
YELLOW = np.full((8, 8, 3), (255, 255, 0), np.uint8)  # as much red as green


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    dataset = write_dataset(tmp_path / "dataset", [("1", "red thing", "red", "")])
    return write_classifier(tmp_path / "classifier", dataset)


def softmax(logits: list[float]) -> np.ndarray:
    powers = np.exp(np.array(logits))
    return np.asarray(powers / powers.sum())


def test_a_category_triggers_from_the_threshold_on(tmp_path: Path, classifier: Path) -> None:
    general = Classifier.open(classifier)
    probabilities = np.array([[0.1, 0.5, 0.4], [0.51, 0.2, 0.29], [0.5, 0.25, 0.25]], np.float32)
    cold = write_attributes(tmp_path / "cold", classifier, "path:cold", threshold=0.5)
    assert AttributeModel.open(cold, general).triggered(probabilities).tolist() == [True, False, True]
    everything = write_attributes(tmp_path / "all", classifier, None, threshold=1.0)
    assert AttributeModel.open(everything, general).triggered(probabilities).all()
    blue = write_attributes(tmp_path / "blue", classifier, "blue", threshold=0.4)
    assert AttributeModel.open(blue, general).triggered(probabilities).tolist() == [True, False, False]


def test_it_gives_the_probabilities_of_each_attribute(tmp_path: Path, classifier: Path) -> None:
    model = AttributeModel.open(write_attributes(tmp_path / "a", classifier), Classifier.open(classifier))
    predicted = model.predict(np.array([[240.0, 0.0, 24.0]], np.float32))
    np.testing.assert_allclose(predicted["tone"], [softmax([88 / 32, 4])], atol=1e-6)
    np.testing.assert_allclose(predicted["paint"], [softmax([15, 0, 1.5])], atol=1e-6)
    none = model.predict(np.empty((0, 3), np.float32))
    assert {name: rows.shape for name, rows in none.items()} == {"tone": (0, 2), "paint": (0, 3)}


def test_one_pass_goes_from_general_to_special(tmp_path: Path, classifier: Path) -> None:
    cold = write_attributes(tmp_path / "cold", classifier, "path:cold")
    model = PhotoModel.open(classifier, attributes=[cold])
    assert model.image_size == (8, 8)
    found = model(np.stack([GREEN, RED, BLUE]))
    general = softmax([255 / 32, 0, 0])
    np.testing.assert_allclose(found.probabilities, [np.roll(general, 1), general, np.roll(general, 2)], atol=1e-5)
    np.testing.assert_allclose(found.embeddings, [[0, 1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-5)
    assert found.attributes[1] == {}  # red is not cold
    assert [found.attributes[i]["paint"].value for i in (0, 2)] == ["lime", "navy"]
    assert found.attributes[0]["tone"] == AttributeValue("dark", pytest.approx(softmax([85 / 32, 4])[1], abs=1e-5))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_more_specific_category_is_believed(tmp_path: Path, classifier: Path, order: tuple[int, ...]) -> None:
    def chain(name: str, under: str | None, threshold: float = 0.4) -> Path:
        entries = [
            {"name": "tone", "values": [f"{name} light", f"{name} dark"]},
            {"name": f"paint of {name}", "values": ["ruby", "lime", "navy"]},
        ]
        return write_attributes(tmp_path / name, classifier, under, threshold=threshold, attributes=entries)

    folders = [chain("any", None), chain("cold", "path:cold"), chain("green", "green")]
    model = PhotoModel.open(classifier, attributes=[folders[i] for i in order])
    found = model(np.stack([GREEN, BLUE, RED, YELLOW])).attributes
    assert [row["tone"].value for row in found] == ["green dark", "cold dark", "any dark", "green light"]
    assert sorted(found[1]) == ["paint of any", "paint of cold", "tone"]


def test_of_two_categories_of_one_depth_the_more_probable_is_believed(tmp_path: Path, classifier: Path) -> None:
    folders = [
        write_attributes(
            tmp_path / under,
            classifier,
            under,
            threshold=0.1,
            attributes=[{"name": "tone", "values": [under, under]}, {"name": under, "values": ["r", "g", "b"]}],
        )
        for under in ("blue", "green", "red")
    ]
    teal = np.full((8, 8, 3), (0, 150, 130), np.uint8)
    found = PhotoModel.open(classifier, attributes=folders)(np.stack([teal]))
    np.testing.assert_allclose(found.probabilities[0], softmax([0, 150 / 32, 130 / 32]), atol=1e-3)
    assert found.attributes[0]["tone"].value == "green"
    assert sorted(found.attributes[0]) == ["blue", "green", "tone"]


def test_what_was_not_trained_together_is_refused(tmp_path: Path, classifier: Path) -> None:
    general = Classifier.open(classifier)
    for field, message in (
        ({"classifier_fingerprint": "a" * 64}, r"trained for another classifier \(aaaaaaaaaaaa\)"),
        ({"ontology_fingerprint": "b" * 64}, r"trained for another ontology \(bbbbbbbbbbbb\)"),
        ({"attributes": [{"name": "tone", "values": ["light", "dark"]}]}, "expected one input .* and the outputs"),
        ({"reads": "photos"}, r"expected one input \[-1, 8, 8, 3\] .* found \[\[-1, 3\]\]"),
    ):
        with pytest.raises(ArtifactError, match=message):
            AttributeModel.open(write_attributes(tmp_path / "a", classifier, **field), general)
    with pytest.raises(ArtifactError, match="no such folder"):
        AttributeModel.open(tmp_path / "absent", general)
    with pytest.raises(ArtifactError, match=r"triggered by the category 'blu', which .*; close to 'blue'"):
        AttributeModel.open(write_attributes(tmp_path / "a", classifier, "blu"), general)


def test_two_answers_to_one_question_are_refused(tmp_path: Path, classifier: Path) -> None:
    folders = [write_attributes(tmp_path / name, classifier, "blue") for name in ("one", "two")]
    with pytest.raises(ArtifactError, match=r"two: tells paint, tone of the same category as .*one"):
        PhotoModel.open(classifier, attributes=folders)


def test_a_classifier_brings_its_own_ontology(classifier: Path) -> None:
    model = PhotoModel.open(classifier)
    assert [model.ontology.ids[i] for i in model.classifier.class_positions] == list(COLOURS)
    (classifier / "categories.csv").unlink()
    with pytest.raises(ArtifactError, match=r"categories\.csv is missing"):
        PhotoModel.open(classifier)
