"""The phase that learns from behaviour: what it reads of a log, and what it does to the embedding."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relevance.classifier import Classifier
from relevance.dataset import Dataset
from relevance.errors import DataError, DataWarning
from relevance.event_log import EventLog
from relevance.events import write_behaviour
from relevance.images import load_photo
from tests.training.shapes import COLOURS, SHAPES, write_shapes


def records(choices: list[tuple[str, str, str]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Queries and events of (query, action, listing), a minute apart."""
    start = 1_700_000_000_000
    queries, events = [], []
    for i, (text, action, listing) in enumerate(choices):
        at = start + i * 60_000
        queries.append({"query_id": f"q{i}", "user_query": text, "timestamp": at, "client_id": f"c{i}"})
        target = {"object": {"object_id": listing}}
        events.append({"action_name": action, "query_id": f"q{i}", "timestamp": at + 1, "event_attributes": target})
    return queries, events


def write_events(root: Path, choices: list[tuple[str, str, str]]) -> None:
    write_behaviour(root / "events.parquet", *records(choices))


def by_colour(searches: int) -> list[tuple[str, str, str]]:
    """People who look for a colour and take any shape."""
    rng = np.random.default_rng(0)
    colours = rng.choice(list(COLOURS), searches).tolist()
    return [(f"{c} thing", "click", f"{rng.choice(SHAPES)}-{c}-{rng.integers(40)}") for c in colours]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_shapes(tmp_path / "shapes")


def options(cache: Path, **stated: Any) -> Any:
    from training.classifier.options import Options

    return Options("small", cache, image_size=(32, 32), **stated)


def material(dataset: Path, **stated: Any) -> Any:
    from training.classifier.material import read_material

    return read_material(dataset, options(dataset.parent / "cache", clicks=0.3, **stated))


