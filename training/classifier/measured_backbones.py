"""`python -m training backbones`: what a photo costs in each backbone, on this machine.

The weights are random: what they are does not change the work.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tqdm import tqdm

from relevance.artifacts import write_text_atomic
from relevance.image_encoder import ImageEncoder
from relevance.photos.batches import BATCH

CLASSES = 1000
"""Of the made classifiers; the last layer is a small part of any of them."""
SECONDS, CALLS = 2.0, 3
"""A backbone is timed for as long, and for as many calls at least."""


@dataclass(frozen=True)
class Row:
    """side: of a square photo, in pixels; parameters: in millions, without the head; photos_per_second: in processor
    time of one core, through the LiteRT encoder at the batch of a catalogue pass, decoding not counted; mebibytes: of
    its file."""

    name: str
    side: int
    parameters: float
    photos_per_second: float
    mebibytes: float


def command(
    backbone: Annotated[list[str] | None, typer.Option(help="Some of them; repeatable. [default: all]")] = None,
    out: Annotated[Path | None, typer.Option(help="A JSON file for the figures.")] = None,
) -> None:
    """Time the image encoder of each backbone, with random weights, at the size it is made for."""
    from training.classifier.backbones import BACKBONES, find

    for name in backbone or ():
        find(name)
    rows = []
    for name in tqdm(backbone or list(BACKBONES), "backbones"):
        rows.append(measure(name))
        if out:
            write_text_atomic(out, json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    typer.echo(report(rows))


def measure(name: str) -> Row:
    """Builds the classifier as `python -m training classifier` does, and times its encoder."""
    import keras

    from training.classifier.backbones import find
    from training.classifier.network import deployable, make_network
    from training.litert import to_litert

    keras.utils.set_random_seed(0)
    side = find(name).image_size
    network = make_network(name, (side, side), None, np.full(CLASSES, 1 / CLASSES), seed=0)
    model = to_litert(deployable(network, temperature=1.0))
    millions = network.base.count_params() / 1e6
    keras.backend.clear_session()
    encoder = ImageEncoder(model, threads=1)
    photos = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), np.uint8)
    return Row(name, side, millions, BATCH / seconds_a_call(lambda: encoder(photos)), len(model) / 2**20)


def seconds_a_call(work: Callable[[], object]) -> float:
    """The median of its calls, the first not counted, in processor time of this thread, which does all of the work: the
    machine may do other work too."""
    work()
    taken: list[float] = []
    while len(taken) < CALLS or sum(taken) < SECONDS:
        start = time.thread_time()
        work()
        taken.append(time.thread_time() - start)
    return float(np.median(taken))


def report(rows: list[Row]) -> str:
    """The figures as a table, fastest first."""
    lines = (
        f"{row.name:<18}{row.side:>6}{row.parameters:>22.1f}{row.photos_per_second:>10.3g}{row.mebibytes:>8.1f}"
        for row in sorted(rows, key=lambda row: -row.photos_per_second)
    )
    return "\n".join(
        (
            f"{'backbone':<18}{'side':>6}{'parameters, millions':>22}{'photos/s':>10}{'MiB':>8}",
            *lines,
            f"processor time of one core, batches of {BATCH}, random weights, decoding not counted",
        )
    )
