"""Training attribute models over the fake classifier, whose features are a photo's mean colour."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relevance.artifacts import read_manifest, write_manifest
from relevance.classifier import Classifier, in_test_part
from relevance.dataset import Dataset
from relevance.entry import run as run_command
from relevance.errors import DataError
from relevance.models import Model
from relevance.photos.model import PhotoModel
from tests.colours import write_classifier, write_photo
from training.attributes.examples import ABSENT, RARE, Attribute, category_named, listings_under, make_attribute
from training.attributes.measure import scores

N = 360


def colour_of(i: int) -> tuple[int, int, int]:
    r, g, b = (int(v) for v in np.random.default_rng(i).integers(0, 256, 3))
    return r, g, b


def attributes_of(i: int) -> dict[str, Any]:
    """tint: the brightest channel; light: whether the mean of the channels is over 128, missing for every third. A few
    listings give something odd."""
    colour = colour_of(i)
    given: dict[str, Any] = {"tint": ("ruby", "lime", "navy")[int(np.argmax(colour))]}
    if i % 3:
        given["light"] = bool(np.mean(colour) > 128)
    return given | {7: {"tint": "mauve"}, 8: {"tint": ["ruby", "navy"]}, 9: {"tint": " "}}.get(i, {})


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, and the classifier: a photo's category is its brightest channel."""
    root = tmp_path_factory.mktemp("attributes")
    folder = root / "dataset"
    lines = []
    for i in range(N):
        write_photo(folder / "images" / f"{i}.png", colour_of(i))
        category = ("red", "green", "blue")[int(np.argmax(colour_of(i)))]
        lines.append({"listing_id": str(i), "title": f"thing {i}", "category_id": category, "image": f"images/{i}.png"})
        lines[-1]["attributes"] = attributes_of(i)
    lines.append({"listing_id": "bare", "title": "no photo", "category_id": "red", "attributes": {"tint": "ruby"}})
    lines.append({"listing_id": "mute", "title": "says nothing", "category_id": "red", "image": "images/0.png"})
    lines.append({"listing_id": "unfiled", "title": "no category", "image": "images/1.png"})
    lines[-1]["attributes"] = {"tint": attributes_of(1)["tint"]}
    (folder / "listings.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    (folder / "categories.csv").write_text(
        "category_id,path\nred,warm > red\ngreen,cold > green\nblue,cold > blue\ngrey,grey\n"
    )
    write_classifier(root / "classifier", Dataset.open(folder))
    return root


def train(root: Path, out: str, **options: Any) -> Path:
    from training.attributes.train import Options, run

    named = {"names": ("tint", "light"), "cache": root / "cache", "hidden": 32, "dropout": 0.0, "epochs": 25, **options}
    run(root / "dataset", root / "classifier", root / out, Options(**named))
    return root / out


@pytest.fixture(scope="module")
def trained(root: Path) -> Path:
    return train(root, "trained")


def test_it_learns_each_attribute_from_the_listings_that_give_it(trained: Path) -> None:
    manifest = read_manifest(trained, "attributes", 1)
    assert manifest["attributes"] == [
        {"name": "tint", "values": ["lime", "navy", "ruby"]},
        {"name": "light", "values": ["false", "true"]},
    ]
    for found in manifest["metrics"]["test"].values():
        assert found["accuracy"] > max(0.8, found["majority"] + 0.1)
        assert 0 <= found["expected_calibration_error"] < 0.25
    # The classifier's test titles, less the three listings that give no tint or none that is one value.
    test = in_test_part([f"thing {i}" for i in range(N)], 0)
    assert manifest["metrics"]["test"]["light"]["photos"] == sum(test[i] for i in range(N) if i % 3)
    assert manifest["metrics"]["train_photos"] + manifest["metrics"]["validation_photos"] > 270


def test_the_chain_reads_what_was_trained(root: Path) -> None:
    chain = train(root, "cold", under="cold")
    model = PhotoModel.open(root / "classifier", attributes=[chain])
    assert model.chains[0].under == model.ontology.position("path:cold")
    assert set(model.chains[0].values["tint"]) == {"lime", "navy"}  # of the listings under cold, no other has five
    colours = {"warm": (250, 90, 0), "light lime": (150, 250, 120), "dark navy": (0, 0, 90)}
    found = model(np.stack([np.full((8, 8, 3), colour, np.uint8) for colour in colours.values()])).attributes
    assert [{name: answer.value for name, answer in row.items()} for row in found] == [
        {},
        {"tint": "lime", "light": "true"},
        {"tint": "navy", "light": "false"},
    ]
    assert read_manifest(chain, "attributes", 1)["metrics"]["triggered"] == 1.0