def test_only_early_choices_of_training_photos_are_read(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_events(dataset, [("disc", "click", "disc-red-0")])
    with pytest.raises(DataError, match="two training photos"):
        material(dataset)
    everything = [("disc", "click", f"disc-red-{i}") for i in range(40)]
    later = [("disc", "click", f"disc-blue-{i}") for i in range(18)]
    write_events(
        dataset, [*everything, ("disc", "contact_seller", "nowhere"), ("disc", "impression", "disc-blue-39"), *later]
    )
    found = material(dataset)
    chosen = {found.listings.ids[row] for row in np.flatnonzero(found.clicks.share)}
    training = {found.listings.ids[row] for row in found.examples.train}
    assert chosen == training & {listing for _, _, listing in everything}
    assert 20 < len(chosen) < 40  # the others are for validation and test
    assert f"{len(chosen)} training photos were chosen together, by 1 queries" in capsys.readouterr().out


def test_what_the_service_recorded_is_learned_from(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With no other events, and beside them."""
    searches = [("disc", "click", f"disc-red-{i}") for i in range(40)]
    later = [(f"query {i}", "click", "disc-blue-1") for i in range(30)]
    log = EventLog(dataset / "events")
    log.append([json.dumps(record) for kind in records([*searches, *later]) for record in kind]).result(timeout=10)
    log.close()
    alone = material(dataset).clicks
    assert "by 1 queries" in capsys.readouterr().out
    # The file's searches are the same, by the same ids.
    write_events(dataset, [*searches, *later])
    np.testing.assert_array_equal(material(dataset).clicks.share > 0, alone.share > 0)


def test_what_is_wrong_with_a_log_is_said(dataset: Path) -> None:
    with pytest.raises(DataError, match=r"shapes: no searches; --clicks learns from behaviour"):
        material(dataset)
    write_events(
        dataset, [(f"query {i}", "click", f"disc-red-{i}") for i in range(30)] + [("disc", "click", "gone")] * 3
    )
    with (
        pytest.warns(DataWarning, match=r"shapes: left out: 3 events on unknown listings$"),
        pytest.raises(DataError, match=r"expected a query for which two training photos were clicked, .* without --cl"),
    ):
        material(dataset)


def test_batches_depend_on_the_seed_and_the_rows_alone(dataset: Path) -> None:
    from training.classifier.clicks import Batches

    write_events(dataset, by_colour(200))
    found = material(dataset)
    features = np.arange(len(found.listings), dtype=np.float32)[:, None]

    def batch(rows: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
        return Batches(features.__getitem__, found.examples, found.clicks, seed)(rows)

    rows, others = found.examples.train[:40], found.examples.train[40:80]
    one, same, other, reseeded = batch(rows), batch(rows), batch(others), batch(rows, seed=1)
    for name, values in one.items():
        np.testing.assert_array_equal(values, same[name])
    np.testing.assert_array_equal(one["features"][:, 0], rows)
    assert (one["chosen"] != other["chosen"]).any()
    assert (one["chosen"] != reseeded["chosen"]).any()
    chosen = one["chosen"][:, 0].astype(int)
    assert len(chosen) == 40
    assert (found.clicks.share[chosen] > 0).all()
    assert one["relation"].shape == (40, 80)
    shares = found.clicks.share[[*chosen, *rows]] + 1 / len(found.examples.train)
    np.testing.assert_allclose(one["log_share"], np.log(shares), rtol=1e-5)
    # Keras wants every batch to be as wide as the first; those of the held-out photos are not all as long.
    held_out = found.examples.validation
    long, short = batch(held_out), batch(held_out[:-1])
    assert len(short["features"]) == len(long["features"]) - 1
    assert {name: values.shape[1:] for name, values in short.items()} == {
        name: values.shape[1:] for name, values in long.items()
    }


def test_photos_of_one_colour_come_nearer(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """People take any shape of the colour they look for. Of photos that training has not seen, two of one colour and of
    unlike shapes are nearer each other with that than without, and the categories stay known."""
    from training.classifier.train import run

    monkeypatch.setattr("training.classifier.fit._PREDICT_BATCH", 8)  # held-out photos in several batches
    write_events(dataset, by_colour(400))
    nearer, right = {}, {}
    for name, weight in (("without", 0.0), ("with", 1.0)):
        out = dataset.parent / name
        metrics = run(dataset, out, options(dataset.parent / "cache", epochs=6, clicks=weight))
        assert metrics is not None
        right[name] = metrics["test"]["top_1"]
        nearer[name] = _apart(dataset, out)
    assert nearer["with"] > nearer["without"] + 0.2
    assert right["with"] > right["without"] - 0.1
    assert not (dataset.parent / ".with.unfinished").exists()


def _apart(dataset: Path, folder: Path) -> float:
    """Mean cosine of test photos of one colour and two shapes, less that of two colours and two shapes."""
    classifier = Classifier.open(folder)
    listings = Dataset.open(dataset).read_listings()
    names = [listing.split("-") for listing in listings.ids]
    test = classifier.test_part(listings.titles)
    rows = [row for row in np.flatnonzero(test) if len(names[row]) == 3]
    photos = np.stack([load_photo(dataset / listings.images[row][0], (32, 32)) for row in rows])
    embeddings = classifier.encoder(photos).embeddings
    shape, colour = (np.array([names[row][at] for row in rows]) for at in (0, 1))
    cosine = embeddings @ embeddings.T
    unlike, same = shape[:, None] != shape, colour[:, None] == colour
    return float(cosine[unlike & same].mean() - cosine[unlike & ~same].mean())


JAX_STEP = """
import random
import numpy as np, keras
from training.classifier.clicks import model
from training.classifier.network import make_network
assert keras.backend.backend() == "jax"
random.seed(0)  # where Keras takes its seeds from; its own function would load TensorFlow
network = make_network("small", (32, 32), None, np.array([0.5, 0.5]), seed=0)
rng = np.random.default_rng(0)
relation = np.array([[-1, 1, 0, 0, 0, 0], [1, -1, 0, 0, 0, 0]], np.float32)
inputs = {
    "features": rng.normal(size=(4, network.head.input.shape[-1])).astype(np.float32),
    "chosen": rng.normal(size=(2, network.head.input.shape[-1])).astype(np.float32),
    "relation": relation,
    "log_share": np.zeros(6, np.float32),
}
head = model(network, 1.0)
head.compile(keras.optimizers.AdamW(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
def cosine():
    a, b = keras.ops.normalize(network.head(inputs["chosen"])["projection"], axis=-1)
    return float(keras.ops.sum(a * b))
before = cosine()
losses = [float(head.train_on_batch(inputs, np.array([0, 1, 0, 1]))) for _ in range(30)]
import sys
assert "tensorflow" not in sys.modules, "TensorFlow was loaded"
print(losses[0], losses[-1], before, cosine())
"""


def test_it_trains_on_jax() -> None:
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", JAX_STEP], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    first, last, before, after = map(float, done.stdout.split())
    assert last < first
    assert after > before + 0.1  # the two that were chosen together
