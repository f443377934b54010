"""Third phase: the visual embedding learns from behaviour which photos are alike, beside the classes.

The trunk runs once over each photo and stays as it is; the head goes on from where it was. Half of each step are photos
with their classes, as ever, and half are photos that were chosen together, in pairs.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from relevance.dataset import Listings
from relevance.errors import DataError
from relevance.events import Behaviour, find_behaviour, tell_left_out
from relevance.interactions import interactions
from relevance.splits import TRAIN, tell_empty_parts, time_split
from training.classifier.checkpoint import Checkpoint
from training.classifier.co_clicks import CoClicks, co_clicks
from training.classifier.contrast import Contrast
from training.classifier.examples import Examples, Rows
from training.classifier.fit import Schedule, Take, fit, pooled
from training.classifier.network import Network
from training.classifier.options import Options
from training.classifier.photos import Photos

BATCH, LEARNING_RATE = 128, 1e-3
FEWEST_STEPS = 100
"""One epoch, or so many steps where that is less."""


def read_events(root: Path, known: Collection[str]) -> Behaviour:
    """Returns the behaviour of a dataset folder; raises DataError where it has none or it cannot be read. known: ids of
    all its listings. A DataWarning tells which of it is not learned from."""
    behaviour = find_behaviour(root, known)
    if not behaviour.queries:
        raise DataError(f"{root}: no searches; --clicks learns from behaviour: add the events, or train without it")
    tell_left_out(root, behaviour)
    return behaviour


def find_co_clicks(behaviour: Behaviour, root: Path, listings: Listings, examples: Examples) -> CoClicks:
    """Returns the co-clicks of the training photos in the first 70 % of the behaviour of the dataset `root`.

    listings: those with a photo and a category, the rows of `examples`. Raises DataError where no two training photos
    were chosen for one query.
    """
    span = time_split(behaviour.query_times)
    tell_empty_parts(root, behaviour.query_times, span)
    rows = {listings.ids[row]: row for row in examples.train.tolist()}
    chosen = interactions(behaviour, span == TRAIN, rows, examples.categories)
    found = co_clicks(chosen, examples.categories, listings.titles)
    if not found.queries:
        raise DataError(
            f"{root}: expected a query for which two training photos were clicked, found none (of the first 70 % in "
            f"time: {len(chosen):,} choices of {len(set(chosen.listing.tolist())):,} photos); train without --clicks"
        )
    print(f"clicks: {found.photos:,} training photos were chosen together, by {found.queries:,} queries")
    return found


def train_clicks(
    network: Network,
    photos: Photos,
    examples: Examples,
    clicks: CoClicks,
    loss: Any,
    options: Options,
    work: Path,
    key: str,
) -> None:
    """Goes on with a trained network. loss: of the classes; work, key: as for the other phases."""
    features = pooled(network, photos, examples, work)
    batches = Batches(features, examples, clicks, options.seed)
    epochs = max(1.0, FEWEST_STEPS * BATCH / len(examples.train))
    schedule = Schedule(epochs, BATCH, LEARNING_RATE, options.seed, averaging=options.averaging, last=True)
    checkpoint = Checkpoint(work / "clicks.npz", f"{key} clicks {_digest(clicks)}")
    fit(model(network, options.clicks), batches, examples, loss, schedule, checkpoint, "clicks")


def model(network: Network, weight: float) -> Any:
    """The head, twice. Batch statistics stay: those of popular photos are of no use elsewhere."""
    for layer in network.head.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    width = network.head.input.shape[-1]
    inputs = {
        "features": keras.Input((width,), name="features"),
        "chosen": keras.Input((width,), name="chosen"),
        "relation": keras.Input((None,), name="relation"),
        "log_share": keras.Input((), name="log_share"),
    }
    plain, chosen = network.head(inputs["features"]), network.head(inputs["chosen"])
    others = layers.Concatenate(axis=0)([chosen["projection"], plain["projection"]])
    terms = (chosen["projection"], others, inputs["relation"], inputs["log_share"])
    return keras.Model(inputs, Contrast(weight, name="contrast")(plain["logits"], *terms))


class Batches:
    """Gives for the rows of a step their features, and as many photos that were chosen together. These depend on the
    seed and the rows alone, so that training can go on anywhere. Rows that are only measured get one photo for all."""

    def __init__(self, features: Take, examples: Examples, clicks: CoClicks, seed: int) -> None:
        self._features, self._clicks, self._seed = features, clicks, seed
        self._learned = np.zeros(len(examples.labels), np.bool_)
        self._learned[examples.train] = True
        share = clicks.share
        share[examples.train] += 1 / len(examples.train)
        self._log_share = np.log(np.maximum(share, 1e-12)).astype(np.float32)

    def __call__(self, rows: Rows) -> dict[str, NDArray[np.float32]]:
        if self._learned[rows].all():
            rng = np.random.default_rng((self._seed, *rows.tolist()))
            chosen = self._clicks.draw(max(1, len(rows) // 2), rng)
            others = np.concatenate([chosen, rows])
        else:
            # Of one width, however many rows there are: Keras takes that of the first batch for all.
            chosen = others = rows[:1]
        return {
            "features": self._features(rows),
            "chosen": self._features(chosen),
            "relation": self._clicks.relation(chosen, others),
            "log_share": self._log_share[others],
        }


def _digest(clicks: CoClicks) -> str:
    strength = clicks.strength
    parts = (strength.data, strength.indices, strength.indptr, clicks.title)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