def test_without_validation_photos_probabilities_stay_as_they_are(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a handful of titles, none of which falls into that part."""

    def nobody(titles: list[str], *_: Any) -> np.ndarray:
        return np.zeros(len(titles), np.bool_)

    monkeypatch.setattr("training.attributes.examples.group_split", nobody)
    manifest = read_manifest(train(root, "unchecked", epochs=2), "attributes", 1)
    assert manifest["metrics"]["validation_photos"] == 0
    assert manifest["temperatures"] == [1.0, 1.0]


def test_photos_are_encoded_once(root: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*_: Any) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr("training.attributes.features.encode_photos", unexpected)
    again = train(root, "again")
    features = np.random.default_rng(0).uniform(0, 255, (40, 3)).astype(np.float32)
    for one, other in zip(*(Model(folder / "attributes.tflite")(features) for folder in (trained, again)), strict=True):
        np.testing.assert_array_equal(one, other)  # and the same seed gives the same model


def test_litert_agrees_with_keras() -> None:
    import keras

    from training.attributes.network import deployable, make_head
    from training.litert import to_litert

    keras.utils.set_random_seed(0)
    head = make_head(6, [np.full(4, 0.25), np.array([0.9, 0.1])], hidden=8, dropout=0.5, seed=0)
    model = deployable(head, head.input, head.input, [0.5, 2.0])
    features = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    first, second = Model(to_litert(model))(features)
    expected = model.predict_on_batch(features)
    np.testing.assert_allclose(first, expected["attribute_000"], atol=1e-6)
    np.testing.assert_allclose(second, expected["attribute_001"], atol=1e-6)
    logits = head.predict_on_batch(features)["attribute_001"]
    odds = np.exp((logits[:, 0] - logits[:, 1]) / 2.0)
    np.testing.assert_allclose(second[:, 0], odds / (1 + odds), atol=1e-5)


@pytest.fixture(scope="module")
def untrained(root: Path) -> Path:
    """A real classifier of 32 by 32 photos whose network has random weights."""
    import keras

    from training.classifier.export import export
    from training.classifier.network import deployable, make_network

    keras.utils.set_random_seed(0)
    ontology = Dataset.open(root / "dataset").read_ontology()
    network = make_network("small", (32, 32), None, np.full(3, 1 / 3), seed=0)
    folder = root / "untrained"
    folder.mkdir()
    export(deployable(network, 1.0), folder)
    ontology.write(folder / "categories.csv")
    described = {"class_ids": ["blue", "green", "red"], "split_seed": 0, "test_share": 0.15}
    options = {"backbone": "small"}
    write_manifest(folder, "classifier", 2, ontology_fingerprint=ontology.fingerprint, options=options, **described)
    return folder


def test_a_network_of_its_own_is_trained_end_to_end(root: Path, untrained: Path) -> None:
    import keras

    from training.attributes.train import Options, run

    out = root / "own"
    options = Options(("tint",), root / "cache", hidden=0, dropout=0.0, epochs=4, fine_tune=3)
    metrics = run(root / "dataset", untrained, out, options)
    assert metrics["test"]["tint"]["accuracy"] > 0.7
    assert read_manifest(out, "attributes", 1)["reads"] == "photos"

    given = keras.saving.load_model(untrained / "model.keras").get_layer("trunk").get_layer("base")
    own = keras.saving.load_model(out / "attributes.keras")
    for before, after in zip(given.layers, own.get_layer("base").layers, strict=True):
        same = [np.array_equal(a, b) for a, b in zip(before.get_weights(), after.get_weights(), strict=True)]
        assert all(same) if "batch_normalization" in before.name else not any(same), before.name

    photos = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), np.uint8)
    chain = PhotoModel.open(untrained, attributes=[out]).chains[0]
    np.testing.assert_allclose(chain.predict(photos)["tint"], own.predict_on_batch(photos)["attribute_000"], atol=1e-4)
    found = PhotoModel.open(untrained, attributes=[out])(photos).attributes
    assert [row["tint"].value for row in found] == [
        chain.values["tint"][i] for i in chain.predict(photos)["tint"].argmax(axis=1)
    ]


def test_fine_tuning_needs_the_network(root: Path) -> None:
    with pytest.raises(DataError, match=r"--fine-tune: .*classifier has no model\.keras to start from"):
        train(root, "none", fine_tune=1, epochs=1)


def test_the_loss_leaves_out_what_a_listing_does_not_give() -> None:
    from training.attributes.network import MaskedCrossEntropy

    priors = [np.array([0.2, 0.8]), np.array([0.5, 0.25, 0.25])]
    logits = np.array([[1.0, 2.0, 0.5, 0.0, -1.0], [3.0, 0.0, 1.0, 1.0, 1.0]], np.float32)

    def surprise(values: np.ndarray, label: int) -> float:
        return float(np.log(np.exp(values).sum()) - values[label])

    loss = MaskedCrossEntropy(priors, adjustment=0.0)
    both = np.asarray(loss.call(np.array([[0, 2], [1, 1]]), logits))
    expected = [surprise(row[:2], a) + surprise(row[2:], b) for row, a, b in zip(logits, (0, 1), (2, 1), strict=True)]
    np.testing.assert_allclose(both, np.array(expected) / 2, rtol=1e-5)
    one = np.asarray(loss.call(np.array([[ABSENT, 2], [1, RARE]]), logits))
    np.testing.assert_allclose(one, [surprise(logits[0, 2:], 2) / 2, surprise(logits[1, :2], 1) / 2], rtol=1e-5)
    adjusted = np.asarray(MaskedCrossEntropy(priors, 1.0).call(np.array([[0, ABSENT]]), logits[:1]))
    np.testing.assert_allclose(adjusted, surprise(logits[0, :2] + np.log(priors[0]), 0) / 2, rtol=1e-5)


def test_scores_by_hand() -> None:
    texts = np.array(["a", "a", "a", "b", "", "c", "a", "b"])
    labels = np.array([0, 0, 0, 1, ABSENT, RARE, 0, 1], np.int32)
    attribute = Attribute("kind", ("a", "b"), labels, texts)
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4], [0.7, 0.3]], np.float32)
    found = scores(attribute, np.arange(3), np.array([3, 4, 5, 6, 7]), probabilities)
    # Of b, (absent), c, a, b: missed, left out, missed since it is no class, right, missed.
    assert found["photos"] == 4
    assert found["accuracy"] == 1 / 4
    assert found["macro"] == pytest.approx(1 / 3)
    assert found["majority"] == 1 / 4
    assert scores(attribute, np.arange(3), np.array([4]), probabilities[:1])["accuracy"] is None


def test_values_with_few_photos_are_no_class(root: Path) -> None:
    listings = Dataset.open(root / "dataset").read_listings()
    attribute = make_attribute("tint", listings, np.arange(N), min_photos=5)
    assert attribute.classes == ("lime", "navy", "ruby")
    assert attribute.labels[7] == RARE
    assert attribute.labels[[8, 9]].tolist() == [ABSENT, ABSENT]
    assert make_attribute("tint", listings, np.arange(N), min_photos=1).classes == ("lime", "mauve", "navy", "ruby")
    with pytest.raises(DataError, match=r"tnt: expected at least two values .*no listing has it; known: light, tint"):
        make_attribute("tnt", listings, np.arange(N), min_photos=5)
    with pytest.raises(
        DataError, match="light: expected at least two values with 200 or more training photos, found 0;"
    ):
        make_attribute("light", listings, np.arange(N), min_photos=200)


def test_listings_of_a_category(root: Path) -> None:
    dataset = Dataset.open(root / "dataset")
    ontology, listings = dataset.read_ontology(), dataset.read_listings()
    everything = listings_under(ontology, listings, None, ["tint"])
    assert everything.tolist() == [i for i in range(N) if i not in (8, 9)] + [N + 2]
    cold = listings_under(ontology, listings, category_named(ontology, "cold"), ["tint", "light"])
    assert cold.tolist() == [i for i in range(N) if np.argmax(colour_of(i)) > 0 and (i != 9 or i % 3)]  # 8 tells light
    assert category_named(ontology, "") is None
    assert category_named(ontology, "cold >blue") == category_named(ontology, "blue")
    with pytest.raises(DataError, match=r"--under: expected the id or the path of a category, found 'blu'; close to"):
        category_named(ontology, "blu")


def test_what_cannot_be_trained_is_refused(root: Path) -> None:
    with pytest.raises(DataError, match="the classifier has no class under 'grey'; nothing would ever trigger it"):
        train(root, "grey", under="grey")
    with pytest.raises(DataError, match=r"no listing under 'warm' has both a photo and .* size; known: .*tint"):
        train(root, "size", under="warm", names=("size",))
    with pytest.raises(DataError, match="--attributes tint: expected at least two values"):
        train(root, "warm", under="warm")  # all red things are ruby


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--attributes", "tint,,light"], "error: --attributes: expected names joined by commas, each once, found"),
        (["--attributes", "tint", "--under", "colder"], "error: --under: expected the id or the path of a category"),
    ],
)
def test_the_command_line_answers_in_one_line(
    root: Path,
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from training.__main__ import app

    given = ["attributes", str(root / "dataset"), "--classifier", str(root / "classifier"), "--out", str(root / "no")]
    monkeypatch.setattr("sys.argv", ["training", *given, *arguments])
    with pytest.raises(SystemExit) as caught:
        run_command(app, "python -m training")
    assert caught.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(message)
    assert not (root / "no").exists()


def test_the_classifier_has_to_be_of_this_dataset(root: Path) -> None:
    assert Classifier.open(root / "classifier").ontology.ids == Dataset.open(root / "dataset").read_ontology().ids
