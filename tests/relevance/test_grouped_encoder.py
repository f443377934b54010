"""A classifier in groups: the general model's probabilities, decided anew within each probable group.

`data/cold_encoder.tflite` tells green from blue: with mean colour m its probabilities are softmax(m[1:] / 16).
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relevance.artifacts import write_manifest
from relevance.classifier import Classifier, ImageEncoder
from relevance.errors import ArtifactError
from relevance.grouped_encoder import Group, GroupedEncoder
from tests.colours import ENCODER, write_classifier, write_dataset

COLD = Path(__file__).parents[1] / "data" / "cold_encoder.tflite"
GROUPS = [
    {"category_id": "path:cold", "class_ids": ["green", "blue"], "encoder": "groups/0/image_encoder.tflite"},
    {"category_id": "path:warm", "class_ids": ["red"], "encoder": None},
]


def write_grouped(folder: Path, model: Path = COLD, groups: list[dict[str, object]] = GROUPS) -> Path:
    """The classifier of three colours, with a second model for the two cold ones; red is alone."""
    (folder / "groups" / "0").mkdir(parents=True)
    shutil.copyfile(model, folder / "groups" / "0" / "image_encoder.tflite")
    return write_classifier(folder, write_dataset(folder.parent / "dataset", []), groups=groups, bound=0.02)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def photos_of(colours: np.ndarray) -> np.ndarray:
    return np.repeat(np.repeat(colours.astype(np.uint8)[:, None, None], 8, axis=1), 8, axis=2)


def grouped(bound: float) -> GroupedEncoder:
    return GroupedEncoder(ENCODER, [Group(np.array([1, 2]), ImageEncoder(COLD))], bound)


# The general model's probabilities are softmax(m / 32): for this colour, 0.8 for red.
MIXED = np.array([[144, 80, 70]])


def test_within_a_probable_group_its_own_model_decides() -> None:
    general, cold = softmax(MIXED / 32), softmax(MIXED[:, 1:] / 16)
    share = general[:, 1:].sum()
    expected = [general[0, 0], share * cold[0, 0], share * cold[0, 1]]
    assert 0.1 < share < 0.3
    np.testing.assert_allclose(grouped(bound=0.02)(photos_of(MIXED)).probabilities, [expected], rtol=1e-5)


def test_an_improbable_group_stays_as_the_general_model_sees_it() -> None:
    photos = photos_of(np.concatenate([MIXED, [[0, 200, 200]]]))
    found = grouped(bound=0.5)(photos).probabilities
    np.testing.assert_array_equal(found[0], ImageEncoder(ENCODER)(photos).probabilities[0])
    np.testing.assert_allclose(found[1, 1:], [0.5, 0.5], atol=2e-3)


class Counted(ImageEncoder):
    """Counts the photos it is given."""

    seen = 0

    def __call__(self, photos: np.ndarray):  # type: ignore[no-untyped-def]
        self.seen += len(photos)
        return super().__call__(photos)


def test_a_model_runs_only_on_the_photos_of_its_group() -> None:
    cold = Counted(COLD)
    encoder = GroupedEncoder(ENCODER, [Group(np.array([1, 2]), cold)], 0.02)
    encoder(photos_of(np.array([[255, 0, 0], [0, 255, 0], [250, 5, 5], [0, 0, 255]])))
    assert cold.seen == 2


@given(
    st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=0, max_size=6),
    st.sampled_from([0.0, 0.02, 0.3, 0.9, 2.0]),
)
def test_rows_sum_to_one_and_groups_keep_their_probability(colours: list[tuple[int, int, int]], bound: float) -> None:
    m = np.array(colours, float).reshape(-1, 3)
    photos = photos_of(m)
    encoder = grouped(bound)
    found = encoder(photos)
    general = ImageEncoder(ENCODER)(photos)
    assert found.probabilities.shape == (len(m), 3) == (len(m), encoder.classes)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found.probabilities[:, 0], general.probabilities[:, 0], atol=1e-6)
    np.testing.assert_array_equal(found.embeddings, general.embeddings)
    np.testing.assert_array_equal(found.features, general.features)
    if bound == 0.0 and len(m):  # the full product
        share = softmax(m / 32)[:, 1:].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found.probabilities[:, 1:], share * softmax(m[:, 1:] / 16), atol=1e-5)


def test_an_artifact_in_groups_opens_like_any_other(tmp_path: Path) -> None:
    folder = write_grouped(tmp_path / "classifier")
    classifier = Classifier.open(folder)
    assert isinstance(classifier.encoder, GroupedEncoder)
    photos = photos_of(MIXED)
    expected = grouped(0.02)(photos).probabilities
    np.testing.assert_array_equal(classifier.encoder(photos).probabilities, expected)
    assert [classifier.ontology.ids[i] for i in classifier.class_positions] == ["red", "green", "blue"]
    # Search by photo takes the general model alone.
    alone = ImageEncoder(folder / "image_encoder.tflite")(photos)
    np.testing.assert_array_equal(alone.embeddings, classifier.encoder(photos).embeddings)


def test_the_fingerprint_covers_every_model(tmp_path: Path) -> None:
    single = Classifier.open(write_classifier(tmp_path / "single", write_dataset(tmp_path / "dataset", [])))
    folder = write_grouped(tmp_path / "one")
    one = Classifier.open(folder).fingerprint
    (folder / "groups" / "0" / "image_encoder.tflite").write_bytes(COLD.read_bytes() + b"\0")
    with pytest.raises(ArtifactError, match=r"groups/0/image_encoder\.tflite was altered"):
        Classifier.open(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    fields = {name: manifest[name] for name in manifest.keys() - {"kind", "version", "created_at", "files"}}
    write_manifest(folder, "classifier", 2, **fields)
    assert len({single.fingerprint, one, Classifier.open(folder).fingerprint}) == 3


def test_models_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    write_grouped(tmp_path / "classes", model=ENCODER)
    with pytest.raises(ArtifactError, match=r"expected each group's model .* \(8, 8, 2\)\), found \(8, 8, 3\)"):
        Classifier.open(tmp_path / "classes")
    absent = [{**GROUPS[0], "encoder": "groups/7/image_encoder.tflite"}, GROUPS[1]]
    write_grouped(tmp_path / "absent", groups=absent)
    with pytest.raises(ArtifactError, match=r"groups/7/image_encoder\.tflite: cannot read"):
        Classifier.open(tmp_path / "absent")
