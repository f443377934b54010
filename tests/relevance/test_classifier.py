"""Opening a classifier artifact. (Its use over a dataset is tested with the listing index.)"""

from pathlib import Path

import numpy as np
import pytest

from relevance.classifier import Classifier, ImageEncoder, in_test_part
from relevance.errors import ArtifactError
from tests.colours import write_classifier, write_dataset


def test_another_model_is_no_image_encoder() -> None:
    with pytest.raises(ArtifactError, match=r"expected one input .* found 2 inputs and difference, total"):
        ImageEncoder(Path(__file__).parent / "data" / "two_inputs.tflite")


def test_one_title_is_on_one_side_however_it_is_spelt() -> None:
    titles = [f"Item {i}" for i in range(2000)]
    part = in_test_part(titles, seed=3)
    assert 0.12 < part.mean() < 0.18
    assert (in_test_part([title.upper() for title in titles], seed=3) == part).all()
    assert (in_test_part(titles[::-1], seed=3) == part[::-1]).all()
    assert (in_test_part(titles, seed=4) != part).any()


def test_it_answers_as_sure_as_its_manifest_says(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset", [])
    likely = np.array([[0.7, 0.2, 0.1]], np.float32)
    unstated = Classifier.open(write_classifier(tmp_path / "unstated", dataset))
    careful = Classifier.open(write_classifier(tmp_path / "careful", dataset, answers={"threshold": 0.75}))
    red = unstated.ontology.position("red")
    assert unstated.answers(likely).nodes.tolist() == [red]
    assert careful.answers(likely).nodes.tolist() == [-1]
    assert careful.answers(likely, threshold=0.6).nodes.tolist() == [red]
